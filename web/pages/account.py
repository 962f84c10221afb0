"""One account: whose it is and why, and for whom it concerns what its records show and what was done about it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ownership.explain import REASON_WORDS, RULE_WORDS
from ownership.policy import Roster
from tasks.account_file import AccountFile, now_id_of, read_account_file
from tasks.counterfactual import find_rep, why_not_only
from tasks.drift_words import what_was_done
from tasks.lineage import who
from web.access.guard import read
from web.access.rules import looks_into, sees_details
from web.access.viewer import Role, Viewer
from web.rendering import page, refusal
from web.surroundings import surroundings_of

NOT_THERE = "Look the account up by its name or web domain; an id from a CRM is found there too."


def show_account(request: Request, viewer: Viewer) -> Response:
    """GET /accounts/{account_id}: with `why_not`, also why that rep is not given it. An id it had before leads on."""
    context, asked = surroundings_of(request).reading(), request.path_params["account_id"]
    now_id = now_id_of(context, asked)
    if now_id != asked:
        return RedirectResponse(f"/accounts/{now_id}", status_code=303)
    found = read_account_file(context, asked)
    if found is None:
        return refusal(request, viewer, 404, "There is no such account", NOT_THERE, looked_for=asked[:200])
    roster, who_not = context.policy.roster, request.query_params.get("why_not", "").strip()
    return page(
        request,
        viewer,
        "account.html",
        file=found,
        fields={name: value for name, value in sorted(found.account.fields.items()) if value not in (None, "", [], ())},
        reason=_reason(found),
        rule_words=RULE_WORDS,
        reason_words=REASON_WORDS,
        details=sees_details(viewer, roster, found.owner.owner_id if found.owner else None),
        their_offer=_their_offer(viewer, roster, found),
        shown_by=lambda owner: who(roster.name, owner),
        done=what_was_done,
        why_not=why_not_only(context, found.account.id, who_not[:200]) if who_not else [],
        asked_for=who_not if find_rep(roster, who_not) else "",
    )


def _reason(found: AccountFile) -> str:
    """Why it is whose it is, in the words of the change of owner that holds."""
    row = next((each for each in found.history if found.owner and each.ledger_id == found.owner.ledger_id), None)
    return REASON_WORDS.get(row.reason, row.reason.replace("_", " ")) if row else ""


def _their_offer(viewer: Viewer, roster: Roster, found: AccountFile) -> str | None:
    """The open offer, for who is asked and those above them: it need not be their account yet."""
    seen, offer = looks_into(viewer, roster), found.open_offer
    return offer.offer_id if offer and (seen is None or offer.owner_id in seen) else None


routes = [read("/accounts/{account_id}", show_account, Role.REP)]
