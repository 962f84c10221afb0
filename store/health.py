"""What key figures are worked out of, an account a row, and what became of accounts from one night to the next.

Renewed each night, some accounts at a time; a renewal that was cut short is finished by the next, which finds the rest
different from what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.engine import Row

from ownership.kpis.health import Health, Ownership
from store.statements import insert_new, select_in, upsert
from store.tables import OWNER_ROLE, account, account_health, account_outcome, ownership_current

COLUMNS = tuple(each.name for each in fields(Health))


@dataclass(frozen=True, slots=True)
class Seen:
    """A live account or lead as it is now, and as it was found last time (None: never)."""

    account_id: str
    kind: str
    first_seen_at: datetime
    fields: Mapping[str, Any]
    owned: Ownership
    before: Health | None


class HealthRows:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_accounts(self, after: str, limit: int) -> list[Seen]:
        """So many live accounts and leads with ids after this one, by id."""
        held, was = ownership_current.c, account_health.c
        owner = (held.account_id == account.c.account_id) & (held.role == OWNER_ROLE)
        statement = (
            select(
                *(account.c.account_id, account.c.kind, account.c.first_seen_at, account.c.fields),
                *(held.owner_id, held.valid_from),
                was.account_id.is_not(None).label("known"),
                *(was[name].label(f"was_{name}") for name in COLUMNS),
            )
            .outerjoin(ownership_current, owner)
            .outerjoin(account_health, was.account_id == account.c.account_id)
            .where(account.c.account_id > after, account.c.gone_at.is_(None))
            .order_by(account.c.account_id)
            .limit(limit)
        )
        rows = self._connection.execute(statement).all()
        supported = self._supported([row.account_id for row in rows])
        return [_to_seen(row, row.account_id in supported) for row in rows]

    def save(self, found: Sequence[Health]) -> None:
        """Keep what accounts are like now."""
        upsert(self._connection, account_health, [{name: getattr(each, name) for name in COLUMNS} for each in found])

    def add_outcomes(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep what became of accounts; rows are columns of `account_outcome`. One of each kind a day."""
        insert_new(self._connection, account_outcome, rows, unique=("account_id", "day", "outcome"))

    def forget_gone(self) -> int:
        """Leave out what is in no system any more; returns how many that were."""
        gone = select(account.c.account_id).where(account.c.gone_at.is_not(None))
        return self._connection.execute(delete(account_health).where(account_health.c.account_id.in_(gone))).rowcount

    def _supported(self, account_ids: Sequence[str]) -> set[str]:
        """Those for which somebody fills a supporting role."""
        columns = ownership_current.c
        statement = select(columns.account_id).where(columns.role != OWNER_ROLE, columns.owner_id.is_not(None))
        return {row.account_id for row in select_in(self._connection, statement, columns.account_id, account_ids)}


def _to_seen(row: Row[Any], supported: bool) -> Seen:
    values = row._mapping
    before = Health(**{name: values[f"was_{name}"] for name in COLUMNS}) if row.known else None
    since = row.valid_from if row.owner_id else None
    owned = Ownership(row.owner_id, since, supported)
    return Seen(row.account_id, row.kind, row.first_seen_at, row.fields, owned, before)
