"""Turns that are given back after a decline, and turns that are charged for accounts placed by hand."""

from collections.abc import Mapping
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.rotation import TURN, PoolTurns, charge_turn, give_back, take_turn

Weights = Mapping[str, int]
few = settings(max_examples=60, deadline=None)
THREE = {"ann": 1, "bob": 1, "cid": 1}


def pool(*weights: int) -> dict[str, int]:
    return {f"rep{position}": weight for position, weight in enumerate(weights)}


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


def furthest(turns: PoolTurns) -> Fraction:
    """By how many turns anybody is away from their fair share of the accounts counted."""
    return max((Fraction(abs(owed), TURN) for owed in turns.credit.values()), default=Fraction(0))


def furthest_ahead(turns: PoolTurns) -> Fraction:
    return max((Fraction(-owed, TURN) for owed in turns.credit.values()), default=Fraction(0))


weights_of_a_pool = st.lists(st.integers(1, 20), min_size=2, max_size=6).map(lambda weights: pool(*weights))
here_and_not = st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=30)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Weights, list[tuple[str, set[str], str]]]:
    """A pool and what happens in it: turns, charges and declines, each with who is eligible and whom it is about."""
    weights = draw(weights_of_a_pool)
    some = st.sets(st.sampled_from(sorted(weights)), min_size=1)
    step = st.tuples(st.sampled_from(["turn", "charge", "decline"]), some, st.sampled_from(sorted(weights)))
    return weights, draw(st.lists(step, max_size=40))


# --- given back ---


@few
@given(weights_of_a_pool, here_and_not)
def test_a_turn_given_back_never_was(weights: Weights, days: list[set[int]]) -> None:
    turns = PoolTurns(dict.fromkeys(weights, 0))
    for day in days:
        here = [rep for position, rep in enumerate(weights) if position in day]
        if here:
            before = turns
            chosen, turns = take_turn(turns, weights, here)
            assert give_back(turns, weights, here, chosen) == before


@few
@given(weights_of_a_pool, st.integers(0, 20), st.integers(1, 15))
def test_a_turn_given_back_late_leaves_what_the_turns_since_then_left(
    weights: Weights, so_far: int, since: int
) -> None:
    declined, turns = take_turn(after(PoolTurns(), weights, so_far), weights, weights)
    late = give_back(after(turns, weights, since), weights, weights, declined)
    without = after(PoolTurns(), weights, so_far)
    for rep in order_of(turns, weights, since):
        without = charge_turn(without, weights, weights, rep)
    assert late == without


def test_who_declines_at_no_cost_is_next_again_and_the_others_wait_as_before() -> None:
    declined, turns = take_turn(PoolTurns(), THREE, THREE)
    assert declined == "ann"
    assert order_of(give_back(turns, THREE, THREE, "ann"), THREE, 3) == ["ann", "bob", "cid"]


def test_a_colleague_who_takes_over_a_declined_account_pays_for_it() -> None:
    declined, turns = take_turn(PoolTurns(), THREE, THREE)
    turns = give_back(turns, THREE, THREE, declined)
    taker, turns = take_turn(turns, THREE, ["bob", "cid"])
    assert taker == "bob"
    assert turns.taken == {"bob": 1}
    assert order_of(turns, THREE, 3) == ["cid", "ann", "bob"]


@pytest.mark.parametrize("declined", [1, 2, 3])
def test_who_declines_several_at_once_is_short_of_as_many_turns_and_no_more(declined: int) -> None:
    turns = after(PoolTurns(), THREE, 30)
    for _ in range(declined):
        turns = give_back(turns, THREE, THREE, "ann")
    assert turns.taken == {"ann": 10 - declined, "bob": 10, "cid": 10}
    assert abs(Fraction(turns.credit["ann"], TURN) - Fraction(2 * declined, 3)) < Fraction(1, 1000)


def test_the_day_and_the_hour_of_a_declined_account_do_not_count_any_more() -> None:
    for key in ("2026-11-25", "2026-11-25T14"):
        chosen, turns = take_turn(PoolTurns(), THREE, THREE)
        back = give_back(turns.counted(chosen, key), THREE, THREE, chosen, key)
        assert back.given(chosen, "2026-11-25") == 0
        assert back.days == {}


def test_only_the_day_of_the_declined_account_counts_one_fewer() -> None:
    _, turns = take_turn(PoolTurns(), THREE, THREE)
    for day in ("2026-11-24", "2026-11-25", "2026-11-25"):
        turns = turns.counted("ann", day).counted("bob", day)
    back = give_back(turns, THREE, THREE, "ann", "2026-11-25")
    assert back.days == {"ann": {"2026-11-24": 1, "2026-11-25": 1}, "bob": {"2026-11-24": 1, "2026-11-25": 2}}


def test_a_turn_of_somebody_who_left_the_pool_since_then_is_not_given_back() -> None:
    turns = after(PoolTurns(), THREE, 4)
    staying = {"bob": 1, "cid": 1}
    assert give_back(turns, staying, staying, "ann") == turns


def test_nobody_gives_back_more_turns_than_they_took() -> None:
    turns = after(PoolTurns(), THREE, 1)
    assert give_back(turns, THREE, THREE, "bob") == turns


def test_a_pool_that_counts_days_but_no_turns_gives_the_day_back() -> None:
    assert give_back(PoolTurns().counted("ann", "2026-11-25"), THREE, THREE, "ann", "2026-11-25").days == {}


# --- charged ---


def test_an_account_placed_by_hand_is_paid_for_like_a_turn() -> None:
    turns = charge_turn(PoolTurns(), THREE, THREE, "cid")
    assert turns.taken == {"cid": 1}
    assert order_of(turns, THREE, 5) == ["ann", "bob", "ann", "bob", "cid"]


@few
@given(weights_of_a_pool, st.integers(0, 30))
def test_who_is_charged_for_the_turn_that_was_theirs_is_where_a_pick_would_have_left_them(
    weights: Weights, count: int
) -> None:
    turns = after(PoolTurns(), weights, count)
    chosen, picked = take_turn(turns, weights, weights)
    assert charge_turn(turns, weights, weights, chosen) == picked


def test_who_is_on_leave_and_gets_an_account_by_hand_takes_part_in_that_turn() -> None:
    turns = charge_turn(PoolTurns(), THREE, ["bob", "cid"], "ann")
    assert turns == charge_turn(PoolTurns(), THREE, THREE, "ann")


def test_an_account_placed_by_hand_while_nobody_else_can_take_any_changes_nobodys_wait() -> None:
    turns = charge_turn(PoolTurns(), THREE, [], "ann")
    assert set(turns.credit.values()) == {0}
    assert turns.taken == {"ann": 1}


def test_nobody_outside_the_pool_can_be_charged() -> None:
    with pytest.raises(ValueError, match="zoe is no member of the pool"):
        charge_turn(PoolTurns(), THREE, THREE, "zoe")


@few
@given(steps())
def test_credit_is_always_what_each_is_short_of_their_fair_share_of_the_accounts_counted(
    case: tuple[Weights, list[tuple[str, set[str], str]]],
) -> None:
    weights, happened = case
    turns = PoolTurns()
    fair = dict.fromkeys(weights, Fraction(0))
    for what, here, rep in happened:
        if what == "decline" and not turns.taken.get(rep):
            continue
        took_part, sign = here if what == "turn" else here | {rep}, -1 if what == "decline" else 1
        for each in took_part:
            fair[each] += sign * Fraction(weights[each], sum(weights[member] for member in took_part))
        if what == "turn":
            _, turns = take_turn(turns, weights, here)
        else:
            turns = (give_back if what == "decline" else charge_turn)(turns, weights, here, rep)
        assert sum(turns.credit.values()) == 0
        for each in weights:
            short = fair[each] - turns.taken.get(each, 0)
            assert abs(short - Fraction(turns.credit.get(each, 0), TURN)) < Fraction(1, 1_000_000)


charges = st.lists(st.integers(0, 5), min_size=1, max_size=6)


@few
@given(weights_of_a_pool, st.integers(0, 30), charges)
def test_no_pick_puts_anybody_a_turn_ahead_and_charges_are_made_up_for(
    weights: Weights, count: int, charged: list[int]
) -> None:
    """By hand some get far ahead, and others wait for what they are ahead; then nobody is a turn away again."""
    members, total = sorted(weights), sum(weights.values())
    turns = after(PoolTurns(), weights, count)
    for position in charged:
        turns = charge_turn(turns, weights, weights, members[position % len(members)])
    ahead_by_hand = furthest_ahead(turns)
    together_ahead = Fraction(sum(max(-owed, 0) for owed in turns.credit.values()), TURN)
    for _ in range(total + sum(int(furthest_ahead(turns) * total / weight) for weight in weights.values())):
        _, turns = take_turn(turns, weights, weights)
        assert furthest_ahead(turns) <= max(ahead_by_hand, 1)
        assert furthest(turns) <= max(together_ahead, 1)
    assert furthest(turns) <= 1
