"""Rules that remember: a threshold that must hold for some days, and one that goes on until another no longer holds."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import Test
from ownership.entries import Assign, Rule, Territory
from ownership.model import Account, Period
from ownership.policy import STEPS, Policy
from ownership.sustained import Mark, days_held, marks_on
from tests.unit.small_company import Desk, account, at, said, step

RULES_FIRST = ("rules", *(each for each in STEPS if each != "rules"))
START = date(2026, 11, 2)
MANY, FEW = Test("active_seats", "gte", 25), Test("active_seats", "gte", 15)


def grown(for_days: int = 14, stays_while: Test | None = FEW, **more: object) -> Rule:
    """Whoever uses 25 seats for two weeks goes to Cid, until they use fewer than 15."""
    return Rule("grown", MANY, Assign(owner="cid"), "Grown", for_days=for_days, stays_while=stays_while, **more)


def desk(rule: Rule) -> Desk:
    """Everything else is Ann's."""
    territory = Territory("all", "Everywhere", owner="ann")
    order = tuple(each for each in RULES_FIRST if each != "existing_owner")
    return Desk(Policy("p", order=order, rules=(rule,), territories=(territory,)))


def day(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


def using(seats: int | None) -> Account:
    return account(active_seats=seats)


def over(office: Desk, seats: Sequence[int | None], first: int = 0) -> list[str | None]:
    """The owners when the account uses so many seats on each of the days in a row."""
    return [office.on(day(first + number), using(each)).owner_id for number, each in enumerate(seats)]


def test_a_threshold_counts_once_it_has_held_for_its_days() -> None:
    assert over(desk(grown(3)), [30, 30, 30, 30, 30]) == ["ann", "ann", "ann", "cid", "cid"]


def test_until_then_it_is_said_how_long_it_has_held() -> None:
    office = desk(grown(3))
    over(office, [30, 30])
    waiting = office.on(day(2), using(30))
    assert step(waiting, "rules") == "no rule is about it; Grown has held for 2 days of 3"
    assert step(desk(grown(3)).on(day(0), using(20)), "rules") == "no rule is about it", "it does not hold at all"


def test_a_break_begins_the_count_anew() -> None:
    assert over(desk(grown(2)), [30, 30, 10, 30, 30, 30]) == ["ann"] * 5 + ["cid"]


def test_a_break_that_nobody_saw_is_none() -> None:
    office = desk(grown(14))
    assert over(office, [30]) == ["ann"]
    assert over(office, [30], first=14) == ["cid"]


def test_a_number_nobody_knows_is_a_break() -> None:
    assert over(desk(grown(2)), [30, None, 30, 30, 30]) == ["ann", "ann", "ann", "ann", "cid"]


def test_once_on_it_goes_on_until_the_lower_threshold_is_passed() -> None:
    assert over(desk(grown(1)), [30, 30, 24, 15, 14, 24, 24]) == ["ann", "cid", "cid", "cid", "ann", "ann", "ann"]


def test_an_account_that_was_never_above_is_not_kept_by_the_lower_threshold() -> None:
    assert over(desk(grown(1)), [20, 20, 20]) == ["ann"] * 3


def test_without_days_it_is_on_at_once_and_stays_on() -> None:
    assert over(desk(grown(0)), [20, 25, 20, 14]) == ["ann", "cid", "cid", "ann"]


def test_without_a_lower_threshold_it_ends_when_its_condition_does() -> None:
    assert over(desk(grown(1, None)), [30, 30, 24, 30, 30]) == ["ann", "cid", "ann", "ann", "cid"]


def test_a_rule_that_keeps_whoever_has_the_account_can_remember_too() -> None:
    keep = Rule("keep", MANY, Assign(), "Keep", for_days=1)
    office = desk(keep).has({"a1": "bob"}, using(30))
    assert said(office.on(day(0), using(10))) == ("territory", "ann")
    office = desk(keep).has({"a1": "bob"}, using(30))
    office.state.marks["a1"] = {"keep": Mark(day(-1), False)}
    assert said(office.on(day(0), using(30))) == ("existing_owner", "bob")


def test_what_another_step_decided_first_has_been_seen_all_the_same() -> None:
    """The days count while an account is do-not-route, or it would have to wait once more afterwards."""
    office = desk(grown(2))
    office.policy = Policy("p", order=STEPS, rules=office.policy.rules, territories=office.policy.territories)
    for number in range(2):
        assert office.on(day(number), account(active_seats=30, do_not_route=True)).owner_id is None
    assert office.on(day(2), using(30)).owner_id == "cid"


def test_a_rule_that_is_not_in_effect_yet_has_not_begun_to_count() -> None:
    office = desk(grown(2, period=Period(day(3))))
    assert over(office, [30] * 6) == ["ann"] * 5 + ["cid"]


def test_a_rule_that_has_ended_is_forgotten() -> None:
    office = desk(grown(0, period=Period(until=day(0))))
    assert over(office, [30, 30]) == ["cid", "ann"]
    assert office.state.marks == {"a1": {}}


def test_every_account_has_its_own_count() -> None:
    office = desk(grown(1))
    office.decide(using(30), account("a2", active_seats=10), now=at(day(0)))
    second = office.decide(using(30), account("a2", active_seats=30), now=at(day(1)))
    assert [decision.owner_id for decision in second] == ["cid", "ann"]


def test_deciding_again_on_the_same_day_holds_for_no_longer() -> None:
    office = desk(grown(1))
    assert [office.on(day(0), using(30)).owner_id for _ in range(3)] == ["ann"] * 3


def test_the_marks_are_part_of_what_a_decision_was_made_from() -> None:
    new, old = desk(grown(5)), desk(grown(5))
    old.state.marks["a1"] = {"grown": Mark(day(-5), False)}
    first, later = (each.on(day(0), using(30)) for each in (new, old))
    assert first.inputs_hash != later.inputs_hash


@pytest.mark.parametrize(("since", "held"), [("2026-11-02", 0), ("2026-11-01", 1), ("2026-02-28", 247)])
def test_days_are_counted_by_the_calendar(since: str, held: int) -> None:
    assert days_held(Mark(since, False), "2026-11-02") == held


@settings(max_examples=200, deadline=None)
@given(
    seats=st.lists(st.sampled_from([None, 10, 20, 30]), min_size=1, max_size=12),
    for_days=st.integers(0, 3),
    stays=st.booleans(),
)
def test_a_rule_is_on_exactly_when_the_whole_history_says_so(
    seats: list[int | None], for_days: int, stays: bool
) -> None:
    """The marks remember one date and one flag; this reads all days from the first one each time."""
    rule = grown(for_days, FEW if stays else None)
    marks: dict[str, Mark] = {}
    for number, used in enumerate(seats):
        fields = {} if used is None else {"active_seats": used}
        marks = marks_on([rule], fields, marks, day(number))
        is_on = "grown" in marks and marks["grown"].on
        assert is_on == _on_by_history(seats[: number + 1], for_days, stays)


def _on_by_history(seats: Sequence[int | None], for_days: int, stays: bool) -> bool:
    run, is_on = 0, False
    for used in seats:
        above, enough = (used or 0) >= 25, (used or 0) >= 15
        was_on = is_on
        run = run + 1 if above or (was_on and stays and enough) else 0
        is_on = run > for_days if above else was_on and stays and enough
    return is_on
