"""Marketo keeps every promise, over TLS and through the gateway; and what its own ways would break."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import Cursor, OwnerChange, RecordState, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.marketo import LISTING, MarketoConnector
from connectors.marketo_api import CALLS, MarketoApi
from connectors.marketo_objects import to_results
from emulators.faults import Fault
from emulators.marketo.operations import LEADS
from ownership.model import AccountRecord
from tests.contract.promises import (
    FieldCase,
    FieldTargetPromises,
    OwnerTargetPromises,
    SourceCase,
    SourcePromises,
    TargetCase,
    everything,
)
from tests.contract.served import Served, serve

IDS = [str(7_000 + n) for n in range(130)]
OWNERS = ("dana@northwind-data.example", "lee@northwind-data.example")
GONE = "gone@northwind-data.example"
PAGE = 50  # rows of a page, instead of 300
OFF_LIST = "9000"


def lead(id_: str, n: int) -> dict[str, Any]:
    at = f"2026-11-20T00:{n // 60:02}:{n % 60:02}Z"
    return {
        "id": int(id_), "company": f"Company {n}", "email": f"ada@c{n}.example", "createdAt": at, "updatedAt": at,
        "sfdcAccountId": f"001{n:015}", "accountOwnerEmail": OWNERS[1],
    }  # fmt: skip


def user(address: str, api_only: bool = False) -> dict[str, Any]:
    return {"userid": address, "firstName": "U", "lastName": "", "emailAddress": address, "id": 1, "apiOnly": api_only}


def world() -> dict[str, Any]:
    own = {
        "munchkin_id": "123-ABC-456", "client_id": "steward", "client_secret": "s3",
        "custom_fields": {
            "sfdcAccountId": "string", "accountOwnerEmail": "email", "leadOwnerEmailAddress": "email",
            "score": "integer", "humanOutreach": "boolean", "doNotMarketUntil": "date",
        },
        "synced_fields": ["sfdcAccountId", "leadOwnerEmailAddress"],
        "users": [*(user(address.upper()) for address in OWNERS), user("api@northwind-data.example", True)],
        "leads": [*(lead(id_, n) for n, id_ in enumerate(IDS)), lead(OFF_LIST, 999) | {"sfdcAccountId": None}],
        "lists": {"1021": IDS},
    }  # fmt: skip
    return {"marketo": own}


class Instance:
    def __init__(self, served: Served) -> None:
        self.served = served
        self.connector = self.connect()

    def connect(self, secret: str = "s3", list_id: str = "1021", **fields: Any) -> MarketoConnector:
        served = self.served
        api = MarketoApi(
            "123-ABC-456", "steward", secret, egress=served.egress, patience=served.patience, timeout_s=5,
            calls=served.bucket(*CALLS),
        )  # fmt: skip
        return MarketoConnector(api, list_id=list_id, clock=lambda: served.at, **fields)

    def edit(self, **command: Any) -> None:
        self.served.wait(1)
        self.served.vendor.edit(command)

    def order(self, operation: str, kind: str, nth: int = 1, **params: Any) -> None:
        self.served.faults.install(Fault("marketo", operation, kind, nth=nth, params=params))

    def calls(self, operation: str | None = None) -> int:
        return self.served.journal.count("marketo", operation)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with serve("marketo", world(), tmp_path, page=PAGE) as served:
        yield Instance(served)


class TestMarketoSource(SourcePromises):
    @pytest.fixture
    def case(self, instance: Instance) -> SourceCase:
        return SourceCase(
            instance.connector,
            "accounts",
            IDS,
            "1",
            change=lambda id_: instance.edit(id=id_, set={"city": f"Ulm {instance.served.at}"}),
            delete=lambda id_: instance.edit(action="delete", id=id_),
            damage=lambda id_: instance.edit(id=id_, set={"company": 5}),
        )


class TestMarketoTarget(OwnerTargetPromises):
    @pytest.fixture
    def case(self, instance: Instance) -> TargetCase:
        def human_moves(id_: str, owner: str) -> None:
            instance.edit(id=id_, set={"accountOwnerEmail": owner})

        # Owners the other way round: writing the owner that is there already is no edit to Marketo.
        return TargetCase(instance.connector, "lead", IDS[:120], "1", (OWNERS[1], OWNERS[0]), GONE, human_moves)

    def test_users_who_left_are_listed_as_inactive(self, case: TargetCase) -> None:
        # Marketo lists the people it has and says no more of them; its API users are no people.
        assert {known.id for known in case.target.users()} == set(OWNERS)
        assert all(known.active and known.email == known.id for known in case.target.users())


class TestMarketoFields(FieldTargetPromises):
    @pytest.fixture
    def field_case(self, instance: Instance) -> FieldCase:
        def shown(id_: str, field: str) -> Any:
            return instance.served.vendor.snapshot()["leads"][id_][field]

        return FieldCase(instance.connector, "lead", IDS[:120], "1", "humanOutreach", "doNotMarketUntil", shown)


def to(owner: str, *ids: str) -> list[OwnerChange]:
    return [OwnerChange("lead", id_, owner) for id_ in ids]


def outcomes(instance: Instance, changes: list[OwnerChange]) -> list[WriteOutcome]:
    return [result.outcome for result in instance.connector.update_owners(changes)]


def test_a_lead_names_its_account_in_the_crm_and_one_without_says_nothing(instance: Instance) -> None:
    named, unnamed = instance.connector.pull_rows("accounts", [IDS[0], OFF_LIST])
    value = instance.connector.to_value(named)
    assert isinstance(value, AccountRecord)
    assert (value.links, value.owner_external_id) == ({"salesforce": "001000000000000000"}, OWNERS[1])
    assert instance.connector.to_value(unnamed) is None


def test_a_lead_that_is_given_an_account_is_pulled_although_it_is_not_on_the_list(instance: Instance) -> None:
    rows, cursor = everything(instance.connector, "accounts")
    assert OFF_LIST not in {row.id for row in rows}
    instance.edit(id=OFF_LIST, set={"sfdcAccountId": "001000000000000999"})
    rows, _ = everything(instance.connector, "accounts", cursor)
    assert [row.id for row in rows] == [OFF_LIST]


def test_an_owner_changed_in_a_custom_field_is_pulled_although_the_lead_keeps_its_date(instance: Instance) -> None:
    _, cursor = everything(instance.connector, "accounts")
    before = instance.served.vendor.snapshot()["leads"][IDS[7]]["updatedAt"]
    instance.edit(id=IDS[7], set={"accountOwnerEmail": OWNERS[0]})
    rows, _ = everything(instance.connector, "accounts", cursor)
    assert [row.fields["accountOwnerEmail"] for row in rows] == [OWNERS[0]]
    assert rows[0].fields["updatedAt"] == before


def test_pages_of_the_log_that_hold_nothing_of_ours_do_not_end_a_pull(instance: Instance) -> None:
    _, cursor = everything(instance.connector, "accounts")
    instance.served.wait(1)
    for n in range(3 * PAGE):
        instance.served.vendor.edit({"id": IDS[n % len(IDS)], "set": {"score": n + 1}})
    instance.edit(id=IDS[3], set={"city": "Ulm"})
    rows, _ = everything(instance.connector, "accounts", cursor)
    assert [row.id for row in rows] == [IDS[3]]


def test_a_quiet_pull_does_not_read_the_old_log_again(instance: Instance) -> None:
    _, cursor = everything(instance.connector, "accounts")
    for n in range(3 * PAGE):
        instance.served.vendor.edit({"id": IDS[n % len(IDS)], "set": {"score": n + 1}})
    instance.served.wait(3_600)
    _, cursor = everything(instance.connector, "accounts", cursor)
    instance.served.wait(3_600)
    instance.served.journal.clear()
    everything(instance.connector, "accounts", cursor)
    assert instance.calls("get_changes") == 1


def test_a_change_that_reaches_the_log_late_comes_with_the_next_pull(tmp_path: Path) -> None:
    with serve("marketo", world(), tmp_path, log_delay=timedelta(minutes=2)) as served:
        instance = Instance(served)
        _, cursor = everything(instance.connector, "accounts")
        instance.edit(id=IDS[3], set={"city": "Ulm"})
        early, cursor = everything(instance.connector, "accounts", cursor)
        served.wait(180)
        late, _ = everything(instance.connector, "accounts", cursor)
        assert ([row.id for row in early], [row.id for row in late]) == ([], [IDS[3]])


def test_an_owners_address_is_the_same_in_any_spelling(instance: Instance) -> None:
    instance.edit(id=IDS[0], set={"accountOwnerEmail": OWNERS[0].title()})
    (row,) = instance.connector.pull_rows("accounts", IDS[:1])
    value = instance.connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert value.owner_external_id == OWNERS[0]
    assert instance.connector.read_owners(IDS[:1])[0].owner_id == OWNERS[0]


def test_all_changes_of_one_second_are_pulled(instance: Instance) -> None:
    _, cursor = everything(instance.connector, "accounts")
    instance.served.wait(1)
    for id_ in IDS:
        instance.served.vendor.edit({"id": id_, "set": {"city": "Ulm"}})
    rows, _ = everything(instance.connector, "accounts", cursor)
    assert {row.id for row in rows} == set(IDS)


def test_a_listing_whose_place_is_no_longer_known_begins_again(instance: Instance) -> None:
    first = next(iter(instance.connector.pull("accounts")))
    assert first.cursor is not None
    forgotten = Cursor(first.cursor.high_water, LISTING + "NONSENSE")
    rows, _ = everything(instance.connector, "accounts", forgotten)
    assert sorted(row.id for row in rows) == IDS


def test_owners_cost_one_call_for_each_three_hundred(instance: Instance) -> None:
    instance.connector.check()
    instance.served.journal.clear()
    instance.connector.update_owners(to(OWNERS[0], *IDS))
    assert instance.calls("sync_leads") == 1
    assert instance.calls() == 2  # and one look at Marketo's people
    instance.served.journal.clear()
    instance.connector.read_owners(IDS)
    assert instance.calls() == math.ceil(len(IDS) / 300)


@pytest.mark.parametrize("owner", [GONE, "api@northwind-data.example", "Dana"])
def test_nobody_whom_marketo_does_not_know_becomes_an_owner(instance: Instance, owner: str) -> None:
    assert outcomes(instance, to(owner, IDS[0])) == [WriteOutcome.REJECTED]
    assert instance.calls("sync_leads") == 0


def test_a_skipped_row_without_an_id_is_told_by_its_place(instance: Instance) -> None:
    changes = to(OWNERS[0], IDS[0], "12345678", IDS[2])
    results = instance.connector.update_owners(changes)
    assert [result.code for result in results] == ["", "1004", ""]
    assert [one.owner_id for one in instance.connector.read_owners(IDS[:3])] == [OWNERS[0], OWNERS[1], OWNERS[0]]


@pytest.mark.parametrize(
    "result", [[], [{"id": 1, "status": "updated"}], [{"id": 8, "status": "updated"}, {"id": 7, "status": "updated"}]]
)
def test_results_that_do_not_fit_the_request_are_unknown(result: list[dict[str, Any]]) -> None:
    told = to_results(to(OWNERS[0], "7", "8"), {"result": result})
    assert [one.outcome for one in told] == [WriteOutcome.UNKNOWN] * 2


@pytest.mark.parametrize("code", [606, 608, 615, 713])
def test_a_no_with_http_200_that_passes_is_waited_out(instance: Instance, code: int) -> None:
    instance.order("sync_leads", "status", status=code)
    assert outcomes(instance, to(OWNERS[0], IDS[0])) == [WriteOutcome.WRITTEN]
    assert instance.calls("sync_leads") == 2


@pytest.mark.parametrize("code", [604, 611, 502])
def test_a_write_that_may_have_been_carried_out_is_unknown_and_is_not_sent_again(instance: Instance, code: int) -> None:
    instance.order("sync_leads", "status", status=code)
    assert outcomes(instance, to(OWNERS[0], IDS[0])) == [WriteOutcome.UNKNOWN]
    assert instance.calls("sync_leads") == 1


@pytest.mark.parametrize("kind", ["reset", "truncate", "timeout_after_commit"])
def test_an_answer_lost_after_the_write_is_unknown_and_is_not_sent_again(instance: Instance, kind: str) -> None:
    instance.order("sync_leads", kind, after_commit=True, seconds=0.1)
    assert outcomes(instance, to(OWNERS[0], IDS[0])) == [WriteOutcome.UNKNOWN]
    assert instance.calls("sync_leads") == 1
    assert instance.connector.read_owners(IDS[:1])[0].owner_id == OWNERS[0]


def test_a_used_up_day_stops_the_connector_and_says_until_when(tmp_path: Path) -> None:
    with serve("marketo", world(), tmp_path, daily_calls=2) as served:
        instance = Instance(served)
        with pytest.raises(ConnectorStopped, match="midnight"):
            instance.connector.update_owners(to(OWNERS[0], IDS[0]))  # after the fields and the people
        assert instance.calls("sync_leads") == 1


def test_a_day_that_ends_between_two_batches_leaves_the_rest_to_retry(tmp_path: Path) -> None:
    leads = [lead(str(n), n % 900) for n in range(1, 601)]
    own = {"marketo": world()["marketo"] | {"leads": leads}}
    with serve("marketo", own, tmp_path, daily_calls=3) as served:
        told = outcomes(Instance(served), to(OWNERS[0], *(str(n) for n in range(1, 601))))
    assert (told.count(WriteOutcome.WRITTEN), told.count(WriteOutcome.RETRY)) == (300, 300)


def test_never_more_than_fifty_calls_in_twenty_seconds(instance: Instance) -> None:
    for _ in range(120):
        instance.connector.read_owners(IDS[:1])
    at = [entry.at for entry in instance.served.journal.entries("marketo", "get_leads")]
    assert all(later - earlier >= timedelta(seconds=20) for earlier, later in zip(at, at[50:], strict=False))
    assert len(at) == 120


def test_a_token_that_ends_between_pages_is_renewed(instance: Instance) -> None:
    instance.order("get_list", "expire_token", 2)
    rows, _ = everything(instance.connector, "accounts")
    assert sorted(row.id for row in rows) == IDS
    assert instance.calls("identity") == 2


def test_a_token_that_ends_before_a_write_costs_no_write(instance: Instance) -> None:
    instance.order("sync_leads", "expire_token")
    assert set(outcomes(instance, to(OWNERS[0], *IDS[:3]))) == {WriteOutcome.WRITTEN}


def test_a_token_that_cannot_be_fetched_leaves_the_write_undone_not_unknown(instance: Instance) -> None:
    for nth in range(1, 30):
        instance.order("identity", "status", nth, status=500)
    with pytest.raises(RetryLater):
        instance.connector.update_owners(to(OWNERS[0], IDS[0]))


def test_an_owner_that_only_the_crm_sync_may_write_is_named_with_its_setting(instance: Instance) -> None:
    connector = instance.connect(owner_field="leadOwnerEmailAddress")
    with pytest.raises(ConnectorStopped, match="STEWARD_MARKETO_OWNER_FIELD"):
        connector.check()
    with pytest.raises(ConnectorStopped, match="cannot be written"):
        connector.update_owners(to(OWNERS[0], IDS[0]))


@pytest.mark.parametrize(("field", "setting"), [("owner_field", "OWNER_FIELD"), ("crm_field", "CRM_FIELD")])
def test_a_field_that_does_not_exist_is_named_with_its_setting(instance: Instance, field: str, setting: str) -> None:
    connector = instance.connect(**{field: "noSuchField"})
    with pytest.raises(ConnectorStopped, match=f"STEWARD_MARKETO_{setting}"):
        connector.check()
    with pytest.raises(SchemaChanged, match="noSuchField"):
        everything(connector, "accounts")


def test_a_list_that_does_not_exist_is_named_with_its_setting(instance: Instance) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_MARKETO_LIST_ID"):
        everything(instance.connect(list_id="99"), "accounts")


def test_a_wrong_secret_stops_the_connector_and_names_the_setting(instance: Instance) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_MARKETO_CLIENT_SECRET"):
        instance.connect("wrong").check()


def test_a_missing_permission_stops_the_connector_before_anything_is_written(tmp_path: Path) -> None:
    with serve("marketo", world(), tmp_path, permissions=frozenset({LEADS})) as served:
        with pytest.raises(ConnectorStopped, match="Access User Management Api"):
            Instance(served).connector.update_owners(to(OWNERS[0], IDS[0]))
        assert served.journal.count("marketo", "sync_leads") == 0


def test_a_deleted_lead_is_missing_and_is_not_written(instance: Instance) -> None:
    instance.edit(action="delete", id=IDS[0])
    assert instance.connector.read_owners(IDS[:1])[0].state is RecordState.MISSING
    assert outcomes(instance, to(OWNERS[0], IDS[0])) == [WriteOutcome.REJECTED]


def test_nothing_else_is_called(instance: Instance) -> None:
    everything(instance.connector, "accounts")
    instance.connector.update_owners(to(OWNERS[0], *IDS[:3]))
    assert instance.served.running.refused_hosts == ()
