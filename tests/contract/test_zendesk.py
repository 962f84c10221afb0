"""Zendesk keeps every promise, over TLS and through the gateway; and what its own ways would break."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import OwnerChange, RecordState, SourceRow, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.zendesk import ZendeskConnector
from connectors.zendesk_api import EXPORTS, ZendeskApi
from connectors.zendesk_jobs import BUDGET_S, to_results
from connectors.zendesk_objects import to_row
from emulators.faults import Fault
from ownership.model import AccountRecord
from tests.contract.promises import OwnerTargetPromises, SourceCase, SourcePromises, TargetCase, everything
from tests.contract.served import Served, serve

IDS = [str(360_000_000_000 + n) for n in range(130)]
OWNERS = ("900000000001", "900000000002")
GONE = "900000000003"
CUSTOMER = "900000000004"
PAGE = 50  # organisations of an export page, instead of 1,000


def organization(n: int, id_: str) -> dict[str, Any]:
    at = f"2026-11-20T00:{n // 60:02}:{n % 60:02}Z"
    return {
        "id": int(id_), "name": f"Company {n}", "external_id": f"001{n:015}", "domain_names": [f"c{n}.example"],
        "organization_fields": {"account_owner": OWNERS[1], "tier": None}, "created_at": at, "updated_at": at,
    }  # fmt: skip


def user(id_: str, role: str = "agent", suspended: bool = False) -> dict[str, Any]:
    mail = f"u{id_}@northwind-data.example"
    return {"id": int(id_), "name": f"U {id_}", "email": mail, "role": role, "active": True, "suspended": suspended}


def field(key: str, type_: str) -> dict[str, Any]:
    return {"id": 1 if key == "tier" else 2, "key": key, "title": key.title(), "type": type_, "active": True}


def world() -> dict[str, Any]:
    own = {
        "subdomain": "acme", "client_id": "steward", "client_secret": "s3",
        "organization_fields": [field("account_owner", "lookup"), field("tier", "text")],
        "users": [*map(user, OWNERS), user(GONE, suspended=True), user(CUSTOMER, "end-user")],
        "organizations": [organization(n, id_) for n, id_ in enumerate(IDS)],
    }  # fmt: skip
    return {"zendesk": own}


class Account:
    def __init__(self, served: Served) -> None:
        self.served = served
        self.connector = self.connect()

    def connect(self, secret: str = "s3", owner_field: str = "account_owner", timeout_s: float = 5) -> ZendeskConnector:
        served = self.served
        api = ZendeskApi(
            "acme", "steward", secret, egress=served.egress, patience=served.patience, timeout_s=timeout_s,
            exports=served.bucket(*EXPORTS),
        )  # fmt: skip
        return ZendeskConnector(api, owner_field=owner_field)

    def edit(self, **command: Any) -> None:
        """Somebody changes something, and the export has had time to see it."""
        self.served.wait(1)
        self.served.vendor.edit(command)
        self.served.wait(61)

    def order(self, operation: str, kind: str, nth: int = 1, **params: Any) -> None:
        self.served.faults.install(Fault("zendesk", operation, kind, nth=nth, params=params))

    def calls(self, operation: str) -> int:
        return self.served.journal.count("zendesk", operation)

    def owners(self) -> set[str | None]:
        return {one.owner_id for one in self.connector.read_owners(IDS)}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with serve("zendesk", world(), tmp_path, export_page=PAGE) as served:
        yield Account(served)


class TestZendeskSource(SourcePromises):
    @pytest.fixture
    def case(self, account: Account) -> SourceCase:
        return SourceCase(
            account.connector,
            "accounts",
            IDS,
            "1",
            change=lambda id_: account.edit(id=id_, set={"notes": "Ulm"}),
            damage=lambda id_: account.edit(action="store", id=id_, field="account_owner", value="Dana"),
        )


class TestZendeskTarget(OwnerTargetPromises):
    @pytest.fixture
    def case(self, account: Account) -> TargetCase:
        def human_moves(id_: str, owner: str) -> None:
            account.edit(id=id_, set={"organization_fields": {"account_owner": owner}})

        return TargetCase(account.connector, "organization", IDS[:120], "1", OWNERS, GONE, human_moves)


def to(owner: str, *ids: str) -> list[OwnerChange]:
    return [OwnerChange("organization", id_, owner) for id_ in ids]


def outcomes(account: Account, changes: list[OwnerChange]) -> list[WriteOutcome]:
    return [result.outcome for result in account.connector.update_owners(changes)]


def test_an_organisation_names_its_account_in_the_crm(account: Account) -> None:
    (row,) = account.connector.pull_rows("accounts", IDS[:1])
    value = account.connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert (value.links, value.owner_external_id) == ({"salesforce": "001000000000000000"}, OWNERS[1])
    assert value.website == "c0.example"


def test_a_pull_costs_one_call_a_page_and_never_an_eleventh_a_minute(account: Account) -> None:
    began = account.served.at
    for _ in range(4):
        everything(account.connector, "accounts")
    assert account.calls("export_organizations") == 12
    assert {entry.status for entry in account.served.journal.entries("zendesk")} == {200}
    assert (account.served.at - began).total_seconds() >= 59


def test_more_changes_within_one_second_than_a_page_holds_are_all_pulled(account: Account) -> None:
    _, cursor = everything(account.connector, "accounts")
    account.served.wait(1)
    for id_ in IDS:
        account.served.vendor.edit({"id": id_, "set": {"notes": "Ulm"}})
    account.served.wait(61)
    account.edit(id=IDS[3], set={"notes": "later"})
    rows, _ = everything(account.connector, "accounts", cursor)
    assert {row.id for row in rows} == set(IDS)
    assert rows[-1].id == IDS[3]


def test_a_full_second_at_the_edge_of_the_last_minute_ends_the_pull(account: Account) -> None:
    _, cursor = everything(account.connector, "accounts")
    account.served.wait(1)
    for id_ in IDS:
        account.served.vendor.edit({"id": id_, "set": {"notes": "Ulm"}})
    account.served.wait(60)
    rows, cursor = everything(account.connector, "accounts", cursor)
    assert {row.id for row in rows} == set(IDS)
    assert everything(account.connector, "accounts", cursor)[0] == []


def test_what_changed_within_the_last_minute_comes_with_the_next_pull(account: Account) -> None:
    _, cursor = everything(account.connector, "accounts")
    account.served.wait(1)
    account.served.vendor.edit({"id": IDS[5], "set": {"notes": "Ulm"}})
    early, cursor = everything(account.connector, "accounts", cursor)
    assert IDS[5] not in {row.id for row in early}
    account.served.wait(61)
    late, _ = everything(account.connector, "accounts", cursor)
    assert IDS[5] in {row.id for row in late}


def test_one_change_is_one_call_and_many_are_a_job_for_each_hundred(account: Account) -> None:
    account.connector.update_owners(to(OWNERS[0], IDS[0]))
    assert (account.calls("update_organization"), account.calls("update_many_organizations")) == (1, 0)
    account.served.journal.clear()
    account.connector.update_owners(to(OWNERS[0], *IDS))
    assert account.calls("update_many_organizations") == 2
    assert account.served.journal.count("zendesk") == 2 + 2 + 1  # two jobs, looks at both, and at the new owner
    assert account.owners() == {OWNERS[0]}


@pytest.mark.parametrize("owner", [GONE, CUSTOMER, "900000000099"])
def test_nobody_who_cannot_work_an_account_becomes_its_owner(account: Account, owner: str) -> None:
    assert outcomes(account, to(owner, IDS[0])) == [WriteOutcome.REJECTED]
    assert account.calls("update_organization") == 0


def test_a_failed_row_that_carries_its_place_instead_of_its_id_is_the_right_one(account: Account) -> None:
    changes = to(OWNERS[0], IDS[0], "77777777777777", IDS[2])
    assert outcomes(account, changes) == [WriteOutcome.WRITTEN, WriteOutcome.REJECTED, WriteOutcome.WRITTEN]


def test_a_row_that_a_job_does_not_mention_is_unknown() -> None:
    batch = to(OWNERS[0], *IDS[:3])
    job = {"id": "j", "status": "completed", "results": [{"id": int(IDS[1]), "success": True, "status": "Updated"}]}
    told = [result.outcome for result in to_results(batch, job)]
    assert told == [WriteOutcome.UNKNOWN, WriteOutcome.WRITTEN, WriteOutcome.UNKNOWN]


@pytest.mark.parametrize("end", ["failed", "killed"])
def test_a_job_that_breaks_off_leaves_what_it_did_not_tell_unknown(account: Account, end: str) -> None:
    account.edit(action="end_jobs", **{"as": end})
    told = outcomes(account, to(OWNERS[0], *IDS[:4]))
    assert told == [WriteOutcome.WRITTEN] * 2 + [WriteOutcome.UNKNOWN] * 2


def test_a_job_that_does_not_end_is_unknown_after_its_budget(tmp_path: Path) -> None:
    with serve("zendesk", world(), tmp_path, job_delay=timedelta(hours=1)) as served:
        account = Account(served)
        began = served.at
        assert outcomes(account, to(OWNERS[0], *IDS[:3])) == [WriteOutcome.UNKNOWN] * 3
        assert BUDGET_S <= (served.at - began).total_seconds() < BUDGET_S + 15


def test_a_thousand_changes_wait_once_and_not_ten_times(tmp_path: Path) -> None:
    ids = [str(360_000_000_000 + n) for n in range(1_000)]
    own = {"zendesk": world()["zendesk"] | {"organizations": [organization(n % 900, id_) for n, id_ in enumerate(ids)]}}
    with serve("zendesk", own, tmp_path, job_delay=timedelta(seconds=20)) as served:
        account = Account(served)
        began = served.at
        assert set(outcomes(account, to(OWNERS[0], *ids))) == {WriteOutcome.WRITTEN}
        assert (served.at - began).total_seconds() < 40
        assert account.calls("update_many_organizations") == 10
        assert account.calls("show_many_job_statuses") <= 6


def test_when_a_later_job_is_refused_the_queued_ones_are_still_followed(account: Account) -> None:
    account.order("update_many_organizations", "status", 2, status=403)
    told = outcomes(account, to(OWNERS[0], *IDS[:120]))
    assert told == [WriteOutcome.WRITTEN] * 100 + [WriteOutcome.RETRY] * 20


def test_a_job_whose_end_cannot_be_seen_is_unknown_and_is_not_sent_again(account: Account) -> None:
    for nth in range(1, 20):
        account.order("show_many_job_statuses", "status", nth, status=500)
    assert outcomes(account, to(OWNERS[0], *IDS[:3])) == [WriteOutcome.UNKNOWN] * 3
    assert account.calls("update_many_organizations") == 1


def test_a_full_minute_is_waited_out_as_long_as_zendesk_asks(account: Account) -> None:
    account.connector.check()
    began = account.served.at
    account.order("update_organization", "status", status=429)
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.WRITTEN]
    assert (account.served.at - began).total_seconds() == 27


def test_a_full_account_is_told_when_to_come_back(tmp_path: Path) -> None:
    with serve("zendesk", world(), tmp_path, calls_a_minute=2) as served:
        account = Account(served)
        for _ in range(4):
            account.connector.check()
        assert {entry.status for entry in served.journal.entries("zendesk")} == {200, 429}


@pytest.mark.parametrize("kind", ["reset", "truncate", "timeout_after_commit"])
def test_an_answer_lost_after_the_write_is_unknown_and_is_not_sent_again(account: Account, kind: str) -> None:
    account.order("update_organization", kind, after_commit=True, seconds=0.1)
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.UNKNOWN]
    assert account.calls("update_organization") == 1
    assert account.connector.read_owners(IDS[:1])[0].owner_id == OWNERS[0]


def test_a_job_whose_receipt_is_lost_is_unknown_and_the_next_job_goes_on(account: Account) -> None:
    account.order("update_many_organizations", "truncate")
    told = outcomes(account, to(OWNERS[0], *IDS[:103]))
    assert told == [WriteOutcome.UNKNOWN] * 100 + [WriteOutcome.WRITTEN] * 3


@pytest.mark.parametrize("status", [500, 502])
def test_a_write_that_fails_inside_zendesk_is_unknown(account: Account, status: int) -> None:
    account.order("update_organization", "status", status=status)
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.UNKNOWN]
    assert account.calls("update_organization") == 1


def test_a_token_that_runs_out_between_pages_is_renewed(account: Account) -> None:
    account.order("export_organizations", "expire_token", 2)
    rows, _ = everything(account.connector, "accounts")
    assert sorted(row.id for row in rows) == IDS
    assert account.calls("create_token") == 2


def test_a_token_that_runs_out_before_a_write_costs_no_write(account: Account) -> None:
    account.order("update_many_organizations", "expire_token")
    assert set(outcomes(account, to(OWNERS[0], *IDS[:3]))) == {WriteOutcome.WRITTEN}


def test_a_token_lasts_an_hour_and_is_renewed_after_it(account: Account) -> None:
    account.connector.check()
    account.served.wait(3_601)
    account.connector.check()
    assert account.calls("create_token") == 2


def test_a_token_that_cannot_be_fetched_leaves_the_write_undone_not_unknown(account: Account) -> None:
    account.order("create_token", "reset")
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.WRITTEN]
    for nth in range(1, 30):
        account.order("create_token", "status", nth, status=503)
    with pytest.raises(RetryLater):
        account.connect().update_owners(to(OWNERS[0], IDS[0]))


def test_a_token_endpoint_that_breaks_before_a_write_does_not_make_the_write_unknown(account: Account) -> None:
    account.connector.check()
    account.order("update_organization", "expire_token")
    account.order("create_token", "reset")
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.WRITTEN]


def test_a_write_that_the_answer_does_not_show_is_unknown(account: Account) -> None:
    account.connector.check()
    del account.served.vendor.account.fields["account_owner"]  # an administrator deletes the field
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.UNKNOWN]


def test_an_owner_set_within_the_second_of_our_read_is_seen(account: Account) -> None:
    account.served.vendor.edit({"id": IDS[0], "set": {"notes": "now"}})
    version = account.connector.read_owners(IDS[:1])[0].version
    assert version is not None
    account.served.vendor.edit({"id": IDS[0], "set": {"organization_fields": {"account_owner": GONE}}})
    (change,) = to(OWNERS[0], IDS[0])
    assert account.connector.update_owner_if(change, version).outcome is WriteOutcome.MOVED


def test_a_deleted_organisation_is_missing_and_is_not_written(account: Account) -> None:
    account.edit(action="delete", id=IDS[0])
    assert account.connector.read_owners(IDS[:1])[0].state is RecordState.MISSING
    assert outcomes(account, to(OWNERS[0], IDS[0])) == [WriteOutcome.REJECTED]


def test_an_organisation_with_a_date_of_deletion_counts_as_deleted() -> None:
    row = to_row({"id": 5, "updated_at": "2026-11-20T00:00:00Z", "deleted_at": "2026-11-20T00:00:00Z"})
    assert isinstance(row, SourceRow)
    assert row.deleted


def test_an_owner_field_that_does_not_exist_is_named_with_its_setting(account: Account) -> None:
    connector = account.connect(owner_field="no_such_field")
    with pytest.raises(ConnectorStopped, match="STEWARD_ZENDESK_OWNER_FIELD"):
        connector.check()
    with pytest.raises(ConnectorStopped, match="no_such_field"):
        connector.update_owners(to(OWNERS[0], IDS[0]))
    with pytest.raises(SchemaChanged, match="no_such_field"):
        everything(connector, "accounts")
    assert account.owners() == {OWNERS[1]}


def test_a_wrong_secret_stops_the_connector_and_names_the_setting(account: Account) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_ZENDESK_CLIENT_SECRET"):
        account.connect("wrong").check()


def test_a_missing_scope_stops_the_connector_before_anything_is_written(tmp_path: Path) -> None:
    with serve("zendesk", world(), tmp_path, allowed_scopes=frozenset({"read"})) as served:
        account = Account(served)
        with pytest.raises(ConnectorStopped, match="organizations:write"):
            account.connector.update_owners(to(OWNERS[0], *IDS[:3]))


def test_nothing_else_is_called(account: Account) -> None:
    everything(account.connector, "accounts")
    account.connector.update_owners(to(OWNERS[0], *IDS[:3]))
    assert account.served.running.refused_hosts == ()
