"""What was asked of the emulated vendors, in order, so that a test can say how many calls a job really cost."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request. `operation` is the vendor's stable label for it ("query", "collections_update");
    `rows` is how many records it carried either way. A dropped connection has the status the caller never saw."""

    vendor: str
    method: str
    path: str
    query: str
    status: int
    rows: int
    at: datetime
    operation: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


class Journal:
    """All requests since the start or the last `clear`. Safe to use from any thread."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def record(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)

    def entries(self, vendor: str | None = None, operation: str | None = None) -> tuple[Entry, ...]:
        """Oldest first; of one vendor or one operation where given."""
        with self._lock:
            entries = tuple(self._entries)
        return tuple(
            entry
            for entry in entries
            if (vendor is None or entry.vendor == vendor) and (operation is None or entry.operation == operation)
        )

    def count(self, vendor: str | None = None, operation: str | None = None) -> int:
        return len(self.entries(vendor, operation))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
