"""Answers by the clock, answers that come at once, and what nobody accepted: an offer has one answer, the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from ownership.acceptance import NotYours
from ownership.policy import Roster
from store.offers import Offer
from tasks.acceptance import Answered, accept_offer, decline_offer, escalate_due
from tasks.context import RunContext
from tasks.rehearsal import Rehearsal, rehearse
from tasks.unaccepted import take_unaccepted
from tests.faults.outside import POLICY
from tests.many_offers import made_offers

FIRM = "acc_1"  # of a pool of two, Jonas Keller and Sabine Hartmann, whose manager is Peter Novak
TWO = {"jonas-keller", "sabine-hartmann"}


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    yield from offering(rehearse(tmp_path, POLICY))


@pytest.fixture
def on_either(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    """The same on SQLite and on PostgreSQL, which let others wait in different ways."""
    yield from offering(rehearse(tmp_path, POLICY, database_url=store_url))


def offering(company: Rehearsal) -> Iterator[Rehearsal]:
    made_offers(company, 2)
    yield company
    company.context.store.close()


def open_offer(company: Rehearsal) -> Offer:
    with company.context.store.transaction(readonly=True) as uow:
        offer = uow.offers.of_account(FIRM)
    assert offer is not None
    return offer


def as_it_is(company: Rehearsal, offer: Offer) -> Offer:
    with company.context.store.transaction(readonly=True) as uow:
        return uow.offers.get_many([offer.offer_id])[offer.offer_id]


def owner(company: Rehearsal) -> tuple[str, str]:
    """Whose the firm is, and what they answered; the current owners agree with the ledger."""
    with company.context.store.transaction(readonly=True) as uow:
        current = uow.ledger.current()
        assert current == uow.ledger.rebuild_current()
        assert uow.ledger.verify() is None
    return current[FIRM].owner_id, current[FIRM].acceptance_state


def until(company: Rehearsal, offer: Offer, **off: float) -> None:
    """It is the offer's deadline, or so much later; the next run begins."""
    company.now[0] = offer.due_by + timedelta(**off)
    company.new_run()


# --- by the clock ---


def test_an_answer_counts_until_the_deadline_and_not_at_it(company: Rehearsal) -> None:
    offer = open_offer(company)
    until(company, offer, microseconds=-1)
    assert accept_offer(company.context, offer.offer_id, offer.owner_id).outcome == "accepted"


@pytest.mark.parametrize("answers", ["accepts", "declines"])
def test_at_the_deadline_it_is_too_late_though_no_pass_has_come_by(company: Rehearsal, answers: str) -> None:
    offer = open_offer(company)
    until(company, offer)
    if answers == "accepts":
        late = accept_offer(company.context, offer.offer_id, offer.owner_id)
    else:
        late = decline_offer(company.context, offer.offer_id, offer.owner_id, "too far away")
    follows = open_offer(company)
    name = company.context.policy.roster.name(follows.owner_id)
    assert {offer.owner_id, follows.owner_id} == TWO
    assert late == Answered(
        "too_late",
        f"Too late: the offer of Firma 1 ran out at {offer.due_by:%Y-%m-%d %H:%M} UTC. It belongs to {name}. "
        f"{name} is asked until {follows.due_by:%Y-%m-%d %H:%M} UTC.",
    )
    assert (as_it_is(company, offer).state, as_it_is(company, offer).answered_by) == ("expired", "steward")


def test_what_a_late_answer_moved_on_no_pass_moves_on_again(company: Rehearsal) -> None:
    offer = open_offer(company)
    until(company, offer)
    accept_offer(company.context, offer.offer_id, offer.owner_id)
    follows = open_offer(company)
    company.new_run()
    escalate_due(company.context)
    assert open_offer(company) == follows


def test_a_pass_comes_neither_early_nor_late(company: Rehearsal) -> None:
    offer = open_offer(company)
    until(company, offer, microseconds=-1)
    assert escalate_due(company.context).looked_at == 0
    until(company, offer)
    escalate_due(company.context)
    assert as_it_is(company, offer).state == "expired"


def test_a_manager_cannot_accept_for_who_has_left_and_can_pass_it_on(company: Rehearsal) -> None:
    offer = open_offer(company)
    reps = company.context.policy.roster.reps
    gone = {offer.owner_id: replace(reps[offer.owner_id], active=False)}
    company.adopt(replace(company.context.policy, roster=Roster({**reps, **gone})))
    company.new_run()
    with pytest.raises(NotYours, match="has left; decline it, so that somebody else is asked"):
        accept_offer(company.context, offer.offer_id, "peter-novak")
    assert decline_offer(company.context, offer.offer_id, "peter-novak", "has left").outcome == "declined"


# --- at once ---


def race(company: Rehearsal, *answers: Callable[[RunContext], Answered | None]) -> list[Answered | None]:
    """All answers at the same moment, each in a run of its own."""
    start = Barrier(len(answers))

    def give(answer: Callable[[RunContext], Answered | None]) -> Answered | None:
        mine = company.context
        context = RunContext(mine.settings, mine.store, mine.connectors, mine.policy, clock=mine.clock)
        start.wait()
        return answer(context)

    with ThreadPoolExecutor(len(answers)) as pool:
        return list(pool.map(give, answers))


def test_of_answers_given_at_once_one_counts_and_the_others_are_told_which(on_either: Rehearsal) -> None:
    offer = open_offer(on_either)
    until(on_either, offer, minutes=-1)
    given = race(
        on_either,
        lambda context: accept_offer(context, offer.offer_id, offer.owner_id),
        lambda context: decline_offer(context, offer.offer_id, offer.owner_id, "no"),
        lambda context: accept_offer(context, offer.offer_id, "peter-novak"),
        lambda context: decline_offer(context, offer.offer_id, "peter-novak", "not theirs"),
    )
    said = [answer for answer in given if answer is not None]
    (counts,) = [answer for answer in said if answer.outcome != "too_late"]
    ended = as_it_is(on_either, offer)
    assert counts.outcome == ended.state
    assert sum("Too late: the offer of Firma 1 was" in answer.said for answer in said) == 3
    holder, state = owner(on_either)
    assert (holder == offer.owner_id) == (ended.state == "accepted")
    assert state == ("accepted" if ended.state == "accepted" else "offered")


def test_an_offer_that_runs_out_while_it_is_answered_ends_once(on_either: Rehearsal) -> None:
    offer = open_offer(on_either)
    until(on_either, offer)

    def escalate(context: RunContext) -> None:
        escalate_due(context)

    given = race(
        on_either,
        escalate,
        escalate,
        lambda context: accept_offer(context, offer.offer_id, offer.owner_id),
        lambda context: decline_offer(context, offer.offer_id, "peter-novak", "no"),
    )
    assert [answer.outcome for answer in given if answer] == ["too_late", "too_late"]
    assert as_it_is(on_either, offer).state == "expired"
    assert open_offer(on_either).escalation_level == 1
    with on_either.context.store.transaction(readonly=True) as uow:
        told = [each for each in uow.notifications.pending() if each.offer_id == open_offer(on_either).offer_id]
    assert len({(each.channel, each.email) for each in told}) == len(told) > 0


# --- what nobody accepted ---


def nobody_accepts(company: Rehearsal) -> list[Offer]:
    """The offers of the firm, in order; it is in the queue, as nobody is left to be asked."""
    offers = []
    for _ in range(3):
        offers.append(open_offer(company))
        until(company, offers[-1])
        escalate_due(company.context)
    assert {offer.owner_id for offer in offers} == {*TWO, "peter-novak"}
    assert company.exceptions()["unaccepted"] >= 1
    return offers


@pytest.mark.parametrize("place", [0, 1, 2])
def test_whoever_was_asked_can_take_what_nobody_accepted(company: Rehearsal, place: int) -> None:
    offer = nobody_accepts(company)[place]
    company.new_run()
    taken = take_unaccepted(company.context, offer.offer_id, offer.owner_id)
    name = company.context.policy.roster.name(offer.owner_id)
    assert taken == Answered("taken", f"Firma 1 is taken for {name}.")
    assert owner(company) == (offer.owner_id, "accepted")
    assert as_it_is(company, offer).state == "expired", "the offer keeps the answer it had"
    with company.context.store.transaction(readonly=True) as uow:
        assert f"unaccepted:{FIRM}" not in [item.dedup_key for item in uow.exceptions.open_items()]
        last = uow.decisions.explanation(FIRM)
    assert last is not None
    assert last.decision.path[-1].because == f"{name} took it from the queue"
    until(company, offer, hours=1000)
    escalate_due(company.context)
    assert owner(company) == (offer.owner_id, "accepted")


def test_a_manager_takes_it_for_their_rep_and_nobody_else_does(on_either: Rehearsal) -> None:
    offer = nobody_accepts(on_either)[0]
    on_either.new_run()
    with pytest.raises(NotYours, match="only they or their manager can answer"):
        take_unaccepted(on_either.context, offer.offer_id, "dana-whitfield")
    assert take_unaccepted(on_either.context, offer.offer_id, "peter-novak").outcome == "taken"
    assert owner(on_either) == (offer.owner_id, "accepted")


def test_of_those_who_take_it_at_once_one_has_it(on_either: Rehearsal) -> None:
    offers = nobody_accepts(on_either)
    given = race(
        on_either,
        *(lambda context, each=each: take_unaccepted(context, each.offer_id, each.owner_id) for each in offers),
    )
    assert sorted(answer.outcome for answer in given if answer) == ["taken", "too_late", "too_late"]
    (taken,) = [each for each, answer in zip(offers, given, strict=True) if answer and answer.outcome == "taken"]
    assert owner(on_either) == (taken.owner_id, "accepted")


def test_nothing_is_taken_while_somebody_is_still_asked(company: Rehearsal) -> None:
    offer = open_offer(company)
    until(company, offer)
    escalate_due(company.context)
    follows = open_offer(company)
    company.new_run()
    said = take_unaccepted(company.context, offer.offer_id, offer.owner_id)
    assert said.outcome == "too_late"
    assert "is asked until" in said.said
    assert owner(company)[0] == follows.owner_id
