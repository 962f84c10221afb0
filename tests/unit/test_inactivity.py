"""Inactivity: an owner who does nothing on an account for too long loses it, and when that is too long."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.case import Holding
from ownership.entries import Keeping, NamedAccount, Pool, Registration, Territory
from ownership.inactivity import about_to_forfeit, forfeited_because, idle_days
from ownership.model import Account, Period
from ownership.policy import Policy
from ownership.worktime import Calendar
from tests.unit.small_company import NOON, WEDNESDAY, Desk, account, company, lead, queue, rep, said, step, turns_policy

TODAY = date.fromisoformat(WEDNESDAY)
FORTNIGHT = Keeping(forfeit_after_days=14)
WORKING = Keeping(forfeit_after_days=14, business_days=True)


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def quiet(days: int | None, id_: str = "a1", **fields: object) -> Account:
    """An account on which nothing happened for so many days."""
    return account(id_, activity_on=None if days is None else ago(days), **fields)


def desk(one: Account, owner: str = "ann", since: str = "", keeping: Keeping = FORTNIGHT, **more: object) -> Desk:
    office = Desk(turns_policy(keeping=keeping), **more).has({one.id: owner}, one)
    office.state.holdings[one.id] = Holding(since)
    return office


@pytest.mark.parametrize(("days", "owner"), [(0, "ann"), (14, "ann"), (15, "bob"), (400, "bob")])
def test_an_owner_loses_an_account_after_more_days_than_the_policy_allows(days: int, owner: str) -> None:
    one = quiet(days)
    assert desk(one).on(WEDNESDAY, one).owner_id == owner


def test_it_is_said_why_and_it_goes_to_the_next_in_turn() -> None:
    one = quiet(20)
    decided = desk(one).on(WEDNESDAY, one)
    assert said(decided) == ("pool", "bob")
    assert step(decided, "existing_owner") == "Ann had no activity on it for 20 days, and 14 are the most"
    because = {each.rep_id: each.because for each in decided.candidates}
    assert because["ann"] == "had no activity on it for 20 days, and 14 are the most"


def test_nobody_loses_an_account_in_a_policy_that_does_not_say_so() -> None:
    one = quiet(400)
    assert desk(one, keeping=Keeping()).on(WEDNESDAY, one).owner_id == "ann"


def test_the_days_count_from_when_the_owner_got_it_if_that_was_later() -> None:
    one = quiet(100)
    assert desk(one, since=ago(14)).on(WEDNESDAY, one).owner_id == "ann"
    assert desk(one, since=ago(15)).on(WEDNESDAY, one).owner_id == "bob"


def test_an_account_without_any_activity_is_lost_by_when_the_owner_got_it() -> None:
    one = quiet(None)
    assert desk(one, since=ago(15)).on(WEDNESDAY, one).owner_id == "bob"
    assert desk(one, since="").on(WEDNESDAY, one).owner_id == "ann", "nobody knows since when it is theirs"


def test_who_gets_a_lost_account_has_all_the_days_for_themselves() -> None:
    one = quiet(20)
    office = desk(one)
    days = [(TODAY + timedelta(days=number)).isoformat() for number in (0, 14, 15)]
    assert [office.on(day, one).owner_id for day in days] == ["bob", "bob", "cid"]


def test_deciding_again_on_the_same_day_moves_it_no_further() -> None:
    one = quiet(20)
    office = desk(one)
    assert [office.on(WEDNESDAY, one).owner_id for _ in range(3)] == ["bob"] * 3


def test_where_nobody_else_is_there_to_take_it_a_person_has_to_look() -> None:
    one = quiet(20)
    only_ann = Policy("p", territories=(Territory("t", "T", owner="ann"),), keeping=FORTNIGHT)
    office = desk(one)
    office.policy = only_ann
    decided = office.on(WEDNESDAY, one)
    assert said(decided) == ("no_available_rep", None)
    assert office.state.owners == {"a1": "ann"}, "until then it is theirs"


def test_a_named_account_is_not_lost_and_neither_is_a_registered_one() -> None:
    one = quiet(20)
    for entries in (
        {"named": (NamedAccount("a1.com", "ann"),)},
        {"registrations": (Registration("a1.com", "ann", Period(ago(90), ago(-90))),)},
    ):
        office = desk(one)
        office.policy = replace(office.policy, **entries)
        assert office.on(WEDNESDAY, one).owner_id == "ann"


def test_a_queue_loses_nothing_because_nobody_of_it_is_expected_to_call() -> None:
    one = quiet(400)
    policy = Policy("p", territories=(Territory("t", "T", owner="low-touch"),), keeping=FORTNIGHT)
    office = Desk(policy, company(queue())).has({"a1": "low-touch"}, one)
    assert said(office.on(WEDNESDAY, one)) == ("queue", "low-touch")


def test_a_lead_is_not_lost_by_what_happens_on_its_account() -> None:
    someone = lead(activity_on=ago(400))
    office = Desk(turns_policy(keeping=FORTNIGHT)).has({"l1": "ann"}, someone)
    assert office.on(WEDNESDAY, someone).owner_id == "ann"


def test_who_loses_an_account_to_a_pool_of_their_own_gets_another_one_instead() -> None:
    accounts = [quiet(20), quiet(0, "a2")]
    office = Desk(turns_policy(Pool("all", {"ann": 1, "bob": 1}), keeping=FORTNIGHT)).has({"a1": "ann"}, *accounts)
    assert [each.owner_id for each in office.decide(*accounts)] == ["bob", "ann"]


def test_a_number_of_days_beyond_any_calendar_is_long_ago_and_does_no_harm() -> None:
    one = account(days_since_activity=10**15)
    assert desk(one).on(WEDNESDAY, one).owner_id == "bob"


# --- which days count ---


def test_working_days_leave_out_weekends() -> None:
    one = quiet(20)  # Thursday 5 November: 14 working days
    assert desk(one, keeping=WORKING).on(WEDNESDAY, one).owner_id == "ann"
    one = quiet(21)
    decided = desk(one, keeping=WORKING).on(WEDNESDAY, one)
    assert step(decided, "existing_owner") == "Ann had no activity on it for 15 working days, and 14 are the most"


def test_working_days_leave_out_holidays_of_the_owner_and_count_days_they_are_made_up() -> None:
    start, end = date(2026, 12, 23), date(2026, 12, 28)  # Wednesday to Monday
    german, plain = (Calendar(holidays=code) for code in ("DE", None))
    made_up = Calendar(holidays="DE", open=frozenset({"2026-12-25"}))
    counts = [idle_days(WORKING, rep("ann", calendar=each), start, end) for each in (plain, german, made_up)]
    assert counts == [3, 2, 3], "Thursday, Friday and Monday; Friday is Christmas Day"


def test_leave_stops_the_clock_unless_the_policy_says_that_it_counts() -> None:
    away = rep("ann", leave=(Period(ago(10), ago(4)),))
    one = quiet(20)
    assert desk(one, roster=company(away)).on(WEDNESDAY, one).owner_id == "ann"
    counting = replace(FORTNIGHT, leave_counts=True)
    assert desk(one, keeping=counting, roster=company(away)).on(WEDNESDAY, one).owner_id == "bob"


def test_who_has_been_away_without_an_end_loses_nothing() -> None:
    one = quiet(400)
    away = company(rep("ann", leave=(Period(ago(400)),)))
    assert desk(one, roster=away).on(WEDNESDAY, one).owner_id == "ann"


def test_the_day_of_the_policy_counts_and_not_that_of_utc() -> None:
    """At half past ten in the evening UTC the next day has begun in Tokyo."""
    one, late = quiet(14), NOON.replace(hour=22, minute=30)
    assert desk(one).decide(one, now=late)[0].owner_id == "ann"
    office = desk(one)
    office.policy = replace(office.policy, timezone="Asia/Tokyo")
    assert office.decide(one, now=late)[0].owner_id == "bob"


@settings(max_examples=100, deadline=None)
@given(
    gap=st.integers(-3, 60),
    leave=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)), max_size=2),
    business=st.booleans(),
    counts=st.booleans(),
)
def test_the_days_are_those_between_the_two_that_a_person_would_count_on_their_fingers(
    gap: int, leave: list[tuple[int, int]], business: bool, counts: bool
) -> None:
    keeping = Keeping(14, business, counts)
    start = TODAY - timedelta(days=gap)
    periods = tuple(Period(ago(first), ago(first - length)) for first, length in leave)
    person = rep("ann", leave=periods, calendar=Calendar(leave=periods))
    by_hand = 0
    for day in (start + timedelta(days=number) for number in range(1, gap + 1)):
        away = any(period.holds_on(day.isoformat()) for period in periods) and not counts
        by_hand += not away and not (business and day.weekday() > 4)
    assert idle_days(keeping, person, start, TODAY) == by_hand


@settings(max_examples=100, deadline=None)
@given(idle=st.one_of(st.none(), st.integers(0, 40)), held=st.one_of(st.none(), st.integers(0, 40)))
def test_nothing_is_lost_while_either_the_activity_or_the_owner_is_new(idle: int | None, held: int | None) -> None:
    lost = forfeited_because(FORTNIGHT, rep("ann"), idle, "" if held is None else ago(held), WEDNESDAY)
    newest = min((each for each in (idle, held) if each is not None), default=0)
    assert bool(lost) == (newest > 14)


# --- warnings ---


@pytest.mark.parametrize(("days", "lost_in"), [(11, None), (12, 3), (14, 1), (15, None)])
def test_an_owner_is_to_be_warned_in_the_last_days_before_they_lose_an_account(days: int, lost_in: int | None) -> None:
    idle = about_to_forfeit(FORTNIGHT, rep("ann"), days, "", WEDNESDAY)
    assert ((idle.lost_on - TODAY).days if idle else None) == lost_in
    if idle:
        assert (TODAY - idle.since).days == days


def test_the_last_days_are_working_days_where_those_count() -> None:
    idle = about_to_forfeit(WORKING, rep("ann"), 16, "", WEDNESDAY)
    assert idle is not None
    assert f"{idle.lost_on:%a}" == "Mon", "12 working days have passed; Thursday, Friday and Monday are to come"


@settings(max_examples=60, deadline=None)
@given(days=st.integers(0, 40), keeping=st.sampled_from([FORTNIGHT, WORKING, Keeping(14, warn_days_before=9)]))
def test_who_is_warned_loses_it_on_the_day_that_is_named_and_on_none_before(days: int, keeping: Keeping) -> None:
    ann = rep("ann", leave=(Period(ago(-1), ago(-4)),))
    idle = about_to_forfeit(keeping, ann, days, "", WEDNESDAY)
    if idle is not None:
        ahead = (idle.lost_on - TODAY).days
        lost = [
            bool(forfeited_because(keeping, ann, days + on, "", (TODAY + timedelta(days=on)).isoformat()))
            for on in range(ahead + 1)
        ]
        assert lost == [False] * ahead + [True]
