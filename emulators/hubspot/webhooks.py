"""Webhooks out: what HubSpot tells a subscriber about companies and contacts, and how it signs it.

A delivery is a JSON array of at most 100 events, signed v3: base64 of HMAC-SHA256 with the app's secret over
method + URI + body + timestamp (developers.hubspot.com, "Validating requests"). Deliveries come at least once and in
no order, which `Delivery` makes happen on purpose.
"""

from __future__ import annotations

import base64
import hmac
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from emulators.hubspot.portal import Change

MAX_EVENTS = 100
APP_ID = 4_210_077
FIRST_SUBSCRIPTION = 2_900_000
PROPERTIES = frozenset({"hubspot_owner_id", "domain", "name", "do_not_route", "segment", "email", "lifecyclestage"})
HAPPENINGS = ("propertyChange", "creation", "deletion", "merge")
SUBSCRIPTIONS = [f"{about}.{happening}" for about in ("company", "contact") for happening in HAPPENINGS]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where webhooks go and how badly. `properties` are the subscribed property changes; `seed` fixes the disorder."""

    url: str
    properties: frozenset[str] = PROPERTIES
    duplicates: bool = False
    reorder: bool = False
    seed: int = 0

    def wants(self, change: Change) -> bool:
        return change.happening != "propertyChange" or change.name in self.properties


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One POST, ready to be sent."""

    url: str
    headers: dict[str, str]
    body: bytes


def to_event(change: Change, number: int, portal_id: int) -> dict[str, Any]:
    """`number` becomes the event id."""
    subscription = f"{change.about}.{change.happening}"
    event: dict[str, Any] = {
        "eventId": number,
        "subscriptionId": FIRST_SUBSCRIPTION + SUBSCRIPTIONS.index(subscription),
        "portalId": portal_id,
        "appId": APP_ID,
        "occurredAt": int(change.at.timestamp() * 1000),
        "subscriptionType": subscription,
        "attemptNumber": 0,
        "objectId": int(change.record_id),
        "changeSource": change.source,
    }
    if change.happening == "propertyChange":
        event |= {"propertyName": change.name, "propertyValue": change.value or ""}
    if change.happening == "merge":
        event |= {"primaryObjectId": int(change.merged_ids[0]), "mergedObjectIds": [int(change.merged_ids[1])]}
    return event


def batches(events: list[dict[str, Any]], delivery: Delivery) -> Iterator[list[dict[str, Any]]]:
    """The arrays to send: at most 100 events each, some twice and out of order when the delivery says so."""
    events = list(events)
    rng = random.Random(f"{delivery.seed}:{events[0]['eventId'] if events else 0}")
    if delivery.duplicates:
        events += [dict(event, attemptNumber=1) for event in events]
    if delivery.reorder:
        rng.shuffle(events)
    for start in range(0, len(events), MAX_EVENTS):
        yield events[start : start + MAX_EVENTS]


def sign(secret: str, url: str, events: list[dict[str, Any]], at: datetime) -> SignedRequest:
    body = json.dumps(events, separators=(",", ":")).encode()
    timestamp = str(int(at.timestamp() * 1000))
    signed = b"POST" + url.encode() + body + timestamp.encode()
    signature = base64.b64encode(hmac.new(secret.encode(), signed, sha256).digest()).decode()
    headers = {
        "Content-Type": "application/json",
        "X-HubSpot-Signature-v3": signature,
        "X-HubSpot-Request-Timestamp": timestamp,
    }
    return SignedRequest(url, headers, body)
