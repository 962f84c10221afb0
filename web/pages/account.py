"""One account: whose it is and why, and for whom it concerns what its records show and what was done about it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ownership.explain import RULE_WORDS, why
from ownership.policy import Roster
from store.offers import Offer
from tasks.account_file import AccountFile, now_id_of, read_account_file
from tasks.counterfactual import find_rep, why_not_only
from tasks.drift_words import what_was_done
from tasks.lineage import who
from web.access.guard import read
from web.access.rules import looks_after, may_answer, sees_details
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
    owner_id, settled = found.owner.owner_id if found.owner else None, looks_after(viewer, roster)
    return page(
        request,
        viewer,
        "account.html",
        file=found,
        fields={name: value for name, value in sorted(found.account.fields.items()) if value not in (None, "", [], ())},
        reason=_reason(found),
        rule_words=RULE_WORDS,
        why=why,
        details=sees_details(viewer, roster, owner_id),
        may_settle=settled is None or owner_id in settled,
        offer=_offer_seen(viewer, roster, found),
        may_answer=lambda asked_id: may_answer(viewer, roster, asked_id),
        shown_by=lambda owner: who(roster.name, owner),
        done=what_was_done,
        why_not=why_not_only(context, found.account.id, who_not[:200]) if who_not else [],
        asked_for=who_not if find_rep(roster, who_not) else "",
    )


def _reason(found: AccountFile) -> str:
    """Why it is whose it is, in the words of the change of owner that holds."""
    row = next((each for each in found.history if found.owner and each.ledger_id == found.owner.ledger_id), None)
    return why(row.reason) if row else ""


def _offer_seen(viewer: Viewer, roster: Roster, found: AccountFile) -> Offer | None:
    """The open offer, for who is asked, those above them and ops: it need not be their account yet."""
    offer = found.open_offer
    return offer if offer and sees_details(viewer, roster, offer.owner_id) else None


routes = [read("/accounts/{account_id}", show_account, Role.REP)]
