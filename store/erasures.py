"""Erasures: what is known of one person is taken out of every table that may hold it.

The ledger, the decisions and the sentences kept under hashes hold opaque ids and what was decided, and no personal
data; they stay as they are, and so does what verifies them. What an erased record's own row said is not let in again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, Text, func, or_, select, text, type_coerce, update

from ownership.model import LEAD
from store.canonical import digest, to_json
from store.search import Search
from store.staging import RowKey
from store.statements import insert, is_among, new_id, select_in
from store.tables import (
    account,
    account_ref,
    crm_task,
    decision,
    erased_record,
    erasure,
    exception_answer,
    exception_item,
    input_snapshot,
    notification,
    person_id,
    push_attempt,
    source_row,
    suppression,
    webhook_inbox,
)
from store.types import JsonText

ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure: how many rows of which table no longer say anything of the person, and the leads they were."""

    erasure_id: str
    rows: Mapping[str, int]
    leads: tuple[str, ...] = ()


class Erasures:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows_that_mention(self, words: str) -> list[tuple[RowKey, Mapping[str, Any]]]:
        """Staged rows with these words in any field, whatever the case."""
        statement = select(source_row).where(_mentions(source_row.c.fields, words)).order_by(*source_row.primary_key)
        found = self._connection.execute(statement)
        return [(RowKey(row.source, row.stream, row.external_id), row.fields) for row in found]

    def came_back(self, rows: Iterable[RowKey]) -> set[RowKey]:
        """Those of these rows that belong to somebody who was erased."""
        wanted = set(rows)
        columns = erased_record.c
        statement = select(columns.source, columns.stream, columns.external_id)
        known = select_in(self._connection, statement, columns.external_id, {row.external_id for row in wanted})
        return {RowKey(*row) for row in known} & wanted

    def erase(
        self,
        address: str,
        persons_rows: Sequence[RowKey],
        corrected: Mapping[RowKey, Mapping[str, Any]],
        by: str,
        because: str,
        now: datetime,
    ) -> Erased:
        """Take one person out.

        `persons_rows` are their records; what these said is dropped for good, with the leads they were. `corrected` are
        fields of other records that named them, as they shall be. Messages and exceptions that name the address or one
        of the leads say nothing any more.
        """
        if self._connection.dialect.name == "sqlite":
            self._connection.execute(text("PRAGMA secure_delete = ON"))  # freed pages are overwritten
        leads = self._leads_of(persons_rows)  # before their names are gone
        counts = {
            "source_row": self._drop_rows(persons_rows, now) + self._correct_rows(corrected),
            "account": self._blank(account, account.c.account_id, leads, _NOTHING_SAID),
            "crm_task": self._drop_tasks(leads, now),
            "input_snapshot": self._blank(input_snapshot, input_snapshot.c.inputs_hash, self._inputs(leads), _NO_INPUT),
        }
        for table, columns, blank in _TEXTS:
            mentions = self._blank_mentions(table, columns, blank, [address, *leads.values()])
            counts[table.name] = counts.get(table.name, 0) + mentions
        counts["webhook_inbox"] += self._blank_events(persons_rows)
        Search(self._connection).forget_for_good(leads)
        erasure_id = new_id()
        row = {"erasure_id": erasure_id, "erased_by": by, "because": because, "counts": counts, "erased_at": now}
        insert(self._connection, erasure, [row])
        kept_out = [
            {"source": r.source, "stream": r.stream, "external_id": r.external_id, "erasure_id": erasure_id}
            for r in sorted(set(persons_rows) - self.came_back(persons_rows), key=str)
        ]
        insert(self._connection, erased_record, kept_out)
        return Erased(erasure_id, {name: count for name, count in counts.items() if count}, tuple(leads))

    def _leads_of(self, rows: Sequence[RowKey]) -> dict[str, str]:
        """The leads that have one of these rows, with their names."""
        columns = account_ref.c
        statement = (
            select(columns.account_id, columns.source, columns.external_id, account.c.name)
            .join(account, account.c.account_id == columns.account_id)
            .where(account.c.kind == LEAD)
        )
        theirs = {(row.source, row.external_id) for row in rows}
        found = select_in(self._connection, statement, columns.external_id, {row.external_id for row in rows})
        return {row.account_id: row.name for row in found if (row.source, row.external_id) in theirs}

    def _inputs(self, account_ids: Iterable[str]) -> list[str]:
        columns = decision.c
        rows = select_in(self._connection, select(columns.inputs_hash), columns.account_id, account_ids)
        return sorted({row.inputs_hash for row in rows})

    def _drop_rows(self, rows: Sequence[RowKey], now: datetime) -> int:
        for row in rows:
            gone = {
                "fields": {},
                "content_hash": digest([{}, True]),
                "deleted": True,
                "problem": None,
                "unmatched": True,
            }
            self._connection.execute(update(source_row).where(*_is(row)).values(**gone, pulled_at=now))
        return len(rows)

    def _correct_rows(self, corrected: Mapping[RowKey, Mapping[str, Any]]) -> int:
        for row, fields in corrected.items():
            # Another content than the vendor's: the next pull that finds the record changed stages it again.
            changed = {"fields": fields, "content_hash": digest([fields, False]), "unmatched": True}
            self._connection.execute(update(source_row).where(*_is(row)).values(changed))
        return len(corrected)

    def _drop_tasks(self, leads: Iterable[str], now: datetime) -> int:
        """Tasks of these leads say nothing any more, and those not made yet are not made."""
        theirs = is_among(self._connection, crm_task.c.account_id, leads)
        waiting = update(crm_task).where(theirs, crm_task.c.done_at.is_(None))
        self._connection.execute(waiting.values(state="superseded", done_at=now))
        return self._connection.execute(update(crm_task).where(theirs).values(_NO_TASK)).rowcount

    def _blank(self, table: Table, key: Column[Any], ids: Iterable[str], blank: Mapping[str, Any]) -> int:
        result = self._connection.execute(update(table).where(is_among(self._connection, key, ids)).values(blank))
        return result.rowcount

    def _blank_events(self, rows: Sequence[RowKey]) -> int:
        """Events about these records may hold any of their values."""
        columns, count = webhook_inbox.c, 0
        for row in rows:
            of_source = columns.source.startswith(row.source, autoescape=True)
            blank = update(webhook_inbox).where(of_source, columns.object_id == row.external_id).values(body=ERASED)
            count += self._connection.execute(blank).rowcount
        return count

    def _blank_mentions(
        self, table: Table, columns: Sequence[str], blank: Mapping[str, Any], words: Sequence[str]
    ) -> int:
        named = or_(*(_mentions(table.c[column], each) for column in columns for each in words))
        return self._connection.execute(update(table).where(named).values(blank)).rowcount


def _mentions(column: Column[Any], words: str) -> ColumnElement[bool]:
    """Whether the column's text holds these words. Canonical JSON is ASCII: other letters are escapes there."""
    said = to_json(words)[1:-1] if isinstance(column.type, JsonText) else words
    pattern = said.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.lower(type_coerce(column, Text())).like(f"%{pattern}%", escape="\\")


def _is(row: RowKey) -> tuple[Any, ...]:
    columns = source_row.c
    return columns.source == row.source, columns.stream == row.stream, columns.external_id == row.external_id


_NOTHING_SAID: Mapping[str, Any] = {"name": ERASED, "fields": {}, "content_hash": ""}
_NO_INPUT = {"payload": None}
_NO_TASK: Mapping[str, Any] = {"subject": ERASED, "said": ""}
_TEXTS = (
    (exception_item, ("detail", "dedup_key"), {"detail": {"problem": ERASED}}),
    (exception_item, ("resolution",), {"resolution": ERASED}),
    (exception_answer, ("because", "came_of_it"), {"because": ERASED, "came_of_it": ERASED}),
    (notification, ("email", "subject", "lines"), {"email": ERASED, "subject": ERASED, "lines": [], "error": ""}),
    (webhook_inbox, ("body",), {"body": ERASED}),
    (person_id, ("email", "name"), {"email": ERASED, "name": ERASED}),
    (push_attempt, ("message",), {"message": ERASED}),
    (crm_task, ("subject", "said"), _NO_TASK),
    (suppression, ("said",), {"said": ""}),
)
