"""Exceptions: what a person has to look at. One open item for each `dedup_key`, however often it is found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, text, update
from sqlalchemy.engine import Row

from store.statements import chunks, is_among, new_id, select_in, upsert
from store.tables import exception_item

OPEN = "open"
# Why one outside record does not show the owner of record; `dedup_key` is `record_key`.
RECORD_KINDS = ("owner_drift", "owner_has_no_user", "owner_differs", "push_rejected", "record_gone")
_IS_OPEN = "state = 'open'"  # written out, as the index of open items is: a parameter would keep it from being used


@dataclass(frozen=True, slots=True)
class NewException:
    """Something to be looked at, or found once more. `severity` is "warning" or "error"; `detail` is for people."""

    kind: str
    dedup_key: str
    account_id: str | None
    detail: Mapping[str, Any]
    severity: str


@dataclass(frozen=True, slots=True)
class ExceptionItem:
    """One thing to look at. `severity` is "warning" or "error"; `detail` is for people, by name."""

    exception_id: str
    kind: str
    dedup_key: str
    account_id: str | None
    detail: Mapping[str, Any]
    severity: str
    state: str
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    run_id: str
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class Exceptions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        kind: str,
        dedup_key: str,
        account_id: str | None,
        detail: Mapping[str, Any],
        severity: str,
        run_id: str,
        now: datetime,
    ) -> None:
        """Open an item, or note that the open one was seen once more, with the detail of today."""
        self.open_many([NewException(kind, dedup_key, account_id, detail, severity)], run_id, now)

    def open_many(self, found: Sequence[NewException], run_id: str, now: datetime) -> None:
        """As `open`, for many at once."""
        rows = [
            {
                "exception_id": new_id(),
                "kind": each.kind,
                "dedup_key": each.dedup_key,
                "account_id": each.account_id,
                "detail": each.detail,
                "severity": each.severity,
                "state": OPEN,
                "first_seen_at": now,
                "last_seen_at": now,
                "times_seen": 1,
                "run_id": run_id,
            }
            for each in found
        ]
        upsert(
            self._connection,
            exception_item,
            rows,
            unique=("dedup_key",),
            where=_IS_OPEN,
            keep=("exception_id", "state", "first_seen_at"),
            add=("times_seen",),
        )

    def close(self, dedup_keys: Iterable[str], by: str, resolution: str, now: datetime) -> int:
        """Close the open items with these keys; returns how many there were."""
        return self._close(exception_item.c.dedup_key, dedup_keys, by, resolution, now)

    def close_of_accounts(self, account_ids: Iterable[str], by: str, resolution: str, now: datetime) -> None:
        """Close every open item about these accounts."""
        self._close(exception_item.c.account_id, account_ids, by, resolution, now)

    def _close(
        self, column: ColumnElement[str | None], values: Iterable[str], by: str, resolution: str, now: datetime
    ) -> int:
        closed = 0
        for chunk in chunks(values):
            result = self._connection.execute(
                update(exception_item)
                .where(is_among(self._connection, column, chunk), text(_IS_OPEN))
                .values(state="closed", resolved_by=by, resolution=resolution, resolved_at=now)
            )
            closed += result.rowcount
        return closed

    def open_items(self, kind: str | None = None) -> list[ExceptionItem]:
        """What is open, oldest first."""
        statement = select(exception_item).where(exception_item.c.state == OPEN)
        if kind is not None:
            statement = statement.where(exception_item.c.kind == kind)
        rows = self._connection.execute(statement.order_by(exception_item.c.first_seen_at, exception_item.c.dedup_key))
        return [_to_item(row) for row in rows]

    def open_of(self, account_id: str) -> list[ExceptionItem]:
        """What is open about one account, oldest first."""
        columns = exception_item.c
        statement = select(exception_item).where(columns.account_id == account_id, columns.state == OPEN)
        return [_to_item(row) for row in self._connection.execute(statement.order_by(columns.first_seen_at))]

    def get(self, exception_id: str) -> ExceptionItem:
        """One item, open or closed. Raises `LookupError`."""
        row = self._connection.execute(
            select(exception_item).where(exception_item.c.exception_id == exception_id)
        ).first()
        if row is None:
            raise LookupError(f"there is no exception {exception_id}")
        return _to_item(row)

    def open_among(self, dedup_keys: Iterable[str]) -> set[str]:
        """Those of these keys for which an item is open."""
        column = exception_item.c.dedup_key
        rows = select_in(self._connection, select(column).where(text(_IS_OPEN)), column, dedup_keys)
        return {row.dedup_key for row in rows}

    def open_accounts(self) -> set[str]:
        """Accounts with at least one open item."""
        columns = exception_item.c
        return set(
            self._connection.execute(
                select(columns.account_id).where(columns.state == OPEN, columns.account_id.is_not(None)).distinct()
            ).scalars()
        )


def record_key(kind: str, source: str, object_type: str, external_id: str) -> str:
    """The `dedup_key` of an exception about one outside record; ids of different objects may be the same."""
    return f"{kind}:{source}/{object_type}/{external_id}"


def _to_item(row: Row[Any]) -> ExceptionItem:
    return ExceptionItem(**row._mapping)
