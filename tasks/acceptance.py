"""Acceptance: offers whose deadline has passed are decided again, one step further along the policy's chain."""

from __future__ import annotations

from dataclasses import dataclass

from ownership.acceptance import check_answer, check_can_have, is_over
from ownership.crm_tasks import ACCEPTED, Happening
from ownership.model import Account
from ownership.refusals import Refusal
from store.offers import OFFERED, Offer
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import desk_for
from tasks.explanation import find_account, unknown_account
from tasks.handing_over import hand_over, said_too_late
from tasks.moving_on import move_on
from tasks.next_asked import held_because
from tasks.notices import add_reminders
from tasks.steps import as_task

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer: accepted, declined, taken, held (it may go to nobody now) or too_late; `said` tells
    people."""

    outcome: str
    said: str


class NoSuchOffer(Refusal):
    """An answer to an offer that was never made."""


def escalate_due(context: RunContext) -> Assigned:
    """Move on every offer that is due. Each offer ends once; a killed pass is finished by the next one.

    The next one is asked by a new decision with reason `escalated`, provisional owner at once where the policy says so.
    When nobody is left to ask, it stays with whom it is and the exception `unaccepted` is opened.
    """
    done = []
    while (batch := context.store.run(lambda uow: _escalate_batch(context, uow))) is not None:
        done.append(batch)
    return Assigned.together(done)


def remind_owners(context: RunContext) -> int:
    """Remind everybody of offers that run out soon, once each; returns how many offers that were."""
    reminded = 0
    while batch := context.store.run(lambda uow: _remind(context, uow)):
        reminded += batch
    return reminded


def _remind(context: RunContext, uow: UnitOfWork) -> int:
    offers = uow.offers.to_remind(context.now())
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    names = {account.id: account.name for account in accounts.values()}
    add_reminders(uow, context, {offer.account_id: offer for offer in offers}, names)
    uow.offers.reminded(offer.offer_id for offer in offers)
    return len(offers)


def accept_account(context: RunContext, query: str, by: str) -> str:
    """Answer the open offer of the account that `query` finds, for the rep `by`; returns what to tell them.

    An account that is somebody else's until then becomes theirs, unless it may go to nobody at present.

    Raises `NotYours` when the offer is somebody else's. Without an open offer, says who holds the account.
    """

    def answer(uow: UnitOfWork) -> str:
        account, offer = _open_offer(uow, query)
        if account is None or offer is None:
            return _nothing_open(context, uow, query, account)
        return _accept(context, uow, account, offer, by).said

    return context.store.run(answer)


def accept_offer(context: RunContext, offer_id: str, by: str) -> Answered:
    """Accept this offer for the rep `by`. Raises `NotYours`, and `NoSuchOffer` when it was never made."""
    return context.store.run(lambda uow: _accept(context, uow, *offer_to_answer(uow, offer_id), by))


def decline_offer(context: RunContext, offer_id: str, by: str, reason: str) -> Answered:
    """Decline this offer for the rep `by`. Raises `NotYours`, and `NoSuchOffer` when it was never made."""
    return context.store.run(lambda uow: _decline(context, uow, *offer_to_answer(uow, offer_id), by, reason))


def offer_to_answer(uow: UnitOfWork, offer_id: str) -> tuple[Account, Offer]:
    """The offer with this id, and its account. Raises `NoSuchOffer`."""
    offer = uow.offers.get(offer_id)
    account = uow.accounts.get_many([offer.account_id]).get(offer.account_id) if offer else None
    if offer is None or account is None:
        raise NoSuchOffer("there is no such offer; look the account up to see who has it")
    return account, offer


def _accept(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str) -> Answered:
    roster, today = context.policy.roster, context.today()
    check_answer(offer.owner_id, by, roster, today)
    if not _can_be_answered(context, uow, account, offer):
        return Answered("too_late", said_too_late(context, uow, account, offer))
    check_can_have(offer.owner_id, roster, today)
    uow.accounts.lock([account.id])
    last = uow.decisions.explanation(account.id)
    takes_over = last is not None and _is_anothers(uow, account.id, offer.owner_id)
    if last and takes_over and (waits := held_because(last.decision)):
        return Answered("held", f"{account.name} cannot be taken over now: {waits}.")
    if not uow.offers.answer(offer.offer_id, "accepted", by, context.now()):
        return Answered("too_late", said_too_late(context, uow, account, offer))
    name = roster.name(offer.owner_id)
    team = uow.ledger.teams([account.id]).get(account.id, {})
    happened = [Happening(ACCEPTED, account, offer.owner_id, None, team, offer.offer_id)]
    desk = desk_for(context, uow, [account])
    if last and takes_over:
        happened += hand_over(desk, account, last, offer.owner_id, f"{name} accepted it")
    queue_tasks(uow, context, desk.day, happened)
    return Answered("accepted", f"{account.name} is accepted for {name}.")


def _is_anothers(uow: UnitOfWork, account_id: str, owner_id: str) -> bool:
    owner = uow.ledger.current([account_id]).get(account_id)
    return owner is not None and owner.owner_id != owner_id


def _decline(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str, reason: str) -> Answered:
    roster = context.policy.roster
    check_answer(offer.owner_id, by, roster, context.today())
    if not _can_be_answered(context, uow, account, offer):
        return Answered("too_late", said_too_late(context, uow, account, offer))
    moved = move_on(context, uow, [offer], {account.id: account}, "declined", by, reason)
    if not moved.looked_at:
        return Answered("too_late", said_too_late(context, uow, account, offer))
    asked = (*moved.offers, *moved.moves)
    whom = roster.name(asked[0].after) if asked and asked[0].after else None
    follows = f"{whom} is asked next." if whom else "A person has to look at it."
    return Answered("declined", f"{account.name} is declined. {follows}")


def _can_be_answered(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer) -> bool:
    """Whether the offer is open and its time not over, by the clock of the answer: one whose time is over moves on now,
    rather than with the next pass."""
    if offer.state == OFFERED and is_over(offer.due_by, context.now()):
        move_on(context, uow, [offer], {account.id: account}, "expired", "steward", None)
        return False
    return offer.state == OFFERED


def decline_account(context: RunContext, query: str, by: str, reason: str) -> str:
    """Decline the open offer of the account that `query` finds; it goes to the next of the chain at once.

    Returns what to tell the rep. Raises `NotYours` when the offer is somebody else's.
    """

    def answer(uow: UnitOfWork) -> str:
        account, offer = _open_offer(uow, query)
        if account is None or offer is None:
            return _nothing_open(context, uow, query, account)
        return _decline(context, uow, account, offer, by, reason).said

    return context.store.run(answer)


def _open_offer(uow: UnitOfWork, query: str) -> tuple[Account | None, Offer | None]:
    account = find_account(uow, query)
    return account, uow.offers.of_account(account.id) if account else None


def _nothing_open(context: RunContext, uow: UnitOfWork, query: str, account: Account | None) -> str:
    if account is None:
        return unknown_account(query)
    holder = uow.ledger.current([account.id]).get(account.id)
    who = context.policy.roster.name(holder.owner_id) if holder else "nobody"
    return f"{account.name} waits for no answer; it belongs to {who}."


def _escalate_batch(context: RunContext, uow: UnitOfWork) -> Assigned | None:
    """Move on as many as one transaction takes; None when none is due."""
    offers = uow.offers.due(context.now(), BATCH)
    if not offers:
        return None
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    return move_on(context, uow, offers, accounts, "expired", "steward", None)


remind_owners_task = as_task(remind_owners, "acceptance")
escalate_due_task = as_task(escalate_due, "acceptance")
