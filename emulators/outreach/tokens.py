"""Outreach's token address: access tokens of two hours, refresh tokens of 14 days, one minting in 60 seconds."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from emulators.outreach.errors import OutreachError, oauth, too_many

ACCESS_LIFE, REFRESH_LIFE = timedelta(hours=2), timedelta(days=14)
MINT_EVERY = timedelta(seconds=60)


class TokenOffice:
    """The tokens of one application and user. A former refresh token stays good for its 14 days."""

    def __init__(self, now: Callable[[], datetime], scopes: frozenset[str]) -> None:
        self._now, self._scopes = now, scopes
        self._application: Mapping[str, str] = {}
        self._access: dict[str, datetime] = {}
        self._refresh: dict[str, datetime] = {}
        self._last_minted: datetime | None = None

    def load(self, application: Mapping[str, str], refresh_token: str) -> None:
        """`application` is client_id, client_secret and redirect_uri."""
        self._application = application
        self._access, self._last_minted = {}, None
        self._refresh = {refresh_token: self._now() + REFRESH_LIFE}

    def expire(self) -> None:
        """Refuse every access token minted so far."""
        self._access.clear()

    def accepts(self, authorization: str) -> bool:
        ends = self._access.get(authorization.removeprefix("Bearer "))
        return ends is not None and self._now() < ends

    def mint(self, content_type: str, raw: bytes) -> dict[str, Any]:
        """Answer one request for a token. Raises `OutreachError`."""
        if content_type.partition(";")[0].strip() != "application/x-www-form-urlencoded":
            raise oauth(400, "invalid_request", "The request is missing a required parameter.")
        form = dict(parse_qsl(raw.decode("utf-8", "replace")))
        for name in ("client_id", "client_secret"):
            if not hmac.compare_digest(form.get(name, ""), self._application.get(name, "") or "\0"):
                raise oauth(401, "invalid_client", "Client authentication failed.")
        if form.get("grant_type") != "refresh_token":
            raise oauth(400, "unsupported_grant_type", "The authorization grant type is not supported.")
        ends = self._refresh.get(form.get("refresh_token", ""))
        if ends is None or ends <= self._now() or form.get("redirect_uri") != self._application.get("redirect_uri"):
            raise oauth(400, "invalid_grant", "The provided authorization grant is invalid, expired or revoked.")
        self._hold_to_pace()
        return self._issue()

    def _hold_to_pace(self) -> None:
        if self._last_minted is not None and self._now() < self._last_minted + MINT_EVERY:
            again_at = self._last_minted + MINT_EVERY
            error: OutreachError = too_many(1, again_at)
            error.headers["Retry-After"] = str(round(again_at.timestamp() + 0.5))
            raise error

    def _issue(self) -> dict[str, Any]:
        now = self._last_minted = self._now()
        access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._access[access], self._refresh[refresh] = now + ACCESS_LIFE, now + REFRESH_LIFE
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": refresh,
            "scope": " ".join(sorted(self._scopes)),
            "created_at": int(now.timestamp()),
        }
