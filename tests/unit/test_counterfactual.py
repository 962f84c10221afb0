"""What if, and why not: every answer is the engine's own, on a situation that differs in one thing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.case import State
from ownership.conditions import All, AnyOf, Condition, Field, Not, Test
from ownership.counterfactual import KINDS, Change, NoSuchValue, Situation, to_value, what_if, why_not
from ownership.entries import Assign, Override, Pool, Requirement, Rule, Territory
from ownership.model import Account, Period, Ramp
from ownership.policy import STEPS, Policy
from ownership.rotation import PoolTurns
from tests.unit.test_assignment import NOW, POLICY, SF, TODAY, World, account, few, rep, roster, worlds


def situation(one: Account | None = None, **different: Any) -> Situation:
    given_: dict[str, Any] = {"policy": POLICY, "roster": roster()}
    known = State(*(dict(different.pop(name, {})) for name in ("owners", "load", "turns")))
    return Situation(one or account(), **{**given_, **different}, state=known, now=NOW)


def after(**fields: Any) -> Mapping[str, Any]:
    start = account(employees=20, segment="smb", domain="a.com", domains=["a.com", "b.com"])
    return what_if(situation(start), fields).account.fields


def smallest(now: Situation, rep_id: str) -> Change:
    return why_not(now, rep_id).changes[0]


def gate(now: Situation, rep_id: str) -> str | None:
    return why_not(now, rep_id).gate


def asking(*conditions: Condition) -> Policy:
    """A policy whose only ways in are these conditions, each Bob's."""
    map_ = tuple(Territory(f"t{n}", f"T{n}", when, owner="bob") for n, when in enumerate(conditions))
    return Policy("p", territories=map_)


# --- what if ---


def test_an_account_in_another_country_goes_to_who_serves_that_country() -> None:
    assert situation().decide().owner_id == "ann"
    assert what_if(situation(), {"country": "DE"}).decide().owner_id == "bob"


def test_a_field_that_is_made_unknown_is_missing() -> None:
    assert what_if(situation(), {"country": None}).decide().reason == "missing_data"


def test_asking_what_if_leaves_the_account_and_the_turns_as_they_are() -> None:
    turns = {"us": PoolTurns()}
    now = situation(turns=turns)
    what_if(now, {"country": "DE"}).decide()
    now.decide()
    assert now.account.fields["country"] == "US"
    assert turns == {"us": PoolTurns()}
    assert now.decide() == now.decide()


def test_the_segment_follows_the_number_of_employees() -> None:
    assert after(employees=5000)["segment"] == "enterprise"
    assert "segment" not in after(employees=None)


def test_a_segment_that_somebody_wrote_stays_whatever_the_number_of_employees() -> None:
    said = account(employees=20, segment="enterprise")
    assert what_if(situation(said), {"employees": 30}).account.fields["segment"] == "enterprise"
    assert after(employees=5000, segment="mid_market")["segment"] == "mid_market"


def test_the_list_of_web_domains_follows_the_main_one_and_the_other_way_round() -> None:
    assert after(domain="c.com")["domains"] == ["c.com", "b.com"]
    assert after(domain="b.com")["domains"] == ["b.com"]
    assert after(domain=None)["domains"] == ["b.com"]
    assert after(domains=["d.com", "e.com"])["domain"] == "d.com"


def test_an_account_with_a_live_subscription_is_paying() -> None:
    assert after(subscription_status="active")["paying"] is True
    assert after(subscription_status="canceled")["paying"] is False


def test_a_web_domain_that_is_named_makes_it_a_named_account() -> None:
    assert what_if(situation(), {"domain": "big.com"}).decide().owner_id == "cid"


@few
@given(worlds(st.permutations(STEPS)))
def test_what_if_with_no_change_gives_the_same_decision(world: World) -> None:
    now = to_situation(world)
    assert what_if(now, {}).decide() == now.decide()
    assert what_if(now, dict(now.account.fields)).decide() == now.decide()


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("country", "Germany", "DE"),
        ("country", "de", "DE"),
        ("segment", "Mid-Market", "mid_market"),
        ("employees", "120", 120),
        ("employees", "1.5", 1.5),
        ("paying", "Yes", True),
        ("do_not_route", "false", False),
        ("domains", "a.com, b.com", ["a.com", "b.com"]),
        ("state", " NY ", "NY"),
        ("state", "", None),
    ],
)
def test_what_a_person_types_becomes_a_value_of_the_field(field: str, text: str, value: Any) -> None:
    assert to_value(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("contry", "DE", "no field 'contry'"),
        ("country", "Narnia", "'Narnia' is no country"),
        ("employees", "many", "employees is a number"),
        ("employees", "inf", "employees is a number"),
        ("employees", "nan", "employees is a number"),
        ("paying", "maybe", "paying is true or false"),
    ],
)
def test_a_value_no_account_can_have_is_refused(field: str, text: str, said: str) -> None:
    with pytest.raises(NoSuchValue, match=said):
        to_value(field, text)


# --- why not: the first gate ---


def test_whoever_is_given_the_account_is_told_so() -> None:
    assert why_not(situation(), "ann").gate is None
    assert why_not(situation(), "ann").changes == ()


@pytest.mark.parametrize(
    ("now", "who", "said"),
    [
        (situation(), "mallory", "is not on the roster"),
        (situation(), "zoe", "left on 2026-11-01"),
        (situation(roster=roster(replace(rep("bob"), active=False))), "bob", "is not active"),
        (situation(), "bob", "not their turn"),
        (situation(), "cid", "is not in pool us, which serves United States"),
        (situation(account("a1", "DE")), "ann", "Germany belongs to Bob"),
        (situation(account("a1", "BR")), "ann", "the account lies in Brazil, which nobody serves"),
        (situation(account("a1", "JP")), "ann", "the account lies in no territory"),
        (
            situation(roster=roster(rep("ann", capacity=2)), load={"ann": 2}),
            "ann",
            "owns 2 accounts of 2 at most",
        ),
    ],
)
def test_the_first_gate_a_rep_failed_is_named(now: Situation, who: str, said: str) -> None:
    assert gate(now, who) == said


def test_a_step_that_decided_before_the_territory_is_named_with_its_reason() -> None:
    answer = why_not(situation(owners={"a1": "cid"}, load={"cid": 1}), "ann")
    assert answer.step.rule == "existing_owner"
    assert answer.gate == "another step decided before the territory was asked: Cid owns it already"


def test_an_existing_owner_who_is_asked_after_the_map_does_not_hide_what_the_map_said() -> None:
    late = replace(POLICY, order=("territory", "existing_owner"))
    now = situation(account("a1", "JP"), policy=late, owners={"a1": "cid"}, load={"cid": 1})
    assert gate(now, "ann") == "the account lies in no territory"


# --- why not: the smallest change ---


def test_the_country_a_territory_asks_for_is_the_smallest_change() -> None:
    change = smallest(situation(), "bob")
    assert (change.kind, change.what) == ("field", "country DE instead of US")


def test_a_field_nobody_filled_in_is_filled_in_before_another_is_changed() -> None:
    texas = Territory("tx", "Texas", Test("state", "is", "tx"), "us", owner="bob")
    policy = replace(POLICY, territories=(*POLICY.territories, texas))
    changes = why_not(situation(policy=policy), "bob").changes
    assert [change.what for change in changes[:2]] == [
        "state tx, which nobody filled in",
        "country DE instead of US",
    ]


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        (Test("employees", "gte", 100), "employees 100 instead of 20"),
        (Test("employees", "gt", 100), "employees 101 instead of 20"),
        (Test("employees", "lt", 10), "employees 9 instead of 20"),
        (Test("employees", "lte", 10), "employees 10 instead of 20"),
        (Test("employees", "in", frozenset({5, 30, 99})), "employees 30 instead of 20"),
        (Test("employees", "is_missing", True), "employees unknown instead of 20"),
        (Test("postcode", "starts_with", "80"), "postcode 80, which nobody filled in"),
        (AnyOf((Test("paying", "is", True), Test("city", "is", "rome"))), "city rome, which nobody filled in"),
        (All((Test("country", "is", "us"), Test("type", "is", "partner"))), "type partner, which nobody filled in"),
    ],
)
def test_the_nearest_value_a_condition_asks_for_is_proposed(condition: Condition, what: str) -> None:
    assert smallest(situation(account(employees=20), policy=asking(condition)), "bob").what == what


def test_what_an_account_must_not_be_and_a_domain_it_should_have_are_proposed_as_no_field() -> None:
    policy = asking(Not(Test("country", "is", "us")), Test("domains", "contains", "x.com"))
    assert [change.kind for change in why_not(situation(policy=policy), "bob").changes] == ["override"]


def test_who_is_not_in_the_pool_can_join_it_when_it_would_be_their_turn() -> None:
    policy = replace(POLICY, pools=(Pool("us", {"bob": 1}),), territories=POLICY.territories[:1])
    assert smallest(situation(policy=policy), "ann").what == "Ann joins pool us with weight 1"
    kinds = [change.kind for change in why_not(situation(policy=policy), "cid").changes]
    assert kinds == ["override", "territory"], "in the pool, it would still be Bob's turn"


def test_a_named_account_is_given_to_another_in_the_entry_there_is() -> None:
    now = situation(account(domains=["BIG.com"]))
    assert smallest(now, "ann").what == "named account big.com is Ann's instead of Cid's"


def test_an_account_that_is_not_named_is_named_by_its_main_domain() -> None:
    now = situation(account(domain="z.com", domains=["a.com", "z.com"]))
    named = [change for change in why_not(now, "cid").changes if change.kind == "named"]
    assert [change.what for change in named] == ["a named account, first in the list: z.com for Cid"]


def test_who_has_a_full_book_needs_room_for_one_more() -> None:
    now = situation(roster=roster(rep("ann", capacity=2)), load={"ann": 5})
    assert smallest(now, "ann").what == "capacity 6 for Ann instead of 2"


def test_who_ramps_up_needs_the_capacity_of_which_their_percentage_is_enough() -> None:
    new = rep("ann", capacity=10)
    new = replace(new, ramp=(Ramp(TODAY, 50),))
    now = situation(roster=roster(new), load={"ann": 5})
    assert gate(now, "ann") == "owns 5 accounts of 5 at most"
    assert smallest(now, "ann").what == "capacity 12 for Ann instead of 10"
    nothing_yet = situation(roster=roster(replace(new, ramp=(Ramp(TODAY, 0),))))
    assert "capacity" not in [change.kind for change in why_not(nothing_yet, "ann").changes]


def test_a_number_of_days_that_is_typed_counts_whatever_the_date_it_follows_from() -> None:
    fields = {"signed_on": Field("date", "when they signed")}
    policy = replace(asking(Test("days_since_signed", "lte", 30), Test("days_to_renewal", "gte", 90)), fields=fields)
    now = situation(account(signed_on="2026-01-01", renewal_on="2026-12-01"), policy=policy)
    assert now.decide().owner_id is None
    assert what_if(now, {"days_since_signed": 30}).decide().owner_id == "bob"
    assert what_if(now, {"days_to_renewal": 90}).decide().owner_id == "bob"
    assert {change.what for change in why_not(now, "bob").changes if change.kind == "field"} == {
        "days_since_signed 30 instead of 328",
        "days_to_renewal 90 instead of 6",
    }


def test_a_lead_somebody_has_moves_in_a_rerun_of_its_territory_like_an_account() -> None:
    someone = replace(account("l1"), kind="lead")
    now = situation(someone, owners={"l1": "cid"})
    assert smallest(now, "ann").kind == "existing_owner"


def test_who_left_would_have_to_be_back() -> None:
    policy = asking(Test("country", "is", "us"))
    now = situation(policy=policy, roster=roster(rep("bob", left_on="2026-01-01")))
    assert [change.what for change in why_not(now, "bob").changes] == ["Bob is back"], "who is away takes nothing"
    now = situation(policy=policy, roster=roster(replace(rep("bob"), leave=(Period("2026-11-01", "2026-12-01"),))))
    assert gate(now, "bob") == "is on leave until 2026-12-01"
    assert [change.kind for change in why_not(now, "bob").changes] == ["presence", "override"]


def test_who_lacks_a_skill_the_territory_asks_for_would_have_to_have_it() -> None:
    german = Territory("de", "Germany", Test("country", "is", "de"), owner="bob", skills=frozenset({"german"}))
    now = situation(account("a1", "DE"), policy=Policy("p", territories=(german,)))
    assert gate(now, "bob") == "lacks german"
    assert smallest(now, "bob").what == "Bob has the skill german"


def test_an_override_is_answered_by_another_override_or_another_rep_of_the_rule() -> None:
    given_ = Override("salesforce/001A", "cid", "x", "ann", "bob")
    now = situation(policy=replace(POLICY, overrides=(given_,)))
    assert [change.what for change in why_not(now, "ann").changes] == ["an approved override: salesforce/001A for Ann"]
    rule = Rule("us", Test("country", "is", "us"), Assign(pool="us"))
    assert smallest(situation(policy=Policy("p", rules=(rule,), pools=(Pool("us", {"bob": 1}),))), "ann").kind == "pool"


def test_an_account_follows_its_parent_when_that_is_given_to_the_rep() -> None:
    now = situation(account(parent="p1"), owners={"p1": "bob"}, load={"bob": 1})
    assert smallest(now, "cid").what == "its parent account is Cid's"


def test_an_account_somebody_owns_moves_in_a_rerun_of_its_territory() -> None:
    now = situation(owners={"a1": "cid"}, load={"cid": 1})
    assert smallest(now, "ann").what == "a rerun of territory us, where the present owner is no reason to stay"


def test_a_mark_that_keeps_an_account_from_everybody_is_found_as_the_change() -> None:
    assert smallest(situation(account(do_not_route=True)), "ann").what == "do_not_route false instead of true"
    assert smallest(situation(account(in_crm=False)), "ann").what == "in_crm true instead of false"


def test_a_missing_field_that_keeps_an_account_from_everybody_is_found_as_the_change() -> None:
    assert smallest(situation(account(country=None)), "ann").what == "country US, which nobody filled in"


def test_no_single_change_is_proposed_when_none_is_enough() -> None:
    two = (Requirement("city", Test("city", "is_present", True), "x"), *POLICY.requirements)
    assert why_not(situation(policy=replace(POLICY, requirements=two)), "bob").changes == ()


# --- whatever the world ---


def to_situation(world: World) -> Situation:
    state = State(dict(world.owners), dict(world.load), dict(world.turns))
    return Situation(world.accounts[0], world.policy, world.roster, state, NOW)


@few
@given(worlds(st.permutations(STEPS)), st.sampled_from(["ann", "bob", "cid", "zoe"]))
def test_every_proposed_change_really_selects_the_rep_and_nothing_but_that_differs(world: World, who: str) -> None:
    now = to_situation(world)
    answer = why_not(now, who)
    assert answer.decision == now.decide()
    for change in answer.changes:
        assert change.then.decide() == change.decision
        assert change.decision.owner_id == who
        assert len(differing(now, change.then)) == 1
    kinds = [change.kind for change in answer.changes]
    assert kinds == sorted(kinds, key=KINDS.index), "smallest first"


def differing(one: Situation, other: Situation) -> list[str]:
    names = ("account", "policy", "roster", "state", "now")
    return [name for name in names if getattr(one, name) != getattr(other, name)]


@few
@given(worlds(st.permutations(STEPS)), st.sampled_from(["ann", "bob", "cid", "zoe"]))
def test_there_is_a_gate_exactly_when_the_rep_is_not_chosen(world: World, who: str) -> None:
    now = to_situation(world)
    assert (why_not(now, who).gate is None) == (now.decide().owner_id == who)


def test_what_the_crm_shows_is_no_field_and_no_owner_is_moved_by_asking() -> None:
    now = situation(account(crm_owners={SF: "cid"}))
    why_not(now, "ann")
    assert now.state == State()
