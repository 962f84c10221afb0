"""Killed at any step and started again, the job ends as if nothing had happened.

A run is stopped before and after every commit and every vendor call it makes, one after the other; the next run of
each flow then finishes the work. The control beside it commits the cursor before the rows and must be caught.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from store.engine import Store
from tasks import pull
from tasks.acceptance import escalate_due
from tasks.notices import deliver_notices
from tasks.rehearsal import Rehearsal, rehearse

pytestmark = pytest.mark.slow
long = pytest.mark.long  # real kills, at more places, are in test_killed_for_real.py

US_SMB = {"country": "US", "state": "NY", "employees": 20}
DACH = {"country": "Germany", "employees": 300}


class Killed(BaseException):
    """The process is gone. Not an Exception, so that nothing in between handles it."""


class Steps:
    """Counts the places where a process can die, and dies at one of them."""

    def __init__(self, die_at: int | None = None) -> None:
        self.passed = 0
        self.die_at = die_at

    def reach(self) -> None:
        self.passed += 1
        if self.passed == self.die_at:
            raise Killed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.reach()
            result = call(*args, **kwargs)
            self.reach()
            return result

        return stepped

    def watch(self, company: Rehearsal, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(Store, "run", self.around(Store.run))
        for target in company.targets.values():
            patch.setattr(target, "read_owners", self.around(target.read_owners))
            patch.setattr(target, "update_owners", self.around(target.update_owners))
        patch.setattr(company.notifier, "notify", self.around(company.notifier.notify))


def settle_down(company: Rehearsal) -> None:
    """Everything the flows do, once; and escalation after a day without an answer from anybody."""
    company.assign()
    deliver_notices(company.context)
    company.push()


def people_the_crm(company: Rehearsal) -> None:
    company.salesforce.page_size = company.hubspot.page_size = 4
    for number in range(5):
        company.account("salesforce", f"001{number}", name=f"Firma {number}", website=f"firma{number}.de", **DACH)
        company.account("hubspot", f"7{number}", name=f"Firma {number}", website=f"firma{number}.de", **DACH)
    company.account("salesforce", "0019", name="Acme", owner="gary-sutton", **US_SMB)
    company.account("salesforce", "001B", name="Broken", employees="many")
    company.account("hubspot", "79", name="Nowhere", employees=20)


def end_state(company: Rehearsal) -> dict[str, Any]:
    """What people see, whichever runs it took: owners in the ledger and outside, exceptions, turns, the chain."""
    with company.context.store.transaction(readonly=True) as uow:
        owners = {account_id: current.owner_id for account_id, current in uow.ledger.current().items()}
        history = {account_id: [row.owner_id for row in uow.ledger.history(account_id)] for account_id in owners}
        turns = uow.turns.load([pool.id for pool in company.context.policy.policy.pools], lock=False)
        broken, rebuilt = uow.ledger.verify(), uow.ledger.rebuild_current() == uow.ledger.current()
        waiting = {state for (_, state) in uow.outbox.counts()} & {"pending", "unknown"}
    shown = {
        (source, id_): company.shown(source, id_)
        for source, crm in (("salesforce", company.salesforce), ("hubspot", company.hubspot))
        for page in crm.pull("accounts")
        for id_ in (row.id for row in page.rows)
    }
    return {
        "owners": owners,
        "history": history,
        "turns": turns,
        "shown": shown,
        "exceptions": company.exceptions(),
        "ledger": (broken, rebuilt),
        "waiting": waiting,
    }


def written_twice(company: Rehearsal) -> list[str]:
    """Records that got the same owner more than once: the mark of a blind repeat."""
    written = [(change.remote_id, change.owner_id) for target in company.targets.values() for change in target.written]
    return sorted({remote_id for remote_id, owner in written if written.count((remote_id, owner)) > 1})


@pytest.fixture
def undisturbed(tmp_path: Path) -> Iterator[dict[str, Any]]:
    company = rehearse(tmp_path / "undisturbed")
    people_the_crm(company)
    settle_down(company)
    yield end_state(company)
    company.context.store.close()


def places_to_die(tmp_path: Path) -> int:
    company, steps = rehearse(tmp_path / "counted"), Steps()
    people_the_crm(company)
    with pytest.MonkeyPatch.context() as patch:
        steps.watch(company, patch)
        settle_down(company)
    company.context.store.close()
    return steps.passed


def killed_and_started_again(company: Rehearsal, die_at: int) -> None:
    people_the_crm(company)
    with pytest.MonkeyPatch.context() as patch:
        Steps(die_at).watch(company, patch)
        with pytest.raises(Killed):
            settle_down(company)
    settle_down(company)


@long
def test_killed_at_any_step_and_started_again_the_job_ends_the_same(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    places = places_to_die(tmp_path)
    assert places > 40
    for die_at in range(1, places + 1):
        company = rehearse(tmp_path / f"killed-{die_at}")
        killed_and_started_again(company, die_at)
        assert end_state(company) == undisturbed, f"killed at step {die_at} of {places}"
        assert written_twice(company) == [], f"killed at step {die_at} of {places}"
        company.context.store.close()


@long
@pytest.mark.postgres
@pytest.mark.parametrize("part", range(4))
def test_the_same_on_postgres(tmp_path: Path, undisturbed: dict[str, Any], postgres_server: Any, part: int) -> None:
    places = places_to_die(tmp_path)
    for die_at in range(1 + part, places + 1, 4):
        with postgres_server.database() as url:
            company = rehearse(tmp_path, database_url=url)
            killed_and_started_again(company, die_at)
            assert end_state(company) == undisturbed, f"killed at step {die_at} of {places}"
            assert written_twice(company) == [], f"killed at step {die_at} of {places}"
            company.context.store.close()


def test_an_escalation_killed_midway_is_finished_by_the_next_pass(tmp_path: Path) -> None:
    def holders(die_at: int | None) -> tuple[dict[str, Any], int]:
        company, steps = rehearse(tmp_path / f"escalated-{die_at}"), Steps(die_at)
        people_the_crm(company)
        settle_down(company)
        company.pass_time(hours=25)
        company.new_run()
        with pytest.MonkeyPatch.context() as patch:
            steps.watch(company, patch)
            if die_at is None:
                escalate_due(company.context)
            else:
                with pytest.raises(Killed):
                    escalate_due(company.context)
        escalate_due(company.context)
        company.push()
        state = end_state(company)
        company.context.store.close()
        return state, steps.passed

    wanted, places = holders(None)
    assert places >= 2
    assert all(holders(die_at)[0] == wanted for die_at in range(1, places + 1))


@long
def test_control_a_cursor_stored_before_its_rows_loses_some_of_them(
    tmp_path: Path, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The classic bug of incremental pulls, put in on purpose: the sweep has to notice it."""
    store_page = pull._store_page

    def cursor_first(context: Any, connector: Any, page: Any, stored: Any, done: Any) -> Any:
        if page.cursor is not None:
            generation = stored.generation if stored else 0
            context.store.run(
                lambda uow: uow.cursors.advance(
                    done.source, done.stream, page.cursor.high_water, "", generation, context.run_id, context.now()
                )
            )
        return store_page(context, connector, type(page)(page.rows, None), stored, done)

    monkeypatch.setattr(pull, "_store_page", cursor_first)
    lost = 0
    for die_at in range(1, 16):
        company = rehearse(tmp_path / f"control-{die_at}")
        killed_and_started_again(company, die_at)
        lost += end_state(company) != undisturbed
        company.context.store.close()
    assert lost > 0
