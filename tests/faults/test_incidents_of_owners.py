"""As `test_incidents.py`: failures others published of writing owners, of the tools beside us, and of credentials."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.memory import MemorySource, MemoryTarget
from connectors.registry import Connectors
from store.engine import Store
from tasks.audit import audit_target
from tasks.context import RunContext
from tasks.push import push_target
from tasks.rehearsal import Rehearsal, rehearse
from tests.simulation.company import CRM, POLICY, SETTINGS, USERS, found, owned_by
from tests.store.business import MONDAY

US_SMB = {"country": "US", "state": "NY", "employees": 20}


def test_sfdo_450_rows_that_are_locked_are_tried_again_and_they_alone(store: Store) -> None:
    """Of 80,856 rows 29,717 failed for good with UNABLE_TO_LOCK_ROW, as siblings locked their parent."""
    crm, target = people_of(store)
    locks = {"acme": 2, "cove": 1}

    def locked(change: OwnerChange) -> OwnerResult | None:
        if locks.get(change.remote_id, 0) == 0:
            return None
        locks[change.remote_id] -= 1
        return OwnerResult(change.remote_id, WriteOutcome.RETRY, "UNABLE_TO_LOCK_ROW", "locked")

    target.refuses = locked
    push_until_quiet(store, crm, target)
    assert states(store) == {("salesforce", "confirmed"): 4}
    assert sorted(change.remote_id for change in target.written) == ["acme", "bolt", "cove", "dune"]


def test_jsforce_1018_two_pushes_take_row_locks_in_the_same_order(store: Store) -> None:
    """Bulk writers that came in any order waited for each other's rows; "retry is still your best bet" (NPSP 2804)."""
    _, target = people_of(store)
    users = [USERS[0].id] * 3
    for order in (["dune", "acme", "bolt"], ["bolt", "dune", "acme"]):
        target.written.clear()
        target.update_owners([OwnerChange("Account", id_, user) for id_, user in zip(order, users, strict=True)])
        assert [change.remote_id for change in target.written] == ["acme", "bolt", "dune"]


def test_bulk_api_a_stale_batch_that_lands_minutes_later_is_found_by_the_audit(tmp_path: Path, store_url: str) -> None:
    """Salesforce repeats a bulk batch up to twenty times by itself: an old owner may land after a newer one."""
    company = founded(tmp_path, store_url)
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    company.push()
    company.account("salesforce", "001A", owner="grace-liu")
    assert audit_target(company.context, "salesforce").unexplained == ("001A",)
    assert company.exceptions()["owner_differs"] == 1
    company.context.store.close()


def test_hubspot_salesforce_owner_mapping_a_stale_owner_put_back_every_night_is_held_and_not_fought_over(
    tmp_path: Path, store_url: str
) -> None:
    """HubSpot's connector maps owners two ways only, and the latest value wins, whatever its settings show."""
    company = founded(tmp_path, store_url)
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    company.push()
    written = len(company.targets["salesforce"].written)
    for _ in range(3):
        company.account("salesforce", "001A", owner="grace-liu")
        company.pass_time(hours=24)
        company.assign()
        company.push()
    assert len(company.targets["salesforce"].written) == written
    assert company.exceptions()["owner_drift"] == 1
    company.context.store.close()


def test_hubspot_salesforce_an_owner_it_cannot_map_is_named_as_who_it_is(tmp_path: Path, store_url: str) -> None:
    """Owners without a counterpart became the integration's own user, and reports counted them as its accounts."""
    company = founded(tmp_path, store_url)
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    company.push()
    company.account("salesforce", "001A", owner_external_id="005-integration")
    company.assign()
    with company.context.store.transaction(readonly=True) as work:
        (item,) = work.exceptions.open_items("owner_drift")
    assert "?005-integration" in str(item.detail)
    company.context.store.close()


def test_salesloft_drift_2025_no_credential_is_in_the_database_or_in_what_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Tokens of integrations were taken from where they lay, and the CRM data of 700 companies with them."""
    canary = "canary-5f1d"
    company = founded(tmp_path, f"sqlite:///{tmp_path}/steward.db")
    secrets = {name: canary for name in ("hubspot_token", "stripe_key", "slack_token", "salesforce_client_secret")}
    settings = type(SETTINGS)(database_url=company.context.settings.database_url, _env_file=None, **secrets)
    context = company.context
    company.context = RunContext(settings, context.store, context.connectors, context.policy, clock=context.clock)
    company.account("salesforce", "001A", name="Acme", owner=None, **US_SMB)
    company.assign()
    company.push()
    print(settings, repr(settings))
    company.context.store.close()
    assert all(canary.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    assert canary not in "".join(capsys.readouterr()) + caplog.text


# --- the people and things in these stories ---


class Refusing(MemoryTarget):
    """A target that answers some writes with what `refuses` says and does the others."""

    refuses: Callable[[OwnerChange], OwnerResult | None]

    def _write(self, change: OwnerChange) -> OwnerResult:
        refusal = self.refuses(change)
        return refusal if refusal is not None else super()._write(change)


def people_of(store: Store) -> tuple[MemorySource, Refusing]:
    """Four accounts in Salesforce, whose owners were just decided."""
    crm = MemorySource(CRM, ("accounts",))
    target = Refusing(crm, USERS)
    target.refuses = lambda _: None
    found(store, crm, MONDAY)
    batch = [owned_by(account_id, "ann", None) for account_id in ("acme", "bolt", "cove", "dune")]
    store.run(lambda work: work.record(batch, "run", MONDAY))
    return crm, target


def push_until_quiet(store: Store, crm: MemorySource, target: MemoryTarget) -> None:
    for hours in range(10):
        push_target(run_over(store, crm, target, MONDAY + timedelta(hours=hours)), CRM)


def states(store: Store) -> dict[tuple[str, str], int]:
    with store.transaction(readonly=True) as work:
        return work.outbox.counts()


def founded(folder: Path, store_url: str) -> Rehearsal:
    return rehearse(folder, database_url=store_url)


def run_over(store: Store, source: Any, target: MemoryTarget | None = None, now: datetime = MONDAY) -> RunContext:
    connectors = Connectors({source.name: source}, {target.name: target} if target else {})
    return RunContext(SETTINGS, store, connectors, POLICY, run_id="run", clock=lambda: now, sleep=lambda _: None)
