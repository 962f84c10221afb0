"""Turns that a pool remembers by rule: each rule shares out what it gives, and the caps count all of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import Test
from ownership.day import Day
from ownership.entries import Assign, Pool, TeamRole, Territory
from ownership.policy import Policy
from ownership.rota import Rota
from ownership.rotation import PoolTurns
from tests.unit.small_company import NOON, Desk, account, because, company

EVERYBODY = {"ann": 1, "bob": 1, "cid": 1}
BY_RULE = Pool("all", EVERYBODY, memory="rule")


def two_territories(pool: Pool) -> Policy:
    us, rest = Test("country", "is", "us"), Test("country", "is", "mx")
    return Policy(
        "p", pools=(pool,), territories=(Territory("us", "US", us, pool="all"), Territory("mx", "MX", rest, pool="all"))
    )


def given_in_turn(pool: Pool, count: int) -> dict[str, Counter[str | None]]:
    """Who got how many of each territory when accounts of both come in by turns."""
    desk, found = Desk(two_territories(pool)), {"US": Counter[str | None](), "MX": Counter[str | None]()}
    for number, country in zip(range(count), cycle(found)):
        (decision,) = desk.decide(account(f"a{number:03}", country=country))
        found[country][decision.owner_id] += 1
    return found


def rota(turns: PoolTurns | None = None, pool: Pool = BY_RULE) -> Rota:
    return Rota(pool, Day.of(Policy("p", pools=(pool,)), company(), NOON), turns or PoolTurns(), Counter())


def test_each_rule_shares_out_what_it_gives() -> None:
    """Two members and two territories that alternate: with one memory each territory is always the same rep's."""
    two = {"ann": 1, "bob": 1}
    assert given_in_turn(Pool("all", two), 8) == {"US": {"ann": 4}, "MX": {"bob": 4}}
    assert given_in_turn(Pool("all", two, memory="rule"), 8) == {"US": {"ann": 2, "bob": 2}, "MX": {"ann": 2, "bob": 2}}


def test_the_explanation_says_that_it_was_the_rules_own_turn() -> None:
    (decision,) = Desk(two_territories(BY_RULE)).decide(account())
    assert because(decision) == "US: next in its own turns in pool all"
    (decision,) = Desk(two_territories(Pool("all", EVERYBODY))).decide(account())
    assert because(decision) == "US: next in turn in pool all"


def test_a_cap_counts_what_all_rules_gave() -> None:
    capped = Pool("all", {"ann": 1, "bob": 1}, per_day=2, memory="rule")
    given_to = sum(given_in_turn(capped, 6).values(), Counter())
    assert given_to == {"ann": 2, "bob": 2, None: 2}


def test_a_role_has_turns_of_its_own() -> None:
    with_role = replace(two_territories(BY_RULE), team=(TeamRole("csm", Assign(pool="all")),))
    (decision,) = Desk(with_role).decide(account())
    assert (decision.owner_id, decision.team[0].rep_id) == ("ann", "ann")


def test_a_turn_is_given_back_to_the_rule_it_was_taken_for() -> None:
    taken = rota()
    assert (taken.pick(rule="us").rep, taken.pick(rule="mx").rep) == ("ann", "ann")
    assert taken.turns().days == {"ann": {"2026-11-25": 2}}
    later = rota(taken.turns())
    later.give_back("ann", NOON, "mx")
    assert (later.next(rule="mx"), later.next(rule="us")) == ("ann", "bob")
    assert (later.taken("ann", "mx"), later.taken("ann", "us")) == (0, 1)
    assert later.turns().days == {"ann": {"2026-11-25": 1}}


def test_a_new_rule_begins_anew_and_what_a_rule_that_is_gone_gave_is_kept() -> None:
    first = rota()
    first.pick(rule="old")
    second = rota(first.turns())
    assert second.pick(rule="new").rep == "ann"
    assert second.turns().rules.keys() == {"old", "new"}


def test_a_leaver_hands_what_a_rule_owed_them_to_the_others() -> None:
    first = rota()
    first.pick(rule="us")
    without_bob = Pool("all", {"ann": 1, "cid": 1}, memory="rule")
    later = rota(first.turns(), without_bob)
    assert later.pick(rule="us").rep == "cid"
    assert sum(later.turns().rules["us"].credit.values()) == 0


def test_looking_leaves_no_memory_behind() -> None:
    looked = rota()
    looked.next(rule="us")
    looked.standing("us")
    assert looked.turns() == PoolTurns()


moves = st.lists(st.tuples(st.sampled_from(["pick", "charge", "back"]), st.sampled_from(["us", "mx"])), max_size=20)


@settings(max_examples=60, deadline=None)
@given(moves)
def test_the_turns_of_a_rule_are_those_of_a_pool_that_only_it_uses(moves: list[tuple[str, str]]) -> None:
    together = rota()
    apart = {rule: rota(pool=Pool("all", EVERYBODY)) for rule in ("us", "mx")}
    for move, rule in moves:
        if move == "pick":
            assert together.pick(rule=rule).rep == apart[rule].pick().rep
        elif move == "charge":
            together.charge("bob", rule)
            apart[rule].charge("bob")
        else:
            together.give_back("ann", None, rule)
            apart[rule].give_back("ann")
    state = PoolTurns.from_json(together.turns().to_json())
    assert state == together.turns()
    for rule, alone in apart.items():
        mine = state.rules.get(rule, PoolTurns())
        assert (mine.credit, mine.taken) == (alone.turns().credit, alone.turns().taken)


@pytest.mark.parametrize("memory", ["pool", "rule"])
def test_a_rota_goes_on_from_what_it_left(memory: str) -> None:
    pool = Pool("all", EVERYBODY, memory=memory)
    whole, state = rota(pool=pool), PoolTurns()
    for number in range(9):
        rule = "us" if number % 3 else "mx"
        part = rota(state, pool)
        assert part.pick(rule=rule).rep == whole.pick(rule=rule).rep
        state = part.turns()
