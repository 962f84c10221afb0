"""Staged rows: what each source said last, unchanged, one row per record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.canonical import digest
from store.statements import chunks, count_by, select_in, upsert
from store.tables import source_row


@dataclass(frozen=True, slots=True, order=True)
class RowKey:
    """A staged row: its source, stream and id."""

    source: str
    stream: str
    external_id: str


@dataclass(frozen=True, slots=True)
class StagedRow:
    """One vendor row. `problem` says why it cannot be read, None when it can. A deleted one that its system merged into
    another names that one's id."""

    source: str
    stream: str
    external_id: str
    fields: Mapping[str, Any]
    modified_at: datetime | None = None
    deleted: bool = False
    problem: str | None = None
    merged_into: str | None = None

    @property
    def key(self) -> RowKey:
        return RowKey(self.source, self.stream, self.external_id)


@dataclass(frozen=True, slots=True)
class PutSummary:
    """How many rows were seen for the first time, differed from what was staged, or said the same."""

    new: int = 0
    changed: int = 0
    same: int = 0


class Staging:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, rows: Iterable[StagedRow], run_id: str, now: datetime) -> PutSummary:
        """Stage rows. A row older than the staged one (by `modified_at`) is left out and counts as the same:
        pages overlap, and a change event may overtake a page."""
        latest: dict[tuple[str, str, str], StagedRow] = {}
        for row in rows:
            latest[(row.source, row.stream, row.external_id)] = row
        new = changed = same = 0
        for chunk in chunks(latest.values()):
            known = self._known(chunk)
            writes = []
            for row in chunk:
                before = known.get((row.source, row.stream, row.external_id))
                written = _to_columns(row, run_id, now)
                if before is None:
                    new += 1
                elif _says_nothing_new(before, written):
                    same += 1
                    continue
                else:
                    changed += 1
                writes.append(written)
            upsert(self._connection, source_row, writes)
        return PutSummary(new, changed, same)

    def live(self, source: str | None = None) -> Iterator[StagedRow]:
        """Rows that are not deleted, in key order."""
        statement = select(source_row).where(source_row.c.deleted.is_(False)).order_by(*source_row.primary_key)
        if source is not None:
            statement = statement.where(source_row.c.source == source)
        for row in self._connection.execute(statement.execution_options(yield_per=5000)):
            yield _to_staged(row)

    def get_many(self, keys: Iterable[RowKey]) -> list[StagedRow]:
        """These rows as far as they are staged, deleted ones too, in key order."""
        wanted = set(keys)
        rows = select_in(
            self._connection, select(source_row), source_row.c.external_id, {key.external_id for key in wanted}
        )
        return sorted((staged for row in rows if (staged := _to_staged(row)).key in wanted), key=lambda each: each.key)

    def keys_with_ids(self, external_ids: Iterable[str]) -> list[RowKey]:
        """The rows with one of these ids, whatever their source and stream."""
        columns = source_row.c
        statement = select(columns.source, columns.stream, columns.external_id)
        return sorted(RowKey(*row) for row in select_in(self._connection, statement, columns.external_id, external_ids))

    def claim_unmatched(self) -> list[RowKey]:
        """The rows that say something else than when they were matched last, which they count as from now on."""
        columns = source_row.c
        claimed = (
            update(source_row)
            .where(text("unmatched"))
            .values(unmatched=False)
            .returning(columns.source, columns.stream, columns.external_id)
        )
        return sorted(RowKey(*row) for row in self._connection.execute(claimed))

    def to_match_again(self, places: Iterable[tuple[str, str]]) -> None:
        """The rows with these ids, each of a source, are to be matched anew though they say the same."""
        for source, external_id in sorted(set(places)):
            columns = source_row.c
            these = update(source_row).where(columns.source == source, columns.external_id == external_id)
            self._connection.execute(these.values(unmatched=True))

    def get(self, source: str, stream: str, external_id: str) -> StagedRow | None:
        columns = source_row.c
        row = self._connection.execute(
            select(source_row).where(
                columns.source == source, columns.stream == stream, columns.external_id == external_id
            )
        ).first()
        return _to_staged(row) if row else None

    def pulled_at(self, refs: Iterable[Ref]) -> dict[tuple[str, str], datetime]:
        """When what is staged of these records was pulled, by source and id; of objects that share an id the later."""
        columns = source_row.c
        statement = select(columns.source, columns.external_id, columns.pulled_at)
        rows = select_in(self._connection, statement, columns.external_id, {ref.external_id for ref in refs})
        found: dict[tuple[str, str], datetime] = {}
        for source, external_id, at in rows:
            key = (source, external_id)
            found[key] = max(at, found.get(key, at))
        return found

    def counts(self) -> dict[tuple[str, str], int]:
        """Live rows for each (source, stream)."""
        columns = source_row.c
        return count_by(self._connection, columns.source, columns.stream, columns.deleted.is_(False))

    def _known(self, rows: list[StagedRow]) -> dict[tuple[str, str, str], Row[Any]]:
        columns = source_row.c
        statement = select(
            columns.source,
            columns.stream,
            columns.external_id,
            columns.content_hash,
            columns.modified_at,
            columns.problem,
            columns.merged_into,
        )
        found = {}
        for source, stream in sorted({(row.source, row.stream) for row in rows}):
            ids = [row.external_id for row in rows if (row.source, row.stream) == (source, stream)]
            of_stream = statement.where(columns.source == source, columns.stream == stream)
            for known in select_in(self._connection, of_stream, columns.external_id, ids):
                found[(source, stream, known.external_id)] = known
        return found


def _says_nothing_new(before: Row[Any], written: Mapping[str, Any]) -> bool:
    if before.modified_at and written["modified_at"] and before.modified_at != written["modified_at"]:
        return bool(written["modified_at"] < before.modified_at)  # a later one says at least that it is so now
    return all(getattr(before, name) == written[name] for name in ("content_hash", "problem", "merged_into"))


def _to_columns(row: StagedRow, run_id: str, now: datetime) -> dict[str, Any]:
    return {
        "source": row.source,
        "stream": row.stream,
        "external_id": row.external_id,
        "fields": row.fields,
        "content_hash": digest([row.fields, row.deleted]),
        "modified_at": row.modified_at,
        "deleted": row.deleted,
        "problem": row.problem,
        "pulled_at": now,
        "run_id": run_id,
        "merged_into": row.merged_into,
        "unmatched": True,
    }


def _to_staged(row: Row[Any]) -> StagedRow:
    return StagedRow(
        row.source,
        row.stream,
        row.external_id,
        row.fields,
        row.modified_at,
        row.deleted,
        row.problem,
        row.merged_into,
    )
