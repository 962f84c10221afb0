"""Runs: every row written names the run that wrote it, and the run says what it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.engine import Row

from store.statements import select_in
from store.tables import pipeline_run


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run when it starts. `trigger` says what started it, `actor` who."""

    run_id: str
    flow: str
    flow_run_id: str | None
    deployment: str | None
    trigger: str
    actor: str
    code_version: str
    connector_versions: Mapping[str, str]
    policy_hash: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. `state` is running, or what `finish` said: completed, failed, or refused, when a person asked
    for what cannot be done and nothing was changed. One that was killed stays running."""

    run_id: str
    flow: str
    flow_run_id: str | None
    deployment: str | None
    trigger: str
    actor: str
    code_version: str
    connector_versions: Mapping[str, str]
    policy_hash: str | None
    state: str
    counts: Mapping[str, Any]
    started_at: datetime
    ended_at: datetime | None


class Runs:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def start(self, start: RunStart, now: datetime) -> None:
        self._connection.execute(
            pipeline_run.insert().values(**asdict(start), state="running", counts={}, started_at=now)
        )

    def finish(self, run_id: str, state: str, counts: Mapping[str, Any], now: datetime) -> None:
        """Note how a run ended. Raises `LookupError` for a run that never started."""
        result = self._connection.execute(
            update(pipeline_run).where(pipeline_run.c.run_id == run_id).values(state=state, counts=counts, ended_at=now)
        )
        if result.rowcount != 1:
            raise LookupError(f"no run {run_id} was started")

    def get(self, run_id: str) -> Run | None:
        row = self._connection.execute(select(pipeline_run).where(pipeline_run.c.run_id == run_id)).first()
        return _to_run(row) if row else None

    def get_many(self, run_ids: Iterable[str]) -> dict[str, Run]:
        """Runs by id; unknown ids are missing."""
        rows = select_in(self._connection, select(pipeline_run), pipeline_run.c.run_id, run_ids)
        return {row.run_id: _to_run(row) for row in rows}

    def recent(self, limit: int = 20) -> list[Run]:
        """The latest runs, newest first."""
        rows = self._connection.execute(
            select(pipeline_run).order_by(pipeline_run.c.started_at.desc(), pipeline_run.c.run_id.desc()).limit(limit)
        )
        return [_to_run(row) for row in rows]


def _to_run(row: Row[Any]) -> Run:
    return Run(**row._mapping)
