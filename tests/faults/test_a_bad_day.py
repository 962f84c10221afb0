"""Everything vendors do on a bad day, during the demo company's pull and push: the job finishes and nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.faults import Fault
from emulators.world import build_world
from tests.northwind import Northwind, northwind

pytestmark = pytest.mark.slow

WRITES = {"collections_update", "row_update", "companies.batch_update", "companies.update", "chat.postMessage"}
BAD_DAY = [
    Fault("salesforce", "query_all", "status", nth=1, params={"status": 503}),
    Fault("salesforce", "query_all", "expire_token", nth=3),
    Fault("salesforce", "collections_update", "expire_token", nth=1),
    Fault("salesforce", "collections_update", "row_lock", nth=2, params={"rows": [0, 1]}),
    *(Fault("hubspot", "companies.list_records", "status", nth=n, params={"status": 429}) for n in (1, 2)),
    *(Fault("hubspot", "companies.list_records", "status", nth=n, params={"status": 502}) for n in (4, 5)),
    Fault("hubspot", "companies.list_records", "truncate", nth=7),
    Fault("hubspot", "companies.batch_update", "status", nth=1, params={"status": 429}),
    Fault("hubspot", "companies.batch_update", "reset", nth=2, params={"after_commit": True}),
    Fault("stripe", "customers.list", "status", nth=1, params={"status": 500}),
    Fault("stripe", "subscriptions.list", "reset", nth=1),
    Fault("slack", "chat.postMessage", "status", nth=2, params={"status": 429}),
]


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return build_world(600)


@pytest.fixture(scope="module")
def good_day(world: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Northwind]:
    with northwind(world, tmp_path_factory.mktemp("good")) as company:
        company.assign()
        company.push()
        yield company


def test_on_a_bad_day_everything_ends_as_on_a_good_one(
    world: dict[str, Any], good_day: Northwind, tmp_path: Path
) -> None:
    with northwind(world, tmp_path) as company:
        for fault in BAD_DAY:
            company.vendors.faults.install(fault)
        company.assign()
        for _ in range(3):  # the next scheduled pushes, by when rows that had to wait are due
            company.push()
            company.ahead += timedelta(minutes=5)
        assert company.vendors.faults.unmet() == []
        assert company.owners() == good_day.owners()
        assert company.exceptions() == good_day.exceptions()
        assert company.shown() == good_day.shown()


def test_what_the_vendors_show_is_what_the_ledger_says(good_day: Northwind) -> None:
    assert len(good_day.owners()) > 400
    assert good_day.differences() == []


def test_what_cannot_be_placed_is_an_exception_with_its_record(world: dict[str, Any], good_day: Northwind) -> None:
    found, truth = good_day.exceptions(), world["truth"]
    unreadable = {truth["malformed"]["long_name"], truth["malformed"]["head_count_in_words"]}
    assert set(found["bad_record"]) == {f"bad_record:hubspot/companies/{id_}" for id_ in unreadable}
    assert len(found["conflicting_owners"]) >= 1
    assert len(found["shadow_account"]) >= len(truth["shadow_customers"])
    assert len(found["parent_cycle"]) == 1


def test_a_second_run_writes_nothing_outside(good_day: Northwind) -> None:
    good_day.vendors.journal.clear()
    assert good_day.assign().moves == ()
    good_day.push()
    assert [entry for entry in good_day.vendors.journal.entries() if entry.operation in WRITES] == []


def test_nothing_went_anywhere_but_to_the_four_vendors(good_day: Northwind) -> None:
    assert good_day.vendors.refused_hosts == ()
