"""Whose turn it is in each pool, as the JSON the rotation gives and takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store.statements import insert_if_new, insert_into
from store.tables import pool_turns


class Turns:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, pool: str, lock: bool = True) -> Mapping[str, Any] | None:
        """A pool's state, None for a pool that never took a turn.

        With `lock`, nobody else loads it so until this transaction ends: two runs must not give out the same turn.
        """
        statement = select(pool_turns.c.state).where(pool_turns.c.pool == pool)
        if lock:  # an empty row first, so that there is something to lock on a pool's very first turn
            insert_if_new(self._connection, pool_turns, {"pool": pool, "version": 0}, unique=("pool",))
            statement = statement.with_for_update()
        state: Mapping[str, Any] | None = self._connection.execute(statement).scalar_one_or_none()
        return state

    def save(self, pool: str, state: Mapping[str, Any], now: datetime) -> None:
        """Replace a pool's state; `version` counts the changes."""
        statement = insert_into(self._connection, pool_turns)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["pool"],
                set_={
                    "state": statement.excluded.state,
                    "updated_at": statement.excluded.updated_at,
                    "version": pool_turns.c.version + 1,
                },
            ),
            {"pool": pool, "state": state, "updated_at": now, "version": 1},
        )
