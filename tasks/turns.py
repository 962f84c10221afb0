"""The pools' turns between the store, which keeps them as JSON, and the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ownership.policy import Policy
from ownership.rotation import PoolTurns
from store.unit_of_work import UnitOfWork


def load_turns(uow: UnitOfWork, policy: Policy, *, lock: bool) -> dict[str, PoolTurns]:
    """Every pool's turns; with `lock`, nobody else takes any until the transaction ends."""
    stored = uow.turns.load([pool.id for pool in policy.pools], lock)
    return {
        pool.id: PoolTurns.from_json(stored[pool.id]) if pool.id in stored else PoolTurns() for pool in policy.pools
    }


def save_turns(uow: UnitOfWork, before: Mapping[str, PoolTurns], after: Mapping[str, PoolTurns], now: datetime) -> None:
    """Store the pools that took turns."""
    uow.turns.save({pool: turns.to_json() for pool, turns in after.items() if turns != before.get(pool)}, now)
