"""Answers of the API by the key a client gave its request, so that a repeat of it is answered alike and does nothing.

A request is taken before its work begins and its answer kept when that is done. One that was killed in between has no
answer, and may be done again once `ABANDONED_AFTER` has passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, update

from store.statements import insert_if_new
from store.tables import api_answer

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was asked under a key, and the answer; `status` None: it is being worked on."""

    request_hash: str
    status: int | None
    body: Any


class ApiAnswers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, token_id: str, key: str, request_hash: str, now: datetime) -> KeptAnswer | None:
        """Begin to work on a request; when its key was used in the last day, what came of that instead."""
        columns = api_answer.c
        old = columns.asked_at <= now - KEPT_FOR
        abandoned = columns.status.is_(None) & (columns.asked_at <= now - ABANDONED_AFTER)
        self._connection.execute(delete(api_answer).where(old | abandoned))
        row = {"token_id": token_id, "idem_key": key, "request_hash": request_hash, "asked_at": now}
        if insert_if_new(self._connection, api_answer, row, unique=("token_id", "idem_key")):
            return None
        kept = self._connection.execute(
            select(columns.request_hash, columns.status, columns.body).where(
                columns.token_id == token_id, columns.idem_key == key
            )
        ).one()
        return KeptAnswer(*kept)

    def keep(self, token_id: str, key: str, status: int, body: Any) -> None:
        """The answer to a request that was taken."""
        columns = api_answer.c
        self._connection.execute(
            update(api_answer)
            .where(columns.token_id == token_id, columns.idem_key == key)
            .values(status=status, body=body)
        )

    def leave(self, token_id: str, key: str) -> None:
        """The request was not answered: it may be sent again at once."""
        columns = api_answer.c
        self._connection.execute(
            delete(api_answer).where(columns.token_id == token_id, columns.idem_key == key, columns.status.is_(None))
        )
