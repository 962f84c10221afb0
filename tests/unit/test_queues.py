"""Queues: accounts that nobody in particular works, given away by rules and taken from it by rules."""

from dataclasses import replace

import pytest

from ownership.acceptance import Offered, ToQueue, next_step
from ownership.case import Holding
from ownership.conditions import Test
from ownership.day import Day
from ownership.entries import Acceptance, Assign, NamedAccount, Override, Requirement, Rule, Territory
from ownership.explain import explain
from ownership.lint import lint
from ownership.model import Period, Rep
from ownership.policy import STEPS, Policy, Roster
from ownership.rotation import PoolTurns
from tests.unit.small_company import (
    NOON,
    WEDNESDAY,
    Desk,
    account,
    because,
    company,
    lead,
    queue,
    rep,
    said,
    step,
    turns_policy,
)

SMALL = Rule("small", Test("employees", "lt", 10), Assign(owner="low-touch"), "Too small to call")


def desk(*different: Rep, **more: object) -> Desk:
    return Desk(turns_policy(rules=(SMALL,), **more), company(*different))


def test_a_rule_gives_small_accounts_to_a_queue_and_they_take_no_turn() -> None:
    office = desk()
    decided = office.on(WEDNESDAY, account(employees=5))
    assert (said(decided), decided.rule, decided.turn) == (("queue", "low-touch"), "small", None)
    assert because(decided) == "Too small to call is worked by Low-touch"
    assert office.state.turns == {}


def test_people_read_that_it_is_worked_by_a_queue() -> None:
    one = account(employees=5)
    told = explain(desk().on(WEDNESDAY, one), one, company())
    assert told.startswith("A1 belongs to Low-touch (queue): it is worked by a queue.\n")


def test_a_territory_can_be_worked_by_a_queue() -> None:
    office = Desk(Policy("p", territories=(Territory("t", "Rest of the world", owner="low-touch"),)))
    assert said(office.on(WEDNESDAY, account())) == ("queue", "low-touch")


def test_an_account_that_grows_leaves_the_queue_for_who_is_next() -> None:
    office = desk()
    assert office.on(WEDNESDAY, account(employees=5)).owner_id == "low-touch"
    grown = office.on(WEDNESDAY, account(employees=50))
    assert said(grown) == ("pool", "ann")
    assert step(grown, "existing_owner") == "Low-touch has it, and a queue keeps nothing from the rules"
    assert office.state.load == {"low-touch": 0, "ann": 1}


def test_an_account_that_stays_small_stays_in_the_queue() -> None:
    office = desk()
    assert [office.on(WEDNESDAY, account(employees=5)).owner_id for _ in range(3)] == ["low-touch"] * 3
    assert office.state.load == {"low-touch": 1}


def test_an_account_of_a_rep_is_not_taken_by_a_queue_that_a_later_step_names() -> None:
    office = desk().has({"a1": "bob"}, account())
    assert said(office.on(WEDNESDAY, account(employees=5))) == ("existing_owner", "bob")
    office.policy = replace(office.policy, order=("rules", *(each for each in STEPS if each != "rules")))
    assert said(office.on(WEDNESDAY, account(employees=5))) == ("queue", "low-touch")


def test_what_the_crm_shows_in_a_queue_may_be_given_away() -> None:
    one = account(employees=50)
    shown = replace(one, crm_owners={one.refs[0]: "low-touch"})
    assert said(desk().on(WEDNESDAY, shown)) == ("pool", "ann")


def test_when_the_rules_find_nobody_it_stays_in_the_queue_and_a_person_has_to_look() -> None:
    office = Desk(Policy("p", rules=(SMALL,)))
    assert office.on(WEDNESDAY, account(employees=5)).owner_id == "low-touch"
    assert said(office.on(WEDNESDAY, account(employees=50))) == ("no_rule", None)
    assert office.state.owners == {"a1": "low-touch"}


def test_an_account_in_a_queue_has_to_have_the_data_every_account_needs() -> None:
    need = Requirement("city", Test("city", "is_present", True), "fill it in")
    office = desk(requirements=(need,)).has({"a1": "low-touch"}, account())
    assert office.on(WEDNESDAY, account(employees=50)).reason == "missing_data"


@pytest.mark.parametrize(
    "entry",
    [
        {"named": (NamedAccount("a1.com", "low-touch"),)},
        {"overrides": (Override("a1.com", "low-touch", "x", "ann", "mia"),)},
    ],
)
def test_an_account_can_be_put_into_a_queue_by_hand_and_stays_there(entry: dict[str, object]) -> None:
    office = desk(**entry)
    assert [office.on(WEDNESDAY, account(employees=50)).owner_id for _ in range(2)] == ["low-touch"] * 2


def test_a_queue_that_is_closed_is_given_nothing() -> None:
    closed = replace(queue(), active=False)
    decided = desk(closed).on(WEDNESDAY, account(employees=5))
    assert said(decided) == ("no_available_rep", None)
    assert because(decided) == "Too small to call is Low-touch's, who is not there"


def test_what_a_closed_queue_had_is_decided_anew() -> None:
    office = desk().has({"a1": "low-touch"}, account())
    office.roster = company(replace(queue(), active=False))
    assert said(office.on(WEDNESDAY, account(employees=50))) == ("pool", "ann")


def test_children_of_an_account_in_a_queue_go_there_as_well() -> None:
    family = [account("p1", employees=5), account("c1", "p1", employees=50)]
    assert [said(each) for each in desk().decide(*family)] == [("queue", "low-touch"), ("parent_owner", "low-touch")]


def test_a_lead_of_an_account_in_a_queue_goes_to_the_queue() -> None:
    office = desk().has({"a1": "low-touch"}, account())
    assert said(office.on(WEDNESDAY, lead(of="a1"))) == ("account_owner", "low-touch")


@pytest.mark.parametrize(("employees", "then"), [(5, ("queue", "low-touch")), (50, ("pool", "ann"))])
def test_what_a_queue_had_lent_comes_back_to_it_if_the_rules_say_so(employees: int, then: tuple[str, str]) -> None:
    override = Override("a1.com", "bob", "x", "ann", "mia", Period("2026-11-01", "2026-11-24"), "return")
    office = desk(overrides=(override,)).has({"a1": "low-touch"}, account())
    assert office.on("2026-11-20", account(employees=employees)).owner_id == "bob"
    assert said(office.on(WEDNESDAY, account(employees=employees))) == then
    assert office.state.holdings["a1"] == Holding(WEDNESDAY)


def test_a_queue_is_never_offered_an_account_even_when_it_is_called_somebodys_manager() -> None:
    people: Roster = company(rep("ann", manager="low-touch"))
    day = Day.of(Policy("p", acceptance=Acceptance(chain=("manager", "queue"))), people, NOON)
    assert isinstance(next_step(Offered("ann", 0, ("ann",), None), day, PoolTurns()), ToQueue)


def test_lint_does_not_ask_for_somebody_to_stand_in_for_a_queue() -> None:
    policy = Policy("p", territories=(Territory("t", "T", owner="low-touch"),))
    people = Roster({each.id: each for each in (queue(), rep("mia", role="manager", manager=None))})
    assert lint(policy, people, WEDNESDAY) == []
