"""One offer: who is asked to accept which account by when, and their answer."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from ownership.acceptance import NotYours, is_over
from tasks.acceptance import Answered, NoSuchOffer, accept_offer, decline_offer
from tasks.context import RunContext
from tasks.unaccepted import may_be_taken, take_unaccepted
from web.access.guard import act, read
from web.access.rules import may_answer
from web.access.viewer import Role, Viewer
from web.rendering import back, page, refusal
from web.surroundings import surroundings_of


def show_offer(request: Request, viewer: Viewer) -> Response:
    """GET /offers/{offer_id}. Changes nothing, whoever or whatever opens it."""
    here = surroundings_of(request)
    with here.store.transaction(readonly=True) as uow:
        offer = uow.offers.get(request.path_params["offer_id"])
        if offer is None:
            return refusal(request, viewer, 404, "There is no such offer", "Look the account up to see who has it.")
        account = uow.accounts.get(offer.account_id)
        holder = uow.ledger.current([offer.account_id]).get(offer.account_id)
        last = uow.decisions.explanation(offer.account_id)
        in_queue = may_be_taken(uow, offer)
    may = may_answer(viewer, here.policy.roster, offer.owner_id)
    why = [step.because for step in last.decision.path if step.matched] if last and may else []
    held_by = holder.owner_id if holder else None
    over = is_over(offer.due_by, here.clock())
    return page(
        *(request, viewer, "offer.html"),
        offer=offer,
        account=account,
        holder=held_by,
        may=may,
        why=why,
        in_queue=in_queue,
        over=over,
        answered_by=None if offer.answered_by == "steward" else offer.answered_by,
    )


def accept(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /offers/{offer_id}/accept."""
    return _answer(request, viewer, "accept", accept_offer)


def decline(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /offers/{offer_id}/decline, with a reason."""
    reason = str(form.get("reason", "")).strip()[:500]
    if not reason:
        return back(f"/offers/{request.path_params['offer_id']}", "Nothing was changed: say why you decline it.")
    return _answer(
        request, viewer, "decline", lambda context, offer_id, by: decline_offer(context, offer_id, by, reason)
    )


def take(request: Request, viewer: Viewer, form: FormData) -> Response:
    """POST /offers/{offer_id}/take: who was asked in vain takes what nobody accepted."""
    return _answer(request, viewer, "take", take_unaccepted)


def _answer(
    request: Request, viewer: Viewer, what: str, answer: Callable[[RunContext, str, str], Answered]
) -> Response:
    offer_id = request.path_params["offer_id"]
    try:
        with surroundings_of(request).acting(viewer.actor, f"{what}-offer") as context:
            said = answer(context, offer_id, viewer.actor).said
    except NoSuchOffer as error:
        return refusal(request, viewer, 404, "There is no such offer", str(error))
    except NotYours as error:
        return refusal(request, viewer, 403, "Nothing was changed", str(error))
    return back(f"/offers/{offer_id}", said)


routes = [
    read("/offers/{offer_id}", show_offer, Role.REP),
    act("/offers/{offer_id}/accept", accept, Role.REP),
    act("/offers/{offer_id}/decline", decline, Role.REP),
    act("/offers/{offer_id}/take", take, Role.REP),
]
