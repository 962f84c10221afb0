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

from ownership.acceptance import due_by, remind_at
from ownership.assignment import decide_on, family_order
from ownership.case import State, keeper_of
from ownership.conditions import fold_fields
from ownership.day import Day
from ownership.model import ACCOUNT, Account, Decision, Outcome, Ref
from ownership.plan import OwnerMove, held_by, move_of
from ownership.policy import Policy
from ownership.writeback import Writeback, plan_writeback
from store.exceptions import RECORD_KINDS, NewException, record_key
from store.recording import PushWanted, Recording
from store.remote import RemoteState
from store.statements import chunks
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.notices import add_owner_notices
from tasks.state import load_state, save_state, with_missed_offers
from tasks.steps import as_task

BATCH = 2000
Wanted = Callable[[Account], bool]


@dataclass(frozen=True, slots=True)
class Assigned:
    """What deciding came to. `moves` are the accounts whose owner of record changed (or would change)."""

    looked_at: int = 0
    recorded: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    writes: int = 0
    drifts: int = 0
    moves: tuple[OwnerMove, ...] = ()

    def plus(self, other: Assigned) -> Assigned:
        return Assigned(
            self.looked_at + other.looked_at,
            self.recorded + other.recorded,
            dict(Counter(self.by_reason) + Counter(other.by_reason)),
            self.writes + other.writes,
            self.drifts + other.drifts,
            self.moves + other.moves,
        )


def _together(done: Sequence[Assigned]) -> Assigned:
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
                _assign_batch, context, day=day, accounts=some, hashes=read.hashes, number=number, books=books
            )
            done.append(context.store.run(batch))
            books.recorded(account.id for account in some)
        return _together(done)


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
    return _summary(day.policy, accounts, decisions, state.owners)


def _day(context: RunContext, policy: Policy | None) -> Day:
    return Day.of(policy or context.policy.policy, context.policy.roster, context.now())


class _Books:
    """How many accounts each rep has: by the ledger as it is now, and by the CRMs for what nobody owns of record.

    The second part is counted once for a run and shrinks as the run records owners.
    """

    def __init__(self, shown: Mapping[str, str]) -> None:
        self._shown = dict(shown)
        self._sizes = Counter(self._shown.values())

    def sizes(self, uow: UnitOfWork) -> dict[str, int]:
        return dict(Counter(uow.ledger.book_sizes()) + self._sizes)

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
    record = day.policy.system_of_record
    shown = {
        account.id: keeper
        for account in read.accounts
        if account.kind == ACCOUNT
        and account.id not in owned
        and (keeper := keeper_of(account, None, day.present, record))
    }
    return read, _Books(shown)


def _assign_batch(
    context: RunContext,
    uow: UnitOfWork,
    *,
    day: Day,
    accounts: Sequence[Account],
    hashes: Mapping[str, str],
    number: int,
    books: _Books,
) -> Assigned:
    accounts = with_missed_offers(uow, day, uow.accounts.renewed(accounts, hashes))
    before = load_state(uow, day, accounts, {}, lock=True)
    before.load = books.sizes(uow)  # only now that the pools are locked: nobody else fills a book meanwhile
    decisions, after = decide_on(day, accounts, before)
    desk = Desk(context, uow, day, accounts, before)
    recorded = uow.record(desk.recordings(decisions), context.run_id, context.now())
    save_state(uow, day, before, after)
    drifts = desk.note_outside(decisions)
    summary = _summary(day.policy, accounts, decisions, before.owners)
    moved = [unaccepted_key(move.account_id) for move in summary.moves]
    uow.exceptions.close(moved, "policy", "somebody else owns it now", context.now())
    add_owner_notices(uow, context, summary.moves, str(number))
    return replace(summary, recorded=recorded.decided, writes=recorded.pushed, drifts=drifts)


class Desk:
    """One batch's accounts with what the outside shows of them, ready to turn decisions into recordings."""

    def __init__(
        self,
        context: RunContext,
        uow: UnitOfWork,
        day: Day,
        accounts: Sequence[Account],
        before: State,
    ) -> None:
        self.context = context
        self.uow = uow
        self.day = day
        self.accounts = accounts
        self.before = before
        self.identities = load_identities(context, uow)
        self.last = uow.decisions.latest([account.id for account in accounts])
        targets = context.connectors.targets
        records = {account.id: [ref for ref in account.refs if ref.source in targets] for account in accounts}
        states = uow.remote.get(ref for refs in records.values() for ref in refs)
        self.confirmed = {ref: state.confirmed_owner for ref, state in states.items() if state.confirmed_owner}
        newer = _confirmed_since_pulled(uow, states)
        self.shown: dict[str, dict[Ref, str | None]] = {
            account.id: {ref: newer.get(ref, account.crm_owners.get(ref)) for ref in records[account.id]}
            for account in accounts
        }

    def recordings(self, decisions: Sequence[Decision]) -> list[Recording]:
        """What is new: decisions on other inputs than last time, and owners the outside still has to be shown."""
        made = (self._recording(account, decision) for account, decision in self._with(decisions))
        return [wanted for each in made if (wanted := self._wanted(each)) is not None]

    def _wanted(self, recording: Recording) -> Recording | None:
        """What to record: nothing, all that was decided, or, where a record still has to be told of an earlier
        decision, that one again: `why`, and whose turn it was, stay as they were."""
        made = recording.decision
        if self._is_new(made):
            return recording
        if not recording.pushes:
            return None
        last = self.uow.decisions.explanation(made.account_id) if made.outcome is Outcome.OWNER else None
        if last is None:
            return recording
        decision = replace(last.decision, afterwards=made.afterwards, team=made.team)
        return replace(recording, decision=decision, snapshot=last.snapshot or recording.snapshot)

    def pushes(self, account: Account, owner: str) -> tuple[PushWanted, ...]:
        """The records of `account` that have to be told that `owner` owns it."""
        if not self.shown[account.id]:
            return ()
        writes = self._writeback(account, owner).writes
        return tuple(PushWanted(w.ref.source, w.ref.object_type, w.ref.external_id, w.expected) for w in writes)

    def note_outside(self, decisions: Sequence[Decision]) -> int:
        """Confirm records that show the owner already; open and close the exceptions of those that cannot."""
        now, found = self.context.now(), _Outside()
        for account, decision in self._with(decisions):
            owner = self._owner_after(decision)
            if owner is not None and self.shown[account.id]:
                found.add(account, owner, self._writeback(account, owner))
        changed = {ref: owner for ref, owner in found.settled.items() if self.confirmed.get(ref) != owner}
        self.uow.remote.confirm(
            {(ref.source, ref.object_type, ref.external_id): (owner, now) for ref, owner in changed.items()}
        )
        self.uow.exceptions.open_many(found.problems, self.context.run_id, now)
        self.uow.exceptions.close(found.solved, "steward", "the record shows the owner of record", now)
        return found.drifts

    def _with(self, decisions: Sequence[Decision]) -> Iterable[tuple[Account, Decision]]:
        return zip(self.accounts, decisions, strict=True)

    def _is_new(self, decision: Decision) -> bool:
        """A decision is recorded when it changes something; `why` keeps showing the one that did."""
        last = self.last.get(decision.account_id)
        if last is None or (last.outcome, last.owner_id) != (decision.outcome.value, decision.owner_id):
            return True
        if decision.outcome is Outcome.EXCEPTION:
            return last.reason != decision.reason
        holding = self.before.holdings.get(decision.account_id)
        lent = holding.afterwards if holding else None
        return lent != decision.afterwards or self._team_changes(decision)

    def _team_changes(self, decision: Decision) -> bool:
        filled = {member.role: member.rep_id for member in decision.team if member.rep_id}
        return filled != self.before.teams.get(decision.account_id, {})

    def _owner_after(self, decision: Decision) -> str | None:
        return decision.owner_id if decision.outcome is Outcome.OWNER else self.before.owners.get(decision.account_id)

    def _writeback(self, account: Account, owner: str) -> Writeback:
        return plan_writeback(owner, self.shown[account.id], self.confirmed, self.identities.reachable(owner))

    def _recording(self, account: Account, decision: Decision) -> Recording:
        owner, asked = self._owner_after(decision), self._is_asked(account, decision)
        policy, roster, now = self.day.policy, self.day.roster, self.day.now
        by_fields = asked and policy.acceptance.faster  # else the time to answer is the same for every account
        fields = fold_fields(account.fields, self.day.date, self.day.days) if by_fields else {}
        return Recording(
            decision=decision,
            snapshot=_snapshot(account),
            pushes=self.pushes(account, owner) if owner else (),
            offer_due_by=due_by(policy, roster, str(decision.owner_id), fields, now) if asked else None,
            remind_at=remind_at(policy, roster, str(decision.owner_id), now) if asked else None,
            event_type="adopted" if decision.reason == "existing_owner" else "assigned",
        )

    def _is_asked(self, account: Account, decision: Decision) -> bool:
        """Somebody who did not own the account before is asked to accept it; a queue is asked nothing."""
        if decision.outcome is not Outcome.OWNER or decision.reason == "existing_owner":
            return False
        if decision.owner_id in {self.before.owners.get(account.id), *account.crm_owners.values()}:
            return False
        return not self.day.roster.is_queue(str(decision.owner_id))


class _Outside:
    """What a batch's records show: which are settled, which need a person, and which no longer do."""

    def __init__(self) -> None:
        self.settled: dict[Ref, str] = {}
        self.problems: list[NewException] = []
        self.solved: list[str] = []
        self.drifts = 0

    def add(self, account: Account, owner: str, plan: Writeback) -> None:
        self.settled.update(dict.fromkeys(plan.settled, owner))
        self.drifts += len(plan.drifts)
        for drift in plan.drifts:
            problem = (
                f"{drift.ref.source} shows {drift.found or 'nobody'}, the ledger says {drift.ours}; "
                "confirm the change or restore the owner"
            )
            self._add_problem("owner_drift", drift.ref, account, problem)
        for ref in plan.unreachable:
            problem = f"{owner} has no active user in {ref.source}; add or reactivate the user, or reassign"
            self._add_problem("owner_has_no_user", ref, account, problem)
        self.solved += [_key(kind, ref) for kind in RECORD_KINDS for ref in plan.settled]
        self.solved += [_key("owner_has_no_user", write.ref) for write in plan.writes]

    def _add_problem(self, kind: str, ref: Ref, account: Account, problem: str) -> None:
        detail = {"target": ref.source, "record": ref.external_id, "problem": problem}
        self.problems.append(NewException(kind, _key(kind, ref), account.id, detail, "error"))


def _confirmed_since_pulled(uow: UnitOfWork, states: Mapping[Ref, RemoteState]) -> dict[Ref, str]:
    """Owners we proved to be shown after their records were pulled last: what was pulled then is older than our push,
    and no drift."""
    confirmed = {ref: state for ref, state in states.items() if state.confirmed_owner and state.confirmed_at}
    pulled = uow.staging.pulled_at(confirmed)
    return {
        ref: str(state.confirmed_owner)
        for ref, state in confirmed.items()
        if (at := pulled.get((ref.source, ref.external_id))) and state.confirmed_at and at < state.confirmed_at
    }


def desk_for(context: RunContext, uow: UnitOfWork, accounts: Sequence[Account]) -> Desk:
    """A desk for accounts that are given to somebody without asking the rules."""
    return Desk(context, uow, _day(context, None), accounts, State())


def unaccepted_key(account_id: str) -> str:
    """The `dedup_key` of the exception about an account that nobody of those asked accepted."""
    return f"unaccepted:{account_id}"


def _key(kind: str, ref: Ref) -> str:
    return record_key(kind, ref.source, ref.object_type, ref.external_id)


def _snapshot(account: Account) -> dict[str, object]:
    """What the decision saw, for the record."""
    return {
        "name": account.name,
        "fields": dict(account.fields),
        "parent_id": account.parent_id,
        "shown": {f"{ref.source}/{ref.external_id}": owner for ref, owner in sorted(account.crm_owners.items())},
    }


def _summary(
    policy: Policy, accounts: Sequence[Account], decisions: Sequence[Decision], before: Mapping[str, str]
) -> Assigned:
    moves = [
        move
        for account, decision in zip(accounts, decisions, strict=True)
        if (move := move_of(account, decision, held_by(account, before.get(account.id), policy.system_of_record)))
    ]
    return Assigned(
        looked_at=len(accounts),
        by_reason=dict(Counter(decision.reason for decision in decisions)),
        moves=tuple(moves),
    )


assign_accounts_task = as_task(assign_accounts, "assign")
preview_accounts_task = as_task(preview_accounts, "assign")
