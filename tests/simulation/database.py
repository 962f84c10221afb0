"""The database in the storm: the real store, overtaken around each transaction, and a fresh one for each seed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

from store.engine import Store, open_store
from store.errors import StoreBusy, StoreUnavailable
from store.outbox import Outbox, OutboxRow
from store.recording import Recording, RecordSummary
from store.unit_of_work import UnitOfWork
from tests.simulation.scheduler import Scheduler
from tests.simulation.watch import Watch

DATABASE_AWAY = 0.01  # how likely at each transaction


class WatchedOutbox(Outbox):
    """Notes what was claimed, once the transaction is through."""

    def __init__(self, connection: Connection, claimed: list[OutboxRow]) -> None:
        super().__init__(connection)
        self._claimed = claimed

    def claim(self, target: str, limit: int, worker: str, lease_s: float, now: datetime) -> list[OutboxRow]:
        rows = super().claim(target, limit, worker, lease_s, now)
        self._claimed.extend(rows)
        return rows


class WatchedWork(UnitOfWork):
    """A unit of work the watch looks into."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.claimed: list[OutboxRow] = []
        self.recorded: set[str] = set()
        self.outbox = WatchedOutbox(connection, self.claimed)

    def record(self, batch: Sequence[Recording], run_id: str, now: datetime) -> RecordSummary:
        self.recorded |= {each.decision.account_id for each in batch}
        return super().record(batch, run_id, now)


class StormyStore(Store):
    """The real store, overtaken before and after each transaction, and now and then away; nothing interrupts it within,
    as a transaction that does not commit is as good as one that never began."""

    def __init__(self, engine: Engine, place: str, clock: Scheduler, watch: Watch) -> None:
        super().__init__(engine, place)
        self._clock = clock
        self._watch = watch

    @contextmanager
    def transaction(self, readonly: bool = False) -> Iterator[UnitOfWork]:
        self._clock.give_way("before a transaction")
        self._may_be_away("database busy", StoreBusy)
        with self._connected(readonly) as connection:
            work = WatchedWork(connection)
            self._watch.in_transaction = True
            try:
                yield work
                heads = work.ledger.current(work.recorded) if work.recorded else {}
            finally:
                self._watch.in_transaction = False
        self._watch.claimed(work.claimed)
        for account_id, head in heads.items():
            self._watch.has_owner(account_id, head.seq)
        if not readonly:
            self._may_be_away("cut while committing", StoreUnavailable)
        self._clock.give_way("after a transaction")

    def _may_be_away(self, fault: str, error: type[Exception]) -> None:
        if self._clock.worker() and self._clock.stormy and self._clock.dice.random() < DATABASE_AWAY:
            self._clock.faults[fault] += 1
            raise error(fault)


class SqliteArena:
    """One engine and one file for all seeds: a migrated file is copied over it, and prepared statements stay known."""

    def __init__(self, folder: Path) -> None:
        self._template, self._file = folder / "template.db", folder / "simulated.db"
        made = open_store(f"sqlite:///{self._template}")
        made.migrate()
        made.close()
        self._engine = open_store(f"sqlite:///{self._file}")._engine
        event.listen(self._engine, "connect", _without_fsync)

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        self._engine.dispose()
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        shutil.copy(self._template, self._file)
        yield self._engine

    def close(self) -> None:
        self._engine.dispose()


class PostgresArena:
    """A database of its own for each seed."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        with self._server.database() as url:
            store = open_store(url)
            yield store._engine
            store.close()


Arena = SqliteArena | PostgresArena


def _without_fsync(connection: Any, _record: object) -> None:
    """No power fails here: what a crash leaves is the same, and a seed costs a tenth."""
    connection.execute("PRAGMA synchronous = OFF")
