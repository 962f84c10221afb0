"""Owed turns: what members on leave save, how it is paid to them when they are back, and that it floods nobody."""

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import groupby
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.rotation import TURN, PoolTurns, give_back, next_in_turn, take_turn, without_leavers

Weights = Mapping[str, int]
few = settings(max_examples=60, deadline=None)
TEN = {f"rep{position}": 1 for position in range(10)}
COLLEAGUES = sorted(set(TEN) - {"rep0"})


def after(turns: PoolTurns, weights: Weights, count: int, absent: Iterable[str] = (), owed_most: int = 20) -> PoolTurns:
    absent = set(absent)
    for _ in range(count):
        _, turns = take_turn(turns, weights, set(weights) - absent, absent, owed_most)
    return turns


def until_paid(turns: PoolTurns, weights: Weights, owed_most: int) -> tuple[list[str], PoolTurns]:
    """Who takes the turns with everybody there, until nobody is owed any or 1000 turns have gone."""
    order: list[str] = []
    while turns.bank and len(order) < 1000:
        chosen, turns = take_turn(turns, weights, weights, (), owed_most)
        order.append(chosen)
    return order, turns


def until_spent(turns: PoolTurns, weights: Weights, owed_most: int, rep: str) -> list[str]:
    """Who takes the turns with everybody there, until `rep` is owed none any more."""
    order: list[str] = []
    while rep in turns.bank:
        chosen, turns = take_turn(turns, weights, weights, (), owed_most)
        order.append(chosen)
    return order


def longest_run(order: list[str], rep: str) -> int:
    return max((len(list(run)) for chosen, run in groupby(order) if chosen == rep), default=0)


@st.composite
def leaves(draw: st.DrawFn) -> tuple[Weights, int, list[tuple[set[str], int]]]:
    """A pool, the most it owes, and stretches of turns, each with those who are on leave (never everybody)."""
    weights = draw(st.lists(st.integers(1, 12), min_size=2, max_size=6))
    members = {f"rep{position}": weight for position, weight in enumerate(weights)}
    one_fewer = st.sets(st.sampled_from(sorted(members)), max_size=len(members) - 1)
    stretches = draw(st.lists(st.tuples(one_fewer, st.integers(1, 12)), min_size=1, max_size=8))
    return members, draw(st.integers(1, 5)), stretches


Leaves = tuple[Weights, int, list[tuple[set[str], int]]]


# --- saving ---


def test_who_is_on_leave_saves_the_share_of_each_turn_that_they_would_have_had() -> None:
    turns = after(PoolTurns(), {"ann": 2, "bob": 1, "cid": 1}, 6, absent=["ann"])
    assert turns.bank == {"ann": 3 * TURN}


def test_nobody_saves_more_than_the_pool_owes_at_most() -> None:
    assert after(PoolTurns(), TEN, 300, absent=["rep0"]).bank == {"rep0": 20 * TURN}


def test_who_is_not_eligible_for_another_reason_saves_nothing() -> None:
    _, turns = take_turn(PoolTurns(), TEN, COLLEAGUES, (), owed_most=20)
    assert turns.bank == {}


def test_nobody_outside_the_pool_saves_anything() -> None:
    _, turns = take_turn(PoolTurns(), TEN, TEN, ["zoe"], owed_most=20)
    assert turns.bank == {}


def test_a_pool_that_owes_nothing_saves_nothing_and_drops_what_was_saved_under_another_policy() -> None:
    assert after(PoolTurns(), TEN, 30, absent=["rep0"], owed_most=0).bank == {}
    assert after(PoolTurns(bank={"rep0": 3 * TURN}), TEN, 1, owed_most=0).bank == {}


def test_a_pool_that_owes_nothing_picks_as_if_nothing_had_ever_been_saved() -> None:
    saved = PoolTurns(bank={"rep9": 3 * TURN})
    assert take_turn(saved, TEN, TEN) == take_turn(PoolTurns(), TEN, TEN)
    assert next_in_turn(saved, TEN, TEN) == next_in_turn(PoolTurns(), TEN, TEN)


def test_a_lower_limit_counts_for_what_is_saved_already() -> None:
    turns = PoolTurns(bank={"rep0": 9 * TURN})
    assert after(turns, TEN, 1, absent=["rep0"], owed_most=2).bank == {"rep0": 2 * TURN}


# --- being paid ---


def test_after_three_hundred_turns_of_leave_exactly_the_twenty_owed_are_paid_and_never_two_in_a_row() -> None:
    away = after(PoolTurns(), TEN, 300, absent=["rep0"])
    order, turns = until_paid(away, TEN, 20)
    fair_and_owed = Fraction(len(order), 10) + 20
    assert abs(order.count("rep0") - fair_and_owed) < 1
    assert longest_run(order, "rep0") == 1
    assert turns.bank == {}


def test_credit_that_piled_up_over_a_leave_would_be_paid_in_one_burst() -> None:
    turns = PoolTurns({**dict.fromkeys(COLLEAGUES, -3 * TURN), "rep0": 27 * TURN})
    order = []
    for _ in range(60):
        chosen, turns = take_turn(turns, TEN, TEN)
        order.append(chosen)
    assert longest_run(order, "rep0") > 20


def test_who_is_owed_turns_counts_half_as_much_again() -> None:
    owed = PoolTurns(bank={"ann": 50 * TURN})
    chosen, turns = take_turn(owed, {"ann": 2, "bob": 3}, ["ann", "bob"], (), 50)
    assert chosen == "ann"
    assert turns.credit == {"ann": -TURN // 2, "bob": TURN // 2}  # 6 of 12 instead of 4 of 10
    assert turns.bank == {"ann": 50 * TURN - (TURN // 2 - TURN * 2 // 5 - 1)}


def test_the_last_payment_is_what_is_left_and_the_rest_stays_with_the_others() -> None:
    _, turns = take_turn(PoolTurns(bank={"ann": 7}), {"ann": 1, "bob": 1}, ["ann", "bob"], (), 1)
    assert turns.bank == {}
    assert turns.credit == {"ann": TURN // 2 + 7 - TURN, "bob": TURN // 2 - 7}


def test_where_everybody_is_owed_nobody_can_be_paid_and_turns_go_on_as_ever() -> None:
    owed = PoolTurns(bank=dict.fromkeys(TEN, 2 * TURN))
    paid = after(owed, TEN, 20)
    assert paid.bank == owed.bank
    assert paid.taken == dict.fromkeys(TEN, 2)


@few
@given(leaves())
def test_credits_sum_to_zero_and_banks_stay_between_nothing_and_the_most_owed(case: Leaves) -> None:
    weights, owed_most, stretches = case
    turns = PoolTurns()
    for absent, count in stretches:
        for _ in range(count):
            turns = after(turns, weights, 1, absent, owed_most)
            assert sum(turns.credit.values()) == 0
            assert all(0 < saved <= owed_most * TURN for saved in turns.bank.values())


@few
@given(leaves())
def test_what_is_paid_is_what_was_saved_to_the_unit(case: Leaves) -> None:
    """Credit that anybody gained above their plain shares is exactly what their bank lost."""
    weights, owed_most, stretches = case
    turns = PoolTurns()
    for absent, count in stretches:
        turns = after(turns, weights, count, absent, owed_most)
    plain, boosted = PoolTurns(turns.credit), turns
    chosen, boosted = take_turn(boosted, weights, weights, (), owed_most)
    picked, plain = take_turn(plain, weights, weights)
    for rep in weights:
        more = boosted.credit[rep] + TURN * (chosen == rep) - plain.credit[rep] - TURN * (picked == rep)
        spent = turns.bank.get(rep, 0) - boosted.bank.get(rep, 0)
        assert spent >= 0
        assert more == spent if rep in turns.bank else more <= 1


@few
@given(leaves())
def test_nobody_is_paid_more_than_they_saved_nor_in_longer_runs_than_their_share_makes(case: Leaves) -> None:
    weights, owed_most, stretches = case
    turns = PoolTurns()
    for absent, count in stretches:
        turns = after(turns, weights, count, absent, owed_most)
    order, paid = until_paid(turns, weights, owed_most)
    for rep, saved in turns.bank.items():
        fair = Fraction(len(order) * weights[rep], sum(weights.values()))
        was_behind = Fraction(turns.credit.get(rep, 0) - paid.credit.get(rep, 0), TURN)
        assert order.count(rep) <= fair + was_behind + Fraction(saved, TURN) + Fraction(len(order), TURN)
        while_owed = order if rep in paid.bank else order[: len(until_spent(turns, weights, owed_most, rep))]
        others = sum(weight for each, weight in weights.items() if each != rep)
        share = Fraction(3 * weights[rep], 3 * weights[rep] + 2 * others)
        assert longest_run(while_owed, rep) <= ceil(1 / (1 - share))


@few
@given(leaves())
def test_who_is_said_to_be_next_is_who_gets_the_turn_also_when_turns_are_owed(case: Leaves) -> None:
    weights, owed_most, stretches = case
    turns = PoolTurns()
    for absent, count in stretches:
        here = set(weights) - absent
        for _ in range(count):
            expected = next_in_turn(turns, weights, here, owed_most)
            chosen, turns = take_turn(turns, weights, here, absent, owed_most)
            assert chosen == expected


# --- state ---


def test_what_is_saved_comes_back_from_json_as_it_went() -> None:
    turns = after(PoolTurns(), TEN, 35, absent=["rep0", "rep3"])
    assert len(turns.bank) == 2
    assert PoolTurns.from_json(json.loads(json.dumps(turns.to_json()))) == turns


def test_a_pool_in_which_nothing_is_saved_is_written_as_ever() -> None:
    assert set(after(PoolTurns(), TEN, 3).to_json()) == {"credit", "taken"}


def test_what_leavers_saved_goes_with_them_also_when_they_never_had_a_turn() -> None:
    turns = after(PoolTurns(), TEN, 30, absent=["rep0", "rep1"])
    assert "rep0" not in turns.credit
    assert without_leavers(turns, sorted(set(TEN) - {"rep0"})).bank == {"rep1": turns.bank["rep1"]}


# --- a decline that costs no turn ---


@pytest.mark.parametrize("saved", [4 * TURN, TURN // 16])
def test_a_turn_given_back_gives_what_it_paid_back_to_the_bank_and_takes_what_it_saved_out_again(saved: int) -> None:
    before = PoolTurns(dict.fromkeys(TEN, 0), {}, {}, {"rep0": saved, "rep1": 2 * TURN})
    here = sorted(set(TEN) - {"rep1"})
    chosen, turns = take_turn(before, TEN, here, ["rep1"], 20)
    assert all(turns.bank[rep] != before.bank[rep] for rep in ("rep0", "rep1"))
    assert give_back(turns, TEN, here, chosen, absent=["rep1"], owed_most=20) == before


@pytest.mark.parametrize("saved", [7, 20 * TURN])
def test_somebody_who_declines_again_and_again_does_not_turn_what_they_saved_into_a_burst(saved: int) -> None:
    weights, turns = {"ann": 1, "bob": 1, "cid": 1}, PoolTurns(bank={"ann": saved})
    for _ in range(100):
        chosen, turns = take_turn(turns, weights, weights, (), 20)
        if chosen == "ann":
            turns = give_back(turns, weights, weights, "ann", owed_most=20)
    assert max(turns.credit.values()) < 2 * TURN
