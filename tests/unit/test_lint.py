"""Lint: what a policy that loads still has wrong, found without crying wolf."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.settings import POLICY_DIR
from ownership.conditions import ALWAYS, All, AnyOf, Condition, Not, Test, fold_fields, holds
from ownership.entries import (
    Acceptance,
    Assign,
    Dispute,
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
from ownership.lint import Finding, Severity, lint
from ownership.model import Period, Rep
from ownership.overlap import are_disjoint
from ownership.policy import Policy, Roster
from ownership.territories import path_of
from ownership.thinkable import can_hold
from tests.policies import read_policy

TODAY = "2026-11-25"
few = settings(max_examples=60, deadline=None)


def rep(id_: str, **different: Any) -> Rep:
    return Rep(
        id_, id_.capitalize(), f"{id_}@x.example", **{"role": "ae", "team": "SMB", "manager": "meg", **different}
    )


def people(*different: Rep) -> Roster:
    """Ann and Bob sell, Meg manages them, Zoe has left."""
    known = [rep("ann"), rep("bob"), rep("meg", role="manager", manager=None), rep("zoe", left_on="2026-11-01")]
    return Roster({person.id: person for person in [*known, *different]})


def country(*codes: str) -> Condition:
    return Test("country", "in", frozenset(codes))


def size(operator: str, number: float) -> Condition:
    return Test("employees", operator, number)


US = Territory("us", "United States", country("us"), pool="both")
BOTH = Pool("both", {"ann": 1, "bob": 1})


def found(*territories: Territory, roster: Roster | None = None, **more: Any) -> list[tuple[str, str, str, str]]:
    """Findings of a policy with these territories (only the US when none are given), but for the catch-all it lacks."""
    policy = Policy("p", territories=territories or (US,), **{"pools": (BOTH,), **more})
    findings = [f for f in lint(policy, roster or people(), TODAY) if f.kind != "policy"]
    return [(f.severity.value, f.kind, f.id, f.what) for f in findings]


def lacks_a_catch_all(*territories: Territory, **more: Any) -> bool:
    policy = Policy("p", territories=territories, pools=(BOTH,), **more)
    return any(f.kind == "policy" and "no catch-all" in f.what for f in lint(policy, people(), TODAY))


def shut(*territories: Territory) -> dict[str, str]:
    """Territories that are said to be unreachable, and why."""
    said = "no account can ever reach it: "
    return {id_: what.removeprefix(said) for _, _, id_, what in found(*territories) if what.startswith(said)}


def below(id_: str, when: Condition, parent: str | None = "us", **more: Any) -> Territory:
    return Territory(id_, id_.upper(), when, parent, pool="both", **more)


def test_a_sound_policy_has_no_finding() -> None:
    assert found() == []


def test_the_shipped_policy_has_no_error() -> None:
    loaded = read_policy(POLICY_DIR)
    findings = lint(loaded.policy, loaded.roster, TODAY)
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
    alone = [finding.id for finding in findings if finding.what.startswith("only ")]
    assert alone == ["ent-apac", "mm-canada", "mm-latam", "mm-nordics"]


def test_errors_come_first_and_the_order_of_the_policy_means_nothing() -> None:
    idle, dead = Pool("idle", {"ann": 1, "bob": 1}), below("dead", country("de"))
    one = lint(Policy("p", territories=(US, dead), pools=(BOTH, idle)), people(), TODAY)
    other = lint(Policy("p", territories=(dead, US), pools=(idle, BOTH)), people(), TODAY)
    assert one == other
    assert [finding.severity.value for finding in one] == ["error", "warning", "warning"]


def test_every_finding_says_what_to_do() -> None:
    findings = lint(Policy("p", territories=(below("x", country("us"), None), US), pools=(BOTH,)), people(), TODAY)
    assert findings[:1] == [
        Finding(
            Severity.ERROR,
            "territory",
            "x",
            "no account can ever reach it: us goes first and takes everything that lies in it",
            "Correct its condition, raise its priority, or remove it",
        )
    ]


# --- a territory that can never be reached ---


def test_a_child_that_contradicts_its_parent_is_never_reached() -> None:
    assert shut(US, below("de", country("de"))) == {"de": "its condition contradicts that of us, above it"}


def test_a_grandchild_that_contradicts_its_grandparent_is_never_reached_either() -> None:
    smb = below("smb", Test("segment", "is", "smb"))
    assert shut(US, smb, below("de", country("de"), "smb")) == {"de": "its condition contradicts that of us, above it"}


def test_a_condition_no_account_can_meet_is_named_as_such() -> None:
    never = All((size("lt", 10), size("gte", 10)))
    assert shut(US, below("never", never)) == {"never": "its condition contradicts itself"}
    neither = All((country("us"), Not(country("us", "de"))))
    assert shut(US, below("never", neither)) == {"never": "its condition contradicts itself"}


def test_conditions_that_contradict_only_together_are_found() -> None:
    either = below("either", AnyOf((country("de"), size("gte", 100))))
    assert shut(US, either, below("small", size("lt", 100), "either")) == {
        "small": "its condition contradicts those above it together"
    }


def test_what_lies_below_a_territory_nobody_reaches_is_not_told_again() -> None:
    assert list(shut(US, below("de", country("de")), below("berlin", ALWAYS, "de"))) == ["de"]


def test_a_sibling_of_higher_priority_that_asks_for_less_covers_a_territory() -> None:
    wide = below("wide", size("gte", 10), priority=5)
    assert shut(US, wide, below("narrow", size("gte", 100))) == {
        "narrow": "wide goes first and takes everything that lies in it"
    }
    assert shut(US, wide, below("narrow", size("gte", 100), priority=9)) == {}


def test_siblings_that_cover_a_territory_only_together_are_found() -> None:
    east, west = below("a", country("us"), None, priority=2), below("b", country("ca"), None, priority=3)
    assert shut(east, west, below("both", country("us", "ca"), None)) == {
        "both": "its siblings that go first take everything that lies in it"
    }
    assert shut(east, west, below("more", country("us", "ca", "mx"), None)) == {}


def test_a_sibling_of_an_ancestor_can_cover_a_territory() -> None:
    big = below("big", All((country("us"), size("gte", 100))), None, priority=1)
    assert shut(US, big, below("huge", size("gte", 1000))) == {
        "huge": "its siblings that go first take everything that lies in it"
    }


def test_a_last_resort_without_a_condition_is_reached_by_what_is_left() -> None:
    assert shut(US, below("rest", ALWAYS, None, priority=-1)) == {}
    assert shut(below("all", ALWAYS, None, priority=1), US) == {
        "us": "all goes first and takes everything that lies in it"
    }


def test_an_account_whose_field_is_unknown_can_reach_what_its_sibling_does_not_take() -> None:
    not_us = below("abroad", Not(country("us")), None, priority=1)
    us = below("us", country("us"), None, priority=1)
    assert shut(us, not_us, below("nowhere", ALWAYS, None)) == {}
    assert list(shut(us, not_us, below("known", Test("country", "is_present", True), None))) == ["known"]


def test_a_prefix_is_told_from_the_texts_that_have_it() -> None:
    bavaria, munich = Test("postcode", "starts_with", "8"), Test("postcode", "starts_with", "80")
    first = below("munich", munich, priority=1)
    assert shut(US, first, below("bavaria", bavaria)) == {}
    assert list(shut(US, below("bavaria", bavaria, priority=1), below("munich", munich))) == ["munich"]


# --- a territory nobody serves ---


def test_a_leaf_with_nobody_on_its_whole_path_is_an_error() -> None:
    bare = Territory("br", "Brazil", country("br"))
    assert found(US, bare) == [("error", "territory", "br", "nobody on its whole path serves it")]
    assert found(US, Territory("ny", "New York", Test("state", "is", "ny"), "us")) == []


def test_a_branch_without_a_server_is_a_warning_when_its_children_leave_some_accounts() -> None:
    branch = Territory("eu", "Europe", country("de", "fr"))
    de, fr = below("de", country("de"), "eu"), below("fr", country("fr"), "eu")
    said = "an account in it that lies in none of its children is served by nobody"
    assert found(branch, de) == [("warning", "territory", "eu", said)]
    assert found(branch, de, fr) == []


def test_a_requirement_can_make_the_children_of_a_branch_take_everything() -> None:
    branch, small = Territory("us", "US", country("us")), below("small", size("gte", 0))
    need = Requirement("size", size("gte", 0), "fill it in")
    assert len(found(branch, small)) == 1
    assert found(branch, small, requirements=(need,)) == []


def test_a_territory_whose_people_are_all_gone_is_an_error() -> None:
    gone = Territory("de", "Germany", country("de"), owner="zoe")
    assert found(US, gone) == [("error", "territory", "de", "de serves it and nobody of it is there")]


# --- pools and people ---


def test_a_pool_nobody_uses_is_a_warning() -> None:
    idle = Pool("idle", {"ann": 1, "bob": 1})
    assert found(pools=(BOTH, idle)) == [("warning", "pool", "idle", "no territory, rule or role uses it")]


def test_a_pool_or_territory_of_one_person_has_no_fallback() -> None:
    alone = "is alone in it; nobody takes over when they are away or full"
    assert found(pools=(Pool("both", {"ann": 1}),), roster=people(rep("bob", role="csm"))) == [
        ("warning", "pool", "both", f"Ann {alone}")
    ]
    with_a_leaver = found(pools=(Pool("both", {"ann": 1, "zoe": 1}),))
    assert ("warning", "pool", "both", f"Ann {alone}") in with_a_leaver
    assert found(US, Territory("de", "Germany", country("de"), owner="bob")) == [
        ("warning", "territory", "de", "only Bob serves it; nobody takes over when they are away or full")
    ]


def test_whoever_has_left_and_is_still_named_is_an_error_wherever_that_is() -> None:
    left = "it names Zoe, who left on 2026-11-01"
    forms: list[tuple[str, str, dict[str, Any]]] = [
        ("pool", "both", {"pools": (Pool("both", {"ann": 1, "bob": 1, "zoe": 1}),)}),
        ("named", "visa.com", {"named": (NamedAccount("visa.com", "zoe"),)}),
        ("override", "visa.com", {"overrides": (Override("visa.com", "zoe", "x", "ann", "bob"),)}),
        ("registration", "visa.com", {"registrations": (Registration("visa.com", "zoe", Period("2026-01-01")),)}),
        ("rule", "r", {"rules": (Rule("r", country("de"), Assign(owner="zoe")),)}),
        ("role", "csm", {"team": (TeamRole("csm", Assign(owner="zoe")),)}),
        ("pod", "one", {"pods": (Pod("one", "ann", {"csm": "zoe"}),)}),
    ]
    for kind, id_, entries in forms:
        assert found(**entries) == [("error", kind, id_, left)]


def test_who_leaves_later_is_named_rightly_until_then_and_so_is_who_was_in_a_pool_until_then() -> None:
    later = people(rep("zoe", left_on="2026-12-31"))
    assert found(roster=later, named=(NamedAccount("visa.com", "zoe"),)) == []
    until = Pool("both", {"ann": 1, "bob": 1, "zoe": 1}, member_periods={"zoe": Period(until="2026-11-01")})
    assert found(pools=(until,)) == []


def test_a_dispute_names_an_account_by_a_domain_it_can_be_known_by() -> None:
    assert found(disputes=(Dispute("visa.com", "bob", "x"), Dispute("salesforce/001A", "bob", "x"))) == []
    assert found(disputes=(Dispute("www.visa.com", "bob", "x"),)) == [
        ("error", "dispute", "www.visa.com", "no account is ever known by this domain")
    ]


def test_a_rule_that_remembers_takes_nothing_from_those_after_it_and_is_no_catch_all() -> None:
    later = Rule("later", ALWAYS, Assign(owner="ann"), for_days=14)
    after = Rule("after", country("us"), Assign(owner="bob"))
    assert found(rules=(later, after)) == []
    assert lacks_a_catch_all(US, rules=(later,))
    assert not lacks_a_catch_all(US, rules=(Rule("now", ALWAYS, Assign(owner="ann")),))


def test_a_pool_that_only_fills_a_role_is_used() -> None:
    csms = Pool("csms", {"ann": 1, "bob": 1})
    assert found(pools=(BOTH, csms), team=(TeamRole("csm", Assign(pool="csms")),)) == []


def test_a_named_account_is_known_by_the_domain_somebody_registered() -> None:
    named = (NamedAccount("www.visa.com", "ann"), NamedAccount("gmail.com", "bob"))
    assert [(f[0], f[2], f[3]) for f in found(named=named)] == [
        ("error", "gmail.com", "no account is ever known by this domain"),
        ("error", "www.visa.com", "no account is ever known by this domain"),
    ]


def test_a_named_account_that_two_entries_cover_is_an_error() -> None:
    named = (NamedAccount("visa.com", "ann"), NamedAccount("usa.visa.com", "bob"))
    said = "2 entries cover the same account: usa.visa.com, visa.com"
    assert ("error", "named", "visa.com", said) in found(named=named)


def test_a_seller_whom_nothing_can_give_an_account_is_a_warning() -> None:
    what = "Cid sells, and nothing in the policy can ever give them an account"
    assert found(roster=people(rep("cid"))) == [("warning", "rep", "cid", what)]
    for other in (rep("cid", role="csm"), rep("cid", active=False), rep("cid", left_on="2026-11-24")):
        assert found(roster=people(other)) == []
    assert found(roster=people(rep("cid")), named=(NamedAccount("visa.com", "cid"),)) == []


def test_a_seller_whose_book_holds_nothing_or_whose_territory_nobody_reaches_gets_nothing() -> None:
    three = Pool("both", {"ann": 1, "bob": 1, "cid": 1})
    assert [f[2] for f in found(pools=(three,), roster=people(rep("cid", capacity=0)))] == ["cid"]
    dead = Territory("dead", "Dead", country("de"), "us", owner="cid")
    assert [(f[1], f[2]) for f in found(US, dead, roster=people(rep("cid")))] == [("territory", "dead"), ("rep", "cid")]


def test_a_seller_who_is_only_asked_as_a_manager_can_still_get_accounts() -> None:
    boss = people(rep("cid"), rep("ann", manager="cid"))
    assert found(roster=boss) == []
    assert [f[2] for f in found(roster=boss, acceptance=Acceptance(chain=("next_in_line", "queue")))] == ["cid"]


def test_a_manager_who_has_left_is_an_error() -> None:
    lost = people(rep("ann", manager="zoe"), rep("bob", manager="zoe"))
    what = "Zoe is not there any more and is the manager of Ann, Bob"
    assert found(roster=lost) == [("error", "rep", "zoe", what)]


def test_a_manager_step_that_leads_to_nobody_is_a_warning() -> None:
    lost = people(rep("ann", manager=None), rep("bob", manager="bob"))
    what = "its step 'manager' leads to nobody for Ann, Bob"
    assert found(roster=lost) == [("warning", "acceptance", "chain", what)]
    assert found(roster=lost, acceptance=Acceptance(chain=("next_in_line", "queue"))) == []


def test_whoever_a_rule_an_override_or_a_registration_names_can_get_something() -> None:
    cid = people(rep("cid"))
    assert found(roster=cid, rules=(Rule("r", country("de"), Assign("cid")),)) == []
    assert found(roster=cid, overrides=(Override("visa.com", "cid", "x", "ann", "meg"),)) == []
    assert found(roster=cid, registrations=(Registration("visa.com", "cid", Period("2026-01-01")),)) == []
    future = Rule("r", country("de"), Assign("cid"), period=Period("2027-01-01"))
    assert found(roster=cid, rules=(future,)) == []


def test_a_pool_only_a_rule_uses_is_used() -> None:
    other = Pool("other", {"ann": 1, "bob": 1})
    assert found(pools=(BOTH, other), rules=(Rule("r", country("de"), Assign(pool="other")),)) == []


def test_nobody_with_the_skills_a_territory_asks_for_is_nobody_to_serve_it() -> None:
    said = "de serves it and nobody of it is there with the skills it asks for"
    assert found(US, below("de", country("de"), None, skills=frozenset({"german"}))) == [
        ("error", "territory", "de", said)
    ]


def test_a_rule_that_earlier_rules_leave_nothing_can_never_decide() -> None:
    wide, narrow = Rule("wide", size("gte", 10), Assign("ann")), Rule("narrow", size("gte", 100), Assign("bob"))
    said = "it can never decide: the rules before it take everything it is about"
    assert found(rules=(wide, narrow)) == [("error", "rule", "narrow", said)]
    assert found(rules=(narrow, wide)) == []
    assert found(rules=(Rule("wide", size("gte", 10), Assign()), narrow)) == [], "keep decides only for who has it"


def test_a_territory_that_has_ended_covers_nothing() -> None:
    first = below("first", country("us"), None, priority=1)
    assert list(shut(US, first)) == ["us"]
    assert shut(US, below("first", country("us"), None, priority=1, period=Period(until="2026-11-24"))) == {}


# --- requirements ---


def test_a_requirement_that_holds_in_no_territory_is_an_error() -> None:
    need = Requirement("abroad", country("de"), "x")
    assert found(requirements=(need,)) == [
        ("error", "requirement", "abroad", "no account that meets it lies in any territory")
    ]


def test_a_requirement_that_can_never_hold_is_an_error() -> None:
    need = Requirement("never", All((country("de"), country("us"))), "x")
    assert found(requirements=(need,)) == [
        ("error", "requirement", "never", "it can never hold: no new account is ever placed")
    ]


def test_a_requirement_that_shuts_some_territories_names_them() -> None:
    need = Requirement("home", country("us"), "x")
    assert found(US, below("de", country("de"), None), requirements=(need,)) == [
        ("warning", "requirement", "home", "no account in de can ever meet it")
    ]


# --- whether conditions can hold, on random ones ---

COUNTRIES, SIZES = ["us", "de", "usa", None], [None, 0, 5, 10, 11, 50]
EVERY = [
    fold_fields({"country": c, "employees": n, "paying": p}) for c, n, p in product(COUNTRIES, SIZES, [True, None])
]
tests = st.one_of(
    st.builds(country, st.sampled_from(["us", "de"]), st.sampled_from(["us", "de"])),
    st.builds(lambda text: Test("country", "starts_with", text), st.sampled_from(["u", "us"])),
    st.builds(size, st.sampled_from(["is", "gt", "gte", "lt", "lte"]), st.sampled_from([5, 10])),
    st.builds(
        Test, st.sampled_from(["country", "employees"]), st.sampled_from(["is_present", "is_missing"]), st.just(True)
    ),
    st.just(Test("paying", "is", True)),
    st.just(ALWAYS),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(lambda parts: All(tuple(parts)), st.lists(inner, max_size=3)),
        st.builds(lambda parts: AnyOf(tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@few
@given(st.lists(conditions, max_size=3), st.lists(conditions, max_size=2))
def test_conditions_are_never_said_to_be_impossible_when_an_account_meets_them(
    all_of: list[Condition], none_of: list[Condition]
) -> None:
    met = any(all(holds(c, one) for c in all_of) and not any(holds(c, one) for c in none_of) for one in EVERY)
    if met:
        assert can_hold(all_of, none_of) is True


@few
@given(conditions, conditions)
def test_what_overlap_rules_out_is_impossible(one: Condition, other: Condition) -> None:
    if are_disjoint(one, other):
        assert can_hold([one, other]) is False


def test_nothing_is_claimed_where_there_are_too_many_accounts_to_try() -> None:
    many = [AnyOf(tuple(Test(f, "is", str(n)) for n in range(20))) for f in ("country", "state", "city", "industry")]
    either = AnyOf(tuple(Test(field, "is", "x") for field in ("country", "state", "city", "industry")))
    assert can_hold([], [*many, either]) in (True, None)
    assert can_hold([Not(AnyOf(tuple(many)))]) is None
    domains = [Test("domains", "contains", f"{n}.com") for n in range(20)]
    assert can_hold(domains) is None


@st.composite
def trees(draw: st.DrawFn) -> tuple[Territory, ...]:
    made: list[Territory] = []
    for number in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from([None, *[territory.id for territory in made]]))
        made.append(below(f"t{number}", draw(conditions), parent, priority=draw(st.integers(0, 1))))
    return tuple(made)


@few
@given(trees())
def test_no_territory_that_an_account_reaches_is_called_unreachable(map_: tuple[Territory, ...]) -> None:
    reached = {territory.id for one in EVERY for territory in path_of(one, Policy("p", territories=map_))}
    assert not reached & set(shut(*map_))


@pytest.mark.parametrize("role", ["ae", "AM"])
def test_account_executives_and_account_managers_are_sellers(role: str) -> None:
    assert len(found(roster=people(rep("cid", role=role)))) == 1


def test_a_map_that_leaves_some_account_to_nothing_lacks_a_catch_all() -> None:
    assert lacks_a_catch_all(US)
    assert not lacks_a_catch_all(US, Territory("rest", "Rest", pool="both", priority=-1))
    last = Rule("last", ALWAYS, Assign(pool="both"))
    assert not lacks_a_catch_all(US, rules=(last,))


def test_a_map_that_holds_every_account_with_the_required_data_needs_no_other_catch_all() -> None:
    in_the_us = Requirement("country", Test("country", "is", "us"), "fill it in")
    assert not lacks_a_catch_all(US, requirements=(in_the_us,))
