"""The web application: a delivery is proved, kept once, acknowledged, and only then passed on."""

from __future__ import annotations

import base64
import hmac
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from pydantic import SecretStr
from starlette.testclient import TestClient

from config.settings import Settings
from emulators.salesforce.outbound import is_acknowledged
from tests.policies import read_policy
from web.app import create_app
from web.webhooks import MAX_BODY

SECRET = "s3cret"
PUBLIC_URL = "https://steward.example"
HUBSPOT, SALESFORCE = "/webhooks/hubspot", "/webhooks/salesforce"
ORG = "00DHs000000Nrth2AM"
OTHER_ORG = "00D000000000001EAA"
ACCOUNT = "001000000000001AAA"


@dataclass
class Web:
    """The running application, its database, and the runs it asked for."""

    client: TestClient
    started: list[tuple[str, str]] = field(default_factory=list)

    def kept(self, source: str) -> int:
        """How many events of this source wait to be read."""
        with self.client.app.state.surroundings.store.transaction(readonly=True) as uow:  # type: ignore[attr-defined]
            return int(uow.inbox.waiting(source))

    def hubspot(self, body: bytes, **signing: Any) -> Response:
        return self.client.post(HUBSPOT, content=body, headers=signed(body, **signing))

    def salesforce(self, body: bytes | str) -> Response:
        return self.client.post(SALESFORCE, content=body, headers={"Content-Type": "text/xml; charset=utf-8"})


@pytest.fixture
def configured(tmp_path: Path, sqlite_template: Path) -> Settings:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    return Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path / 'steward.db'}",
        hubspot_webhook_secret=SECRET,
        public_url=PUBLIC_URL,
        salesforce_org_id=ORG,
    )


def serve(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr("web.surroundings.load_policy", read_policy)
    # As in production: what goes wrong inside is an answer of 500 and not an exception in the caller.
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        web = Web(client)

        def start(source: str, external_ids: Sequence[str]) -> None:
            web.started.extend((source, id_) for id_ in external_ids)

        monkeypatch.setattr("web.changes.pass_on", start)
        monkeypatch.setattr("web.changes.GATHER_S", 0)
        yield web


@pytest.fixture
def web(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    yield from serve(configured, monkeypatch)


@pytest.fixture
def unconfigured(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Nobody has said yet which secret HubSpot signs with and which org is ours."""
    empty = {"hubspot_webhook_secret": SecretStr(""), "salesforce_org_id": ""}
    yield from serve(configured.model_copy(update=empty), monkeypatch)


def signed(
    body: bytes,
    *,
    secret: str = SECRET,
    method: str = "POST",
    uri: str = PUBLIC_URL + HUBSPOT,
    age_s: float = 0,
    timestamp: str | None = None,
) -> dict[str, str]:
    """HubSpot's headers for this body (request signature v3)."""
    at = timestamp if timestamp is not None else str(int((time.time() - age_s) * 1000))
    source = method.encode() + uri.encode() + body + at.encode()
    signature = base64.b64encode(hmac.new(secret.encode(), source, sha256).digest()).decode()
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at}


def event(number: int, company: int = 77, **other: Any) -> dict[str, Any]:
    return {
        "eventId": number, "objectId": company, "occurredAt": 1_790_000_000_000, "propertyName": "country",
        "subscriptionType": "company.propertyChange", **other,
    }  # fmt: skip


def delivery(*events: object) -> bytes:
    return json.dumps(events).encode()


def message(
    *records: str, org: str = ORG, first: int = 1, before: str = "", inside: str = "", about: str = "Account"
) -> str:
    """An outbound message that names these records."""
    notes = "".join(
        f"<Notification><Id>04l{first + n:012}AAA</Id>"
        f'<sObject xsi:type="sf:{about}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        f"<sf:Id>{record}</sf:Id><sf:Name>{inside}</sf:Name></sObject></Notification>"
        for n, record in enumerate(records)
    )
    return (
        f'{before}<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
        f'<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{org}</OrganizationId>'
        f'<ActionId>04k000000000001AAA</ActionId><SessionId xsi:nil="true"/>{notes}</notifications>'
        "</soapenv:Body></soapenv:Envelope>"
    )


def assert_refused(web: Web, source: str, answer: Response, status: int) -> None:
    assert answer.status_code == status
    assert (web.kept(source), web.started) == (0, [])


# --- HubSpot ---


def test_a_signed_delivery_is_kept_and_passed_on_once(web: Web) -> None:
    answer = web.hubspot(delivery(event(1), event(2, company=78)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert web.kept("hubspot") == 2
    assert web.started == [("hubspot", "77"), ("hubspot", "78")]


def test_a_delivery_that_is_repeated_passes_nothing_on_again(web: Web) -> None:
    first = delivery(event(1), event(2, company=78))
    assert web.hubspot(first).status_code == 204
    web.started.clear()
    assert web.hubspot(first).status_code == 204
    assert (web.kept("hubspot"), web.started) == (2, [])


def test_only_what_is_new_in_a_delivery_is_passed_on(web: Web) -> None:
    web.hubspot(delivery(event(1)))
    web.started.clear()
    web.hubspot(delivery(event(1), event(2, company=78), event(2, company=78)))
    assert (web.kept("hubspot"), web.started) == (2, [("hubspot", "78")])


def test_events_under_one_id_about_different_changes_are_both_kept(web: Web) -> None:
    """HubSpot does not promise that an event id is unique."""
    web.hubspot(delivery(event(1), event(1, company=78), event(1, propertyName="city")))
    assert web.kept("hubspot") == 3
    assert web.started == [("hubspot", "77"), ("hubspot", "78")]


def test_a_company_that_changed_many_times_is_read_once(web: Web) -> None:
    web.hubspot(delivery(*(event(n) for n in range(100))))
    assert (web.kept("hubspot"), web.started) == (100, [("hubspot", "77")])


def test_a_delivery_without_events_starts_nothing(web: Web) -> None:
    assert_refused(web, "hubspot", web.hubspot(b"[]"), 204)


@pytest.mark.parametrize("age_s", [290, -290])
def test_a_delivery_of_the_last_minutes_is_believed_though_clocks_differ(web: Web, age_s: float) -> None:
    assert web.hubspot(delivery(event(1)), age_s=age_s).status_code == 204
    assert web.started == [("hubspot", "77")]


FORGED: dict[str, dict[str, Any]] = {
    "another secret": {"secret": "guess"},
    "no secret": {"secret": ""},
    "another address": {"uri": "https://evil.example" + HUBSPOT},
    "another path": {"uri": PUBLIC_URL + SALESFORCE},
    "another method": {"method": "GET"},
    "five minutes old": {"age_s": 301},
    "from yesterday": {"age_s": 86_400},
    "from the future": {"age_s": -301},
    "from a year ahead": {"age_s": -31_536_000},
    "a time that is none": {"timestamp": "now"},
    "a time before all times": {"timestamp": "-1"},
    "a time in seconds": {"timestamp": str(int(time.time()))},
    "a time of thousands of digits": {"timestamp": "9" * 5_000},
    "an empty time": {"timestamp": ""},
}


@pytest.mark.parametrize("signing", FORGED.values(), ids=FORGED)
def test_a_delivery_that_is_not_hubspots_or_not_of_now_is_refused(web: Web, signing: dict[str, Any]) -> None:
    assert_refused(web, "hubspot", web.hubspot(delivery(event(1)), **signing), 401)


def test_a_delivery_that_was_changed_on_its_way_is_refused(web: Web) -> None:
    headers = signed(delivery(event(1)))
    answer = web.client.post(HUBSPOT, content=delivery(event(1, company=78)), headers=headers)
    assert_refused(web, "hubspot", answer, 401)


@pytest.mark.parametrize("left_out", ["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"])
def test_a_delivery_without_its_proof_is_refused(web: Web, left_out: str) -> None:
    body = delivery(event(1))
    headers = {name: value for name, value in signed(body).items() if name != left_out}
    assert_refused(web, "hubspot", web.client.post(HUBSPOT, content=body, headers=headers), 401)


@pytest.mark.parametrize("signature", [b"", b"\xff\xfe", "ü".encode(), b"A" * 5_000])
def test_a_signature_of_anything_at_all_is_refused(web: Web, signature: bytes) -> None:
    body = delivery(event(1))
    headers = signed(body) | {"X-HubSpot-Signature-v3": signature}
    assert_refused(web, "hubspot", web.client.post(HUBSPOT, content=body, headers=headers), 401)  # type: ignore[arg-type]


def test_what_the_host_header_says_is_no_part_of_the_proof(web: Web) -> None:
    body = delivery(event(1))
    elsewhere = signed(body, uri="https://evil.example" + HUBSPOT) | {"Host": "evil.example"}
    assert_refused(web, "hubspot", web.client.post(HUBSPOT, content=body, headers=elsewhere), 401)
    ours = signed(body) | {"Host": "10.0.0.7:8460"}
    assert web.client.post(HUBSPOT, content=body, headers=ours).status_code == 204


def test_without_a_secret_nothing_is_believed(unconfigured: Web) -> None:
    assert_refused(unconfigured, "hubspot", unconfigured.hubspot(delivery(event(1)), secret=""), 401)


NOT_EVENTS = {
    "nothing": b"",
    "half an array": b'[{"eventId": 1',
    "words": b"hello",
    "bytes that are no text": b"\xff\xfe\x00",
    "one event without its array": json.dumps(event(1)).encode(),
    "an empty object": b"{}",
    "text": b'"77"',
    "empty text": b'""',
    "a number": b"5",
    "null": b"null",
    "an array of numbers": b"[1]",
    "an array of arrays": b"[[]]",
    "an event of nothing": b"[{}]",
    "an event without a record": b'[{"eventId": 1, "occurredAt": 1790000000000}]',
    "an event about no record": delivery(event(1, objectId=None)),
    "an event about a record that is a list": delivery(event(1, objectId=[77])),
    "an event about half a character": b'[{"eventId": 1, "objectId": "\\ud800", "occurredAt": 1790000000000}]',
    "an event without a time": b'[{"eventId": 1, "objectId": 77}]',
    "an event at no time": delivery(event(1, occurredAt="yesterday")),
    "an event after the end of the calendar": delivery(event(1, occurredAt=10**18)),
    "an event beyond all numbers": delivery(event(1, occurredAt=10**30)),
    "an event at infinity": b'[{"eventId": 1, "objectId": 77, "occurredAt": Infinity}]',
    "arrays within arrays": b"[" * 100_000,
}


@pytest.mark.parametrize("body", NOT_EVENTS.values(), ids=NOT_EVENTS)
def test_a_body_that_is_no_array_of_events_is_refused_though_it_is_signed(web: Web, body: bytes) -> None:
    assert_refused(web, "hubspot", web.hubspot(body), 400)


def test_one_event_that_cannot_be_read_keeps_the_whole_delivery_out(web: Web) -> None:
    assert_refused(web, "hubspot", web.hubspot(delivery(event(1), {"eventId": 2})), 400)


# --- leads ---

CONTACT = {"subscriptionType": "contact.propertyChange", "propertyName": "lifecyclestage"}


@pytest.mark.parametrize(
    "about",
    [
        CONTACT,
        {"subscriptionType": "contact.creation"},
        {"subscriptionType": "contact.deletion"},
        {"subscriptionType": "object.propertyChange", "objectTypeId": "0-1"},
    ],
    ids=lambda about: about["subscriptionType"],
)
def test_an_event_about_a_contact_is_kept_and_passed_on_as_one_about_a_lead(web: Web, about: dict[str, str]) -> None:
    assert web.hubspot(delivery(event(1, company=501, **about))).status_code == 204
    assert web.started == [("hubspot", "leads/501")]
    assert (web.kept("hubspot/leads"), web.kept("hubspot")) == (1, 0)


def test_a_company_event_of_the_newer_kind_is_one_about_an_account(web: Web) -> None:
    web.hubspot(delivery(event(1, subscriptionType="object.creation", objectTypeId="0-2")))
    assert web.started == [("hubspot", "77")]
    assert (web.kept("hubspot/leads"), web.kept("hubspot")) == (0, 1)


def test_companies_and_contacts_of_one_delivery_start_one_run_that_can_tell_them_apart(web: Web) -> None:
    both = delivery(event(1, **CONTACT), event(1), event(2, company=78), event(2, company=78, **CONTACT))
    assert web.hubspot(both).status_code == 204
    assert web.started == [("hubspot", "77"), ("hubspot", "78"), ("hubspot", "leads/77"), ("hubspot", "leads/78")]
    assert (web.kept("hubspot/leads"), web.kept("hubspot")) == (2, 2)


def test_an_event_about_a_contact_that_is_repeated_passes_nothing_on_again(web: Web) -> None:
    first = delivery(event(1, **CONTACT))
    web.hubspot(first)
    web.started.clear()
    assert web.hubspot(first).status_code == 204
    assert (web.kept("hubspot/leads"), web.started) == (1, [])


def test_events_about_deals_are_acknowledged_and_left(web: Web) -> None:
    deal = event(1, subscriptionType="deal.creation")
    other = event(2, subscriptionType="object.creation", objectTypeId="0-3")
    assert_refused(web, "hubspot", web.hubspot(delivery(deal, other)), 204)
    assert web.kept("hubspot/leads") == 0
    web.hubspot(delivery(deal, event(3, company=78)))
    assert web.started == [("hubspot", "78")]


@pytest.mark.parametrize("signing", [{"secret": "guess"}, {"age_s": 301}])
def test_an_event_about_a_contact_is_believed_no_more_easily(web: Web, signing: dict[str, Any]) -> None:
    assert_refused(web, "hubspot", web.hubspot(delivery(event(1, **CONTACT)), **signing), 401)
    assert web.kept("hubspot/leads") == 0


def test_an_outbound_message_about_a_lead_is_kept_acknowledged_and_passed_on_as_one(web: Web) -> None:
    answer = web.salesforce(message("00Q000000000001AAA", about="Lead"))
    assert is_acknowledged(answer.status_code, answer.content)
    assert web.started == [("salesforce", "leads/00Q000000000001AAA")]
    assert (web.kept("salesforce/leads"), web.kept("salesforce")) == (1, 0)


def test_an_outbound_message_about_a_lead_of_another_org_is_refused(web: Web) -> None:
    body = message("00Q000000000001AAA", about="Lead", org=OTHER_ORG)
    assert_refused(web, "salesforce", web.salesforce(body), 401)
    assert web.kept("salesforce/leads") == 0


def test_an_outbound_message_about_a_case_is_acknowledged_and_left(web: Web) -> None:
    answer = web.salesforce(message("500000000000001AAA", about="Case"))
    assert is_acknowledged(answer.status_code, answer.content)
    assert_refused(web, "salesforce", answer, 200)


# --- the size of a body ---


def test_a_body_beyond_the_limit_is_refused_and_one_within_is_not(web: Web) -> None:
    within = delivery(event(1)).ljust(MAX_BODY)
    assert_refused(web, "hubspot", web.hubspot(within + b" "), 413)
    assert web.hubspot(within).status_code == 204
    assert web.kept("hubspot") == 1


@pytest.mark.parametrize("path", [HUBSPOT, SALESFORCE])
def test_a_body_of_no_announced_length_is_refused_at_the_limit_too(web: Web, path: str) -> None:
    pieces = (b" " * 100_000 for _ in range(11))
    assert_refused(web, path.rpartition("/")[2], web.client.post(path, content=pieces), 413)


def test_an_outbound_message_beyond_the_limit_is_refused(web: Web) -> None:
    assert_refused(web, "salesforce", web.salesforce(message(ACCOUNT) + " " * MAX_BODY), 413)


# --- Salesforce ---


def test_an_outbound_message_is_kept_acknowledged_and_passed_on_once(web: Web) -> None:
    answer = web.salesforce(message(ACCOUNT, "001000000000002AAA"))
    assert is_acknowledged(answer.status_code, answer.content)
    assert answer.headers["content-type"].startswith("text/xml")
    assert web.kept("salesforce") == 2
    assert web.started == [("salesforce", ACCOUNT), ("salesforce", "001000000000002AAA")]


def test_a_notification_that_is_repeated_is_acknowledged_and_passes_nothing_on_again(web: Web) -> None:
    web.salesforce(message(ACCOUNT))
    web.started.clear()
    again = web.salesforce(message(ACCOUNT))
    assert is_acknowledged(again.status_code, again.content)
    assert (web.kept("salesforce"), web.started) == (1, [])


def test_a_later_notification_about_the_same_account_is_passed_on(web: Web) -> None:
    web.salesforce(message(ACCOUNT))
    web.salesforce(message(ACCOUNT, first=2))
    assert web.kept("salesforce") == 2
    assert web.started == [("salesforce", ACCOUNT)] * 2


def test_a_full_message_of_a_hundred_notifications_is_kept_whole(web: Web) -> None:
    answer = web.salesforce(message(*(f"001{n:012}AAA" for n in range(100))))
    assert is_acknowledged(answer.status_code, answer.content)
    assert (web.kept("salesforce"), len(web.started)) == (100, 100)


@pytest.mark.parametrize("source", ["hubspot", "salesforce"])
def test_what_could_not_be_kept_is_not_acknowledged(web: Web, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    def full(*_: object) -> list[str]:
        raise OSError("the disk is full")

    monkeypatch.setattr("web.webhooks.take_in", full)
    answer = web.hubspot(delivery(event(1))) if source == "hubspot" else web.salesforce(message(ACCOUNT))
    assert not is_acknowledged(answer.status_code, answer.content)
    assert_refused(web, source, answer, 500)


@pytest.mark.parametrize("source", ["hubspot", "salesforce"])
def test_what_is_kept_is_acknowledged_before_a_run_starts_and_though_none_can(
    web: Web, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    waiting: list[int] = []

    def unreachable(source: str, _: Sequence[str]) -> None:
        waiting.append(web.kept(source))
        raise ConnectionError("no Prefect server answers")

    monkeypatch.setattr("web.changes.pass_on", unreachable)
    answer = web.hubspot(delivery(event(1))) if source == "hubspot" else web.salesforce(message(ACCOUNT))
    assert answer.status_code == (204 if source == "hubspot" else 200)
    assert waiting == [1]
    assert web.kept(source) == 1


DOCTYPE = {
    "a document type": "<!DOCTYPE x>",
    "an entity": '<!DOCTYPE x [<!ENTITY e "boom">]>',
    "a file as an entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "a page as an entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1/">]>',
    "a document type elsewhere": '<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd">',
    "a bomb of entities": (
        '<!DOCTYPE x [<!ENTITY a "boom">'
        + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghe", strict=True))
        + "]>"
    ),
}


@pytest.mark.parametrize("before", DOCTYPE.values(), ids=DOCTYPE)
def test_a_message_with_a_document_type_or_entities_is_refused(web: Web, before: str) -> None:
    inside = "&e;" if "ENTITY e " in before else ""
    assert_refused(web, "salesforce", web.salesforce(message(ACCOUNT, before=before, inside=inside)), 400)


NOT_MESSAGES = {
    "nothing": b"",
    "words": b"hello",
    "half a message": message(ACCOUNT)[:300].encode(),
    "another document": b"<html/>",
    "no notification": message().encode(),
    "no record": message("").encode(),
    "no org": message(ACCOUNT).replace("OrganizationId", "Organization").encode(),
    "bytes that are no text": b"\xff\xff",
    "letters of another alphabet": b'<?xml version="1.0" encoding="no-such"?>' + message(ACCOUNT).encode(),
    "an encoding that is none of text": b'<?xml version="1.0" encoding="base64"?>' + message(ACCOUNT).encode(),
    "an encoding of many bytes": b'<?xml version="1.0" encoding="shift_jis"?>' + message(ACCOUNT).encode(),
    "elements within elements": b"<a>" * 100_000,
}


@pytest.mark.parametrize("body", NOT_MESSAGES.values(), ids=NOT_MESSAGES)
def test_a_body_that_is_no_outbound_message_is_refused(web: Web, body: bytes) -> None:
    assert_refused(web, "salesforce", web.salesforce(body), 400)


@pytest.mark.parametrize("org", [OTHER_ORG, "", ORG.lower(), ORG[:15], f"{ORG}x"])
def test_a_message_of_another_org_is_refused(web: Web, org: str) -> None:
    answer = web.salesforce(message(ACCOUNT, org=org))
    assert not is_acknowledged(answer.status_code, answer.content)
    assert_refused(web, "salesforce", answer, 401)


@pytest.mark.parametrize("org", [ORG, OTHER_ORG, ""])
def test_while_nobody_has_said_which_org_is_ours_no_message_is_believed(unconfigured: Web, org: str) -> None:
    assert_refused(unconfigured, "salesforce", unconfigured.salesforce(message(ACCOUNT, org=org)), 401)


def test_our_org_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_SALESFORCE_ORG_ID", ORG)
    assert Settings(_env_file=None).salesforce_org_id == ORG


# --- the rest ---


@pytest.mark.parametrize("path", [HUBSPOT, SALESFORCE])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_webhooks_take_nothing_but_posts(web: Web, method: str, path: str) -> None:
    body = delivery(event(1))
    answer = web.client.request(method, path, content=body, headers=signed(body, method=method))
    assert_refused(web, path.rpartition("/")[2], answer, 405)


def test_there_is_nothing_at_other_addresses(web: Web) -> None:
    assert web.client.post("/webhooks/stripe", content=b"[]").status_code == 404
    assert web.client.get("/nowhere").status_code == 404


def test_health_is_told_to_anybody(web: Web) -> None:
    answer = web.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_restart_still_knows_what_was_kept(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for expected in ([("hubspot", "77")], []):
        for web in serve(configured, monkeypatch):
            assert web.hubspot(delivery(event(1))).status_code == 204
            assert (web.kept("hubspot"), web.started) == (1, expected)
