"""Databases that fail for real: locked by others, cut off in the middle of a statement, full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text

from store.engine import Store
from store.tables import metadata


def is_postgres(store: Store) -> bool:
    return store._engine.dialect.name == "postgresql"


@contextmanager
def locked_once(store: Store, patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Somebody else writes everywhere, until the store has found out and waits to try again. Yields its waits."""
    waits: list[str] = []
    other = create_engine(store._engine.url)
    holder = other.connect()
    if is_postgres(store):
        tables = ", ".join(metadata.tables)
        holder.exec_driver_sql(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        impatient = "SET lock_timeout = '20ms'"
    else:
        holder.connection.isolation_level = None  # type: ignore[attr-defined]
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        impatient = "PRAGMA busy_timeout = 1"

    def make_impatient(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(impatient)
        cursor.close()
        connection.commit()

    def let_go(_seconds: float) -> None:
        waits.append("waited")
        holder.rollback()

    store._engine.dispose()
    event.listen(store._engine, "checkout", make_impatient)
    patch.setattr("store.engine.time.sleep", let_go)
    try:
        yield waits
    finally:
        event.remove(store._engine, "checkout", make_impatient)
        holder.close()
        other.dispose()
        store._engine.dispose()


@contextmanager
def cut_at(store: Store, nth: int) -> Iterator[list[int]]:
    """The server ends our connection before our `nth` statement from now. Yields the number of statements so far."""
    count = [0]
    other = create_engine(store._engine.url, isolation_level="AUTOCOMMIT")

    def cut(_connection: Any, cursor: Any, *_: object) -> None:
        count[0] += 1
        if count[0] == nth:
            with other.connect() as admin:
                admin.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": cursor.connection.info.backend_pid})

    event.listen(store._engine, "before_cursor_execute", cut)
    try:
        yield count
    finally:
        event.remove(store._engine, "before_cursor_execute", cut)
        other.dispose()


@contextmanager
def full(store: Store) -> Iterator[None]:
    """No space is left: no file of this process grows, or the server says of every table that its disk is full."""
    with _full_server(store._engine) if is_postgres(store) else _full_disk():
        yield


@contextmanager
def _full_disk() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _full_server(engine: Engine) -> Iterator[None]:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
        )
        for table in metadata.tables:
            connection.exec_driver_sql(
                f"CREATE TRIGGER disk_is_full BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION disk_is_full()"
            )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION disk_is_full() CASCADE")
