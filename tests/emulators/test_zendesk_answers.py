"""Zendesk as the emulator plays it: held to recorded traffic where there is some, and to what its pages say."""

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
from emulators.vendor import Surroundings
from emulators.zendesk import Zendesk

RECORDED = json.loads((Path(__file__).parent / "recorded" / "zendesk_errors.json").read_text())
SECRETS = {"client_id": "c", "client_secret": "s", "grant_type": "client_credentials"}
FIELDS = [{"id": 1, "key": "account_owner", "title": "Owner", "type": "lookup", "active": True}]
USERS = [{"id": 71, "name": "A", "email": "a@x.io", "role": "agent", "active": True, "suspended": False}]


class Sandbox:
    """One Zendesk with a clock that stands still until told otherwise."""

    def __init__(self, **options: Any) -> None:
        self.now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.faults = Faults()
        surroundings = Surroundings(Journal(), self.faults, lambda: self.now, lambda _: None)
        self.zendesk = Zendesk(surroundings, **options)
        rows = [{"id": 5_000_000_000 + n, "name": f"C {n}", "updated_at": "2026-11-01T08:00:00Z"} for n in range(3)]
        access = {"subdomain": "acme", "client_id": "c", "client_secret": "s"}
        own = {**access, "organization_fields": FIELDS, "users": USERS, "organizations": rows}
        self.zendesk.seed({"zendesk": own})
        self.client = TestClient(self.zendesk.app, base_url="https://acme.zendesk.com")

    def token(self, **asked: Any) -> httpx.Response:
        body = {**SECRETS, "scope": "read organizations:write", "expires_in": 300, **asked}
        return self.client.post("/oauth/tokens", json=body)

    def call(self, method: str, path: str, token: str | None = None, **how: Any) -> httpx.Response:
        token = token or self.token().json()["access_token"]
        return self.client.request(method, f"/api/v2/{path}", headers={"Authorization": f"Bearer {token}"}, **how)


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


def test_a_full_minute_is_answered_in_plain_text_with_retry_after_as_recorded(sandbox: Sandbox) -> None:
    sandbox.faults.install(Fault("zendesk", "list_users", "status", nth=1, params={"status": 429}))
    answer = sandbox.call("GET", "users.json")
    recorded = RECORDED["429"]
    assert answer.headers["Content-Type"] == recorded["headers"]["Content-Type"]
    assert answer.headers["Retry-After"] == recorded["headers"]["Retry-After"]
    assert {"X-Rate-Limit", "X-Rate-Limit-Remaining"} <= {name.title() for name in answer.headers}
    assert not answer.text.startswith("{")
    assert not recorded["body"].startswith("{")


def test_a_record_that_is_refused_has_the_recorded_body(sandbox: Sandbox) -> None:
    body = {"organization": {"organization_fields": {"account_owner": "99"}}}
    answer = sandbox.call("PUT", "organizations/5000000000.json", json=body)
    assert answer.status_code == 422
    recorded = RECORDED["422"]["body"]
    assert answer.json().keys() == recorded.keys()
    assert (answer.json()["error"], answer.json()["description"]) == (recorded["error"], recorded["description"])
    assert list(answer.json()["details"]) == ["account_owner"]
    assert answer.json()["details"]["account_owner"][0].keys() == recorded["details"]["email"][0].keys()


@pytest.mark.parametrize(
    ("headers", "error"), [({}, "Couldn't authenticate you"), ({"Authorization": "Bearer nonsense"}, "invalid_token")]
)
def test_nobody_gets_in_without_a_token(sandbox: Sandbox, headers: dict[str, str], error: str) -> None:
    answer = sandbox.client.get("/api/v2/users.json", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, error)


def test_a_token_ends_when_it_said(sandbox: Sandbox) -> None:
    token = sandbox.token().json()["access_token"]
    assert sandbox.call("GET", "users.json?page[size]=1", token).status_code == 200
    sandbox.now += timedelta(seconds=300)
    assert sandbox.call("GET", "users.json?page[size]=1", token).status_code == 401


@pytest.mark.parametrize("wrong", [{"client_secret": "x"}, {"expires_in": 10}, {"grant_type": "password"}])
def test_a_token_is_not_given_to_just_anybody(sandbox: Sandbox, wrong: dict[str, Any]) -> None:
    assert sandbox.token(**wrong).status_code in (400, 401)


def test_a_scope_that_was_not_granted_is_forbidden(sandbox: Sandbox) -> None:
    token = sandbox.token(scope="read").json()["access_token"]
    answer = sandbox.call("PUT", "organizations/5000000000.json", token, json={"organization": {}})
    assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")


@pytest.mark.parametrize("path", ["accounts.json", "organizations/5000000000/owner.json"])
def test_an_unknown_route_is_zendesks_own_404(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.call("GET", path)
    assert (answer.status_code, answer.json()["error"]) == (404, "InvalidEndpoint")


def test_a_field_that_does_not_exist_is_dropped_without_a_word(sandbox: Sandbox) -> None:
    body = {"organization": {"organization_fields": {"owner": "71"}}}
    answer = sandbox.call("PUT", "organizations/5000000000.json", json=body)
    assert answer.json()["organization"]["organization_fields"] == {"account_owner": None}


def test_more_than_a_hundred_at_once_are_refused(sandbox: Sandbox) -> None:
    rows = [{"id": n} for n in range(101)]
    answer = sandbox.call("PUT", "organizations/update_many.json", json={"organizations": rows})
    assert answer.status_code == 400


def test_a_job_does_nothing_until_it_is_done(sandbox: Sandbox) -> None:
    row = {"id": 5_000_000_001, "organization_fields": {"account_owner": 71}}
    job = sandbox.call("PUT", "organizations/update_many.json", json={"organizations": [row]}).json()["job_status"]
    assert (job["status"], job["results"]) == ("queued", None)
    assert sandbox.zendesk.snapshot()["organizations"]["5000000001"]["organization_fields"] == {"account_owner": None}
    sandbox.now += timedelta(seconds=2)
    ended = sandbox.call("GET", f"job_statuses/{job['id']}.json").json()["job_status"]
    assert ended["status"] == "completed"
    assert ended["results"] == [{"id": 5_000_000_001, "action": "update", "success": True, "status": "Updated"}]


def test_a_thirty_first_job_has_to_wait(sandbox: Sandbox) -> None:
    rows = {"organizations": [{"id": 5_000_000_001}]}
    statuses = [sandbox.call("PUT", "organizations/update_many.json", json=rows).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]


def test_an_export_does_not_reach_into_the_last_minute(sandbox: Sandbox) -> None:
    latest = int(sandbox.now.timestamp()) - 60
    assert sandbox.call("GET", f"incremental/organizations.json?start_time={latest}").status_code == 200
    answer = sandbox.call("GET", f"incremental/organizations.json?start_time={latest + 1}")
    assert (answer.status_code, answer.json()["error"]) == (422, "StartTimeTooRecent")


def test_an_eleventh_export_in_a_minute_has_to_wait_for_the_first_to_pass(sandbox: Sandbox) -> None:
    token = sandbox.token().json()["access_token"]
    answers = [sandbox.call("GET", "incremental/organizations.json?start_time=0", token) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].headers["Retry-After"] == "60"


def test_another_subdomain_is_another_account(sandbox: Sandbox) -> None:
    elsewhere = TestClient(sandbox.zendesk.app, base_url="https://other.zendesk.com")
    assert elsewhere.post("/oauth/tokens", json=SECRETS).status_code == 404
