"""Working time: what the clock on the wall says, which instants these are, and who works at them."""

import zoneinfo
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path

import holidays
import pytest
import tzdata
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ownership.local_time import zone
from ownership.model import Period
from ownership.worktime import (
    Calendar,
    add_work_time,
    day_start,
    end_of_next_business_day,
    holiday_versions,
    is_open,
    known_holidays,
    local_day,
    next_open,
    parse_hours,
    work_between,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TICK = timedelta.resolution
NEVER = ((),) * 7


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(*hours: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (tuple(parse_hours(each) for each in hours),) * 7


def only_on(weekday: int, *hours: str) -> tuple[tuple[tuple[int, int], ...], ...]:
    return tuple(shifts if day == weekday else () for day, shifts in enumerate(daily(*hours)))


def worked(calendar: Calendar, day: str) -> list[tuple[datetime, datetime]]:
    """The spans in which they work, found by asking at every minute of four days, from the one before `day` on."""
    minutes = [utc(day) + timedelta(minutes=minute) for minute in range(-1440, 3 * 1440)]
    asked = [is_open(calendar, at) for at in minutes]
    changes = [at for at, now, before in zip(minutes, asked, [False, *asked], strict=False) if now != before]
    return list(zip(changes[::2], changes[1::2], strict=True))


# --- what the clocks do ---

NEW_YORK, SUNDAY, SATURDAY = "America/New_York", 6, 5


@pytest.mark.parametrize(
    ("timezone", "sunday", "hours", "opens", "closes"),
    [
        (NEW_YORK, "2026-03-01", "00:00-08:00", "2026-03-01T05:00", "2026-03-01T13:00"),
        (NEW_YORK, "2026-03-08", "00:00-08:00", "2026-03-08T05:00", "2026-03-08T12:00"),  # 7 h
        (NEW_YORK, "2026-11-01", "00:00-08:00", "2026-11-01T04:00", "2026-11-01T13:00"),  # 9 h
        # 02:00 to 03:00 does not exist: what begins or ends there does so when the clocks go forward.
        (NEW_YORK, "2026-03-08", "02:30-10:00", "2026-03-08T07:00", "2026-03-08T14:00"),
        (NEW_YORK, "2026-03-08", "00:00-02:30", "2026-03-08T05:00", "2026-03-08T07:00"),
        (NEW_YORK, "2026-03-08", "02:30-03:10", "2026-03-08T07:00", "2026-03-08T07:10"),
        (NEW_YORK, "2026-03-08", "02:00-03:00", None, None),
        # 01:00 to 02:00 comes twice: work begins the first time and ends the last.
        (NEW_YORK, "2026-11-01", "01:30-10:00", "2026-11-01T05:30", "2026-11-01T15:00"),
        (NEW_YORK, "2026-11-01", "00:00-01:30", "2026-11-01T04:00", "2026-11-01T06:30"),
        (NEW_YORK, "2026-11-01", "01:10-01:20", "2026-11-01T05:10", "2026-11-01T06:20"),
        (NEW_YORK, "2026-11-01", "00:00-02:00", "2026-11-01T04:00", "2026-11-01T07:00"),
        # What is over when the hour that comes twice begins has nothing of it.
        (NEW_YORK, "2026-11-01", "00:00-01:00", "2026-11-01T04:00", "2026-11-01T05:00"),
        # Half an hour on Lord Howe Island.
        ("Australia/Lord_Howe", "2026-10-04", "00:00-08:00", "2026-10-03T13:30", "2026-10-03T21:00"),
        ("Australia/Lord_Howe", "2026-04-05", "00:00-08:00", "2026-04-04T13:00", "2026-04-04T21:30"),
        # Odd minutes, and a day ahead of UTC's.
        ("Asia/Kathmandu", "2026-06-07", "09:00-17:00", "2026-06-07T03:15", "2026-06-07T11:15"),
        ("Pacific/Chatham", "2026-07-05", "09:00-17:00", "2026-07-04T20:15", "2026-07-05T04:15"),
        ("Pacific/Chatham", "2026-01-04", "09:00-17:00", "2026-01-03T19:15", "2026-01-04T03:15"),
        ("Pacific/Kiritimati", "2026-01-04", "00:00-24:00", "2026-01-03T10:00", "2026-01-04T10:00"),
        ("Pacific/Pago_Pago", "2026-01-04", "00:00-24:00", "2026-01-04T11:00", "2026-01-05T11:00"),
        # In Havana the clocks change at midnight.
        ("America/Havana", "2025-03-09", "00:00-24:00", "2025-03-09T05:00", "2025-03-10T04:00"),
        ("America/Havana", "2025-11-02", "00:00-24:00", "2025-11-02T04:00", "2025-11-03T05:00"),
    ],
)
def test_sunday_hours_are_those_the_clock_shows(
    timezone: str, sunday: str, hours: str, opens: str | None, closes: str | None
) -> None:
    calendar = Calendar(timezone, only_on(SUNDAY, hours))
    expected = [] if opens is None or closes is None else [(utc(opens), utc(closes))]
    assert worked(calendar, sunday) == expected


@pytest.mark.parametrize(
    ("night", "opens", "closes"),
    [
        ("2026-03-14", "2026-03-15T02:00", "2026-03-15T10:00"),
        ("2026-03-07", "2026-03-08T03:00", "2026-03-08T10:00"),  # 7 h: from 22:00 EST to 06:00 EDT
        ("2026-10-31", "2026-11-01T02:00", "2026-11-01T11:00"),  # 9 h
    ],
)
def test_a_night_shift_is_an_hour_shorter_or_longer_when_the_clocks_change_in_it(
    night: str, opens: str, closes: str
) -> None:
    assert worked(Calendar(NEW_YORK, only_on(SATURDAY, "22:00-06:00")), night) == [(utc(opens), utc(closes))]


def test_a_saturday_in_havana_ends_when_sunday_begins_although_midnight_comes_twice() -> None:
    saturday = Calendar("America/Havana", only_on(SATURDAY, "00:00-24:00"))
    assert worked(saturday, "2025-11-01") == [(utc("2025-11-01T04:00"), utc("2025-11-02T04:00"))]
    assert day_start("America/Havana", "2025-11-02") == utc("2025-11-02T04:00")


def work_on_the_wall_clock(calendar: Calendar, at: datetime, work: timedelta) -> datetime | None:
    """What nearly everybody writes first, and right but for two days of the year. The control of the test below."""
    return (at.astimezone(zone(calendar.timezone)) + work).astimezone(UTC)


@pytest.mark.parametrize(
    ("midnight", "right_on_the_wall"),
    [("2026-03-07T05:00", True), ("2026-03-08T05:00", False), ("2026-11-01T04:00", False), ("2026-11-02T05:00", True)],
)
def test_five_hours_of_work_take_five_hours_also_on_the_days_the_clocks_change(
    midnight: str, right_on_the_wall: bool
) -> None:
    all_day, at = Calendar(NEW_YORK, daily("00:00-24:00")), utc(midnight)

    def takes_five_hours(add: Callable[[Calendar, datetime, timedelta], datetime | None]) -> bool:
        return add(all_day, at, 5 * HOUR) == at + 5 * HOUR

    assert takes_five_hours(add_work_time)
    assert takes_five_hours(work_on_the_wall_clock) is right_on_the_wall


@pytest.mark.parametrize(
    ("timezone", "day", "start"),
    [
        (NEW_YORK, "2026-03-08", "2026-03-08T05:00"),
        ("Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00"),  # begins at 01:00
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),  # begins at 01:00
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00"),  # after 23:00 came twice
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30"),  # for a minute; then it was the 6th again
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),  # there was none
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
    ],
)
def test_a_day_starts_at_its_first_instant(timezone: str, day: str, start: str) -> None:
    assert day_start(timezone, day) == utc(start)
    assert day_start(timezone, day).tzinfo is UTC
    assert local_day(timezone, utc(start)) == ("2011-12-31" if timezone == "Pacific/Apia" else day)
    assert local_day(timezone, utc(start) - TICK) < day


# --- shifts, holidays, leave ---


def test_hours_that_overlap_are_worked_once() -> None:
    doubled = Calendar(week=daily("09:00-12:00", "11:00-14:00", "14:00-15:00", "10:00-11:00"))
    assert work_between(doubled, utc("2026-06-01"), utc("2026-06-02")) == 6 * HOUR
    nights = Calendar(week=daily("22:00-06:00", "05:00-09:00"))
    assert work_between(nights, utc("2026-06-01T12:00"), utc("2026-06-02T12:00")) == 11 * HOUR


def test_a_shift_may_last_into_the_day_after_the_next_midnight() -> None:
    on_call = Calendar("Pacific/Pago_Pago", (*NEVER[:4], ((0, 2 * 1440),), (), ()))
    assert worked(on_call, "2026-06-05") == [(utc("2026-06-05T11:00"), utc("2026-06-07T11:00"))]


@pytest.mark.parametrize(
    ("code", "day", "free"),
    [
        ("US", "2026-11-26", True),  # Thanksgiving
        ("US", "2026-07-03", True),  # the fourth is a Saturday
        ("GB-ENG", "2026-12-28", True),  # Boxing Day is a Saturday
        ("DE-BE", "2027-03-08", True),  # Women's Day, in Berlin
        ("DE-BY", "2027-03-08", False),
        ("DE", "2027-03-08", False),
        ("IN", "2026-01-26", True),
        ("US", "2027-12-31", True),  # the New Year of 2028 is a Saturday
        (None, "2026-12-25", False),
    ],
)
def test_nobody_works_on_a_public_holiday_where_they_live(code: str | None, day: str, free: bool) -> None:
    assert is_open(Calendar(holidays=code), utc(f"{day}T12:00")) is not free


def test_the_night_before_a_holiday_is_worked_to_its_morning_and_the_night_of_it_is_not() -> None:
    nights = Calendar("Europe/Berlin", (*NEVER[:4], *daily("22:00-06:00")[:2], ()))
    eve = (utc("2027-04-30T20:00"), utc("2027-05-01T04:00"))
    saturday = (utc("2027-05-01T20:00"), utc("2027-05-02T04:00"))
    assert worked(nights, "2027-04-30") == [eve, saturday]
    assert worked(replace(nights, holidays="DE"), "2027-04-30") == [eve]


def test_a_holiday_that_is_worked_nonetheless_is_open_unless_it_is_closed_or_on_leave() -> None:
    christmas, noon = "2026-12-25", utc("2026-12-25T12:00")
    worked_through = Calendar(holidays="US", open=frozenset({christmas}))
    assert is_open(worked_through, noon)
    assert not is_open(replace(worked_through, closed=frozenset({christmas})), noon)
    assert not is_open(replace(worked_through, leave=(Period(christmas, christmas),)), noon)


def test_leave_has_both_its_ends_in_local_dates() -> None:
    tokyo = Calendar("Asia/Tokyo", leave=(Period("2026-06-03", "2026-06-04"),))
    assert next_open(tokyo, utc("2026-06-02T08:00"), 7 * DAY) == utc("2026-06-05T00:00")
    assert work_between(tokyo, utc("2026-06-01"), utc("2026-06-06")) == 3 * 8 * HOUR
    gone = replace(tokyo, leave=(Period("2026-06-03"),))
    assert add_work_time(gone, utc("2026-06-01T00:00"), 16 * HOUR) == utc("2026-06-02T08:00")
    assert add_work_time(gone, utc("2026-06-01T00:00"), 16 * HOUR + TICK) is None


# --- the questions ---


def test_work_begins_at_the_opening_minute_and_is_over_at_the_closing_one() -> None:
    monday = utc("2026-06-01")
    asked = [monday + 9 * HOUR - TICK, monday + 9 * HOUR, monday + 17 * HOUR - TICK, monday + 17 * HOUR]
    assert [is_open(Calendar(), at) for at in asked] == [False, True, True, False]


def test_the_next_opening_is_now_or_the_first_and_not_later_than_asked_for() -> None:
    friday, monday = utc("2026-06-05T17:00"), utc("2026-06-08T09:00")
    assert next_open(Calendar(), friday - TICK, DAY) == friday - TICK
    assert next_open(Calendar(), friday, monday - friday) == monday
    assert next_open(Calendar(), friday, monday - friday - TICK) is None
    assert next_open(Calendar(week=NEVER), friday, 4000 * DAY) is None


def test_eight_hours_of_work_from_friday_noon_are_done_on_monday() -> None:
    friday = utc("2026-06-05T12:00")
    assert add_work_time(Calendar(), friday, 5 * HOUR) == utc("2026-06-05T17:00")
    assert add_work_time(Calendar(), friday, 8 * HOUR) == utc("2026-06-08T12:00")
    assert add_work_time(Calendar(), utc("2026-06-06T12:00"), timedelta(0)) == utc("2026-06-06T12:00")
    assert add_work_time(Calendar(week=NEVER), friday, TICK) is None


@pytest.mark.parametrize(
    ("calendar", "at", "by"),
    [
        (Calendar(), "2026-06-01T08:00", "2026-06-02T17:00"),
        (Calendar(), "2026-06-05T12:00", "2026-06-08T17:00"),
        (Calendar(), "2026-06-06T12:00", "2026-06-08T17:00"),
        (Calendar("Asia/Tokyo"), "2026-06-04T16:00", "2026-06-08T08:00"),  # Friday there
        (Calendar("Europe/Berlin", holidays="DE"), "2026-12-24T12:00", "2026-12-28T16:00"),
        (Calendar(week=daily("08:00-12:00", "13:00-18:00")), "2026-06-01T12:00", "2026-06-02T18:00"),
        (Calendar(week=daily("22:00-06:00")), "2026-06-01T12:00", "2026-06-03T06:00"),
        (Calendar(NEW_YORK, only_on(SUNDAY, "02:00-03:00")), "2026-03-02T12:00", "2026-03-15T07:00"),  # none on the 8th
        (Calendar(week=NEVER), "2026-06-01T12:00", None),
    ],
)
def test_one_business_day_lasts_to_the_end_of_the_next_one(calendar: Calendar, at: str, by: str | None) -> None:
    assert end_of_next_business_day(calendar, utc(at)) == (by and utc(by))


# --- what must hold whatever the calendar ---

ZONES = [NEW_YORK, "Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe", "UTC"]
# The clocks change in New York, Berlin, Havana, on the Chatham Islands and on Lord Howe Island.
CHANGES = (
    *("2026-03-08T07:00", "2026-11-01T06:00", "2026-03-29T01:00", "2026-10-25T01:00", "2026-03-08T05:00"),
    *("2025-11-02T05:00", "2026-04-04T14:00", "2026-09-26T14:00", "2026-10-03T15:30", "2026-04-04T15:00"),
)

some = settings(max_examples=50, deadline=None)
minutes = st.integers(0, 2 * 1440).map(lambda minute: timedelta(minutes=minute))
around_changes = st.builds(lambda change, after: utc(change) - DAY + after, st.sampled_from(CHANGES), minutes)
instants = around_changes | st.builds(lambda after: utc("2026-01-01") + after, st.timedeltas(timedelta(0), 540 * DAY))
dates = st.dates(date(2026, 1, 1), date(2027, 6, 30)).map(date.isoformat)
periods = st.builds(lambda one, other: Period(min(one, other), max(one, other)), dates, dates)


def calendars(latest: int = 2 * 1440) -> st.SearchStrategy[Calendar]:
    """With shifts that end up to `latest` minutes after their day began."""
    shifts = st.builds(
        lambda start, length: (start, min(start + length, latest)), st.integers(0, 1439), st.integers(1, 2 * 1440)
    )
    weeks = st.lists(st.lists(shifts, max_size=3).map(tuple), min_size=7, max_size=7).map(tuple)
    return st.builds(
        Calendar,
        st.sampled_from(ZONES),
        st.just(Calendar().week) | weeks,
        st.sampled_from([None, "US-NY", "DE-BE"]),
        st.frozensets(dates, max_size=4),
        st.just(frozenset()),
        st.lists(periods, max_size=1).map(tuple),
    )


def shown_in_a_shift(calendar: Calendar, wall: datetime) -> bool:
    """Whether the clock on the wall is within a shift of today, yesterday or the day before."""
    for ago in range(3):
        day = wall.date() - ago * DAY
        minute = (wall - datetime.combine(day, datetime.min.time())) / timedelta(minutes=1)
        if calendar.works_on(day) and any(start <= minute < end for start, end in calendar.week[day.weekday()]):
            return True
    return False


@some
@given(calendars(), instants)
def test_they_work_exactly_when_the_clock_on_their_wall_is_within_a_shift(calendar: Calendar, at: datetime) -> None:
    local = at.astimezone(zone(calendar.timezone))
    assume(local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset())  # not in an hour that comes twice
    assert is_open(calendar, at) == shown_in_a_shift(calendar, local.replace(tzinfo=None))


@some
@given(calendars(latest=1440), instants)
def test_nobody_works_on_a_holiday_a_closed_day_or_leave(calendar: Calendar, at: datetime) -> None:
    at = next_open(calendar, at, 30 * DAY) or at
    day = local_day(calendar.timezone, at)
    country, _, part = (calendar.holidays or "").partition("-")
    free = country and date.fromisoformat(day) in holidays.country_holidays(country, subdiv=part)
    on_leave = any((period.since or "") <= day <= (period.until or "") for period in calendar.leave)
    assert not (is_open(calendar, at) and (free or on_leave or day in calendar.closed))


@some
@given(calendars(), instants, st.timedeltas(TICK, 200 * HOUR))
def test_adding_working_time_and_measuring_it_are_inverse(calendar: Calendar, at: datetime, work: timedelta) -> None:
    done = add_work_time(calendar, at, work)
    if done is None:
        assert work_between(calendar, at, at + 366 * DAY) < work
    else:
        assert work_between(calendar, at, done) == work
        assert work_between(calendar, at, done - TICK) < work


@some
@given(calendars(), instants, st.timedeltas(timedelta(0), 30 * DAY), st.floats(0, 1))
def test_the_next_opening_is_open_and_nothing_before_it_is(
    calendar: Calendar, at: datetime, within: timedelta, part: float
) -> None:
    found = next_open(calendar, at, within)
    assert found is None or (at <= found <= at + within and is_open(calendar, found))
    between = at + part * ((found or at + within) - at)
    assert between == found or not is_open(calendar, between)


@some
@given(calendars(), instants, instants, instants)
def test_working_time_adds_up_over_any_three_instants(
    calendar: Calendar, one: datetime, two: datetime, three: datetime
) -> None:
    parts = work_between(calendar, one, two) + work_between(calendar, two, three)
    assert parts == work_between(calendar, one, three)


@some
@given(calendars(), instants, st.sampled_from(ZONES), st.timedeltas(timedelta(0), 60 * HOUR))
def test_the_answers_do_not_depend_on_the_time_zone_the_question_is_put_in(
    calendar: Calendar, at: datetime, timezone: str, span: timedelta
) -> None:
    there = at.astimezone(zone(timezone))
    assert is_open(calendar, there) == is_open(calendar, at)
    for question in (next_open, add_work_time):
        answer = question(calendar, there, span)
        assert answer == question(calendar, at, span)
        assert answer is None or answer.tzinfo is UTC
    assert end_of_next_business_day(calendar, there) == end_of_next_business_day(calendar, at)
    assert work_between(calendar, there, at + span) == work_between(calendar, at, at + span)
    assert local_day(calendar.timezone, there) == local_day(calendar.timezone, at)


# --- what is wrong, and what is known ---


def test_an_instant_without_a_time_zone_is_refused() -> None:
    naive, at = utc("2026-06-01T12:00").replace(tzinfo=None), utc("2026-06-01")
    questions: list[Callable[[], object]] = [
        lambda: is_open(Calendar(), naive),
        lambda: next_open(Calendar(), naive, DAY),
        lambda: add_work_time(Calendar(), naive, HOUR),
        lambda: work_between(Calendar(), naive, at),
        lambda: work_between(Calendar(), at, naive),
        lambda: end_of_next_business_day(Calendar(), naive),
        lambda: local_day("UTC", naive),
    ]
    for question in questions:
        with pytest.raises(ValueError, match="2026-06-01T12:00:00 has no time zone"):
            question()


@pytest.mark.parametrize(
    ("calendar", "message"),
    [
        (Calendar("Europe/Brelin"), "'Europe/Brelin' is not a time zone"),
        (Calendar("../../etc/passwd"), "is not a time zone"),
        (Calendar(holidays="XX"), "'XX' is no country"),
        (Calendar(week=NEVER[:5]), "a week has seven days, from Monday to Sunday, and not 5"),
        (Calendar(week=(((60, 60),),) * 7), r"\(60, 60\) is no shift"),
        (Calendar(week=(((1440, 1500),),) * 7), r"\(1440, 1500\) is no shift"),
        (Calendar(week=(((60, 2881),),) * 7), r"\(60, 2881\) is no shift"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_named_when_it_is_asked(calendar: Calendar, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        is_open(calendar, utc("2026-06-01"))


def test_working_time_is_not_taken_away() -> None:
    with pytest.raises(ValueError, match="added, not taken away"):
        add_work_time(Calendar(), utc("2026-06-01"), -HOUR)
    assert work_between(Calendar(), utc("2026-06-02"), utc("2026-06-01")) == -8 * HOUR


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("09:00-17:30", (540, 1050)),
        ("22:00-06:00", (1320, 1800)),
        ("00:00-24:00", (0, 1440)),
        ("22:00-24:00", (1320, 1440)),
        ("22:00-00:00", (1320, 1440)),
        (" 9:00 – 17:00 ", (540, 1020)),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, shift: tuple[int, int]) -> None:
    assert parse_hours(text) == shift


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nine to five", "'nine to five' are no hours; write them as 09:00-17:30"),
        ("750", "'750' are no hours"),
        ("09:00-17:60", "are no hours"),
        ("09:00-25:00", "has a time that no day has"),
        ("24:00-06:00", "has a time that no day has"),
        ("09:00-24:30", "has a time that no day has"),
        ("09:00-09:00", "ends when it starts; write 00:00-24:00 for the whole day"),
    ],
)
def test_hours_that_are_none_are_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_hours(text)


def test_only_countries_and_their_parts_have_public_holidays() -> None:
    assert all(map(known_holidays, ["DE", "DE-BE", "US-NY", "GB-ENG", "AU-NSW", "IN"]))
    # The library itself takes a stock exchange, a class of its own and an empty part for a country.
    assert not any(map(known_holidays, ["", "XX", "de", "DE-XX", "DE-", "-BE", "NYSE", "Germany", "HolidayBase"]))


def test_the_versions_of_a_decision_are_those_that_it_was_made_with() -> None:
    assert holiday_versions() == {"holidays": holidays.__version__, "tzdata": tzdata.__version__}


def test_the_time_zones_of_the_machine_decide_nothing(tmp_path: Path) -> None:
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Berlin").write_bytes(resources.files("tzdata").joinpath("zoneinfo/UTC").read_bytes())
    zoneinfo.reset_tzpath([tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    zone.cache_clear()
    try:
        at = utc("2026-06-01T08:00")
        assert at.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")).hour == 8
        assert at.astimezone(zone("Europe/Berlin")).hour == 10
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()
