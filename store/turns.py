"""Whose turn it is in each pool, as the JSON the rotation gives and takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store.statements import insert_new, select_in, upsert
from store.tables import pool_turns


class Turns:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, pools: Iterable[str], lock: bool = True) -> dict[str, Mapping[str, Any]]:
        """The states of these pools; one that never took a turn is missing.

        With `lock`, nobody else loads them so until this transaction ends: two runs must not give out the same turn.
        Locks are taken by name, so that two runs wait for each other instead of deadlocking.
        """
        names = set(pools)
        statement = select(pool_turns.c.pool, pool_turns.c.state).order_by(pool_turns.c.pool)
        if lock:
            self._add_missing(names)
            statement = statement.with_for_update()
        rows = select_in(self._connection, statement, pool_turns.c.pool, names)
        return {row.pool: row.state for row in rows if row.state is not None}

    def save(self, states: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
        """Replace the states of these pools; `version` counts the changes."""
        rows = [{"pool": p, "state": state, "updated_at": now, "version": 1} for p, state in sorted(states.items())]
        upsert(self._connection, pool_turns, rows, add=("version",))

    def _add_missing(self, names: set[str]) -> None:
        """Give every pool a row, so that there is something to lock on its very first turn."""
        known = set(self._connection.execute(select(pool_turns.c.pool)).scalars())
        rows = [{"pool": pool, "version": 0} for pool in sorted(names - known)]
        insert_new(self._connection, pool_turns, rows, unique=("pool",))
