"""Disputes freeze an account until there is a ruling; handoffs keep it until everything is there that the next one
needs; and what an owner keeps or not: children, pins and full books."""

import pytest

from ownership.conditions import ALWAYS, Condition, Not, Test
from ownership.entries import (
    Assign,
    Dispute,
    DisputeClock,
    Keeping,
    NamedAccount,
    Override,
    Registration,
    Requirement,
    Rule,
    Territory,
)
from ownership.model import Account, Period, Ramp, Rep
from ownership.policy import STEPS, Policy
from tests.unit.small_company import (
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

RULES_FIRST = ("rules", *(each for each in STEPS if each != "rules"))
TERRITORY_ONLY = ("territory",)


def desk(owner: str | None = "ann", *different: Rep, **more: object) -> Desk:
    office = Desk(turns_policy(**more), company(*different))
    return office.has({"a1": owner}, account()) if owner else office


# --- disputes ---


def claim(account_: str = "a1.com", by: str = "bob", since: str | None = None, until: str | None = None) -> Dispute:
    return Dispute(account_, by, "she called them first", Period(since, until))


def test_a_disputed_account_stays_with_whoever_has_it_and_waits_for_a_person() -> None:
    office = desk(disputes=(claim(),))
    decided = office.on(WEDNESDAY, account())
    assert (said(decided), decided.rule) == (("disputed", None), "dispute/a1.com")
    assert because(decided) == "Bob claims it (she called them first); it stays as it is until there is a ruling"
    assert office.state.owners == {"a1": "ann"}
    assert office.state.load == {"ann": 1}


@pytest.mark.parametrize(
    ("clock", "since", "due"),
    [
        (DisputeClock(), "2026-11-25", "is due by 2026-11-27 00:00 UTC"),
        (DisputeClock(), "2026-11-20", "was due by 2026-11-22 00:00 UTC"),
        (DisputeClock(12), "2026-11-25", "is due by 2026-11-25 12:00 UTC"),
        # Bob works nine to five: eight hours on Friday, none over the weekend, eight on Monday.
        (DisputeClock(16, "business"), "2026-11-20", "was due by 2026-11-23 17:00 UTC"),
    ],
)
def test_a_dispute_says_by_when_it_needs_a_ruling(clock: DisputeClock, since: str, due: str) -> None:
    decided = desk(disputes=(claim(since=since),), dispute_clock=clock).on(WEDNESDAY, account())
    assert because(decided).endswith(f"it stays as it is until there is a ruling, which {due}")


@pytest.mark.parametrize(
    "entry",
    [
        {"overrides": (Override("a1.com", "cid", "x", "ann", "mia"),)},
        {"named": (NamedAccount("a1.com", "cid"),)},
        {"registrations": (Registration("a1.com", "cid", Period("2026-01-01", "2026-12-31")),)},
        {"rules": (Rule("r", ALWAYS, Assign(owner="cid")),)},
    ],
)
def test_nothing_moves_it_until_there_is_a_ruling(entry: dict[str, object]) -> None:
    assert desk(disputes=(claim(),), **entry).on(WEDNESDAY, account()).reason == "disputed"


def test_a_new_account_that_is_disputed_is_given_to_nobody_and_takes_no_turn() -> None:
    office = desk(None, disputes=(claim(),))
    assert said(office.on(WEDNESDAY, account())) == ("disputed", None)
    assert office.state.turns == {}


def test_a_dispute_may_name_a_record_instead_of_a_domain() -> None:
    assert desk(disputes=(claim("salesforce/a1"),)).on(WEDNESDAY, account()).reason == "disputed"
    assert desk(disputes=(claim("hubspot/a1"),)).on(WEDNESDAY, account()).reason == "existing_owner"


def test_a_dispute_outside_its_days_is_none() -> None:
    for dispute in (claim(since="2026-11-26"), claim(until="2026-11-24")):
        assert desk(disputes=(dispute,)).on(WEDNESDAY, account()).reason == "existing_owner"


def test_of_several_claims_the_earliest_is_told() -> None:
    claims = (claim(by="cid", since="2026-11-20"), claim(by="bob", since="2026-11-10"))
    for order in (claims, claims[::-1]):
        assert because(desk(disputes=order).on(WEDNESDAY, account())).startswith("Bob claims it")


def test_do_not_route_is_said_before_any_dispute() -> None:
    assert desk(disputes=(claim(),)).on(WEDNESDAY, account(do_not_route=True)).reason == "do_not_route"


def test_a_disputed_lead_waits_too() -> None:
    assert desk(disputes=(claim(),)).on(WEDNESDAY, lead(domains=["a1.com"])).reason == "disputed"


# --- handoffs ---

PLAN = Requirement("plan", Test("plan", "is_present", True), "write the success plan")


def handing_over(assign: Assign, *needs: Requirement) -> dict[str, object]:
    paying = Test("paying", "is", True)
    return {"rules": (Rule("sold", paying, assign, "Sold", handoff=needs or (PLAN,)),), "order": RULES_FIRST}


def test_an_account_is_handed_over_once_everything_is_there() -> None:
    office = desk(**handing_over(Assign(owner="cid")))
    decided = office.on(WEDNESDAY, account(paying=True))
    assert (said(decided), decided.rule) == (("handoff_incomplete", None), "sold")
    assert because(decided) == "Sold: Ann cannot hand it over yet. plan is missing: write the success plan"
    assert office.state.owners == {"a1": "ann"}
    assert said(office.on(WEDNESDAY, account(paying=True, plan="here"))) == ("rule", "cid")


def test_everything_that_is_missing_is_told_at_once() -> None:
    needs = (PLAN, Requirement("contact", Test("has_primary_contact", "is", True), "name one"))
    decided = desk(**handing_over(Assign(owner="cid"), *needs)).on(WEDNESDAY, account(paying=True))
    assert because(decided).endswith("plan is missing: write the success plan; contact is missing: name one")


def test_who_gets_an_account_that_nobody_hands_over_needs_nothing() -> None:
    assert desk(None, **handing_over(Assign(owner="cid"))).on(WEDNESDAY, account(paying=True)).owner_id == "cid"
    gone = rep("ann", left_on="2026-11-01")
    assert desk("ann", gone, **handing_over(Assign(owner="cid"))).on(WEDNESDAY, account(paying=True)).owner_id == "cid"


def test_who_has_it_already_hands_nothing_over() -> None:
    assert desk("cid", **handing_over(Assign(owner="cid"))).on(WEDNESDAY, account(paying=True)).owner_id == "cid"
    in_pool = desk("cid", **handing_over(Assign(pool="all"))).on(WEDNESDAY, account(paying=True))
    assert (in_pool.owner_id, in_pool.turn) == ("cid", None)


def test_a_pool_takes_an_account_over_like_a_person_does() -> None:
    office = desk("mia", **handing_over(Assign(pool="all")))
    assert office.on(WEDNESDAY, account(paying=True)).reason == "handoff_incomplete"
    assert office.state.turns == {}, "nobody has had their turn for it"
    assert office.on(WEDNESDAY, account(paying=True, plan="here")).reason == "pool"


# --- what an owner keeps ---


def families(follow: Condition) -> list[str | None]:
    """Of a parent that is Ann's, a German and an American child, which Bob has."""
    office = Desk(turns_policy(follow_parent=follow))
    accounts = [account("p1"), account("c1", "p1", country="DE"), account("c2", "p1")]
    office.has({"p1": "ann", "c1": "bob", "c2": "bob"}, *accounts)
    return [decision.owner_id for decision in office.decide(*accounts)]


def test_children_follow_their_parent_all_of_them_none_or_some() -> None:
    assert families(ALWAYS) == ["ann", "ann", "ann"]
    assert families(Not(ALWAYS)) == ["ann", "bob", "bob"]
    assert families(Test("country", "is", "de")) == ["ann", "ann", "bob"]
    assert families(Test("employees", "gt", 5)) == ["ann", "bob", "bob"], "what nobody knows does not hold"


def test_a_named_account_passes_a_full_book_and_says_so_unless_the_policy_forbids_it() -> None:
    full = rep("cid", capacity=1)
    named = (NamedAccount("a1.com", "cid"),)
    office = desk(None, full, named=named)
    office.state.load["cid"] = 1
    decided = office.on(WEDNESDAY, account())
    assert because(decided) == (
        "a1.com is a named account of Cid (who owns 1 accounts of 1 at most; named accounts pass that)"
    )
    office = desk(None, full, named=named, pins_bypass_capacity=False)
    office.state.load["cid"] = 1
    decided = office.on(WEDNESDAY, account())
    assert said(decided) == ("pool", "ann")
    assert step(decided, "named") == "a1.com is named for Cid, who owns 1 accounts of 1 at most"


def test_who_has_their_named_account_keeps_it_however_full_they_are() -> None:
    office = desk("cid", rep("cid", capacity=1), named=(NamedAccount("a1.com", "cid"),), pins_bypass_capacity=False)
    office.state.load["cid"] = 7
    assert said(office.on(WEDNESDAY, account())) == ("named", "cid")


def crowded(over_capacity: str, count: int = 4, **more: object) -> tuple[Desk, list[Account]]:
    """Ann, who can own two accounts, has so many."""
    accounts = [account(f"a{number}") for number in range(count)]
    policy = turns_policy(keeping=Keeping(over_capacity=over_capacity), **more)
    office = Desk(policy, company(rep("ann", capacity=2)))
    return office.has({one.id: "ann" for one in accounts}, *accounts), accounts


def test_who_has_too_many_accounts_keeps_them_unless_the_policy_moves_them_on() -> None:
    office, accounts = crowded("keep")
    assert [each.owner_id for each in office.decide(*accounts)] == ["ann"] * 4
    office, accounts = crowded("move_on")
    decided = office.decide(*accounts)
    assert [each.owner_id for each in decided] == ["bob", "cid", "ann", "ann"]
    assert step(decided[0], "existing_owner") == "Ann has it, but owns 4 accounts of 2 at most"
    assert [each.owner_id for each in office.decide(*accounts)] == ["bob", "cid", "ann", "ann"]


def test_a_pool_that_is_asked_first_takes_from_a_full_book_as_well() -> None:
    office, accounts = crowded("move_on", order=TERRITORY_ONLY)
    assert [each.owner_id for each in office.decide(*accounts)] == ["bob", "cid", "ann", "ann"]
    office, accounts = crowded("keep", order=TERRITORY_ONLY)
    assert [each.owner_id for each in office.decide(*accounts)] == ["ann"] * 4


def test_the_book_of_who_still_ramps_up_is_full_sooner() -> None:
    office, accounts = crowded("move_on")
    office.roster = company(rep("ann", capacity=4, ramp=(Ramp(WEDNESDAY, 50),)))
    assert [office.on(day, accounts[0]).owner_id for day in (WEDNESDAY, "2026-11-26")] == ["bob", "bob"]
    office, accounts = crowded("move_on")
    office.roster = company(rep("ann", capacity=4, ramp=(Ramp("2026-11-24", 50),)))
    assert office.on(WEDNESDAY, accounts[0]).owner_id == "ann", "the ramp is over"


def test_a_queue_has_no_book_that_could_be_full() -> None:
    policy = Policy("p", territories=(Territory("t", "T", owner="low-touch"),))
    office = Desk(policy, company(queue()))
    accounts = [account(f"a{number}") for number in range(50)]
    assert {each.owner_id for each in office.decide(*accounts)} == {"low-touch"}
