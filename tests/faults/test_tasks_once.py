"""A task is made once, whatever is lost on the way: the process, the answer, or both.

The controls beside it try again without looking, and must be caught.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import NewTask
from connectors.errors import Ambiguous, RecordRejected, RetryLater
from connectors.memory import MemoryTarget
from ownership.placed_by_people import Person
from store.engine import Store
from tasks.acceptance import escalate_due
from tasks.rehearsal import Rehearsal, rehearse
from tasks.resolving import resolve
from tests.faults.test_killed_anywhere import Killed, Steps

CUSTOMER = {"name": "Acme", "website": "acme.com", "country": "US", "state": "NY", "employees": 20}


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    """One customer in both CRMs whose CSM is to get a task in each; owners are pushed, tasks are not."""
    company = rehearse(tmp_path)
    ready(company)
    yield company
    company.context.store.close()


def ready(company: Rehearsal) -> None:
    company.account("stripe", "cus_1", name="Acme", mrr_cents=50_000, subscription_status="active")
    company.account("salesforce", "0011", links={"stripe": "cus_1"}, **CUSTOMER)
    company.account("hubspot", "71", **CUSTOMER)
    assert company.assign().tasks == 2


def made(company: Rehearsal) -> list[tuple[str, str]]:
    return sorted((name, task.remote_id) for name, task in company.tasks())


def states(company: Rehearsal) -> dict[tuple[str, str], int]:
    with company.context.store.transaction(readonly=True) as uow:
        return uow.crm_tasks.counts()


ONE_EACH = [("hubspot", "71"), ("salesforce", "0011")]
ALL_CREATED = {("hubspot", "created"): 1, ("salesforce", "created"): 1}


def loses_answers(target: MemoryTarget, times: int) -> Callable[[NewTask], str]:
    """`create_task` of a vendor that does what it is asked and whose first answers never arrive."""
    create, left = target.create_task, [times]

    def without_answer(task: NewTask) -> str:
        made = create(task)
        if left[0]:
            left[0] -= 1
            raise Ambiguous(target.name, "no answer", code="NO_ANSWER")
        return made

    return without_answer


def push_until_done(company: Rehearsal) -> None:
    company.push()
    company.pass_time(minutes=30)
    company.push()


def kill_everywhere(
    tmp_path: Path, control: Callable[[Rehearsal, pytest.MonkeyPatch], None] | None = None
) -> list[Any]:
    """What there is after a push killed at each place it can die at and then started again."""
    found: list[Any] = []
    while True:
        company, steps = rehearse(tmp_path / str(len(found))), Steps(len(found) + 1)
        ready(company)
        with pytest.MonkeyPatch.context() as patch:
            if control:
                control(company, patch)
            patch.setattr(Store, "run", steps.around(Store.run))
            for target in company.targets.values():
                for call in ("create_task", "find_task"):
                    patch.setattr(target, call, steps.around(getattr(target, call)))
            try:
                company.push()
            except Killed:
                patch.setattr(Store, "run", Store.run)
            else:
                company.context.store.close()
                return found
        with pytest.MonkeyPatch.context() as patch:
            if control:
                control(company, patch)
            push_until_done(company)
        found.append((made(company), states(company)))
        company.context.store.close()


def blind(company: Rehearsal, patch: pytest.MonkeyPatch) -> None:
    """The retry that does not look: nothing it asks for is ever found."""
    for target in company.targets.values():
        patch.setattr(target, "find_task", lambda *_: None)


@pytest.mark.long
def test_killed_anywhere_between_creating_and_confirming_there_is_exactly_one_task(tmp_path: Path) -> None:
    found = kill_everywhere(tmp_path)
    assert len(found) > 10
    assert [each for each in found if each != (ONE_EACH, ALL_CREATED)] == []


@pytest.mark.long
def test_control_a_blind_retry_after_a_killed_run_makes_two(tmp_path: Path) -> None:
    assert any(len(tasks) > 2 for tasks, _ in kill_everywhere(tmp_path, blind))


def test_a_lost_answer_is_settled_by_looking(company: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    for target in company.targets.values():
        monkeypatch.setattr(target, "create_task", loses_answers(target, 1))
    company.push()
    assert states(company) == {("hubspot", "unknown"): 1, ("salesforce", "unknown"): 1}
    push_until_done(company)
    assert (made(company), states(company)) == (ONE_EACH, ALL_CREATED)


def test_control_a_blind_retry_after_a_lost_answer_makes_two(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for target in company.targets.values():
        monkeypatch.setattr(target, "create_task", loses_answers(target, 1))
    blind(company, monkeypatch)
    push_until_done(company)
    assert len(made(company)) == 4


def test_a_task_that_became_pointless_while_in_doubt_is_found_or_dropped(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Salesforce it was made and the answer was lost; HubSpot never got it."""
    salesforce, hubspot = company.targets["salesforce"], company.targets["hubspot"]
    monkeypatch.setattr(salesforce, "create_task", loses_answers(salesforce, 1))
    monkeypatch.setattr(hubspot, "create_task", raising(Ambiguous("hubspot", "no answer", code="NO_ANSWER")))
    company.push()
    monkeypatch.undo()
    company.pass_time(hours=25)
    company.new_run()
    escalate(company)
    company.push()
    assert made(company) == [("hubspot", "71"), ("salesforce", "0011"), ("salesforce", "0011")]
    assert states(company) == {
        ("hubspot", "created"): 1,
        ("hubspot", "superseded"): 1,
        ("salesforce", "created"): 2,
    }


def test_a_crm_that_is_away_holds_up_nothing_and_gets_its_task_later(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    hubspot = company.targets["hubspot"]
    monkeypatch.setattr(hubspot, "create_task", raising(RetryLater("hubspot", "is away")))
    with pytest.raises(RetryLater):
        company.push()
    assert company.shown("hubspot", "71") == company.owner("hubspot", "71")
    monkeypatch.undo()
    push_until_done(company)
    assert (made(company), states(company)) == (ONE_EACH, ALL_CREATED)


def test_a_refused_task_says_why_and_harms_neither_the_owner_nor_the_other_task(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = RecordRejected("hubspot", "tasks are switched off here", code="FORBIDDEN")
    monkeypatch.setattr(company.targets["hubspot"], "create_task", raising(refusal))
    push_until_done(company)
    assert states(company) == {("hubspot", "rejected"): 1, ("salesforce", "created"): 1}
    assert company.shown("hubspot", "71") == company.owner("hubspot", "71")
    with company.context.store.transaction(readonly=True) as uow:
        (item,) = uow.exceptions.open_items("task_rejected")
    assert "tasks are switched off here" in item.detail["problem"]
    monkeypatch.undo()
    assert "next push" in resolve(company.context, item.exception_id, "retry-task", Person("ops@x.example", "ops"))
    push_until_done(company)
    assert (states(company), made(company)) == (ALL_CREATED, ONE_EACH)
    assert "task_rejected" not in company.exceptions()


def test_a_vendor_that_never_answers_is_asked_a_few_times_and_then_left_to_a_person(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[NewTask] = []

    def silent(task: NewTask) -> str:
        asked.append(task)
        raise Ambiguous("hubspot", "no answer", code="NO_ANSWER")

    monkeypatch.setattr(company.targets["hubspot"], "create_task", silent)
    for _ in range(10):
        company.push()
        company.pass_time(hours=1)
    assert len(asked) == 6
    assert states(company)[("hubspot", "rejected")] == 1
    assert company.exceptions()["task_rejected"] == 1


def raising(error: Exception) -> Callable[[NewTask], str]:
    def refuse(_: NewTask) -> str:
        raise error

    return refuse


def escalate(company: Rehearsal) -> None:
    assert escalate_due(company.context).tasks == 2
