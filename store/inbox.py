"""The inbox: what outside systems told us, once each, under the key the vendor repeats.

An event is a hint that a record changed, never truth: it is done once the record has been read after it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from store.statements import chunks, insert_if_new, new_id
from store.tables import webhook_inbox


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

    def note_read(self, source: str, since: datetime, now: datetime, object_ids: Sequence[str] | None = None) -> None:
        """These records (all of the source when None) were read from the source at `since` or later: what was
        received before is done. Its keys stay, so that a late repeat is still known."""
        columns = webhook_inbox.c
        waiting = update(webhook_inbox).where(
            columns.source == source, columns.state == "new", columns.received_at <= since
        )
        for ids in [None] if object_ids is None else chunks(object_ids):
            of_these = waiting if ids is None else waiting.where(columns.object_id.in_(ids))
            self._connection.execute(of_these.values(state="done", done_at=now))

    def waiting(self, source: str) -> int:
        """Events whose record has not been read since they came."""
        columns = webhook_inbox.c
        found = select(func.count()).where(columns.source == source, columns.state == "new")
        return int(self._connection.execute(found).scalar_one())
