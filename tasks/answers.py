"""Answers to an offer by its id: what programs give, which know the offer they read rather than the account's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store.offers import OFFERED, Offer
from tasks.acceptance import accept_account, decline_account
from tasks.context import RunContext


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer: accepted, declined, held (it may go to nobody now) or too_late; `said` tells people."""

    outcome: str
    said: str


class NoSuchOffer(ValueError):
    """An answer to an offer that was never made."""


def accept_offer(context: RunContext, offer_id: str, by: str) -> Answered:
    """Accept this offer for the rep `by`. Raises `NotYours`, and `NoSuchOffer` when it was never made."""
    return _answer(context, offer_id, "accepted", lambda account_id: accept_account(context, account_id, by))


def decline_offer(context: RunContext, offer_id: str, by: str, reason: str) -> Answered:
    """Decline this offer for the rep `by`. Raises `NotYours`, and `NoSuchOffer` when it was never made."""
    return _answer(context, offer_id, "declined", lambda account_id: decline_account(context, account_id, by, reason))


def _answer(context: RunContext, offer_id: str, wanted: str, give: Callable[[str], str]) -> Answered:
    before = _offer(context, offer_id)
    if before.state != OFFERED:
        return _too_late(context, before)
    said = give(before.account_id)
    after = _offer(context, offer_id)
    if after.state == OFFERED:
        return Answered("held", said)
    return Answered(wanted, said) if after.state == wanted else _too_late(context, after)


def _offer(context: RunContext, offer_id: str) -> Offer:
    with context.store.transaction(readonly=True) as uow:
        offer = uow.offers.get(offer_id)
    if offer is None:
        raise NoSuchOffer("there is no such offer; look the account up to see who has it")
    return offer


def _too_late(context: RunContext, offer: Offer) -> Answered:
    """Nothing is changed: the offer had its one answer. Says which, and whose the account is now."""
    roster = context.policy.roster
    with context.store.transaction(readonly=True) as uow:
        holder = uow.ledger.current([offer.account_id]).get(offer.account_id)
        name = uow.accounts.get_many([offer.account_id])[offer.account_id].name
    who = roster.name(holder.owner_id) if holder else "nobody"
    given = "" if offer.answered_by in (None, "steward") else f" by {roster.name(offer.answered_by or '')}"
    return Answered("too_late", f"Too late: the offer of {name} was {offer.state}{given}. It belongs to {who}.")
