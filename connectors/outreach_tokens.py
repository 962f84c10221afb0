"""Outreach's OAuth tokens: minted from a refresh token, kept in a file, renewed when Outreach refuses them.

No API calls are made here but the one that mints. Why a file and not memory alone
    * Outreach mints one access token for a user and application in 60 seconds and answers 429 to a second one, so that
      two flows that start together would stop each other. They share the file instead.
    * A refresh token lives 14 days and each minting gives a new one. The one in the settings is only the first.

From Outreach's developer pages (getting-started: authentication, token availability). Unverified: the error bodies of
the token address (any 400 or 401 is taken as "wrong credentials"), and that a former refresh token stays good, which
the published limit of 100 active ones for a user suggests.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import requests

from connectors.errors import Ambiguous, ConnectorStopped, RetryLater
from connectors.http import from_requests, retry_after_s

NAME = "outreach"
TOKEN_URL = "https://api.outreach.io/oauth/token"  # noqa: S105  (an address, no secret)
CREDENTIALS_MEND = (
    "Check STEWARD_OUTREACH_CLIENT_ID, STEWARD_OUTREACH_CLIENT_SECRET, STEWARD_OUTREACH_REDIRECT_URI and authorise "
    "again for a new STEWARD_OUTREACH_REFRESH_TOKEN"
)
EARLY = timedelta(seconds=60)  # a token about to end is not begun with
MINT_EVERY_S = 60.0
LONGEST_WAIT_S = 86_400.0  # a "number of seconds" beyond a day is an instant


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Outreach gave the application, and the refresh token a person authorised it with."""

    client_id: str
    client_secret: str
    redirect_uri: str
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """One minting. `first` tells which refresh token of the settings it goes back to, without giving it away."""

    access_token: str
    refresh_token: str
    expires_at: str
    first: str


class OutreachTokens:
    """The access token in force. Safe to share between threads; `file` shares it between processes."""

    def __init__(
        self,
        credentials: Credentials,
        http: requests.Session,
        *,
        file: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._credentials = credentials
        self._http = http
        self._file = file
        self._clock = clock
        self._first = sha256(credentials.refresh_token.encode()).hexdigest()[:16]
        self._kept: Tokens | None = None
        self._lock = threading.Lock()

    def current(self, instead_of: str = "") -> str:
        """An access token other than `instead_of`, which Outreach has refused.

        Raises `ConnectorStopped` when the credentials are refused, `RetryLater` when nothing can be minted now.
        """
        with self._lock:
            if not self._usable(self._kept, instead_of):
                self._kept = self._read() or self._kept
            if not self._usable(self._kept, instead_of):
                self._kept = self._mint(self._kept)
                self._write(self._kept)
            assert self._kept is not None  # noqa: S101  (for the type checker)
            return self._kept.access_token

    def _usable(self, tokens: Tokens | None, instead_of: str) -> bool:
        if tokens is None or tokens.access_token == instead_of:
            return False
        return datetime.fromisoformat(tokens.expires_at) > self._clock() + EARLY

    def _mint(self, before: Tokens | None) -> Tokens:
        refresh_token = before.refresh_token if before else self._credentials.refresh_token
        form = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "redirect_uri": self._credentials.redirect_uri,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
        }
        body = self._post(form)
        try:
            ends = self._clock() + timedelta(seconds=float(body["expires_in"]))
            new = str(body.get("refresh_token") or refresh_token)
            return Tokens(str(body["access_token"]), new, ends.isoformat(), self._first)
        except (KeyError, TypeError, ValueError) as error:
            raise RetryLater(NAME, "the token address answered without a token", code="LOGIN") from error

    def _post(self, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            response = self._http.post(TOKEN_URL, data=dict(form))
            body = response.json() if response.content else {}
        except requests.RequestException as error:
            raise _login_error(error) from error
        if response.status_code in (400, 401, 403):
            said = str(body.get("error_description") or body.get("error") or "") if isinstance(body, dict) else ""
            message = f"its credentials are refused: {said}"[:300]
            raise ConnectorStopped(NAME, message, code="LOGIN", mend=CREDENTIALS_MEND)
        if response.status_code == 429:
            wait_s = asked_wait_s(response.headers.get("Retry-After"), self._clock()) or MINT_EVERY_S
            raise RetryLater(NAME, "a token was minted a moment ago", code="MINTED", retry_after_s=wait_s)
        if response.status_code >= 300 or not isinstance(body, dict):
            raise RetryLater(NAME, f"the token address answers {response.status_code}", code="LOGIN")
        return body

    def _read(self) -> Tokens | None:
        try:
            tokens = Tokens(**json.loads(self._file.read_text(encoding="utf-8"))) if self._file else None
            # Tokens of another refresh token than the settings' belong to an authorisation that was replaced.
            return (
                tokens if tokens and tokens.first == self._first and datetime.fromisoformat(tokens.expires_at) else None
            )
        except (OSError, TypeError, ValueError):
            return None

    def _write(self, tokens: Tokens) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_name(self._file.name + ".part")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(asdict(tokens)), encoding="utf-8")
            draft.replace(self._file)
        except OSError as error:
            mend = "Let Steward write the file named by STEWARD_OUTREACH_TOKEN_FILE"
            raise ConnectorStopped(NAME, f"its token cannot be kept: {error}", code="TOKEN_FILE", mend=mend) from error


def asked_wait_s(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After of Outreach asks for; None when it says nothing that can be read.

    Outreach calls the header an alias of X-RateLimit-Reset, which its clients read as epoch seconds, and puts an
    ISO 8601 instant into it during maintenance; plain seconds are what everybody else sends. Read wrongly, an instant
    would be a wait of decades.
    """
    if not value:
        return None
    seconds = retry_after_s(value, now)
    try:
        if seconds is None:
            at = datetime.fromisoformat(value)
            seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
        elif seconds > LONGEST_WAIT_S:
            seconds -= now.timestamp()
    except ValueError:
        return None
    return max(0.0, seconds)


def _login_error(error: requests.RequestException) -> Exception:
    """A login changes nothing at the vendor, so that no answer is as good as "not done"."""
    known = from_requests(NAME, error)
    return RetryLater(NAME, known.message, code=known.code) if isinstance(known, Ambiguous) else known


__all__ = ["NAME", "Credentials", "OutreachTokens", "asked_wait_s"]
