"""The counts that key figures are worked out of: one grouped query over each table.

Accounts are as they were when `account_health` was last renewed; what happened is read from where it was recorded, and
counted for accounts that are still there.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, or_, select
from sqlalchemy.engine import Row

from ownership.kpis.catalogue import STABLE_DAYS
from ownership.kpis.counts import Cell, Wait, Waits
from ownership.model import ACCOUNT, LEAD
from store.drift import _IS_OPEN
from store.tables import (
    OWNER_ROLE,
    acceptance,
    account_health,
    account_outcome,
    assignment_ledger,
    drift_event,
)

HOUR_S = 3600


class KpiCounts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def accounts(self, quiet_before: str, stable_before: datetime) -> list[Cell]:
        """What is whose, where: `quiet` are those nothing happened on since a day, stable those with the same owner
        since an instant."""
        one = account_health.c
        is_account, is_lead = one.kind == ACCOUNT, one.kind == LEAD
        stable = and_(one.owned_since.is_not(None), one.owned_since <= stable_before)
        other = or_(one.owned_since.is_(None), one.owned_since > stable_before)
        forecast = and_(is_account, one.forecast_cents.is_not(None), one.booked_cents.is_not(None))
        missed = func.abs(one.forecast_cents - one.booked_cents)
        counts = {
            "accounts": _count(is_account),
            "supported": _count(and_(is_account, one.supported)),
            "with_contact": _count(and_(is_account, one.has_contact)),
            "accounts_consent": _count(and_(is_account, one.consent_known)),
            "leads": _count(is_lead),
            "leads_consent": _count(and_(is_lead, one.consent_known)),
            "quiet": _count(and_(is_account, one.quiet_since < quiet_before)),
            "arr_known": _count(and_(is_account, one.arr_known)),
            "arr_cents": _sum(is_account, one.arr_cents),
        }
        for side, which in (("stable", stable), ("other", other)):
            counts[f"forecasts_{side}"] = _count(and_(forecast, which))
            counts[f"booked_{side}"] = _sum(and_(forecast, which), func.abs(one.booked_cents))
            counts[f"missed_{side}"] = _sum(and_(forecast, which), missed)
        statement = select(one.owner_id, one.territory, *(each.label(name) for name, each in counts.items()))
        return self._cells(statement.group_by(one.owner_id, one.territory))

    def offers(self, since: datetime) -> list[Cell]:
        """Offers that were answered or ran out since then, by who was asked."""
        one = acceptance.c
        answered = one.state.in_(("accepted", "declined"))
        statement = (
            select(
                *(one.owner_id, _TERRITORY),
                *(_count(one.state == answer).label(answer) for answer in ("accepted", "declined", "expired")),
                _count(and_(answered, one.answered_at <= one.due_by)).label("in_time"),
            )
            .join(account_health, account_health.c.account_id == one.account_id)
            .where(one.answered_at >= since, one.state != "superseded")
        )
        return self._cells(statement.group_by(one.owner_id, _TERRITORY))

    def moves(self, since: datetime) -> list[Cell]:
        """Accounts that went from one owner of record to another since then, by who lost them and why."""
        one = assignment_ledger.c
        statement = (
            select(one.prev_owner_id.label("owner_id"), _TERRITORY, one.reason.label("label"), _ALL.label("moves"))
            .join(account_health, account_health.c.account_id == one.account_id)
            .where(is_move(since), account_health.c.kind == ACCOUNT)
        )
        return self._cells(statement.group_by(one.prev_owner_id, _TERRITORY, one.reason))

    def drift(self, since: datetime) -> list[Cell]:
        """Owners that others wrote over ours since then, by who should own, whose hand, and what was done; `open` are
        those that still wait, however old."""
        one = drift_event.c
        lately = one.detected_at >= since
        is_open = or_(_IS_OPEN, and_(one.action == "hold", one.state != "overtaken"))
        label = one.hand + literal(" · ") + one.action
        statement = (
            select(
                *(one.expected_owner.label("owner_id"), _TERRITORY, label.label("label")),
                *(_count(lately).label("events"), _count(is_open).label("open")),
            )
            .join(account_health, account_health.c.account_id == one.account_id)
            .where(or_(lately, is_open))
        )
        return self._cells(statement.group_by(one.expected_owner, _TERRITORY, one.hand, one.action))

    def outcomes(self, since: str) -> list[Cell]:
        """What became of accounts since a day, by what it was: under a stable owner or not."""
        one = account_outcome.c
        stable = one.owned_days >= STABLE_DAYS
        statement = (
            select(
                *(one.owner_id, _TERRITORY, one.outcome.label("label")),
                *(_count(stable).label("stable"), _count(~stable).label("other")),
            )
            .join(account_health, account_health.c.account_id == one.account_id)
            .where(one.day >= since)
        )
        return self._cells(statement.group_by(one.owner_id, _TERRITORY, one.outcome))

    def waits(self, since: datetime, now: datetime) -> Waits:
        """How long what was first seen since then took to be somebody's for good."""
        one = account_health.c
        rows = self._connection.execute(
            select(one.owner_id, one.territory, one.seen_at, OFFERED_AT, ACCEPTED_AT, GIVEN_AT).where(
                one.seen_at >= since
            )
        )
        found: dict[tuple[str | None, str], list[Wait]] = defaultdict(list)
        for owner_id, territory, seen_at, offered_at, accepted_at, given_at in rows:
            owned_at = min(filter(None, (accepted_at, given_at)), default=None)
            hours = (owned_at - seen_at).total_seconds() / HOUR_S if owned_at and owner_id else None
            days_ago = (now - seen_at).total_seconds() / (24 * HOUR_S)
            after = (accepted_at - offered_at).total_seconds() / HOUR_S if accepted_at else None
            found[owner_id, territory].append(Wait(days_ago, hours if hours is None else max(hours, 0.0), after))
        return found

    def _cells(self, statement: Select[Any]) -> list[Cell]:
        return [_to_cell(row) for row in self._connection.execute(statement)]


def is_move(since: datetime) -> ColumnElement[bool]:
    """A row of the ledger that says that an account went from one owner of record to another."""
    one = assignment_ledger.c
    return and_(
        one.role == OWNER_ROLE,
        one.recorded_at >= since,
        one.prev_owner_id.is_not(None),
        one.owner_id.is_not(None),
    )


def _offered_at() -> Any:
    """When an account was first offered to anybody."""
    one = acceptance.c
    return (
        select(func.min(one.offered_at))
        .where(one.account_id == account_health.c.account_id)
        .correlate(account_health)
        .scalar_subquery()
    )


def _accepted_at() -> Any:
    """When somebody first accepted an account."""
    one = acceptance.c
    return (
        select(func.min(one.answered_at))
        .where(one.account_id == account_health.c.account_id, one.state == "accepted")
        .correlate(account_health)
        .scalar_subquery()
    )


def _given_at() -> Any:
    """When an account was first given to somebody who was not asked, nor anybody else with it."""
    one, asked = assignment_ledger.c, acceptance.c
    offered = (
        select(asked.offer_id)
        .where(asked.account_id == one.account_id, asked.ledger_id.in_((one.ledger_id, one.decision_id)))
        .correlate(assignment_ledger)
        .exists()
    )
    return (
        select(func.min(one.recorded_at))
        .where(
            one.account_id == account_health.c.account_id, one.role == OWNER_ROLE, one.owner_id.is_not(None), ~offered
        )
        .correlate(account_health)
        .scalar_subquery()
    )


OFFERED_AT, ACCEPTED_AT, GIVEN_AT = _offered_at(), _accepted_at(), _given_at()
_TERRITORY = account_health.c.territory
_ALL = func.count()


def _count(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


def _sum(which: ColumnElement[bool], what: ColumnElement[Any]) -> ColumnElement[int]:
    return func.sum(case((which, what), else_=0))


def _to_cell(row: Row[Any]) -> Cell:
    values = dict(row._mapping)
    owner_id, territory, label = values.pop("owner_id"), values.pop("territory"), values.pop("label", "")
    return Cell(owner_id, territory, {name: int(count or 0) for name, count in values.items()}, label)
