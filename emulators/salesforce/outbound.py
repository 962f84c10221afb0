"""Outbound messages: SOAP POSTs that say which accounts and leads were written, never what changed.

A message is defined for one object, so that accounts and leads never come in one POST.

Wire format: SOAP API Developer Guide, Outbound Messaging (notifications and notificationsResponse).
"""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from defusedxml.ElementTree import ParseError, fromstring

from emulators.salesforce.schema import Kind
from emulators.salesforce.values import Record
from emulators.vendor import Delivery
from emulators.world.ids import ORGANIZATION_ID, salesforce_id

MAX_NOTIFICATIONS = 100  # of one POST
ACTION_IDS = {"Account": salesforce_id("04k", 1), "Lead": salesforce_id("04k", 2)}
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"


class OutboundMessages:
    """Collects written records and posts them together. Nothing is collected while there is no `url`."""

    def __init__(self, deliver: Callable[[Delivery], None]) -> None:
        self._deliver = deliver
        self._waiting: dict[str, dict[str, Record]] = {name: {} for name in ACTION_IDS}
        self._sent = 0
        self.url: str | None = None
        self.domain = ""

    def heard(self, kind: Kind, record: Record) -> None:
        """A record was written. Twice before the post is one notification with the latest state."""
        if self.url is not None:
            self._waiting[kind.name][record["Id"]] = record

    def flush(self) -> None:
        """Hand over what waits, at most 100 notifications a POST."""
        for name in ACTION_IDS:
            waiting, self._waiting[name] = list(self._waiting[name].values()), {}
            if self.url is None:
                continue
            for start in range(0, len(waiting), MAX_NOTIFICATIONS):
                body = self._envelope(name, waiting[start : start + MAX_NOTIFICATIONS])
                headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
                self._deliver(Delivery(self.url, body, headers, is_acknowledged))

    def _envelope(self, name: str, records: list[Record]) -> bytes:
        notifications = "".join(self._notification(name, record) for record in records)
        host = f"https://{self.domain}.salesforce.com/services/Soap"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
            f'<notifications xmlns="{OUTBOUND}"><OrganizationId>{ORGANIZATION_ID}</OrganizationId>'
            f'<ActionId>{ACTION_IDS[name]}</ActionId><SessionId xsi:nil="true"/>'
            f"<EnterpriseUrl>{host}/c/66.0</EnterpriseUrl><PartnerUrl>{host}/u/66.0</PartnerUrl>"
            f"{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
        ).encode()

    def _notification(self, name: str, record: Record) -> str:
        self._sent += 1
        fields = "".join(f"<sf:{field}>{escape(str(record[field]))}</sf:{field}>" for field in ("Id", "OwnerId"))
        return (
            f"<Notification><Id>{salesforce_id('04l', self._sent)}</Id>"
            f'<sObject xsi:type="sf:{name}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
            f"{fields}</sObject></Notification>"
        )


def is_acknowledged(status: int, body: bytes) -> bool:
    """Only HTTP 200 with Ack true; anything else is sent again."""
    if status != 200:
        return False
    try:
        ack = fromstring(body).findtext(f".//{{{OUTBOUND}}}Ack")
    except (ParseError, ValueError):
        return False
    return (ack or "").strip() == "true"
