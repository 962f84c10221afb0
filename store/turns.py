"""Whose turn it is in each pool, as the JSON the rotation gives and takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from store.statements import insert_into, insert_new, select_in
from store.tables import pool_turns


class Turns:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, pools: Iterable[str], lock: bool = True) -> dict[str, Mapping[str, Any]]:
        """The states of these pools; one that never took a turn is missing.

        With `lock`, nobody else loads them so until this transaction ends: two runs must not give out the same turn.
        Locks are taken by name, so that two runs wait for each other instead of deadlocking.
        """
        names = sorted(set(pools))
        statement = select(pool_turns.c.pool, pool_turns.c.state).order_by(pool_turns.c.pool)
        if lock:  # an empty row first, so that there is something to lock on a pool's very first turn
            insert_new(self._connection, pool_turns, [{"pool": p, "version": 0} for p in names], unique=("pool",))
            statement = statement.with_for_update()
        rows = select_in(self._connection, statement, pool_turns.c.pool, names)
        return {row.pool: row.state for row in rows if row.state is not None}

    def save(self, states: Mapping[str, Mapping[str, Any]], now: datetime) -> None:
        """Replace the states of these pools; `version` counts the changes."""
        statement = insert_into(self._connection, pool_turns)
        rows = [
            {"pool": pool, "state": state, "updated_at": now, "version": 1} for pool, state in sorted(states.items())
        ]
        if rows:
            self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["pool"],
                    set_={
                        "state": statement.excluded.state,
                        "updated_at": statement.excluded.updated_at,
                        "version": pool_turns.c.version + 1,
                    },
                ),
                rows,
            )
