"""Acceptance: who is asked when an offer was not answered in time."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ownership.acceptance import Escalate, NotYours, Offered, ToQueue, check_answer, next_step
from ownership.day import Day
from ownership.entries import Acceptance, Pool
from ownership.model import Rep
from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns, take_turn

TODAY = "2026-11-25"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MEMBERS = {"ann": 1, "bob": 1, "cid": 1}
CHAIN = ("next_in_line", "manager", "queue")


def rep(id_: str, manager: str | None = "mia", left_on: str | None = None, active: bool = True) -> Rep:
    return Rep(id_, id_.capitalize(), f"{id_}@x.example", "ae", "smb", manager=manager, left_on=left_on, active=active)


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
) -> Escalate | ToQueue:
    policy = Policy("p", pools=(Pool("smb", MEMBERS),), acceptance=Acceptance(chain=chain))
    offered = Offered(owner, level, (owner,) if asked is None else asked, pool, declined)
    return next_step(offered, Day.of(policy, people or roster(), NOW), turns or PoolTurns())


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


@pytest.mark.parametrize("by", ["ann", "mia"])
def test_who_was_asked_and_their_manager_may_answer(by: str) -> None:
    assert check_answer("ann", by, roster()) is None


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("bob", "it is offered to Ann; only they or their manager can answer"),
        ("max", "it is offered to Ann; only they or their manager can answer"),
        ("eve", "'eve' is nobody on the roster; give a rep's id"),
    ],
)
def test_nobody_else_may_answer(by: str, why: str) -> None:
    with pytest.raises(NotYours, match=why):
        check_answer("ann", by, roster())


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
