"""Webhooks: only the vendor is believed, and only as a hint."""

import base64
import hmac
from hashlib import sha256

import pytest

from web.outbound_messages import NotAnOutboundMessage, read_outbound_message
from web.signatures import is_from_hubspot

SECRET = "s3cret"
URI = "https://steward.example/webhooks/hubspot"
NOW = 1_790_000_000_000


def sign(body: bytes, timestamp: int, uri: str = URI, secret: str = SECRET) -> str:
    return base64.b64encode(
        hmac.new(secret.encode(), b"POST" + uri.encode() + body + str(timestamp).encode(), sha256).digest()
    ).decode()


def genuine(body: bytes, signature: str, timestamp: int, uri: str = URI, secret: str = SECRET) -> bool:
    return is_from_hubspot(secret, "POST", uri, body, signature, str(timestamp), NOW)


def test_a_signed_delivery_is_believed() -> None:
    assert genuine(b"[]", sign(b"[]", NOW), NOW)


def test_a_percent_encoded_address_is_signed_decoded() -> None:
    encoded = URI + "/a%2Fb%3A"
    assert genuine(b"[]", sign(b"[]", NOW, URI + "/a/b:"), NOW, uri=encoded)


@pytest.mark.parametrize("skew_ms", [-300_001, 300_001, 600_000])
def test_a_delivery_from_too_long_ago_or_from_the_future_is_refused(skew_ms: int) -> None:
    assert not genuine(b"[]", sign(b"[]", NOW + skew_ms), NOW + skew_ms)


def test_a_changed_body_another_secret_or_no_secret_is_refused() -> None:
    assert not genuine(b"[1]", sign(b"[]", NOW), NOW)
    assert not genuine(b"[]", sign(b"[]", NOW, secret="other"), NOW)
    assert not genuine(b"[]", sign(b"[]", NOW, secret=""), NOW, secret="")
    assert not genuine(b"[]", "", NOW)


ENVELOPE = """<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D000000000001EAA</OrganizationId>
<ActionId>04k000000000001AAA</ActionId><SessionId xsi:nil="true"/><Notification><Id>04l000000000001AAA</Id>
<sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>001000000000001AAA</sf:Id>
</sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>"""


def test_an_outbound_message_names_its_org_and_records() -> None:
    message = read_outbound_message(ENVELOPE.encode())
    assert message.organization_id == "00D000000000001EAA"
    assert [(note.id, note.record_id, note.object_type) for note in message.notifications] == [
        ("04l000000000001AAA", "001000000000001AAA", "Account")
    ]


@pytest.mark.parametrize(
    ("stated", "object_type"), [(' xsi:type="x:Lead"', "Lead"), (' xsi:type="Lead"', "Lead"), ("", "")]
)
def test_an_outbound_message_names_the_object_whatever_its_prefix(stated: str, object_type: str) -> None:
    body = ENVELOPE.replace(' xsi:type="sf:Account"', stated)
    assert [note.object_type for note in read_outbound_message(body.encode()).notifications] == [object_type]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<a/>",
        b'<!DOCTYPE x [<!ENTITY e "boom">]><x>&e;</x>',
        ENVELOPE.replace("<sf:Id>001000000000001AAA</sf:Id>", "").encode(),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(NotAnOutboundMessage):
        read_outbound_message(body)
