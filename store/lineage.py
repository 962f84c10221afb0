"""Lineage: from what an outside record shows back to everything that made it so. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.outbox import AttemptResult
from store.statements import select_in
from store.tables import outbox, push_attempt


@dataclass(frozen=True, slots=True)
class Attempt(AttemptResult):
    """One try to tell a system; `fence` counts the claims of the outbox row."""

    fence: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One outbox row of a record with all its tries, oldest first. Owners are rep ids."""

    outbox_id: str
    ref: Ref
    account_id: str
    role: str
    seq: int
    ledger_id: str
    desired_owner: str
    expected_remote_owner: str | None
    state: str
    run_id: str
    recorded_at: datetime
    done_at: datetime | None
    attempts: tuple[Attempt, ...] = ()


class Lineage:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sent(self, account_id: str) -> list[Sent]:
        """Everything ever queued for the account's records, oldest first."""
        rows = self._connection.execute(
            select(outbox).where(outbox.c.account_id == account_id).order_by(outbox.c.outbox_id)
        ).all()
        tries = self._attempts(row.outbox_id for row in rows)
        return [_to_sent(row, tries.get(row.outbox_id, ())) for row in rows]

    def _attempts(self, outbox_ids: Iterable[str]) -> Mapping[str, Sequence[Attempt]]:
        found: dict[str, list[Attempt]] = defaultdict(list)
        statement = select(push_attempt).order_by(push_attempt.c.outbox_id, push_attempt.c.fence)
        for row in select_in(self._connection, statement, push_attempt.c.outbox_id, outbox_ids):
            found[row.outbox_id].append(_to_attempt(row))
        return found


def _to_attempt(row: Row[Any]) -> Attempt:
    names = Attempt.__dataclass_fields__
    return Attempt(**{name: getattr(row, name) for name in names})


def _to_sent(row: Row[Any], attempts: Sequence[Attempt]) -> Sent:
    return Sent(
        outbox_id=row.outbox_id,
        ref=Ref(row.target, row.object_type, row.remote_id),
        account_id=row.account_id,
        role=row.role,
        seq=row.seq,
        ledger_id=row.ledger_id,
        desired_owner=row.desired_owner,
        expected_remote_owner=row.expected_remote_owner,
        state=row.state,
        run_id=row.run_id,
        recorded_at=row.recorded_at,
        done_at=row.done_at,
        attempts=tuple(attempts),
    )
