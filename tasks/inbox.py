"""The inbox: what outside systems told us, kept once under their own id, then passed on as a hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from store.engine import Store
from store.unit_of_work import UnitOfWork
from tasks.events import announce_changed


@dataclass(frozen=True, slots=True)
class ChangeNote:
    """One thing a vendor told us. `event_key` is the same when the vendor repeats itself."""

    event_key: str
    object_id: str
    occurred_at: datetime | None
    body: str


def take_in(store: Store, source: str, notes: Sequence[ChangeNote], now: datetime) -> list[str]:
    """Keep these notes; returns the ids of records named by the ones not seen before.

    Commits before it returns: only then may the vendor be told that we have them.
    """

    def write(uow: UnitOfWork) -> list[str]:
        fresh = [
            note.object_id
            for note in notes
            if uow.inbox.add(source, note.event_key, note.object_id, note.body, note.occurred_at, now)
        ]
        return sorted(set(fresh))

    return store.run(write)


def pass_on(source: str, external_ids: Sequence[str]) -> None:
    """Start the triggered run for these records."""
    if external_ids:
        announce_changed(source, external_ids, sha256(",".join(external_ids).encode()).hexdigest()[:12])
