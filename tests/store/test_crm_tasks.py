"""Tasks are queued once, claimed once, settled by whoever holds them, and pointless once somebody else owns it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from ownership.crm_tasks import TaskWanted
from store.crm_tasks import TaskRow, TaskSettlement
from store.engine import Store
from tests.store.business import MONDAY, days, know, owned_by, record, salesforce


def wanted(name: str = "brief", assignee: str = "sam") -> TaskWanted:
    return TaskWanted(name, "owner_changed", salesforce("acme"), assignee, "Hand over", MONDAY + days(1))


def queue(store: Store, *tasks: TaskWanted, run: str = "run-1") -> int:
    return store.run(lambda uow: uow.crm_tasks.add([("acme", task) for task in tasks], run, MONDAY))


def claim(store: Store, now: datetime = MONDAY, limit: int = 10) -> list[TaskRow]:
    return store.run(lambda uow: uow.crm_tasks.claim("salesforce", limit, "w", 60, now))


def settle(store: Store, settled: TaskSettlement, now: datetime = MONDAY) -> bool:
    return store.run(lambda uow: uow.crm_tasks.settle(settled, now))


@pytest.fixture
def acme(store: Store) -> Store:
    know(store, "acme")
    record(store, owned_by("acme", "bo"))
    return store


def test_a_task_is_queued_once_for_each_owner_the_account_has_had(acme: Store) -> None:
    assert queue(acme, wanted(), wanted("call")) == 2
    assert queue(acme, wanted(), wanted("call"), run="run-2") == 0
    assert queue(acme, replace(wanted(), occasion="the second miss"), run="run-2") == 1
    record(acme, owned_by("acme", "cy"), run="run-3")
    assert queue(acme, wanted(), run="run-3") == 1


def test_a_claimed_task_is_nobody_elses_until_its_lease_runs_out_and_is_then_in_doubt(acme: Store) -> None:
    queue(acme, wanted())
    (first,) = claim(acme)
    assert claim(acme) == []
    (second,) = claim(acme, MONDAY + days(1))
    assert (first.doubtful, second.doubtful, second.key == first.key) == (False, True, True)


def test_a_worker_back_from_the_dead_settles_nothing(acme: Store) -> None:
    queue(acme, wanted())
    (zombie,) = claim(acme)
    (living,) = claim(acme, MONDAY + days(1))
    assert not settle(acme, TaskSettlement(zombie, "rejected", "no"))
    assert settle(acme, TaskSettlement(living, "created", "", "00T1"))
    assert not settle(acme, TaskSettlement(zombie, "rejected", "no"))
    with acme.transaction(readonly=True) as uow:
        assert uow.crm_tasks.counts() == {("salesforce", "created"): 1}


def test_a_task_put_back_untried_is_in_no_doubt_and_counts_no_try(acme: Store) -> None:
    queue(acme, wanted())
    (row,) = claim(acme)
    settle(acme, TaskSettlement(row, "pending", "is away", next_attempt_at=MONDAY + days(1), tried=False))
    assert claim(acme) == []
    (again,) = claim(acme, MONDAY + days(1))
    assert (again.doubtful, again.attempts) == (False, 0)


def test_a_task_without_an_answer_is_in_doubt_until_somebody_has_looked(acme: Store) -> None:
    queue(acme, wanted())
    (row,) = claim(acme)
    settle(acme, TaskSettlement(row, "unknown", "no answer", next_attempt_at=MONDAY + days(1)))
    (again,) = claim(acme, MONDAY + days(1))
    assert (again.doubtful, again.attempts) == (True, 1)


def test_the_next_owner_makes_the_tasks_of_the_last_one_pointless_and_no_others(acme: Store) -> None:
    queue(acme, wanted())
    record(acme, owned_by("acme", "cy"), run="run-2")
    queue(acme, wanted(), run="run-2")
    old, new = sorted(claim(acme), key=lambda row: row.seq)
    with acme.transaction(readonly=True) as uow:
        assert uow.crm_tasks.superseded([old, new]) == {old.task_id}


def test_a_state_nobody_knows_is_refused(acme: Store) -> None:
    queue(acme, wanted())
    (row,) = claim(acme)
    with pytest.raises(ValueError, match="'done' is no state of a task"):
        settle(acme, TaskSettlement(row, "done"))
