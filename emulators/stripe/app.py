"""The emulated Stripe: the door (key, version, pace) and the read calls behind it."""

from __future__ import annotations

import hashlib
import threading
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.stripe.account import API_VERSION, Account
from emulators.stripe.calls import CALLS_PER_SECOND, Pace, check_key, check_version, find_call
from emulators.stripe.errors import StripeError, no_such_route, rate_limited, wrong_key
from emulators.stripe.parameters import read_expand, read_list
from emulators.vendor import Surroundings

LISTS = {"customer": "customers", "subscription": "subscriptions"}


class Stripe:
    """One Stripe account on api.stripe.com, read-only through the API; `calls_per_second` is 100 in live mode."""

    name = "stripe"
    hosts: tuple[str, ...] = ("api.stripe.com",)

    def __init__(self, surroundings: Surroundings, *, calls_per_second: int = CALLS_PER_SECOND) -> None:
        self._surroundings, self._calls_per_second = surroundings, calls_per_second
        self._key, self._calls, self._expired = "", 0, False
        self._pace = Pace(calls_per_second)
        self.account = Account(surroundings.now)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._expired = True

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["stripe"]: key, customers, subscriptions."""
        own = world["stripe"]
        self._expired = False
        self._key = own["key"]
        self._pace = Pace(self._calls_per_second)
        self.account.load(own["customers"], own["subscriptions"])

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """Somebody changes something in the dashboard; an event follows.

        {"object": "customer" | "subscription", "id", "set": {...}} sets fields, {"action": "create", "row": {...}}
        adds an object, {"action": "delete", "id"} deletes a customer. Raises `StripeError` for an unknown id.
        """
        with self._lock:
            return self._edit(command)

    def _edit(self, command: dict[str, Any]) -> dict[str, Any]:
        action = command.get("action", "update")
        if action == "create":
            return self.account.add(LISTS[command["row"]["object"]], command["row"])
        if action == "delete":
            self.account.remove_customer(command["id"])
            return {"id": command["id"], "deleted": True}
        return self.account.change(LISTS[command["object"]], command["id"], command["set"])

    def snapshot(self) -> dict[str, Any]:
        """Customers, subscriptions and events by id."""
        return {name: dict(rows) for name, rows in self.account.rows.items()}

    def operation(self, call: Call) -> str:
        found = find_call(call.method, call.path)
        return found[0] if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Stripe knows comes back as its body, none is raised."""
        try:
            with self._lock:
                reply = self._answer(call)
        except StripeError as error:
            reply = Reply(error.status, error.body)
        return self._dressed(reply)

    def failure(self, status: int) -> Reply:
        """Stripe's own body for a failure that was asked for."""
        if status == 429:
            error = rate_limited()
        elif status == 401:
            error = wrong_key(self._key)
        else:
            error = StripeError(status, "Sorry, there was an error processing your request.")
            error.body["error"]["type"] = "api_error"
        return self._dressed(Reply(error.status, error.body))

    def _answer(self, call: Call) -> Reply:
        check_key(call.headers, self._key)
        if self._expired:
            raise wrong_key(self._key)
        self._pace.count(self._surroundings.now())
        check_version(call.headers)
        found = find_call(call.method, call.path)
        if found is None:
            raise no_such_route(call.method, call.path)
        _, name, object_id = found
        query = parse_qsl(call.query, keep_blank_values=True)
        if object_id:
            return Reply(200, self.account.find(name, object_id, read_expand(query)), rows=1)
        page = self.account.list_page(name, read_list(name, query))
        return Reply(200, page, rows=len(page["data"]))

    def _dressed(self, reply: Reply) -> Reply:
        self._calls += 1
        request_id = "req_" + hashlib.sha256(str(self._calls).encode()).hexdigest()[:14]
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        body = reply.body
        if body is not None and "error" in body:
            body = {"error": body["error"] | {"request_log_url": f"https://dashboard.stripe.com/logs/{request_id}"}}
        return Reply(reply.status, body, headers, reply.rows)
