"""Stripe's door and routes: who may call, how often, and which call a path is."""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from emulators.stripe.account import API_VERSION
from emulators.stripe.errors import StripeError, no_key, rate_limited, wrong_key

# Live mode; a test-mode key gets 25 (Stripe, "Rate limits").
CALLS_PER_SECOND = 100
PATH = re.compile(r"/v1/(?P<name>customers|subscriptions|events)(?:/(?P<id>[^/]+))?/?")


def find_call(method: str, path: str) -> tuple[str, str, str] | None:
    """(operation, list name, object id or "") of a call; None for anything this account does not serve."""
    match = PATH.fullmatch(path)
    if match is None or method != "GET":
        return None
    verb = "get" if match["id"] else "list"
    return f"{match['name']}.{verb}", match["name"], match["id"] or ""


def check_key(headers: Mapping[str, str], key: str) -> None:
    """The key as Bearer, or as the user of Basic. Raises `StripeError` 401."""
    given = _given_key(headers.get("authorization", ""))
    if not given:
        raise no_key()
    if given != key:
        raise wrong_key(given)


def check_version(headers: Mapping[str, str]) -> str:
    """The version to answer in. We hold objects of one version only. Raises `StripeError` 400 for another."""
    asked = headers.get("stripe-version", API_VERSION)
    if asked != API_VERSION:
        raise StripeError(400, f"Invalid Stripe API version: {asked}")
    return asked


def _given_key(authorization: str) -> str:
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


class Pace:
    """At most `size` calls in any second of the account's clock."""

    def __init__(self, size: int, window: timedelta = timedelta(seconds=1)) -> None:
        self._size, self._window = size, window
        self._taken: deque[datetime] = deque()

    def count(self, at: datetime) -> None:
        """Raises `StripeError` 429."""
        while self._taken and self._taken[0] <= at - self._window:
            self._taken.popleft()
        if len(self._taken) >= self._size:
            raise rate_limited()
        self._taken.append(at)
