"""HubSpot as the emulator plays it: shapes held to HubSpot's own models, limits and errors to what it publishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hubspot.utils.signature import Signature
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from emulators.faults import Fault, Faults
from emulators.hubspot import HubSpot
from emulators.hubspot.webhooks import Delivery as Subscription
from emulators.journal import Journal
from emulators.vendor import Delivery, Surroundings

RECORDED = Path(__file__).parent / "recorded"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = {"Authorization": "Bearer pat-1"}
COMPANIES = "/crm/v3/objects/companies"


class Sandbox:
    """One HubSpot with a clock that stands still until told otherwise."""

    def __init__(self, companies: int = 3, **options: Any) -> None:
        self.now = START
        self.journal, self.faults, self.sent = Journal(), Faults(), list[Delivery]()
        surroundings = Surroundings(self.journal, self.faults, lambda: self.now, self.sent.append)
        self.hubspot = HubSpot(surroundings, **options)
        self.hubspot.seed({"hubspot": _world(companies)})
        self.client = TestClient(self.hubspot.app, base_url="https://api.hubapi.com", headers=KEY)

    def search(self, **body: Any) -> httpx.Response:
        return self.client.post(f"{COMPANIES}/search", json=body)

    def update(self, *inputs: tuple[str, dict[str, str]]) -> httpx.Response:
        rows = [{"id": record_id, "properties": values} for record_id, values in inputs]
        return self.client.post(f"{COMPANIES}/batch/update", json={"inputs": rows})


def _world(companies: int) -> dict[str, Any]:
    at = "2026-11-01T08:00:00.000Z"
    owner = {"firstName": "A", "lastName": "B", "type": "PERSON"}
    return {
        "portal_id": 7,
        "token": "pat-1",
        "webhook_secret": "s3",
        "owners": [
            {"id": "71", "userId": 901, "email": "a@x.io", "archived": False, **owner},
            {"id": "72", "userId": 902, "email": "b@x.io", "archived": True, **owner},
        ],
        "companies": [
            {
                "id": str(1000 + number),
                "properties": {"name": f"Company {number}", "domain": f"c{number}.io", "hubspot_owner_id": "71"},
                "createdAt": at,
                "updatedAt": at,
                "archived": False,
            }
            for number in range(companies)
        ],
    }


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(scope="module")
def conforms() -> Callable[[str, Any], None]:
    schemas = json.loads((RECORDED / "hubspot_schemas.json").read_text())

    def check(name: str, body: Any) -> None:
        _allow_null(schemas)
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", **schemas}).validate(body)

    return check


def _allow_null(node: Any) -> None:
    """OpenAPI's `nullable` in JSON Schema's words."""
    if isinstance(node, dict):
        if node.pop("nullable", False) and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        for part in node.values():
            _allow_null(part)
    elif isinstance(node, list):
        for part in node:
            _allow_null(part)


def test_every_answer_has_the_shape_of_hubspots_own_models(sandbox: Sandbox, conforms: Any) -> None:
    get = sandbox.client.get
    conforms("CollectionResponseWithTotalSimplePublicObjectForwardPaging", sandbox.search(limit=2).json())
    listed = get(COMPANIES, params={"limit": 2}).json()
    conforms("CollectionResponseSimplePublicObjectWithAssociationsForwardPaging", listed)
    conforms("SimplePublicObjectWithAssociations", get(f"{COMPANIES}/1000").json())
    conforms("CollectionResponsePublicOwnerForwardPaging", get("/crm/v3/owners/", params={"archived": "true"}).json())
    conforms("BatchResponseSimplePublicObject", sandbox.update(("1000", {"segment": "smb"})).json())
    partial = sandbox.update(("1000", {"segment": "smb"}), ("5", {"segment": "smb"}))
    assert partial.status_code == 207
    conforms("BatchResponseSimplePublicObjectWithErrors", partial.json())
    conforms("Error", get(f"{COMPANIES}/5").json())


def test_a_missing_id_is_named_and_does_not_hurt_the_others(sandbox: Sandbox) -> None:
    body = sandbox.update(("5", {"segment": "smb"}), ("1001", {"segment": "smb"})).json()
    assert body["numErrors"] == 1
    assert body["errors"][0]["context"]["ids"] == ["5"]
    assert [row["id"] for row in body["results"]] == ["1001"]


@pytest.mark.parametrize("owner", ["72", "999", "901"])
def test_one_owner_who_may_not_own_fails_the_whole_batch_and_writes_nothing(sandbox: Sandbox, owner: str) -> None:
    answer = sandbox.update(("1000", {"segment": "smb"}), ("1001", {"hubspot_owner_id": owner}))
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert sandbox.hubspot.snapshot()["companies"]["1000"].get("segment") is None


def test_an_unknown_property_is_left_out_when_read_and_refused_when_written(sandbox: Sandbox) -> None:
    shown = sandbox.client.get(f"{COMPANIES}/1000", params={"properties": "name,nonsense,segment"}).json()
    assert shown["properties"]["segment"] is None
    assert "nonsense" not in shown["properties"]
    refused = sandbox.update(("1000", {"nonsense": "1"}))
    assert refused.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"


def test_a_hundred_inputs_are_taken_and_one_more_is_not() -> None:
    sandbox = Sandbox(companies=101)
    ids = [str(1000 + number) for number in range(101)]
    assert sandbox.update(*((one, {"segment": "smb"}) for one in ids[:100])).status_code == 200
    assert sandbox.update(*((one, {"segment": "smb"}) for one in ids)).status_code == 400


def test_histories_of_fifty_records_are_given_and_not_of_one_more(conforms: Any) -> None:
    sandbox = Sandbox(companies=51)
    sandbox.hubspot.edit({"id": "1000", "properties": {"hubspot_owner_id": ""}, "by": 901})
    sandbox.update(("1000", {"hubspot_owner_id": "71"}))
    asked = {"properties": [], "propertiesWithHistory": ["hubspot_owner_id"]}
    inputs = [{"id": str(1000 + number)} for number in range(51)]
    given = sandbox.client.post(f"{COMPANIES}/batch/read", json=asked | {"inputs": inputs[:50]})
    conforms("BatchResponseSimplePublicObject", given.json())
    (moved,) = (one for one in given.json()["results"] if one["id"] == "1000")
    versions = moved["propertiesWithHistory"]["hubspot_owner_id"]
    assert [(each["value"], each["sourceType"], each["sourceId"]) for each in versions] == [
        ("71", "INTEGRATION", "1234567"),
        ("", "CRM_UI", "userId:901"),
    ]
    refused = sandbox.client.post(f"{COMPANIES}/batch/read", json=asked | {"inputs": inputs})
    assert refused.status_code == 400
    assert "supported in a batch request for property histories is 50" in refused.json()["message"]


def test_the_sixth_search_in_a_second_gets_the_recorded_429(sandbox: Sandbox) -> None:
    recorded = json.loads((RECORDED / "hubspot_exchanges.json").read_text())[0]["resBody"]
    assert [sandbox.search().status_code for _ in range(5)] == [200] * 5
    refused = sandbox.search()
    assert refused.status_code == 429
    assert {**refused.json(), "correlationId": ""} == {**recorded, "correlationId": ""}
    assert "retry-after" not in refused.headers
    assert "x-hubspot-ratelimit-max" not in refused.headers
    sandbox.now += timedelta(seconds=1)
    assert sandbox.search().status_code == 200


def test_the_191st_call_in_ten_seconds_is_refused_and_the_headers_count_down(sandbox: Sandbox) -> None:
    first = sandbox.client.get(f"{COMPANIES}/1000")
    assert first.headers["x-hubspot-ratelimit-max"] == "190"
    assert first.headers["x-hubspot-ratelimit-remaining"] == "189"
    for _ in range(189):
        sandbox.client.get(f"{COMPANIES}/1000")
    refused = sandbox.client.get(f"{COMPANIES}/1000")
    assert (refused.status_code, refused.json()["policyName"]) == (429, "TEN_SECONDLY_ROLLING")


def test_paging_ends_without_a_next_page_and_never_passes_ten_thousand(sandbox: Sandbox) -> None:
    first = sandbox.search(limit=2).json()
    assert first["paging"]["next"]["after"] == "2"
    assert "paging" not in sandbox.search(limit=2, after="2").json()
    assert sandbox.search(limit=200, after="9801").status_code == 400
    assert sandbox.search(after="abc").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"sorts": ["name", "domain"]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "EQ", "value": "a"}] * 7}]},
        {"filterGroups": [{"filters": [{"propertyName": "nonsense", "operator": "EQ", "value": "a"}]}]},
        {"filterGroups": [{"filters": [{"propertyName": "name", "operator": "EQ", "value": "a" * 3000}]}]},
    ],
)
def test_a_search_beyond_the_published_limits_is_refused(sandbox: Sandbox, body: dict[str, Any]) -> None:
    assert sandbox.search(**body).status_code == 400


def test_search_lags_behind_a_write_and_a_read_by_id_does_not() -> None:
    sandbox = Sandbox(index_delay=timedelta(seconds=20))
    sandbox.update(("1000", {"segment": "smb"}))
    wanted = {"filterGroups": [{"filters": [{"propertyName": "segment", "operator": "EQ", "value": "smb"}]}]}
    assert sandbox.search(**wanted).json()["total"] == 0
    shown = sandbox.client.get(f"{COMPANIES}/1000", params={"properties": "segment"}).json()
    assert shown["properties"]["segment"] == "smb"
    sandbox.now += timedelta(seconds=20)
    assert sandbox.search(**wanted).json()["total"] == 1


def test_a_modified_since_search_finds_what_was_written_since(sandbox: Sandbox) -> None:
    sandbox.update(("1001", {"segment": "smb"}))
    since = str(int(START.timestamp() * 1000))
    one = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": since}
    found = sandbox.search(filterGroups=[{"filters": [one]}], sorts=["hs_lastmodifieddate"]).json()
    assert [row["id"] for row in found["results"]] == ["1001"]


def test_an_archived_company_is_listed_only_when_asked_for(sandbox: Sandbox) -> None:
    assert sandbox.client.delete(f"{COMPANIES}/1000").status_code == 204
    assert sandbox.search().json()["total"] == 2
    listed = sandbox.client.get(COMPANIES, params={"archived": "true"}).json()["results"]
    assert [(row["id"], row["archived"]) for row in listed] == [("1000", True)]
    assert sandbox.client.get(f"{COMPANIES}/1000").status_code == 404


def test_a_merged_id_leads_to_the_company_that_survived(sandbox: Sandbox) -> None:
    sandbox.hubspot.edit({"action": "merge", "id": "1000", "into": "1001"})
    shown = sandbox.client.get(f"{COMPANIES}/1000", params={"properties": "hs_merged_object_ids"}).json()
    assert (shown["id"], shown["properties"]["hs_merged_object_ids"]) == ("1001", "1000")


def test_both_spellings_of_a_path_are_one_operation(sandbox: Sandbox) -> None:
    assert sandbox.client.get("/crm/objects/2026-03/companies/1000").status_code == 200
    assert sandbox.client.get("/crm/owners/2026-03").status_code == 200
    sandbox.client.get(f"{COMPANIES}/1000")
    assert sandbox.journal.count("hubspot", "companies.get") == 2


def test_a_task_is_created_and_put_on_a_company(sandbox: Sandbox, conforms: Any) -> None:
    values = {"hs_timestamp": "2026-11-21T09:00:00Z", "hs_task_subject": "Call", "hubspot_owner_id": "71"}
    task = sandbox.client.post("/crm/v3/objects/tasks", json={"properties": values})
    assert task.status_code == 201
    path = f"/crm/v4/objects/tasks/{task.json()['id']}/associations"
    conforms("BatchResponsePublicDefaultAssociation", sandbox.client.put(f"{path}/default/companies/1000").json())
    assert [one["toObjectId"] for one in sandbox.client.get(f"{path}/companies").json()["results"]] == ["1000"]


def test_a_stranger_an_unknown_path_and_a_missing_scope_are_refused_in_hubspots_words(sandbox: Sandbox) -> None:
    stranger = sandbox.client.get(COMPANIES, headers={"Authorization": "Bearer no"})
    assert (stranger.status_code, stranger.json()["category"]) == (401, "INVALID_AUTHENTICATION")
    assert sandbox.client.get("/crm/v9/nothing").status_code == 404
    reader = Sandbox(scopes=frozenset({"crm.objects.companies.read"}))
    refused = reader.update(("1000", {"segment": "smb"}))
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")


def test_an_edit_by_a_person_sends_a_signed_webhook_twice_when_told_to() -> None:
    sandbox = Sandbox(delivery=Subscription("https://steward.example/webhooks/hubspot", duplicates=True))
    sandbox.now = datetime.now(UTC)  # HubSpot's own check refuses an old signature by the real clock
    sandbox.hubspot.edit({"id": "1000", "properties": {"hubspot_owner_id": ""}})
    (delivery,) = sandbox.sent
    events = json.loads(delivery.body)
    assert [(one["objectId"], one["propertyName"], one["attemptNumber"]) for one in events] == [
        (1000, "hubspot_owner_id", 0),
        (1000, "hubspot_owner_id", 1),
    ]
    stamp = delivery.headers["X-HubSpot-Request-Timestamp"]
    assert Signature.is_valid(
        signature=delivery.headers["X-HubSpot-Signature-v3"],
        client_secret="s3",
        request_body=delivery.body.decode(),
        http_uri=delivery.url,
        http_method="POST",
        signature_version="v3",
        timestamp=stamp,
    )


def test_an_ordered_failure_wears_hubspots_body_and_does_nothing(sandbox: Sandbox) -> None:
    sandbox.faults.install(Fault("hubspot", "companies.batch_update", "status", nth=1, params={"status": 502}))
    assert sandbox.update(("1000", {"segment": "smb"})).status_code == 502
    assert sandbox.update(("1000", {"segment": "smb"})).status_code == 200
