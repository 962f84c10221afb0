"""Stripe as the emulator plays it: objects held to Stripe's own fixtures, paging and errors to its reference."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulators.faults import Faults
from emulators.journal import Journal
from emulators.stripe import Stripe
from emulators.vendor import Surroundings

FIXTURES = json.loads((Path(__file__).parent / "recorded" / "stripe_objects.json").read_text())
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _customers(count: int) -> list[dict[str, Any]]:
    return [FIXTURES["customer"] | {"id": f"cus_{n:04d}", "created": 1_700_000_000 + n} for n in range(count)]


@pytest.fixture
def stripe() -> Stripe:
    vendor = Stripe(Surroundings(Journal(), Faults(), lambda: START, lambda _: None))
    statuses = ("active", "canceled")
    subscriptions = [
        FIXTURES["subscription"] | {"id": f"sub_{status}", "status": status, "customer": "cus_0000"}
        for status in statuses
    ]
    vendor.seed({"stripe": {"key": "sk_test_1", "customers": _customers(150), "subscriptions": subscriptions}})
    return vendor


@pytest.fixture
def client(stripe: Stripe) -> TestClient:
    return TestClient(stripe.app, base_url="https://api.stripe.com", headers={"Authorization": "Bearer sk_test_1"})


def test_pages_run_newest_first_until_there_is_no_more(client: TestClient) -> None:
    first = client.get("/v1/customers?limit=100").json()
    assert (first["object"], first["url"], first["has_more"]) == ("list", "/v1/customers", True)
    assert first["data"][0]["id"] == "cus_0149"
    second = client.get(f"/v1/customers?limit=100&starting_after={first['data'][-1]['id']}").json()
    assert (len(second["data"]), second["has_more"]) == (50, False)
    back = client.get(f"/v1/customers?limit=100&ending_before={second['data'][0]['id']}").json()
    assert back["data"] == first["data"]


def test_objects_have_the_fields_of_stripes_own_fixtures(client: TestClient) -> None:
    assert set(client.get("/v1/customers/cus_0001").json()) == set(FIXTURES["customer"])
    subscription = client.get("/v1/subscriptions/sub_active?expand[]=customer").json()
    assert set(subscription) == set(FIXTURES["subscription"])
    assert subscription["customer"]["object"] == "customer"
    assert "current_period_end" in subscription["items"]["data"][0]


def test_canceled_subscriptions_are_listed_only_when_asked_for(client: TestClient) -> None:
    assert [one["id"] for one in client.get("/v1/subscriptions").json()["data"]] == ["sub_active"]
    assert len(client.get("/v1/subscriptions?status=all").json()["data"]) == 2


def test_created_bounds_hold(client: TestClient) -> None:
    found = client.get("/v1/customers?created[gte]=1700000010&created[lt]=1700000012").json()["data"]
    assert [one["id"] for one in found] == ["cus_0011", "cus_0010"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/customers?limit=101", 400, "parameter_invalid_integer"),
        ("/v1/customers?nonsense=1", 400, "parameter_unknown"),
        ("/v1/customers?starting_after=cus_none", 400, "resource_missing"),
        ("/v1/customers?expand[]=data.nonsense", 400, None),
        ("/v1/customers/cus_none", 404, "resource_missing"),
        ("/v1/nonsense", 404, None),
    ],
)
def test_what_stripe_would_refuse_is_refused(client: TestClient, path: str, status: int, code: str | None) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["error"].get("code")) == (status, code)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["request-id"].startswith("req_")


def test_a_wrong_key_is_refused_and_basic_works_too(client: TestClient) -> None:
    assert client.get("/v1/customers", headers={"Authorization": "Bearer sk_no"}).status_code == 401
    assert client.get("/v1/customers", headers={"Authorization": "Basic c2tfdGVzdF8xOg=="}).status_code == 200


def test_the_101st_call_in_a_second_is_too_many(client: TestClient) -> None:
    statuses = [client.get("/v1/customers?limit=1").status_code for _ in range(101)]
    assert (statuses.count(200), statuses[-1]) == (100, 429)


def test_an_edit_leaves_an_event_that_says_what_it_was_before(client: TestClient, stripe: Stripe) -> None:
    stripe.edit({"object": "customer", "id": "cus_0001", "set": {"email": "new@x.io"}})
    (event,) = client.get("/v1/events?types[]=customer.updated").json()["data"]
    assert set(event) == set(FIXTURES["event"])
    assert event["data"]["previous_attributes"] == {"email": None}
    assert client.get("/v1/events?types[]=invoice.paid").json()["data"] == []
