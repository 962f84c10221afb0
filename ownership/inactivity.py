"""Inactivity: when an owner loses an account because nothing happened on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from ownership.day import calendar_of
from ownership.entries import Keeping
from ownership.model import Rep
from ownership.worktime import Calendar

LOOKED_AHEAD = 366  # days; who works on none of them forfeits nothing


@dataclass(frozen=True, slots=True)
class Idle:
    """An account without activity since a day (`since`), and the first day on which its owner has forfeited it unless
    something happens on it."""

    since: date
    lost_on: date


def about_to_forfeit(
    keeping: Keeping, rep: Rep, days_since_activity: int | None, since: str, today: str
) -> Idle | None:
    """What the rep is to be warned of, None while it is too early for that, or too late. Days count as in
    `forfeited_because`, those until then too."""
    limit, start = keeping.forfeit_after_days, _start(days_since_activity, since, today)
    if limit is None or start is None:
        return None
    day = date.fromisoformat(today)
    idle = idle_days(keeping, rep, start, day)
    left = limit + 1 - idle
    if not 0 < left <= keeping.warn_days_before:
        return None
    lost_on = day
    while left and (lost_on - day).days < LOOKED_AHEAD:
        lost_on += timedelta(days=1)
        left -= idle_days(keeping, rep, lost_on - timedelta(days=1), lost_on)
    return Idle(start, lost_on) if not left else None


def forfeited_because(keeping: Keeping, rep: Rep, days_since_activity: int | None, since: str, today: str) -> str:
    """Why the rep has forfeited the account, "" when they have not.

    Days count from the last activity or from when the rep got the account (`since`, ISO date, "" when nobody knows),
    whichever is later. An account nobody knows any activity of, nor since when it is theirs, is not forfeited.
    """
    limit = keeping.forfeit_after_days
    start = _start(days_since_activity, since, today)
    if limit is None or start is None:
        return ""
    idle = idle_days(keeping, rep, start, date.fromisoformat(today))
    if idle <= limit:
        return ""
    kind = "working days" if keeping.business_days else "days"
    return f"had no activity on it for {idle} {kind}, and {limit} are the most"


def idle_days(keeping: Keeping, rep: Rep, after: date, until: date) -> int:
    """Days after `after` up to `until` that count: not those of leave unless the policy says so, and with
    `business_days` only those the rep works."""
    days = (after + timedelta(days=number) for number in range(1, (until - after).days + 1))
    if not keeping.business_days and (keeping.leave_counts or not rep.leave):
        return max((until - after).days, 0)
    calendar = replace(calendar_of(rep), leave=())  # whether leave counts is for the policy to say
    return sum(1 for day in days if _counts(keeping, rep, calendar, day))


def _start(days_since_activity: int | None, since: str, today: str) -> date | None:
    at = date.fromisoformat(today)
    longest = at.toordinal() - 1  # days since the calendar's first
    last = at - timedelta(days=min(days_since_activity, longest)) if days_since_activity is not None else None
    got = date.fromisoformat(since) if since else None
    return max((day for day in (last, got) if day is not None), default=None)


def _counts(keeping: Keeping, rep: Rep, calendar: Calendar, day: date) -> bool:
    if not keeping.leave_counts and any(period.holds_on(day.isoformat()) for period in rep.leave):
        return False
    return not keeping.business_days or bool(calendar.week[day.weekday()] and calendar.works_on(day))
