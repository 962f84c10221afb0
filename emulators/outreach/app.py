"""The emulated Outreach: the door (token, media type, limit, scopes) and the calls behind it."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.outreach.batches import Batches
from emulators.outreach.collections import page_of
from emulators.outreach.errors import (
    OutreachError,
    invalid,
    maintenance,
    missing_scope,
    no_such_route,
    no_token,
    problem,
    too_many,
    wrong_media_type,
)
from emulators.outreach.limits import Meter
from emulators.outreach.org import Org
from emulators.outreach.tokens import TokenOffice
from emulators.vendor import Surroundings

ROOT, TOKEN_PATH = "/api/v2", "/oauth/token"
MEDIA_TYPE = "application/vnd.api+json"
ALL_SCOPES = frozenset({"accounts.read", "accounts.write", "batches.read", "batches.write", "users.read"})
HOURLY = 10_000
MAINTENANCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: its journal label, and every scope a token needs for it."""

    name: str
    method: str
    path: re.Pattern[str]
    scopes: tuple[str, ...]


def _operation(name: str, method: str, path: str, *scopes: str) -> Operation:
    return Operation(name, method, re.compile(ROOT + path.replace("{id}", r"(?P<id>[^/]+)")), scopes)


OPERATIONS = (
    _operation("list_accounts", "GET", "/accounts", "accounts.read"),
    _operation("get_account", "GET", "/accounts/{id}", "accounts.read"),
    _operation("update_account", "PATCH", "/accounts/{id}", "accounts.write"),
    _operation("list_users", "GET", "/users", "users.read"),
    _operation(
        "assign_owner",
        "POST",
        "/batches/actions/accountsAssignOwner",
        "batches.read",
        "batches.write",
        "accounts.write",
    ),
    _operation("confirm_batch", "POST", "/batches/{id}/actions/confirm", "batches.write"),
    _operation("get_batch", "GET", "/batches/{id}", "batches.read"),
    _operation("list_batch_items", "GET", "/batchItems", "batches.read"),
)


class Outreach:
    """One Outreach organisation on api.outreach.io.

    `hourly` is the limit of calls an hour, `batch_delay` how long a batch waits before it begins and again before it
    ends, `scopes` what the application was authorised for.
    """

    name = "outreach"
    hosts: tuple[str, ...] = ("api.outreach.io",)

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        hourly: int = HOURLY,
        batch_delay: timedelta = timedelta(seconds=1),
        scopes: frozenset[str] = ALL_SCOPES,
    ) -> None:
        self._now, self._hourly, self._scopes = surroundings.now, hourly, scopes
        self.org = Org(self._now)
        self.batches = Batches(self.org, self._now, batch_delay)
        self._tokens = TokenOffice(self._now, scopes)
        self._meter = Meter(hourly, self._now)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        """Refuse the tokens minted so far; a new one may be minted."""
        self._tokens.expire()

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["outreach"]: client_id, client_secret, redirect_uri, refresh_token, accounts, users.

        A world without it has an organisation that lets nobody in.
        """
        own = world.get("outreach", {})
        self._tokens.load(own, own.get("refresh_token", ""))
        self.org.load(own.get("accounts", ()), own.get("users", ()))
        self.batches.load()
        self._meter = Meter(self._hourly, self._now)

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person changes something: {"id", "owner": user id or None, "attributes"} of an account, {"action":
        "delete", "id"} deletes it, {"action": "lock", "id"} locks a user out."""
        with self._lock:
            self.batches.work()
            if command.get("action") == "lock":
                self.org.users[int(command["id"])]["attributes"]["locked"] = True
                return {"id": command["id"], "locked": True}
            account = self.org.find_account(command["id"])
            if command.get("action") == "delete":
                return dict(self.org.accounts.pop(account["id"]))
            account["attributes"] |= command.get("attributes", {})
            if "owner" in command:
                self.org.give(account, command["owner"], by=2)
            return dict(self.org.touch(account, by=2))

    def snapshot(self) -> dict[str, Any]:
        """Accounts, users and batches by id."""
        with self._lock:
            self.batches.work()
            batches = {batch.id: self.batches.shown(batch) for batch in self.batches.all.values()}
            held = {"accounts": self.org.accounts, "users": self.org.users, "batches": batches}
            return {name: {str(id_): row for id_, row in rows.items()} for name, rows in held.items()}

    def operation(self, call: Call) -> str:
        if (call.method, call.path) == ("POST", TOKEN_PATH):
            return "token"
        found = _find(call)
        return found[0].name if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Outreach knows comes back as its body, none is raised."""
        try:
            with self._lock:
                self.batches.work()
                if self.operation(call) == "token":
                    return Reply(200, self._tokens.mint(call.headers.get("content-type", ""), call.body))
                return self._dressed(self._answer(call))
        except OutreachError as error:
            return self._refused(error)

    def failure(self, status: int) -> Reply:
        """Outreach's own body for a failure that was asked for."""
        if status == 401:
            return self._refused(no_token())
        if status == 429:
            error = too_many(self._hourly, self._now() + timedelta(seconds=2))
            error.headers["Retry-After"] = str(round((self._now() + timedelta(seconds=2)).timestamp()))
            return self._refused(error)
        if status == 503:
            return self._refused(maintenance(self._now() + MAINTENANCE))
        return self._refused(problem(status, "internalServerError", "Internal Server Error", "Something went wrong."))

    def _answer(self, call: Call) -> Reply:
        if not self._tokens.accepts(call.headers.get("authorization", "")):
            raise no_token()
        self._meter.count()
        if call.headers.get("content-type", "").partition(";")[0].strip() != MEDIA_TYPE:
            raise wrong_media_type()
        found = _find(call)
        if found is None:
            raise no_such_route(call.path)
        operation, id_ = found
        for scope in operation.scopes:
            if not {scope, f"{scope.partition('.')[0]}.all"} & self._scopes:
                raise missing_scope(scope)
        answer: Reply = getattr(self, f"_{operation.name}")(call, id_)
        return answer

    def _list_accounts(self, call: Call, _: str) -> Reply:
        return self._collection("account", call, list(self.org.accounts.values()))

    def _get_account(self, _: Call, id_: str) -> Reply:
        return Reply(200, {"data": self.org.find_account(id_)}, rows=1)

    def _update_account(self, call: Call, id_: str) -> Reply:
        return Reply(200, {"data": self.org.update_account(id_, _sent(call))}, rows=1)

    def _list_users(self, call: Call, _: str) -> Reply:
        return self._collection("user", call, list(self.org.users.values()))

    def _assign_owner(self, call: Call, _: str) -> Reply:
        shown = self.batches.assign_owner(call.query, _sent(call))
        return Reply(200, {"data": shown}, rows=shown["attributes"]["total"])

    def _confirm_batch(self, _: Call, id_: str) -> Reply:
        return Reply(200, {"data": self.batches.confirm(id_)}, rows=1)

    def _get_batch(self, _: Call, id_: str) -> Reply:
        return Reply(200, {"data": self.batches.shown(self.batches.find(id_))}, rows=1)

    def _list_batch_items(self, call: Call, _: str) -> Reply:
        return self._collection("batchItem", call, self.batches.items())

    def _collection(self, kind: str, call: Call, resources: list[dict[str, Any]]) -> Reply:
        body = page_of(kind, f"https://{self.hosts[0]}{call.path}", resources, call.query)
        return Reply(200, body, rows=len(body["data"]))

    def _refused(self, error: OutreachError) -> Reply:
        return self._dressed(Reply(error.status, error.body, error.headers))

    def _dressed(self, reply: Reply) -> Reply:
        headers = {"Content-Type": MEDIA_TYPE, **self._meter.headers(), **reply.headers}
        return Reply(reply.status, reply.body, headers, reply.rows)


def _find(call: Call) -> tuple[Operation, str] | None:
    """The operation of this call, and the id in its path."""
    for operation in OPERATIONS:
        match = operation.path.fullmatch(call.path) if operation.method == call.method else None
        if match:
            return operation, match.groupdict().get("id", "")
    return None


def _sent(call: Call) -> dict[str, Any]:
    """The resource in a request. Raises `OutreachError` 422."""
    try:
        body = json.loads(call.body or b"{}")
    except ValueError:
        raise invalid("The body is not JSON.") from None
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise invalid("The body has no resource.", "/data")
    return data
