"""When the accounts of who has left move on: the day after their last, or once they could have handed them over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ownership.acceptance import Offered, ToQueue, next_step
from ownership.day import Day
from ownership.entries import Acceptance, Override
from ownership.model import Period, Rep
from ownership.policy import Policy
from ownership.rotation import PoolTurns
from ownership.worktime import Calendar
from tests.unit.small_company import Desk, account, at, because, company, lead, rep, said, step, turns_policy

FRIDAY, SATURDAY, MONDAY = "2026-11-27", "2026-11-28", "2026-11-30"
BY_HAND = turns_policy(leavers_move="next_business_day")


def gary(**different: object) -> Rep:
    return rep("gary", left_on=FRIDAY, **different)


def office(leaver: Rep | None = None, policy: Policy = BY_HAND, *owned: str) -> Desk:
    mine = [account(id_) for id_ in owned or ("a1",)]
    return Desk(policy, company(leaver or gary())).has({each.id: "gary" for each in mine}, *mine)


def owner_at(desk: Desk, now: datetime) -> str | None:
    return desk.decide(account(), now=now)[0].owner_id


def test_without_a_word_accounts_move_on_the_day_after_the_last() -> None:
    at_once = office(policy=turns_policy())
    assert owner_at(at_once, at(FRIDAY, "23:59")) == "gary"
    assert owner_at(at_once, at(SATURDAY, "00:00")) == "ann"


def test_they_can_be_handed_over_until_the_end_of_the_next_business_day_and_not_a_minute_longer() -> None:
    (kept,) = office().decide(account(), now=at(MONDAY, "16:59"))
    assert said(kept) == ("existing_owner", "gary")
    assert because(kept) == "Gary left on 2026-11-27, and until 2026-11-30 17:00 UTC it is theirs to hand over"
    (moved,) = office().decide(account(), now=at(MONDAY, "17:00"))
    assert said(moved) == ("pool", "ann")
    assert step(moved, "existing_owner") == (
        "Gary owned it and is not there any more; it was theirs to hand over until 2026-11-30 17:00 UTC"
    )


@pytest.mark.parametrize(
    ("leaver", "until"),
    [
        (gary(timezone="America/New_York"), at(MONDAY, "22:00")),
        (gary(calendar=Calendar("Europe/London", closed=frozenset({MONDAY}))), at("2026-12-01", "17:00")),
        (gary(leave=(Period("2026-11-01"),)), at(MONDAY, "17:00")),
    ],
    ids=["in their time zone", "not on their holidays", "whether or not they were on leave"],
)
def test_the_next_business_day_is_that_of_the_leavers_region(leaver: Rep, until: datetime) -> None:
    assert owner_at(office(leaver), until.replace(minute=0) - (at(MONDAY, "00:01") - at(MONDAY, "00:00"))) == "gary"
    assert owner_at(office(leaver), until) == "ann"


def test_who_never_works_has_nothing_to_hand_over() -> None:
    assert owner_at(office(gary(calendar=Calendar(week=((),) * 7))), at(SATURDAY)) == "ann"


def test_who_is_not_active_gives_up_everything_at_once() -> None:
    assert owner_at(office(gary(active=False)), at(SATURDAY)) == "ann"


def test_who_has_left_is_given_nothing_new() -> None:
    """No turn, no child of an account of theirs, no lead of one, and nothing that a CRM alone says is theirs."""
    policy = replace(BY_HAND, pools=(replace(BY_HAND.pools[0], members={"gary": 9, "ann": 1}),))
    desk = office(None, policy, "p")
    one = account("shown", crm_owners={ref: "gary" for ref in account("shown").refs})
    new = [account("new"), account("child", parent="p"), lead(of="p"), one]
    assert [each.owner_id for each in desk.decide(*new, now=at(SATURDAY))] == ["ann"] * 4
    asked = Offered("ann", 0, ("ann",), "all")
    day = Day.of(replace(policy, acceptance=Acceptance(chain=("next_in_line", "queue"))), desk.roster, at(SATURDAY))
    assert isinstance(next_step(asked, day, PoolTurns()), ToQueue)


def test_a_rule_or_a_person_moves_an_account_before_that() -> None:
    pinned = replace(BY_HAND, overrides=(Override("a1.com", "bob", "handed over", "ann", "mia"),))
    assert owner_at(office(policy=pinned), at(SATURDAY)) == "bob"


def test_what_was_only_lent_to_them_goes_back_at_once() -> None:
    lent = Override("a1.com", "gary", "cover", "ann", "mia", Period(until="2026-12-31"), "return")
    desk = Desk(replace(BY_HAND, overrides=(lent,)), company(gary())).has({"a1": "bob"}, account())
    assert owner_at(desk, at(FRIDAY)) == "gary"
    assert owner_at(desk, at(SATURDAY)) == "bob"


def test_an_account_that_went_on_to_somebody_stays_with_them_while_they_hand_over() -> None:
    desk = office()
    desk.state.holdings["a1"] = replace(desk.state.holdings.get("a1") or _unknown(), went_on_from="all")
    without = replace(BY_HAND, order=tuple(name for name in BY_HAND.order if name != "existing_owner"))
    desk.policy = without
    assert said(desk.decide(account(), now=at(SATURDAY))[0]) == ("escalated", "gary")
    assert said(desk.decide(account(), now=at(MONDAY, "17:00"))[0]) == ("pool", "ann")


def _unknown():  # type: ignore[no-untyped-def]
    from ownership.case import Holding

    return Holding()
