"""What members were given in a day, a week or an hour, and for how long that is remembered."""

import json

import pytest

from ownership.rotation import PoolTurns, charge_turn, take_turn, without_leavers


def counted(*keys: str) -> PoolTurns:
    turns = PoolTurns()
    for key in keys:
        turns = turns.counted("ann", key)
    return turns


def test_what_was_given_counts_from_a_day_on() -> None:
    turns = counted("2026-11-23", "2026-11-25", "2026-11-25")
    assert [turns.given("ann", since) for since in ("2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26")] == [
        3,
        2,
        2,
        0,
    ]


def test_what_was_given_counts_from_an_hour_on() -> None:
    turns = counted("2026-11-24T23", "2026-11-25T00", "2026-11-25T14", "2026-11-25T14")
    assert turns.given("ann", "2026-11-25T14") == 2
    assert turns.given("ann", "2026-11-25") == 3
    assert turns.given("ann", "2026-11-24T23") == 4


def test_what_one_member_was_given_does_not_count_for_another() -> None:
    assert counted("2026-11-25").given("bob", "2026-11-25") == 0


@pytest.mark.parametrize("now", ["2026-11-25", "2026-11-25T14"])
def test_a_rolling_week_is_remembered_whole_and_no_more(now: str) -> None:
    turns = counted("2026-11-17", "2026-11-17T23", "2026-11-18", "2026-11-18T14", now)
    assert set(turns.days["ann"]) == {"2026-11-18", "2026-11-18T14", now}


def test_a_rolling_week_across_a_new_year_is_remembered_whole() -> None:
    assert counted("2026-12-28T09", "2027-01-04T09").given("ann", "2026-12-28T09") == 2


def test_an_account_counted_late_forgets_nothing_newer() -> None:
    turns = counted("2026-11-25", "2026-11-10")
    assert turns.given("ann", "2026-11-25") == 1


def test_days_and_hours_come_back_from_json_as_they_went() -> None:
    turns = counted("2026-11-24", "2026-11-25T14")
    assert PoolTurns.from_json(json.loads(json.dumps(turns.to_json()))) == turns


@pytest.mark.parametrize(
    ("stored", "days"),
    [
        ({"credit": {"ann": -5, "bob": 5}, "taken": {"ann": 1}}, {}),
        (
            {"credit": {"ann": -5, "bob": 5}, "taken": {"ann": 1}, "days": {"ann": {"2026-11-25": 1}}},
            {"ann": {"2026-11-25": 1}},
        ),
    ],
)
def test_turns_stored_by_earlier_versions_still_load(
    stored: dict[str, dict[str, int]], days: dict[str, dict[str, int]]
) -> None:
    turns = PoolTurns.from_json(stored)
    assert (turns.credit, turns.taken, turns.days, turns.bank) == ({"ann": -5, "bob": 5}, {"ann": 1}, days, {})
    assert turns.to_json() == stored


def test_what_was_counted_outlasts_turns_charges_and_roster_edits() -> None:
    weights = {"ann": 1, "bob": 1}
    turns = PoolTurns({"zoe": 0}, bank={"bob": 3}).counted("ann", "2026-11-25T14")
    _, taken = take_turn(turns, weights, weights)
    for later in (taken, charge_turn(turns, weights, weights, "bob"), without_leavers(turns, weights)):
        assert later.days == {"ann": {"2026-11-25T14": 1}}
    assert turns.bank == {"bob": 3}
