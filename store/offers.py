"""Offers: an owner is asked to accept an account. One terminal answer each, whoever gives it first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select, text, tuple_, update
from sqlalchemy.engine import Row

from ownership.model import ACCOUNT
from store.statements import insert, is_among, new_id, select_in
from store.tables import OWNER_ROLE, acceptance, account, exception_item, ownership_current

OFFERED = "offered"
ANSWERS = ("accepted", "declined", "expired", "superseded")
IN_VAIN = ("declined", "expired")
# Written out, as the indexes of open offers are: a parameter would keep them from being used.
_IS_OFFERED = text("state = 'offered'")
_WAITS_UNACCEPTED = text("exception_item.state = 'open' AND exception_item.kind = 'unaccepted'")
_LATEST = acceptance.c.offered_at.desc(), acceptance.c.escalation_level.desc(), acceptance.c.offer_id.desc()


@dataclass(frozen=True, slots=True)
class Offer:
    """One question to one owner. `escalation_level` 0 is the first owner asked, each escalation adds one.

    `ledger_id` is the change of owner that they are asked to accept; while the account is somebody else's, and there is
    no change yet, the decision. `remind_at` None: they are not reminded, or have been.
    """

    offer_id: str
    ledger_id: str
    account_id: str
    owner_id: str
    state: str
    escalation_level: int
    offered_at: datetime
    due_by: datetime
    answered_at: datetime | None = None
    answered_by: str | None = None
    remind_at: datetime | None = None


class Offers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Ask many owners; rows are columns of `acceptance`. The accounts' earlier offers must have been superseded,
        and their current owners show that they are asked."""
        insert(self._connection, acceptance, rows)

    def get(self, offer_id: str) -> Offer | None:
        row = self._connection.execute(select(acceptance).where(acceptance.c.offer_id == offer_id)).first()
        return _to_offer(row) if row else None

    def get_many(self, offer_ids: Iterable[str]) -> dict[str, Offer]:
        """Offers by id, answered or not; unknown ids are missing."""
        rows = select_in(self._connection, select(acceptance), acceptance.c.offer_id, offer_ids)
        return {row.offer_id: _to_offer(row) for row in rows}

    def of_accounts(self, account_ids: Iterable[str]) -> dict[str, Offer]:
        """The unanswered offers of these accounts, by account."""
        statement = select(acceptance).where(_IS_OFFERED)
        rows = select_in(self._connection, statement, acceptance.c.account_id, account_ids)
        return {row.account_id: _to_offer(row) for row in rows}

    def of_account(self, account_id: str) -> Offer | None:
        """The account's unanswered offer."""
        found = acceptance.c.account_id == account_id, acceptance.c.state == OFFERED
        row = self._connection.execute(select(acceptance).where(*found)).first()
        return _to_offer(row) if row else None

    def asked_before(self, account_ids: Iterable[str]) -> dict[str, list[str]]:
        """Everybody who was asked since each of these accounts was placed last, the latest first."""
        return {id_: [each.owner_id for each in asked] for id_, asked in self.since_placed(account_ids).items()}

    def since_placed(self, account_ids: Iterable[str]) -> dict[str, list[Offer]]:
        """The offers made since each of these accounts was placed last, the latest first."""
        statement = select(acceptance).order_by(*_LATEST)
        made: dict[str, list[Offer]] = {}
        placed: set[str] = set()
        for row in select_in(self._connection, statement, acceptance.c.account_id, account_ids):
            if row.account_id not in placed:
                made.setdefault(row.account_id, []).append(_to_offer(row))
            if row.escalation_level == 0:
                placed.add(row.account_id)
        return made

    def in_queue(self, owner_id: str) -> set[str]:
        """The accounts this rep was ever asked for in vain that wait now because nobody accepted them."""
        asked, item = acceptance.c, exception_item.c
        statement = (
            select(asked.account_id)
            .join(exception_item, item.account_id == asked.account_id)
            .where(asked.owner_id == owner_id, asked.state.in_(IN_VAIN), _WAITS_UNACCEPTED)
        )
        return set(self._connection.execute(statement).scalars())

    def before_acceptance(self, account_ids: Iterable[str] | None = None) -> list[tuple[str, str, str]]:
        """Unanswered offers of accounts that are somebody else's until then: account, who is asked, whose it is."""
        asked, current = acceptance.c, ownership_current.c
        statement = (
            select(asked.account_id, asked.owner_id, current.owner_id)
            .join(ownership_current, and_(current.account_id == asked.account_id, current.role == asked.role))
            .where(_IS_OFFERED, current.owner_id.is_not(None), current.owner_id != asked.owner_id)
        )
        return [tuple(row) for row in select_in(self._connection, statement, asked.account_id, account_ids)]

    def promised(self) -> list[tuple[str, str, int]]:
        """How many accounts somebody is asked to take over from whom: who is asked, whose they are, the number. Leads
        are in nobody's book."""
        asked, current = acceptance.c, ownership_current.c
        statement = (
            select(asked.owner_id, current.owner_id, func.count())
            .join(ownership_current, and_(current.account_id == asked.account_id, current.role == asked.role))
            .join(account, account.c.account_id == asked.account_id)
            .where(_IS_OFFERED, current.owner_id != asked.owner_id, account.c.kind == ACCOUNT)
            .group_by(asked.owner_id, current.owner_id)
        )
        return [(asked_id, owner_id, count) for asked_id, owner_id, count in self._connection.execute(statement)]

    def due(self, now: datetime, limit: int = 1000) -> list[Offer]:
        """Unanswered offers whose time has run out, longest overdue first. One is due at `due_by`, not before."""
        rows = self._connection.execute(
            select(acceptance)
            .where(_IS_OFFERED, acceptance.c.due_by <= now)
            .order_by(acceptance.c.due_by, acceptance.c.offer_id)
            .limit(limit)
        )
        return [_to_offer(row) for row in rows]

    def to_remind(self, now: datetime, limit: int = 1000) -> list[Offer]:
        """Unanswered offers whose owners are to be reminded by now, and not yet due; `limit` of them at most."""
        columns = acceptance.c
        rows = self._connection.execute(
            select(acceptance)
            .where(_IS_OFFERED, columns.remind_at <= now, columns.due_by > now)
            .order_by(columns.remind_at, columns.offer_id)
            .limit(limit)
        )
        return [_to_offer(row) for row in rows]

    def reminded(self, offer_ids: Iterable[str]) -> None:
        """These owners have been reminded, once for each offer."""
        these = is_among(self._connection, acceptance.c.offer_id, offer_ids)
        self._connection.execute(update(acceptance).where(these).values(remind_at=None))

    def answer(self, offer_id: str, state: str, by: str, now: datetime) -> bool:
        """Give the terminal answer; False when there was one already, which stands."""
        return bool(self.answer_many([offer_id], state, by, now))

    def answer_many(self, offer_ids: Iterable[str], state: str, by: str, now: datetime) -> set[str]:
        """Give many offers the same terminal answer. Returns those that had none until now: what another answer has
        ended stays as it is."""
        if state not in ANSWERS:
            raise ValueError(f"'{state}' is no answer to an offer; there are {', '.join(ANSWERS)}")
        these = is_among(self._connection, acceptance.c.offer_id, offer_ids)
        ended = self._connection.execute(
            update(acceptance)
            .where(these, acceptance.c.state == OFFERED)
            .values(state=state, answered_by=by, answered_at=now)
            .returning(acceptance.c.offer_id)
        )
        done = set(ended.scalars())
        if done:
            self._show(state, done)
        return done

    def _show(self, state: str, offer_ids: Iterable[str]) -> None:
        """The current owners who were asked by these offers show what became of it."""
        asked, current = acceptance.c, ownership_current.c
        changes = select(asked.account_id, asked.ledger_id).where(is_among(self._connection, asked.offer_id, offer_ids))
        self._connection.execute(
            update(ownership_current)
            .where(tuple_(current.account_id, current.ledger_id).in_(changes))
            .values(acceptance_state=state)
        )

    def take(self, decision_id: str, missed: Offer, by: str, now: datetime) -> None:
        """Who was asked by an offer that came to nothing has the account all the same, by this decision: one more
        offer, accepted as it is made. Its deadline is that of the one they missed."""
        row = {
            "offer_id": new_id(),
            "ledger_id": decision_id,
            "account_id": missed.account_id,
            "role": OWNER_ROLE,
            "owner_id": missed.owner_id,
            "state": "accepted",
            "escalation_level": missed.escalation_level + 1,
            "offered_at": now,
            "due_by": missed.due_by,
            "answered_at": now,
            "answered_by": by,
        }
        insert(self._connection, acceptance, [row])

    def show_accepted(self, account_id: str) -> None:
        """The current owner has accepted the account, by an offer made before it was theirs, or after they missed
        one."""
        current = ownership_current.c
        self._connection.execute(
            update(ownership_current)
            .where(current.account_id == account_id, current.role == OWNER_ROLE)
            .values(acceptance_state="accepted")
        )

    def of_owner(self, owner_id: str, state: str | None = OFFERED) -> list[Offer]:
        """An owner's offers in one state (all when None), the most urgent first."""
        statement = select(acceptance).where(acceptance.c.owner_id == owner_id)
        if state is not None:
            statement = statement.where(acceptance.c.state == state)
        rows = self._connection.execute(statement.order_by(acceptance.c.due_by, acceptance.c.offer_id))
        return [_to_offer(row) for row in rows]

    def asked_of(self, account_id: str) -> list[Offer]:
        """Every offer of an account, whatever became of it, the latest first."""
        statement = select(acceptance).where(acceptance.c.account_id == account_id)
        return [_to_offer(row) for row in self._connection.execute(statement.order_by(*_LATEST))]

    def missed(self, account_ids: Iterable[str]) -> dict[str, int]:
        """How many offers of each account were missed or declined since somebody last accepted it; none is left out."""
        columns = acceptance.c
        statement = select(columns.account_id, columns.state).where(
            columns.state.in_(("expired", "declined", "accepted"))
        )
        counts: dict[str, int] = {}
        rows = select_in(self._connection, statement.order_by(columns.answered_at), columns.account_id, account_ids)
        for account_id, state in rows:
            counts[account_id] = 0 if state == "accepted" else counts.get(account_id, 0) + 1
        return {account_id: count for account_id, count in counts.items() if count}

    def withdraw(self, owners: Mapping[str, str], now: datetime) -> None:
        """Nobody but these owners, by account, needs to answer for the accounts any more."""
        columns = acceptance.c
        statement = select(columns.account_id, columns.owner_id).where(_IS_OFFERED)
        rows = select_in(self._connection, statement, columns.account_id, owners)
        self.supersede((account for account, asked in rows if asked != owners[account]), now)

    def supersede(self, account_ids: Iterable[str], now: datetime) -> None:
        """Nobody needs to answer for these accounts any more: they have other owners now."""
        these = is_among(self._connection, acceptance.c.account_id, account_ids)
        self._connection.execute(
            update(acceptance)
            .where(these, _IS_OFFERED)
            .values(state="superseded", answered_by="steward", answered_at=now)
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
        row.remind_at,
    )
