"""The emulated Zendesk: the door (tokens, scopes, limits) and the operations behind it."""

from __future__ import annotations

import hmac
import json
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.vendor import Surroundings
from emulators.windows import Window
from emulators.zendesk.account import Account
from emulators.zendesk.errors import (
    ZendeskError,
    invalid_client,
    invalid_token,
    missing_scope,
    no_such_route,
    not_authenticated,
    problem,
    too_many_calls,
)
from emulators.zendesk.operations import EXPORT_PAGE, Operations, Request
from emulators.zendesk.routes import TOKENS, Operation, find_operation

CALLS_A_MINUTE = 700  # Suite Enterprise; Team has 200 and the High Volume add-on 2,500 (Rate limits)
EXPORTS_A_MINUTE = 10
MINUTE = timedelta(minutes=1)
LIFETIMES_S = (300, 172_800)  # `expires_in` must lie between (OAuth Tokens for Grant Types)


@dataclass(frozen=True, slots=True)
class _Grant:
    scopes: frozenset[str]
    until: datetime


class Zendesk:
    """One Zendesk account at <subdomain>.zendesk.com.

    `allowed_scopes` are what the OAuth client may ask for; `job_delay` is how long a job takes; `export_page` and
    `calls_a_minute` default to the vendor's numbers.
    """

    name = "zendesk"
    hosts: tuple[str, ...] = ("*.zendesk.com",)

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        allowed_scopes: frozenset[str] = frozenset({"read", "write", "organizations:write"}),
        job_delay: timedelta = timedelta(seconds=2),
        export_page: int = EXPORT_PAGE,
        calls_a_minute: int = CALLS_A_MINUTE,
    ) -> None:
        self._now, self._allowed = surroundings.now, allowed_scopes
        self._client: dict[str, Any] = {}
        self._grants: dict[str, _Grant] = {}
        self._calls, self._exports = Window(calls_a_minute, MINUTE), Window(EXPORTS_A_MINUTE, MINUTE)
        self.account = Account(surroundings.now, job_delay)
        self._operations = Operations(self.account, surroundings.now, export_page)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._grants.clear()

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["zendesk"]: subdomain, client id and secret, organization_fields, users, organizations."""
        own = world["zendesk"]
        self._client = {name: own[name] for name in ("subdomain", "client_id", "client_secret")}
        self._grants.clear()
        self.account.load(own)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person changes something in Zendesk's own pages.

        {"id", "set": {...}} updates an organisation as the API would, {"action": "delete", "id"} deletes it,
        {"action": "store", "id", "field", "value"} puts a value nobody checks into a field, {"action": "user", "id",
        "set": {...}} changes a user, {"action": "end_jobs", "as": "failed"} makes jobs end half-way.
        """
        with self._lock:
            self.account.run_due_jobs()
            action = command.get("action", "update")
            if action == "end_jobs":
                self.account.jobs_end = command["as"]
                return {"as": command["as"]}
            id_ = int(command["id"])
            if action == "user":
                self.account.users[id_] |= command["set"]
                return dict(self.account.users[id_])
            if action == "delete":
                return self.account.organizations.pop(id_)
            if action == "store":
                self.account.organizations[id_]["organization_fields"][command["field"]] = command["value"]
                return self.account.update(id_, {})
            return self.account.update(id_, command["set"])

    def snapshot(self) -> dict[str, Any]:
        """Organisations and users by id."""
        with self._lock:
            self.account.run_due_jobs()
            return {
                "organizations": {str(id_): dict(row) for id_, row in self.account.organizations.items()},
                "users": {str(id_): dict(row) for id_, row in self.account.users.items()},
            }

    def operation(self, call: Call) -> str:
        found = find_operation(call.method, call.path)
        return found[0].name if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Zendesk knows comes back as its body, none is raised."""
        try:
            with self._lock:
                self.account.run_due_jobs()
                reply = self._answer(call)
        except ZendeskError as error:
            reply = Reply(error.status, error.body, error.headers)
        return self._dressed(reply)

    def failure(self, status: int) -> Reply:
        """Zendesk's own body for a failure that was asked for."""
        if status == 401:
            error = invalid_token()
        elif status == 429:
            error = too_many_calls(27)
        else:
            error = problem(status, "InternalError", "We're sorry, but something went wrong")
        return self._dressed(Reply(error.status, error.body, error.headers))

    def _answer(self, call: Call) -> Reply:
        host = call.headers.get("host", "").partition(":")[0].lower()
        if host != f"{self._client['subdomain']}.zendesk.com":
            raise problem(404, "InvalidEndpoint", "No help desk at this address")
        found = find_operation(call.method, call.path)
        if found and found[0] is TOKENS:
            return self._issue(call)
        grant = self._grant(call.headers.get("authorization", ""))
        if not self._calls.take(self._now()):
            raise too_many_calls(self._calls.wait_s(self._now()))
        if found is None:
            raise no_such_route()
        operation, names = found
        self._admit(operation, grant)
        query = parse_qs(call.query, keep_blank_values=True)
        request = Request(f"https://{host}", names, query, call.body)
        reply: Reply = getattr(self._operations, operation.name)(request)
        return reply

    def _admit(self, operation: Operation, grant: _Grant) -> None:
        if not grant.scopes & set(operation.scopes):
            raise missing_scope(operation.scopes[0])
        if operation.name == "export_organizations" and not self._exports.take(self._now()):
            raise too_many_calls(self._exports.wait_s(self._now()))

    def _grant(self, authorization: str) -> _Grant:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            raise not_authenticated()
        grant = self._grants.get(token)
        if grant is None or grant.until <= self._now():
            raise invalid_token()
        return grant

    def _issue(self, call: Call) -> Reply:
        """The token endpoint takes JSON. A scope the client may not have is no error here; calls meet it later."""
        try:
            asked = json.loads(call.body)
        except ValueError:
            raise problem(400, "invalid_request", "The request is not valid JSON") from None
        if asked.get("grant_type") != "client_credentials":
            raise problem(400, "unsupported_grant_type", "The authorization grant type is not supported")
        secret = str(asked.get("client_secret", "")).encode()
        known = asked.get("client_id") == self._client["client_id"]
        if not known or not hmac.compare_digest(secret, self._client["client_secret"].encode()):
            raise invalid_client()
        lifetime_s = int(asked.get("expires_in") or LIFETIMES_S[0])
        if not LIFETIMES_S[0] <= lifetime_s <= LIFETIMES_S[1]:
            raise problem(400, "invalid_request", "expires_in is out of range")
        scopes = frozenset(str(asked.get("scope", "")).split()) & self._allowed
        token = uuid.uuid4().hex
        self._grants[token] = _Grant(scopes, self._now() + timedelta(seconds=lifetime_s))
        granted = " ".join(sorted(scopes))
        return Reply(200, {"access_token": token, "token_type": "bearer", "scope": granted, "expires_in": lifetime_s})

    def _dressed(self, reply: Reply) -> Reply:
        headers = {
            "X-Zendesk-API-Version": "v2",
            "X-Rate-Limit": str(self._calls.size),
            "X-Rate-Limit-Remaining": str(self._calls.remaining),
            **reply.headers,
        }
        return Reply(reply.status, reply.body, headers, reply.rows)
