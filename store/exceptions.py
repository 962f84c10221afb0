"""Exceptions: what a person has to look at. One open item for each `dedup_key`, however often it is found again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, text, update
from sqlalchemy.engine import Row

from ownership.exception_kinds import said_of
from store.statements import chunks, insert, is_among, new_id, select_in, upsert
from store.tables import exception_answer, exception_item

OPEN = "open"
NOBODY = ("steward", "policy")  # who closes what a run no longer finds, or what the rules decided
# Why one outside record does not show the owner of record; `dedup_key` is `record_key`.
RECORD_KINDS = ("owner_drift", "owner_has_no_user", "owner_differs", "push_rejected", "record_gone")
_IS_OPEN = "state = 'open'"  # written out, as the index of open items is: a parameter would keep it from being used
_STAYS = "stays_closed"


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
    snoozed_until: datetime | None = None
    stays_closed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody did about an exception, why, and what came of it."""

    answer_id: str
    exception_id: str
    way: str
    said_by: str
    because: str
    came_of_it: str
    said_at: datetime
    run_id: str


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
        """As `open`, for many at once. What a person explained away stays closed while the same is said of it."""
        explained = self._explained(each.dedup_key for each in found)
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
            if explained.get(each.dedup_key) != (each.kind, said_of(each.detail))
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
        """Close the open items with these keys; returns how many there were. What was explained away is settled with
        them: it is opened when it is found once more."""
        keys = list(dedup_keys)
        for chunk in chunks(keys):
            these = is_among(self._connection, exception_item.c.dedup_key, chunk)
            self._connection.execute(update(exception_item).where(these, text(_STAYS)).values(stays_closed=False))
        return self._close(exception_item.c.dedup_key, keys, by, resolution, now)

    def close_one(self, exception_id: str, by: str, resolution: str, now: datetime, *, for_good: bool) -> bool:
        """Close one item for a person; False when it is closed already. `for_good`: no run opens it again until it was
        settled in between."""
        done = self._connection.execute(
            update(exception_item)
            .where(exception_item.c.exception_id == exception_id, text(_IS_OPEN))
            .values(state="closed", resolved_by=by, resolution=resolution, resolved_at=now, stays_closed=for_good)
        )
        return done.rowcount == 1

    def credit(self, exception_id: str, by: str, resolution: str) -> None:
        """Say that a person closed it, where what they did made Steward close it."""
        self._connection.execute(
            update(exception_item)
            .where(exception_item.c.exception_id == exception_id, exception_item.c.resolved_by.in_(NOBODY))
            .values(resolved_by=by, resolution=resolution)
        )

    def snooze(self, exception_id: str, until: datetime) -> bool:
        """Hide an open item from the list until then; False when it is closed."""
        done = self._connection.execute(
            update(exception_item)
            .where(exception_item.c.exception_id == exception_id, text(_IS_OPEN))
            .values(snoozed_until=until)
        )
        return done.rowcount == 1

    def note_answer(self, answer: Answer) -> None:
        """Keep what somebody did about an item."""
        insert(self._connection, exception_answer, [asdict(answer)])

    def answers(self, exception_ids: Iterable[str]) -> list[Answer]:
        """What people did about these items, the first said first."""
        columns = exception_answer.c
        rows = select_in(self._connection, select(exception_answer), columns.exception_id, exception_ids)
        return sorted((Answer(**row._mapping) for row in rows), key=lambda answer: answer.answer_id)

    def _explained(self, dedup_keys: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The kind, and what was said, of what was explained away, by key."""
        columns = exception_item.c
        statement = select(columns.dedup_key, columns.kind, columns.detail).where(text(_STAYS))
        rows = select_in(self._connection, statement.order_by(columns.exception_id), columns.dedup_key, dedup_keys)
        return {row.dedup_key: (row.kind, said_of(row.detail)) for row in rows}

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

    def open_items(self, kind: str | None = None, *, explained_too: bool = False) -> list[ExceptionItem]:
        """What is open, and with `explained_too` what was explained away and still holds, oldest first."""
        columns, found = exception_item.c, list[ExceptionItem]()
        for condition in (_IS_OPEN, _STAYS) if explained_too else (_IS_OPEN,):  # each has an index of its own
            statement = select(exception_item).where(text(condition))
            if kind is not None:
                statement = statement.where(columns.kind == kind)
            rows = self._connection.execute(statement.order_by(columns.first_seen_at, columns.dedup_key))
            found += map(_to_item, rows)
        return found

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
        """Those of these keys for which an item is open, or was explained away."""
        column, keys = exception_item.c.dedup_key, list(dedup_keys)
        rows = select_in(self._connection, select(column).where(text(_IS_OPEN)), column, keys)
        return {row.dedup_key for row in rows} | self._explained(keys).keys()

    def open_accounts(self) -> set[str]:
        """Accounts with at least one item that is open, or was explained away."""
        account_id, found = exception_item.c.account_id, set[str]()
        for condition in (_IS_OPEN, _STAYS):
            statement = select(account_id).where(text(condition), account_id.is_not(None)).distinct()
            found.update(self._connection.execute(statement).scalars())
        return found


def record_key(kind: str, source: str, object_type: str, external_id: str) -> str:
    """The `dedup_key` of an exception about one outside record; ids of different objects may be the same."""
    return f"{kind}:{source}/{object_type}/{external_id}"


def _to_item(row: Row[Any]) -> ExceptionItem:
    return ExceptionItem(**row._mapping)
