"""Salesforce Outbound Messages: reading the SOAP envelope and saying that we have it.

Wire format: WSDL of Outbound Messaging, namespace http://soap.sforce.com/2005/09/outbound.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
SOBJECT = "{urn:sobject.enterprise.soap.sforce.com}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)


class NotAnOutboundMessage(ValueError):
    """The body is not an Outbound Message we can read."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One record the message names; `id` (04l…) is the same when Salesforce delivers again. `object_type` is its
    object ("Account", "Lead"), empty where the message does not say."""

    id: str
    record_id: str
    object_type: str = ""


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """The org that sent it and up to 100 notifications."""

    organization_id: str
    notifications: tuple[Notification, ...]


def read_outbound_message(body: bytes) -> OutboundMessage:
    """Parse a message, with entities and DTDs refused. Raises `NotAnOutboundMessage`."""
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as problem:  # LookupError: unknown encoding
        raise NotAnOutboundMessage(str(problem)) from problem
    organization = root.find(f".//{OUTBOUND}OrganizationId")
    notifications = tuple(_notification(note) for note in root.iter(f"{OUTBOUND}Notification"))
    if organization is None or not notifications or not all(n.id and n.record_id for n in notifications):
        raise NotAnOutboundMessage("no OrganizationId or no complete Notification in the envelope")
    return OutboundMessage(organization.text or "", notifications)


def _notification(note: Element) -> Notification:
    record = note.find(f"{OUTBOUND}sObject")
    stated = record.get(XSI_TYPE, "") if record is not None else ""  # "sf:Account"
    id_, record_id = note.findtext(f"{OUTBOUND}Id", ""), note.findtext(f".//{SOBJECT}Id", "")
    return Notification(id_, record_id, stated.rpartition(":")[2])
