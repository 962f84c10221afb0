"""Match keys: by what the records of each staged row find each other, kept as of when the row was matched last.

A row that says something else since then keeps its old keys here until it is matched again: that is how those it was
together with are found. `ownership.linking.keys` says what a key is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from store.staging import RowKey
from store.statements import chunks, insert, is_among, select_in
from store.tables import record_key

RECORD, FACT, LEAD = "record", "fact", "lead"
_LOCK = 6_290_145
"""Names the lock on PostgreSQL; on SQLite there is one writer at a time anyway."""


@dataclass(frozen=True, slots=True)
class Keyed:
    """A row with its keys. It `says` something of a record or lead, or is a fact; `place` is the id that is about."""

    row: RowKey
    says: str
    place: str
    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a key."""

    key: str
    row: RowKey
    says: str
    place: str


class MatchKeys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """Nobody else matches until the transaction ends."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))

    def put(self, rows: Iterable[RowKey], keyed: Iterable[Keyed]) -> None:
        """These rows have these keys now; those that are not among `keyed` have none."""
        self._drop(rows)
        for some in chunks(keyed):
            columns = [
                {"match_key": key, **asdict(each.row), "says": each.says, "place": each.place}
                for each in some
                for key in sorted(each.keys)
            ]
            insert(self._connection, record_key, columns)

    def of_rows(self, rows: Iterable[RowKey]) -> list[Holder]:
        """All keys of these rows."""
        wanted = set(rows)
        found = select_in(
            self._connection, select(record_key), record_key.c.external_id, {row.external_id for row in wanted}
        )
        return [holder for each in found if (holder := _to_holder(each)).row in wanted]

    def holders(self, keys: Iterable[str]) -> list[Holder]:
        """All rows that have one of these keys."""
        return [
            _to_holder(each) for each in select_in(self._connection, select(record_key), record_key.c.match_key, keys)
        ]

    def counts(self, keys: Iterable[str], listing: Iterable[str], besides: Iterable[str] = ()) -> dict[str, int]:
        """How many records share each key. `listing` are the systems that list records; in others a fact is one.
        Records of the systems `besides` do not count."""
        columns = record_key.c
        lists = set(listing)
        statement = (
            select(columns.match_key, columns.source, columns.says, func.count(columns.place.distinct()))
            .where(columns.says != LEAD, columns.source.not_in(sorted(besides)))
            .group_by(columns.match_key, columns.source, columns.says)
        )
        found: Counter[str] = Counter()
        for chunk in chunks(sorted(set(keys))):
            these = is_among(self._connection, columns.match_key, chunk)
            for key, source, says, count in self._connection.execute(statement.where(these)):
                found[key] += count if says == RECORD or source not in lists else 0
        return dict(found)

    def listing(self, sources: Iterable[str]) -> frozenset[str]:
        """Those of these systems that list records."""
        columns = record_key.c
        return frozenset(
            source
            for source in sources
            if self._connection.execute(
                select(columns.place).where(columns.says == RECORD, columns.source == source).limit(1)
            ).first()
        )

    def is_empty(self) -> bool:
        """Whether nothing was ever matched."""
        return self._connection.execute(select(record_key.c.place).limit(1)).first() is None

    def _drop(self, rows: Iterable[RowKey]) -> None:
        by_stream: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            by_stream[row.source, row.stream].append(row.external_id)
        columns = record_key.c
        for (source, stream), ids in sorted(by_stream.items()):
            for chunk in chunks(ids):
                these = is_among(self._connection, columns.external_id, chunk)
                of_stream = (columns.source == source, columns.stream == stream)
                self._connection.execute(record_key.delete().where(these, *of_stream))


def _to_holder(row: Any) -> Holder:
    return Holder(row.match_key, RowKey(row.source, row.stream, row.external_id), row.says, row.place)
