"""How the pushes to one system stand, in lines for people. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from store.exceptions import RECORD_KINDS
from store.targets import TargetState
from tasks.breaker import state_of
from tasks.context import RunContext


def push_lines(context: RunContext, target: str) -> Iterator[str]:
    """Whether the system is written to, its rows by state, and each record that needs a person, with the reason."""
    yield f"{target:<12} {standing(state_of(context, target))}"
    with context.store.transaction(readonly=True) as uow:
        counts = uow.outbox.counts()
        unsolved = [item for item in uow.exceptions.open_items() if item.kind in RECORD_KINDS]
    for (name, state), count in sorted(counts.items()):
        if name == target:
            yield f"  {state:<18} {count:,}"
    for item in unsolved:
        if item.detail.get("target") == target:
            said = f"{item.detail.get('code', '')} {item.detail.get('problem', '')}".strip()
            yield f"  {item.kind:<18} {item.detail.get('record', '')}  {said}"
            for way in item.detail.get("ways_out", ()):
                yield f"  {'':<18} {way}"


def standing(state: TargetState) -> str:
    """Whether a system is written to, and why not."""
    if state.paused_at is not None:
        return f"paused since {state.paused_at:%Y-%m-%d %H:%M} UTC: {state.paused_because}"
    if state.failures and state.retry_at is not None:
        return f"failed {state.failures} times, tried again from {state.retry_at:%H:%M:%S} UTC: {state.problem}"
    return "is written to"
