"""Lists read a page at a time: books, offers, exceptions and drift.

A page begins after the last id of the one before it, so that rows added or gone meanwhile make none come twice.
`owners` None means everybody's; an empty list nobody's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select

from ownership.model import ACCOUNT
from store.drift import DriftEvent
from store.exceptions import OPEN, ExceptionItem
from store.offers import Offer
from store.tables import OWNER_ROLE, acceptance, account, drift_event, exception_item, ownership_current

Owners = Collection[str] | None


@dataclass(frozen=True, slots=True)
class BookEntry:
    """One account of a book: since when it is its owner's, and the state of its offer, or "not_asked"."""

    account_id: str
    name: str
    since: datetime
    acceptance_state: str


class Listings:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def book(self, owner_id: str, after: str | None, limit: int) -> list[BookEntry]:
        """The accounts this rep owns, by name, from the one after the account `after`. Leads are in nobody's book."""
        current = ownership_current.c
        statement = (
            select(account.c.account_id, account.c.name, current.valid_from, current.acceptance_state)
            .join(account, account.c.account_id == current.account_id)
            .where(current.owner_id == owner_id, current.role == OWNER_ROLE)
            .where(account.c.kind == ACCOUNT, account.c.gone_at.is_(None))
        )
        if after is not None:
            name = select(account.c.name).where(account.c.account_id == after).scalar_subquery()
            later = and_(account.c.name == name, account.c.account_id > after)
            statement = statement.where(or_(account.c.name > name, later))
        rows = self._connection.execute(statement.order_by(account.c.name, account.c.account_id).limit(limit))
        return [BookEntry(*row) for row in rows]

    def offers(self, state: str | None, owners: Owners, after: str | None, limit: int) -> list[Offer]:
        """Offers in this state (all when None) made to these reps, the first made first."""
        columns = acceptance.c
        statement = select(*(columns[name] for name in Offer.__dataclass_fields__))
        if state is not None:
            statement = statement.where(columns.state == state)
        rows = self._page(statement, columns.offer_id, columns.owner_id, owners, after)
        return [Offer(*row) for row in self._connection.execute(rows.order_by(columns.offer_id).limit(limit))]

    def exceptions(self, kind: str | None, owners: Owners, after: str | None, limit: int) -> list[ExceptionItem]:
        """What is open, the oldest first. With `owners`, only of accounts they own."""
        columns, current = exception_item.c, ownership_current.c
        statement = select(exception_item).where(columns.state == OPEN)
        if kind is not None:
            statement = statement.where(columns.kind == kind)
        if owners is not None:
            is_theirs = and_(current.account_id == columns.account_id, current.role == OWNER_ROLE)
            statement = statement.join(ownership_current, is_theirs)
        rows = self._page(statement, columns.exception_id, current.owner_id, owners, after)
        found = self._connection.execute(rows.order_by(columns.exception_id).limit(limit))
        return [ExceptionItem(**row._mapping) for row in found]

    def drift(self, target: str | None, owners: Owners, before: str | None, limit: int) -> list[DriftEvent]:
        """Drift events, the newest first, from the one before the event `before`. With `owners`, only of records that
        should have shown one of them."""
        columns = drift_event.c
        statement = select(drift_event)
        if target is not None:
            statement = statement.where(columns.target == target)
        if owners is not None:
            statement = statement.where(columns.expected_owner.in_(sorted(owners)))
        if before is not None:
            statement = statement.where(columns.drift_id < before)
        found = self._connection.execute(statement.order_by(columns.drift_id.desc()).limit(limit))
        return [DriftEvent(**row._mapping) for row in found]

    @staticmethod
    def _page(statement: Select[Any], id_: Any, owner: Any, owners: Owners, after: str | None) -> Select[Any]:
        if owners is not None:
            statement = statement.where(owner.in_(sorted(owners)))
        return statement if after is None else statement.where(id_ > after)
