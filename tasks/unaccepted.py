"""What reached the queue because nobody accepted it: whoever was asked, or a manager of theirs, may still take it."""

from __future__ import annotations

from collections.abc import Sequence

from ownership.acceptance import NotYours, check_answer, check_can_have
from ownership.crm_tasks import ACCEPTED, Happening
from ownership.model import Account
from ownership.placed_by_people import NotThere, TooLate
from store.offers import IN_VAIN, Offer
from store.unit_of_work import UnitOfWork
from tasks.acceptance import Answered, offer_to_answer
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import desk_for, unaccepted_key
from tasks.explanation import find_account, unknown_account
from tasks.handing_over import hand_over, said_too_late
from tasks.next_asked import held_because


def take_unaccepted(context: RunContext, offer_id: str, by: str) -> Answered:
    """Take the account of this offer, which came to nothing, for who was asked by it.

    The offer keeps its answer; taking it is one more, accepted as it is made, and closes the exception. Raises
    `NotYours`, and `NoSuchOffer` when it was never made.
    """
    return context.store.run(lambda uow: _take(context, uow, *offer_to_answer(uow, offer_id), by))


def take_account(context: RunContext, query: str, by: str, whom: str | None = None) -> str:
    """Take the account that `query` finds, which nobody accepted, for the rep `by`, or for `whom` of those they manage;
    returns what to tell.

    Raises `NotYours` when neither was asked, or when `by` manages several who were and `whom` is None; `NotThere` when
    there is no such account, and `TooLate` when it is not in the queue, or goes to nobody at present.
    """

    def take(uow: UnitOfWork) -> str:
        account = find_account(uow, query)
        if account is None:
            raise NotThere(unknown_account(query).rstrip("."))
        made = uow.offers.since_placed([account.id]).get(account.id, [])
        waiting = [offer for offer in made if may_be_taken(uow, offer)]
        if not waiting:
            raise TooLate(f"{account.name} is not in the queue; `steward why` says whose it is")
        answered = _take(context, uow, account, _theirs(context, account, waiting, by, whom), by)
        if answered.outcome != "taken":
            raise TooLate(answered.said.rstrip("."))
        return answered.said

    return context.store.run(take)


def _theirs(context: RunContext, account: Account, waiting: Sequence[Offer], by: str, whom: str | None) -> Offer:
    """The offer by which somebody takes it: the one to them, else to one of those they manage. Raises `NotYours`."""
    roster = context.policy.roster
    by_rep = {offer.owner_id: offer for offer in waiting}
    asked = ", ".join(map(roster.name, by_rep))
    if found := by_rep.get(whom or by):
        return found
    if whom is not None:
        raise NotYours(f"{roster.name(whom)} was not asked to accept {account.name}; asked were {asked}")
    below = [rep for rep in by_rep if by in roster.managers_of(rep)]
    if len(below) > 1:
        raise NotYours(f"several of those you manage were asked; say for whom with --for: {', '.join(below)}")
    if not below:
        raise NotYours(f"{roster.name(by)} was not asked to accept {account.name}, nor manages who was: {asked}")
    return by_rep[below[0]]


def may_be_taken(uow: UnitOfWork, offer: Offer) -> bool:
    """Whether the account waits for somebody because nobody accepted it, and this offer is one of those that came to
    nothing since it was placed."""
    if offer.state not in IN_VAIN:
        return False
    key = unaccepted_key(offer.account_id)
    if key not in uow.exceptions.open_among([key]) or uow.offers.of_account(offer.account_id) is not None:
        return False
    return offer.owner_id in uow.offers.asked_before([offer.account_id])[offer.account_id]


def waiting_in_queue(uow: UnitOfWork, rep_id: str) -> list[Offer]:
    """By which offers this rep can still take something that nobody accepted, the latest first, one for an account."""
    accounts = uow.offers.in_queue(rep_id)
    asked_now = uow.offers.of_accounts(accounts)
    found = [
        next((each for each in made if each.owner_id == rep_id and each.state in IN_VAIN), None)
        for account_id, made in uow.offers.since_placed(accounts).items()
        if account_id not in asked_now
    ]
    return sorted(filter(None, found), key=lambda offer: (offer.offered_at, offer.offer_id), reverse=True)


def _take(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str) -> Answered:
    roster, today = context.policy.roster, context.today()
    check_answer(offer.owner_id, by, roster, today)
    check_can_have(offer.owner_id, roster, today)
    uow.accounts.lock([account.id])
    last = uow.decisions.explanation(account.id)
    if last is None or not may_be_taken(uow, offer):
        return Answered("too_late", said_too_late(context, uow, account, offer))
    if waits := held_because(last.decision):
        return Answered("held", f"{account.name} cannot be taken now: {waits}.")
    name, now = roster.name(offer.owner_id), context.now()
    desk = desk_for(context, uow, [account])
    moved = hand_over(desk, account, last, offer.owner_id, f"{name} took it from the queue")
    decision_id = uow.decisions.latest([account.id])[account.id].decision_id
    uow.offers.take(decision_id, offer, by, now)
    uow.exceptions.close([unaccepted_key(account.id)], by, f"{name} took it", now)
    team = uow.ledger.teams([account.id]).get(account.id, {})
    accepted = Happening(ACCEPTED, account, offer.owner_id, None, team, decision_id)
    queue_tasks(uow, context, desk.day, [accepted, *moved])
    return Answered("taken", f"{account.name} is taken for {name}.")
