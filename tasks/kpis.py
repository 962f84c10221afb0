"""Key figures: taken each night for the company, every manager's reports, every team and every territory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ownership.kpis.catalogue import BY_ID, PERIODS, QUIET_DAYS, STABLE_DAYS, Kpi
from ownership.kpis.counts import Company, Happened, Waits, cut
from ownership.kpis.health import Health, HealthReader, outcomes, owned_days
from ownership.kpis.measuring import Figure, measure
from ownership.kpis.scopes import Scope, UnknownScope, scopes_of
from store.health import Seen
from store.kpi_days import STANDING, Measured, Night
from store.kpi_lists import Listed, Wanted
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.steps import as_task

ACCOUNTS_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Taken:
    """What a day's figures were taken of."""

    day: str
    accounts: int
    scopes: int


@dataclass(frozen=True, slots=True)
class Board:
    """The figures of one scope as they were last taken, with their lines over the period. No `day`: never yet."""

    scope: Scope
    period: int
    day: str | None
    figures: Mapping[str, Measured]
    lines: Mapping[str, Sequence[tuple[str, float | None]]]


def take_kpis(context: RunContext) -> Taken:
    """Look at every account, and keep today's figures. Taking them again replaces them."""
    today = context.today()
    seen = renew_health(context, today)
    now = context.now()
    with context.store.transaction(readonly=True) as uow:
        counted = _Counted(context, uow, today, now)
    scopes = scopes_of(context.policy.policy, context.policy.roster)
    figures: dict[tuple[str, int, str], Figure] = {}
    for scope in scopes.values():
        figures |= counted.figures(scope)
    context.store.run(lambda uow: uow.kpi_days.save(today, figures, context.run_id, now))
    return Taken(today, seen, len(scopes))


def renew_health(context: RunContext, today: str) -> int:
    """Note what every live account is like and what became of it since it was last looked at; returns how many."""
    reader = HealthReader(context.policy.policy, today)
    looked_at, after = 0, ""
    while True:
        with context.store.transaction(readonly=True) as uow:
            some = uow.health.next_accounts(after, ACCOUNTS_AT_ONCE)
        if not some:
            context.store.run(lambda uow: uow.health.forget_gone())
            return looked_at
        _renew(context, reader, some, today)
        looked_at, after = looked_at + len(some), some[-1].account_id


def _renew(context: RunContext, reader: HealthReader, some: Sequence[Seen], today: str) -> None:
    changed: list[Health] = []
    became: list[dict[str, object]] = []
    for each in some:
        now = reader.health(each.account_id, each.kind, each.first_seen_at, each.fields, each.owned)
        if now == each.before:
            continue
        changed.append(now)
        if each.before is not None:
            became += [_outcome(each.before, now, outcome, today) for outcome in outcomes(each.before, now, today)]

    def write(uow: UnitOfWork) -> None:
        uow.health.save(changed)
        uow.health.add_outcomes(became)

    if changed:
        context.store.run(write)


def _outcome(before: Health, now: Health, outcome: str, today: str) -> dict[str, object]:
    """It is laid to who had the account before it happened: an owner that follows from it did not bring it about."""
    return {
        "account_id": now.account_id,
        "day": today,
        "outcome": outcome,
        "owner_id": before.owner_id,
        "owned_days": owned_days(before, today),
        "arr_before_cents": before.arr_cents,
        "arr_cents": now.arr_cents,
    }


class _Counted:
    """Everything one day's figures are worked out of, read once for all scopes."""

    def __init__(self, context: RunContext, uow: UnitOfWork, today: str, now: datetime) -> None:
        self._company = _company(context, today)
        self._accounts = uow.kpi_counts.accounts(quiet_before(context, today), now - timedelta(days=STABLE_DAYS))
        self._waits: Waits = uow.kpi_counts.waits(now - timedelta(days=max(PERIODS)), now)
        self._happened = [_happened(uow, now, days) for days in PERIODS]

    def figures(self, scope: Scope) -> dict[tuple[str, int, str], Figure]:
        """The scope's figures, by scope, period and id."""
        found: dict[tuple[str, int, str], Figure] = {}
        for happened in self._happened:
            for id_, figure in measure(cut(self._company, scope, self._accounts, happened, self._waits)).items():
                period = happened.days if BY_ID[id_].over_period else STANDING
                found[scope.key, period, id_] = figure
        return found


def _happened(uow: UnitOfWork, now: datetime, days: int) -> Happened:
    since, counts = now - timedelta(days=days), uow.kpi_counts
    return Happened(
        days,
        counts.offers(since),
        counts.moves(since),
        counts.drift(since),
        counts.outcomes(since.date().isoformat()),
    )


def _company(context: RunContext, day: str) -> Company:
    policy = context.policy.policy
    names = {each.id: each.name for each in policy.territories}
    return Company(day, context.policy.roster, names, policy.overlays_count)


def quiet_before(context: RunContext, day: str) -> str:
    """The day (ISO date) before which the last activity must lie for an account to be without activity."""
    quiet = context.policy.policy.keeping.forfeit_after_days
    return (date.fromisoformat(day) - timedelta(days=QUIET_DAYS if quiet is None else quiet)).isoformat()


def board(context: RunContext, scope: Scope, period: int) -> Board:
    """The figures of a scope as they were last taken."""
    with context.store.transaction(readonly=True) as uow:
        day = uow.kpi_days.last_day()
        if day is None:
            return Board(scope, period, None, {}, {})
        since = (date.fromisoformat(day) - timedelta(days=period)).isoformat()
        return Board(
            scope,
            period,
            day,
            uow.kpi_days.of_day(day, scope.key, period),
            uow.kpi_days.lines(scope.key, period, since),
        )


def board_of(context: RunContext, key: str, period: int) -> Board:
    """As `board`, of a scope by its key. Raises `ownership.kpis.scopes.UnknownScope`."""
    scopes = scopes_of(context.policy.policy, context.policy.roster)
    if key not in scopes:
        raise UnknownScope(f"there are no figures of '{key}'; there are those of {', '.join(scopes)}")
    return board(context, scopes[key], period)


def history(context: RunContext, kpi: Kpi, on: Board) -> list[Night]:
    """A figure night by night over the period of the board, the latest first, each with the run that took it."""
    if on.day is None:
        return []
    since = (date.fromisoformat(on.day) - timedelta(days=on.period)).isoformat()
    period = on.period if kpi.over_period else STANDING
    with context.store.transaction(readonly=True) as uow:
        return uow.kpi_days.nights(on.scope.key, period, kpi.id, since)


def listed(context: RunContext, kpi: Kpi, on: Board, after: str, limit: int) -> list[Listed]:
    """So many rows of what stands behind a figure, after a place in the list. Raises `store.kpi_lists.BadCursor`."""
    if kpi.id not in on.figures:
        return []
    wanted = _wanted(context, on, on.figures[kpi.id])
    with context.store.transaction(readonly=True) as uow:
        return uow.kpi_lists.page(kpi, wanted, after, limit)


def _wanted(context: RunContext, on: Board, taken: Measured) -> Wanted:
    """As of when the figure was taken, so that the list is what the figure counted."""
    policy, roster = context.policy.policy, context.policy.roster
    here = roster.present_on(taken.day)
    overloaded = on.figures["overloaded"].figure.parts if "overloaded" in on.figures else ()
    return Wanted(
        scope=on.scope,
        since=taken.measured_at - timedelta(days=on.period),
        quiet_before=quiet_before(context, taken.day),
        here=here,
        sellers=frozenset(id_ for id_ in here if not roster.is_queue(id_)),
        overloaded=frozenset(part.owner_id for part in overloaded if part.owner_id),
        supported_is_covered=policy.overlays_count,
    )


take_kpis_task = as_task(take_kpis, "audit")
