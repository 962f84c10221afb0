"""Tell people: one message for each new owner and run, delivered at least once and deduplicated by key.

A message that cannot be delivered never holds up ownership; it stays visible with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Notice, Notifier
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater
from ownership.plan import OwnerMove
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.steps import as_task

SHOWN = 10
BATCH = 200


@dataclass(frozen=True, slots=True)
class Notified:
    """Messages delivered, refused for good, and left for the next run."""

    sent: int
    refused: int
    waiting: int


def add_owner_notices(uow: UnitOfWork, context: RunContext, moves: Sequence[OwnerMove], batch_key: str) -> None:
    """Queue one message per new owner, in the transaction that made them owner."""
    by_owner: dict[str, list[OwnerMove]] = defaultdict(list)
    for move in moves:
        if move.after is not None:
            by_owner[move.after].append(move)
    for owner_id, mine in sorted(by_owner.items()):
        rep = context.policy.roster.reps[owner_id]
        count = f"{len(mine)} account" + ("s" if len(mine) > 1 else "")
        lines = tuple(f"{move.name}: {move.because}" for move in mine[:SHOWN])
        more = (f"and {len(mine) - SHOWN} more",) if len(mine) > SHOWN else ()
        key = f"new-owner:{context.run_id}:{batch_key}:{owner_id}"
        uow.notifications.add(key, rep.email, f"You now own {count}", lines + more, context.now())


def deliver_notices(context: RunContext) -> Notified:
    """Send what is queued. Stops quietly at the first sign that the vendor is busy; the rest waits for the next run."""
    notifier = context.connectors.notifier
    if notifier is None:
        return Notified(0, 0, 0)
    with context.store.transaction(readonly=True) as uow:
        waiting = uow.notifications.pending(BATCH)
    sent = refused = 0
    for message in waiting:
        notice = Notice(message.email, message.subject, tuple(message.lines), message.dedup_key)
        try:
            state, error = _deliver(notifier, notice)
        except (RetryLater, ConnectorStopped):
            break
        sent, refused = sent + (state == "sent"), refused + (state == "refused")
        _settle(context, message.notification_id, state, error)
    return Notified(sent, refused, len(waiting) - sent - refused)


def _deliver(notifier: Notifier, notice: Notice) -> tuple[str, str]:
    try:
        notifier.notify(notice)
    except RecordRejected as refusal:
        return "refused", str(refusal)
    return "sent", ""


def _settle(context: RunContext, notification_id: str, state: str, error: str) -> None:
    context.store.run(lambda uow: uow.notifications.settle(notification_id, state, error, context.now()))


deliver_notices_task = as_task(deliver_notices, "notify")
