"""Notifications: messages to people, queued in the transaction that made them necessary.

A notification is about one offer, or about something else in a few lines. What is told together is one message of the
vendor's, under one `message_key`, which is settled before it is sent: a repeat says the same under the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select, text, update
from sqlalchemy.engine import Row

from store.offers import OFFERED
from store.statements import count_by, insert_new, is_among, new_id, select_in
from store.tables import acceptance, notification

STATES = ("pending", "sent", "refused")
ENDED = STATES[1:]
SLACK = "slack"
# Written out, as the index of such messages is: a parameter would keep it from being used.
_IS_ANSWERABLE = text("answerable")


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A message to be queued. `offer_id` is the offer it asks to answer."""

    dedup_key: str
    email: str
    subject: str
    lines: tuple[str, ...]
    channel: str = SLACK
    offer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one address. `dedup_key` lets the vendor drop a second delivery.

    `message_key` is that of the message it is told in, "" while none is settled; `message_id` is the vendor's name of
    it once it is sent. `error` is the vendor's word when it was refused, or has to wait, until `not_before` if it says.
    `attempts` counts how often it was tried, without those when the vendor took nothing from anybody.
    """

    notification_id: str
    dedup_key: str
    email: str
    subject: str
    lines: tuple[str, ...]
    attempts: int
    channel: str
    offer_id: str | None
    message_key: str
    message_id: str
    state: str
    error: str
    created_at: datetime
    settled_at: datetime | None
    not_before: datetime | None


class Notifications:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, messages: Sequence[NewNotification], now: datetime) -> None:
        """Queue messages; one whose key was queued before is left alone."""
        rows = [
            {
                "notification_id": new_id(),
                "dedup_key": message.dedup_key,
                "email": message.email,
                "subject": message.subject,
                "lines": list(message.lines),
                "state": "pending",
                "attempts": 0,
                "error": "",
                "created_at": now,
                "channel": message.channel,
                "offer_id": message.offer_id,
            }
            for message in messages
        ]
        insert_new(self._connection, notification, rows, unique=("dedup_key",))

    def known_among(self, dedup_keys: Iterable[str]) -> set[str]:
        """Those of these keys that were queued before."""
        column = notification.c.dedup_key
        return {row.dedup_key for row in select_in(self._connection, select(column), column, dedup_keys)}

    def pending(
        self, channels: Iterable[str] | None = None, now: datetime | None = None, *, lock: bool = False
    ) -> list[Notification]:
        """Messages to be delivered (over these channels only, when given; those that may be tried `now`, when given),
        oldest first. With `lock`, nobody else says what they are told together with until the transaction ends."""
        statement = select(notification).where(text("state = 'pending'"))
        if lock:
            statement = statement.with_for_update()
        if channels is not None:
            statement = statement.where(notification.c.channel.in_(sorted(channels)))
        if now is not None:
            until = notification.c.not_before
            statement = statement.where(or_(until.is_(None), until <= now))
        return self._read(statement)

    def not_delivered(self, limit: int = 500) -> list[Notification]:
        """What was refused, and what waits, the latest first."""
        refused = select(notification).where(text("state = 'refused'"))
        waiting = select(notification).where(text("state = 'pending'"))
        latest = notification.c.notification_id.desc()
        found = [
            to_notification(row)
            for statement in (refused, waiting)
            for row in self._connection.execute(statement.order_by(latest).limit(limit))
        ]
        return sorted(found, key=lambda message: message.notification_id, reverse=True)[:limit]

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are by channel and state."""
        return count_by(self._connection, notification.c.channel, notification.c.state)

    def tell_together(self, notification_ids: Sequence[str], message_key: str) -> None:
        """From now on these are one message, also when it has to be sent again."""
        self._update(notification_ids, message_key=message_key)

    def claim(self, notification_ids: Sequence[str], now: datetime, until: datetime) -> bool:
        """Have this message to oneself until then, or until it is settled or put off; False when somebody else has it,
        or all of it is told by now."""
        columns = notification.c
        these = is_among(self._connection, columns.notification_id, notification_ids)
        is_free = or_(columns.not_before.is_(None), columns.not_before <= now)
        claimed = update(notification).where(these, text("state = 'pending'"), is_free).values(not_before=until)
        return self._connection.execute(claimed).rowcount > 0

    def settle(
        self, notification_ids: Sequence[str], state: str, error: str, now: datetime, message_id: str = ""
    ) -> None:
        """Say what became of messages: sent, or refused for good with the vendor's reason."""
        if state not in ENDED:
            raise ValueError(f"'{state}' is no end of a notification; there are {', '.join(ENDED)}")
        self._update(
            notification_ids,
            state=state,
            error=error,
            attempts=notification.c.attempts + 1,
            settled_at=now,
            not_before=None,
            **({"message_id": message_id} if message_id else {}),
        )

    def put_off(self, notification_ids: Sequence[str], error: str, not_before: datetime | None) -> None:
        """They stay pending, with the vendor's reason. `not_before` is when these may be tried again; None when it is
        the vendor that takes nothing, which counts as no attempt."""
        tried = notification.c.attempts + (0 if not_before is None else 1)
        self._update(notification_ids, error=error, attempts=tried, not_before=not_before)

    def try_again(self, message_key: str | None = None) -> int:
        """What was refused is sent once more, and what was put off waits no longer; returns how many notifications that
        is. With a `message_key` only those of that message, which is always sent whole."""
        anew = {"state": "pending", "error": "", "settled_at": None, "attempts": 0, "not_before": None}
        again = update(notification).where(text("(state = 'refused' OR state = 'pending' AND not_before IS NOT NULL)"))
        if message_key is not None:
            again = again.where(notification.c.message_key == message_key)
        return self._connection.execute(again.values(anew)).rowcount

    # --- messages that can be answered where they are ---

    def set_answerable(self, notification_ids: Sequence[str], answerable: bool) -> None:
        """Whether the message as the vendor shows it has buttons for these."""
        self._update(notification_ids, answerable=answerable)

    def with_ended_offers(self, limit: int = 1000) -> list[str]:
        """Messages, by the vendor's name, that show buttons for offers which have ended since."""
        ended = (
            select(notification.c.message_id)
            .join(acceptance, acceptance.c.offer_id == notification.c.offer_id)
            .where(_IS_ANSWERABLE, acceptance.c.state != OFFERED, notification.c.message_id.is_not(None))
            .distinct()
            .limit(limit)
        )
        return sorted(self._connection.execute(ended).scalars())

    def of_offer(self, offer_id: str) -> list[str]:
        """Messages, by the vendor's name, that show buttons for this offer."""
        shown = select(notification.c.message_id).where(_IS_ANSWERABLE, notification.c.offer_id == offer_id).distinct()
        return sorted(self._connection.execute(shown).scalars())

    def of_message(self, message_id: str) -> list[Notification]:
        """What one message of the vendor's says, in order."""
        return self._read(select(notification).where(notification.c.message_id == message_id))

    def _read(self, statement: Any) -> list[Notification]:
        rows = self._connection.execute(statement.order_by(notification.c.notification_id))
        return [to_notification(row) for row in rows]

    def _update(self, notification_ids: Sequence[str], **values: Any) -> None:
        these = is_among(self._connection, notification.c.notification_id, notification_ids)
        self._connection.execute(update(notification).where(these).values(values))


def to_notification(row: Row[Any]) -> Notification:
    """A row of the table as it is read."""
    return Notification(
        row.notification_id,
        row.dedup_key,
        row.email,
        row.subject,
        tuple(row.lines),
        row.attempts,
        row.channel,
        row.offer_id,
        row.message_key or "",
        row.message_id or "",
        row.state,
        row.error,
        row.created_at,
        row.settled_at,
        row.not_before,
    )
