"""Offers: an owner is asked to accept an account. One terminal answer each, whoever gives it first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.engine import Row

from store.statements import new_id
from store.tables import OWNER_ROLE, acceptance, ownership_current

OFFERED = "offered"
ANSWERS = ("accepted", "declined", "expired", "superseded")


@dataclass(frozen=True, slots=True)
class Offer:
    """One question to one owner. `escalation_level` 0 is the first owner asked, each escalation adds one."""

    offer_id: str
    ledger_id: str
    account_id: str
    owner_id: str
    state: str
    escalation_level: int
    offered_at: datetime
    due_by: datetime
    answered_at: datetime | None
    answered_by: str | None


class Offers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        ledger_id: str,
        account_id: str,
        owner_id: str,
        due_by: datetime,
        now: datetime,
        escalation_level: int = 0,
    ) -> str:
        """Ask an owner, superseding whatever this account's earlier owners have not answered. Returns the offer id."""
        self.supersede(account_id, now)
        offer_id = new_id()
        self._connection.execute(
            acceptance.insert().values(
                offer_id=offer_id,
                ledger_id=ledger_id,
                account_id=account_id,
                role=OWNER_ROLE,
                owner_id=owner_id,
                state=OFFERED,
                escalation_level=escalation_level,
                offered_at=now,
                due_by=due_by,
            )
        )
        self._show(ledger_id, OFFERED)
        return offer_id

    def get(self, offer_id: str) -> Offer | None:
        row = self._connection.execute(select(acceptance).where(acceptance.c.offer_id == offer_id)).first()
        return _to_offer(row) if row else None

    def due(self, now: datetime, limit: int = 1000) -> list[Offer]:
        """Unanswered offers whose time has run out, longest overdue first. One is due at `due_by`, not before."""
        rows = self._connection.execute(
            select(acceptance)
            .where(acceptance.c.state == OFFERED, acceptance.c.due_by <= now)
            .order_by(acceptance.c.due_by, acceptance.c.offer_id)
            .limit(limit)
        )
        return [_to_offer(row) for row in rows]

    def answer(self, offer_id: str, state: str, by: str, now: datetime) -> bool:
        """Give the terminal answer; False when there was one already, which stands."""
        if state not in ANSWERS:
            raise ValueError(f"'{state}' is no answer to an offer; there are {', '.join(ANSWERS)}")
        result = self._connection.execute(
            update(acceptance)
            .where(acceptance.c.offer_id == offer_id, acceptance.c.state == OFFERED)
            .values(state=state, answered_by=by, answered_at=now)
        )
        if result.rowcount != 1:
            return False
        ledger_id = self._connection.execute(
            select(acceptance.c.ledger_id).where(acceptance.c.offer_id == offer_id)
        ).scalar_one()
        self._show(ledger_id, state)
        return True

    def of_owner(self, owner_id: str, state: str | None = OFFERED) -> list[Offer]:
        """An owner's offers in one state (all when None), the most urgent first."""
        statement = select(acceptance).where(acceptance.c.owner_id == owner_id)
        if state is not None:
            statement = statement.where(acceptance.c.state == state)
        rows = self._connection.execute(statement.order_by(acceptance.c.due_by, acceptance.c.offer_id))
        return [_to_offer(row) for row in rows]

    def supersede(self, account_id: str, now: datetime) -> None:
        """Nobody needs to answer for this account any more: it has another owner now."""
        self._connection.execute(
            update(acceptance)
            .where(acceptance.c.account_id == account_id, acceptance.c.state == OFFERED)
            .values(state="superseded", answered_by="steward", answered_at=now)
        )

    def _show(self, ledger_id: str, state: str) -> None:
        self._connection.execute(
            update(ownership_current).where(ownership_current.c.ledger_id == ledger_id).values(acceptance_state=state)
        )


def _to_offer(row: Row[Any]) -> Offer:
    return Offer(
        row.offer_id,
        row.ledger_id,
        row.account_id,
        row.owner_id,
        row.state,
        row.escalation_level,
        row.offered_at,
        row.due_by,
        row.answered_at,
        row.answered_by,
    )
