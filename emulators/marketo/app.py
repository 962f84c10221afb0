"""The emulated Marketo: the door (tokens, permissions, limits) and the operations behind it.

Not played: the limit of ten calls at the same time, since calls are answered one after the other here; order a 615
instead (a fault of the kind "status" with one of Marketo's own codes).
"""

from __future__ import annotations

import hmac
import threading
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.marketo.database import Database
from emulators.marketo.errors import TEXTS, IdentityError, MarketoError
from emulators.marketo.operations import (
    ACTIVITIES,
    LEADS,
    MOST_ROWS,
    USERS,
    WRITE_LEADS,
    Operations,
    Request,
    find_operation,
)
from emulators.vendor import Surroundings
from emulators.windows import Window

IDENTITY = "/identity/oauth/token"
ALL_PERMISSIONS = frozenset({LEADS, WRITE_LEADS, ACTIVITIES, USERS})
LIFETIME = timedelta(hours=1)
CALLS, CALLS_WINDOW, DAILY_CALLS = 100, timedelta(seconds=20), 50_000  # Marketo integration best practices
LONGEST_URI, LARGEST_BODY = 8_192, 1_048_576  # bytes


class Marketo:
    """One Marketo instance at <munchkin id>.mktorest.com.

    `permissions` are those of the API-only user's role; `page` and `daily_calls` default to the vendor's numbers;
    `log_delay` is how long a change takes to appear in the log.
    """

    name = "marketo"
    hosts: tuple[str, ...] = ("*.mktorest.com",)

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        permissions: frozenset[str] = ALL_PERMISSIONS,
        page: int = MOST_ROWS,
        daily_calls: int = DAILY_CALLS,
        log_delay: timedelta = timedelta(0),
    ) -> None:
        self._now, self._permissions, self._daily_calls = surroundings.now, permissions, daily_calls
        self._access: dict[str, str] = {}
        self._users: list[dict[str, Any]] = []
        self._token, self._until, self._expired = "", surroundings.now(), set[str]()
        self._window, self._today, self._used = Window(CALLS, CALLS_WINDOW), surroundings.now().date(), 0
        self.database = Database(surroundings.now, log_delay)
        self._operations = Operations(self.database, lambda: self._users, page)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._until = self._now()

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["marketo"]: munchkin_id, client id and secret, custom_fields, users, leads, lists."""
        own = world["marketo"]
        self._access = {name: own[name] for name in ("munchkin_id", "client_id", "client_secret")}
        self._users = [dict(user) for user in own["users"]]
        self._token = ""
        self.database.load(own)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person changes something in Marketo's own pages, or the CRM sync does.

        {"id", "set": {...}} changes a lead, {"action": "create", "set"} adds one, {"action": "delete", "id"} deletes
        one, {"action": "remove_user", "email"} takes a user away.
        """
        with self._lock:
            action = command.get("action", "update")
            if action == "create":
                return dict(self.database.create(command["set"]))
            if action == "delete":
                return self.database.delete(int(command["id"]))
            if action == "remove_user":
                self._users = [user for user in self._users if user["emailAddress"] != command["email"]]
                return {"users": len(self._users)}
            return dict(self.database.change(int(command["id"]), command["set"]))

    def snapshot(self) -> dict[str, Any]:
        """Leads by id, and the users."""
        with self._lock:
            return {"leads": {str(id_): dict(lead) for id_, lead in self.database.leads.items()}, "users": self._users}

    def operation(self, call: Call) -> str:
        if call.path == IDENTITY:
            return "identity"
        found = find_operation(call.method, call.path)
        return found[0].name if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Marketo knows comes back as its body, none is raised."""
        request_id = f"{uuid.uuid4().hex[:4]}#{int(self._now().timestamp() * 1000):x}"
        if len(call.path) + len(call.query) > LONGEST_URI:
            return Reply(414, b"<html>Request URI Too Long</html>", {"Content-Type": "text/html"})
        if len(call.body) > LARGEST_BODY:
            return Reply(413, b"<html>Request Entity Too Large</html>", {"Content-Type": "text/html"})
        try:
            with self._lock:
                reply = self._answer(call)
        except IdentityError as error:
            return Reply(401, error.body)
        except MarketoError as error:
            return Reply(error.http, error.body(request_id))
        if isinstance(reply.body, dict) and call.path != IDENTITY:
            return Reply(200, {"requestId": request_id, "success": True, **reply.body}, reply.headers, reply.rows)
        return reply

    def failure(self, status: int) -> Reply:
        """One of Marketo's own codes comes as HTTP 200; an HTTP status comes from whatever stands before Marketo."""
        if status in TEXTS:
            return Reply(200, MarketoError(status).body("0#0"))
        return Reply(status, b"<html>error</html>", {"Content-Type": "text/html"})

    def _answer(self, call: Call) -> Reply:
        query = dict(parse_qsl(call.query, keep_blank_values=True))
        host = call.headers.get("host", "").partition(":")[0].lower()
        if host != f"{self._access['munchkin_id'].lower()}.mktorest.com":
            raise MarketoError(614, http=404)
        if call.path == IDENTITY:
            return self._identity(query)
        self._admit(call.headers.get("authorization", ""))
        found = find_operation(call.method, call.path)
        if found is None:
            raise MarketoError(610)
        operation, names = found
        needed = {operation.permission} | ({WRITE_LEADS} if operation.permission == LEADS else set())
        if not self._permissions & needed:
            raise MarketoError(603, http=403 if operation.permission == USERS else 200)
        reply: Reply = getattr(self._operations, operation.name)(Request(names, query, call.headers, call.body))
        return reply

    def _admit(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in {self._token, *self._expired} or not token:
            raise MarketoError(601)
        if token != self._token or self._now() >= self._until:
            raise MarketoError(602)
        if self._now().date() != self._today:
            self._today, self._used = self._now().date(), 0
        if self._used >= self._daily_calls:
            raise MarketoError(607)
        if not self._window.take(self._now()):
            raise MarketoError(606)
        self._used += 1

    def _identity(self, query: dict[str, str]) -> Reply:
        """The same token with what is left of its hour, until it ends."""
        if query.get("grant_type") != "client_credentials":
            raise IdentityError("unsupported_grant_type", "Unsupported grant type")
        known = query.get("client_id") == self._access["client_id"]
        secret = query.get("client_secret", "").encode()
        if not known or not hmac.compare_digest(secret, self._access["client_secret"].encode()):
            raise IdentityError("invalid_client", "Bad client credentials")
        if not self._token or self._now() >= self._until:
            self._expired.add(self._token)
            self._token, self._until = f"{uuid.uuid4()}:int", self._now() + LIFETIME
        left_s = int((self._until - self._now()).total_seconds())
        body = {"access_token": self._token, "token_type": "bearer", "expires_in": left_s, "scope": "steward@api.io"}
        return Reply(200, body)


__all__ = ["Marketo"]
