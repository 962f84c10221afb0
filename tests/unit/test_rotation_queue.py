"""The queue of a pool's coming turns: the same picks as turn by turn, and where everybody stands in it."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ownership.rotation import TURN, PoolTurns, charge_turn, give_back, next_in_turn, take_turn
from ownership.turn_queue import LOOK_AHEAD, Standing, TurnQueue, standing

Weights = Mapping[str, int]
THREE = {"ann": 2, "bob": 1, "cid": 1}


def pool(*weights: int) -> dict[str, int]:
    return {f"rep{position}": weight for position, weight in enumerate(weights)}


sizes = st.integers(1, 8)
weights_of_a_pool = st.one_of(
    st.builds(lambda size, weight: pool(*[weight] * size), sizes, st.integers(1, 9)),
    st.builds(lambda size: pool(*[2**position for position in range(size)]), sizes),
    st.builds(lambda size, huge: pool(huge, *[1] * size), sizes, st.sampled_from([50, 10**6, 2**39, 2**50])),
    st.lists(st.integers(1, 40), min_size=1, max_size=8).map(lambda weights: pool(*weights)),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[PoolTurns, Weights, list[str], list[str], int]:
    """A pool in the midst of its life, and with whom it goes on: turns, weights, eligible, absent, most owed."""
    weights = draw(weights_of_a_pool)
    members, owed_most, turns = sorted(weights), draw(st.sampled_from([0, 0, 1, 3])), PoolTurns()
    some, one = st.sets(st.sampled_from(members), min_size=1), st.sampled_from(members)
    for _ in range(draw(st.integers(0, 6))):
        here, rep = draw(some), draw(one)
        absent = sorted(set(members) - here)
        for _ in range(draw(st.integers(1, 9))):
            _, turns = take_turn(turns, weights, here, absent, owed_most)
        what = draw(st.sampled_from(["", "charge", "decline"]))
        if what:
            change = charge_turn if what == "charge" else give_back
            turns = change(turns, weights, here, rep, absent=absent, owed_most=owed_most)
    here = draw(some)
    return turns, weights, sorted(here), sorted(set(members) - here), owed_most


History = tuple[PoolTurns, Weights, list[str], list[str], int]


@settings(max_examples=150, deadline=None)
@given(histories(), st.integers(0, 40))
@example((PoolTurns({"a": -9 * TURN, "b": -9 * TURN, "z": 18 * TURN}), {"a": 1, "b": 2}, ["a", "b"], [], 0), 40)
@example((PoolTurns({"a": 0, "b": TURN, "c": -TURN}), {"a": 2**50, "b": 1, "c": 1}, ["a", "b", "c"], [], 0), 9)
@example((PoolTurns(bank={"a": 2 * TURN, "b": 7}), pool(1, 1) | {"a": 1, "b": 5}, ["a", "b", "rep0"], ["rep1"], 2), 40)
def test_the_queue_picks_whom_turn_by_turn_would_and_leaves_the_same_state(case: History, count: int) -> None:
    turns, weights, eligible, absent, owed_most = case
    queue = TurnQueue.of(turns, weights, eligible, absent, owed_most)
    for _ in range(count):
        chosen, turns = take_turn(turns, weights, eligible, absent, owed_most)
        assert queue.take() == chosen
    assert queue.state() == turns


def test_a_queue_owes_nobody_what_only_rounding_left_over() -> None:
    turns = PoolTurns({"ann": 5 - TURN * 9 // 10, "bob": TURN // 2, "zoe": TURN * 9 // 10 - 5 - TURN // 2})
    assert take_turn(turns, {"ann": 9, "bob": 1}, ["ann", "bob"])[0] == "bob"
    assert TurnQueue.of(turns, {"ann": 9, "bob": 1}, ["ann", "bob"]).take() == "bob"


def test_a_queue_gives_the_turn_that_nobody_is_owed_to_the_lowest_id_of_those_least_ahead() -> None:
    turns = PoolTurns({"ann": -9 * TURN, "bob": -9 * TURN - TURN // 2, "zoe": 18 * TURN + TURN // 2})
    assert take_turn(turns, {"ann": 1, "bob": 3}, ["ann", "bob"])[0] == "ann"
    assert TurnQueue.of(turns, {"ann": 1, "bob": 3}, ["ann", "bob"]).take() == "ann"


def test_looking_at_the_state_between_turns_changes_nothing() -> None:
    turns, queue = PoolTurns(), TurnQueue.of(PoolTurns(), THREE, THREE)
    for _ in range(9):
        chosen, turns = take_turn(turns, THREE, THREE)
        assert (queue.take(), queue.state()) == (chosen, turns)


def test_a_queue_keeps_what_was_counted_by_day_and_who_is_not_eligible() -> None:
    turns = PoolTurns({"ann": 5, "bob": -5}, {"ann": 3}).counted("ann", "2026-11-25")
    queue = TurnQueue.of(turns, THREE, ["bob", "cid"])
    queue.take()
    assert (queue.state().days, queue.state().credit["ann"], queue.state().taken["ann"]) == (turns.days, 5, 3)


def test_a_queue_of_which_nothing_was_taken_leaves_the_turns_as_they_were() -> None:
    turns = PoolTurns(bank={"ann": 3 * TURN})
    assert TurnQueue.of(turns, THREE, THREE).state() == turns


def test_a_hundred_thousand_turns_in_a_queue_end_exactly_where_the_weights_say() -> None:
    weights = pool(*range(1, 51))
    queue = TurnQueue.of(PoolTurns(), weights, weights)
    for _ in range(20 * sum(weights.values())):
        queue.take()
    assert queue.state().taken == {rep: 20 * weight for rep, weight in weights.items()}


def test_nobody_can_queue_when_nobody_is_eligible() -> None:
    with pytest.raises(ValueError, match="nobody in the pool is eligible"):
        TurnQueue.of(PoolTurns(), {"ann": 0}, ["ann", "zoe"])


# --- where everybody stands ---


def test_a_standing_says_who_is_next_and_by_how_much_each_is_ahead_of_their_share() -> None:
    _, turns = take_turn(PoolTurns(), THREE, THREE)
    assert standing(turns, THREE, THREE) == [
        Standing("bob", -0.25, 1),
        Standing("ann", 0.5, 2),
        Standing("cid", -0.25, 3),
    ]


def test_who_is_not_eligible_stands_last_with_no_turn_to_come() -> None:
    _, turns = take_turn(PoolTurns(), THREE, THREE)
    assert standing(turns, THREE, ["ann", "cid"])[-1] == Standing("bob", -0.25, None)
    assert [member.next_in for member in standing(turns, THREE, [])] == [None, None, None]


def test_who_weighs_nothing_or_is_no_member_does_not_stand_in_the_pool() -> None:
    assert [member.rep for member in standing(PoolTurns(), {"ann": 1, "bob": 0}, ["ann", "bob", "zoe"])] == ["ann"]


def test_a_member_whose_turn_is_too_far_away_to_look_stands_without_one() -> None:
    far = {"ann": 10 * LOOK_AHEAD, "bob": 1}
    assert [member.next_in for member in standing(PoolTurns(), far, far)] == [1, None]


def test_who_is_owed_turns_from_a_leave_stands_with_them_and_is_next_the_sooner() -> None:
    turns = PoolTurns(bank={"rep4": 3 * TURN})
    assert standing(turns, pool(1, 1, 1, 1, 1), pool(1, 1, 1, 1, 1), owed_most=5)[0] == Standing("rep4", 0, 1, 3)
    assert standing(turns, pool(1, 1, 1, 1, 1), pool(1, 1, 1, 1, 1))[4] == Standing("rep4", 0, 5, 3)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_the_standing_is_the_order_in_which_turns_then_come(case: History) -> None:
    turns, weights, eligible, _, owed_most = case
    shown = standing(turns, weights, eligible, owed_most)
    assert shown[0].rep == next_in_turn(turns, weights, eligible, owed_most)
    assert {member.rep for member in shown} == set(weights)
    assert all(member.turns_ahead == -turns.credit.get(member.rep, 0) / TURN for member in shown)
    soon = {member.next_in: member.rep for member in shown if member.next_in and member.next_in <= 30}
    seen: set[str] = set()
    for number in range(1, 31):
        chosen, turns = take_turn(turns, weights, eligible, (), owed_most)
        assert (chosen in seen) == (number not in soon)
        assert soon.get(number, chosen) == chosen
        seen.add(chosen)
