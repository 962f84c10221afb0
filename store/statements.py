"""The few SQL idioms both databases need: upserts, and IN lists of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, islice
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


def new_ids() -> Iterator[str]:
    """As many such ids as anybody wants, for a batch: a new one, and those that come after it."""
    start = uuid7().int
    for number in count(start):
        text = f"{number:032x}"
        yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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
    write_rows(connection, table, statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows; leave those whose `unique` columns exist as they are."""
    if rows:
        statement = insert_into(connection, table).on_conflict_do_nothing(index_elements=list(unique))
        write_rows(connection, table, statement, rows)


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that are all new."""
    if rows:
        write_rows(connection, table, table.insert(), rows)


def write_rows(connection: Connection, table: Table, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an INSERT for many rows with the same columns and no other parameters.

    What `Connection.execute` does too, but a column at a time: it looks every value's type up for every row, which is
    most of what recording a decision would cost.
    """
    dialect, names = connection.dialect, list(rows[0])
    compiled = statement.compile(dialect=dialect, column_keys=names)
    if compiled.positional:
        names = list(compiled.positiontup)
    columns = []
    for name in names:
        process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        values = [row[name] for row in rows]
        columns.append(values if process is None else list(map(process, values)))
    tuples = list(zip(*columns, strict=True))
    params = tuples if compiled.positional else [dict(zip(names, values, strict=True)) for values in tuples]
    connection.exec_driver_sql(compiled.string, params)


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
