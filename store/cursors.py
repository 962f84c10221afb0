"""Cursors: how far each stream has been pulled, advanced by compare-and-set so that two runs cannot both move one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store.errors import CursorMoved
from store.statements import insert_if_new
from store.tables import source_cursor


@dataclass(frozen=True, slots=True)
class StoredCursor:
    """A position in a stream. `generation` counts the advances, from 1."""

    high_water: str
    tie_break: str
    generation: int


class Cursors:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, source: str, stream: str) -> StoredCursor | None:
        columns = source_cursor.c
        row = self._connection.execute(
            select(columns.high_water, columns.tie_break, columns.generation).where(
                columns.source == source, columns.stream == stream
            )
        ).first()
        return StoredCursor(row.high_water, row.tie_break, row.generation) if row else None

    def advance(
        self,
        source: str,
        stream: str,
        high_water: str,
        tie_break: str,
        expected_generation: int,
        run_id: str,
        now: datetime,
    ) -> StoredCursor:
        """Move the cursor on from the generation that was read (0 when there was none).

        Raises `CursorMoved` when another run moved it since; the caller's rows must not be committed then.
        """
        values = {
            "high_water": high_water,
            "tie_break": tie_break,
            "generation": expected_generation + 1,
            "run_id": run_id,
            "updated_at": now,
        }
        if not self._moved_on(source, stream, expected_generation, values):
            raise CursorMoved(f"another run is pulling {source} {stream}; this one stops, nothing is lost")
        return StoredCursor(high_water, tie_break, expected_generation + 1)

    def _moved_on(self, source: str, stream: str, expected: int, values: dict[str, object]) -> bool:
        if expected == 0:
            row = {"source": source, "stream": stream, **values}
            return insert_if_new(self._connection, source_cursor, row, unique=("source", "stream"))
        columns = source_cursor.c
        result = self._connection.execute(
            update(source_cursor)
            .where(columns.source == source, columns.stream == stream, columns.generation == expected)
            .values(values)
        )
        return result.rowcount == 1
