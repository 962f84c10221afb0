"""The books of owners, a page at a time: the live accounts and leads that are theirs, by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, tuple_

from store.tables import OWNER_ROLE, account, ownership_current


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One account or lead of somebody's, and since when. `acceptance_state` is the offer's state, or "not_asked"."""

    account_id: str
    name: str
    kind: str
    since: datetime
    acceptance_state: str


class Books:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, owner_id: str, after: tuple[str, str] | None, limit: int) -> list[BookEntry]:
        """The next entries of a book by name and id, those that come `after` a name and id when given."""
        columns, current = account.c, ownership_current.c
        statement = (
            select(columns.account_id, columns.name, columns.kind, current.valid_from, current.acceptance_state)
            .join(ownership_current, current.account_id == columns.account_id)
            .where(current.owner_id == owner_id, current.role == OWNER_ROLE, columns.gone_at.is_(None))
            .order_by(columns.name, columns.account_id)
            .limit(limit)
        )
        if after:
            statement = statement.where(tuple_(columns.name, columns.account_id) > after)
        return [BookEntry(*row) for row in self._connection.execute(statement)]

    def sizes(self, owner_id: str) -> dict[str, int]:
        """How many live accounts and leads they own, by kind."""
        columns, current = account.c, ownership_current.c
        statement = (
            select(columns.kind, func.count())
            .join(ownership_current, current.account_id == columns.account_id)
            .where(current.owner_id == owner_id, current.role == OWNER_ROLE, columns.gone_at.is_(None))
            .group_by(columns.kind)
        )
        return {kind: count for kind, count in self._connection.execute(statement)}
