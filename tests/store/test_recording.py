"""Decisions and everything that follows from them are one commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.engine import Store
from store.recording import Recording
from tests.store.business import MONDAY, claim, days, know, owned_by, record, said, undecided


def test_an_assignment_writes_ledger_outbox_and_offer_together(store: Store) -> None:
    know(store, "acme")
    summary = record(store, owned_by("acme", "bo", offer_due_by=MONDAY + days(1)))
    assert (summary.decided, summary.changed, summary.pushed, summary.offered) == (1, 1, 1, 1)
    with store.transaction(readonly=True) as uow:
        current = uow.ledger.current()["acme"]
        assert (current.owner_id, current.seq, current.acceptance_state) == ("bo", 1, "offered")
        assert uow.outbox.counts() == {("salesforce", "pending"): 1}
        explained = uow.decisions.explanation("acme")
        assert explained is not None
        assert (explained.decision.owner_id, explained.snapshot) == ("bo", {"owner": "bo"})


def test_a_failure_in_the_middle_leaves_nothing_behind(store: Store) -> None:
    know(store, "acme")

    def fail(uow: object) -> None:
        uow.record([owned_by("acme", "bo")], "run-1", MONDAY)  # type: ignore[attr-defined]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store.run(fail)
    with store.transaction(readonly=True) as uow:
        assert (uow.ledger.current(), uow.outbox.counts(), uow.decisions.latest()) == ({}, {}, {})


def test_recording_the_same_batch_again_changes_nothing(store: Store) -> None:
    know(store, "acme", "zenith")
    batch = (owned_by("acme", "bo", offer_due_by=MONDAY + days(1)), undecided("zenith"))
    record(store, *batch)
    repeat = record(store, *batch)
    assert (repeat.decided, repeat.changed, repeat.pushed, repeat.repeated) == (0, 0, 0, 2)
    with store.transaction(readonly=True) as uow:
        assert len(uow.ledger.history("acme")) == 1
        assert len(uow.outbox.of_account("acme")) == 1
        assert uow.exceptions.open_items()[0].times_seen == 1


def test_every_change_of_owner_takes_the_next_number(store: Store) -> None:
    know(store, "acme")
    for number, owner in enumerate(["bo", "cy", "bo", "dee"]):
        record(store, owned_by("acme", owner), run=f"run-{number}", now=MONDAY + days(number))
    with store.transaction(readonly=True) as uow:
        history = uow.ledger.history("acme")
        assert [(row.seq, row.prev_owner_id, row.owner_id) for row in history] == [
            (1, None, "bo"),
            (2, "bo", "cy"),
            (3, "cy", "bo"),
            (4, "bo", "dee"),
        ]
        assert uow.ledger.rebuild_current() == uow.ledger.current()


def test_deciding_for_the_same_owner_adds_no_ledger_row(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"), run="run-1")
    assert record(store, owned_by("acme", "bo"), run="run-2").changed == 0
    with store.transaction(readonly=True) as uow:
        assert len(uow.ledger.history("acme")) == 1
        assert len(uow.outbox.of_account("acme")) == 1  # the first push is still waiting


def test_a_newer_owner_supersedes_what_was_not_sent_yet(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"), run="run-1")
    (under_way,) = claim(store)
    record(store, owned_by("acme", "cy"), run="run-2")
    with store.transaction(readonly=True) as uow:
        assert [(row.desired_owner, row.state) for row in uow.outbox.of_account("acme")] == [
            ("bo", "superseded"),
            ("cy", "pending"),
        ]
        assert uow.outbox.is_superseded([under_way]) == {under_way.outbox_id}
    assert claim(store) == []  # one record, one writer: bo's lease still runs
    assert store.run(lambda uow: uow.outbox.settle(under_way.outbox_id, under_way.fence, "pending", said("retry")))
    assert [row.desired_owner for row in claim(store)] == ["cy"]


def test_an_exception_keeps_the_owner_unless_told_to_unassign(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"), run="run-1")
    assert record(store, undecided("acme"), run="run-2").excepted == 1
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.current()["acme"].owner_id == "bo"
        assert uow.exceptions.open_accounts() == {"acme"}
    record(store, undecided("acme", unassign=True), run="run-3")
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.current() == uow.ledger.rebuild_current() == {}
        assert uow.ledger.history("acme")[-1].event_type == "unassigned"
        assert [item.times_seen for item in uow.exceptions.open_items("no_rule")] == [2]
        assert uow.ledger.verify() is None


def test_an_owner_closes_the_exception_of_having_none(store: Store) -> None:
    know(store, "acme")
    record(store, undecided("acme"), run="run-1")
    record(store, owned_by("acme", "bo"), run="run-2")
    with store.transaction(readonly=True) as uow:
        assert uow.exceptions.open_items() == []


def test_an_account_nobody_knows_cannot_be_decided(store: Store) -> None:
    with pytest.raises(LookupError, match="not in the store"):
        record(store, owned_by("acme", "bo"))


def test_an_offer_gets_one_answer(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo", offer_due_by=MONDAY + days(1)))
    with store.transaction() as uow:
        assert uow.offers.due(MONDAY + days(0.99)) == []
        (offer,) = uow.offers.due(MONDAY + days(1))
        assert uow.offers.answer(offer.offer_id, "accepted", "bo", MONDAY + days(1))
        assert not uow.offers.answer(offer.offer_id, "expired", "steward", MONDAY + days(1))
        assert uow.ledger.current()["acme"].acceptance_state == "accepted"
        assert uow.ledger.rebuild_current() == uow.ledger.current()


def test_a_new_owner_supersedes_the_open_offer(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo", offer_due_by=MONDAY + days(1)), run="run-1")
    record(store, owned_by("acme", "cy", offer_due_by=MONDAY + days(2), escalation_level=1), run="run-2")
    with store.transaction(readonly=True) as uow:
        assert [offer.state for offer in uow.offers.of_owner("bo", None)] == ["superseded"]
        assert [offer.escalation_level for offer in uow.offers.of_owner("cy")] == [1]


def offered_while_it_is(owner_of_record: str, account_id: str, asked: str, level: int = 0) -> Recording:
    """An account is somebody's until the one who is asked accepts it."""
    made = owned_by(account_id, asked, offer_due_by=MONDAY + days(1), escalation_level=level, pushes=())
    return replace(made, decision=replace(made.decision, meanwhile=owner_of_record))


def test_an_account_that_waits_has_one_owner_of_record_and_one_offer_however_many_are_asked(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "al"), run="run-1")
    for level, asked in enumerate(("bo", "cy")):
        record(
            store,
            offered_while_it_is("al", "acme", asked, level),
            run=f"run-{asked}",
            now=MONDAY + days(0.1 * (level + 1)),
        )
    with store.transaction(readonly=True) as uow:
        assert [row.owner_id for row in uow.ledger.history("acme")] == ["al"]
        assert uow.offers.before_acceptance() == [("acme", "cy", "al")] == uow.offers.before_acceptance(["acme"])
        assert [offer.state for offer in uow.offers.of_owner("bo", None)] == ["superseded"]
        assert uow.offers.asked_before(["acme"]) == {"acme": ["cy", "bo"]}
        placing = uow.decisions.placing("acme", "bo")
        assert placing is not None
        assert (placing.owner_id, placing.rule, placing.turn) == ("bo", "emea", None)
        assert uow.decisions.placing("acme", "dan") is None
        assert uow.ledger.rebuild_current() == uow.ledger.current()
        assert uow.ledger.book_sizes() == {"al": 1}


def test_what_waits_in_the_queue_is_found_for_who_was_asked_in_vain_while_it_waits(store: Store) -> None:
    know(store, "acme", "bolt")
    for account_id, state in (("acme", "expired"), ("bolt", "superseded")):
        record(store, owned_by(account_id, "bo", offer_due_by=MONDAY), run=f"run-{account_id}")
        with store.transaction() as uow:
            (offer,) = uow.offers.of_owner("bo")
            uow.offers.answer(offer.offer_id, state, "steward", MONDAY)
            uow.exceptions.open("no_rule", f"undecided:{account_id}", account_id, {}, "warning", "run-1", MONDAY)
    with store.transaction() as uow:
        assert uow.offers.in_queue("bo") == set(), "it waits for something else"
        for account_id in ("acme", "bolt"):
            uow.exceptions.open("unaccepted", f"unaccepted:{account_id}", account_id, {}, "warning", "run-1", MONDAY)
        assert (uow.offers.in_queue("bo"), uow.offers.in_queue("cy")) == ({"acme"}, set())
        (offer,) = uow.offers.since_placed(["acme"])["acme"]
        assert (offer.owner_id, offer.state) == ("bo", "expired")
        uow.exceptions.close(["unaccepted:acme"], "bo", "taken", MONDAY)
        assert uow.offers.in_queue("bo") == set()


def test_an_account_that_is_to_stay_after_all_asks_nobody_any_more(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "al"), run="run-1")
    record(store, offered_while_it_is("al", "acme", "bo"), run="run-2")
    record(store, owned_by("acme", "al", pushes=()), run="run-3")
    with store.transaction(readonly=True) as uow:
        assert (uow.offers.before_acceptance(), uow.offers.of_account("acme")) == ([], None)


def test_an_exception_leaves_the_question_open(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "al"), run="run-1")
    record(store, offered_while_it_is("al", "acme", "bo"), run="run-2")
    record(store, undecided("acme"), run="run-3")
    with store.transaction(readonly=True) as uow:
        assert uow.offers.before_acceptance() == [("acme", "bo", "al")]
