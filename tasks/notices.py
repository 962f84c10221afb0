"""Tell people: one message for each person and run, delivered at least once and deduplicated by key.

A message that cannot be delivered never holds up ownership; it stays visible with its reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Notice, Notifier
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater
from ownership.model import QUEUE
from ownership.plan import OwnerMove
from store.notifications import NewNotification, Notification
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.steps import as_task

NEW_OWNER = "You now own {count}"
ASKED = "You are asked to take over {count}"
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Notified:
    """Messages delivered, refused for good, and left for the next run."""

    sent: int
    refused: int
    waiting: int


def add_owner_notices(uow: UnitOfWork, context: RunContext, moves: Sequence[OwnerMove], batch_key: str) -> None:
    """Queue what each new owner must be told, in the transaction that made them owner."""
    _add_notices(uow, context, moves, NEW_OWNER, f"new-owner:{context.run_id}:{batch_key}")


def add_offer_notices(uow: UnitOfWork, context: RunContext, offers: Sequence[OwnerMove], batch_key: str) -> None:
    """Queue what they must be told who are asked to take over accounts that are not theirs yet."""
    _add_notices(uow, context, offers, ASKED, f"asked:{context.run_id}:{batch_key}")


def _add_notices(uow: UnitOfWork, context: RunContext, moves: Sequence[OwnerMove], subject: str, key: str) -> None:
    by_owner: dict[str, list[OwnerMove]] = defaultdict(list)
    for move in moves:
        if move.after is not None:
            by_owner[move.after].append(move)
    reps = context.policy.roster.reps
    messages = [
        NewNotification(
            dedup_key=f"{key}:{owner_id}",
            email=reps[owner_id].email,
            subject=subject,
            lines=tuple(f"{move.name}: {move.because}" for move in mine),
        )
        for owner_id, mine in sorted(by_owner.items())
        if reps[owner_id].kind != QUEUE  # nobody reads what a list is told
    ]
    uow.notifications.add(messages, context.now())


def deliver_notices(context: RunContext) -> Notified:
    """Send what is queued, everything for one person in one message.

    Stops quietly at the first sign that the vendor is busy; the rest waits for the next run.
    """
    notifier = context.connectors.notifier
    if notifier is None:
        return Notified(0, 0, 0)
    with context.store.transaction(readonly=True) as uow:
        waiting = uow.notifications.pending()
    by_person: dict[tuple[str, str], list[Notification]] = defaultdict(list)
    for message in waiting:
        by_person[(message.email, message.subject)].append(message)
    sent = refused = 0
    for together in by_person.values():
        try:
            state, error = _deliver(notifier, _as_one(together))
        except (RetryLater, ConnectorStopped):
            break
        sent, refused = sent + (state == "sent"), refused + (state == "refused")
        _settle(context, together, state, error)
    return Notified(sent, refused, len(by_person) - sent - refused)


def _as_one(together: Sequence[Notification]) -> Notice:
    """One message out of several. A repeat has the same key, so that the vendor can drop it."""
    lines = [line for message in together for line in message.lines]
    count = f"{len(lines)} account" + ("s" if len(lines) > 1 else "")
    more = (f"and {len(lines) - SHOWN} more",) if len(lines) > SHOWN else ()
    subject = together[0].subject.format(count=count)
    return Notice(together[0].email, subject, (*lines[:SHOWN], *more), together[0].dedup_key)


def _deliver(notifier: Notifier, notice: Notice) -> tuple[str, str]:
    try:
        notifier.notify(notice)
    except RecordRejected as refusal:
        return "refused", str(refusal)
    return "sent", ""


def _settle(context: RunContext, together: Sequence[Notification], state: str, error: str) -> None:
    ids = [message.notification_id for message in together]
    context.store.run(lambda uow: uow.notifications.settle(ids, state, error, context.now()))


deliver_notices_task = as_task(deliver_notices, "notify")
