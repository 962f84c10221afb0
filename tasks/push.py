"""Push: make one outside system show the owner of record.

Supersede check, lease with fence, read, write, confirm. A row whose answer never came goes to `unknown`, and the
only thing that happens next to it is a read. Every claimed row is settled, whatever the vendor did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from connectors.base import ObservedOwner, OwnerChange, OwnerResult, OwnerTarget, RecordState, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater
from ownership.identities import Identities
from store.exceptions import record_key
from store.outbox import AttemptResult, OutboxRow, Settlement
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task
from tasks.transfers import note_before_write, note_settled

CLAIM = 1000
MAX_ATTEMPTS = 6
FIRST_WAIT_S = 20.0
LONGEST_WAIT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of the rows of one target's outbox."""

    target: str
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one claimed row: its next state, and the exception a person needs to see, if any."""

    row: OutboxRow
    state: str
    outcome: str
    code: str = ""
    message: str = ""
    observed: str | None = None
    exception: str | None = None
    wait_s: float | None = None


def push_target(context: RunContext, target: str) -> Pushed:
    """Drain the due outbox rows of one target, and those a killed run still holds once its leases have run out.

    Raises `RetryLater` or `ConnectorStopped` when the system as a whole is out of reach; the rows claimed by then
    are back in the outbox.
    """
    states: Counter[str] = Counter()
    while True:
        while rows := _claim(context, target):
            verdicts = _push_rows(context, context.connectors.targets[target], rows)
            _settle(context, verdicts)
            states.update(verdict.state for verdict in verdicts)
        if not _outwait_lease(context, target):
            return Pushed(target, dict(states))


def _outwait_lease(context: RunContext, target: str) -> bool:
    """Sleep until the next lease runs out; False when nobody else holds rows.

    Pushes run one at a time (`prefect.yaml`), so a lease that is not ours was left behind by a run that was killed.
    """
    now = context.now()
    with context.store.transaction(readonly=True) as uow:
        until = uow.outbox.leased_until(target, now)
    if until is None:
        return False
    context.sleep((until - now).total_seconds())
    return True


def _claim(context: RunContext, target: str) -> list[OutboxRow]:
    lease_s = context.settings.push_lease_s
    return context.store.run(lambda uow: uow.outbox.claim(target, CLAIM, context.run_id, lease_s, context.now()))


def _push_rows(context: RunContext, target: OwnerTarget, rows: Sequence[OutboxRow]) -> list[Verdict]:
    with context.store.transaction(readonly=True) as uow:
        superseded = uow.outbox.is_superseded(rows)
        identities = load_identities(context, uow)
        ours = _owners_we_sent(uow, rows)
    verdicts = [Verdict(row, "superseded", "superseded") for row in rows if row.outbox_id in superseded]
    live = [row for row in rows if row.outbox_id not in superseded]
    verdicts += [_unknown_type(row) for row in live if row.object_type not in target.object_types]
    live = [row for row in live if row.object_type in target.object_types]
    try:
        observed = _read_owners(target, live)
    except (RetryLater, ConnectorStopped) as problem:
        _settle(context, [*verdicts, *(_put_back(row, problem) for row in live)])
        raise
    ready = []
    for row in live:
        verdict = _judge_before_write(row, observed[row.outbox_id], ours[row.outbox_id], identities)
        if verdict:
            verdicts.append(verdict)
        else:
            ready.append(row)
    return verdicts + _write(context, target, ready, identities, observed, verdicts)


def _read_owners(target: OwnerTarget, rows: Sequence[OutboxRow]) -> dict[str, ObservedOwner]:
    """What each row's record shows, by outbox id: one read for each object type, whose ids may be alike."""
    found: dict[str, ObservedOwner] = {}
    for object_type, group in groupby(sorted(rows, key=lambda row: row.object_type), lambda row: row.object_type):
        same = list(group)
        observed = target.read_owners([row.remote_id for row in same], object_type)
        found.update(zip((row.outbox_id for row in same), observed, strict=True))
    return found


def _unknown_type(row: OutboxRow) -> Verdict:
    message = f"{row.target} shows no owners of a {row.object_type}; nothing was written"
    return Verdict(row, "rejected", "no_such_type", "OBJECT_TYPE", message, exception="push_rejected")


def _owners_we_sent(uow: UnitOfWork, rows: Sequence[OutboxRow]) -> dict[str, frozenset[str]]:
    """For each row, the owners we ever sent to its record: an older write of ours that landed late is no drift."""
    history = {account_id: uow.outbox.of_account(account_id) for account_id in {row.account_id for row in rows}}
    return {
        row.outbox_id: frozenset(
            sent.desired_owner
            for sent in history[row.account_id]
            if (sent.target, sent.object_type, sent.remote_id) == (row.target, row.object_type, row.remote_id)
        )
        for row in rows
    }


def _judge_before_write(
    row: OutboxRow, seen: ObservedOwner, ours: frozenset[str], identities: Identities
) -> Verdict | None:
    """Compare what the record shows with what we want and what we expected. None: go on and write."""
    shown = identities.label(row.target, seen.owner_id)
    if seen.state is not RecordState.LIVE:
        message = f"the record is {seen.state.value} in {row.target}; nothing was written"
        return Verdict(row, "rejected", "gone", seen.state.value, message, shown, "record_gone")
    if shown == row.desired_owner:
        return Verdict(row, "confirmed", "already_shown", observed=shown)
    if shown != row.expected_remote_owner and shown not in ours:
        message = f"{row.target} shows {shown or 'nobody'}, expected {row.expected_remote_owner or 'nobody'}"
        return Verdict(row, "rejected", "moved", "OWNER_MOVED", message, shown, "owner_drift")
    if (row.target, row.desired_owner) not in identities.user_of:
        message = f"{row.desired_owner} has no active user in {row.target}; add or reactivate the user, or reassign"
        return Verdict(row, "rejected", "no_user", "NO_USER", message, shown, "owner_has_no_user")
    return None


def _write(
    context: RunContext,
    target: OwnerTarget,
    rows: Sequence[OutboxRow],
    identities: Identities,
    observed: Mapping[str, ObservedOwner],
    settled_already: Sequence[Verdict],
) -> list[Verdict]:
    if not rows:
        return []
    changes = [
        OwnerChange(row.object_type, row.remote_id, identities.user_of[(row.target, row.desired_owner)]) for row in rows
    ]
    try:
        note_before_write(context, target, rows, observed)
        results = target.update_owners(changes)
    except (RetryLater, ConnectorStopped) as problem:
        _settle(context, [*settled_already, *(_put_back(row, problem) for row in rows)])
        raise
    return [_judge_result(row, result) for row, result in zip(rows, results, strict=True)]


def _judge_result(row: OutboxRow, result: OwnerResult) -> Verdict:
    said = (result.outcome.value, result.code, result.message)
    match result.outcome:
        case WriteOutcome.WRITTEN:
            return Verdict(row, "confirmed", *said, observed=row.desired_owner)
        case WriteOutcome.UNKNOWN:
            return Verdict(row, "unknown", *said, wait_s=_wait(row))
        case WriteOutcome.RETRY if row.attempts + 1 < MAX_ATTEMPTS:
            return Verdict(row, "pending", *said, wait_s=_wait(row))
        case WriteOutcome.MOVED:
            return Verdict(row, "rejected", *said, exception="owner_drift")
        case _:
            return Verdict(row, "rejected", *said, exception="push_rejected")


def _put_back(row: OutboxRow, problem: Exception) -> Verdict:
    """The system as a whole did not answer: nothing was written and no attempt is counted against the row."""
    state = "unknown" if row.state == "unknown" else "pending"
    return Verdict(row, state, "put_back", type(problem).__name__, str(problem), wait_s=FIRST_WAIT_S)


def _wait(row: OutboxRow) -> float:
    return float(min(FIRST_WAIT_S * 2**row.attempts, LONGEST_WAIT_S))


def _settle(context: RunContext, verdicts: Sequence[Verdict]) -> None:
    def write(uow: UnitOfWork) -> None:
        now = context.now()
        ours = uow.outbox.settle_many([_to_settlement(context, verdict, now) for verdict in verdicts])
        for verdict in verdicts:
            # A row that is not ours any more was claimed by another worker when our lease ran out: its word counts.
            if verdict.exception and verdict.row.outbox_id in ours:
                _open_exception(uow, context, verdict, now)
        note_settled(uow, [(each.row, each.state) for each in verdicts if each.row.outbox_id in ours], now)

    context.store.run(write)


def _to_settlement(context: RunContext, verdict: Verdict, now: datetime) -> Settlement:
    attempt = AttemptResult(
        outcome=verdict.outcome,
        code=verdict.code,
        message=verdict.message,
        observed_owner=verdict.observed,
        run_id=context.run_id,
        started_at=now,
        ended_at=now,
    )
    next_at = now + timedelta(seconds=verdict.wait_s) if verdict.wait_s is not None else None
    return Settlement(verdict.row.outbox_id, verdict.row.fence, verdict.state, attempt, next_at)


def _open_exception(uow: UnitOfWork, context: RunContext, verdict: Verdict, now: datetime) -> None:
    row, kind = verdict.row, verdict.exception or ""
    detail = {
        "target": row.target,
        "record": row.remote_id,
        "wanted": row.desired_owner,
        "code": verdict.code,
        "problem": verdict.message,
    }
    key = record_key(kind, row.target, row.object_type, row.remote_id)
    uow.exceptions.open(kind, key, row.account_id, detail, "error", context.run_id, now)


push_target_task = as_task(push_target, "push", "push owners to {target}")
