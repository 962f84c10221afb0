"""When a system is left alone: paused by a person, or after failures of the system as a whole. Each for itself.

After `OPENS_AFTER` failures in a row, or one that needs a person, it is not asked for a while that doubles each time;
then one record is tried, and all the others only once that one was answered. A Retry-After is kept from the first.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from connectors.errors import ConnectorStopped, RetryLater
from store.targets import TargetState
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

OPENS_AFTER = 3
FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 3600.0
STOPPED = "target_stopped"


def after_failure(state: TargetState, problem: RetryLater | ConnectorStopped, now: datetime) -> TargetState:
    """How the system stands after it failed as a whole once more."""
    stopped, failures = isinstance(problem, ConnectorStopped), state.failures + 1
    opened = failures - (1 if stopped else OPENS_AFTER)
    wait_s = min(FIRST_WAIT_S * 2 ** min(opened, 10), LONGEST_WAIT_S) if opened >= 0 else 0.0
    asked_s = problem.retry_after_s or 0.0 if isinstance(problem, RetryLater) else 0.0
    retry_at = now + timedelta(seconds=max(wait_s, asked_s))
    return replace(state, failures=failures, problem=str(problem), stopped=stopped, retry_at=retry_at)


def is_on_trial(state: TargetState) -> bool:
    """Whether one record has to be answered before the others may go."""
    return state.stopped or state.failures >= OPENS_AFTER


def refuse_before_time(state: TargetState, now: datetime) -> None:
    """Raise what the system last raised, without asking it, while it is to be left alone."""
    if state.retry_at is None or state.retry_at <= now:
        return
    said = f"left alone until {state.retry_at:%H:%M:%S} UTC after {state.failures} failures: {state.problem}"
    if state.stopped:
        raise ConnectorStopped(state.target, said, mend=f"Then `steward resume {state.target}`, or wait")
    raise RetryLater(state.target, said, retry_after_s=(state.retry_at - now).total_seconds())


def state_of(context: RunContext, target: str) -> TargetState:
    with context.store.transaction(readonly=True) as uow:
        return uow.targets.get(target)


def is_paused(context: RunContext, target: str) -> bool:
    """Whether a person said that nothing is to be written to this system for now."""
    return state_of(context, target).paused_at is not None


def note_failure(context: RunContext, target: str, problem: RetryLater | ConnectorStopped) -> None:
    """Keep that the system failed as a whole; an exception names the mend where a person has to act."""

    def write(uow: UnitOfWork) -> None:
        now = context.now()
        uow.targets.put_failures(after_failure(uow.targets.get(target), problem, now))
        if isinstance(problem, ConnectorStopped):
            detail = {"target": target, "problem": str(problem), "code": problem.code, "ways_out": [problem.mend]}
            uow.exceptions.open(STOPPED, f"{STOPPED}:{target}", None, detail, "error", context.run_id, now)

    context.store.run(write)


def note_answer(context: RunContext, target: str) -> None:
    """The system answers again: what was held against it is forgotten."""
    context.store.run(lambda uow: _forget(uow, target, "steward", "it answers again", context.now()))


def pause(context: RunContext, target: str, because: str) -> None:
    """Write nothing to this system until `resume`. Decisions go on, and their changes wait."""
    context.store.run(lambda uow: uow.targets.put_pause(target, context.now(), because))


def resume(context: RunContext, target: str, by: str = "a person") -> None:
    """Write to this system again, and at once, whatever it did before."""
    now = context.now()

    def write(uow: UnitOfWork) -> None:
        uow.targets.put_pause(target, None, "")
        _forget(uow, target, by, "resumed", now)

    context.store.run(write)


def _forget(uow: UnitOfWork, target: str, by: str, resolution: str, now: datetime) -> None:
    uow.targets.put_failures(TargetState(target))
    uow.exceptions.close([f"{STOPPED}:{target}"], by, resolution, now)
