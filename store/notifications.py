"""Notifications: messages to people, queued in the transaction that made them necessary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store.statements import insert_new, is_among, new_id
from store.tables import notification

STATES = ("pending", "sent", "refused")


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A message to be queued."""

    dedup_key: str
    email: str
    subject: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one address. `dedup_key` lets the vendor drop a second delivery."""

    notification_id: str
    dedup_key: str
    email: str
    subject: str
    lines: tuple[str, ...]
    attempts: int


class Notifications:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, messages: Sequence[NewNotification], now: datetime) -> None:
        """Queue messages; one whose key was queued before is left alone."""
        rows = [
            {
                "notification_id": new_id(),
                "dedup_key": message.dedup_key,
                "email": message.email,
                "subject": message.subject,
                "lines": list(message.lines),
                "state": "pending",
                "attempts": 0,
                "error": "",
                "created_at": now,
            }
            for message in messages
        ]
        insert_new(self._connection, notification, rows, unique=("dedup_key",))

    def pending(self) -> list[Notification]:
        """Messages to be delivered, oldest first."""
        rows = self._connection.execute(
            select(notification).where(notification.c.state == "pending").order_by(notification.c.notification_id)
        )
        return [
            Notification(row.notification_id, row.dedup_key, row.email, row.subject, tuple(row.lines), row.attempts)
            for row in rows
        ]

    def settle(self, notification_ids: Sequence[str], state: str, error: str, now: datetime) -> None:
        """Say what became of messages: sent, refused for good, or pending once more, with the vendor's reason."""
        if state not in STATES:
            raise ValueError(f"'{state}' is no state of a notification; there are {', '.join(STATES)}")
        self._connection.execute(
            update(notification)
            .where(is_among(self._connection, notification.c.notification_id, notification_ids))
            .values(
                state=state,
                error=error,
                attempts=notification.c.attempts + 1,
                settled_at=None if state == "pending" else now,
            )
        )
