"""Acceptance: offers whose deadline has passed are decided again, one step further along the policy's chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ownership.acceptance import check_answer
from ownership.crm_tasks import ACCEPTED, ESCALATED, Happening, change_of_owner, filled_roles
from ownership.model import Account, Step
from ownership.plan import OwnerMove, move_of, offer_of
from store.ledger import CurrentOwner
from store.offers import OFFERED, Offer
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import desk_for
from tasks.explanation import find_account, unknown_account
from tasks.next_asked import NextAsked, held_because
from tasks.notices import add_offer_notices, add_owner_notices, add_reminders
from tasks.state import promised_sizes
from tasks.steps import as_task
from tasks.turns import load_turns, save_turns

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer: accepted, declined, held (it may go to nobody now) or too_late; `said` tells people."""

    outcome: str
    said: str


class NoSuchOffer(ValueError):
    """An answer to an offer that was never made."""


def escalate_due(context: RunContext) -> Assigned:
    """Move on every offer that is due. Each offer ends once; a killed pass is finished by the next one.

    The next one is asked by a new decision with reason `escalated`, provisional owner at once where the policy says so.
    When nobody is left to ask, it stays with whom it is and the exception `unaccepted` is opened.
    """
    done = []
    while (batch := context.store.run(lambda uow: _escalate_batch(context, uow))).looked_at:
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
    return context.store.run(lambda uow: _accept(context, uow, *_offer(uow, offer_id), by))


def decline_offer(context: RunContext, offer_id: str, by: str, reason: str) -> Answered:
    """Decline this offer for the rep `by`. Raises `NotYours`, and `NoSuchOffer` when it was never made."""
    return context.store.run(lambda uow: _decline(context, uow, *_offer(uow, offer_id), by, reason))


def _offer(uow: UnitOfWork, offer_id: str) -> tuple[Account, Offer]:
    offer = uow.offers.get(offer_id)
    account = uow.accounts.get_many([offer.account_id]).get(offer.account_id) if offer else None
    if offer is None or account is None:
        raise NoSuchOffer("there is no such offer; look the account up to see who has it")
    return account, offer


def _accept(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str) -> Answered:
    check_answer(offer.owner_id, by, context.policy.roster, context.today())
    if offer.state != OFFERED:
        return _too_late(context, uow, account, offer)
    uow.accounts.lock([account.id])
    if waits := _take_over(context, uow, account, offer, by):
        return Answered("held", f"{account.name} cannot be taken over now: {waits}.")
    now_it_is = uow.offers.get(offer.offer_id) or offer
    if (now_it_is.state, now_it_is.answered_by) != ("accepted", by):
        return _too_late(context, uow, account, now_it_is)
    return Answered("accepted", f"{account.name} is accepted for {context.policy.roster.name(offer.owner_id)}.")


def _decline(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str, reason: str) -> Answered:
    roster = context.policy.roster
    check_answer(offer.owner_id, by, roster, context.today())
    if offer.state != OFFERED:
        return _too_late(context, uow, account, offer)
    moved = _move_on(context, uow, [offer], {account.id: account}, "declined", by, reason)
    now_it_is = uow.offers.get(offer.offer_id) or offer
    if (now_it_is.state, now_it_is.answered_by) != ("declined", by):
        return _too_late(context, uow, account, now_it_is)
    asked = (*moved.offers, *moved.moves)
    whom = roster.name(asked[0].after) if asked and asked[0].after else None
    follows = f"{whom} is asked next." if whom else "A person has to look at it."
    return Answered("declined", f"{account.name} is declined. {follows}")


def _too_late(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer) -> Answered:
    """Nothing is changed: the offer had its one answer. Says which, and whose the account is now."""
    roster, holder = context.policy.roster, uow.ledger.current([account.id]).get(account.id)
    who = roster.name(holder.owner_id) if holder and holder.owner_id else "nobody"
    by = offer.answered_by
    given = "" if by in (None, "steward") else f" by {roster.name(str(by))}"
    return Answered("too_late", f"Too late: the offer of {account.name} was {offer.state}{given}. It belongs to {who}.")


def _take_over(context: RunContext, uow: UnitOfWork, account: Account, offer: Offer, by: str) -> str:
    """Accept, and make who was asked the owner of record if they are not yet. Why that cannot be now, "" when it is
    done."""
    owner, last = uow.ledger.current([account.id]).get(account.id), uow.decisions.explanation(account.id)
    held = owner.owner_id if owner is not None else offer.owner_id
    changes = held != offer.owner_id
    if changes and last is not None and (because := held_because(last.decision)):
        return because
    if not uow.offers.answer(offer.offer_id, "accepted", by, context.now()):
        return ""
    desk = desk_for(context, uow, [account])
    team = uow.ledger.teams([account.id]).get(account.id, {})
    happened = [Happening(ACCEPTED, account, offer.owner_id, None, team, offer.offer_id)]
    if changes and last is not None:
        said = Step("acceptance", True, f"{context.policy.roster.name(offer.owner_id)} accepted it")
        decision = replace(last.decision, owner_id=offer.owner_id, path=(*last.decision.path, said))
        pushes = desk.pushes(account, offer.owner_id)
        uow.record(
            [Recording(decision, last.snapshot or {}, pushes, event_type="accepted")], context.run_id, context.now()
        )
        if move := move_of(account, decision, held):
            happened.append(replace(change_of_owner(account, decision, move), team=team))
    queue_tasks(uow, context, desk.day, happened)
    return ""


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
    who = context.policy.roster.reps[holder.owner_id].name if holder else "nobody"
    return f"{account.name} waits for no answer; it belongs to {who}."


def _escalate_batch(context: RunContext, uow: UnitOfWork) -> Assigned:
    offers = uow.offers.due(context.now(), BATCH)
    accounts = uow.accounts.get_many(offer.account_id for offer in offers)
    return _move_on(context, uow, offers, accounts, "expired", "steward", None)


def _move_on(
    context: RunContext,
    uow: UnitOfWork,
    offers: Sequence[Offer],
    accounts: Mapping[str, Account],
    answer: str,
    by: str,
    declined: str | None,
) -> Assigned:
    """End these offers with `answer` and make those that follow, in as many reads and writes whatever their number.

    Pools are locked before accounts, as everywhere. What was decided last, and whose the account is, is read only then:
    nobody else changes it any more.
    """
    before = load_turns(uow, context.policy.policy, lock=True)
    uow.accounts.lock(accounts)
    load = promised_sizes(uow, context.policy.policy)  # what these offers promise is in it until they are moved on
    ended = uow.offers.answer_many((offer.offer_id for offer in offers), answer, by, context.now())
    offers = [offer for offer in offers if offer.offer_id in ended]  # others were answered while we waited
    accounts = {offer.account_id: accounts[offer.account_id] for offer in offers}
    owners = uow.ledger.current(accounts)
    step = NextAsked(
        desk_for(context, uow, list(accounts.values())),
        *(dict(before), load, owners, uow.offers.asked_before(accounts), declined),
    )
    last = uow.decisions.explanations(accounts)
    found = ((offer, step.after(offer, accounts[offer.account_id], last.get(offer.account_id))) for offer in offers)
    recordings = {offer.offer_id: recording for offer, recording in found if recording is not None}
    recorded = uow.record(list(recordings.values()), context.run_id, context.now())
    uow.exceptions.open_many(step.to_people, context.run_id, context.now())
    save_turns(uow, before, step.turns, context.now())
    follows = _Follows.of([(each, accounts[each.account_id]) for each in offers], recordings, owners)
    key = f"escalated-{offers[0].offer_id}" if offers else "escalated"
    add_owner_notices(uow, context, follows.moves, key)
    add_offer_notices(uow, context, follows.asked, key)
    by_reason = dict(Counter(recording.decision.reason for recording in recordings.values()))
    tasks = queue_tasks(uow, context, step.desk.day, follows.happened)
    told = tuple(follows.moves), tuple(follows.asked), tasks
    return Assigned(len(offers), recorded.decided, by_reason, recorded.pushed, 0, *told)


@dataclass(frozen=True, slots=True)
class _Follows:
    """What people and CRMs are to be told of the offers that follow others."""

    moves: list[OwnerMove] = field(default_factory=list)
    asked: list[OwnerMove] = field(default_factory=list)
    happened: list[Happening] = field(default_factory=list)

    @staticmethod
    def of(
        ended: Sequence[tuple[Offer, Account]], recordings: Mapping[str, Recording], owners: Mapping[str, CurrentOwner]
    ) -> _Follows:
        """`recordings` are those that follow, by the id of the offer that ended."""
        found = _Follows()
        for offer, account in ended:
            if recording := recordings.get(offer.offer_id):
                owner = owners.get(account.id)
                found._add(offer, account, recording, owner.owner_id if owner else None)
        return found

    def _add(self, offer: Offer, account: Account, recording: Recording, held_by: str | None) -> None:
        if move := move_of(account, recording.decision, held_by):
            self.moves.append(move)
            self.happened.append(change_of_owner(account, recording.decision, move))
        if next_asked := offer_of(account, recording.decision):
            self.asked.append(next_asked)
        if recording.offer_due_by:
            self.happened.append(_escalated(account, recording, offer))


def _escalated(account: Account, recording: Recording, offer: Offer) -> Happening:
    """Somebody else is asked, whether or not the account is theirs until they answer."""
    decision = recording.decision
    return Happening(
        ESCALATED, account, decision.owner_id, offer.owner_id, filled_roles(decision), occasion=offer.offer_id
    )


remind_owners_task = as_task(remind_owners, "acceptance")
escalate_due_task = as_task(escalate_due, "acceptance")
