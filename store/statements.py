"""The few SQL idioms both databases need: writing many rows at once, and IN lists of any length.

Rows in bulk pass over SQLAlchemy, which takes longer for a row than the database does. They are spelled a column at a
time. SQLite gets them as tuples of one prepared statement; PostgreSQL as one statement for all of them with each column
in one JSON array, which takes a third of the time of a statement for each row and a sixth of that of psycopg's arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from os import urandom
from time import time_ns
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, Table, TextClause, func, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Row

from store.canonical import to_json
from store.types import speller

T = TypeVar("T")

# What is asked for is one parameter, however many values it has; shorter lists keep statements and results small.
IN_LIST = 5000


_last_tick = 0


def new_id() -> str:
    """A UUIDv7: ids made by one process sort in the order they were made.

    Made here so that bulk inserts need no RETURNING (five times slower on PostgreSQL), and without a UUID object, which
    takes three times as long. A tick is 2^-12 milliseconds.
    """
    global _last_tick
    _last_tick = tick = max((time_ns() << 12) // 1_000_000, _last_tick + 1)
    at, chance = f"{tick:015x}", urandom(8).hex()
    return f"{at[:8]}-{at[8:12]}-7{at[12:]}-8{chance[:3]}-{chance[4:]}"


def chunks(items: Iterable[T], size: int = IN_LIST) -> Iterator[list[T]]:
    """Consecutive lists of at most `size` items."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the same columns; none of them may exist."""
    _write(connection, table, rows, "")


def insert_new(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, unique: Sequence[str]
) -> None:
    """Insert rows; leave those whose `unique` columns exist as they are."""
    _write(connection, table, rows, f"ON CONFLICT ({_names(unique)}) DO NOTHING")


def insert_if_new(connection: Connection, table: Table, row: Mapping[str, Any], *, unique: Sequence[str]) -> bool:
    """Insert one row; False when it was there."""
    return _write(connection, table, [row], f"ON CONFLICT ({_names(unique)}) DO NOTHING") == 1


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    unique: Sequence[str] = (),
    where: str = "",
    keep: Sequence[str] = (),
    add: Sequence[str] = (),
) -> None:
    """Insert rows, or update those that exist: which have the same primary key, or the same `unique` columns in an
    index of only the rows that are so (`where`).

    Columns in `keep` stay as first written, those in `add` grow by what the new row says. Of several rows with one key
    the last counts.
    """
    if not rows:
        return
    key = tuple(unique) or tuple(column.name for column in table.primary_key)
    last = {tuple([row[name] for name in key]): row for row in rows}
    changed = [name for name in rows[0] if name not in key and name not in keep]
    sets = ", ".join(f'"{n}" = ' + (f'{table.name}."{n}" + ' if n in add else "") + f'excluded."{n}"' for n in changed)
    partly = f" WHERE {where}" if where else ""
    _write(connection, table, list(last.values()), f"ON CONFLICT ({_names(key)}){partly} DO UPDATE SET {sets}")


def is_among(connection: Connection, column: ColumnElement[Any], values: Iterable[str]) -> TextClause:
    """The condition that `column` is one of `values`, which are one parameter: the statement is always the same."""
    return text(f"{column} {_AMONG[connection.dialect.name]}").bindparams(wanted=to_json(list(values)))


def select_in(
    connection: Connection, statement: Select[Any], column: ColumnElement[Any], values: Iterable[str] | None
) -> Iterator[Row[Any]]:
    """The rows of `statement` whose `column` is one of `values` (all when None), over as many queries as it takes."""
    if values is None:
        yield from connection.execute(statement).all()
        return
    for chunk in chunks(sorted(set(values))):
        yield from connection.execute(statement.where(is_among(connection, column, chunk))).all()


def count_by(
    connection: Connection, first: ColumnElement[Any], second: ColumnElement[Any], *where: ColumnElement[bool]
) -> dict[tuple[str, str], int]:
    """How many rows there are for each pair of values of two columns."""
    rows = connection.execute(select(first, second, func.count()).where(*where).group_by(first, second))
    return {(one, other): count for one, other, count in rows}


_AMONG = {
    "sqlite": "IN (SELECT value FROM json_each(:wanted))",
    "postgresql": "= ANY (ARRAY(SELECT json_array_elements_text(CAST(:wanted AS JSON))))",
}


def _write(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], conflict: str) -> int:
    """Insert rows under their own column names; returns how many there were room for."""
    if not rows:
        return 0
    names = tuple(rows[0])
    columns = [_spelled(table, name, [row[name] for row in rows]) for name in names]
    sql = f"INSERT INTO {table.name} ({_names(names)}) {_SOURCES[connection.dialect.name](table, names)} {conflict}"
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(sql, tuple([to_json(column) for column in columns])).rowcount
    return connection.exec_driver_sql(sql, list(zip(*columns, strict=True))).rowcount


def _spelled(table: Table, name: str, values: list[Any]) -> list[Any]:
    spell = speller(table.c[name])
    if spell is None:
        return values
    each = {id(value): value for value in values}  # most rows of a batch have the same instants
    spelled = {key: None if value is None else spell(value) for key, value in each.items()}
    return [spelled[id(value)] for value in values]


@lru_cache(maxsize=200)
def _from_json(table: Table, names: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    values = ", ".join(f'CAST("{name}" AS {table.c[name].type.compile(dialect)})' for name in names)
    arrays = ", ".join(["json_array_elements_text(%s)"] * len(names))
    return f"SELECT {values} FROM ROWS FROM ({arrays}) AS given ({_names(names)})"  # noqa: S608 - our own names only


def _from_tuples(_table: Table, names: tuple[str, ...]) -> str:
    return f"VALUES ({', '.join('?' * len(names))})"


_SOURCES: Mapping[str, Callable[[Table, tuple[str, ...]], str]] = {"postgresql": _from_json, "sqlite": _from_tuples}


def _names(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
