"""Notifications as people look through them: the newest first, a page at a time, all or those to some addresses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, func, select, text

from store.notifications import Notification, to_notification
from store.statements import is_among
from store.tables import notification

# Written out, as the indexes of what waits and what was refused are: a parameter would keep them from being used.
_IN_STATE = {state: text(f"notification.state = '{state}'") for state in ("pending", "sent", "refused")}
Emails = Collection[str] | None  # None: everybody's


class NoticeList:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, emails: Emails, state: str | None, channel: str | None, before: str | None, limit: int
    ) -> list[Notification]:
        """The newest notifications before the one with the id `before`."""
        columns = notification.c
        statement = self._to(select(notification), emails)
        if state is not None:
            statement = statement.where(_IN_STATE[state])
        if channel is not None:
            statement = statement.where(columns.channel == channel)
        if before is not None:
            statement = statement.where(columns.notification_id < before)
        rows = self._connection.execute(statement.order_by(columns.notification_id.desc()).limit(limit))
        return [to_notification(row) for row in rows]

    def not_delivered(self, emails: Emails) -> dict[str, int]:
        """How many wait and how many were refused, by state."""
        return {
            state: self._connection.execute(
                self._to(select(func.count()).select_from(notification), emails).where(_IN_STATE[state])
            ).scalar_one()
            for state in ("pending", "refused")
        }

    def get(self, notification_id: str) -> Notification | None:
        found = select(notification).where(notification.c.notification_id == notification_id)
        row = self._connection.execute(found).one_or_none()
        return to_notification(row) if row is not None else None

    def _to(self, statement: Select[Any], emails: Emails) -> Select[Any]:
        if emails is None:
            return statement
        return statement.where(is_among(self._connection, notification.c.email, emails))
