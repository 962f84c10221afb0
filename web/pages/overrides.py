"""Overrides and disputes: what waits for an answer, asking, claiming, and answering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ownership.placed_by_people import MayNot, Person
from tasks.context import RunContext
from tasks.placed_by_people import (
    answer_override,
    disputes_for,
    open_dispute,
    overrides_for,
    request_override,
    rule_on_dispute,
)
from web.access.guard import act, read
from web.access.viewer import Role, Viewer
from web.rendering import back, page
from web.surroundings import surroundings_of


def overrides(request: Request, viewer: Viewer) -> Response:
    """GET /overrides: requests that this viewer asked for, is touched by, or may answer."""
    shown = overrides_for(surroundings_of(request).reading(), _person(viewer))
    return page(request, viewer, "overrides.html", shown=shown, account=request.query_params.get("account", ""))


def disputes(request: Request, viewer: Viewer) -> Response:
    """GET /disputes: open disputes that this viewer is part of or may rule on."""
    shown = disputes_for(surroundings_of(request).reading(), _person(viewer))
    return page(request, viewer, "disputes.html", shown=shown, account=request.query_params.get("account", ""))


def ask_override(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides."""

    def ask(context: RunContext) -> str:
        said = (
            _said(form, "owner"),
            _said(form, "reason"),
            _said(form, "until") or None,
            _said(form, "then") or "stay",
        )
        request_override(context, _said(form, "account"), _person(viewer), *said)
        return "It waits for approval."

    return _done(request, viewer, "/overrides", "override-request", ask)


def decide_override(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /overrides/{id}: `answer` is "approved" or "refused"."""
    id_, state = request.path_params["id"], "approved" if _said(form, "answer") == "approved" else "refused"
    because = _said(form, "because")

    def answer(context: RunContext) -> str:
        return answer_override(context, id_, _person(viewer), state, because)

    return _done(request, viewer, "/overrides", f"override-{state}", answer)


def claim(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes."""

    def open_(context: RunContext) -> str:
        said = (_said(form, "account"), _person(viewer), _said(form, "reason"), _said(form, "evidence"))
        open_dispute(context, *said)
        return "Nothing moves it until there is a ruling."

    return _done(request, viewer, "/disputes", "dispute-open", open_)


def rule(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /disputes/{id}."""
    said = request.path_params["id"], _person(viewer), _said(form, "owner"), _said(form, "because")
    return _done(request, viewer, "/disputes", "dispute-rule", lambda context: rule_on_dispute(context, *said))


def _done(request: Request, viewer: Viewer, to: str, what: str, do: Callable[[RunContext], str]) -> Response:
    try:
        with surroundings_of(request).acting(viewer.actor, what) as context:
            return back(to, do(context))
    except MayNot as refused:
        return back(to, f"Nothing was changed. {refused}.")


def _person(viewer: Viewer) -> Person:
    return Person(viewer.actor, viewer.role.value)


def _said(form: FormData, name: str) -> str:
    said: Any = form.get(name, "")
    return str(said).strip()


routes: list[Route] = [
    read("/overrides", overrides, Role.REP),
    read("/disputes", disputes, Role.REP),
    act("/overrides", ask_override, Role.REP),
    act("/overrides/{id}", decide_override, Role.MANAGER),
    act("/disputes", claim, Role.REP),
    act("/disputes/{id}", rule, Role.MANAGER),
]
