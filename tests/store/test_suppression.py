"""What records show marketing: one writer at a time, noted before it is sent; and how each account stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ownership.suppression import Standing
from store.engine import Store
from store.suppression import ShownRow
from tests.store.business import MONDAY, days, know, owned_by, record, salesforce

ACME = salesforce("acme")
BUSY = {"busy": True, "until": "2026-03-16"}
NEW = ShownRow(ACME, {})


def claim(store: Store, before: ShownRow = NEW, at: float = 0) -> ShownRow | None:
    return store.run(lambda uow: uow.suppressions.claim(before, BUSY, 60, MONDAY + days(at)))


def settle(store: Store, row: ShownRow | None, state: str = "written") -> bool:
    assert row is not None
    return store.run(lambda uow: uow.suppressions.settle(row, state, BUSY, "", MONDAY))


def known(store: Store) -> ShownRow:
    with store.transaction(readonly=True) as uow:
        return uow.suppressions.rows("salesforce")[ACME]


def test_what_is_about_to_be_written_is_noted_and_stands_once_it_was(store: Store) -> None:
    row = claim(store)
    assert known(store) == row
    assert (known(store).state, known(store).shown) == ("unknown", BUSY)
    assert settle(store, row)
    assert (known(store).state, known(store).leased_until) == ("written", None)


def test_a_record_has_one_writer_until_the_lease_runs_out(store: Store) -> None:
    first = claim(store)
    assert first is not None
    assert claim(store) is None
    assert claim(store, known(store)) is None
    second = claim(store, known(store), at=1)
    assert second is not None
    assert second.fence == first.fence + 1


def test_what_was_read_before_somebody_else_wrote_it_claims_nothing(store: Store) -> None:
    settle(store, claim(store))
    assert claim(store, NEW) is None


def test_when_two_wrote_at_once_neither_is_believed_and_it_is_written_again(store: Store) -> None:
    zombie = claim(store)
    living = claim(store, known(store), at=1)
    assert not settle(store, zombie)
    assert not settle(store, living)
    assert (known(store).state, known(store).leased_until) == ("unknown", None)


def test_a_state_nobody_knows_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="'sent' is no state"):
        settle(store, replace(NEW, fence=1), "sent")


def test_an_account_stands_as_its_ledger_says_and_what_came_with_its_owner_is_not_new(store: Store) -> None:
    know(store, "acme", "bolt", "cozy")
    kept = owned_by("bolt", "bo")
    record(store, owned_by("acme", "bo"), replace(kept, decision=replace(kept.decision, reason="existing_owner")))
    with store.transaction(readonly=True) as uow:
        assert uow.suppressions.standings(["acme", "bolt", "cozy"]) == {
            "acme": Standing("bo", MONDAY),
            "bolt": Standing("bo", None),
        }
        assert uow.suppressions.worked_since(MONDAY) == {"acme", "bolt"}
        assert uow.suppressions.worked_since(MONDAY + days(1)) == set()
