"""The inbox: what outside systems told us, once each, under the key the vendor repeats.

An event is a hint that a record changed, never truth: it is done once the record has been read after it came.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from store.statements import chunks, insert_new, new_id, select_in
from store.tables import webhook_inbox


@dataclass(frozen=True, slots=True)
class ChangeNote:
    """One thing a vendor told us. `event_key` is the same when the vendor repeats itself."""

    event_key: str
    object_id: str
    occurred_at: datetime | None
    body: str


class Inbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, source: str, notes: Iterable[ChangeNote], now: datetime) -> list[ChangeNote]:
        """Keep these; returns those this source had not sent before, each once.

        Of one that two deliveries bring at the same moment both may say so: it is kept once and read twice.
        """
        by_key = {note.event_key: note for note in notes}
        columns = webhook_inbox.c
        of_source = select(columns.event_key).where(columns.source == source)
        known = {key for (key,) in select_in(self._connection, of_source, columns.event_key, by_key)}
        fresh = [note for key, note in by_key.items() if key not in known]
        insert_new(
            self._connection, webhook_inbox, [_row(source, note, now) for note in fresh], unique=("source", "event_key")
        )
        return fresh

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


def _row(source: str, note: ChangeNote, now: datetime) -> dict[str, Any]:
    return {
        "inbox_id": new_id(),
        "source": source,
        "event_key": note.event_key,
        "object_id": note.object_id,
        "body": note.body,
        "occurred_at": note.occurred_at,
        "received_at": now,
        "state": "new",
    }
