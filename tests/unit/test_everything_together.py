"""All of a policy's features at once: what is decided depends on no order, and deciding again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from ownership.assignment import decide_owners
from ownership.case import State, book_sizes
from ownership.conditions import ALWAYS, Condition, Not, Test
from ownership.entries import (
    Assign,
    Dispute,
    Keeping,
    Leads,
    NamedAccount,
    Override,
    Pod,
    Pool,
    Registration,
    Requirement,
    Rule,
    TeamRole,
    Territory,
)
from ownership.model import Account, Decision, Period, Ramp
from ownership.policy import Policy, Roster
from tests.unit.small_company import account, at, company, lead, rep

pytestmark = pytest.mark.slow

START = at("2026-11-25", "09:30")
REPS = ("ann", "bob", "cid")
IDS = [f"a{number}" for number in range(6)]
OWNERS = (*REPS, "low-touch")
some = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Decide = Callable[[Sequence[Account], Policy, Roster, State, datetime], tuple[list[Decision], State]]


def day(number: int) -> str:
    """So many days after the first."""
    return f"{START + timedelta(days=number):%Y-%m-%d}"


def some_days(draw: st.DrawFn) -> Period:
    since = draw(st.integers(-1, 2))
    return Period(day(since), day(since + draw(st.integers(0, 2))))


PEOPLE: tuple[dict[str, Any], ...] = (
    {},
    {"skills": frozenset({"german"})},
    {"capacity": 1},
    {"capacity": 3, "skills": frozenset({"german"})},
    {"left_on": day(0)},
    {"leave": (Period(day(1), day(1)),), "skills": frozenset({"german"})},
    {"ramp": (Ramp(day(0), 0), Ramp(day(2), 50))},
)


@st.composite
def some_people(draw: st.DrawFn) -> Roster:
    kinds = (draw(st.sampled_from(PEOPLE)) for _ in REPS)
    return company(*(rep(id_, **kind) for id_, kind in zip(REPS, kinds, strict=True)), rep("sam", role="sdr"))


POOLS: tuple[dict[str, Any], ...] = (
    {},
    {"strategy": "least_loaded"},
    {"per_day": 2, "rolling": True, "manual_takes_turn": True},
    {"per_day": 2, "timezone": "America/New_York", "existing_owner_takes_turn": True},
    {"within_hours": 2, "owed_most": 2},
    {"owed_most": 2, "manual_takes_turn": True, "existing_owner_takes_turn": True},
)


def some_pool(draw: st.DrawFn, id_: str, members: Sequence[str]) -> Pool:
    left_out = draw(st.sampled_from([None, *members]))
    weights = {each: weight for weight, each in enumerate(members, 1) if each != left_out}
    return Pool(id_, weights, **draw(st.sampled_from(POOLS)))


def some_override(draw: st.DrawFn, id_: str) -> Override:
    then = draw(st.sampled_from(["stay", "return", "return", "rules"]))
    return Override(f"{id_}.com", draw(st.sampled_from(OWNERS)), "x", "ann", "mia", some_days(draw), then)


def some_rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    plan = Requirement("plan", Test("vip", "is_present", True), "write it")
    grown = Rule(
        "grown",
        Test("active_seats", "gte", 25),
        draw(st.sampled_from([Assign(owner="cid"), Assign(pool="all"), Assign()])),
        for_days=draw(st.integers(0, 2)),
        stays_while=draw(st.sampled_from([None, Test("active_seats", "gte", 15)])),
        handoff=draw(st.sampled_from([(), (plan,), (plan,)])),
        period=draw(st.sampled_from([Period(), Period(), Period(day(1))])),
    )
    small = Rule("small", Test("employees", "lt", 10), Assign(owner="low-touch"))
    return draw(st.sampled_from([(grown, small), (small, grown), (grown,)]))


def some_order(draw: st.DrawFn) -> tuple[str, ...]:
    """An owner is asked for before the rules, after them, or by nothing but the map."""
    first = ("do_not_route", "dispute", "gate", "override", "named", "registration", "returned", "parent_owner")
    rest = (("existing_owner", "rules", "territory"), ("rules", "existing_owner", "territory"), ("rules", "territory"))
    return (*first, *draw(st.sampled_from(rest)))


@st.composite
def some_policies(draw: st.DrawFn) -> Policy:
    who, which = st.sampled_from(OWNERS), st.sampled_from(IDS[:4])
    german = Test("country", "is", "de")
    follow: list[Condition] = [ALWAYS, Not(ALWAYS), german]
    role = TeamRole("csm", Assign(pool="csm"), Test("segment", "is", "enterprise"))
    return Policy(
        "p",
        order=some_order(draw),
        requirements=draw(st.sampled_from([(), (Requirement("size", Test("employees", "is_present", True), "x"),)])),
        disputes=tuple(
            Dispute(f"{id_}.com", "bob", "mine", some_days(draw)) for id_ in draw(st.sets(which, max_size=1))
        ),
        overrides=tuple(some_override(draw, id_) for id_ in draw(st.lists(which, min_size=1, max_size=3))),
        named=tuple(NamedAccount(f"{id_}.com", draw(who)) for id_ in draw(st.sets(which, max_size=2))),
        registrations=tuple(
            Registration(f"{id_}.com", draw(who), some_days(draw)) for id_ in draw(st.sets(which, max_size=1))
        ),
        rules=some_rules(draw),
        territories=(
            Territory("all", "All", pool="all"),
            Territory("de", "Germany", german, pool="de", priority=1, skills=draw(st.sampled_from(SKILLS))),
            Territory("br", "Brazil", Test("country", "is", "br"), owner="low-touch", priority=1),
        ),
        pools=(some_pool(draw, "all", REPS), some_pool(draw, "de", REPS), some_pool(draw, "csm", ["sam", "mia"])),
        pods=draw(st.sampled_from([(), (Pod("anns", "ann", {"sdr": "sam", "csm": "mia"}),)])),
        team=draw(st.sampled_from([(), (role,)])),
        keeping=draw(st.sampled_from([Keeping(), Keeping(14, True), Keeping(14, over_capacity="move_on")])),
        follow_parent=draw(st.sampled_from(follow)),
        pins_bypass_capacity=draw(st.booleans()),
        leads=Leads(sticky_days=draw(st.sampled_from([0, 30, 30]))),
    )


SKILLS = (frozenset[str](), frozenset({"german"}))
MIDDLE: dict[str, Any] = {"country": "US", "employees": 500}
KINDS: tuple[dict[str, Any], ...] = (
    MIDDLE,
    {**MIDDLE, "employees": 5},
    {"country": "US"},
    {**MIDDLE, "country": "DE"},
    {**MIDDLE, "country": "BR"},
    {**MIDDLE, "active_seats": 30},
    {**MIDDLE, "country": "DE", "active_seats": 30, "vip": True},
    {**MIDDLE, "active_seats": 20, "segment": "enterprise"},
    {**MIDDLE, "activity_on": day(-40), "segment": "enterprise"},
    {**MIDDLE, "country": "DE", "activity_on": day(0)},
    {**MIDDLE, "do_not_route": True},
)


@st.composite
def some_accounts(draw: st.DrawFn) -> tuple[Account, ...]:
    """Families of companies, and people of them who wrote to us."""

    count = draw(st.integers(2, len(IDS)))
    found = []
    for number, id_ in enumerate(IDS[:count]):
        parent = draw(st.sampled_from([None, None, *IDS[:number]]))
        one = account(id_, parent, **draw(st.sampled_from(KINDS)))
        shown = draw(st.sampled_from([None, None, None, *REPS]))
        found.append(replace(one, crm_owners={one.refs[0]: shown}) if shown else one)
    for number in range(draw(st.integers(0, 3))):
        of = draw(st.sampled_from([None, *IDS[:count]]))
        found.append(
            lead(
                f"l{number}",
                of,
                **draw(st.sampled_from(KINDS)),
                domains=[draw(st.sampled_from(["acme.com", "acme.com", "a0.com"]))],
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class World:
    """A company on some days in a row, with who had what before the first."""

    policy: Policy
    roster: Roster
    accounts: tuple[Account, ...]
    state: State

    def days(self, decide: Decide = decide_owners) -> list[tuple[list[Decision], State]]:
        """What is decided on each of four days, each from what the day before had left, with the books counted."""
        found, state = [], self.state
        for number in range(4):
            state = replace(state, load=self.books(state, number))
            decisions, state = decide(self.accounts, self.policy, self.roster, state, START + timedelta(days=number))
            found.append((decisions, state))
        return found

    def books(self, state: State, number: int) -> dict[str, int]:
        present = self.roster.present_on(day(number))
        return book_sizes(self.accounts, state.owners, present, self.policy.system_of_record)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    policy, roster, accounts = draw(some_policies()), draw(some_people()), draw(some_accounts())
    owners = draw(st.dictionaries(st.sampled_from([each.id for each in accounts]), st.sampled_from(OWNERS)))
    return World(policy, roster, accounts, State(dict(owners)))


def repeats(world: World, decide: Decide = decide_owners) -> bool:
    """Whether deciding a day once more, from what it left, gives the same owners and teams and takes no turn."""
    for number, (decisions, after) in enumerate(world.days(decide)):
        again, still = decide(world.accounts, world.policy, world.roster, after, START + timedelta(days=number))
        if still != after or any(each.turn for each in again):
            return False
        if not all(_is_same(one, other, world.roster) for one, other in zip(decisions, again, strict=True)):
            return False
    return True


def _is_same(one: Decision, other: Decision, roster: Roster) -> bool:
    """An account that has come into a queue may wait there for data it was not asked for while a person had it."""
    if roster.is_queue(str(one.owner_id)) and other.reason == "missing_data":
        return True
    return one.owner_id == other.owner_id and _team(one) == _team(other)


def _team(decision: Decision) -> dict[str, str | None]:
    return {member.role: member.rep_id for member in decision.team}


def without_news(world: World) -> World:
    """Without what is known only once a batch is decided, and used the next time: room that has opened in a full book,
    and who has got a company's first lead."""
    policy = replace(world.policy, leads=Leads())
    people = {id_: replace(person, capacity=None) for id_, person in world.roster.reps.items()}
    return replace(world, policy=policy, roster=Roster(people))


@some
@given(worlds())
def test_deciding_again_changes_no_owner_no_team_and_no_turn(world: World) -> None:
    assert repeats(without_news(world))


@some
@given(worlds(), st.data())
def test_what_is_decided_depends_on_no_order(world: World, data: st.DataObject) -> None:
    """Of accounts, or of what a policy lists as equals: claims, pools, and the members of them."""
    policy = world.policy
    shuffled = replace(
        policy,
        registrations=tuple(data.draw(st.permutations(policy.registrations))),
        pools=tuple(data.draw(st.permutations([_backwards(pool) for pool in policy.pools]))),
    )
    accounts = tuple(data.draw(st.permutations(world.accounts)))
    roster = Roster(dict(reversed(world.roster.reps.items())))
    one, other = world.days(), replace(world, accounts=accounts, policy=shuffled, roster=roster).days()
    for (decisions, state), (others, other_state) in zip(one, other, strict=True):
        assert {each.account_id: each for each in decisions} == {each.account_id: each for each in others}
        assert state == other_state


def _backwards(pool: Pool) -> Pool:
    return replace(pool, members=dict(reversed(pool.members.items())))


@some
@given(worlds())
def test_what_is_left_for_the_next_day_is_what_was_decided(world: World) -> None:
    """Owners are there, exceptions have no team, and the books are those that counting them anew would give."""
    for number, (decisions, state) in enumerate(world.days()):
        here = world.roster.present_on(day(number))
        for decision in decisions:
            assert (decision.owner_id is None and not decision.team) or decision.owner_id in here
            assert decision.owner_id in (None, state.owners.get(decision.account_id))
        assert {rep_id: size for rep_id, size in state.load.items() if size} == world.books(state, number)


# --- the engine could be wrong, and then this would say so ---


def forgetting(*parts: str) -> Decide:
    """An engine that does not know some part of what was decided before."""

    def decide(
        accounts: Sequence[Account], policy: Policy, roster: Roster, state: State, now: datetime
    ) -> tuple[list[Decision], State]:
        return decide_owners(accounts, policy, roster, replace(state, **{part: {} for part in parts}), now)

    return decide


@pytest.mark.parametrize("part", ["owners", "holdings", "teams", "turns"])
def test_an_engine_that_forgets_is_found_out(part: str) -> None:
    """A control: the same check fails for an engine that ignores a part of the state."""
    quick = settings(max_examples=2_000, phases=[Phase.generate], deadline=None, database=None)
    wrong = find(worlds(), lambda world: not repeats(without_news(world), forgetting(part)), settings=quick)
    assert wrong


def test_these_days_are_full_of_events() -> None:
    """A control: everything the properties are about happens in them."""
    reached: set[str] = set()

    @settings(max_examples=75, phases=[Phase.generate], deadline=None, database=None, derandomize=True)
    @given(worlds())
    def collect(world: World) -> None:
        for decisions, state in world.days():
            reached.update(decision.reason for decision in decisions)
            reached.update("lent" for decision in decisions if decision.afterwards)
            reached.update("team" for decision in decisions if decision.team)
            reached.update("remembered" for marks in state.marks.values() if marks)

    collect()
    assert reached >= {
        *("override", "named", "registration", "returned", "parent_owner", "existing_owner", "rule", "queue", "pool"),
        *("account_owner", "sticky", "disputed", "missing_data", "handoff_incomplete", "do_not_route"),
        *("no_available_rep", "lent", "team", "remembered"),
    }
