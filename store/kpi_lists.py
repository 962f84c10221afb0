"""What stands behind a key figure, a page at a time: its accounts, offers, changes of owner, drift or outcomes.

A page begins after the last row of the one before (`cursor`), so that it costs the same however far down it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import nlargest
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, tuple_
from sqlalchemy.engine import Row

from ownership.kpis.catalogue import Behind, Kpi
from ownership.kpis.scopes import Scope
from ownership.model import ACCOUNT
from store.canonical import from_instant, to_instant
from store.kpi_counts import ACCEPTED_AT, GIVEN_AT, is_move
from store.statements import is_among
from store.tables import acceptance, account, account_health, account_outcome, assignment_ledger, drift_event


class BadCursor(ValueError):
    """A page is asked for that no page before led to."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is listed: a scope's, since the beginning of a period. `here` are those who have not left, `sellers` the
    reps among them, `overloaded` those over their capacity. `supported_is_covered` as the policy says."""

    scope: Scope
    since: datetime
    quiet_before: str
    here: frozenset[str]
    sellers: frozenset[str]
    overloaded: frozenset[str] = field(default_factory=frozenset)
    supported_is_covered: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of a list. `at` is when it happened, `until` when it ended or was due, `what` what it was; `owner_id` is
    who has or should have the account, `other_id` who had it before or shows instead. `arr_cents` None: not known."""

    account_id: str
    name: str
    kind: str
    territory: str
    owner_id: str | None
    arr_cents: int | None
    cursor: str
    what: str = ""
    other_id: str | None = None
    at: datetime | None = None
    until: datetime | None = None


class KpiLists:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        """So many rows behind a figure that come after a cursor ("": the first ones). Raises `BadCursor`."""
        if kpi.id == "time_to_ownership":
            return self._first_seen(wanted, after, limit)
        if kpi.behind is Behind.ACCOUNTS:
            return self._accounts(kpi, wanted, after, limit)
        return _LISTS[kpi.behind](self, kpi, wanted, after, limit)

    def _accounts(self, kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        """Those with the most revenue first."""
        one = account_health.c
        which: list[Any] = [_IS_BEHIND[kpi.id](wanted), *_in_territories(wanted)]
        if after:
            which.append(tuple_(one.arr_cents, one.account_id) < _cursor(after, int, str))
        owners = _owners_of(kpi, wanted)
        if owners is not None:
            which = [is_among(self._connection, one.account_id, self._first_of(owners, which, limit))]
        statement = _of_accounts(select(one.owner_id)).where(*which)
        rows = self._connection.execute(statement.order_by(*_MOST_REVENUE).limit(limit))
        return [
            _to_listed(row, f"{row.arr_cents}|{row.account_id}", at=row.owned_since, what=row.quiet_since or "")
            for row in rows
        ]

    def _first_of(self, owners: frozenset[str], which: Sequence[ColumnElement[bool]], limit: int) -> list[str]:
        """The accounts of these owners among which the first so many are. Each owner is asked for theirs, which an
        index has in order: all of them at once would be sorted, a million for a page of fifty. Which of those with the
        same revenue comes first is for the database to say."""
        one = account_health.c
        found: list[tuple[int, str]] = []
        for owner in sorted(owners):
            theirs = select(one.arr_cents, one.account_id).where(one.owner_id == owner, *which)
            found += [(arr, id_) for arr, id_ in self._connection.execute(theirs.order_by(*_MOST_REVENUE).limit(limit))]
        least = min(nlargest(limit, (arr for arr, _ in found)), default=0)
        return [id_ for arr, id_ in found if arr >= least]

    def _first_seen(self, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        one = account_health.c
        columns = select(one.owner_id, ACCEPTED_AT.label("accepted_at"), GIVEN_AT.label("given_at"))
        statement = _of_accounts(columns).where(one.seen_at >= wanted.since, *_in_scope(wanted, one.owner_id))
        if after:
            statement = statement.where(tuple_(one.seen_at, one.account_id) < _cursor(after, from_instant, str))
        rows = self._connection.execute(statement.order_by(one.seen_at.desc(), one.account_id.desc()).limit(limit))
        return [
            _to_listed(
                row,
                f"{to_instant(row.seen_at)}|{row.account_id}",
                at=row.seen_at,
                until=min(filter(None, (row.accepted_at, row.given_at)), default=None) if row.owner_id else None,
            )
            for row in rows
        ]

    def _offers(self, kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        one = acceptance.c
        missed: ColumnElement[bool] = one.state.in_(("declined", "expired"))
        if kpi.id == "sla":
            late = and_(one.state.in_(("accepted", "declined")), one.answered_at > one.due_by)
            missed = or_(one.state == "expired", late)
        columns = select(one.owner_id, one.offer_id, one.state, one.answered_at, one.due_by)
        statement = (
            _of_accounts(columns)
            .join(acceptance, one.account_id == account_health.c.account_id)
            .where(one.answered_at >= wanted.since, missed, *_in_scope(wanted, one.owner_id))
        )
        if after:
            at = tuple_(one.answered_at, one.offer_id) < _cursor(after, from_instant, str)
            statement = statement.where(at)
        rows = self._connection.execute(statement.order_by(one.answered_at.desc(), one.offer_id.desc()).limit(limit))
        return [
            _to_listed(
                row,
                f"{to_instant(row.answered_at)}|{row.offer_id}",
                at=row.answered_at,
                until=row.due_by,
                what=row.state,
            )
            for row in rows
        ]

    def _moves(self, _kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        one = assignment_ledger.c
        columns = select(
            *(one.owner_id, one.prev_owner_id.label("other_id"), one.ledger_id, one.reason, one.recorded_at)
        )
        statement = (
            _of_accounts(columns)
            .join(assignment_ledger, one.account_id == account_health.c.account_id)
            .where(is_move(wanted.since), account_health.c.kind == ACCOUNT, *_in_scope(wanted, one.prev_owner_id))
        )
        if after:
            statement = statement.where(one.ledger_id < _cursor(after, str)[0])
        rows = self._connection.execute(statement.order_by(one.ledger_id.desc()).limit(limit))
        return [
            _to_listed(row, row.ledger_id, at=row.recorded_at, what=row.reason, other_id=row.other_id) for row in rows
        ]

    def _drift(self, _kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        one = drift_event.c
        columns = select(
            *(one.expected_owner.label("owner_id"), one.found_owner.label("other_id"), one.drift_id),
            *(one.hand, one.action, one.state, one.target, one.detected_at),
        )
        statement = (
            _of_accounts(columns)
            .join(drift_event, one.account_id == account_health.c.account_id)
            .where(one.detected_at >= wanted.since, *_in_scope(wanted, one.expected_owner))
        )
        if after:
            statement = statement.where(one.drift_id < _cursor(after, str)[0])
        rows = self._connection.execute(statement.order_by(one.drift_id.desc()).limit(limit))
        return [
            _to_listed(
                row,
                row.drift_id,
                at=row.detected_at,
                what=f"{row.target}: {row.hand}, {row.action} ({row.state})",
                other_id=row.other_id,
            )
            for row in rows
        ]

    def _outcomes(self, kpi: Kpi, wanted: Wanted, after: str, limit: int) -> list[Listed]:
        one = account_outcome.c
        kinds = ("renewed", "lost") if kpi.id == "renewal_lift" else ("expanded", "shrunk")
        columns = select(one.owner_id, one.day, one.outcome, one.owned_days)
        statement = (
            _of_accounts(columns)
            .join(account_outcome, one.account_id == account_health.c.account_id)
            .where(one.day >= wanted.since.date().isoformat(), one.outcome.in_(kinds), *_in_scope(wanted, one.owner_id))
        )
        if after:
            statement = statement.where(tuple_(one.day, one.account_id, one.outcome) < _cursor(after, str, str, str))
        newest = one.day.desc(), one.account_id.desc(), one.outcome.desc()
        rows = self._connection.execute(statement.order_by(*newest).limit(limit))
        return [
            _to_listed(
                row,
                f"{row.day}|{row.account_id}|{row.outcome}",
                what=f"{row.outcome} on {row.day}, owner for {row.owned_days} days",
            )
            for row in rows
        ]


def _of_accounts(columns: Select[Any]) -> Select[Any]:
    """These columns with what is shown of every account."""
    one = account_health.c
    shown = one.account_id, one.kind, one.territory, one.arr_cents, one.arr_known, one.owned_since, one.quiet_since
    return (
        columns.add_columns(*shown, one.seen_at, account.c.name)
        .select_from(account_health)
        .join(account, account.c.account_id == one.account_id)
    )


def _in_scope(wanted: Wanted, owner: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.scope.owners is not None:
        found.append(owner.in_(sorted(wanted.scope.owners)))
    return [*found, *_in_territories(wanted)]


def _in_territories(wanted: Wanted) -> list[ColumnElement[bool]]:
    if wanted.scope.territories is None:
        return []
    return [account_health.c.territory.in_(sorted(wanted.scope.territories))]


def _owners_of(kpi: Kpi, wanted: Wanted) -> frozenset[str] | None:
    """Whose accounts are behind a figure; None: anybody's, and nobody's."""
    count, in_scope = _COUNTED.get(kpi.id), wanted.scope.owners
    if count is None:
        return in_scope
    return count(wanted) if in_scope is None else count(wanted) & in_scope


def _not_here(wanted: Wanted) -> ColumnElement[bool]:
    owner = account_health.c.owner_id
    return and_(account_health.c.kind == ACCOUNT, or_(owner.is_(None), owner.not_in(sorted(wanted.here))))


def _uncovered(wanted: Wanted) -> ColumnElement[bool]:
    missing = _not_here(wanted)
    return and_(missing, ~account_health.c.supported) if wanted.supported_is_covered else missing


def _is_account(_wanted: Wanted) -> ColumnElement[bool]:
    return account_health.c.kind == ACCOUNT


def _quiet(wanted: Wanted) -> ColumnElement[bool]:
    one = account_health.c
    return and_(one.kind == ACCOUNT, one.owner_id.is_not(None), one.quiet_since < wanted.quiet_before)


def _forecast(_wanted: Wanted) -> ColumnElement[bool]:
    one = account_health.c
    return and_(one.kind == ACCOUNT, one.forecast_cents.is_not(None), one.booked_cents.is_not(None))


_IS_BEHIND: dict[str, Callable[[Wanted], ColumnElement[bool]]] = {
    "unassigned": _not_here,
    "overloaded": _is_account,
    "workload_balance": _is_account,
    "no_activity": _quiet,
    "coverage": _uncovered,
    "territory_coverage": _uncovered,
    "revenue_per_owner": _is_account,
    "contact_known": lambda _: and_(account_health.c.kind == ACCOUNT, ~account_health.c.has_contact),
    "consent_known": lambda _: ~account_health.c.consent_known,
    "forecast_delta": _forecast,
}
_COUNTED: dict[str, Callable[[Wanted], frozenset[str]]] = {
    "overloaded": lambda wanted: wanted.overloaded,
    "workload_balance": lambda wanted: wanted.overloaded,
    "revenue_per_owner": lambda wanted: wanted.sellers,
}
"""Figures that are about some owners only."""
_MOST_REVENUE = account_health.c.arr_cents.desc(), account_health.c.account_id.desc()
_LISTS: dict[Behind, Callable[[KpiLists, Kpi, Wanted, str, int], list[Listed]]] = {
    Behind.OFFERS: KpiLists._offers,
    Behind.MOVES: KpiLists._moves,
    Behind.DRIFT: KpiLists._drift,
    Behind.OUTCOMES: KpiLists._outcomes,
}


def _cursor(text: str, *kinds: Callable[[str], Any]) -> Any:
    """The values a cursor holds, of these kinds. Raises `BadCursor`."""
    parts = text.split("|")
    try:
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except ValueError:
        raise BadCursor("this is no place in the list; load it from its beginning") from None


def _to_listed(row: Row[Any], cursor: str, **more: Any) -> Listed:
    arr = row.arr_cents if row.arr_known else None
    return Listed(row.account_id, row.name, row.kind, row.territory, row.owner_id, arr, cursor, **more)
