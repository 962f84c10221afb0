"""Fair turns: who of a pool is next, and what absence and roster edits do to it."""

import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import islice, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.rotation import TURN, PoolTurns, next_in_turn, take_turn, without_leavers

Weights = Mapping[str, int]
Rotation = Callable[[Weights], Iterator[str]]
few = settings(max_examples=60, deadline=None)


def pool(*weights: int) -> dict[str, int]:
    return {f"rep{position}": weight for position, weight in enumerate(weights)}


weights_of_a_pool = st.lists(st.integers(1, 40), min_size=1, max_size=8).map(lambda weights: pool(*weights))


def fair_turns(weights: Weights) -> Iterator[str]:
    turns = PoolTurns()
    while True:
        chosen, turns = take_turn(turns, weights, weights)
        yield chosen


def smooth_weighted_round_robin(weights: Weights) -> Iterator[str]:
    """The rotation of nginx and many others: all gain their weight, the richest pays the sum of the weights."""
    credit = dict.fromkeys(sorted(weights), 0)
    while True:
        for rep in credit:
            credit[rep] += weights[rep]
        chosen = max(credit, key=lambda rep: credit[rep])
        credit[chosen] -= sum(weights.values())
        yield chosen


def fewest_for_their_weight(weights: Weights) -> Iterator[str]:
    """What most spreadsheets do: the next is who has had the fewest for their weight."""
    taken = dict.fromkeys(sorted(weights), 0)
    while True:
        chosen = min(taken, key=lambda rep: Fraction(taken[rep], weights[rep]))
        taken[chosen] += 1
        yield chosen


def furthest_from_fair(rotation: Rotation, weights: Weights, length: int) -> Fraction:
    """By how many turns anybody is ever away from their weighted share, over every prefix of the rotation."""
    total, taken, worst = sum(weights.values()), dict.fromkeys(weights, 0), 0
    for count, chosen in enumerate(islice(rotation(weights), length), start=1):
        taken[chosen] += 1
        worst = max(worst, *(abs(taken[rep] * total - count * weights[rep]) for rep in weights))
    return Fraction(worst, total)


def after(turns: PoolTurns, weights: Weights, count: int) -> PoolTurns:
    for _ in range(count):
        _, turns = take_turn(turns, weights, weights)
    return turns


def order_of(turns: PoolTurns, weights: Weights, count: int) -> list[str]:
    order = []
    for _ in range(count):
        chosen, turns = take_turn(turns, weights, weights)
        order.append(chosen)
    return order


# --- fairness with steady weights ---


@few
@given(weights_of_a_pool)
def test_at_every_moment_everybody_is_within_one_turn_of_their_weighted_share(weights: Weights) -> None:
    assert furthest_from_fair(fair_turns, weights, 2 * sum(weights.values())) <= 1


def test_every_pool_of_three_with_small_weights_is_within_one_turn_at_every_moment() -> None:
    pools = [pool(*weights) for weights in product(range(1, 8), repeat=3)]
    worst = max(furthest_from_fair(fair_turns, weights, 2 * sum(weights.values())) for weights in pools)
    assert worst <= 1


def test_nobody_is_ever_a_whole_turn_ahead_or_behind() -> None:
    assert furthest_from_fair(fair_turns, pool(1, 4, 1), 24) < 1


@few
@given(weights_of_a_pool)
def test_after_as_many_turns_as_the_weights_sum_to_everybody_has_had_their_weight(weights: Weights) -> None:
    assert after(PoolTurns(), weights, sum(weights.values())).taken == weights


def test_equal_members_take_turns_in_the_order_of_their_ids() -> None:
    assert order_of(PoolTurns(), {"zoe": 1, "ann": 1, "bob": 1}, 6) == ["ann", "bob", "zoe", "ann", "bob", "zoe"]


def test_a_heavy_member_takes_turns_between_the_light_ones_and_not_in_a_row() -> None:
    assert order_of(PoolTurns(), {"ann": 2, "bob": 1, "cid": 1}, 8) == 2 * ["ann", "bob", "ann", "cid"]


def test_a_smooth_weighted_round_robin_would_break_the_promise_of_one_turn() -> None:
    weights = pool(8, 1, 1, 8, 8, 1)
    assert furthest_from_fair(smooth_weighted_round_robin, weights, 27) == Fraction(28, 27)
    assert furthest_from_fair(fair_turns, weights, 27) <= 1


def test_giving_to_who_has_had_the_fewest_for_their_weight_would_break_the_promise_of_one_turn() -> None:
    weights = pool(10, *[1] * 10)
    assert furthest_from_fair(fewest_for_their_weight, weights, 20) == Fraction(9, 2)
    assert furthest_from_fair(fair_turns, weights, 20) <= 1


# --- absence ---


absences = st.lists(st.sets(st.integers(0, 7), min_size=1), max_size=60)


@few
@given(weights_of_a_pool, absences)
def test_what_all_are_owed_sums_to_zero_whoever_is_absent(weights: Weights, days: list[set[int]]) -> None:
    turns = PoolTurns()
    for day in days:
        here = [rep for position, rep in enumerate(weights) if position in day]
        if here:
            _, turns = take_turn(turns, weights, here)
            assert sum(turns.credit.values()) == 0


@few
@given(weights_of_a_pool, absences)
def test_who_is_absent_neither_gains_nor_loses_nor_gets_a_turn(weights: Weights, days: list[set[int]]) -> None:
    turns = after(PoolTurns(), weights, 3)
    for day in days:
        here = [rep for position, rep in enumerate(weights) if position in day]
        if not here:
            continue
        before = turns
        chosen, turns = take_turn(turns, weights, here)
        absent = set(weights) - set(here)
        assert chosen in here
        assert {rep: turns.credit.get(rep) for rep in absent} == {rep: before.credit.get(rep) for rep in absent}
        assert {rep: turns.taken.get(rep) for rep in absent} == {rep: before.taken.get(rep) for rep in absent}


def test_who_comes_back_from_a_long_leave_is_not_flooded() -> None:
    weights, turns = {"ann": 1, "bob": 1}, PoolTurns()
    for _ in range(50):
        _, turns = take_turn(turns, weights, ["ann"])
    assert order_of(turns, weights, 6).count("bob") == 3


def test_nobody_can_take_a_turn_when_nobody_is_eligible() -> None:
    with pytest.raises(ValueError, match="nobody in the pool is eligible"):
        take_turn(PoolTurns(), {"ann": 1}, [])


def test_somebody_who_is_not_a_member_or_weighs_nothing_is_not_eligible() -> None:
    with pytest.raises(ValueError, match="nobody in the pool is eligible"):
        take_turn(PoolTurns(), {"ann": 0}, ["ann", "zoe"])
    assert next_in_turn(PoolTurns(), {"ann": 0}, ["ann", "zoe"]) is None


# --- looking before taking, and determinism ---


@few
@given(weights_of_a_pool, absences)
def test_who_is_said_to_be_next_is_who_gets_the_turn(weights: Weights, days: list[set[int]]) -> None:
    turns = PoolTurns()
    for day in days:
        here = [rep for position, rep in enumerate(weights) if position in day]
        expected = next_in_turn(turns, weights, here)
        assert (expected is None) == (not here)
        if here:
            chosen, turns = take_turn(turns, weights, here)
            assert chosen == expected


@few
@given(weights_of_a_pool, st.randoms(use_true_random=False), st.integers(0, 30))
def test_the_order_in_which_members_are_listed_or_stored_does_not_matter(
    weights: Weights, random: Random, count: int
) -> None:
    turns = after(PoolTurns(), weights, count)
    shuffled = list(weights)
    random.shuffle(shuffled)
    stored = PoolTurns(dict(reversed(turns.credit.items())), dict(reversed(turns.taken.items())))
    listed = {rep: weights[rep] for rep in shuffled}
    assert take_turn(stored, listed, shuffled) == take_turn(turns, weights, weights)


def test_taking_a_turn_leaves_the_former_state_as_it_was() -> None:
    turns = after(PoolTurns(), pool(2, 1), 2)
    credit, taken = dict(turns.credit), dict(turns.taken)
    take_turn(turns, pool(2, 1), pool(2, 1))
    assert (turns.credit, turns.taken) == (credit, taken)


@few
@given(weights_of_a_pool, st.integers(0, 40))
def test_turns_come_back_from_json_as_they_went(weights: Weights, count: int) -> None:
    turns = after(PoolTurns(), weights, count)
    assert PoolTurns.from_json(json.loads(json.dumps(turns.to_json()))) == turns


def test_the_same_turns_are_written_as_the_same_text() -> None:
    one = PoolTurns({"bob": 5, "ann": -5}, {"bob": 1, "ann": 2})
    other = PoolTurns({"ann": -5, "bob": 5}, {"ann": 2, "bob": 1})
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())


# --- roster edits ---


@st.composite
def roster_edits(draw: st.DrawFn) -> tuple[PoolTurns, Weights]:
    """A pool some way into its rotation, and the members and weights it has after somebody edits the roster."""
    before = draw(weights_of_a_pool)
    turns = after(PoolTurns(), before, draw(st.integers(0, 50)))
    staying = draw(st.sets(st.sampled_from(sorted(before)), min_size=1))
    joining = draw(st.sets(st.sampled_from(["new0", "new1", "new2"])))
    return turns, {rep: draw(st.integers(1, 40)) for rep in sorted(staying | joining)}


@few
@given(roster_edits())
def test_what_all_are_owed_sums_to_zero_after_a_roster_edit(edit: tuple[PoolTurns, Weights]) -> None:
    turns, members = edit
    edited = without_leavers(turns, members)
    assert sum(edited.credit.values()) == 0
    assert set(edited.credit) <= set(members)
    assert edited.taken == {rep: count for rep, count in turns.taken.items() if rep in members}


@few
@given(roster_edits())
def test_what_leavers_leave_behind_is_shared_alike_by_those_who_stay(edit: tuple[PoolTurns, Weights]) -> None:
    turns, members = edit
    edited = without_leavers(turns, members)
    shared = [edited.credit.get(rep, 0) - turns.credit.get(rep, 0) for rep in members]
    assert max(shared) - min(shared) <= 1


@few
@given(roster_edits())
def test_those_who_stay_are_never_two_turns_away_from_their_share_after_a_roster_edit(
    edit: tuple[PoolTurns, Weights],
) -> None:
    turns, members = edit
    turns = without_leavers(turns, members)
    for _ in range(40):
        _, turns = take_turn(turns, members, members)
        assert max(abs(owed) for owed in turns.credit.values()) < 2 * TURN


def test_who_waits_longest_is_still_next_after_a_colleague_left() -> None:
    weights = pool(1, 1, 1, 1)
    turns = after(PoolTurns(), weights, 2)
    stayed = {rep: 1 for rep in weights if rep != "rep0"}
    assert order_of(without_leavers(turns, stayed), stayed, 3) == ["rep2", "rep3", "rep1"]


def test_a_roster_without_leavers_changes_no_turns() -> None:
    turns = after(PoolTurns(), pool(2, 1), 4)
    assert without_leavers(turns, [*pool(2, 1), "new0"]) == turns


def test_a_pool_that_loses_everybody_keeps_its_turns_for_those_who_come_back() -> None:
    turns = after(PoolTurns(), pool(2, 1), 4)
    assert without_leavers(turns, []) == turns
