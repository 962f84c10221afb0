"""Acceptance: by when an owner has to answer, and who is asked when they did not, or declined."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ownership.acceptance import (
    LONGEST,
    Escalate,
    NotYours,
    Offered,
    ToQueue,
    check_answer,
    due_by,
    next_step,
    remind_at,
)
from ownership.conditions import Test
from ownership.day import Day
from ownership.entries import Acceptance, Pool, SlaRule
from ownership.model import Period, Ramp, Rep
from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns, charge_turn, take_turn
from ownership.turn_queue import TurnQueue
from ownership.worktime import Calendar

TODAY = "2026-11-25"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MEMBERS = {"ann": 1, "bob": 1, "cid": 1}
CHAIN = ("next_in_line", "manager", "queue")


def rep(id_: str, manager: str | None = "mia", **different: Any) -> Rep:
    return Rep(id_, id_.capitalize(), f"{id_}@x.example", "ae", "smb", manager=manager, **different)


def roster(*reps: Rep) -> Roster:
    known = [rep("ann"), rep("bob"), rep("cid"), rep("mia", manager="max"), rep("max", manager=None), *reps]
    return Roster({person.id: person for person in known})


def step(
    owner: str = "ann",
    level: int = 0,
    asked: tuple[str, ...] | None = None,
    pool: str | None = "smb",
    chain: tuple[str, ...] = CHAIN,
    people: Roster | None = None,
    turns: PoolTurns | None = None,
    declined: str | None = None,
    acceptance: Acceptance | None = None,
    pools: tuple[Pool, ...] = (Pool("smb", MEMBERS),),
    load: Mapping[str, int] | None = None,
) -> Escalate | ToQueue:
    policy = Policy("p", pools=pools, acceptance=acceptance or Acceptance(chain=chain))
    offered = Offered(owner, level, (owner,) if asked is None else asked, pool, declined)
    return next_step(offered, Day.of(policy, people or roster(), NOW), turns or PoolTurns(), load)


def told(answer: Escalate | ToQueue) -> tuple[str | None, int, str]:
    return asked_by(answer), answer.level, answer.because


def asked_by(answer: Escalate | ToQueue) -> str | None:
    return answer.to if isinstance(answer, Escalate) else None


def test_a_missed_offer_goes_to_the_next_in_line_of_its_pool() -> None:
    assert told(step()) == ("bob", 1, "Ann did not answer in time; next in line is asked")


def test_the_next_in_line_is_whose_turn_it_is_and_not_who_is_listed_next() -> None:
    turns = PoolTurns()
    for _ in range(2):
        _, turns = take_turn(turns, MEMBERS, MEMBERS)
    assert asked_by(step(turns=turns)) == "cid"


def test_after_the_next_in_line_the_manager_is_asked() -> None:
    assert told(step("bob", 1, ("ann", "bob"))) == ("mia", 2, "Bob did not answer in time; the manager is asked")


def test_after_the_manager_the_account_waits_in_the_queue() -> None:
    assert told(step("mia", 2, ("ann", "bob", "mia"))) == (
        None,
        3,
        "Mia did not answer in time and nobody is left to ask",
    )


def test_an_account_that_was_no_turn_goes_straight_to_the_manager() -> None:
    assert told(step(pool=None)) == ("mia", 2, "Ann did not answer in time; the manager is asked")


def test_an_account_of_a_pool_the_policy_has_no_more_goes_to_the_manager() -> None:
    assert told(step(pool="gone")) == ("mia", 2, "Ann did not answer in time; the manager is asked")


def test_somebody_who_was_asked_is_not_asked_again() -> None:
    assert told(step("ann", 0, ("ann", "bob"))) == ("cid", 1, "Ann did not answer in time; next in line is asked")
    everybody = ("ann", "bob", "cid")
    assert told(step("ann", 0, everybody)) == ("mia", 2, "Ann did not answer in time; the manager is asked")
    assert isinstance(step("ann", 0, (*everybody, "mia")), ToQueue)


def test_who_is_absent_is_passed_over() -> None:
    without_bob = roster(rep("bob", left_on="2026-11-24"))
    assert asked_by(step(people=without_bob)) == "cid"
    without_mia = roster(rep("mia", active=False))
    assert isinstance(step("bob", 1, ("ann", "bob"), people=without_mia), ToQueue)


def test_on_their_last_day_somebody_can_still_be_asked() -> None:
    assert asked_by(step(people=roster(rep("bob", left_on=TODAY)))) == "bob"


def test_a_chain_without_next_in_line_asks_the_manager_first() -> None:
    assert told(step(chain=("manager", "queue"))) == ("mia", 1, "Ann did not answer in time; the manager is asked")


def test_a_chain_may_ask_two_in_line_before_the_manager() -> None:
    chain = ("next_in_line", "next_in_line", "manager", "queue")
    assert asked_by(step("bob", 1, ("ann", "bob"), chain=chain)) == "cid"


def test_a_chain_of_the_queue_alone_asks_nobody() -> None:
    assert told(step(chain=("queue",))) == (None, 1, "Ann did not answer in time and nobody is left to ask")


def test_nobody_is_asked_after_the_queue() -> None:
    assert isinstance(step(chain=("queue", "manager")), ToQueue)


def test_who_has_no_manager_or_is_their_own_leaves_the_account_to_the_queue() -> None:
    for boss in (None, "max", "nobody-we-know"):
        people = roster(rep("max", manager=boss))
        assert isinstance(step("max", 1, ("ann", "max"), people=people), ToQueue)


def test_an_owner_who_is_nobody_on_the_roster_is_named_as_they_are() -> None:
    assert told(step("?0059", 1, ("?0059",))) == (None, 3, "?0059 did not answer in time and nobody is left to ask")


# --- who may answer ---


@pytest.mark.parametrize("by", ["ann", "mia", "max"])
def test_who_was_asked_and_every_manager_above_them_may_answer(by: str) -> None:
    assert check_answer("ann", by, roster(), TODAY) is None


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("bob", "it is offered to Ann; only they or their manager can answer"),
        ("eve", "'eve' is nobody on the roster; give a rep's id"),
    ],
)
def test_nobody_else_may_answer(by: str, why: str) -> None:
    with pytest.raises(NotYours, match=why):
        check_answer("ann", by, roster(), TODAY)


def test_managers_of_each_other_end_the_line_above_a_rep() -> None:
    people = roster(rep("max", manager="mia"))
    assert people.managers_of("ann") == ["mia", "max"]
    with pytest.raises(NotYours):
        check_answer("mia", "ann", people, TODAY)


@pytest.mark.parametrize("by", ["ann", "mia"])
def test_nobody_who_has_left_may_answer(by: str) -> None:
    left = roster().reps | {by: replace(roster().reps[by], active=False)}
    with pytest.raises(NotYours, match="has left"):
        check_answer("ann", by, Roster(left), TODAY)


# --- random rosters and chains ---


@st.composite
def people(draw: st.DrawFn) -> Roster:
    names = ["ann", "bob", "cid", "mia", "max"]
    bosses = st.sampled_from([None, *names, "nobody-we-know"])
    return Roster({name: rep(name, draw(bosses), active=draw(st.booleans())) for name in names})


@settings(max_examples=150, deadline=None)
@given(
    people=people(),
    chain=st.lists(st.sampled_from(["next_in_line", "manager", "queue"]), max_size=5).map(tuple),
    owner=st.sampled_from(["ann", "mia", "?0059"]),
    pool=st.sampled_from(["smb", "gone", None]),
)
def test_an_offer_climbs_without_asking_anybody_twice_or_anybody_absent_until_nobody_is_left(
    people: Roster, chain: tuple[str, ...], owner: str, pool: str | None
) -> None:
    level, asked = 0, [owner]
    for _ in range(len(chain) + 1):
        after = step(owner, level, tuple(asked), pool, chain, people)
        if isinstance(after, ToQueue):
            assert after.level >= level
            return
        assert after.level > level
        assert after.to in people.present_on(TODAY)
        assert after.to not in asked
        owner, level = after.to, after.level
        asked.append(owner)
    raise AssertionError(f"the chain {chain} asked {asked} and never ended")


@settings(max_examples=100, deadline=None)
@given(
    level=st.integers(0, 6),
    chain=st.lists(st.sampled_from(["next_in_line", "manager", "queue"]), max_size=5).map(tuple),
)
@example(level=2, chain=("queue",))
def test_the_level_never_goes_down_even_when_the_policys_chain_became_shorter(
    level: int, chain: tuple[str, ...]
) -> None:
    assert step("ann", level, chain=chain).level >= level


# --- turns that are given back ---


def turns_of(*taken: str) -> PoolTurns:
    """The pool's turns after these reps have had one each, in whatever order that was."""
    turns = PoolTurns()
    for rep_id in taken:
        turns = charge_turn(turns, MEMBERS, MEMBERS, rep_id)
    return turns


def owed(answer: Escalate | ToQueue) -> dict[str, int]:
    """How many turns each has taken afterwards."""
    return dict(answer.turns.taken)


def test_a_decline_gives_the_turn_back_and_a_miss_does_not() -> None:
    turns = turns_of("ann")
    assert owed(step(turns=turns)) == {"ann": 1, "bob": 1}
    declined = step(turns=turns, declined="not my industry")
    assert (asked_by(declined), owed(declined)) == ("bob", {"bob": 1})
    assert declined.because == "Ann declined it (not my industry); next in line is asked"


def test_who_declined_has_their_turn_before_who_took_the_account_and_who_missed_has_it_after() -> None:
    def then(answer: Escalate | ToQueue) -> list[str]:
        queue = TurnQueue.of(answer.turns, MEMBERS, MEMBERS)
        return [queue.take() for _ in range(3)]

    assert then(step(turns=turns_of("ann"), declined="")) == ["cid", "ann", "bob"]
    assert then(step(turns=turns_of("ann"))) == ["cid", "bob", "cid"]


def test_a_policy_may_say_the_opposite_of_both() -> None:
    opposite = Acceptance(miss_takes_turn=False, decline_takes_turn=True)
    assert owed(step(turns=turns_of("ann"), acceptance=opposite)) == {"bob": 1}
    assert owed(step(turns=turns_of("ann"), acceptance=opposite, declined="no")) == {"ann": 1, "bob": 1}


def test_a_decline_undoes_the_turn_to_the_unit() -> None:
    before = turns_of("cid", "ann", "bob", "bob")
    taken = charge_turn(before, MEMBERS, MEMBERS, "ann")
    queue_only = step(turns=taken, declined="no", chain=("queue",))
    assert (queue_only.turns.credit, queue_only.turns.taken) == (before.credit, before.taken)


def test_the_next_in_line_gives_their_turn_back_as_well_when_they_decline() -> None:
    chain = ("next_in_line", "next_in_line", "queue")
    first = step(turns=turns_of("ann"), chain=chain, declined="no")
    assert owed(first) == {"bob": 1}
    second = step("bob", 1, ("ann", "bob"), chain=chain, turns=first.turns, declined="no")
    assert (asked_by(second), owed(second)) == ("cid", {"cid": 1})


def test_a_manager_has_no_turn_to_give_back() -> None:
    declined = step("mia", 2, ("ann", "bob", "mia"), turns=turns_of("ann", "bob"), declined="no")
    assert owed(declined) == {"ann": 1, "bob": 1}
    both = step("bob", 2, ("ann", "bob"), chain=("next_in_line", "manager"), turns=turns_of("bob"), declined="no")
    assert owed(both) == {"bob": 1}, "of the pool, but asked as somebody's manager"


def test_an_account_that_was_no_turn_gives_none_back() -> None:
    assert owed(step(pool=None, turns=turns_of("ann"), declined="no")) == {"ann": 1}


def test_an_escalation_leaves_what_is_owed_to_who_is_on_leave() -> None:
    pool = Pool("smb", MEMBERS, owed_most=5)
    away = roster(rep("cid", leave=(Period("2026-11-01", "2026-12-31"),)))
    saved = replace(turns_of("ann"), bank={"cid": 7 * 10**11})
    for declined in (None, "no"):
        after = step(pools=(pool,), people=away, turns=saved, declined=declined)
        assert asked_by(after) == "bob"
        assert after.turns.bank["cid"] > 0


def test_a_decline_takes_back_what_the_caps_counted_on_the_day_of_the_offer() -> None:
    pool = Pool("smb", MEMBERS, per_day=2)
    turns = turns_of("ann", "ann").counted("ann", "2026-11-24").counted("ann", TODAY)
    given_on = {}
    for offered_at in (NOW - timedelta(days=1), NOW, None):
        offered = Offered("ann", 0, ("ann",), "smb", "no", offered_at)
        day = Day.of(Policy("p", pools=(pool,), acceptance=Acceptance(chain=("queue",))), roster(), NOW)
        given_on[offered_at] = next_step(offered, day, turns).turns.days["ann"]
    assert list(given_on.values()) == [{TODAY: 1}, {"2026-11-24": 1}, {"2026-11-24": 1}]


# --- who of a pool can be next in line ---


def test_the_next_in_line_is_nobody_who_could_not_be_given_the_account_in_the_first_place() -> None:
    busy = Calendar(week=(((20 * 60, 22 * 60),),) * 7)
    for different, pool, load, turns in (
        (rep("bob", capacity=3), Pool("smb", MEMBERS), {"bob": 3}, PoolTurns()),
        (rep("bob", ramp=(Ramp(TODAY, 0),)), Pool("smb", MEMBERS), {}, PoolTurns()),
        (rep("bob", calendar=busy), Pool("smb", MEMBERS, within_hours=1), {}, PoolTurns()),
        (rep("bob"), Pool("smb", MEMBERS, per_day=1), {}, PoolTurns().counted("bob", TODAY)),
        (rep("bob", leave=(Period(TODAY),)), Pool("smb", MEMBERS), {}, PoolTurns()),
    ):
        assert asked_by(step(pools=(pool,), people=roster(different), load=load, turns=turns)) == "cid", different


def test_the_next_in_line_counts_for_the_caps() -> None:
    after = step(pools=(Pool("smb", MEMBERS, per_day=1),))
    assert (asked_by(after), after.turns.days) == ("bob", {"bob": {TODAY: 1}})


# --- by when ---

FRIDAY_AFTERNOON = datetime(2026, 12, 18, 16, tzinfo=UTC)


def due(acceptance: Acceptance, now: datetime, fields: Mapping[str, Any] | None = None, **different: Any) -> str:
    people = roster(rep("ann", **different))
    return f"{due_by(Policy('p', acceptance=acceptance), people, 'ann', fields or {}, now):%a %d.%m. %H:%M}"


def test_on_the_calendar_clock_every_hour_counts() -> None:
    assert due(Acceptance(hours=24), FRIDAY_AFTERNOON) == "Sat 19.12. 16:00"
    assert due(Acceptance(hours=0.5), FRIDAY_AFTERNOON) == "Fri 18.12. 16:30"


def test_on_the_business_clock_only_the_owners_working_time_counts() -> None:
    business = Acceptance(hours=4, clock="business")
    assert due(business, FRIDAY_AFTERNOON) == "Mon 21.12. 12:00", "an hour on Friday and three on Monday"
    assert due(business, FRIDAY_AFTERNOON, timezone="America/New_York") == "Fri 18.12. 20:00", "eleven o'clock there"


def test_on_the_business_clock_no_holiday_and_no_leave_counts() -> None:
    business = Acceptance(hours=4, clock="business")
    christmas = datetime(2026, 12, 24, 15, tzinfo=UTC)  # a Thursday; Germany has two days off, and then it is Sunday
    assert due(business, christmas, calendar=Calendar()) == "Fri 25.12. 11:00"
    assert due(business, christmas, calendar=Calendar(holidays="DE")) == "Mon 28.12. 11:00"
    away = (Period("2026-12-25", "2026-12-28"),)
    assert due(business, christmas, leave=away) == "Tue 29.12. 11:00"


def test_who_never_works_has_a_year() -> None:
    never = Calendar(week=((),) * 7)
    policy = Policy("p", acceptance=Acceptance(clock="business"))
    assert due_by(policy, roster(rep("ann", calendar=never)), "ann", {}, NOW) == NOW + LONGEST


def test_the_first_sla_that_holds_replaces_the_hours() -> None:
    lead, vip = SlaRule(Test("subject", "is", "lead"), 0.25), SlaRule(Test("vip", "is", True), 48)
    acceptance = Acceptance(hours=24, faster=(lead, vip))
    assert due(acceptance, FRIDAY_AFTERNOON, {"subject": "lead", "vip": True}) == "Fri 18.12. 16:15"
    assert due(acceptance, FRIDAY_AFTERNOON, {"subject": "account", "vip": True}) == "Sun 20.12. 16:00"
    assert due(acceptance, FRIDAY_AFTERNOON, {"subject": "account"}) == "Sat 19.12. 16:00"
    business = replace(acceptance, clock="business")
    assert due(business, FRIDAY_AFTERNOON.replace(hour=18), {"subject": "lead"}) == "Mon 21.12. 09:15"


def test_an_owner_is_reminded_on_the_same_clock_or_not_at_all() -> None:
    def reminded(acceptance: Acceptance) -> datetime | None:
        return remind_at(Policy("p", acceptance=acceptance), roster(), "ann", FRIDAY_AFTERNOON)

    assert reminded(Acceptance()) is None
    assert reminded(Acceptance(remind_hours=4)) == FRIDAY_AFTERNOON.replace(hour=20)
    assert reminded(Acceptance(remind_hours=4, clock="business")) == datetime(2026, 12, 21, 12, tzinfo=UTC)
