"""Whether each system is being pushed to: paused by a person, or left alone for a while after it failed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from store.statements import upsert
from store.tables import target_state

PAUSE = ("paused_at", "paused_because")


@dataclass(frozen=True, slots=True)
class TargetState:
    """One system. `failures` counts those in a row of the system as a whole; it is not asked again before `retry_at`.
    `stopped` says that `problem` needs a person."""

    target: str
    paused_at: datetime | None = None
    paused_because: str = ""
    failures: int = 0
    problem: str = ""
    stopped: bool = False
    retry_at: datetime | None = None


class Targets:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, target: str) -> TargetState:
        """How a system stands; of one that never failed and was never paused, that."""
        row = self._connection.execute(select(target_state).where(target_state.c.target == target)).first()
        return TargetState(**row._mapping) if row else TargetState(target)

    def put_failures(self, state: TargetState) -> None:
        """Keep how often a system failed. Whether it is paused stays: somebody may have said so since it was read."""
        upsert(self._connection, target_state, [asdict(state)], keep=PAUSE)

    def put_pause(self, target: str, at: datetime | None, because: str) -> None:
        """Pause a system, or None for `at`: do so no longer. How often it failed stays."""
        state = asdict(TargetState(target, at, because))
        upsert(self._connection, target_state, [state], keep=[name for name in state if name not in PAUSE])
