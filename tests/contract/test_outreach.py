"""Outreach keeps every promise, with owners written one by one and in batches."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.outreach import OutreachConnector
from connectors.outreach_api import OutreachApi
from connectors.outreach_batch import assign_owner
from connectors.outreach_tokens import Credentials, asked_wait_s
from emulators.faults import Fault
from emulators.outreach.app import ALL_SCOPES, Outreach
from ownership.model import AccountRecord
from tests.contract.promises import OwnerTargetPromises, SourceCase, SourcePromises, TargetCase, everything
from tests.contract.wire import Wire

IDS = [str(n) for n in range(1_001, 3_251)]
OWNERS = ("7", "8")
LOCKED = "9"
UNKNOWN = "999999"
CREDENTIALS = Credentials("app", "secret", "https://steward.example/oauth", "refresh-1")


def account(n: int, id_: str) -> dict[str, Any]:
    at = f"2026-11-20T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z"
    attributes = {
        "name": f"Company {n}", "customId": f"001{n:015}", "domain": f"c{n}.example", "numberOfEmployees": n,
        "createdAt": at, "updatedAt": at,
    }  # fmt: skip
    owner = {"owner": {"data": {"type": "user", "id": 8}}}
    return {"type": "account", "id": int(id_), "attributes": attributes, "relationships": owner}


def user(id_: str, locked: bool) -> dict[str, Any]:
    at = "2026-01-01T00:00:00.000Z"
    said = {"email": f"rep{id_}@northwind-data.example", "name": f"Rep {id_}", "locked": locked}
    return {"type": "user", "id": int(id_), "attributes": {**said, "createdAt": at, "updatedAt": at}}


class Organisation:
    def __init__(self, wire: Wire, **options: Any) -> None:
        world = {
            "client_id": CREDENTIALS.client_id,
            "client_secret": CREDENTIALS.client_secret,
            "redirect_uri": CREDENTIALS.redirect_uri,
            "refresh_token": CREDENTIALS.refresh_token,
            "accounts": [account(n, id_) for n, id_ in enumerate(IDS)],
            "users": [user(id_, id_ == LOCKED) for id_ in (*OWNERS, LOCKED)],
        }
        self.wire = wire
        self.vendor = Outreach(wire.surroundings, **options)
        wire.seed(self.vendor, {"outreach": world})
        self.connector = self.connect()

    def connect(self, credentials: Credentials = CREDENTIALS, token_file: Path | None = None) -> OutreachConnector:
        return OutreachConnector(self.api(credentials, token_file))

    def api(self, credentials: Credentials = CREDENTIALS, token_file: Path | None = None) -> OutreachApi:
        wire = self.wire
        return OutreachApi(credentials, token_file=token_file, patience=wire.patience, clock=lambda: wire.at)

    def edit(self, **command: Any) -> None:
        self.wire.wait(1)
        self.vendor.edit(command)

    def fail(self, operation: str, status: int, nth: int = 1) -> None:
        self.wire.faults.install(Fault("outreach", operation, "status", nth=nth, params={"status": status}))

    def calls(self, operation: str | None = None) -> int:
        return self.wire.journal.count("outreach", operation)

    def owners(self, ids: list[str]) -> set[str | None]:
        return {seen.owner_id for seen in self.connector.read_owners(ids)}


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Organisation:
    return Organisation(Wire(monkeypatch))


def changes(ids: list[str], owner: str = OWNERS[0]) -> list[OwnerChange]:
    return [OwnerChange("account", id_, owner) for id_ in ids]


def outcomes(results: tuple[OwnerResult, ...]) -> set[WriteOutcome]:
    return {result.outcome for result in results}


class TestOutreachSource(SourcePromises):
    @pytest.fixture
    def case(self, org: Organisation) -> SourceCase:
        return SourceCase(
            org.connector,
            "accounts",
            IDS,
            UNKNOWN,
            change=lambda id_: org.edit(id=id_, attributes={"industry": "Retail"}),
            damage=lambda id_: org.edit(id=id_, attributes={"numberOfEmployees": -4}),
        )


@pytest.mark.parametrize("accounts", [3, 120])
class TestOutreachTarget(OwnerTargetPromises):
    @pytest.fixture
    def case(self, org: Organisation, accounts: int) -> TargetCase:
        return TargetCase(
            org.connector,
            "account",
            IDS[:accounts],
            UNKNOWN,
            OWNERS,
            LOCKED,
            human_moves=lambda id_, owner: org.edit(id=id_, owner=int(owner)),
        )


# --- reading ---


def test_a_pull_costs_one_call_for_each_thousand_accounts(org: Organisation) -> None:
    everything(org.connector, "accounts")
    assert org.calls("list_accounts") == 3


def test_a_bulk_edit_within_one_millisecond_is_pulled_whole(org: Organisation) -> None:
    _, cursor = everything(org.connector, "accounts")
    org.wire.wait(600)
    for id_ in IDS:
        org.vendor.edit({"id": id_, "attributes": {"industry": "Retail"}})
    pages = list(org.connector.pull("accounts", cursor))
    assert sorted(row.id for page in pages for row in page.rows) == IDS
    after_a_stop, _ = everything(org.connector, "accounts", pages[0].cursor)
    assert {row.id for row in after_a_stop} == set(IDS)


def test_an_account_that_changes_while_it_is_pulled_is_not_stepped_over(org: Organisation) -> None:
    pages = org.connector.pull("accounts")
    seen = {row.id for row in next(pages).rows}
    org.edit(id=IDS[0], attributes={"industry": "Retail"})
    seen |= {row.id for page in pages for row in page.rows}
    assert seen == set(IDS)


def test_an_account_names_the_crm_record_it_belongs_to(org: Organisation) -> None:
    (row,) = org.connector.pull_rows("accounts", [IDS[0]])
    value = org.connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert (value.owner_external_id, value.links) == ("8", {"salesforce": "001000000000000000"})


def test_the_field_with_the_crm_id_can_be_another_one(org: Organisation) -> None:
    org.edit(id=IDS[0], attributes={"custom12": "7000000000"})
    connector = OutreachConnector(org.api(), crm="hubspot", crm_field="custom12")
    org.wire.wait(60)
    (row,) = connector.pull_rows("accounts", [IDS[0]])
    value = connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert value.links == {"hubspot": "7000000000"}


def test_a_query_that_outreach_refuses_stops_the_stream(org: Organisation) -> None:
    with pytest.raises(SchemaChanged, match="cannot be used as a filter"):
        org.api().get("/accounts", [("filter[industry]", "Retail")])


# --- writing ---


def test_few_accounts_are_written_one_by_one_and_many_by_batches(org: Organisation) -> None:
    assert outcomes(org.connector.update_owners(changes(IDS[:3]))) == {WriteOutcome.WRITTEN}
    assert (org.calls("update_account"), org.calls("assign_owner")) == (3, 0)
    org.wire.journal.clear()
    assert outcomes(org.connector.update_owners(changes(IDS[:1_000]))) == {WriteOutcome.WRITTEN}
    assert (org.calls("update_account"), org.calls("assign_owner")) == (0, 10)
    assert org.calls() <= 60


def test_one_call_writes_for_several_owners_and_each_batch_is_of_one(org: Organisation) -> None:
    mixed = [OwnerChange("account", id_, OWNERS[n % 2]) for n, id_ in enumerate(IDS[:40])]
    assert outcomes(org.connector.update_owners(mixed)) == {WriteOutcome.WRITTEN}
    assert org.calls("assign_owner") == 2
    assert [seen.owner_id for seen in org.connector.read_owners(IDS[:40])] == [change.owner_id for change in mixed]


def test_a_batch_touches_no_account_that_it_does_not_name(org: Organisation) -> None:
    org.connector.update_owners(changes(IDS[:50]))
    assert org.owners(IDS[50:]) == {"8"}
    with pytest.raises(ValueError, match="all of them"):
        assign_owner(org.api(), [], 7)


def test_a_batch_of_only_unknown_accounts_changes_nothing(org: Organisation) -> None:
    results = org.connector.update_owners(changes([str(n) for n in range(900_001, 900_011)]))
    assert outcomes(results) == {WriteOutcome.REJECTED}
    assert org.owners(IDS) == {"8"}


def test_an_owner_who_is_locked_out_is_refused_for_the_whole_batch_with_outreachs_words(org: Organisation) -> None:
    results = org.connector.update_owners(changes(IDS[:10], LOCKED))
    assert {(each.outcome, each.message) for each in results} == {(WriteOutcome.REJECTED, "Owner must be active.")}


def test_an_owner_who_does_not_exist_is_refused_at_once(org: Organisation) -> None:
    results = org.connector.update_owners(changes(IDS[:10], UNKNOWN))
    assert {(each.outcome, each.message) for each in results} == {(WriteOutcome.REJECTED, "Owner must exist.")}
    assert org.calls("get_batch") == 0


def test_ids_that_are_not_outreachs_harm_only_themselves(org: Organisation) -> None:
    results = org.connector.update_owners([*changes(IDS[:5]), *changes(["001ABC"]), *changes(IDS[5:6], "005XYZ")])
    assert [each.outcome for each in results] == [WriteOutcome.WRITTEN] * 5 + [WriteOutcome.REJECTED] * 2


def test_a_batch_that_does_not_end_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Organisation(Wire(monkeypatch), batch_delay=timedelta(hours=1))
    results = slow.connector.update_owners(changes(IDS[:10]))
    assert {(each.outcome, each.code) for each in results} == {(WriteOutcome.UNKNOWN, "BATCH_UNFINISHED")}
    assert slow.calls("assign_owner") == 1


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_batch_that_was_begun_is_never_said_to_be_not_done(org: Organisation, status: int) -> None:
    for nth in range(1, 30):
        org.fail("get_batch", status, nth)
    results = org.connector.update_owners(changes(IDS[:10]))
    assert outcomes(results) == {WriteOutcome.UNKNOWN}
    assert org.calls("assign_owner") == 1
    org.wire.faults.clear()
    org.wire.wait(10)
    assert org.owners(IDS[:10]) == {"7"}


def test_a_person_who_moves_an_account_while_the_batch_runs_is_not_taken_for_our_write(org: Organisation) -> None:
    wait = org.wire.wait
    moved: list[str] = []

    def meanwhile(seconds: float) -> None:
        wait(seconds)
        if org.calls("get_batch") and not moved:
            moved.append(IDS[0])
            org.vendor.edit({"id": IDS[0], "owner": 8})

    api = org.api()
    object.__setattr__(api.patience, "sleep", meanwhile)
    results = OutreachConnector(api).update_owners(changes(IDS[:10]))
    assert moved
    assert [each.outcome for each in results] == [WriteOutcome.UNKNOWN] + [WriteOutcome.WRITTEN] * 9


def test_a_write_that_fails_inside_outreach_is_unknown_and_is_not_sent_again(org: Organisation) -> None:
    org.fail("update_account", 500)
    (result,) = org.connector.update_owners(changes(IDS[:1]))
    assert result.outcome is WriteOutcome.UNKNOWN
    assert org.calls("update_account") == 1


def test_a_write_refused_for_the_rate_is_sent_again_when_outreach_says_so(org: Organisation) -> None:
    org.fail("update_account", 429)
    before = org.wire.at
    assert outcomes(org.connector.update_owners(changes(IDS[:1]))) == {WriteOutcome.WRITTEN}
    assert timedelta(seconds=1) < org.wire.at - before < timedelta(seconds=5)
    assert org.calls("update_account") == 2


# --- limits and tokens ---


def test_an_hour_that_is_used_up_is_given_back_with_the_time_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Organisation(Wire(monkeypatch), hourly=3)
    with pytest.raises(RetryLater) as caught:
        busy.connector.read_owners(IDS[:1_000])
    assert caught.value.code == "rateLimitExceeded"
    assert caught.value.retry_after_s is not None
    assert 3_500 < caught.value.retry_after_s <= 3_601


def test_what_was_written_before_the_hour_was_used_up_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = Organisation(Wire(monkeypatch), hourly=2)
    results = busy.connector.update_owners(changes(IDS[:3]))
    assert [each.outcome for each in results] == [WriteOutcome.WRITTEN, WriteOutcome.WRITTEN, WriteOutcome.RETRY]


def test_a_token_that_ends_in_the_middle_is_renewed_and_no_header_is_lost(org: Organisation) -> None:
    org.connector.check()
    org.wire.wait(61)
    org.vendor.expire_token()
    assert outcomes(org.connector.update_owners(changes(IDS[:1]))) == {WriteOutcome.WRITTEN}
    assert org.calls("token") == 2
    # Without its media type the repeated call would have been answered 415.
    assert [entry.status for entry in org.wire.journal.entries("outreach", "update_account")] == [401, 200]


def test_a_token_lasts_as_long_as_outreach_says(org: Organisation) -> None:
    org.connector.check()
    org.wire.wait(7_000)
    org.connector.check()
    assert org.calls("token") == 1
    org.wire.wait(200)
    org.connector.check()
    assert (org.calls("token"), org.calls("list_accounts")) == (2, 3)


def test_two_processes_share_one_token(org: Organisation, tmp_path: Path) -> None:
    file = tmp_path / "kept" / "token.json"
    org.connect(token_file=file).check()
    org.connect(token_file=file).check()
    assert org.calls("token") == 1
    assert file.stat().st_mode & 0o077 == 0
    assert CREDENTIALS.refresh_token not in file.read_text()


def test_the_newest_refresh_token_outlives_the_one_in_the_settings(org: Organisation, tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    for _ in range(3):
        org.connect(token_file=file).check()
        org.wire.wait(timedelta(days=10).total_seconds())
    with pytest.raises(ConnectorStopped, match="STEWARD_OUTREACH_REFRESH_TOKEN"):
        org.connect().check()


def test_a_new_authorisation_replaces_the_kept_tokens(org: Organisation, tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    org.connect(token_file=file).check()
    other = Credentials("app", "secret", CREDENTIALS.redirect_uri, "refresh-of-somebody-else")
    with pytest.raises(ConnectorStopped, match="refused"):
        org.connect(other, file).check()


def test_a_minute_between_two_tokens_is_waited_for(org: Organisation) -> None:
    org.connector.check()
    org.wire.wait(5)
    before = org.wire.at
    org.connect().check()
    assert timedelta(seconds=50) < org.wire.at - before < timedelta(seconds=60)


def test_a_refused_token_that_cannot_be_renewed_yet_does_not_lose_the_newest_refresh_token(org: Organisation) -> None:
    org.connector.check()
    org.wire.wait(timedelta(days=10).total_seconds())
    org.connector.check()
    org.vendor.expire_token()
    with pytest.raises(RetryLater, match="a moment ago"):
        org.connector.check()
    org.wire.wait(timedelta(days=10).total_seconds())
    org.connector.check()


def test_wrong_credentials_stop_the_connector_and_name_the_setting(org: Organisation) -> None:
    wrong = Credentials("app", "wrong", CREDENTIALS.redirect_uri, CREDENTIALS.refresh_token)
    with pytest.raises(ConnectorStopped, match="STEWARD_OUTREACH_CLIENT_SECRET"):
        org.connect(wrong).check()


@pytest.mark.parametrize("missing", ["accounts.write", "batches.read"])
def test_a_scope_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    without = Organisation(Wire(monkeypatch), scopes=ALL_SCOPES - {missing})
    with pytest.raises(ConnectorStopped, match=missing):
        without.connector.update_owners(changes(IDS[:10]))
    assert without.owners(IDS[:10]) == {"8"}


def test_maintenance_says_when_it_ends(org: Organisation) -> None:
    for nth in range(1, 10):
        org.fail("list_accounts", 503, nth)
    with pytest.raises(RetryLater, match="maintenance") as caught:
        org.connector.check()
    assert caught.value.retry_after_s is not None
    assert 590 < caught.value.retry_after_s <= 600


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("27", 27),
        ("1795572030", 30),
        ("2026-11-25T02:00:30", 30),
        ("2026-11-25T02:00:30Z", 30),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_every_form_outreach_may_use(
    monkeypatch: pytest.MonkeyPatch, header: str, seconds: float | None
) -> None:
    now = Wire(monkeypatch).at + timedelta(days=1)
    assert asked_wait_s(header, now) == seconds
