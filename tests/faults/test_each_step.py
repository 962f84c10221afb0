"""One fault at one step: done again when the fault is over, the step leaves what it leaves undisturbed.

Steps are those of `steps.py`, on both databases. In between, nothing half done can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from store.engine import Store
from store.errors import CursorMoved, StoreBusy, StoreUnavailable
from tasks.rehearsal import Rehearsal, rehearse
from tests.faults.databases import cut_at, full, locked_once
from tests.faults.outside import POLICY, stop_the_clock
from tests.faults.steps import NOTIFY, STEPS, Step
from tests.faults.test_killed_anywhere import Killed

pytestmark = pytest.mark.slow


every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.replace(" ", "-"))


@pytest.fixture
def company_over_postgres(tmp_path: Path, postgres_url: str) -> Iterator[Rehearsal]:
    made = rehearse(tmp_path, POLICY, database_url=postgres_url)
    yield made
    made.context.store.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each step leaves when all goes well."""
    left = {}
    for step in STEPS:
        made = rehearse(tmp_path_factory.mktemp("undisturbed"), POLICY)
        step.prepare(made)
        step.run(made)
        left[step.letter] = seen(made, step)
        made.context.store.close()
    return left


def stored(company: Rehearsal, step: Step) -> Any:
    """What is seen of a step before anything is stored. A message that was sent is out, and is sent once more under the
    same key, by which the vendor drops it."""
    return None if step is NOTIFY else seen(company, step)


def seen(company: Rehearsal, step: Step) -> Any:
    with company.context.store.transaction(readonly=True) as work:
        return step.left(company, work)


@every_step
def test_killed_before_it_commits_a_step_has_done_nothing_and_is_done_again(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    step.prepare(company)
    before = stored(company, step)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "run", _dies)
        with pytest.raises(Killed):
            step.run(company)
    assert stored(company, step) == before
    step.run(company)
    assert seen(company, step) == undisturbed[step.letter]


@every_step
def test_killed_after_any_of_its_commits_a_step_is_finished_by_the_next_run(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    step.prepare(company)
    for commits in (1, 2, 3):
        with monkeypatch.context() as patch, suppress(Killed):
            patch.setattr(Store, "run", _dies_after(Store.run, commits))
            step.run(company)
    company.pass_time(minutes=6)  # until then a message that was under way is left to whoever was sending it
    step.run(company)
    assert seen(company, step) == undisturbed[step.letter]


@every_step
def test_while_others_hold_the_database_a_step_waits_and_is_done_once(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    step.prepare(company)
    with locked_once(company.context.store, monkeypatch) as waits:
        step.run(company)
        assert waits
    assert seen(company, step) == undisturbed[step.letter]


@pytest.mark.postgres
@every_step
def test_cut_off_from_the_database_at_any_statement_a_step_ends_as_ever(
    company_over_postgres: Rehearsal, step: Step, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks at the first statement, then at the second, and so on through one and the same step.
    SQLite has no connection that could be cut."""
    company = company_over_postgres
    store = company.context.store
    monkeypatch.setattr("store.engine.time.sleep", lambda _: None)
    step.prepare(company)
    for nth in range(1, 40):
        with cut_at(store, nth) as statements, suppress(StoreBusy, StoreUnavailable):
            step.run(company)
        if statements[0] < nth:
            break
    step.run(company)
    assert seen(company, step) == undisturbed[step.letter]


@every_step
def test_with_no_space_left_a_step_says_so_has_done_nothing_and_is_done_again(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any]
) -> None:
    step.prepare(company)
    before = stored(company, step)
    with full(company.context.store), pytest.raises(StoreUnavailable, match="has space"):
        step.run(company)
    assert stored(company, step) == before
    step.run(company)
    assert seen(company, step) == undisturbed[step.letter]


@every_step
def test_a_clock_that_jumps_back_ten_minutes_changes_nothing_of_what_a_step_leaves(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any]
) -> None:
    step.prepare(company)
    company.pass_time(minutes=-10)
    step.run(company)
    company.pass_time(minutes=30)
    step.run(company)
    assert seen(company, step) == undisturbed[step.letter]


@every_step
def test_two_runs_at_once_leave_what_one_leaves(
    company: Rehearsal, step: Step, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    step.prepare(company)
    stop_the_clock(company, monkeypatch)
    start = Barrier(2)

    def run(_number: int) -> None:
        start.wait()
        with suppress(CursorMoved):
            step.run(company)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert seen(company, step) == undisturbed[step.letter]


def _dies(*_: Any) -> None:
    raise Killed


def _dies_after(run: Any, commits: int) -> Any:
    done = [0]

    def counted(store: Store, work: Any) -> Any:
        result = run(store, work)
        done[0] += 1
        if done[0] == commits:
            raise Killed
        return result

    return counted
