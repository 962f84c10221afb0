"""The few SQL idioms both databases need: upserts, and IN lists of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from uuid6 import uuid7

T = TypeVar("T")
Insert = sqlite.Insert | postgresql.Insert

# SQLite allows 32,766 parameters in a statement, PostgreSQL 65,535; shorter lists also plan faster.
IN_LIST = 1000


def new_id() -> str:
    """A time-ordered id, made here so that bulk inserts need no RETURNING (five times slower on PostgreSQL)."""
    return str(uuid7())


def chunks(items: Iterable[T], size: int = IN_LIST) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` items."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def insert_into(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT in the database's own dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], keep: Sequence[str] = ()) -> None:
    """Insert rows, or update those whose primary key exists; columns in `keep` stay as first written."""
    if not rows:
        return
    statement = insert_into(connection, table)
    key = [column.name for column in table.primary_key]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key and name not in keep}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), list(rows))


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows; leave those whose `unique` columns exist as they are."""
    if rows:
        statement = insert_into(connection, table).on_conflict_do_nothing(index_elements=list(unique))
        connection.execute(statement, list(rows))


def insert_if_new(connection: Connection, table: Table, row: Mapping[str, Any], *, unique: Sequence[str]) -> bool:
    """Insert one row; False when it was there. (An upsert's rowcount is -1 on PostgreSQL, hence the RETURNING.)"""
    statement = insert_into(connection, table).values(**row).on_conflict_do_nothing(index_elements=list(unique))
    return connection.execute(statement.returning(*table.primary_key)).first() is not None


def select_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Iterable[Any] | None
) -> Iterator[Row[Any]]:
    """The rows of `statement` whose `column` is one of `values` (all when None), over as many queries as it takes."""
    if values is None:
        yield from connection.execute(statement)
        return
    wanted: BindParameter[Any] = bindparam("wanted", expanding=True)
    for chunk in chunks(sorted(set(values))):
        yield from connection.execute(statement.where(column.in_(wanted)), {"wanted": chunk})
