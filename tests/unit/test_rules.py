"""Overrides, claims, rules, caps, skills, leave and dates: the properties behind the scenarios."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.assignment import decide_owners
from ownership.case import State
from ownership.conditions import ALWAYS, Test
from ownership.entries import Assign, NamedAccount, Override, Pool, Registration, Rule, Territory
from ownership.model import Account, Decision, Period, Rep
from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns

MONDAY = date(2026, 11, 23)
REPS = ("ann", "bob", "cid")
few = settings(max_examples=60, deadline=None)


def day(number: int) -> str:
    """The day so many days after Monday."""
    return (MONDAY + timedelta(days=number)).isoformat()


def noon(today: str) -> datetime:
    return datetime.fromisoformat(f"{today}T12:00:00+00:00")


def roster(**more: Rep) -> Roster:
    reps = {id_: Rep(id_, id_.title(), f"{id_}@x.example", "ae", "t") for id_ in REPS}
    return Roster(reps | more)


def account(id_: str, *domains: str) -> Account:
    return Account(id_, id_, {"country": "US", "domains": list(domains)})


def policy(pool: Pool, **more: object) -> Policy:
    return replace(Policy("p", pools=(pool,), territories=(Territory("all", "All", pool=pool.id),)), **more)


def decide(
    accounts: list[Account], rules: Policy, today: str, turns: PoolTurns | None = None, people: Roster | None = None
) -> tuple[list[Decision], PoolTurns]:
    state = State(turns={"pool": turns} if turns else {})
    decisions, after = decide_owners(accounts, rules, people or roster(), state, noon(today))
    return decisions, after.turns.get("pool", PoolTurns())


@few
@given(
    per_day=st.one_of(st.none(), st.integers(1, 4)),
    per_week=st.one_of(st.none(), st.integers(1, 9)),
    strategy=st.sampled_from(["turns", "least_loaded"]),
    arriving=st.lists(st.integers(0, 9), min_size=1, max_size=16),
)
def test_nobody_is_ever_given_more_than_the_caps_of_a_day_and_a_week(
    per_day: int | None, per_week: int | None, strategy: str, arriving: list[int]
) -> None:
    rules = policy(Pool("pool", dict.fromkeys(REPS, 1), strategy, per_day, per_week))
    turns = PoolTurns()
    given_on: Counter[tuple[str, int]] = Counter()
    for number, count in enumerate(arriving):
        decisions, turns = decide([account(f"a{number}-{n}") for n in range(count)], rules, day(number), turns)
        for rep in (decision.owner_id for decision in decisions if decision.owner_id):
            given_on[(rep, number)] += 1
        waiting = sum(decision.reason == "no_available_rep" for decision in decisions)
        assert waiting == 0 or all(is_full(rep, number, given_on, per_day, per_week) for rep in REPS)
    for rep in REPS:
        assert all(given_on[(rep, number)] <= (per_day or 999) for number in range(len(arriving)))
        for monday in range(0, len(arriving), 7):
            assert sum(given_on[(rep, monday + offset)] for offset in range(7)) <= (per_week or 9999)


def is_full(
    rep: str, number: int, given_on: Counter[tuple[str, int]], per_day: int | None, per_week: int | None
) -> bool:
    monday = number - number % 7
    this_week = sum(given_on[(rep, each)] for each in range(monday, number + 1))
    return given_on[(rep, number)] >= (per_day or 999) or this_week >= (per_week or 9999)


def test_the_smallest_book_for_its_weight_is_next() -> None:
    rules = policy(Pool("pool", {"ann": 2, "bob": 1}, "least_loaded"))
    decisions, _ = decide_owners([account("a1")], rules, roster(), State(load={"ann": 5, "bob": 3}), noon(day(0)))
    assert decisions[0].owner_id == "ann"
    decisions, _ = decide_owners([account("a1")], rules, roster(), State(load={"ann": 7, "bob": 3}), noon(day(0)))
    assert decisions[0].owner_id == "bob"


@few
@given(since=st.integers(-3, 3), length=st.integers(0, 5), today=st.integers(-5, 9))
def test_an_entry_outside_its_days_might_as_well_not_be_there(since: int, length: int, today: int) -> None:
    period = Period(day(since), day(since + length))
    inside = since <= today <= since + length
    pool = Pool("pool", {"ann": 1}, member_periods={})
    always = Rule("r", ALWAYS, Assign(owner="cid"), period=period)
    entries: list[dict[str, object]] = [
        {"named": (NamedAccount("big.com", "bob", period=period),)},
        {"overrides": (Override("big.com", "bob", "why", "ann", "cid", period),)},
        {"registrations": (Registration("big.com", "bob", period),)},
        {"rules": (replace(always, assign=Assign(owner="bob")),)},
    ]
    for entry in entries:
        decisions, _ = decide([account("a1", "big.com")], policy(pool, **entry), day(today))
        assert decisions[0].owner_id == ("bob" if inside else "ann")


def test_a_territory_that_has_ended_takes_those_below_it_along() -> None:
    ended = Period(until=day(-1))
    tree = (Territory("top", "Top", period=ended), Territory("leaf", "Leaf", parent="top", owner="ann"))
    assert Policy("p", territories=tree).on(day(0)).territories == ()
    assert Policy("p", territories=tree).on(day(-1)).territories == tree


def test_the_policy_of_a_day_is_its_own_policy_of_that_day() -> None:
    pool = Pool("pool", {"ann": 1, "bob": 1}, member_periods={"bob": Period(day(5))})
    rules = policy(pool, named=(NamedAccount("a.com", "ann", period=Period(day(9))),))
    assert rules.on(day(0)).on(day(0)) == rules.on(day(0))
    assert rules.on(day(0)).pools[0].members == {"ann": 1}
    assert rules.on(day(5)).pools[0].members == {"ann": 1, "bob": 1}


def test_who_is_passed_over_and_why_is_said_by_the_first_thing_in_the_way() -> None:
    away = Rep("dee", "Dee", "dee@x.example", "ae", "t", leave=(Period(day(-1), day(3)),))
    full = Rep("eli", "Eli", "eli@x.example", "ae", "t", capacity=0, skills=frozenset({"german"}))
    able = Rep("fay", "Fay", "fay@x.example", "ae", "t", skills=frozenset({"german"}))
    members = {"ann": 1, "dee": 1, "eli": 1, "fay": 1}
    rules = replace(
        policy(Pool("pool", members)),
        territories=(Territory("all", "All", pool="pool", skills=frozenset({"german"})),),
    )
    decisions, _ = decide([account("a1")], rules, day(0), people=roster(dee=away, eli=full, fay=able))
    assert decisions[0].owner_id == "fay"
    assert {each.rep_id: each.because for each in decisions[0].candidates} == {
        "ann": "lacks german",
        "dee": f"is on leave until {day(3)}",
        "eli": "owns 0 accounts of 0 at most",
        "fay": "next in turn",
    }


def test_the_earliest_claim_counts_whatever_the_order_they_are_written_in() -> None:
    claims = (
        Registration("big.com", "cid", Period(day(-2), day(9))),
        Registration("big.com", "bob", Period(day(-5), day(9))),
        Registration("big.com", "ann", Period(day(-9), day(-1))),
    )
    pool = Pool("pool", {"ann": 1})
    for order in (claims, claims[::-1]):
        decisions, _ = decide([account("a1", "big.com")], policy(pool, registrations=order), day(0))
        assert decisions[0].owner_id == "bob"
        assert decisions[0].path[-1].because == f"Bob registered big.com on {day(-5)}, protected until {day(9)}"


def test_the_first_rule_that_holds_decides_and_one_that_keeps_needs_somebody_to_keep() -> None:
    us = Test("country", "is", "us")
    rules = (Rule("keep", us, Assign()), Rule("give", us, Assign(owner="cid")), Rule("late", us, Assign(owner="bob")))
    decisions, _ = decide([account("a1")], policy(Pool("pool", {"ann": 1}), rules=rules), day(0))
    assert (decisions[0].owner_id, decisions[0].reason, decisions[0].rule) == ("cid", "rule", "give")


def test_a_policy_without_overrides_claims_and_rules_does_not_speak_of_them() -> None:
    decisions, _ = decide([account("a1")], policy(Pool("pool", {"ann": 1})), day(0))
    assert not {"override", "registration", "rules"} & {step.rule for step in decisions[0].path}
