"""The emulated HubSpot: the door (token, scopes, limits), the operations behind it, and webhooks about changes."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.hubspot.errors import HubSpotError, expired_token, missing_scopes, no_credentials, no_such_route
from emulators.hubspot.limits import Limits, Meter
from emulators.hubspot.portal import BY_A_PERSON, THROUGH_API, Change, Portal
from emulators.hubspot.properties import COMPANIES, clean, find_kind
from emulators.hubspot.records import Records, Request
from emulators.hubspot.routes import Operation, find_operation
from emulators.hubspot.webhooks import PROPERTIES, Delivery, batches, sign, to_event
from emulators.vendor import Surroundings

ALL_SCOPES = frozenset(
    f"crm.objects.{name}"
    for name in (
        *("companies.read", "companies.write", "contacts.read", "contacts.write", "owners.read"),
        *("deals.read", "deals.write"),
    )
)


class HubSpot:
    """One HubSpot account on api.hubapi.com.

    `limits` default to the vendor's published ones; `index_delay` is how long search lags behind a write;
    `scopes` are what the token was granted; `delivery` is where webhooks go (None: nobody subscribed).
    """

    name = "hubspot"
    hosts: tuple[str, ...] = ("api.hubapi.com",)

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        limits: Limits | None = None,
        index_delay: timedelta = timedelta(0),
        scopes: frozenset[str] = ALL_SCOPES,
        delivery: Delivery | None = None,
    ) -> None:
        self._surroundings, self._scopes, self.delivery = surroundings, scopes, delivery
        self._token, self._secret, self._portal_id = "", "", 0
        self._expired = False
        self._limits = limits or Limits()
        self._meter = Meter(self._limits, surroundings.now)
        self._changes: list[Change] = []
        self._events_sent = 0
        self.portal = Portal(surroundings.now, index_delay, self._changes.append)
        self._records = Records(self.portal)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._expired = True

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["hubspot"]: portal_id, token, webhook_secret, owners, companies, contacts."""
        own = world["hubspot"]
        self._expired = False
        self._token, self._secret, self._portal_id = own["token"], own["webhook_secret"], int(own["portal_id"])
        self.portal.load(own)
        self._meter = Meter(self._limits, self._surroundings.now)

    def subscribe(
        self, url: str, properties: Sequence[str] = (), *, duplicates: bool = False, reorder: bool = False
    ) -> None:
        """Send events to this loopback URL: creations, deletions, merges, and changes of these properties."""
        wanted = frozenset(properties) or PROPERTIES
        self.delivery = Delivery(url, wanted, duplicates, reorder)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person changes something in HubSpot's own pages; webhooks follow.

        {"id", "properties"} updates a company, {"action": "create", "properties"} adds one,
        {"action": "archive", "id"} deletes it, {"action": "merge", "id", "into"} merges `id` into another,
        {"action": "archive_owner", "id"} deactivates an owner. With {"object": "contact"} the first three are about a
        contact. An update may say who: {"by": a user id}, or {"app": the id of another app, which writes by the API}.
        Raises `HubSpotError` for what HubSpot would refuse.
        """
        with self._lock:
            done = self._edit(command)
            self._send_webhooks()
            return done

    def snapshot(self) -> dict[str, Any]:
        """Every company's properties by id, every contact's and task's, and the owners."""
        records = {
            plural: {row.id: {**row.properties, "archived": row.archived} for row in rows.values()}
            for plural, rows in self.portal.records.items()
        }
        return {**records, "owners": {key: dict(owner) for key, owner in self.portal.owners.items()}}

    def operation(self, call: Call) -> str:
        found = find_operation(call.method, call.path)
        return _label(*found) if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error HubSpot knows comes back as its body, none is raised."""
        found = find_operation(call.method, call.path)
        search = found is not None and found[0].name == "search"
        try:
            with self._lock:
                reply = self._answer(call, found, search)
        except HubSpotError as error:
            reply = Reply(error.status, error.body)
        finally:
            self._send_webhooks()
        return self._dressed(reply, search=search)

    def failure(self, status: int) -> Reply:
        """HubSpot's own body for a failure that was asked for: 401 an expired token, 429 a full window, 5xx."""
        if status == 401:
            error = expired_token()
        elif status == 429:
            error = HubSpotError(429, "RATE_LIMITS", "You have reached your secondly limit.")
        else:
            error = HubSpotError(status, "INTERNAL_ERROR", "internal error")
        return self._dressed(Reply(error.status, error.body), search=True)

    def _answer(self, call: Call, found: tuple[Operation, dict[str, str]] | None, search: bool) -> Reply:
        if not self._token or call.headers.get("authorization") != f"Bearer {self._token}":
            raise no_credentials()
        if self._expired:
            raise expired_token()
        self._meter.count(search=search)
        if found is None:
            raise no_such_route(call.path)
        operation, names = found
        scope = _scope(operation, names)
        if scope not in self._scopes:
            raise missing_scopes(scope)
        query = parse_qs(call.query, keep_blank_values=True)
        answer = getattr(self._records, operation.name)(Request(call.path, names, query, call.body))
        return Reply(answer.status, answer.body, rows=answer.rows)

    def _dressed(self, reply: Reply, *, search: bool) -> Reply:
        correlation_id = str(uuid.uuid4())
        headers = {"X-HubSpot-Correlation-Id": correlation_id, **reply.headers}
        if reply.status != 401:
            headers |= self._meter.headers(search=search)
        body = reply.body
        if body is not None and reply.status >= 400:
            body = {**body, "correlationId": correlation_id}
        return Reply(reply.status, body, headers, reply.rows)

    def _edit(self, command: dict[str, Any]) -> dict[str, Any]:
        action = command.get("action", "update")
        if action == "archive_owner":
            self.portal.owners[str(command["id"])]["archived"] = True
            return dict(self.portal.owners[str(command["id"])])
        kind = find_kind(command.get("object", COMPANIES.singular))
        if kind is None:
            raise LookupError(f"no object {command['object']}")
        if action == "create":
            return {"id": self.portal.create(kind, command["properties"], BY_A_PERSON).id}
        if action == "merge":
            return {"id": self.portal.merge(kind, str(command["into"]), str(command["id"]), BY_A_PERSON).id}
        record = self.portal.find(kind, str(command["id"]))
        if record is None:
            raise LookupError(f"no {kind.singular} {command['id']}")
        if action == "archive":
            self.portal.archive(kind, record, BY_A_PERSON)
            return {"id": record.id, "archived": True}
        stored = clean(kind, command["properties"], self.portal.owner_ids())
        source, by = (THROUGH_API, command["app"]) if "app" in command else (BY_A_PERSON, command.get("by", ""))
        fresh = self.portal.update(kind, record, stored, source, str(by))
        return {"id": fresh.id, "properties": dict(fresh.properties)}

    def _send_webhooks(self) -> None:
        changes, delivery = list(self._changes), self.delivery
        self._changes.clear()
        if delivery is None:
            return
        events = []
        for change in changes:
            if delivery.wants(change):
                self._events_sent += 1
                events.append(to_event(change, self._events_sent, self._portal_id))
        for batch in batches(events, delivery):
            request = sign(self._secret, delivery.url, batch, self._surroundings.now())
            self._surroundings.send(request.url, request.headers, request.body)


def _scope(operation: Operation, names: dict[str, str]) -> str:
    if "owner" in operation.name:
        return "crm.objects.owners.read"
    kind = find_kind(names.get("kind", ""))
    base = kind.scope if kind else COMPANIES.scope
    return f"{base}.{'write' if operation.writes else 'read'}"


def _label(operation: Operation, names: dict[str, str]) -> str:
    kind = find_kind(names.get("kind", ""))
    return f"{kind.plural}.{operation.name}" if kind else operation.name
