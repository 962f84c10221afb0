"""Tokens and the daily allowance: who may call at all."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

from emulators.salesforce.errors import ApiError, session_expired
from emulators.world.ids import ORGANIZATION_ID

DAILY_CALLS = 100_000  # Enterprise Edition, before licences add to it


MOST_SESSIONS = 5  # of one connected app for one user; a sixth revokes the oldest (customer.io, integration docs)


class LoginError(Exception):
    """The token endpoint's own form of refusal (RFC 6749, 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


@dataclass(slots=True)
class _Session:
    until: datetime
    calls_left: int | None


class Sessions:
    """Access tokens of the client-credentials flow. One lasts `lifetime`, or `calls` calls if that is given."""

    def __init__(self, now: Callable[[], datetime], lifetime: timedelta, calls: int | None) -> None:
        self._now, self._lifetime, self._calls = now, lifetime, calls
        self._sessions: dict[str, _Session] = {}
        self._issued = 0

    def issue(self, access: Mapping[str, Any], headers: Mapping[str, str], body: bytes, user_id: str) -> dict[str, Any]:
        """Answer the token endpoint. Credentials come by HTTP Basic or in the form. Raises `LoginError`."""
        form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            raise LoginError("unsupported_grant_type", "grant type not supported")
        client_id, secret = _basic(headers.get("authorization", "")) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        if client_id != access["client_id"]:
            raise LoginError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), access["client_secret"].encode()):
            raise LoginError("invalid_client", "invalid client credentials")
        return self._token(access, user_id)

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises `ApiError` 401 INVALID_SESSION_ID."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        session = self._sessions.get(token)
        if scheme not in ("Bearer", "OAuth") or session is None or self._now() >= session.until:
            raise session_expired()
        if session.calls_left is not None:
            if session.calls_left == 0:
                raise session_expired()
            session.calls_left -= 1

    def expire_all(self) -> None:
        self._sessions.clear()

    def _token(self, access: Mapping[str, Any], user_id: str) -> dict[str, Any]:
        self._issued += 1
        seed = f"{access['client_secret']}:{self._issued}".encode()
        token = f"{ORGANIZATION_ID[:15]}!AQEAQ{hashlib.sha512(seed).hexdigest()[:90]}"
        now = self._now()
        self._sessions[token] = _Session(now + self._lifetime, self._calls)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))  # the oldest is revoked, in use or not
        instance, issued_at = f"https://{access['domain']}.salesforce.com", str(int(now.timestamp() * 1000))
        identity = f"https://login.salesforce.com/id/{ORGANIZATION_ID}/{user_id}"
        signed = hmac.new(access["client_secret"].encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
        return {
            "access_token": token,
            "signature": base64.b64encode(signed).decode(),
            "scope": "api",
            "instance_url": instance,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
            "api_instance_url": "https://api.salesforce.com",
        }


class Allowance:
    """Calls used of the 24-hour allowance; every call counts, refused ones at the cap do not."""

    def __init__(self, daily_calls: int) -> None:
        self.daily_calls, self.used = daily_calls, 0

    def count(self) -> None:
        """Raises `ApiError` 403 REQUEST_LIMIT_EXCEEDED (never 429, and no Retry-After)."""
        if self.used >= self.daily_calls:
            raise request_limit()
        self.used += 1

    def header(self) -> dict[str, str]:
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{self.daily_calls}"}


def request_limit() -> ApiError:
    """The allowance is gone."""
    return ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return unquote(client_id), unquote(secret)
