"""The inbox: what outside systems told us, once each, under the key the vendor repeats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store.statements import chunks, insert_if_new, new_id
from store.tables import webhook_inbox


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One event not yet acted upon. `body` is as it came; it is a hint, never truth."""

    inbox_id: str
    source: str
    event_key: str
    object_id: str
    body: str
    occurred_at: datetime | None
    received_at: datetime


class Inbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, source: str, event_key: str, object_id: str, body: str, occurred_at: datetime | None, now: datetime
    ) -> bool:
        """Keep an event; False when this source sent the same one before."""
        row = {
            "inbox_id": new_id(),
            "source": source,
            "event_key": event_key,
            "object_id": object_id,
            "body": body,
            "occurred_at": occurred_at,
            "received_at": now,
            "state": "new",
        }
        return insert_if_new(self._connection, webhook_inbox, row, unique=("source", "event_key"))

    def take(self, limit: int, now: datetime) -> list[InboxItem]:
        """Events received by `now` and not done, oldest first. They come again until `done`: a crash loses none.

        Within a transaction nobody else gets the same ones.
        """
        columns = webhook_inbox.c
        rows = self._connection.execute(
            select(webhook_inbox)
            .where(columns.state == "new", columns.received_at <= now)
            .order_by(columns.inbox_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [
            InboxItem(
                row.inbox_id,
                row.source,
                row.event_key,
                row.object_id,
                row.body,
                row.occurred_at,
                row.received_at,
            )
            for row in rows
        ]

    def done(self, inbox_ids: Iterable[str], now: datetime) -> None:
        """These were acted upon. Their keys stay, so that a late repeat is still known."""
        for chunk in chunks(inbox_ids):
            self._connection.execute(
                update(webhook_inbox).where(webhook_inbox.c.inbox_id.in_(chunk)).values(state="done", done_at=now)
            )
