"""Rows are claimed once, settled by whoever holds them, and never two for one record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ownership.model import TeamMember
from store.engine import Store
from tests.store.business import MONDAY, claim, days, know, owned_by, record, said, salesforce


def test_a_claimed_row_is_not_claimed_again_until_its_lease_runs_out(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"))
    (first,) = claim(store, worker="one", lease_s=60)
    assert claim(store, worker="two") == []
    (second,) = claim(store, now=MONDAY + days(1), worker="two")
    assert (second.outbox_id, second.fence) == (first.outbox_id, first.fence + 1)


def test_a_worker_back_from_the_dead_cannot_settle_what_another_has_claimed(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"))
    (zombie,) = claim(store)
    (living,) = claim(store, now=MONDAY + days(1))
    with store.transaction() as uow:
        assert not uow.outbox.settle(zombie.outbox_id, zombie.fence, "rejected", said("rejected"))
        assert uow.outbox.settle(living.outbox_id, living.fence, "confirmed", said("written"))
        assert not uow.outbox.settle(living.outbox_id, living.fence, "rejected", said("rejected"))
        assert uow.outbox.counts() == {("salesforce", "confirmed"): 1}
        ref = salesforce("acme")
        assert uow.remote.get([ref])[ref].confirmed_owner == "bo"


def test_an_unanswered_write_waits_as_unknown_and_a_put_back_row_counts_no_try(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"))
    (row,) = claim(store)
    later = MONDAY + days(1)
    store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "unknown", said("unknown"), later))
    assert claim(store) == []
    (row,) = claim(store, now=later)
    assert (row.state, row.attempts) == ("unknown", 1)
    store.run(lambda uow: uow.outbox.settle(row.outbox_id, row.fence, "unknown", said("put_back"), later))
    assert claim(store, now=later)[0].attempts == 1


def test_a_change_of_a_supporting_role_makes_no_owner_change_pointless(store: Store) -> None:
    """The owner of record and each role count their changes for themselves: the second SDR is no second owner."""
    know(store, "acme")
    first, second = (owned_by("acme", "bo", expected=f"old-{sdr}") for sdr in ("sam", "pat"))
    for made, sdr in ((first, "sam"), (second, "pat")):
        team = (TeamMember("sdr", sdr, "is of the pod"),)
        record(store, replace(made, decision=replace(made.decision, team=team)), run=f"run-{sdr}")
    rows = claim(store)
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.teams() == {"acme": {"sdr": "pat"}}
        assert rows
        assert uow.outbox.is_superseded(rows) == set()


def test_many_claimers_never_get_the_same_row(store: Store) -> None:
    ids = [f"acc-{number:03}" for number in range(120)]
    know(store, *ids)
    record(store, *(owned_by(each, "bo") for each in ids))

    def drain(worker: str) -> list[str]:
        mine: list[str] = []
        while rows := claim(store, worker=worker, limit=5):
            mine += [row.outbox_id for row in rows]
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [each for mine in pool.map(drain, "abcdefgh") for each in mine]
    assert len(claimed) == len(set(claimed)) <= 120
    claimed += drain("last")  # rows others had locked at the very moment a claimer looked
    assert len(set(claimed)) == len(claimed) == 120


def test_an_older_owner_written_after_a_newer_one_was_proved_makes_the_newer_one_due_again(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "ann"))
    (held_up,) = claim(store)
    record(store, owned_by("acme", "bob"), run="run-2")
    (newer,) = claim(store, MONDAY + days(1))
    settle = {"attempt": said("written"), "state": "confirmed"}
    assert store.run(lambda uow: uow.outbox.settle(newer.outbox_id, newer.fence, **settle))
    assert store.run(lambda uow: uow.outbox.settle(held_up.outbox_id, held_up.fence, **settle))
    (again,) = claim(store, MONDAY + days(1))
    assert (again.outbox_id, again.desired_owner, again.expected_remote_owner) == (newer.outbox_id, "bob", "ann")
