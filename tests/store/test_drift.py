"""What others wrote over our owners is kept once, and acted on once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ownership.model import Ref
from store.drift import DriftEvent, NewDrift
from store.engine import Store
from tests.store.business import MONDAY, claim, days, know, owned_by, record, said, salesforce


def found(store: Store, account_id: str, shown: str | None, version: str = "v1", **more: Any) -> NewDrift:
    ref = salesforce(account_id)
    with store.transaction(readonly=True) as uow:
        owner = uow.ledger.current([account_id])[account_id]
    new = NewDrift(
        *(ref.source, ref.object_type, ref.external_id, version, owner.ledger_id, account_id, owner.owner_id, shown),
        *("005SYNC", MONDAY, "integration", "reassert", "salesforce/005SYNC is an integration"),
    )
    return replace(new, **more)


def add(store: Store, *new: NewDrift, days_on: float = 0) -> int:
    return store.run(lambda uow: uow.drift.add(new, "run-1", MONDAY + days(days_on)))


def unsettled(store: Store) -> list[DriftEvent]:
    return store.run(lambda uow: uow.drift.unsettled("salesforce", 100))


def confirmed(store: Store, account_id: str, owner: str) -> None:
    """An account whose record shows its owner, as we proved on Monday."""
    know(store, account_id)
    record(store, owned_by(account_id, owner))
    for row in claim(store):
        store.run(lambda uow, row=row: uow.outbox.settle(row.outbox_id, row.fence, "confirmed", said("written")))


@pytest.fixture(autouse=True)
def acme(store: Store) -> None:
    confirmed(store, "acme", "ann")


def test_a_difference_found_again_is_kept_once_and_a_new_change_of_the_record_is_another(store: Store) -> None:
    assert add(store, found(store, "acme", "bo")) == 1
    assert add(store, found(store, "acme", "bo"), days_on=1) == 0
    assert add(store, found(store, "acme", "bo", "v2")) == 1
    assert [event.version for event in unsettled(store)] == ["v2", "v1"]


def test_the_owner_is_queued_again_without_a_new_ledger_row_and_only_once(store: Store) -> None:
    add(store, found(store, "acme", "bo"))
    (event,) = unsettled(store)
    written = store.run(lambda uow: uow.drift.write_again([event], "run-2", MONDAY))
    again = store.run(lambda uow: uow.drift.write_again([event], "run-3", MONDAY))
    assert (written, again) == ({event.drift_id}, set())
    (row,) = claim(store)
    assert (row.desired_owner, row.expected_remote_owner, row.seq) == ("ann", "bo", 1)
    with store.transaction(readonly=True) as uow:
        assert len(uow.ledger.history("acme")) == 1


def test_nothing_is_queued_where_the_new_owner_is_who_is_shown_or_is_on_the_way_already(store: Store) -> None:
    add(store, found(store, "acme", "bo"))
    (event,) = unsettled(store)
    record(store, owned_by("acme", "bo", pushes=()), run="run-2")
    assert store.run(lambda uow: uow.drift.write_again([event], "run-3", MONDAY)) == set()
    record(store, owned_by("acme", "cy", "bo"), run="run-4")
    assert store.run(lambda uow: uow.drift.write_again([event], "run-5", MONDAY)) == set()
    assert [row.desired_owner for row in claim(store)] == ["cy"]


def test_what_is_stopped_waits_until_a_person_releases_it_and_counts_no_more(store: Store) -> None:
    add(store, found(store, "acme", "bo"))
    (event,) = unsettled(store)
    store.run(lambda uow: uow.drift.settle([event.drift_id], "stopped", MONDAY))
    assert unsettled(store) == []
    with store.transaction(readonly=True) as uow:
        assert uow.drift.changed_since("salesforce", MONDAY) == 1
    assert store.run(lambda uow: uow.drift.release("hubspot", "dana", "a test", MONDAY)) == 0
    assert store.run(lambda uow: uow.drift.release("salesforce", "dana", "it was the sync", MONDAY)) == 1
    (event,) = unsettled(store)
    assert (event.released_by, event.released_because) == ("dana", "it was the sync")
    with store.transaction(readonly=True) as uow:
        assert uow.drift.changed_since("salesforce", MONDAY) == 0


def test_a_record_changed_many_times_counts_as_one_that_was_changed(store: Store) -> None:
    add(store, *(found(store, "acme", "bo", f"v{number}") for number in range(5)))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.changed_since("salesforce", MONDAY) == 1
        assert uow.drift.changed_since("salesforce", MONDAY + days(1)) == 0


def test_only_an_edit_of_a_person_since_the_record_was_confirmed_is_one_to_adopt(store: Store) -> None:
    add(store, found(store, "acme", "bo"))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.set_by_persons(["acme"]) == set()
    add(store, found(store, "acme", "cy", "v2", hand="person", action="adopt"), days_on=1)
    with store.transaction(readonly=True) as uow:
        assert uow.drift.set_by_persons(["acme"]) == {("acme", "cy")}
    ref = salesforce("acme")
    key = (ref.source, ref.object_type, ref.external_id)
    store.run(lambda uow: uow.remote.confirm({key: ("ann", MONDAY + days(2))}))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.set_by_persons(["acme"]) == set()


def test_a_person_need_not_settle_a_record_that_shows_its_owner_again(store: Store) -> None:
    add(store, found(store, "acme", "bo", action="hold"))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.waiting_for_persons("salesforce") == {salesforce("acme")}
    assert store.run(lambda uow: uow.drift.overtake([salesforce("acme")], MONDAY)) == 1
    with store.transaction(readonly=True) as uow:
        assert uow.drift.waiting_for_persons("salesforce") == set()


def test_a_write_without_an_answer_and_that_of_a_killed_push_may_still_land(store: Store) -> None:
    record(store, owned_by("acme", "bo", "ann"), run="run-2")
    (row,) = claim(store)
    with store.transaction(readonly=True) as uow:
        sent = uow.drift.sent_to([salesforce("acme")])[salesforce("acme")]
    assert (sent.owners, sent.unanswered, sent.before) == ({"ann", "bo"}, {"bo"}, {"ann"})
    store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "confirmed", said("written")))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.sent_to([salesforce("acme")])[salesforce("acme")].unanswered == frozenset()
    record(store, owned_by("acme", "cy", "bo"), run="run-3")
    (row,) = claim(store)
    store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "unknown", said("unknown"), MONDAY))
    (row,) = claim(store)
    store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "confirmed", said("already_shown")))
    with store.transaction(readonly=True) as uow:
        assert uow.drift.sent_to([salesforce("acme")])[salesforce("acme")].unanswered == {"cy"}


def test_the_book_is_read_in_pages_that_leave_out_nothing(store: Store) -> None:
    for name in ("bolt", "cargo", "dyna"):
        confirmed(store, name, "ann")
    know(store, "never-told")
    pages, after = [], None
    with store.transaction(readonly=True) as uow:
        while page := uow.remote.confirmed_page("salesforce", after, 3):
            pages.append([ref.external_id for ref in page])
            after = page[-1]
        assert uow.remote.confirmed_count("salesforce") == 4
        assert len(uow.remote.confirmed_since(MONDAY)) == 4
        assert uow.remote.confirmed_since(MONDAY + days(1)) == []
        assert uow.remote.confirmed_page("salesforce", Ref("salesforce", "Lead", ""), 3) == []
    assert pages == [["001-acme", "001-bolt", "001-cargo"], ["001-dyna"]]
