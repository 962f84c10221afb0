"""Outbound messages: SOAP POSTs that say which accounts were written, never what changed.

Wire format: SOAP API Developer Guide, Outbound Messaging (notifications and notificationsResponse).
"""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

from defusedxml.ElementTree import ParseError, fromstring

from emulators.salesforce.org import Record
from emulators.salesforce.schema import Kind
from emulators.vendor import Delivery
from emulators.world.ids import ORGANIZATION_ID, salesforce_id

MAX_NOTIFICATIONS = 100  # of one POST
ACTION_ID = salesforce_id("04k", 1)
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"


class OutboundMessages:
    """Collects written accounts and posts them together. Nothing is collected while there is no `url`."""

    def __init__(self, deliver: Callable[[Delivery], None]) -> None:
        self._deliver = deliver
        self._waiting: dict[str, Record] = {}
        self._sent = 0
        self.url: str | None = None
        self.domain = ""

    def heard(self, _: Kind, record: Record) -> None:
        """An account was written. Twice before the post is one notification with the latest state."""
        if self.url is not None:
            self._waiting[record["Id"]] = record

    def flush(self) -> None:
        """Hand over what waits, at most 100 notifications a POST."""
        waiting, self._waiting = list(self._waiting.values()), {}
        if self.url is None:
            return
        for start in range(0, len(waiting), MAX_NOTIFICATIONS):
            body = self._envelope(waiting[start : start + MAX_NOTIFICATIONS])
            headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
            self._deliver(Delivery(self.url, body, headers, is_acknowledged))

    def _envelope(self, records: list[Record]) -> bytes:
        notifications = "".join(self._notification(record) for record in records)
        host = f"https://{self.domain}.salesforce.com/services/Soap"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
            f'<notifications xmlns="{OUTBOUND}"><OrganizationId>{ORGANIZATION_ID}</OrganizationId>'
            f'<ActionId>{ACTION_ID}</ActionId><SessionId xsi:nil="true"/>'
            f"<EnterpriseUrl>{host}/c/66.0</EnterpriseUrl><PartnerUrl>{host}/u/66.0</PartnerUrl>"
            f"{notifications}</notifications></soapenv:Body></soapenv:Envelope>"
        ).encode()

    def _notification(self, record: Record) -> str:
        self._sent += 1
        fields = "".join(f"<sf:{name}>{escape(str(record[name]))}</sf:{name}>" for name in ("Id", "OwnerId"))
        return (
            f"<Notification><Id>{salesforce_id('04l', self._sent)}</Id>"
            '<sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
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
