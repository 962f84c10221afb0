"""Exceptions: what a person has to look at. One open item for each `dedup_key`, however often it is found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text, update
from sqlalchemy.engine import Row

from store.statements import chunks, insert_into, new_id
from store.tables import exception_item

OPEN = "open"
# Why one outside record does not show the owner of record; `dedup_key` is `record_key`.
RECORD_KINDS = ("owner_drift", "owner_has_no_user", "owner_differs", "push_rejected", "record_gone")
_IS_OPEN = text("state = 'open'")


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
        statement = insert_into(self._connection, exception_item)
        new = statement.excluded
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["dedup_key"],
                index_where=_IS_OPEN,
                set_={
                    "kind": new.kind,
                    "account_id": new.account_id,
                    "detail": new.detail,
                    "severity": new.severity,
                    "run_id": new.run_id,
                    "last_seen_at": new.last_seen_at,
                    "times_seen": exception_item.c.times_seen + 1,
                },
            ),
            {
                "exception_id": new_id(),
                "kind": kind,
                "dedup_key": dedup_key,
                "account_id": account_id,
                "detail": detail,
                "severity": severity,
                "state": OPEN,
                "first_seen_at": now,
                "last_seen_at": now,
                "times_seen": 1,
                "run_id": run_id,
            },
        )

    def close(self, dedup_keys: Iterable[str], by: str, resolution: str, now: datetime) -> int:
        """Close the open items with these keys; returns how many there were."""
        closed = 0
        columns = exception_item.c
        for chunk in chunks(dedup_keys):
            result = self._connection.execute(
                update(exception_item)
                .where(columns.dedup_key.in_(chunk), columns.state == OPEN)
                .values(state="closed", resolved_by=by, resolution=resolution, resolved_at=now)
            )
            closed += result.rowcount
        return closed

    def close_of_accounts(self, account_ids: Iterable[str], by: str, resolution: str, now: datetime) -> None:
        """Close every open item about these accounts."""
        columns = exception_item.c
        for chunk in chunks(account_ids):
            self._connection.execute(
                update(exception_item)
                .where(columns.account_id.in_(chunk), columns.state == OPEN)
                .values(state="closed", resolved_by=by, resolution=resolution, resolved_at=now)
            )

    def open_items(self, kind: str | None = None) -> list[ExceptionItem]:
        """What is open, oldest first."""
        statement = select(exception_item).where(exception_item.c.state == OPEN)
        if kind is not None:
            statement = statement.where(exception_item.c.kind == kind)
        rows = self._connection.execute(statement.order_by(exception_item.c.first_seen_at, exception_item.c.dedup_key))
        return [_to_item(row) for row in rows]

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
