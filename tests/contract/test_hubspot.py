"""HubSpot keeps every promise, under both spellings of its paths."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import NewTask, OwnerChange, RecordState, WriteOutcome
from connectors.errors import Ambiguous, ConnectorStopped, RecordRejected
from connectors.hubspot import HubSpotConnector
from connectors.hubspot_api import HubSpotApi, versioned
from emulators.faults import Fault
from emulators.hubspot.app import HubSpot
from emulators.hubspot.properties import COMPANIES, TASKS
from tests.contract.promises import (
    DUE,
    FieldCase,
    FieldTargetPromises,
    HistoryCase,
    OwnerHistoryPromises,
    OwnerTargetPromises,
    SourceCase,
    SourcePromises,
    TargetCase,
    TaskTargetPromises,
    everything,
)
from tests.contract.wire import Wire

IDS = [str(7_000_000_000 + n) for n in range(230)]
OWNERS = ("77", "78")
GONE = "79"


def company(n: int, id_: str) -> dict[str, Any]:
    at = f"2026-11-20T00:{n // 60:02}:{n % 60:02}.000Z"
    properties = {"name": f"Company {n}", "hubspot_owner_id": "78", "hs_lastmodifieddate": at, "createdate": at}
    return {"id": id_, "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}


def contact(n: int, id_: str) -> dict[str, Any]:
    at = f"2026-11-20T00:{n // 60:02}:{n % 60:02}.000Z"
    properties = {
        "firstname": "Ada", "lastname": f"Number {n}", "email": f"ada{n}@c{n}.example", "lifecyclestage": "lead",
        "hubspot_owner_id": "78", "lastmodifieddate": at, "createdate": at,
    }  # fmt: skip
    return {"id": id_, "properties": properties, "createdAt": at, "updatedAt": at, "archived": False}


def owner(id_: str, archived: bool) -> dict[str, Any]:
    at = "2026-01-01T00:00:00.000Z"
    mail = f"owner{id_}@northwind-data.example"
    return {
        "id": id_, "email": mail, "firstName": "O", "lastName": id_, "userId": int(id_) + 900, "type": "PERSON",
        "createdAt": at, "updatedAt": at, "archived": archived,
    }  # fmt: skip


class Account:
    def __init__(self, wire: Wire, version: str) -> None:
        owners = [owner(id_, id_ == GONE) for id_ in (*OWNERS, GONE)]
        # Companies and contacts under the same ids, as may happen: ids are the object's own.
        rows = {
            "companies": [company(n, id_) for n, id_ in enumerate(IDS)],
            "contacts": [contact(n, id_) for n, id_ in enumerate(IDS)],
        }
        world = {"portal_id": 1, "token": "pat-1", "webhook_secret": "s", "owners": owners, **rows}
        self.wire = wire
        self.vendor = HubSpot(wire.surroundings)
        wire.seed(self.vendor, {"hubspot": world})
        self.connector = self.connect("pat-1", version)

    def connect(self, token: str, version: str = "v3") -> HubSpotConnector:
        buckets = {"burst": self.wire.bucket(190, 10.0), "searches": self.wire.bucket(5, 1.0)}
        api = HubSpotApi(token, version=version, patience=self.wire.patience, **buckets)
        return HubSpotConnector(api)

    def edit(self, id_: str, about: str = "company", **properties: str) -> None:
        self.wire.wait(1)
        self.vendor.edit({"object": about, "id": id_, "properties": properties})

    def archive(self, id_: str, about: str = "company") -> None:
        self.wire.wait(1)
        self.vendor.edit({"object": about, "action": "archive", "id": id_})


@pytest.fixture(params=["v3", "2026-03"])
def account(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(Wire(monkeypatch), request.param)


class TestHubSpotSource(SourcePromises):
    @pytest.fixture
    def case(self, account: Account) -> SourceCase:
        return SourceCase(
            account.connector,
            "companies",
            IDS,
            "1",
            change=lambda id_: account.edit(id_, city="Ulm"),
            delete=account.archive,
        )


class TestHubSpotLeads(SourcePromises):
    @pytest.fixture
    def case(self, account: Account) -> SourceCase:
        return SourceCase(
            account.connector,
            "leads",
            IDS,
            "1",
            change=lambda id_: account.edit(id_, "contact", city="Ulm"),
            delete=lambda id_: account.archive(id_, "contact"),
            damage=lambda id_: account.edit(id_, "contact", jobtitle="x" * 5_000),  # HubSpot takes 65,536 characters
        )


@pytest.mark.parametrize("about", ["company", "contact"])
class TestHubSpotTarget(OwnerTargetPromises, OwnerHistoryPromises, TaskTargetPromises):
    @pytest.fixture
    def case(self, account: Account, about: str) -> TargetCase:
        return TargetCase(
            account.connector,
            about,
            IDS[:120],
            "1",
            OWNERS,
            GONE,
            human_moves=lambda id_, owner: account.edit(id_, about, hubspot_owner_id=owner),
        )

    @pytest.fixture
    def history(self, account: Account, about: str) -> HistoryCase:
        def by(command: dict[str, Any]) -> None:
            account.wire.wait(1)
            account.vendor.edit({"object": about, **command})

        return HistoryCase(
            *(account.connector, about, IDS[:120], "1", OWNERS, "9586504"),
            human_moves=lambda id_, owner: by({"id": id_, "properties": {"hubspot_owner_id": owner}, "by": 9586504}),
            integration_touches=lambda id_: by({"id": id_, "properties": {"city": "Ulm"}, "app": "777"}),
        )


@pytest.mark.parametrize("about", ["company", "contact"])
class TestHubSpotFields(FieldTargetPromises):
    @pytest.fixture
    def field_case(self, account: Account, about: str) -> FieldCase:
        plural = {"company": "companies", "contact": "contacts"}[about]

        def shown(id_: str, field: str) -> Any:
            return account.vendor.snapshot()[plural][id_].get(field)

        flag, date = "human_outreach_in_progress", "do_not_market_until"
        return FieldCase(account.connector, about, IDS[:120], "1", flag, date, shown)


def test_pulling_and_pushing_cost_few_calls(account: Account) -> None:
    everything(account.connector, "companies")
    assert account.wire.journal.count("hubspot") <= 1.2 * math.ceil(len(IDS) / 100)
    account.wire.journal.clear()
    account.connector.update_owners([OwnerChange("company", id_, "77") for id_ in IDS])
    assert account.wire.journal.count("hubspot") <= 1.2 * math.ceil(len(IDS) / 100)


def test_an_archived_company_is_told_from_one_that_never_was(account: Account) -> None:
    account.archive(IDS[0])
    seen = account.connector.read_owners([IDS[0], "1"])
    assert [one.state for one in seen] == [RecordState.DELETED, RecordState.MISSING]


def test_a_bulk_edit_within_one_millisecond_is_pulled_whole(account: Account) -> None:
    _, cursor = everything(account.connector, "companies")
    account.wire.wait(1)
    for record in list(account.vendor.portal.records["companies"]):
        account.vendor.edit({"id": record, "properties": {"city": "Ulm"}})
    rows, _ = everything(account.connector, "companies", cursor)
    assert sorted(row.id for row in rows) == IDS


def test_too_many_requests_are_waited_out(account: Account) -> None:
    account.wire.faults.install(Fault("hubspot", "*", "status", nth=1, params={"status": 429}))
    rows, _ = everything(account.connector, "companies")
    assert len(rows) == len(IDS)


def test_a_write_that_fails_inside_hubspot_is_unknown_and_is_not_sent_again(account: Account) -> None:
    account.wire.faults.install(Fault("hubspot", "*", "status", nth=1, params={"status": 500}))
    (result,) = account.connector.update_owners([OwnerChange("company", IDS[0], "77")])
    assert result.outcome is WriteOutcome.UNKNOWN
    assert account.wire.journal.count("hubspot") == 1


def test_a_wrong_token_stops_the_connector_and_names_the_setting(account: Account) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_HUBSPOT_TOKEN"):
        account.connect("wrong").check()


def test_a_dated_version_has_its_own_spelling() -> None:
    assert versioned("/crm/v3/objects/companies/search", "2026-03") == "/crm/objects/2026-03/companies/search"
    assert versioned("/crm/v3/owners/", "2026-03") == "/crm/owners/2026-03/"
    assert versioned("/crm/v3/owners/", "v3") == "/crm/v3/owners/"


def test_a_company_that_was_merged_away_is_told_by_the_one_that_is_left(account: Account) -> None:
    _, cursor = everything(account.connector, "companies")
    account.wire.wait(1)
    gone, left = IDS[0], IDS[1]
    account.vendor.edit({"action": "merge", "id": gone, "into": left})
    rows, _ = everything(account.connector, "companies", cursor)
    assert [(row.deleted, row.merged_into) for row in rows if row.id == gone] == [(True, left)]
    first, _ = everything(account.connector, "companies")
    assert {row.id: row.merged_into for row in first if row.deleted} == {gone: left}


def test_a_company_asked_for_by_the_id_it_was_merged_away_under_comes_with_the_one_that_is_left(
    account: Account,
) -> None:
    account.vendor.edit({"action": "merge", "id": IDS[0], "into": IDS[1]})
    rows = account.connector.pull_rows("companies", [IDS[0]])
    assert [(row.id, row.deleted, row.merged_into) for row in rows] == [
        (IDS[0], True, IDS[1]),
        (IDS[1], False, None),
    ]


# --- tasks ---


def test_a_task_is_due_at_its_instant_and_says_its_key(account: Account) -> None:
    made = account.connector.create_task(NewTask("company", IDS[0], "77", "Introduce yourself", DUE, "k1"))
    task = account.vendor.portal.records["tasks"][made].properties
    assert (task["hs_timestamp"], task["hs_task_body"]) == ("2026-11-28T04:30:00.000Z", "Made by Steward (k1)")
    assert (task["hs_task_status"], task["hs_task_type"], task["hubspot_owner_id"]) == ("NOT_STARTED", "TODO", "77")


def test_a_task_whose_answer_is_lost_is_found_at_once_though_search_does_not_see_it_yet(account: Account) -> None:
    account.vendor.portal.index_delay = timedelta(minutes=5)
    account.wire.faults.install(Fault("hubspot", "tasks.create", "reset", nth=1, params={"after_commit": True}))
    with pytest.raises(Ambiguous):
        account.connector.create_task(NewTask("company", IDS[0], "77", "Introduce yourself", DUE, "k1"))
    (made,) = account.vendor.portal.records["tasks"]
    assert list(account.vendor.portal.searchable(TASKS)) == []
    assert account.connector.find_task("company", IDS[0], "k1") == made


def test_a_task_among_more_than_a_page_of_them_is_found(account: Account) -> None:
    tasks = [
        account.vendor.portal.create(TASKS, {"hs_timestamp": "1", "hs_task_body": f"Made by Steward (k{n})"}, "API")
        for n in range(620)
    ]
    for task in tasks:
        account.vendor.portal.link(TASKS, task.id, COMPANIES, IDS[0])
    assert account.connector.find_task("company", IDS[0], "k619") == tasks[619].id


def test_a_call_that_may_not_read_tasks_is_no_proof_that_there_is_none(account: Account) -> None:
    account.wire.faults.install(Fault("hubspot", "companies.associations", "status", nth=1, params={"status": 400}))
    with pytest.raises(RecordRejected):
        account.connector.find_task("company", IDS[0], "k1")
