"""The emulated Salesloft: the door (tokens, scopes, points a minute) and what is behind it."""

from __future__ import annotations

import hmac
import json
import re
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.salesloft.errors import (
    SalesloftError,
    bad_token,
    invalid,
    missing_scope,
    no_token,
    not_found,
    oauth,
    too_many,
)
from emulators.salesloft.team import Query, Team, page_number
from emulators.vendor import Surroundings

API_HOST, TOKEN_HOST = "api.salesloft.com", "accounts.salesloft.com"
POINTS_A_MINUTE = 600
DEEP_PAGES = ((501, 30), (251, 10), (151, 8), (101, 3))
LIFETIME = timedelta(seconds=7_200)
ALL_SCOPES = frozenset({"accounts:read", "accounts:write", "team:read"})


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    method: str
    path: re.Pattern[str]
    scope: str


OPERATIONS = (
    _Operation("list_accounts", "GET", re.compile(r"/v2/accounts(\.json)?"), "accounts:read"),
    _Operation("update_account", "PUT", re.compile(r"/v2/accounts/(?P<id>\d+)(\.json)?"), "accounts:write"),
    _Operation("list_users", "GET", re.compile(r"/v2/users(\.json)?"), "team:read"),
)


class Salesloft:
    """One team. `scopes` are those its OAuth application may ask for."""

    name = "salesloft"
    hosts: tuple[str, ...] = (API_HOST, TOKEN_HOST)

    def __init__(
        self, surroundings: Surroundings, *, scopes: frozenset[str] = ALL_SCOPES, points_a_minute: int = POINTS_A_MINUTE
    ) -> None:
        self._now, self._scopes, self._points = surroundings.now, scopes, points_a_minute
        self._client: dict[str, Any] = {}
        self._grants: dict[str, tuple[frozenset[str], datetime]] = {}
        self._minute, self._used, self._cost = "", 0, 0
        self.team = Team(surroundings.now)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._grants.clear()

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["salesloft"]: client id and secret, users, accounts (with `owner_id`)."""
        own = world["salesloft"]
        self._client = {name: own[name] for name in ("client_id", "client_secret")}
        self._grants.clear()
        self.team.load(own)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person changes something in Salesloft's own pages, or the CRM sync does.

        {"id", "set": {...}} changes an account as the API would, {"action": "delete", "id"} deletes one,
        {"action": "store", "id", "field", "value"} puts a value nobody checks into it, {"action": "user", "id", "set"}
        changes a user.
        """
        with self._lock:
            action, id_ = command.get("action", "update"), int(command["id"])
            if action == "user":
                self.team.users[id_] |= command["set"]
                return dict(self.team.users[id_])
            if action == "delete":
                return self.team.accounts.pop(id_)
            if action == "store":
                self.team.accounts[id_][command["field"]] = command["value"]
                return dict(self.team.change(id_, {}))
            return dict(self.team.change(id_, command["set"]))

    def snapshot(self) -> dict[str, Any]:
        """Accounts and users by id."""
        with self._lock:
            return {
                "accounts": {str(id_): dict(row) for id_, row in self.team.accounts.items()},
                "users": {str(id_): dict(row) for id_, row in self.team.users.items()},
            }

    def operation(self, call: Call) -> str:
        if call.path == "/oauth/token":
            return "token"
        found = _find(call)
        return found[0].name if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Salesloft knows comes back as its body, none is raised."""
        with self._lock:
            self._cost = 0
            try:
                reply = self._answer(call)
            except SalesloftError as error:
                reply = Reply(error.status, error.body)
        shown = {"x-ratelimit-endpoint-cost": str(self._cost), "x-ratelimit-remaining-minute": str(self._left)}
        return Reply(reply.status, reply.body, {**reply.headers, **shown}, reply.rows)

    def failure(self, status: int) -> Reply:
        return Reply(status, {"error": "error"})

    def _answer(self, call: Call) -> Reply:
        host = call.headers.get("host", "").partition(":")[0].lower()
        if host == TOKEN_HOST:
            return self._issue(call)
        scopes = self._admitted(call.headers.get("authorization", ""))
        query = parse_qs(call.query, keep_blank_values=True)
        self._spend(query)
        found = _find(call)
        if found is None:
            raise not_found()
        operation, id_ = found
        if operation.scope not in scopes:
            raise missing_scope(operation.scope)
        if operation.name == "update_account":
            return Reply(200, {"data": self.team.change(id_, _json(call.body))}, rows=1)
        lists = {"list_accounts": self.team.listed_accounts, "list_users": self.team.listed_users}
        body = lists[operation.name](query)
        return Reply(200, body, rows=len(body["data"]))

    def _spend(self, query: Query) -> None:
        """Points are counted by the minute; a call that finds too few left is refused and costs nothing."""
        minute = f"{self._now():%Y-%m-%dT%H:%M}"
        if minute != self._minute:
            self._minute, self._used = minute, 0
        number = page_number(query)
        cost = next((cost for first, cost in DEEP_PAGES if number >= first), 1)
        if cost > self._left:
            raise too_many()
        self._used, self._cost = self._used + cost, cost

    @property
    def _left(self) -> int:
        return self._points - self._used

    def _admitted(self, authorization: str) -> frozenset[str]:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            raise no_token()
        scopes, until = self._grants.get(token, (frozenset(), self._now()))
        if until <= self._now():
            raise bad_token()
        return scopes

    def _issue(self, call: Call) -> Reply:
        """The token address: client credentials in the body. No refresh token comes with them."""
        asked = _json(call.body)
        if call.path != "/oauth/token" or call.method != "POST":
            raise not_found()
        if asked.get("grant_type") != "client_credentials":
            raise oauth(400, "unsupported_grant_type", "The authorization grant type is not supported")
        secret = str(asked.get("client_secret", "")).encode()
        known = asked.get("client_id") == self._client["client_id"]
        if not known or not hmac.compare_digest(secret, self._client["client_secret"].encode()):
            raise oauth(401, "invalid_client", "Client authentication failed")
        scopes = frozenset(str(asked.get("scope", "")).split())
        if not scopes <= self._scopes:
            raise oauth(400, "invalid_scope", "The requested scope is invalid, unknown, or malformed")
        token = uuid.uuid4().hex
        self._grants[token] = (scopes, self._now() + LIFETIME)
        body = {"access_token": token, "token_type": "Bearer", "expires_in": int(LIFETIME.total_seconds())}
        return Reply(200, {**body, "scope": " ".join(sorted(scopes)), "created_at": int(self._now().timestamp())})


def _find(call: Call) -> tuple[_Operation, int] | None:
    for operation in OPERATIONS:
        if operation.method == call.method and (match := operation.path.fullmatch(call.path)):
            return operation, int(match.groupdict().get("id") or 0)
    return None


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        raise invalid("base", "is not valid JSON") from None
    if not isinstance(said, dict):
        raise invalid("base", "is not an object")
    return said
