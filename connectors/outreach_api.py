"""Outreach over HTTPS: JSON:API calls with a token, and the one place where its errors get our names.

There is no maintained Python library for Outreach, so that this speaks JSON:API through `requests`. Wire facts are from
Outreach's developer pages and its published OpenAPI description; no real traffic was recorded. Unverified: the body
of a 401 (two shapes are read), and whether a bare 503 means "not done" (it is taken as "no answer").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RecordRejected, RetryLater, SchemaChanged
from connectors.http import (
    READ_TIMEOUT_S,
    Egress,
    EgressSession,
    Patience,
    from_requests,
    json_object,
    rows_of_data,
)
from connectors.outreach_tokens import CREDENTIALS_MEND, NAME, Credentials, OutreachTokens, asked_wait_s

BASE = "https://api.outreach.io/api/v2"
MEDIA_TYPE = "application/vnd.api+json"  # Outreach answers 415 without it, even to a GET
SCOPES = "accounts.read accounts.write batches.read batches.write users.read"
SCOPES_MEND = f"Authorise again with the scopes {SCOPES} (a write scope does not let you read)"
PERMISSION_MEND = "Let the profile of the authorising user see users and edit accounts in Outreach"

Params = Sequence[tuple[str, str]]


class OutreachApi:
    """One Outreach organisation, as one of its users. Paths are below the API's base; answers are decoded."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        token_file: Path | None = None,
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.patience = patience or Patience()
        self._http = EgressSession(egress or Egress(), timeout_s)
        self._tokens = OutreachTokens(credentials, self._http, file=token_file, clock=clock)
        self._clock = clock

    def get(self, path: str, params: Params = ()) -> dict[str, Any]:
        """A call that changes nothing: repeated on anything transient. Raises `SchemaChanged` for a query refused."""
        try:
            return self.patience.read(lambda: self._call("GET", path, params, None))
        except RecordRejected as error:
            if error.code == "unauthorizedRequest":
                raise ConnectorStopped(NAME, error.message, code=error.code, mend=PERMISSION_MEND) from error
            raise SchemaChanged(NAME, error.message, code=error.code) from error

    def send(self, method: str, path: str, body: Mapping[str, Any], params: Params = ()) -> dict[str, Any]:
        """A write: repeated only where Outreach said that it was not done. Raises `Ambiguous` when no answer came."""
        return self.patience.write(lambda: self._call(method, path, params, body))

    def _call(self, method: str, path: str, params: Params, body: Mapping[str, Any] | None) -> dict[str, Any]:
        token = self._tokens.current()
        response = self._send(method, path, params, body, token)
        if response.status_code == 401:
            # A 401 says that nothing was done: the same call with another token.
            response = self._send(method, path, params, body, self._tokens.current(instead_of=token))
        if not response.ok:
            raise to_error(response, self._clock())
        return json_object(NAME, response)

    def _send(
        self, method: str, path: str, params: Params, body: Mapping[str, Any] | None, token: str
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        try:
            return self._http.request(method, BASE + path, params=list(params), json=body, headers=headers)
        except requests.RequestException as error:
            raise from_requests(NAME, error) from error


def to_error(response: requests.Response, now: datetime) -> ConnectorError:
    """What an answer other than 2xx means for the caller."""
    status = response.status_code
    code, message = _said(response)
    wait_s = asked_wait_s(response.headers.get("Retry-After"), now)
    if status == 401:
        return ConnectorStopped(NAME, message, code=code, mend=CREDENTIALS_MEND)
    if code == "unauthorizedOauthScope":
        return ConnectorStopped(NAME, message, code=code, mend=SCOPES_MEND)
    if status == 429 or code == "scheduledServerMaintenance":
        return RetryLater(NAME, message, code=code, retry_after_s=wait_s)
    if status >= 500:
        return Ambiguous(NAME, message, code=code)
    return RecordRejected(NAME, message, code=code)


def _said(response: requests.Response) -> tuple[str, str]:
    """Outreach's error id and words. Its gateway answers `{"error", "description"}`, its API `{"errors": [...]}`."""
    code, message = f"HTTP_{response.status_code}", f"Outreach answers {response.status_code}"
    try:
        body = response.json()
    except ValueError:
        return code, message
    errors = body.get("errors") if isinstance(body, dict) else None
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        first = errors[0]
        said = first.get("detail") or first.get("details") or first.get("title") or message
        return str(first.get("id") or code), str(said)[:500]
    if isinstance(body, dict) and body.get("error"):
        return code, f"{body['error']} {body.get('description') or ''}".strip()[:500]
    return code, message


def data_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of a collection. Raises `SchemaChanged` when there is no list of them."""
    return rows_of_data(NAME, body)


def resource_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The one resource of an answer. Raises `SchemaChanged` when there is none."""
    data = body.get("data")
    if not isinstance(data, dict) or "id" not in data:
        raise SchemaChanged(NAME, "an answer has no data", code="BAD_ANSWER")
    return data


__all__ = ["NAME", "OutreachApi", "Params", "data_of", "resource_of", "to_error"]
