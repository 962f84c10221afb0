"""The open exceptions as people look through them: a page at a time, and how many there are of each kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, false, func, not_, or_, select, text

from store.exceptions import ExceptionItem
from store.tables import OWNER_ROLE, account, exception_item, ownership_current

_IS_OPEN = text("exception_item.state = 'open'")  # written out, as the indexes of open items are


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open items: of these kinds, first seen by then, of accounts these reps own (None: all). `asleep` for those
    that are snoozed, in place of the others; of one account all are wanted, snoozed or not.
    Also those of the kinds `fallen` of accounts whose owner is not among `managed`."""

    kinds: Collection[str] | None = None
    seen_by: datetime | None = None
    owners: Collection[str] | None = None
    asleep: bool = False
    account_id: str | None = None
    fallen: Collection[str] = ()
    managed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An open item with its account's name and owner of record, where it has them."""

    item: ExceptionItem
    account_name: str | None
    owner_id: str | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """How many items of a kind are open, and how many of these are snoozed."""

    open: int
    asleep: int


class ExceptionPages:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, wanted: Wanted, after: str | None, limit: int, now: datetime) -> list[ShownItem]:
        """The oldest first, from the one after the item `after`, so that what was settled meanwhile shifts nothing."""
        columns = exception_item.c
        statement = _with_account(
            select(exception_item, account.c.name.label("account_name"), ownership_current.c.owner_id)
        ).where(_IS_OPEN)
        if wanted.account_id is None:
            statement = statement.where(_is_asleep(now) if wanted.asleep else not_(_is_asleep(now)))
        else:
            statement = statement.where(columns.account_id == wanted.account_id)
        if wanted.kinds is not None:
            statement = statement.where(or_(columns.kind.in_(sorted(wanted.kinds)), _has_fallen(wanted)))
        if wanted.seen_by is not None:
            statement = statement.where(columns.first_seen_at <= wanted.seen_by)
        if wanted.owners is not None:
            statement = statement.where(ownership_current.c.owner_id.in_(sorted(wanted.owners)))
        if after is not None:
            statement = statement.where(columns.exception_id > after)
        rows = self._connection.execute(statement.order_by(columns.exception_id).limit(limit))
        return [_to_shown(dict(row._mapping)) for row in rows]

    def get(self, exception_id: str) -> ShownItem | None:
        """One item, open or closed."""
        statement = _with_account(
            select(exception_item, account.c.name.label("account_name"), ownership_current.c.owner_id)
        ).where(exception_item.c.exception_id == exception_id)
        row = self._connection.execute(statement).first()
        return _to_shown(dict(row._mapping)) if row else None

    def counts(self, owners: Collection[str] | None, now: datetime) -> Mapping[str, KindCount]:
        """Open items by kind; with `owners`, only of accounts they own."""
        kind, asleep = exception_item.c.kind, func.sum(case((_is_asleep(now), 1), else_=0))
        statement = select(kind, func.count(), asleep).where(_IS_OPEN).group_by(kind).order_by(kind)
        if owners is not None:  # an inner join, which a database may begin at their accounts
            current = ownership_current.c
            statement = statement.join(ownership_current, current.account_id == exception_item.c.account_id)
            statement = statement.where(current.role == OWNER_ROLE, current.owner_id.in_(sorted(owners)))
        return {name: KindCount(count, slept) for name, count, slept in self._connection.execute(statement)}


def _with_account(statement: Select[Any]) -> Select[Any]:
    current = ownership_current.c
    is_owner = and_(current.account_id == exception_item.c.account_id, current.role == OWNER_ROLE)
    return statement.outerjoin(account, account.c.account_id == exception_item.c.account_id).outerjoin(
        ownership_current, is_owner
    )


def _has_fallen(wanted: Wanted) -> ColumnElement[bool]:
    owner = ownership_current.c.owner_id
    is_managed = and_(owner.is_not(None), owner.in_(sorted(wanted.managed)))
    return and_(exception_item.c.kind.in_(sorted(wanted.fallen)), not_(is_managed)) if wanted.fallen else false()


def _is_asleep(now: datetime) -> ColumnElement[bool]:
    return and_(exception_item.c.snoozed_until.is_not(None), exception_item.c.snoozed_until > now)


def _to_shown(row: dict[str, Any]) -> ShownItem:
    name, owner = row.pop("account_name"), row.pop("owner_id")
    return ShownItem(ExceptionItem(**row), name, owner)
