"""A real process killed for real: at every statement, every commit and every call of a vendor, on a real database.

The job of a process is to pull what was asked for, record the owners and push them. The vendor outlives the process:
its writes are lines of a journal, from which the next process's vendor begins. What must hold afterwards is in
`problems`.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, select, text

from connectors.base import ObservedOwner, OwnerChange, OwnerResult, WriteOutcome
from connectors.memory import MemorySource, MemoryTarget
from connectors.registry import Connectors
from store.engine import Store, open_store
from store.tables import outbox
from tasks.context import RunContext
from tasks.pull import pull_stream
from tasks.push import push_target
from tests.simulation.company import (
    ACCOUNTS,
    CRM,
    POLICY,
    REPS,
    SETTINGS,
    USERS,
    Record,
    found,
    owners_asked_for,
    record_at_once,
)
from tests.simulation.scheduler import START

ASKED = dict(zip(ACCOUNTS, (*REPS, REPS[0]), strict=True))


class Failpoints:
    """Counts the places a process passes, and kills it at one of them, without a chance to tidy up."""

    def __init__(self, die_at: int | None = None) -> None:
        self.passed = 0
        self._die_at = die_at

    def reach(self) -> None:
        self.passed += 1
        if self.passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, store: Store) -> None:
        """Before each statement, and before and after each commit."""
        dialect = store._engine.dialect
        commit = dialect.do_commit

        def stepped(connection: Any) -> None:
            self.reach()
            commit(connection)
            self.reach()

        dialect.do_commit = stepped  # type: ignore[method-assign]
        event.listen(store._engine, "before_cursor_execute", lambda *_: self.reach())


class JournaledTarget(MemoryTarget):
    """A vendor that keeps its writes in a file, and passes a failpoint before and after each call."""

    def __init__(self, source: MemorySource, journal: Path, failpoints: Failpoints) -> None:
        super().__init__(source, USERS, write_batch=2)
        self._journal = journal
        self._failpoints = failpoints
        for remote_id, owner_id in written(journal):
            source.put("accounts", remote_id, {"owner_external_id": owner_id}, by="steward")

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        return self._stepped(lambda: MemoryTarget.read_owners(self, remote_ids, object_type))

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        (result,) = self._stepped(lambda: self._kept([change], [MemoryTarget.update_owner_if(self, change, version)]))
        return result

    def _write_batch(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        return self._stepped(lambda: self._kept(batch, MemoryTarget._write_batch(self, batch)))

    def _kept(self, batch: Sequence[OwnerChange], results: list[OwnerResult]) -> list[OwnerResult]:
        done = [change for change, each in zip(batch, results, strict=True) if each.outcome is WriteOutcome.WRITTEN]
        lines = "".join(f"{change.remote_id} {change.owner_id}\n" for change in done)
        handle = os.open(self._journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, lines.encode())  # one call: a killed process leaves all of it or nothing
        os.close(handle)
        return results

    def _stepped(self, call: Callable[[], Any]) -> Any:
        self._failpoints.reach()
        result = call()
        self._failpoints.reach()
        return result


@dataclass(frozen=True)
class Plant:
    """Where one trial takes place. Each process after the first begins ten minutes later, when leases have run out."""

    url: str
    journal: Path
    record: Record = record_at_once

    def prepare(self) -> None:
        store = open_store(self.url)
        found(store, MemorySource(CRM, ("accounts",)), START)
        store.close()

    def work(self, number: int, failpoints: Failpoints) -> None:
        """What one process does from its start to its end."""
        store = open_store(self.url)
        with _counted(store, failpoints):
            now = [START + timedelta(minutes=10 * number)]
            crm, asks = MemorySource(CRM, ("accounts",)), MemorySource("asks", ("accounts",), page_size=2)
            for account_id, rep in ASKED.items():
                crm.put("accounts", account_id, {"name": account_id, "owner_external_id": None})
                asks.put("accounts", account_id, {"name": account_id, "wanted": rep})
            connectors = Connectors({"asks": asks}, {CRM: JournaledTarget(crm, self.journal, failpoints)})

            def sleep(seconds: float) -> None:
                now[0] += timedelta(seconds=seconds)

            context = RunContext(
                SETTINGS, store, connectors, POLICY, run_id=f"run-{number}", clock=lambda: now[0], sleep=sleep
            )
            pull_stream(context, "asks", "accounts")
            if batch := owners_asked_for(context):
                self.record(context, batch)
            push_target(context, CRM)

    def killed(self, number: int, die_at: int) -> bool:
        """Run a process that is killed at its `die_at`-th failpoint; False when it finished before."""
        child = os.fork()
        if child == 0:
            try:
                self.work(number, Failpoints(die_at))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, f"the process broke before its failpoint {die_at}"
        return False


@contextmanager
def _counted(store: Store, failpoints: Failpoints) -> Iterator[None]:
    failpoints.watch(store)
    try:
        yield
    finally:
        store.close()


def written(journal: Path) -> list[tuple[str, str]]:
    """What the vendor was made to show, in order: record and user."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return [(remote_id, owner_id) for remote_id, owner_id in (line.split() for line in lines)]


def problems(plant: Plant) -> list[str]:
    """What is not as if nothing had happened: the file, the ledger, the outbox, what the vendor shows and was sent."""
    store, found_problems = open_store(plant.url), []
    shown, writes = dict(written(plant.journal)), written(plant.journal)
    with store.transaction(readonly=True) as work:
        connection = work._connection
        if not _is_sound(connection):
            found_problems.append("the file is damaged")
        owners = {account_id: current.owner_id for account_id, current in work.ledger.current().items()}
        seqs = {account_id: [row.seq for row in work.ledger.history(account_id)] for account_id in owners}
        states = [row.state for row in connection.execute(select(outbox.c.state))]
        if owners != ASKED:
            found_problems.append(f"owners are {owners}")
        if any(numbers != [1] for numbers in seqs.values()) or work.ledger.verify():
            found_problems.append(f"the ledger is not one row each: {seqs}")
        if states != ["confirmed"] * len(ASKED):
            found_problems.append(f"the outbox ended as {states}")
        if work.ledger.rebuild_current() != work.ledger.current():
            found_problems.append("current owners are not what the ledger says")
    if shown != {account_id: f"u-{rep}" for account_id, rep in ASKED.items()}:
        found_problems.append(f"the vendor shows {shown}")
    if len(writes) != len(set(writes)):
        found_problems.append(f"written twice: {writes}")
    store.close()
    return found_problems


def _is_sound(connection: Connection) -> bool:
    if connection.dialect.name != "sqlite":
        return True
    return bool(connection.execute(text("PRAGMA integrity_check")).scalar() == "ok")
