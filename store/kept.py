"""Accounts that somebody has had for a while: read some at a time, for what depends on how long that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, null, select

from ownership.model import ACCOUNT
from store.tables import OWNER_ROLE, account, ownership_current


@dataclass(frozen=True, slots=True)
class Kept:
    """A live account, and who has owned it since when."""

    account_id: str
    owner_id: str
    since: datetime
    fields: Mapping[str, Any]


class KeptAccounts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def since(self, before: datetime, after: str, limit: int) -> list[Kept]:
        """So many accounts with ids after this one, by id, that have had their owner since `before` or longer. What is
        lent for a time only is not among them, nor are leads."""
        held = ownership_current.c
        statement = (
            select(account.c.account_id, held.owner_id, held.valid_from, account.c.fields)
            .join(ownership_current, (held.account_id == account.c.account_id) & (held.role == OWNER_ROLE))
            .where(account.c.account_id > after, account.c.gone_at.is_(None), account.c.kind == ACCOUNT)
            .where(held.owner_id.is_not(None), held.valid_from <= before, held.afterwards.is_(null()))
            .order_by(account.c.account_id)
            .limit(limit)
        )
        return [Kept(*row) for row in self._connection.execute(statement)]

    def lent(self) -> list[str]:
        """The accounts that somebody has for a time only, by id."""
        held = ownership_current.c
        lent = select(held.account_id).where(held.role == OWNER_ROLE, held.afterwards.is_not(null()))
        return list(self._connection.execute(lent.order_by(held.account_id)).scalars())
