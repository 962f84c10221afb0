"""Likenesses: what came of comparing one record with all others, the best pair only, until it says something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select
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

    def about(self, refs: Iterable[Ref]) -> list[Likeness]:
        """What came of comparing these, or others with one of these."""
        wanted = set(refs)
        ids = {ref.external_id for ref in wanted}
        rows = {
            tuple(row): row
            for column in (likeness.c.external_id, likeness.c.other_external_id)
            for row in select_in(self._connection, select(likeness), column, ids)
        }
        found = [_to_likeness(row) for row in rows.values()]
        return sorted((each for each in found if each.ref in wanted or each.other in wanted), key=lambda each: each.ref)

    def forget(self, refs: Iterable[Ref]) -> None:
        """These records are not there any more."""
        columns = likeness.c
        for ref in sorted(set(refs)):
            self._connection.execute(
                likeness.delete().where(
                    or_(
                        (columns.source == ref.source)
                        & (columns.object_type == ref.object_type)
                        & (columns.external_id == ref.external_id),
                        (columns.other_source == ref.source)
                        & (columns.other_object_type == ref.object_type)
                        & (columns.other_external_id == ref.external_id),
                    )
                )
            )


def _columns(prefix: str, ref: Ref | None) -> dict[str, Any]:
    parts = ("source", "object_type", "external_id")
    return {prefix + part: getattr(ref, part) if ref else None for part in parts}


def _to_likeness(row: Row[Any]) -> Likeness:
    other = Ref(row.other_source, row.other_object_type, row.other_external_id) if row.other_external_id else None
    ref = Ref(row.source, row.object_type, row.external_id)
    return Likeness(ref, row.compared_hash, row.outcome, other, row.score, tuple(row.because))
