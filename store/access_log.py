"""Who asked for what, and whether it was refused: one row for each request of a page or of the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, or_, select

from store.statements import insert, new_id
from store.tables import acceptance, access_log, dispute, exception_item, override_request

ALLOWED, REFUSED = "allowed", "refused"
OF_ACCOUNTS = (
    (acceptance.c.offer_id, acceptance.c.account_id),
    (override_request.c.override_id, override_request.c.account_id),
    (dispute.c.dispute_id, dispute.c.account_id),
    (exception_item.c.exception_id, exception_item.c.account_id),
)
"""What has an id of its own and is about an account."""


@dataclass(frozen=True, slots=True)
class Access:
    """One request. `who` is the id on the roster, else the address, "" for who had not logged in, whose `role` is
    "nobody". `route` is the name of what was asked for, `object_id` what the address named; what was searched for and
    what a form said is not kept."""

    at: datetime
    who: str
    role: str
    route: str
    object_id: str | None
    outcome: str
    token_id: str | None = None
    access_id: str = field(default_factory=new_id)


class AccessLog:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, accesses: Sequence[Access]) -> None:
        insert(self._connection, access_log, [asdict(each) for each in accesses])

    def recent(self, who: str | None, about: str | None, before: str | None, limit: int) -> list[Access]:
        """The latest, the newest first, from the one before the access `before`. With `who` only theirs, with `about`
        only those of this object; an account's are also those of its offers, overrides, disputes and exceptions."""
        columns = access_log.c
        statement = select(access_log)
        if who is not None:
            statement = statement.where(columns.who == who)
        if about is not None:
            statement = statement.where(_is_about(about))
        if before is not None:
            statement = statement.where(columns.access_id < before)
        rows = self._connection.execute(statement.order_by(columns.access_id.desc()).limit(limit))
        return [Access(**row._mapping) for row in rows]

    def forget(self, before: datetime) -> int:
        """Remove what is older; returns how many there were."""
        return self._connection.execute(delete(access_log).where(access_log.c.at < before)).rowcount


def _is_about(object_id: str) -> ColumnElement[bool]:
    asked = access_log.c.object_id
    of_account = (asked.in_(select(id_).where(account_id == object_id)) for id_, account_id in OF_ACCOUNTS)
    return or_(asked == object_id, *of_account)
