"""When somebody works: whether they do now, when they do next, and how much working time lies between two instants.

What the clock shows where is in `ownership.local_time`, which days are holidays in `ownership.holiday_dates`.
Every instant that comes out of here is in UTC, because only there is "eight hours later" eight hours later: Python adds
a timedelta to a local time on the wall clock, and is an hour off on the days on which the clocks change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from ownership.holiday_dates import holiday_dates, holiday_versions, known_holidays
from ownership.local_time import closing, day_start, in_utc, local_date, local_day, midnight, opening, zone
from ownership.model import Period

__all__ = [
    "WEEKDAYS_NINE_TO_FIVE",
    "Calendar",
    "Week",
    "add_work_time",
    "day_start",
    "end_of_next_business_day",
    "holiday_versions",
    "is_open",
    "known_holidays",
    "local_day",
    "next_open",
    "parse_hours",
    "work_between",
]

Shift = tuple[int, int]
Week = tuple[tuple[Shift, ...], ...]
Span = tuple[datetime, datetime]

DAY_MINUTES = 24 * 60
WEEKDAYS_NINE_TO_FIVE: Week = (((9 * 60, 17 * 60),),) * 5 + ((), ())
LONGEST_WAIT = timedelta(days=366)
"""How far ahead we look for working time: nobody waits longer for somebody who is never there."""

_HOURS = re.compile(r"(\d\d?):([0-5]\d)\s*[-–]\s*(\d\d?):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody works.

    `week` is Monday to Sunday, each day's shifts as (start, end) in minutes of local wall time, end exclusive and up
    to 2*1440. A shift belongs to the day it starts on: the night before a holiday is worked until its morning, the
    night of the holiday is not. `holidays` is a country and optionally a part of it ("DE", "US-NY"). On the days of
    `open` (ISO dates) they are worked nonetheless; on those of `closed`, and on `leave`, nobody works whatever else
    is said. Wrong hours, time zones and holidays are a ValueError once somebody asks.
    """

    timezone: str = "UTC"
    week: Week = WEEKDAYS_NINE_TO_FIVE
    holidays: str | None = None
    closed: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    leave: tuple[Period, ...] = ()

    def works_on(self, day: date) -> bool:
        """Whether shifts that start on this local date are worked, if there are any."""
        iso = day.isoformat()
        if iso in self.closed or any(period.holds_on(iso) for period in self.leave):
            return False
        return self.holidays is None or day not in holiday_dates(self.holidays, day.year) or iso in self.open


def parse_hours(text: str) -> Shift:
    """The minutes of "09:00-17:30", or of "22:00-06:00", which ends the next morning.

    Raises ValueError with a sentence on what is wrong.
    """
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' are no hours; write them as 09:00-17:30, or 22:00-06:00 for a night")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    start, end = hour * 60 + minute, last_hour * 60 + last_minute
    if start >= DAY_MINUTES or end > DAY_MINUTES:
        raise ValueError(f"'{text}' has a time that no day has; a day runs from 00:00 to 24:00")
    if start == end:
        raise ValueError(f"'{text}' ends when it starts; write 00:00-24:00 for the whole day")
    return start, end if start < end else end + DAY_MINUTES


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether they work at this instant. Like all questions here it raises ValueError for a naive `at`."""
    moment = in_utc(at)
    for opens, closes in _open_in_week(calendar, moment.toordinal() // 7):
        if moment < closes:
            return opens <= moment
    return False


def next_open(calendar: Calendar, at: datetime, within: timedelta) -> datetime | None:
    """The first instant from `at` on at which they work, `at` itself if they do, None when after `at` + `within`."""
    moment = in_utc(at)
    # The instant `at` + `within` itself still counts.
    spans = _open_between(calendar, moment, moment + within + timedelta.resolution)
    return next((opens for opens, _ in spans), None)


def add_work_time(calendar: Calendar, at: datetime, work: timedelta) -> datetime | None:
    """The first instant by which they have worked this long since `at`; None when not within 366 days.

    Raises ValueError when `work` is negative.
    """
    if work < timedelta(0):
        raise ValueError(f"working time is added, not taken away: {work}")
    moment = in_utc(at)
    if not work:
        return moment
    for opens, closes in _open_between(calendar, moment, moment + LONGEST_WAIT):
        if work <= closes - opens:
            return opens + work
        work -= closes - opens
    return None


def work_between(calendar: Calendar, since: datetime, until: datetime) -> timedelta:
    """How long they work between two instants; negative when `until` comes first, as in a subtraction."""
    start, end = in_utc(since), in_utc(until)
    if end < start:
        return -work_between(calendar, end, start)
    return sum((closes - opens for opens, closes in _open_between(calendar, start, end)), timedelta(0))


def end_of_next_business_day(calendar: Calendar, at: datetime) -> datetime | None:
    """The end of work on the first local date after that of `at` on which they work; None when not within 366 days.

    A night shift ends on the morning after.
    """
    today = local_date(calendar.timezone, at)
    days = (_open_on(calendar, today + timedelta(days=ahead)) for ahead in range(1, LONGEST_WAIT.days + 1))
    return next((spans[-1][1] for spans in days if spans), None)


def _open_between(calendar: Calendar, since: datetime, until: datetime) -> Iterator[Span]:
    """When they work from `since` to before `until` (both UTC), in order; none of the spans is empty."""
    for week in range(since.toordinal() // 7, until.toordinal() // 7 + 1):
        for opens, closes in _open_in_week(calendar, week):
            if opens < until and since < closes:
                yield max(opens, since), min(closes, until)


# Asked for by UTC week, so that a question needs no local time at all once it is warm. One entry is some 1 kB.
@lru_cache(maxsize=16_384)
def _open_in_week(calendar: Calendar, week: int) -> tuple[Span, ...]:
    """When they work in the seven UTC days from the ordinal 7 * `week` on, clipped to these."""
    first = date.fromordinal(7 * week)
    since, until = (midnight(first + timedelta(days=days)).replace(tzinfo=UTC) for days in (0, 7))
    # No clock is a whole day away from UTC, and a shift is over two days after its day began.
    nearby = (_open_on(calendar, first + timedelta(days=days)) for days in range(-2, 8))
    inside = ((max(opens, since), min(closes, until)) for spans in nearby for opens, closes in spans)
    return _merged(inside)


@lru_cache(maxsize=16_384)
def _open_on(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """When they work the shifts that start on this local date."""
    place, start_of_day = zone(calendar.timezone), midnight(day)
    shifts = _shifts(calendar.week, day.weekday()) if calendar.works_on(day) else ()
    return _merged(
        (opening(place, start_of_day + timedelta(minutes=start)), closing(place, start_of_day + timedelta(minutes=end)))
        for start, end in shifts
    )


def _shifts(week: Week, weekday: int) -> tuple[Shift, ...]:
    if len(week) != 7:
        raise ValueError(f"a week has seven days, from Monday to Sunday, and not {len(week)}")
    for start, end in week[weekday]:
        if not 0 <= start < DAY_MINUTES or not start < end <= 2 * DAY_MINUTES:
            raise ValueError(f"({start}, {end}) is no shift: it starts within its day and ends within the next, later")
    return week[weekday]


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, and as one where they meet. What lies wholly in an hour that the clocks leave out is nothing."""
    merged: list[Span] = []
    for opens, closes in sorted(span for span in spans if span[0] < span[1]):
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return tuple(merged)
