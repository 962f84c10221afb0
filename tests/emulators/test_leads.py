"""Leads as the emulated CRMs hold them: as strict as they are about accounts, and in the shapes of recorded traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hubspot.utils.signature import Signature
from starlette.testclient import TestClient

from emulators.hubspot import HubSpot
from emulators.hubspot.webhooks import Delivery as Subscription
from emulators.salesforce.app import Salesforce
from emulators.vendor import Delivery
from tests.contract.test_hubspot import IDS as RECORD_IDS
from tests.contract.test_hubspot import Account
from tests.contract.test_salesforce import ACCOUNTS, IDS, LEAD_IDS, LEADS, OWNERS, QUEUE, Org
from tests.contract.wire import Wire

BASE = "/services/data/v66.0"
CONTACTS = "/crm/v3/objects/contacts"
# From test recordings of grouparoo/grouparoo, MIT, (c) 2022 Grouparoo, Inc.: a write to a converted lead, and the
# properties of a contact that was searched with `properties: ["email"]`.
RECORDED_CONVERTED = {
    "success": False,
    "errors": [
        {"statusCode": "CANNOT_UPDATE_CONVERTED_LEAD", "message": "cannot reference converted lead", "fields": []}
    ],
}
RECORDED_CONTACT = ["createdate", "email", "hs_object_id", "lastmodifieddate"]


class Crm:
    """Salesforce with leads, asked as any client may, and what it sends by itself."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.vendor: Salesforce = org.vendor
        org.connector.check()
        token = org.door.sent[-1].token
        self.client = TestClient(
            self.vendor.app, base_url="https://northwind.my.salesforce.com", headers={"Authorization": token}
        )

    def query(self, soql: str) -> Any:
        return self.client.get(f"{BASE}/query", params={"q": soql}).json()

    def update(self, *records: dict[str, Any], **headers: str) -> Any:
        rows = [{"attributes": {"type": "Lead"}, **record} for record in records]
        body = {"allOrNone": False, "records": rows}
        return self.client.patch(f"{BASE}/composite/sobjects", json=body, headers=headers).json()

    def lead(self, at: int = 0) -> dict[str, Any]:
        return self.vendor.org.tables["Lead"][LEAD_IDS[at]]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


@pytest.fixture
def crm(wire: Wire) -> Crm:
    return Crm(Org(wire, ACCOUNTS[:5], LEADS[:5]))


# --- Salesforce ---


def test_a_lead_may_be_owned_by_a_user_or_a_queue_and_a_query_names_either(crm: Crm) -> None:
    crm.update({"id": LEAD_IDS[0], "OwnerId": QUEUE}, **{"Sforce-Auto-Assign": "false"})
    soql = f"SELECT Id, Owner.Name FROM Lead WHERE Id IN ('{LEAD_IDS[0]}', '{LEAD_IDS[1]}')"
    owners = {row["Id"]: row["Owner"] for row in crm.query(soql)["records"]}
    assert (owners[LEAD_IDS[0]]["Name"], owners[LEAD_IDS[0]]["attributes"]["type"]) == ("Triage", "Group")
    assert owners[LEAD_IDS[1]]["attributes"]["type"] == "User"


def test_a_group_that_is_no_queue_owns_no_lead(crm: Crm) -> None:
    crm.vendor.org.tables["Group"][QUEUE]["Type"] = "Regular"
    (answer,) = crm.update({"id": LEAD_IDS[0], "OwnerId": QUEUE}, **{"Sforce-Auto-Assign": "FALSE"})
    assert answer["errors"][0]["statusCode"] == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize("headers", [{}, {"Sforce-Auto-Assign": "TRUE"}])
def test_the_active_assignment_rule_runs_after_every_write_that_does_not_ask_it_to_stay_out(
    crm: Crm, headers: dict[str, str]
) -> None:
    (answer,) = crm.update({"id": LEAD_IDS[0], "City": "Ulm"}, **headers)
    assert answer["success"]
    assert (crm.lead()["City"], crm.lead()["OwnerId"]) == ("Ulm", QUEUE)


def test_the_rule_gives_no_account_away(crm: Crm) -> None:
    crm.client.patch(f"{BASE}/sobjects/Account/{IDS[0]}", json={"BillingCity": "Ulm"})
    assert crm.org.owner(IDS[0]) == OWNERS[1]


def test_a_converted_lead_takes_no_write_and_says_so_as_recorded(crm: Crm) -> None:
    crm.org.convert(LEAD_IDS[0], IDS[2])
    assert crm.update({"id": LEAD_IDS[0], "City": "Ulm"}) == [RECORDED_CONVERTED]
    single = crm.client.patch(f"{BASE}/sobjects/Lead/{LEAD_IDS[0]}", json={"City": "Ulm"})
    assert (single.status_code, single.json()[0]["errorCode"]) == (400, "CANNOT_UPDATE_CONVERTED_LEAD")
    lead = crm.lead()
    assert (lead["IsConverted"], lead["ConvertedAccountId"], lead.get("City")) == (True, IDS[2], None)


def test_all_or_none_is_none_when_one_lead_was_converted(crm: Crm) -> None:
    crm.org.convert(LEAD_IDS[0], IDS[2])
    rows = [{"attributes": {"type": "Lead"}, "id": id_, "City": "Ulm"} for id_ in LEAD_IDS[:2]]
    answer = crm.client.patch(f"{BASE}/composite/sobjects", json={"allOrNone": True, "records": rows}).json()
    codes = [row["errors"][0]["statusCode"] for row in answer]
    assert codes == ["CANNOT_UPDATE_CONVERTED_LEAD", "ALL_OR_NONE_OPERATION_ROLLED_BACK"]


@pytest.mark.parametrize("field", ["IsConverted", "ConvertedAccountId", "Name"])
def test_what_only_the_org_writes_cannot_be_written(crm: Crm, field: str) -> None:
    (answer,) = crm.update({"id": LEAD_IDS[0], field: "x"})
    assert answer["errors"][0]["statusCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_the_name_of_a_lead_follows_its_parts(crm: Crm) -> None:
    crm.update({"id": LEAD_IDS[0], "FirstName": "Grace", "LastName": "Hopper"})
    assert crm.lead()["Name"] == "Grace Hopper"


def test_a_lead_needs_a_last_name_and_a_company(crm: Crm) -> None:
    refused = crm.client.post(f"{BASE}/sobjects/Lead", json={"FirstName": "Ada"}).json()
    assert (refused[0]["errorCode"], refused[0]["fields"]) == ("REQUIRED_FIELD_MISSING", ["LastName", "Company"])
    made = crm.client.post(f"{BASE}/sobjects/Lead", json={"LastName": "Lovelace", "Company": "Engines"})
    assert made.status_code == 201
    assert crm.vendor.org.tables["Lead"][made.json()["id"]]["OwnerId"] == QUEUE


def test_a_lead_has_no_entity_tag_and_an_if_match_guards_nothing(crm: Crm) -> None:
    path = f"{BASE}/sobjects/Lead/{LEAD_IDS[0]}"
    assert "etag" not in crm.client.get(path).headers
    assert crm.client.patch(path, json={"City": "Ulm"}, headers={"If-Match": '"another"'}).status_code == 204


def test_a_lead_that_was_modified_since_is_guarded_by_its_date(crm: Crm) -> None:
    path, since = f"{BASE}/sobjects/Lead/{LEAD_IDS[0]}", "Thu, 19 Nov 2026 00:00:00 GMT"
    refused = crm.client.patch(path, json={"City": "Ulm"}, headers={"If-Unmodified-Since": since})
    assert refused.status_code == 412
    assert crm.lead().get("City") is None


def test_a_task_about_a_lead_is_related_to_nothing_else(crm: Crm) -> None:
    body = {"Subject": "Call", "WhoId": LEAD_IDS[0], "WhatId": IDS[0]}
    refused = crm.client.post(f"{BASE}/sobjects/Task", json=body).json()
    assert refused[0]["errorCode"] == "FIELD_INTEGRITY_EXCEPTION"
    misplaced = crm.client.post(f"{BASE}/sobjects/Task", json={"Subject": "Call", "WhatId": LEAD_IDS[0]}).json()
    assert misplaced[0]["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"


def test_accounts_and_leads_go_out_in_messages_of_their_own(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Delivery] = []
    monkeypatch.setattr(crm.vendor._outbound, "_deliver", sent.append)
    crm.vendor.subscribe("http://127.0.0.1:1/outbound")
    records = [
        {"attributes": {"type": "Account"}, "id": IDS[0], "Site": "Ulm"},
        {"attributes": {"type": "Lead"}, "id": LEAD_IDS[0], "City": "Ulm"},
    ]
    crm.client.patch(f"{BASE}/composite/sobjects", json={"records": records})
    about_account, about_lead = (delivery.body.decode() for delivery in sent)
    assert 'xsi:type="sf:Account"' in about_account
    assert IDS[0] in about_account
    assert 'xsi:type="sf:Lead"' in about_lead
    assert f"<sf:Id>{LEAD_IDS[0]}</sf:Id><sf:OwnerId>{QUEUE}</sf:OwnerId>" in about_lead


# --- HubSpot ---


@pytest.fixture
def hubspot(wire: Wire) -> HubSpot:
    return Account(wire, "v3").vendor


@pytest.fixture
def client(hubspot: HubSpot) -> Iterator[TestClient]:
    key = {"Authorization": "Bearer pat-1"}
    with TestClient(hubspot.app, base_url="https://api.hubapi.com", headers=key) as opened:
        yield opened


def contacts(client: TestClient, *inputs: tuple[str, dict[str, str]]) -> httpx.Response:
    rows = [{"id": record_id, "properties": values} for record_id, values in inputs]
    return client.post(f"{CONTACTS}/batch/update", json={"inputs": rows})


def test_a_contact_shows_what_the_recorded_one_shows(client: TestClient) -> None:
    found = client.post(f"{CONTACTS}/search", json={"properties": ["email"], "limit": 1}).json()["results"][0]
    assert list(found["properties"]) == RECORDED_CONTACT


def test_every_write_moves_the_date_that_is_a_contacts_own(client: TestClient, wire: Wire) -> None:
    before = client.get(f"{CONTACTS}/{RECORD_IDS[0]}").json()
    wire.wait(5)
    contacts(client, (RECORD_IDS[0], {"city": "Ulm"}))
    asked = {"properties": "lastmodifieddate,hs_lastmodifieddate"}
    after = client.get(f"{CONTACTS}/{RECORD_IDS[0]}", params=asked).json()
    assert after["properties"]["lastmodifieddate"] > before["properties"]["lastmodifieddate"]
    assert after["properties"]["lastmodifieddate"] == after["updatedAt"]
    assert after["properties"]["hs_lastmodifieddate"] is None


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("hubspot_owner_id", "79", "INVALID_OWNER_ID"),
        ("hs_email_optout", "true", "READ_ONLY_VALUE"),
        ("lastmodifieddate", "2026-01-01T00:00:00Z", "READ_ONLY_VALUE"),
        ("numemployees", "40", "INVALID_OPTION"),
        ("lifecyclestage", "hot", "INVALID_OPTION"),
        ("email", "ada", "INVALID_EMAIL"),
        ("hs_parent_company_id", "7", "PROPERTY_DOESNT_EXIST"),
    ],
)
def test_one_value_a_contact_cannot_have_fails_the_whole_batch(
    client: TestClient, hubspot: HubSpot, name: str, value: str, code: str
) -> None:
    answer = contacts(client, (RECORD_IDS[0], {"city": "Ulm"}), (RECORD_IDS[1], {name: value}))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert hubspot.snapshot()["contacts"][RECORD_IDS[0]].get("city") is None


def test_a_hundred_contacts_are_taken_and_one_more_is_not(client: TestClient) -> None:
    inputs = [(record_id, {"city": "Ulm"}) for record_id in RECORD_IDS[:101]]
    assert contacts(client, *inputs[:100]).status_code == 200
    assert contacts(client, *inputs).status_code == 400


def test_no_two_contacts_have_one_address(client: TestClient) -> None:
    email = {"properties": {"email": "ADA1@c1.example"}}
    created = client.post(CONTACTS, json=email)
    assert (created.status_code, created.json()["category"]) == (409, "CONFLICT")
    assert created.json()["message"] == f"Contact already exists. Existing ID: {RECORD_IDS[1]}"
    assert client.patch(f"{CONTACTS}/{RECORD_IDS[0]}", json=email).status_code == 409
    assert client.patch(f"{CONTACTS}/{RECORD_IDS[1]}", json=email).status_code == 200


def test_an_archived_contact_is_listed_only_when_asked_for(client: TestClient) -> None:
    assert client.delete(f"{CONTACTS}/{RECORD_IDS[0]}").status_code == 204
    assert client.post(f"{CONTACTS}/search", json={}).json()["total"] == len(RECORD_IDS) - 1
    listed = client.get(CONTACTS, params={"archived": "true"}).json()["results"]
    assert [row["id"] for row in listed] == [RECORD_IDS[0]]
    assert client.get(f"/crm/v3/objects/companies/{RECORD_IDS[0]}").status_code == 200


def test_an_association_type_says_of_which_object_a_record_is(client: TestClient) -> None:
    properties = {"hs_timestamp": "2026-11-24T09:00:00Z", "hs_task_subject": "Call", "hubspot_owner_id": "77"}

    def task(type_id: int) -> httpx.Response:
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        link = {"to": {"id": RECORD_IDS[0]}, "types": types}
        return client.post("/crm/v3/objects/tasks", json={"properties": properties, "associations": [link]})

    made = task(204)
    assert made.status_code == 201
    path = f"/crm/v4/objects/tasks/{made.json()['id']}/associations"
    assert client.get(f"{path}/contacts").json()["results"][0]["associationTypes"][0]["typeId"] == 204
    assert client.get(f"{path}/companies").json()["results"] == []
    assert task(279).status_code == 400


def test_a_person_s_edit_of_a_contact_goes_out_as_a_signed_event_about_a_contact(
    hubspot: HubSpot, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, dict[str, str], bytes]] = []
    monkeypatch.setattr(type(wire.surroundings), "send", lambda _, *request: sent.append(request))
    hubspot.delivery = Subscription("https://steward.example/webhooks/hubspot")
    hubspot.edit({"object": "contact", "id": RECORD_IDS[0], "properties": {"lifecyclestage": "customer"}})
    hubspot.edit({"object": "contact", "action": "create", "properties": {"email": "new@c.example"}})
    hubspot.edit({"id": RECORD_IDS[0], "properties": {"domain": "c.example"}})
    events = [json.loads(body)[0] for _, _, body in sent]
    assert [(event["subscriptionType"], event.get("propertyName")) for event in events] == [
        ("contact.propertyChange", "lifecyclestage"),
        ("contact.creation", None),
        ("company.propertyChange", "domain"),
    ]
    assert len({event["subscriptionId"] for event in events}) == 3
    url, headers, body = sent[0]
    expected = Signature.get_signature(
        client_secret="s",
        request_body=body.decode(),
        signature_version="v3",
        http_uri=url,
        http_method="POST",
        timestamp=headers["X-HubSpot-Request-Timestamp"],
    )
    assert headers["X-HubSpot-Signature-v3"] == expected
