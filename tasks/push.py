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
from threading import Event

from connectors.base import ObservedOwner, OwnerChange, OwnerTarget
from connectors.batches import in_parallel
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from ownership.identities import Identities
from ownership.model import Ref
from store.exceptions import record_key
from store.outbox import AttemptResult, OutboxRow, Settlement
from store.unit_of_work import UnitOfWork
from tasks.breaker import is_on_trial, note_answer, note_failure, refuse_before_time, state_of
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.push_paths import write_owners
from tasks.push_verdicts import MENDS, Verdict, judge_before_write, judge_result, put_back, unknown_type
from tasks.steps import as_task
from tasks.transfers import note_before_write, note_settled

# Claimed at once: so many batches of the vendor's own size, and so many rows, are written well within a lease.
BATCHES, MOST = 15, 3000
AS_A_WHOLE = (RetryLater, ConnectorStopped, SchemaChanged)  # of the system: none of the rows is to blame


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of the rows of one target's outbox; `held` says why nothing was tried."""

    target: str
    states: Mapping[str, int] = field(default_factory=dict)
    held: str = ""

    @property
    def rows(self) -> int:
        return sum(self.states.values())


def push_target(context: RunContext, target: str) -> Pushed:
    """Drain the due outbox rows of one target, and those a killed run still holds once its leases have run out.

    Does nothing while a person has paused the target. Raises `RetryLater` or `ConnectorStopped` when the system as a
    whole is out of reach, or was and is left alone for now; the rows claimed by then are back in the outbox.
    """
    state = state_of(context, target)
    if state.paused_at is not None:
        return Pushed(target, held=f"paused: {state.paused_because}")
    refuse_before_time(state, context.now())
    try:
        states = _drain(context, target, one_first=is_on_trial(state))
    except (RetryLater, ConnectorStopped) as problem:
        note_failure(context, target, problem)
        raise
    if state.failures and states.keys() - {"superseded"}:
        note_answer(context, target)
    return Pushed(target, dict(states))


def _drain(context: RunContext, target: str, one_first: bool) -> Counter[str]:
    """Push what is due, a single row before all others where `one_first`; how many rows came to which state."""
    states: Counter[str] = Counter()
    if one_first:
        states += _push_claimed(context, target, _claim(context, target, 1))
    while True:
        states += _push_due(context, target)
        if not _outwait_lease(context, target):
            return states


def _push_due(context: RunContext, target: str) -> Counter[str]:
    """Push what is due, claim by claim. Where a system takes several calls at once two workers do, so that one claims
    and settles while the other waits for the system."""
    system = context.connectors.targets[target]
    most = min(MOST, BATCHES * system.write_batch)
    stopped = Event()

    def work(rows: list[OutboxRow]) -> Counter[str]:
        states: Counter[str] = Counter()
        try:
            while rows:
                states += _push_claimed(context, target, rows)
                rows = [] if stopped.is_set() else _claim(context, target, most)
        except BaseException:
            stopped.set()
            raise
        return states

    first = _claim(context, target, most)
    second = _claim(context, target, most) if system.calls_at_once > 1 and len(first) == most else []
    return sum(in_parallel(work, [some for some in (first, second) if some], 2), Counter())


def _push_claimed(context: RunContext, target: str, rows: Sequence[OutboxRow]) -> Counter[str]:
    if not rows:
        return Counter()
    verdicts = _push_rows(context, context.connectors.targets[target], rows)
    _settle(context, verdicts)
    return Counter(verdict.state for verdict in verdicts)


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


def _claim(context: RunContext, target: str, limit: int) -> list[OutboxRow]:
    lease_s = context.settings.push_lease_s
    return context.store.run(lambda uow: uow.outbox.claim(target, limit, context.run_id, lease_s, context.now()))


def _push_rows(context: RunContext, target: OwnerTarget, rows: Sequence[OutboxRow]) -> list[Verdict]:
    with context.store.transaction(readonly=True) as uow:
        superseded = uow.outbox.is_superseded(rows)
        identities = load_identities(context, uow)
        ours = _owners_we_sent(uow, rows)
    verdicts = [Verdict(row, "superseded", "superseded") for row in rows if row.outbox_id in superseded]
    live = [row for row in rows if row.outbox_id not in superseded]
    verdicts += [unknown_type(row) for row in live if row.object_type not in target.object_types]
    live = [row for row in live if row.object_type in target.object_types]
    try:
        observed = _read_owners(target, live)
    except AS_A_WHOLE as problem:
        _settle(context, [*verdicts, *(put_back(row, problem) for row in live)])
        raise
    ready = []
    for row in live:
        verdict = judge_before_write(row, observed[row.outbox_id], ours[row.outbox_id], identities)
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


def _owners_we_sent(uow: UnitOfWork, rows: Sequence[OutboxRow]) -> dict[str, frozenset[str]]:
    """For each row, the owners that stand on its record without anybody's edit: the one we proved to be there last, and
    those whose write got no answer and may have landed late. Another owner we once sent is an edit like any other."""
    refs = {row.outbox_id: Ref(row.target, row.object_type, row.remote_id) for row in rows}
    sent, known = uow.drift.sent_to(refs.values()), uow.remote.get(refs.values())
    confirmed = {ref: {state.confirmed_owner} for ref, state in known.items() if state.confirmed_owner}
    return {id_: sent[ref].unanswered | confirmed.get(ref, set()) for id_, ref in refs.items()}


def _write(
    context: RunContext,
    target: OwnerTarget,
    rows: Sequence[OutboxRow],
    identities: Identities,
    observed: Mapping[str, ObservedOwner],
    settled_already: Sequence[Verdict],
) -> list[Verdict]:
    # Again, now that the records were read: a newer owner may have been written meanwhile, and be the very one that the
    # older row expects to find (A, B, A again). What is recorded from here on makes a conditional write fail.
    with context.store.transaction(readonly=True) as uow:
        overtaken = uow.outbox.is_superseded(rows)
    late = [Verdict(row, "superseded", "superseded") for row in rows if row.outbox_id in overtaken]
    rows = [row for row in rows if row.outbox_id not in overtaken]
    if not rows:
        return late
    changes = [
        OwnerChange(row.object_type, row.remote_id, identities.user_of[(row.target, row.desired_owner)]) for row in rows
    ]
    try:
        note_before_write(context, target, rows, observed)
        results = write_owners(target, changes, [observed[row.outbox_id].version for row in rows])
    except AS_A_WHOLE as problem:
        _settle(context, [*settled_already, *late, *(put_back(row, problem) for row in rows)])
        raise
    return late + [judge_result(row, result) for row, result in zip(rows, results, strict=True)]


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
        "ways_out": [way_out] if (way_out := MENDS.get(verdict.code)) else [],
    }
    key = record_key(kind, row.target, row.object_type, row.remote_id)
    uow.exceptions.open(kind, key, row.account_id, detail, "error", context.run_id, now)


push_target_task = as_task(push_target, "push", "push owners to {target}")
