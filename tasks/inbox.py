"""The inbox: what outside systems told us, kept once under their own id, then passed on as a hint."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from store.engine import Store
from store.inbox import ChangeNote
from tasks.events import announce_changed


def take_in(store: Store, source: str, notes: Sequence[ChangeNote], now: datetime) -> list[str]:
    """Keep these notes; returns the ids of records named by the ones not seen before.

    Commits before it returns: only then may the vendor be told that we have them.
    """
    fresh = store.run(lambda uow: uow.inbox.add(source, notes, now))
    return sorted({note.object_id for note in fresh})


def pass_on(source: str, external_ids: Sequence[str]) -> None:
    """Start the triggered run for these records."""
    announce_changed(source, external_ids, sha256(",".join(external_ids).encode()).hexdigest()[:12])
