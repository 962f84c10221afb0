"""Marketo as the emulator plays it: held to recorded traffic where there is some, and to what its pages say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from emulators.faults import Fault, Faults
from emulators.journal import Journal
from emulators.marketo import Marketo
from emulators.marketo.app import ALL_PERMISSIONS
from emulators.marketo.operations import WRITE_LEADS
from emulators.vendor import Surroundings

RECORDED = json.loads((Path(__file__).parent / "recorded" / "marketo_exchanges.json").read_text())
ACCESS = {"client_id": "c", "client_secret": "s", "grant_type": "client_credentials"}
AT = "2026-11-01T08:00:00Z"


class Sandbox:
    """One Marketo with a clock that stands still until told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.faults = Faults()
        surroundings = Surroundings(Journal(), self.faults, lambda: self.now, lambda _: None)
        self.marketo = Marketo(surroundings, **options)
        brian = {"id": 7149, "firstName": "Brian", "email": "b@x.io", "createdAt": AT, "updatedAt": AT}
        own = {
            "munchkin_id": "123-ABC-456", "client_id": "c", "client_secret": "s",
            "custom_fields": {"boolean_field": "boolean", "owner": "email", "sfdcAccountId": "string"},
            "synced_fields": ["sfdcAccountId"], "users": [], "leads": [brian], "lists": {"1159": [7149]},
        }  # fmt: skip
        self.marketo.seed({"marketo": own})
        self.client = TestClient(self.marketo.app, base_url="https://123-ABC-456.mktorest.com")

    def token(self, **asked: Any) -> httpx.Response:
        return self.client.get("/identity/oauth/token", params={**ACCESS, **asked})

    def call(self, method: str, path: str, **how: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token().json()['access_token']}"}
        return self.client.request(method, path, headers=headers, **how)

    def write(self, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        body = {"action": "updateOnly", "lookupField": "id", "input": list(rows)}
        result: list[dict[str, Any]] = self.call("POST", "/rest/v1/leads.json", json=body).json()["result"]
        return result

    def code(self, method: str, path: str, **how: Any) -> str:
        answer = self.call(method, path, **how)
        assert (answer.status_code, answer.json()["success"]) == (200, False)
        return str(answer.json()["errors"][0]["code"])


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def test_a_lead_is_shown_as_recorded(sandbox: Sandbox) -> None:
    query = {"filterType": "id", "filterValues": "7149"}
    body = sandbox.call("GET", "/rest/v1/leads.json", params=query).json()
    recorded = RECORDED["lead"]["body"]
    assert body.keys() == recorded.keys()
    assert body["result"][0].keys() == recorded["result"][0].keys()


def test_nobody_found_is_an_empty_result_as_recorded(sandbox: Sandbox) -> None:
    query = {"filterType": "email", "filterValues": "nobody@x.io"}
    body = sandbox.call("GET", "/rest/v1/leads.json", params=query).json()
    assert body | {"requestId": ""} == RECORDED["none"]["body"] | {"requestId": ""}


def test_a_list_shows_its_leads_as_recorded(sandbox: Sandbox) -> None:
    body = sandbox.call("GET", "/rest/v1/list/1159/leads.json").json()
    recorded = RECORDED["list"]["body"]
    assert body.keys() == recorded.keys()
    assert body["result"][0].keys() == recorded["result"][0].keys()


def test_a_value_of_the_wrong_kind_is_skipped_without_an_id_as_recorded(sandbox: Sandbox) -> None:
    result = sandbox.write({"id": 7149, "boolean_field": "other"})
    assert result == RECORDED["skipped"]["body"]["result"]


def test_an_unknown_lead_an_unknown_field_and_one_of_the_crm_sync_are_skipped(sandbox: Sandbox) -> None:
    rows = ({"id": 1, "owner": "a@x.io"}, {"id": 7149, "nothing": "x"}, {"id": 7149, "sfdcAccountId": "001"})
    codes = [row["reasons"][0]["code"] for row in sandbox.write(*rows)]
    assert codes == ["1004", "1006", "1003"]


def test_the_date_of_a_lead_moves_with_standard_fields_only(sandbox: Sandbox) -> None:
    sandbox.write({"id": 7149, "owner": "a@x.io"})
    assert sandbox.marketo.snapshot()["leads"]["7149"]["updatedAt"] == AT
    sandbox.write({"id": 7149, "city": "Ulm"})
    assert sandbox.marketo.snapshot()["leads"]["7149"]["updatedAt"] != AT


def test_a_token_is_the_same_one_until_it_ends(sandbox: Sandbox) -> None:
    first = sandbox.token().json()
    sandbox.now += timedelta(minutes=59)
    again = sandbox.token().json()
    assert (again["access_token"], again["expires_in"]) == (first["access_token"], 60)
    sandbox.now += timedelta(minutes=1)
    ended = sandbox.client.get("/rest/v1/leads.json", headers={"Authorization": f"Bearer {first['access_token']}"})
    assert (ended.status_code, ended.json()["errors"][0]["code"]) == (200, "602")
    assert sandbox.token().json()["access_token"] != first["access_token"]


def test_nobody_gets_in_without_a_token(sandbox: Sandbox) -> None:
    answer = sandbox.client.get("/rest/v1/leads.json", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (200, "601")
    assert sandbox.token(client_secret="x").status_code == 401


def test_an_unknown_route_is_marketos_610(sandbox: Sandbox) -> None:
    assert sandbox.code("GET", "/rest/v1/accounts.json") == "610"


def test_a_permission_that_was_not_given_is_denied() -> None:
    sandbox = Sandbox(permissions=ALL_PERMISSIONS - {WRITE_LEADS})
    assert sandbox.code("POST", "/rest/v1/leads.json", json={"input": [{}]}) == "603"


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"content": b"{", "headers": {}}, "612"),
        ({"json": {"input": []}}, "701"),
        ({"json": {"input": [{"id": 1}] * 301, "action": "updateOnly", "lookupField": "id"}}, "1003"),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(sandbox: Sandbox, how: dict[str, Any], code: str) -> None:
    how.pop("headers", None)
    assert sandbox.code("POST", "/rest/v1/leads.json", **how) == code


def test_too_long_an_address_and_too_large_a_body_are_http_errors(sandbox: Sandbox) -> None:
    query = {"filterType": "id", "filterValues": ",".join(["7149"] * 2_000)}
    assert sandbox.call("GET", "/rest/v1/leads.json", params=query).status_code == 414
    assert sandbox.call("POST", "/rest/v1/leads.json", content=b" " * 1_048_577).status_code == 413


def test_a_hundred_and_first_call_in_twenty_seconds_is_a_606(sandbox: Sandbox) -> None:
    for _ in range(100):
        assert sandbox.call("GET", "/rest/v1/list/1159/leads.json").json()["success"]
    assert sandbox.code("GET", "/rest/v1/list/1159/leads.json") == "606"
    sandbox.now += timedelta(seconds=20)
    assert sandbox.call("GET", "/rest/v1/list/1159/leads.json").json()["success"]


def test_a_used_up_day_is_a_607_until_the_next(sandbox: Sandbox) -> None:
    sandbox = Sandbox(daily_calls=1)
    assert sandbox.call("GET", "/rest/v1/list/1159/leads.json").json()["success"]
    assert sandbox.code("GET", "/rest/v1/list/1159/leads.json") == "607"
    sandbox.now += timedelta(days=1)
    assert sandbox.call("GET", "/rest/v1/list/1159/leads.json").json()["success"]


def test_an_ordered_failure_is_one_of_marketos_own_or_of_what_stands_before_it(sandbox: Sandbox) -> None:
    sandbox.faults.install(Fault("marketo", "get_list", "status", nth=1, params={"status": 615}))
    sandbox.faults.install(Fault("marketo", "get_list", "status", nth=2, params={"status": 503}))
    assert sandbox.code("GET", "/rest/v1/list/1159/leads.json") == "615"
    assert sandbox.call("GET", "/rest/v1/list/1159/leads.json").status_code == 503
