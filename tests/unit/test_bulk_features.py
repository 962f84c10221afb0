"""Each thing that a policy can say, decided by columns as one by one, on a company in which it matters."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from config.policy_files import LoadedPolicy
from ownership.conditions import Not, Test
from ownership.entries import (
    Assign,
    Dispute,
    Keeping,
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
from ownership.model import QUEUE, Period, Ramp, Rep
from ownership.policy import STEPS, Policy, Roster
from ownership.sustained import Mark
from tasks.memory import Memory
from tests.unit.bulk_comparison import assert_same, in_bulk
from tests.unit.random_files import World, frame

PEOPLE = ("ann", "bob", "cid", "dan", "eve")
US, BIG, VIP = Test("country", "is", "us"), Test("employees", "gte", 1000), Test("vip", "is", True)
LATER = ("rules", "territory", "parent_owner", "existing_owner")
RULES_FIRST = (*(step for step in STEPS if step not in LATER), *LATER)
POLICY = Policy(
    "p",
    rules=(Rule("big", BIG, Assign(pool="east")),),
    territories=(
        Territory("us", "US", US, pool="west"),
        Territory("rest", "Rest", Not(US)),
        Territory("no", "Norway", Test("country", "is", "no"), "rest", owner="ann"),
        Territory("se", "Sweden", Test("country", "is", "se"), "rest", owner="desk"),
    ),
    pools=(Pool("east", {"ann": 2, "bob": 1}), Pool("west", {"bob": 1, "cid": 1, "dan": 3})),
    policy_hash="p" * 64,
)
MEND = "mend it"


def rep(id_: str, **more: object) -> Rep:
    return replace(Rep(id_, id_.title(), f"{id_}@x.example", "ae", "t", capacity=70), **more)  # type: ignore[arg-type]


ROSTER = {**{id_: rep(id_) for id_ in PEOPLE}, "desk": rep("desk", kind=QUEUE, capacity=None)}


def accounts(count: int = 160) -> list[dict[str, str]]:
    """A third owned, a third below another, most of them somewhere and of some size."""
    chance = Random(7)
    ids = [f"a{chance.randrange(10**6)}" for _ in range(count)]
    return [
        {
            "id": id_,
            "name": f"Company {id_}",
            "country": chance.choice(["US", "US", "NO", "SE", "BR", ""]),
            "employees": chance.choice(["5", "999", "1000", "4000", ""]),
            "vip": chance.choice(["true", "false", ""]),
            "owner": chance.choice(["", "", "", "ann", "bob", "desk", "gone"]),
            "owned_since": chance.choice(["2026-11-20", "2026-01-01", ""]),
            "activity_on": chance.choice(["2026-11-24", "2026-10-01", ""]),
            "parent_id": chance.choice(["", "", chance.choice(ids)]),
            "domain": chance.choice([""] * 9 + ["big.com"]),
        }
        for id_ in ids
    ]


def pools(**more: object) -> tuple[Pool, ...]:
    return tuple(replace(pool, **more) for pool in POLICY.pools)  # type: ignore[arg-type]


POLICIES: dict[str, Policy] = {
    "plain": POLICY,
    "books above their most move on": replace(POLICY, keeping=Keeping(over_capacity="move_on")),
    "rules first": replace(POLICY, order=RULES_FIRST),
    "rules first, books move on": replace(POLICY, order=RULES_FIRST, keeping=Keeping(over_capacity="move_on")),
    "a rule that keeps": replace(POLICY, order=RULES_FIRST, rules=(Rule("keep", US, Assign()), *POLICY.rules)),
    "a handoff": replace(
        POLICY, order=RULES_FIRST, rules=(replace(POLICY.rules[0], handoff=(Requirement("vip", VIP, MEND),)),)
    ),
    "a rule that waits": replace(
        POLICY, rules=(replace(POLICY.rules[0], for_days=3), Rule("rest", VIP, Assign("eve")))
    ),
    "a rule that stays": replace(POLICY, rules=(replace(POLICY.rules[0], stays_while=VIP),)),
    "data that must be there": replace(
        POLICY,
        requirements=(
            Requirement("country", Test("country", "is_present", True), MEND),
            Requirement("not small", Not(Test("employees", "lt", 10)), MEND),
        ),
    ),
    "territories by priority": replace(
        POLICY,
        territories=(
            *POLICY.territories,
            Territory("vip", "VIP", VIP, priority=1, owner="eve"),
            Territory("z", "Z", owner="bob"),
        ),
    ),
    "idle accounts are forfeited": replace(POLICY, keeping=Keeping(forfeit_after_days=14)),
    "some follow their parent": replace(POLICY, follow_parent=VIP),
    "caps of a day": replace(POLICY, pools=pools(per_day=9)),
    "the smallest book": replace(POLICY, pools=pools(strategy="least_loaded")),
    "skills": replace(POLICY, rules=(Rule("big", BIG, Assign(pool="east", skills=frozenset({"french"}))),)),
    "one owner": replace(POLICY, rules=(Rule("big", BIG, Assign(owner="eve")),)),
    "pods": replace(POLICY, pods=(Pod("a", "ann", {"csm": "cid"}), Pod("b", "bob", {"csm": "dan", "sdr": "eve"}))),
    "a team": replace(
        POLICY, team=(TeamRole("csm", Assign(owner="cid"), BIG), TeamRole("csm", Assign(owner="dan"), Not(BIG)))
    ),
    "a team that takes turns": replace(POLICY, team=(TeamRole("csm", Assign(pool="west"), BIG),)),
    "by name": replace(
        POLICY,
        named=(NamedAccount("big.com", "eve"),),
        pins_bypass_capacity=False,
        pools=pools(manual_takes_turn=True),
    ),
    "overridden": replace(POLICY, overrides=(Override("big.com", "eve", "why", "ann", "bob", then="return"),)),
    "disputed": replace(POLICY, disputes=(Dispute("big.com", "eve", "mine"),)),
    "registered": replace(POLICY, registrations=(Registration("big.com", "eve", Period("2026-01-01")),)),
}
PEOPLE_WHO_DIFFER: dict[str, dict[str, Rep]] = {
    "plain": {},
    "small books": {id_: rep(id_, capacity=12) for id_ in PEOPLE},
    "leave, ramps and skills": {
        "ann": rep("ann", skills=frozenset({"french"})),
        "bob": rep("bob", leave=(Period("2026-11-20", "2026-12-01"),)),
        "dan": rep("dan", ramp=(Ramp("2026-12-31", 50),)),
        "eve": rep("eve", left_on="2026-01-01"),
    },
}


@pytest.mark.parametrize("people", PEOPLE_WHO_DIFFER)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_company_is_decided_by_columns_as_one_by_one(policy: str, people: str) -> None:
    rows = accounts()
    marks = {rows[0]["id"]: {"big": Mark("2026-11-20", True)}, rows[1]["id"]: {"big": Mark("2026-11-24", False)}}
    loaded = LoadedPolicy(POLICIES[policy], Roster(ROSTER | PEOPLE_WHO_DIFFER[people]), "p" * 64, "{}")
    assert_same(World(frame(rows), None, loaded, Memory({}, marks)))


def test_a_family_is_decided_together_even_where_a_member_of_it_is_settled() -> None:
    """The lowest id is below one that nobody is to get, which is below the highest: that takes the first turn."""
    rows = [{"id": f"m{number}", "name": "M", "country": "US"} for number in range(5)]
    rows += [
        {"id": "a", "name": "A", "country": "US", "parent_id": "b"},
        {"id": "b", "name": "B", "country": "US", "parent_id": "z", "do_not_route": "yes"},
        {"id": "z", "name": "Z", "country": "US"},
    ]
    world = World(frame(rows), None, LoadedPolicy(POLICY, Roster(ROSTER), "p" * 64, "{}"))
    assert_same(world)
    owners = dict(in_bulk(world).decisions.select("account_id", "owner_id").iter_rows())
    assert owners["z"] == "dan"
