"""Protocols that are known to be wrong, each by one thing left out. The simulation must find every one of them.

They stand for what is commonly done; none of this code is used elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from connectors.base import OwnerChange, WriteOutcome
from connectors.errors import RetryLater
from store import outbox
from store.outbox import AttemptResult, Outbox, OutboxRow, Settlement
from store.recording import Recorder, Recording
from tasks import pull
from tasks.context import RunContext
from tasks.push import push_target
from tests.simulation.company import Push, Record, record_at_once

REPEAT_S = 20.0


@dataclass(frozen=True)
class Control:
    """What is left out, and a part of the words in which the simulation must complain."""

    name: str
    complaint: str
    push: Push = push_target
    record: Record = record_at_once
    patched: Callable[[], Any] | None = None

    @contextmanager
    def in_force(self) -> Iterator[None]:
        if self.patched is None:
            yield
            return
        with self.patched():
            yield


def push_blindly(context: RunContext, target: str) -> None:
    """Claim, write, and write again whatever got no answer."""
    rows = context.store.run(lambda work: work.outbox.claim(target, 100, context.run_id, 60, context.now()))
    if not rows:
        return
    changes = [OwnerChange(row.object_type, row.remote_id, f"u-{row.desired_owner}") for row in rows]
    try:
        outcomes = [each.outcome for each in context.connectors.targets[target].update_owners(changes)]
    except RetryLater:
        outcomes = [WriteOutcome.RETRY] * len(rows)
    settled = [_settled(context, row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    context.store.run(lambda work: work.outbox.settle_many(settled))


def _settled(context: RunContext, row: OutboxRow, outcome: WriteOutcome) -> Settlement:
    now = context.now()
    state = "confirmed" if outcome is WriteOutcome.WRITTEN else "pending"
    attempt = AttemptResult(outcome.value, "", "", None, context.run_id, now, now)
    return Settlement(row.outbox_id, row.fence, state, attempt, now + timedelta(seconds=REPEAT_S))


def record_in_two(context: RunContext, batch: Sequence[Recording]) -> None:
    """The ledger first, the outbox in a transaction of its own."""
    silent = [replace(each, pushes=()) for each in batch]
    context.store.run(lambda work: work.record(silent, context.run_id, context.now()))
    context.store.run(lambda work: work.record(batch, f"{context.run_id}-told", context.now()))


_store_page = pull._store_page


def cursor_first(context: RunContext, connector: Any, page: Any, stored: Any, done: Any) -> Any:
    """The cursor in a transaction of its own, before the rows it stands for."""
    if page.cursor is not None:
        generation = stored.generation if stored else 0
        context.store.run(
            lambda work: work.cursors.advance(
                done.source, done.stream, page.cursor.high_water, "", generation, context.run_id, context.now()
            )
        )
    return _store_page(context, connector, type(page)(page.rows, None), stored, done)


@contextmanager
def _nothing_is_superseded() -> Iterator[None]:
    with (
        patch.object(Recorder, "_supersede", lambda *_: None),
        patch.object(Recorder, "_not_waiting_already", lambda _self, rows, _held: rows),
        patch.object(Outbox, "is_superseded", lambda *_: set()),
    ):
        yield


CONTROLS = (
    Control("writes are repeated without a read", "without a read", push=push_blindly),
    Control("ledger and outbox are two transactions", "nobody was to be told", record=record_in_two),
    Control(
        "the cursor is committed before the rows",
        "is not the owner of record",
        patched=lambda: patch.object(pull, "_store_page", cursor_first),
    ),
    Control(
        "whoever comes back settles, fence or not",
        "the word of claim",
        patched=lambda: patch.object(outbox, "_holds_lease", lambda *_: True),
    ),
    Control("older owners are sent as well", "superseded before", patched=_nothing_is_superseded),
)
