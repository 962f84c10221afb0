"""Assign: decide who owns each account and record it, a batch of accounts to a commit.

One transaction takes the pools' turns, decides, and writes decision, ledger, outbox, offers, exceptions and notices.
A run killed between two batches leaves whole batches behind it, and the next run decides the rest.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from ownership.assignment import decide_on, family_order
from ownership.case import State, keeper_of
from ownership.crm_tasks import Happening, happening_of
from ownership.day import Day
from ownership.model import ACCOUNT, Account, Decision
from ownership.plan import OwnerMove, held_by, move_of, offer_of
from ownership.policy import Policy
from store.recording import Recording
from store.statements import chunks
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.crm_tasks import queue_tasks
from tasks.desk import Desk, unaccepted_key
from tasks.notices import add_offer_notices, add_owner_notices
from tasks.rules_in_effect import renewed, rules_in_effect
from tasks.state import load_state, promised_sizes, save_state, with_missed_offers
from tasks.steps import as_task

BATCH = 2000
Wanted = Callable[[Account], bool]


@dataclass(frozen=True, slots=True)
class Assigned:
    """What deciding came to. `moves` are the accounts whose owner of record changed (or would change), `offers` those
    that somebody is asked to take over, with whose they would be then; `tasks` is how many CRM tasks follow."""

    looked_at: int = 0
    recorded: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    writes: int = 0
    drifts: int = 0
    moves: tuple[OwnerMove, ...] = ()
    offers: tuple[OwnerMove, ...] = ()
    tasks: int = 0

    @staticmethod
    def together(done: Sequence[Assigned]) -> Assigned:
        """What several batches came to."""
        by_reason: Counter[str] = Counter()
        for each in done:
            by_reason.update(each.by_reason)
        return Assigned(
            sum(each.looked_at for each in done),
            sum(each.recorded for each in done),
            dict(by_reason),
            sum(each.writes for each in done),
            sum(each.drifts for each in done),
            tuple(move for each in done for move in each.moves),
            tuple(offer for each in done for offer in each.offers),
            sum(each.tasks for each in done),
        )


def assign_accounts(context: RunContext, wanted: Wanted | None = None, policy: Policy | None = None) -> Assigned:
    """Decide every account (those `wanted` says, when given) and record what changed.

    Deciding again with nothing new records nothing, takes no turn and writes nothing outside.
    `policy` stands in for the loaded one when a run must look at the rules differently (a territory rerun).
    """
    with _no_collector():
        day = _day(context, policy)
        read, books = _accounts_in_order(context, day)
        accounts = [account for account in read.accounts if wanted is None or wanted(account)]
        done = []
        for number, some in enumerate(chunks(accounts, BATCH)):
            batch = partial(
                _assign_batch,
                context,
                day=day,
                text=policy or context.policy.policy,
                accounts=some,
                hashes=read.hashes,
                number=number,
                books=books,
            )
            done.append(context.store.run(batch))
            books.recorded(account.id for account in some)
        return Assigned.together(done)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Accounts and decisions are many and refer to each other in no cycle: the collector would look through all of
    them again and again, an eighth of the time of a run. A batch leaves it a hundred objects, which can wait."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def preview_accounts(context: RunContext, wanted: Wanted | None = None, policy: Policy | None = None) -> Assigned:
    """The same decisions as `assign_accounts` would make now, recorded nowhere."""
    day = _day(context, policy)
    read, books = _accounts_in_order(context, day)
    accounts = [account for account in read.accounts if wanted is None or wanted(account)]
    with context.store.transaction(readonly=True) as uow:
        accounts = with_missed_offers(uow, day, accounts)
        state = load_state(uow, day, accounts, books.sizes(uow), lock=False)
        decisions, _ = decide_on(day, accounts, state)
    return _summary(day.policy, accounts, decisions, state)


def decide_at_once(context: RunContext, uow: UnitOfWork, account_ids: Iterable[str]) -> Assigned:
    """Decide these accounts in this transaction, together with what somebody has just said of them. One that is in no
    system any more stays as it was: it is in nobody's book."""
    accounts = family_order(uow.accounts.live(account_ids))
    text = context.policy.policy
    day = Day.of(rules_in_effect(uow, text), context.policy.roster, context.now())
    return _assign_batch(
        context, uow, day=day, text=text, accounts=accounts, hashes=None, number=0, books=_Books({}, day.policy)
    )


def _day(context: RunContext, policy: Policy | None) -> Day:
    with context.store.transaction(readonly=True) as uow:
        rules = rules_in_effect(uow, policy or context.policy.policy)
    return Day.of(rules, context.policy.roster, context.now())


class _Books:
    """How many accounts each rep has: by the ledger as it is now, and by the CRMs for what nobody owns of record.

    The second part is counted once for a run and shrinks as the run records owners.
    """

    def __init__(self, shown: Mapping[str, str], policy: Policy) -> None:
        self._shown, self._policy = dict(shown), policy
        self._sizes = Counter(self._shown.values())

    def sizes(self, uow: UnitOfWork) -> dict[str, int]:
        return dict(Counter(promised_sizes(uow, self._policy)) + self._sizes)

    def recorded(self, account_ids: Iterable[str]) -> None:
        """These accounts have an owner of record now, or nobody could be given them."""
        for account_id in account_ids:
            if rep := self._shown.pop(account_id, None):
                self._sizes[rep] -= 1


@dataclass(frozen=True, slots=True)
class _Read:
    """Every account as it was when the run began, in the order of deciding, with the hash of each."""

    accounts: Sequence[Account]
    hashes: Mapping[str, str]


def _accounts_in_order(context: RunContext, day: Day) -> tuple[_Read, _Books]:
    with context.store.transaction(readonly=True) as uow:
        read = _Read(family_order(list(uow.accounts.all())), uow.accounts.hashes())
        owned = uow.ledger.owned()
    alone = (account for account in read.accounts if account.kind == ACCOUNT and account.id not in owned)
    return read, _Books(_keepers(alone, day), day.policy)


def _keepers(accounts: Iterable[Account], day: Day) -> dict[str, str]:
    """Whom the CRMs show as the owners of accounts that nobody owns of record."""
    record = day.policy.system_of_record
    return {each.id: keeper for each in accounts if (keeper := keeper_of(each, None, day.present, record))}


def books_now(uow: UnitOfWork, day: Day) -> dict[str, int]:
    """How many accounts each rep has, as a run that began now would count them."""
    return _Books(_keepers(uow.accounts.owned_outside_only(), day), day.policy).sizes(uow)


def _assign_batch(
    context: RunContext,
    uow: UnitOfWork,
    *,
    day: Day,
    text: Policy,
    accounts: Sequence[Account],
    hashes: Mapping[str, str] | None,
    number: int,
    books: _Books,
) -> Assigned:
    if hashes is not None:
        accounts = uow.accounts.renewed(accounts, hashes)
    accounts = with_missed_offers(uow, day, accounts)
    before = load_state(uow, day, accounts, {}, lock=True)
    day = renewed(uow, day, text)
    before.load = books.sizes(uow)  # only now that the pools are locked: nobody else fills a book meanwhile
    decisions, after = decide_on(day, accounts, before)
    desk = Desk(context, uow, day, accounts, before)
    recordings = desk.recordings(decisions)
    recorded = uow.record(recordings, context.run_id, context.now())
    save_state(uow, day, before, after)
    drifts = desk.note_outside(decisions)
    summary = _summary(day.policy, accounts, decisions, before)
    moved = [unaccepted_key(move.account_id) for move in (*summary.moves, *summary.offers)]
    uow.exceptions.close(moved, "policy", "somebody else owns it now, or is asked", context.now())
    add_owner_notices(uow, context, summary.moves, str(number))
    add_offer_notices(uow, context, summary.offers, str(number))
    tasks = queue_tasks(uow, context, day, _happened(day, accounts, before.owners, recordings, summary.moves))
    return replace(summary, recorded=recorded.decided, writes=recorded.pushed, drifts=drifts, tasks=tasks)


def _happened(
    day: Day,
    accounts: Sequence[Account],
    owners: Mapping[str, str],
    recordings: Sequence[Recording],
    moves: Sequence[OwnerMove],
) -> Iterator[Happening]:
    """What tasks may follow from: the decisions that are new, each with the change of owner it makes."""
    by_id = {account.id: account for account in accounts}
    move_by_id = {move.account_id: move for move in moves}
    for made in (recording.decision for recording in recordings):
        account = by_id[made.account_id]
        held = held_by(account, owners.get(account.id), day.policy.system_of_record)
        if happened := happening_of(account, made, move_by_id.get(account.id), held):
            yield happened


def _summary(policy: Policy, accounts: Sequence[Account], decisions: Sequence[Decision], before: State) -> Assigned:
    moves = [
        move
        for account, decision in zip(accounts, decisions, strict=True)
        if (
            move := move_of(account, decision, held_by(account, before.owners.get(account.id), policy.system_of_record))
        )
    ]
    offers = [
        offer
        for account, decision in zip(accounts, decisions, strict=True)
        if (offer := offer_of(account, decision)) and not _is_asked_already(decision, before)
    ]
    return Assigned(
        looked_at=len(accounts),
        by_reason=dict(Counter(decision.reason for decision in decisions)),
        moves=tuple(moves),
        offers=tuple(offers),
    )


def _is_asked_already(decision: Decision, before: State) -> bool:
    waiting = before.waiting.get(decision.account_id)
    return waiting is not None and waiting.owner == decision.owner_id


assign_accounts_task = as_task(assign_accounts, "assign")
preview_accounts_task = as_task(preview_accounts, "assign")
