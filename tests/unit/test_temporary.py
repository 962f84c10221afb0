"""Accounts that somebody has for a time only: what an override promises, and what follows when it is over."""

from dataclasses import replace

import pytest

from ownership.case import Holding
from ownership.conditions import Test
from ownership.entries import Assign, Keeping, NamedAccount, Override, Requirement, Rule, Territory
from ownership.model import Account, Afterwards, Decision, Outcome, Period
from ownership.policy import Policy
from tests.unit.small_company import Desk, account, because, company, lead, queue, rep, said, step, turns_policy

BEFORE, FIRST, LAST, AFTER, LATER = "2026-11-25", "2026-12-01", "2026-12-10", "2026-12-11", "2027-03-01"


def lent_to(owner: str, then: str = "return", since: str = FIRST, until: str | None = LAST) -> Override:
    return Override("a1.com", owner, "a tiger team", "ann", "mia", Period(since, until), then)


def desk(*overrides: Override, owner: str | None = "ann", **more: object) -> Desk:
    """The account a1, which Ann has, and these overrides."""
    office = Desk(turns_policy(overrides=overrides), **more)
    return office.has({"a1": owner} if owner else {}, account())


def owners_over(office: Desk, *days: str, one: Account | None = None) -> list[str | None]:
    return [office.on(day, one or account()).owner_id for day in days]


def test_an_account_returns_to_who_had_it_when_the_override_is_over() -> None:
    office = desk(lent_to("bob"))
    assert owners_over(office, BEFORE, FIRST, LAST, AFTER, LATER) == ["ann", "bob", "bob", "ann", "ann"]


def test_the_decision_says_to_whom_it_returns_and_then_that_it_did() -> None:
    office = desk(lent_to("bob"))
    assert office.on(FIRST, account()).afterwards == Afterwards("ann")
    assert office.on(LAST, account()).afterwards == Afterwards("ann")
    returned = office.on(AFTER, account())
    assert (said(returned), returned.afterwards) == (("returned", "ann"), None)
    assert step(returned, "returned") == "Bob had it for a time, which is over; it is decided as if Ann had it still"
    assert because(returned) == "Ann had it before"
    assert said(office.on(AFTER, account())) == ("existing_owner", "ann")


def test_who_is_to_stay_stays_when_the_override_is_over() -> None:
    office = desk(lent_to("bob", "stay"))
    assert owners_over(office, BEFORE, FIRST, AFTER, LATER) == ["ann", "bob", "bob", "bob"]


def test_an_account_that_goes_back_to_the_rules_is_decided_as_if_nobody_had_it() -> None:
    office = desk(lent_to("bob", "rules"))
    assert owners_over(office, BEFORE, FIRST, LAST) == ["ann", "bob", "bob"]
    decided = office.on(AFTER, account())
    assert (said(decided), decided.turn) == (("pool", "ann"), "all")
    assert "Bob had it for a time, which is over" in "".join(step.because for step in decided.path)
    assert said(office.on(LATER, account())) == ("existing_owner", "ann")


def test_the_rules_may_give_it_to_who_had_it_for_a_time() -> None:
    office = Desk(Policy("p", overrides=(lent_to("bob", "rules"),), territories=(Territory("t", "T", owner="bob"),)))
    assert said(office.on(FIRST, account())) == ("override", "bob")
    assert said(office.on(AFTER, account())) == ("territory", "bob")
    assert office.state.holdings["a1"].afterwards is None, "it is theirs now"


def test_the_books_follow_who_has_the_account() -> None:
    office = desk(lent_to("bob"))
    books = []
    for day in (BEFORE, FIRST, AFTER):
        office.on(day, account())
        books.append((office.state.load.get("ann", 0), office.state.load.get("bob", 0)))
    assert books == [(1, 0), (0, 1), (1, 0)]


def test_an_account_nobody_had_returns_to_nobody_and_is_decided_by_the_rules() -> None:
    office = desk(lent_to("bob"), owner=None)
    assert office.on(FIRST, account()).afterwards == Afterwards()
    assert office.on(LAST, account()).afterwards == Afterwards()
    assert said(office.on(AFTER, account())) == ("pool", "ann")


def test_an_account_the_crm_shows_somebody_for_returns_to_them() -> None:
    one = account()
    one = replace(one, crm_owners={one.refs[0]: "cid"})
    office = desk(lent_to("bob"), owner=None)
    assert owners_over(office, FIRST, AFTER, one=one) == ["bob", "cid"]


def test_who_had_the_account_already_keeps_it_after_their_own_override() -> None:
    office = desk(lent_to("ann"))
    assert office.on(FIRST, account()).afterwards is None
    assert owners_over(office, FIRST, AFTER) == ["ann", "ann"]


def test_what_a_queue_had_goes_back_to_the_rules_from_which_a_queue_keeps_nothing() -> None:
    office = desk(lent_to("bob"), owner="low-touch")
    assert office.on(FIRST, account()).afterwards == Afterwards()
    assert said(office.on(AFTER, account())) == ("pool", "ann")


@pytest.mark.parametrize("gone", [{"left_on": FIRST}, {"active": False}])
def test_when_who_had_it_is_gone_the_rules_decide(gone: dict[str, object]) -> None:
    office = desk(lent_to("bob"))
    office.on(FIRST, account())
    office.roster = company(rep("ann", **gone))
    decided = office.on(AFTER, account())
    assert said(decided) == ("pool", "bob"), "who had it for a time is as good as anybody"
    assert any("and Ann, who had it before, is not there" in step.because for step in decided.path)


def test_when_who_had_it_for_a_time_is_gone_it_returns_all_the_same() -> None:
    office = desk(lent_to("bob", until=None))
    office.on(FIRST, account())
    office.roster = company(rep("bob", left_on=LAST))
    assert said(office.on(AFTER, account())) == ("returned", "ann")


def test_who_is_on_leave_still_gets_their_account_back() -> None:
    office = desk(lent_to("bob"), roster=company(rep("ann", leave=(Period(AFTER, LATER),))))
    assert owners_over(office, FIRST, AFTER) == ["bob", "ann"]


def test_an_override_that_is_taken_out_of_the_text_is_over() -> None:
    office = desk(lent_to("bob"))
    office.on(FIRST, account())
    office.policy = replace(office.policy, overrides=())
    assert said(office.on(FIRST, account())) == ("returned", "ann")


def test_an_override_that_was_to_end_may_be_made_to_stay() -> None:
    office = desk(lent_to("bob"))
    office.on(FIRST, account())
    office.policy = replace(office.policy, overrides=(lent_to("bob", "stay"),))
    assert owners_over(office, LAST, AFTER, LATER) == ["bob", "bob", "bob"]


def test_an_override_that_is_prolonged_still_returns_the_account_to_who_had_it_first() -> None:
    office = desk(lent_to("bob"))
    office.on(FIRST, account())
    office.policy = replace(office.policy, overrides=(lent_to("bob", until=LATER),))
    assert owners_over(office, AFTER, LATER, "2027-03-02") == ["bob", "bob", "ann"]


def test_of_overrides_that_follow_each_other_the_last_returns_the_account_to_who_had_it_before_the_first() -> None:
    """Bob's turn ends the day before Cid's begins, and neither of them ever had the account for good."""
    office = desk(lent_to("bob"), lent_to("cid", since=AFTER, until="2026-12-20"))
    assert owners_over(office, FIRST, LAST, AFTER, "2026-12-20") == ["bob", "bob", "cid", "cid"]
    assert office.state.holdings["a1"].afterwards == Afterwards("ann")
    assert owners_over(office, "2026-12-21") == ["ann"]


def test_an_override_within_another_gives_the_account_back_to_the_outer_one() -> None:
    office = desk(lent_to("cid", since="2026-12-03", until="2026-12-05"), lent_to("bob"))
    assert owners_over(office, FIRST, "2026-12-03", "2026-12-06", AFTER) == ["bob", "cid", "bob", "ann"]


def test_who_lent_an_account_and_is_given_it_for_a_time_keeps_it() -> None:
    office = desk(lent_to("bob"), lent_to("ann", since=AFTER, until="2026-12-20"))
    assert owners_over(office, FIRST, AFTER, "2026-12-21") == ["bob", "ann", "ann"]


def test_a_named_account_is_not_given_back_past_who_it_is_named_for() -> None:
    office = desk(lent_to("bob"))
    office.policy = replace(office.policy, named=(NamedAccount("a1.com", "cid"),))
    assert owners_over(office, BEFORE, FIRST) == ["cid", "bob"]
    assert said(office.on(AFTER, account())) == ("named", "cid")


RULES_FIRST = ("override", "returned", "rules", "existing_owner", "territory")


@pytest.mark.parametrize(("employees", "owner"), [(5, "cid"), (50, "ann")])
def test_what_has_changed_meanwhile_takes_it_from_who_had_it_before_at_once(employees: int, owner: str) -> None:
    """It does not go back to Ann for a moment, only to leave her again when it is looked at the next time."""
    small = Rule("small", Test("employees", "lt", 10), Assign(owner="cid"))
    office = desk(lent_to("bob"))
    office.policy = replace(office.policy, rules=(small,), order=RULES_FIRST)
    grown = account(employees=employees)
    assert owners_over(office, FIRST, AFTER, AFTER, one=grown) == ["bob", owner, owner]


def test_a_child_whose_parent_has_another_owner_by_now_goes_to_them() -> None:
    child = account("a1", "p1")
    office = desk(lent_to("bob"))
    office.on(FIRST, child)
    office.state.owners["p1"] = "cid"
    assert said(office.on(AFTER, child)) == ("parent_owner", "cid")


def test_who_has_no_room_for_it_any_more_does_not_get_it_back_where_full_books_move_on() -> None:
    office = desk(lent_to("bob"), roster=company(rep("ann", capacity=1)))
    office.policy = replace(office.policy, keeping=Keeping(over_capacity="move_on"))
    office.on(FIRST, account())
    office.has({"a2": "ann"}, account("a2"))
    assert owners_over(office, AFTER, AFTER) == ["bob", "bob"], "the pool gives it to somebody with room, and so to Bob"
    assert office.state.holdings["a1"].afterwards is None


def test_where_owners_come_first_an_override_still_ends_as_it_promised() -> None:
    """An override of an account nobody had; once somebody has it, such a policy asks no further."""
    office = desk(lent_to("bob", "rules"), owner=None)
    office.policy = replace(office.policy, order=("existing_owner", "override", "returned", "territory"))
    assert owners_over(office, FIRST, LAST, AFTER) == ["bob", "bob", "ann"]


def test_missing_data_takes_nothing_from_who_has_an_account_for_a_time() -> None:
    need = Requirement("size", Test("employees", "is_present", True), "fill it in")
    office = desk(lent_to("bob"))
    office.policy = replace(office.policy, requirements=(need,))
    assert owners_over(office, FIRST, LAST, AFTER, LATER) == ["bob", "bob", "ann", "ann"]


def test_when_the_rules_find_nobody_it_waits_for_a_person_and_stays_meanwhile() -> None:
    office = Desk(Policy("p", overrides=(lent_to("bob", "rules"),)))
    office.on(FIRST, account())
    assert said(office.on(AFTER, account())) == ("no_rule", None)
    assert office.state.owners == {"a1": "bob"}
    assert office.state.holdings["a1"] == Holding(FIRST, Afterwards())


@pytest.mark.parametrize("then", ["stay", "return", "rules"])
@pytest.mark.parametrize("day", [BEFORE, FIRST, LAST, AFTER, LATER])
@pytest.mark.parametrize("owner", ["ann", "bob", None])
def test_deciding_twice_on_one_day_changes_nothing(then: str, day: str, owner: str | None) -> None:
    office = desk(lent_to("bob", then), owner=owner)
    for earlier in (each for each in (BEFORE, FIRST, LAST, AFTER) if each < day):
        office.on(earlier, account())
    first: Decision = office.on(day, account())
    between = office.state
    second = office.on(day, account())
    assert (second.owner_id, second.turn, second.outcome) == (first.owner_id, None, Outcome.OWNER)
    assert office.state == between


def test_a_lead_is_lent_and_returned_like_an_account() -> None:
    someone = replace(lead(), fields={**lead().fields, "domains": ["a1.com"]})
    office = Desk(turns_policy(overrides=(lent_to("bob"),))).has({"l1": "ann"}, someone)
    assert owners_over(office, FIRST, AFTER, one=someone) == ["bob", "ann"]


def test_the_queue_itself_may_have_an_account_for_a_time() -> None:
    office = desk(lent_to("low-touch"), roster=company(queue()))
    assert owners_over(office, FIRST, LAST, AFTER) == ["low-touch", "low-touch", "ann"]
