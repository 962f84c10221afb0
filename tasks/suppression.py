"""Suppression flags: let the records in each system show marketing who is being worked, and until when.

What each record should show is compared with what was written there last, and only differences are written. A value is
noted before it is sent and again once it was: a killed run leaves records that are written again, with the same values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connectors.base import FieldChange, FieldTarget, OwnerResult, WriteOutcome
from connectors.batches import chunks
from connectors.errors import ConnectorError
from ownership.day import Day
from ownership.model import Ref
from ownership.suppression import Shown, Standing, cleared, suppression_of
from store.exceptions import NewException, record_key
from store.suppression import ShownRow
from store.unit_of_work import UnitOfWork
from tasks.breaker import is_paused
from tasks.context import RunContext
from tasks.steps import as_task

REJECTED = "suppression_rejected"
REFUSED_WAIT = timedelta(days=1)  # a field may be made, or a rule be lifted, meanwhile


@dataclass(frozen=True, slots=True)
class SuppressionShown:
    """What became of the records of one system that were to show something else, by state."""

    target: str
    states: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    """One record that shows something else than it should: `before` is what it shows, `values` are to be written.
    `account_id` is None when it is nobody's any more."""

    before: ShownRow
    wanted: Shown
    account_id: str | None

    @property
    def ref(self) -> Ref:
        return self.before.ref

    @property
    def values(self) -> Shown:
        """A field that is to show nothing any more, or that the policy has dropped, is cleared."""
        return {**cleared(self.before.shown), **self.wanted}


def show_suppression(context: RunContext, target: str) -> SuppressionShown:
    """Write what the records of one system should show by now, where they show something else.

    Does nothing while a person has paused the system. Raises the connector's error when it is out of reach as a whole;
    what was written by then is noted.
    """
    if is_paused(context, target):
        return SuppressionShown(target)
    changes = _changes(context, target)
    states: Counter[str] = Counter()
    connector = context.connectors.field_targets[target]
    for some in chunks(changes, connector.write_batch):
        states.update(_write(context, connector, _claim(context, some)))
    return SuppressionShown(target, dict(states))


def _changes(context: RunContext, target: str) -> list[_Change]:
    """The records to be written, by id. A refusal of what is not wanted any more is over."""
    now = context.now()
    with context.store.transaction(readonly=True) as uow:
        rows = uow.suppressions.rows(target)
        wanted, account_of = _wanted(context, uow, target, [ref for ref, row in rows.items() if _matters(row)])
    _call_off(
        context, [row for ref, row in rows.items() if row.state == "rejected" and row.shown == wanted.get(ref, {})]
    )
    found = []
    for ref in sorted(account_of):
        row, shown = rows.get(ref) or ShownRow(ref, {}), wanted.get(ref, {})
        waits = row.state == "rejected" and row.next_attempt_at is not None and row.next_attempt_at > now
        leased = row.leased_until is not None and row.leased_until > now
        if not waits and not leased and (row.state == "unknown" or row.shown != shown):
            found.append(_Change(row, shown, account_of[ref]))
    return found


def _matters(row: ShownRow) -> bool:
    return bool(row.shown) or row.state != "written"


def _wanted(
    context: RunContext, uow: UnitOfWork, target: str, shown: Sequence[Ref]
) -> tuple[dict[Ref, Shown], dict[Ref, str | None]]:
    """What records should show, without those that should show nothing; and whose the records are that either show
    something or belong to somebody who is worked. A record that is nobody's any more (a contact who is no lead) shows
    nothing."""
    day = Day.of(context.policy.policy, context.policy.roster, context.now())
    ids = set(uow.accounts.by_refs(shown).values())
    longest = max((entry.days for entry in day.policy.suppression if entry.system == target), default=None)
    if longest is not None:
        ids |= uow.suppressions.worked_since(day.now - timedelta(days=longest + 1))
    accounts, standings = uow.accounts.live(ids), uow.suppressions.standings(ids)
    wanted: dict[Ref, Shown] = {}
    for account in accounts:
        wanted |= suppression_of(account, standings.get(account.id, Standing()), day)
    whose = {ref: account.id for account in accounts for ref in account.refs if ref.source == target}
    return wanted, {**dict.fromkeys(shown), **whose}


def _call_off(context: RunContext, refused: Sequence[ShownRow]) -> None:
    def write(uow: UnitOfWork) -> None:
        now = context.now()
        for row in refused:
            uow.suppressions.settle(row, "written", row.shown, "", now)
        keys = [_key(row.ref) for row in refused]
        uow.exceptions.close(keys, "steward", "the record is to show nothing else any more", now)

    if refused:
        context.store.run(write)


def _claim(context: RunContext, some: Sequence[_Change]) -> list[tuple[_Change, ShownRow]]:
    """Note what is about to be written; records that somebody else is writing are theirs."""
    lease_s = context.settings.push_lease_s

    def write(uow: UnitOfWork) -> list[tuple[_Change, ShownRow]]:
        now = context.now()
        rows = [(each, uow.suppressions.claim(each.before, each.values, lease_s, now)) for each in some]
        return [(each, row) for each, row in rows if row is not None]

    return context.store.run(write)


def _write(context: RunContext, target: FieldTarget, claimed: Sequence[tuple[_Change, ShownRow]]) -> list[str]:
    changes = [FieldChange(row.ref.object_type, row.ref.external_id, row.shown) for _, row in claimed]
    if not changes:
        return []
    try:
        results = target.update_fields(changes)
    except ConnectorError as problem:
        waits = [OwnerResult(each.remote_id, WriteOutcome.RETRY, problem.code, problem.message) for each in changes]
        _settle(context, claimed, waits)
        raise
    return _settle(context, claimed, results)


def _settle(
    context: RunContext, claimed: Sequence[tuple[_Change, ShownRow]], results: Sequence[OwnerResult]
) -> list[str]:
    def write(uow: UnitOfWork) -> list[str]:
        now, states, refused, over = context.now(), list[str](), list[NewException](), list[Ref]()
        for (change, row), result in zip(claimed, results, strict=True):
            state, shown = _outcome(change, result)
            said = f"{result.code} {result.message}".strip()
            wait = now + REFUSED_WAIT if state == "rejected" else now
            if not uow.suppressions.settle(row, state, shown, said, now, wait):
                continue  # somebody else's by now
            states.append(state)
            if state == "rejected":
                refused.append(_to_exception(change, said))
            elif state == "written":
                over.append(change.ref)
        uow.exceptions.open_many(refused, context.run_id, now)
        uow.exceptions.close(map(_key, over), "steward", "the record shows it now, or is gone", now)
        return states

    return context.store.run(write)


def _outcome(change: _Change, result: OwnerResult) -> tuple[str, Shown]:
    """The state of a record, and what it shows by it."""
    is_gone = result.outcome is WriteOutcome.REJECTED and change.account_id is None
    if result.outcome is WriteOutcome.WRITTEN or is_gone:
        return "written", change.wanted
    if result.outcome is WriteOutcome.REJECTED:
        before = change.before
        # What an earlier write came to was never told: this stands for neither, and is written when it may be.
        return "rejected", cleared(before.shown) if before.state == "unknown" else before.shown
    return "unknown", change.values


def _to_exception(change: _Change, said: str) -> NewException:
    ref = change.ref
    detail = {"target": ref.source, "record": ref.external_id, "shown": dict(change.values), "problem": said}
    return NewException(REJECTED, _key(ref), change.account_id, detail, "warning")


def _key(ref: Ref) -> str:
    return record_key(REJECTED, ref.source, ref.object_type, ref.external_id)


show_suppression_task = as_task(show_suppression, "push", "show suppression in {target}")
