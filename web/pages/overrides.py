"""Overrides and disputes: what waits for an answer, asking, claiming, and answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ownership.placed_by_people import MayNot, Standing
from tasks.asked_and_claimed import ShownRequest, disputes_for, overrides_for
from tasks.context import RunContext
from tasks.placed_by_people import answer_override, open_dispute, request_override, rule_on_dispute
from tasks.taken_back import add_evidence, end_override, withdraw_dispute, withdraw_override
from web.access.guard import act, read
from web.access.viewer import Role, Viewer
from web.rendering import back, page
from web.surroundings import surroundings_of

PAGE = 100


def overrides(request: Request, viewer: Viewer) -> Response:
    """GET /overrides?account=&before=: requests that this viewer asked for, is touched by, or may answer."""
    context, asked = surroundings_of(request).reading(), request.query_params
    found = overrides_for(context, viewer.person, asked.get("before") or None, PAGE + 1)
    roster, today = context.policy.roster, context.today()
    present = roster.present_on(today)
    return page(
        request,
        viewer,
        "overrides.html",
        groups=_grouped(found[:PAGE]),
        more=found[PAGE - 1].id if len(found) > PAGE else None,
        account=asked.get("account", ""),
        owners=[rep for rep in roster.reps.values() if rep.id in present],
        today=today,
    )


def disputes(request: Request, viewer: Viewer) -> Response:
    """GET /disputes?account=&before=: disputes that this viewer is part of or may rule on."""
    asked = request.query_params
    found = disputes_for(surroundings_of(request).reading(), viewer.person, asked.get("before") or None, PAGE + 1)
    open_ones = [each for each in found[:PAGE] if each.claim.state == "open"]
    over = [each for each in found[:PAGE] if each.claim.state != "open"]
    account, more = asked.get("account", ""), found[PAGE - 1].id if len(found) > PAGE else None
    return page(request, viewer, "disputes.html", shown=open_ones, over=over, more=more, account=account)


def ask_override(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides."""

    def ask(context: RunContext) -> str:
        said = (
            _said(form, "owner"),
            _said(form, "reason"),
            _said(form, "until") or None,
            _said(form, "then") or "stay",
            _said(form, "since") or None,
        )
        request_override(context, _said(form, "account"), viewer.person, *said)
        return "It waits for approval."

    return _done(request, viewer, "/overrides", "override-request", ask)


def decide_override(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides/{id}: `answer` is "approved" or "refused"."""
    id_, state = request.path_params["id"], "approved" if _said(form, "answer") == "approved" else "refused"
    because = _said(form, "because")

    def answer(context: RunContext) -> str:
        return answer_override(context, id_, viewer.person, state, because)

    return _done(request, viewer, "/overrides", f"override-{state}", answer)


def withdraw_request(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides/{id}/withdraw."""
    said = request.path_params["id"], viewer.person
    return _done(request, viewer, "/overrides", "override-withdraw", lambda context: withdraw_override(context, *said))


def end(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides/{id}/end."""
    said = request.path_params["id"], viewer.person, _said(form, "because")
    return _done(request, viewer, "/overrides", "override-end", lambda context: end_override(context, *said))


def claim(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes."""

    def open_(context: RunContext) -> str:
        said = (_said(form, "account"), viewer.person, _said(form, "reason"), _said(form, "evidence"))
        open_dispute(context, *said)
        return "Nothing moves it until there is a ruling."

    return _done(request, viewer, "/disputes", "dispute-open", open_)


def rule(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes/{id}."""
    said = request.path_params["id"], viewer.person, _said(form, "owner"), _said(form, "because")
    return _done(request, viewer, "/disputes", "dispute-rule", lambda context: rule_on_dispute(context, *said))


def add(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes/{id}/evidence."""
    said = request.path_params["id"], viewer.person, _said(form, "said")
    return _done(request, viewer, "/disputes", "dispute-add", lambda context: add_evidence(context, *said))


def withdraw_claim(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes/{id}/withdraw."""
    said = request.path_params["id"], viewer.person
    return _done(request, viewer, "/disputes", "dispute-withdraw", lambda context: withdraw_dispute(context, *said))


def _grouped(shown: list[ShownRequest]) -> list[tuple[str, list[ShownRequest]]]:
    """What waits, what holds or will, and what is over."""
    titles = {Standing.WAITS: "Waits for an answer", Standing.IN_EFFECT: "Approved", Standing.BEGINS_LATER: "Approved"}
    found: dict[str, list[ShownRequest]] = {title: [] for title in (*titles.values(), "Over")}
    for each in shown:
        found[titles.get(each.standing, "Over")].append(each)
    return [(title, some) for title, some in found.items() if some]


def _done(request: Request, viewer: Viewer, to: str, what: str, do: Callable[[RunContext], str]) -> Response:
    try:
        with surroundings_of(request).acting(viewer.actor, what) as context:
            return back(to, do(context))
    except MayNot as refused:
        return back(to, f"Nothing was changed. {refused}.")


def _said(form: FormData, name: str) -> str:
    said: Any = form.get(name, "")
    return str(said).strip()


routes: list[Route] = [
    read("/overrides", overrides, Role.REP),
    read("/disputes", disputes, Role.REP),
    act("/overrides", ask_override, Role.REP),
    act("/overrides/{id}", decide_override, Role.MANAGER),
    act("/overrides/{id}/withdraw", withdraw_request, Role.REP),
    act("/overrides/{id}/end", end, Role.MANAGER),
    act("/disputes", claim, Role.REP),
    act("/disputes/{id}", rule, Role.MANAGER),
    act("/disputes/{id}/evidence", add, Role.REP),
    act("/disputes/{id}/withdraw", withdraw_claim, Role.REP),
]
