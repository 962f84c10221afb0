"""Opening the database, transactions, and which failures may be tried again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from store import migrations
from store.errors import StoreBusy, StoreUnavailable
from store.unit_of_work import UnitOfWork

T = TypeVar("T")

BUSY_TIMEOUT_S = 30
PAGE_CACHE_MB = 64  # with SQLite's own 2 MB, pages of large tables are written and read again within one batch
TRIES = 6
FIRST_PAUSE_S = 0.05

_SQLITE_BUSY = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED
_SQLITE_READONLY = 8
_SQLITE_UNUSABLE = {_SQLITE_READONLY, 10, 11, 13, 14, 26}  # IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
_PG_REPEAT = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_PG_CUT = {"57P01", "57P02", "57P03"}  # the server went away or is starting


class Store:
    """One database. Safe to share between threads; every process opens its own."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._place = place

    def migrate(self) -> None:
        """Bring the tables up to date. Processes that start at once wait for each other; one of them does the work."""
        with self._connected(readonly=True) as connection:
            if migrations.is_current(connection):
                return
        with self._connected(readonly=False) as connection:
            migrations.upgrade(connection)

    @contextmanager
    def transaction(self, readonly: bool = False) -> Iterator[UnitOfWork]:
        """One transaction: committed when the block ends, rolled back when it raises.

        A readonly one sees the database as it was at its start, holds no lock and refuses writes.
        Raises `StoreUnavailable` when the database cannot be reached or written, and `StoreBusy` when a readonly one
        was cut off or others were in the way: what has only been read may be read again later.
        """
        try:
            with self._connected(readonly) as connection:
                yield UnitOfWork(connection)
        except exc.DBAPIError as error:
            if readonly and _may_repeat(error, committing=False):
                raise StoreBusy(f"{self._place} was busy or went away while it was read") from error
            raise

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        """Do `work` in a transaction, and all of it again when others were in the way.

        `work` may be called several times and must therefore keep its effects in the database.
        Raises `StoreBusy` after six tries, `StoreUnavailable` when trying again does not help.
        """
        for attempt in range(TRIES):
            finished = False
            try:
                with self.transaction() as uow:
                    result = work(uow)
                    finished = True
                return result
            except exc.DBAPIError as error:
                if not _may_repeat(error, committing=finished):
                    raise
                if attempt == TRIES - 1:
                    raise StoreBusy(f"{self._place} was busy through {TRIES} tries; nothing was written") from error
                time.sleep(FIRST_PAUSE_S * 2**attempt * (0.5 + random.random()))  # noqa: S311 - jitter, no secret
        raise AssertionError("unreachable")

    def within(self, uow: UnitOfWork) -> Store:
        """This store as part of the transaction that is open: what is done through it is committed with that, or not
        at all."""
        return _Within(self, uow)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _connected(self, readonly: bool) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                options: dict[str, Any] = {"steward_readonly": readonly}
                if readonly and connection.dialect.name == "postgresql":
                    options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
                with connection.execution_options(**options).begin():
                    yield connection
        except exc.DBAPIError as error:
            if _is_unusable(error, readonly):
                raise StoreUnavailable(_mend(self._place, error)) from error
            raise


class _Within(Store):
    """A store whose transactions are all parts of one. That one is repeated as a whole when others are in the way."""

    def __init__(self, store: Store, uow: UnitOfWork) -> None:
        super().__init__(store._engine, store._place)
        self._uow = uow

    @contextmanager
    def transaction(self, readonly: bool = False) -> Iterator[UnitOfWork]:
        yield self._uow

    def run(self, work: Callable[[UnitOfWork], T]) -> T:
        return work(self._uow)

    def close(self) -> None:
        """It is whose the transaction is who closes the database."""


def open_store(url: str) -> Store:
    """Open the database and prove that it can be written.

    `url` is `sqlite:///path/to/file.db` (the folder is made) or `postgresql://user:password@host/name`.
    Raises `StoreUnavailable` with the mend in its message.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise StoreUnavailable(
            "STEWARD_DATABASE_URL is no database URL; write sqlite:///path/to/file.db or postgresql://user@host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _open_sqlite(parsed)
    if backend == "postgresql":
        return _open_postgres(parsed.set(drivername="postgresql+psycopg"))
    raise StoreUnavailable(f"STEWARD_DATABASE_URL names {backend}; Steward keeps its ledger in sqlite or postgresql")


def _open_sqlite(url: URL) -> Store:
    if not url.database or url.database == ":memory:":
        raise StoreUnavailable("a ledger in memory is lost with the process; write sqlite:///path/to/file.db")
    path = Path(url.database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder {path.parent} cannot be made ({error.strerror}); "
            "make it writable or give another file in STEWARD_DATABASE_URL"
        ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, max_overflow=-1)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return _proved(Store(engine, str(path)))


def _open_postgres(url: URL) -> Store:
    # The time zone keeps instants readable in psql; values are UTC whatever it says.
    options = {"options": "-c timezone=UTC", "connect_timeout": 10}
    engine = create_engine(url, connect_args=options, pool_pre_ping=True, max_overflow=-1)
    return _proved(Store(engine, url.render_as_string(hide_password=True)))


def _proved(store: Store) -> Store:
    try:
        with store._connected(readonly=False):
            return store
    except exc.DBAPIError as error:
        store.close()
        if _may_repeat(error, committing=False):
            raise StoreBusy(f"{store._place} is held by another process") from error
        raise
    except StoreUnavailable:
        store.close()
        raise


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    """Settings each connection needs. The driver's own BEGIN is off: `_begin_sqlite` says which kind."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000}")
    _switch_to_wal(cursor)
    cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE_MB * 1024}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA recursive_triggers = ON")  # else INSERT OR REPLACE deletes past the append-only trigger
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """Changing the journal mode does not wait for others, and only the first process on a new file has to do it."""
    for attempt in range(100):
        try:
            if cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                return
        except Exception as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _SQLITE_BUSY or attempt == 99:
                raise
        time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a read that becomes a write later fails without waiting."""
    readonly = connection.get_execution_options().get("steward_readonly", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if readonly else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _may_repeat(error: exc.DBAPIError, committing: bool) -> bool:
    """Whether the database undid everything. A connection cut while committing may have committed: not repeated."""
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return sqlite_code & 0xFF in _SQLITE_BUSY
    state = getattr(error.orig, "sqlstate", None)
    if state in _PG_REPEAT:
        return True
    return not committing and (error.connection_invalidated or state in _PG_CUT)


def _is_unusable(error: exc.DBAPIError, readonly: bool) -> bool:
    """Whether a person must mend the database. A write in a readonly transaction is the caller's mistake instead."""
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if sqlite_code is not None:
        code = sqlite_code & 0xFF
        return code in _SQLITE_UNUSABLE and not (readonly and code == _SQLITE_READONLY)
    state = getattr(error.orig, "sqlstate", None)
    never_connected = state is None and isinstance(error, exc.OperationalError) and not error.connection_invalidated
    return never_connected or str(state)[:2] in {"08", "28", "3D", "53"}


def _mend(place: str, error: exc.DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()[0]
    return (
        f"the database {place} cannot be used: {said}. "
        "Check that it exists, has space, and that this user may write it, or give another in STEWARD_DATABASE_URL"
    )
