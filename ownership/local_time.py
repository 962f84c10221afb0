"""What the clock on the wall says somewhere, and which instant that is. Who works when is not known here.

The time zones are always those of the installed `tzdata`, never the machine's own: two machines with the same
versions decide the same, and a decision can name the version it was made with.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


@cache
def zone_names() -> frozenset[str]:
    """Every time zone there is; "localtime" is the machine's own, whichever that is, and none."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"localtime"}


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of this name, as in "Europe/Berlin". Raises ValueError when there is none."""
    if name not in zone_names():
        raise ValueError(f"'{name}' is not a time zone; the IANA database has names like 'Europe/Berlin'")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError when `at` does not say which instant it is."""
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no time zone, so it is no instant")
    return at.astimezone(UTC)


def first_and_last(place: ZoneInfo, wall: datetime) -> tuple[datetime, datetime]:
    """When the clock there shows `wall` (naive, whole seconds) for the first and for the last time, in UTC.

    Both are the same but where the clock is put back. Where it is put forward over `wall`, both are the moment at
    which that happens: the first one when it is that late or later.
    """
    first, last = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first > last:
        first = last = _clock_jumps_over(place, wall, last, first)
    return first, last


def _clock_jumps_over(place: ZoneInfo, wall: datetime, before: datetime, after: datetime) -> datetime:
    def is_past(second: int) -> bool:
        return (before + second * _SECOND).astimezone(place).replace(tzinfo=None) >= wall

    return before + bisect_left(range((after - before) // _SECOND), True, key=is_past) * _SECOND


def opening(place: ZoneInfo, wall: datetime) -> datetime:
    """The instant at which something begins that begins at `wall`: when the clock first shows it."""
    return first_and_last(place, wall)[0]


def closing(place: ZoneInfo, wall: datetime) -> datetime:
    """The instant at which something is over that ends at `wall`: when the clock shows it for the last time.

    When the clock is put back to `wall` itself, what comes after it is shown twice but nothing before it, and the end
    is the first time. Otherwise a Saturday in Havana would end an hour into the Sunday on which 00:00 comes twice.
    """
    first, last = first_and_last(place, wall)
    if first == last:
        return first
    a_second_before = first_and_last(place, wall - _SECOND)
    return first if a_second_before[0] == a_second_before[1] else last


def local_date(timezone: str, at: datetime) -> date:
    return in_utc(at).astimezone(zone(timezone)).date()


def local_day(timezone: str, at: datetime) -> str:
    """The ISO date there. Raises ValueError for an unknown time zone or a naive `at`."""
    return local_date(timezone, at).isoformat()


def day_start(timezone: str, day: str) -> datetime:
    """The first instant of that local ISO date, in UTC; not 00:00 where the clock is put forward at midnight.

    A date that was left out altogether (Samoa's 2011-12-30) starts with the one after it. Raises ValueError for an
    unknown time zone or a malformed date.
    """
    return opening(zone(timezone), midnight(date.fromisoformat(day)))


def midnight(day: date) -> datetime:
    """00:00 on the wall, whether or not the clock there ever shows it."""
    return datetime.combine(day, datetime.min.time())
