"""Likenesses: what came of comparing one record with all others, the best pair only, until it says something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.statements import select_in, upsert
from store.tables import likeness

MATCH, REVIEW, NONE = "match", "review", "none"


@dataclass(frozen=True, slots=True)
class Likeness:
    """The record most like `ref`, how likely they are one company, and what speaks for it and against it.

    `compared_hash` is of what `ref` said then. `outcome` is a match, something for a person to look at, or none.
    """

    ref: Ref
    compared_hash: str
    outcome: str
    other: Ref | None = None
    score: float = 0.0
    because: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Source and id of both."""
        return tuple((ref.source, ref.external_id) for ref in (self.ref, self.other) if ref)


class Likenesses:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, found: Sequence[Likeness], now: datetime) -> None:
        """What came of comparing these records; what came of it before is forgotten."""
        rows = [
            {
                **_columns("", each.ref),
                "compared_hash": each.compared_hash,
                "outcome": each.outcome,
                **_columns("other_", each.other),
                "score": each.score,
                "because": list(each.because),
                "compared_at": now,
            }
            for each in found
        ]
        upsert(self._connection, likeness, rows)

    def all(self) -> dict[Ref, Likeness]:
        """Every record that was compared."""
        return {found.ref: found for row in self._connection.execute(select(likeness)) for found in [_to_likeness(row)]}

    def about(self, places: Iterable[tuple[str, str]]) -> list[Likeness]:
        """What came of comparing the records with these ids, each of a source, or others with one of these."""
        wanted = set(places)
        rows = {
            tuple(row)[:3]: row
            for column in (likeness.c.external_id, likeness.c.other_external_id)
            for row in select_in(self._connection, select(likeness), column, {id_ for _, id_ in wanted})
        }
        found = map(_to_likeness, rows.values())
        return sorted((each for each in found if wanted & set(each.places)), key=lambda each: each.ref)

    def forget(self, places: Iterable[tuple[str, str]]) -> None:
        """What these records say now, if anything, was not compared yet."""
        columns = likeness.c
        for each in self.about(places):
            of_type = (columns.source == each.ref.source, columns.object_type == each.ref.object_type)
            self._connection.execute(likeness.delete().where(*of_type, columns.external_id == each.ref.external_id))


def _columns(prefix: str, ref: Ref | None) -> dict[str, Any]:
    parts = ("source", "object_type", "external_id")
    return {prefix + part: getattr(ref, part) if ref else None for part in parts}


def _to_likeness(row: Row[Any]) -> Likeness:
    other = Ref(row.other_source, row.other_object_type, row.other_external_id) if row.other_external_id else None
    ref = Ref(row.source, row.object_type, row.external_id)
    return Likeness(ref, row.compared_hash, row.outcome, other, row.score, tuple(row.because))
