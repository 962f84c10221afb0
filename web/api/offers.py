"""Offers, their answers, and the books of those who accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request

from ownership.worktime import local_day
from store.offers import Offer
from tasks.acceptance import Answered, NoSuchOffer, accept_offer, decline_offer
from tasks.context import RunContext
from tasks.unaccepted import take_unaccepted
from web.access.rules import looks_into
from web.access.viewer import Viewer
from web.api import models, showing
from web.api.access import AsRep, check_looks_into
from web.api.models import Id
from web.api.once import IdempotencyKey, answered_once
from web.api.problems import documented
from web.surroundings import surroundings_of

router = APIRouter()
OfferId = Annotated[Id, Path(description="The offer's `id`")]
Limit = Annotated[int, Query(ge=1, le=200)]
ANSWER: dict[int | str, Any] = {200: {"model": models.AnswerOut}, **documented(404, 409)}
State = Literal["offered", "accepted", "declined", "expired", "superseded"]


@router.get("/people/{rep}/book", tags=["People"], responses=documented(404))
def book(
    request: Request,
    viewer: AsRep,
    rep: Annotated[Id, Path(description="Id on the roster", examples=["dana-whitfield"])],
    after: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> models.Book:
    """The accounts somebody owns, by name. A rep sees their own, a manager also their reports'."""
    here = surroundings_of(request)
    policy, roster = here.policy.policy, here.policy.roster
    if (them := roster.reps.get(rep)) is None:
        raise HTTPException(404, "Nobody on the roster has this id.")
    check_looks_into(viewer, roster, rep)
    with here.store.transaction(readonly=True) as uow:
        found = uow.listings.book(rep, after, limit + 1)
        size = uow.ledger.book_sizes().get(rep, 0)
    accounts = [
        models.BookAccount(id=each.account_id, name=each.name, since=each.since, acceptance=each.acceptance_state)
        for each in found[:limit]
    ]
    return models.Book(
        person=showing.person(roster, rep),
        size=size,
        capacity=them.capacity_on(local_day(policy.timezone, here.clock())),
        accounts=accounts,
        next=accounts[-1].id if len(found) > limit else None,
    )


@router.get("/offers", tags=["Offers"])
def offers(
    request: Request,
    viewer: AsRep,
    state: Annotated[State | None, Query(description="Only those in this state")] = None,
    owner: Annotated[Id | None, Query(description="Only those made to this rep")] = None,
    after: Annotated[Id | None, Query(description="`next` of the page before")] = None,
    limit: Limit = 50,
) -> models.OfferPage:
    """Offers, the first made first. A rep sees those made to them, a manager also their reports'."""
    here = surroundings_of(request)
    roster = here.policy.roster
    if owner is not None:
        check_looks_into(viewer, roster, owner)
    owners = looks_into(viewer, roster) if owner is None else {owner}
    with here.store.transaction(readonly=True) as uow:
        found = uow.listings.offers(state, owners, after, limit + 1)
    shown = [showing.offer(each, roster) for each in found[:limit]]
    return models.OfferPage(offers=shown, next=shown[-1].id if len(found) > limit else None)


@router.post("/offers/{offer_id}/accept", tags=["Offers"], responses=ANSWER)
def accept(request: Request, viewer: AsRep, offer_id: OfferId, key: IdempotencyKey = None) -> Any:
    """Accept an account, for who the token acts for or one of their reports. A late answer changes nothing (409)."""

    def give(context: RunContext) -> Answered:
        return accept_offer(context, offer_id, viewer.actor)

    return answered_once(request, key, None, lambda: _answer(request, viewer, offer_id, "accept", give))


@router.post("/offers/{offer_id}/decline", tags=["Offers"], responses=ANSWER)
def decline(
    request: Request, viewer: AsRep, offer_id: OfferId, because: models.Decline, key: IdempotencyKey = None
) -> Any:
    """Decline an account; it goes to the next of the policy's chain at once. A late answer changes nothing (409)."""

    def give(context: RunContext) -> Answered:
        return decline_offer(context, offer_id, viewer.actor, because.reason)

    answer = lambda: _answer(request, viewer, offer_id, "decline", give)  # noqa: E731
    return answered_once(request, key, because.model_dump(), answer)


@router.post("/offers/{offer_id}/take", tags=["Offers"], responses=ANSWER)
def take(request: Request, viewer: AsRep, offer_id: OfferId, key: IdempotencyKey = None) -> Any:
    """Take an account that nobody accepted, for who was asked by this offer since it was placed. 409 when it is not in
    the queue any more."""

    def give(context: RunContext) -> Answered:
        return take_unaccepted(context, offer_id, viewer.actor)

    return answered_once(request, key, None, lambda: _answer(request, viewer, offer_id, "take", give))


def _answer(
    request: Request, viewer: Viewer, offer_id: str, what: str, give: Callable[[RunContext], Answered]
) -> models.AnswerOut:
    here = surroundings_of(request)
    if viewer.rep_id is None:
        raise HTTPException(403, "This token acts for nobody who could be asked; use one made with --as.")
    _offer(request, offer_id)  # before a run is kept for it
    try:
        with here.acting(viewer.actor, f"{what}-by-api") as context:
            answered = give(context)
    except NoSuchOffer as problem:
        raise HTTPException(404, f"{problem}.") from None
    if answered.outcome not in ("accepted", "declined", "taken"):
        raise HTTPException(409, answered.said)
    roster = here.policy.roster
    return models.AnswerOut(
        outcome=answered.outcome,
        said=answered.said,
        offer=showing.offer(_offer(request, offer_id), roster),
    )


def _offer(request: Request, offer_id: str) -> Offer:
    with surroundings_of(request).store.transaction(readonly=True) as uow:
        offer = uow.offers.get(offer_id)
    if offer is None:
        raise HTTPException(404, "There is no offer with this id; GET /offers lists those there are.")
    return offer
