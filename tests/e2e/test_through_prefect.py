"""The whole job through a real Prefect server, worker, web app and emulated vendors: what ops rely on.

One server for the module; the tests are the acts of one story, in order.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.processes import RunFailed
from cli.runs import RUN_LIMIT_S, Runs
from cli.stack import Stack
from ownership.model import ACCOUNT
from tasks.audit import audit_completeness, audit_target
from tasks.context import RunContext, open_context

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

BAD_DAY = [
    {"vendor": "salesforce", "operation": "query_all", "kind": "status", "nth": 2, "params": {"status": 503}},
    {"vendor": "salesforce", "operation": "query_all", "kind": "expire_token", "nth": 4},
    {"vendor": "hubspot", "operation": "companies.list_records", "kind": "status", "nth": 1, "params": {"status": 429}},
    {"vendor": "stripe", "operation": "customers.list", "kind": "reset", "nth": 1},
    {"vendor": "hubspot", "operation": "companies.batch_update", "kind": "slow", "nth": 1, "params": {"seconds": 15}},
]
WRITES = ("collections_update", "row_update", "companies.batch_update", "companies.update")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack") / "run"
    with Stack(folder, lambda _: None, world_size=300, settings={"STEWARD_PUSH_LEASE_S": "8"}) as started:
        yield started


@pytest.fixture(scope="module")
def runs(stack: Stack) -> Iterator[Runs]:
    with Runs(f"{stack.prefect_url}/api") as opened:
        # Or each act would meet other runs, depending on the minute it is played in. One is left, for the last act.
        opened.pause_schedules()
        opened.resume_schedule("escalate-unaccepted/escalate-unaccepted")
        yield opened


@pytest.fixture(scope="module")
def context(stack: Stack) -> Iterator[RunContext]:
    opened = open_context(stack.settings())
    yield opened
    opened.store.close()


def until(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + RUN_LIMIT_S
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.1)
    pytest.fail(f"{what} did not happen within {RUN_LIMIT_S:.0f} s")


def engines_of(worker_pid: int) -> list[int]:
    """The processes of flow runs under way, by their parent."""
    pids = []
    for folder in Path("/proc").iterdir():
        try:
            status = (folder / "status").read_text() if folder.name.isdigit() else ""
        except OSError:
            continue
        if f"\nPPid:\t{worker_pid}\n" in status:
            pids.append(int(folder.name))
    return pids


def unsettled(context: RunContext) -> list[str]:
    """What keeps ledger and CRMs from being one: waiting pushes, records that show somebody else, lost accounts."""
    with context.store.transaction(readonly=True) as uow:
        waiting = [f"{target} {state}" for target, state in uow.outbox.counts() if state in ("pending", "unknown")]
    truths = [audit_target(context, target) for target in context.connectors.targets]
    return (
        waiting
        + [id_ for truth in truths for id_ in truth.unexplained]
        + list(audit_completeness(context).without_either)
    )


def test_the_server_starts_serves_its_pages_and_knows_every_deployment(stack: Stack) -> None:
    page = httpx.get(stack.prefect_url, trust_env=False)
    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    deployments = httpx.post(f"{stack.prefect_url}/api/deployments/filter", json={}, trust_env=False).json()
    assert len(deployments) == 7
    automations = httpx.post(f"{stack.prefect_url}/api/automations/filter", json={}, trust_env=False).json()
    assert {automation["name"] for automation in automations} >= {"crm-accounts-changed", "owners-recorded"}


def test_on_a_bad_day_all_runs_are_killed_while_pushing_and_the_next_ones_finish_the_job(
    stack: Stack, runs: Runs, context: RunContext
) -> None:
    stack.control("POST", "/faults", json=BAD_DAY)
    runs.start("assign-owners/assign-owners", trigger="test")
    until(lambda: is_leased(context), "a push of what was recorded")
    worker = next(process.pid for name, process in stack.processes.running if name == "worker")
    killed = engines_of(worker)
    assert killed, "something must be under way when it is killed"
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    stack.control("DELETE", "/faults")
    # Prefect gives the killed run's place to the next one only when its lease has run out.
    runs.wait(runs.start("assign-owners/assign-owners", trigger="after the kill"))
    runs.wait(runs.start("push-owner-changes/push-owner-changes", trigger="after the kill"))
    assert unsettled(context) == []


def is_leased(context: RunContext) -> bool:
    with context.store.transaction(readonly=True) as uow:
        return uow.outbox.leased_until("hubspot", datetime.now(UTC)) is not None


def test_the_same_again_writes_nothing(stack: Stack, runs: Runs) -> None:
    stack.control("DELETE", "/journal")
    runs.wait(runs.start("assign-owners/assign-owners", trigger="again"))
    runs.wait(runs.start("push-owner-changes/push-owner-changes", trigger="again"))
    entries = stack.control("GET", "/journal").json()
    assert [entry for entry in entries if entry["operation"] in WRITES] == []


def test_an_edit_in_either_crm_starts_a_run_that_reads_just_that_record(
    stack: Stack, runs: Runs, context: RunContext
) -> None:
    with context.store.transaction(readonly=True) as uow:
        refs = [ref for account in uow.accounts.all() if account.kind == ACCOUNT for ref in account.refs]
    edits = {
        "hubspot": lambda id_: {"id": id_, "properties": {"city": "Springfield"}},
        "salesforce": lambda id_: {"object": "Account", "id": id_, "fields": {"BillingCity": "Springfield"}},
    }
    for vendor, edit in edits.items():
        stack.subscribe(vendor, **({"properties": ["city"]} if vendor == "hubspot" else {}))
        edited = next(ref.external_id for ref in refs if ref.source == vendor)
        before = datetime.now(UTC)
        stack.control("POST", "/edit", json={"vendor": vendor, **edit(edited)})
        run = runs.wait_for_next("assign-changed-accounts", before)
        assert run.parameters == {"source": vendor, "external_ids": [edited]}
        assert run.name == f"{vendor}: 1 changed"
        with context.store.transaction(readonly=True) as uow:
            assert uow.inbox.waiting(vendor) == 0


def test_a_territory_rerun_shows_its_diff_first_and_moves_owners_only_when_told(
    stack: Stack, runs: Runs, context: RunContext
) -> None:
    stack.control("DELETE", "/journal")
    runs.wait(runs.start("rerun-territory/rerun-territory", territory="emea", dry_run=True))
    assert moves_of_the_last_rerun(context) > 0
    assert [e for e in stack.control("GET", "/journal").json() if e["operation"] in WRITES] == []
    before = datetime.now(UTC)
    runs.wait(runs.start("rerun-territory/rerun-territory", territory="emea", dry_run=False))
    runs.wait_for_next("push-owner-changes", before)
    assert unsettled(context) == []
    runs.wait(runs.start("rerun-territory/rerun-territory", territory="emea", dry_run=True))
    assert moves_of_the_last_rerun(context) == 0


def moves_of_the_last_rerun(context: RunContext) -> int:
    with context.store.transaction(readonly=True) as uow:
        run = next(run for run in uow.runs.recent() if run.flow == "rerun-territory")
    return int(run.counts["assigned"]["moves"])


def test_a_wrong_territory_fails_with_the_names_there_are(runs: Runs) -> None:
    with pytest.raises(RunFailed, match="no territory 'narnia' in the policy; there are: amer"):
        runs.wait(runs.start("rerun-territory/rerun-territory", territory="narnia"))


def test_a_wrong_credential_fails_with_the_setting_to_mend(stack: Stack, runs: Runs) -> None:
    expire = {"vendor": "hubspot", "operation": "*", "kind": "expire_token", "nth": 1}
    stack.control("POST", "/faults", json=expire)
    with pytest.raises(RunFailed, match="STEWARD_HUBSPOT_TOKEN"):
        runs.wait(runs.start("audit-ownership/audit-ownership", trigger="test"))


def test_schedules_start_runs_by_themselves(stack: Stack, runs: Runs) -> None:
    def completed() -> bool:
        wanted = {
            "flows": {"name": {"any_": ["escalate-unaccepted"]}},
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        }
        found = httpx.post(f"{stack.prefect_url}/api/flow_runs/filter", json=wanted, trust_env=False).json()
        return any(run["auto_scheduled"] for run in found)

    until(completed, "a scheduled run of escalate-unaccepted")
