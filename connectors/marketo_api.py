"""Marketo over HTTPS: tokens, limits, and the one place where its errors get our names.

Built on requests. Nearly every failure comes as HTTP 200 with `success: false`; only the identity endpoint, the user
management and sizes (413, 414) use HTTP statuses. Wire facts: the vendor's pages "Authentication", "Error codes" and
"Integration best practices". They say that a 6xx was not carried out; 604 and 611 (timed out, unhandled) are still
taken for unanswered here, because nobody has checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from connectors.access import AccessToken
from connectors.errors import (
    Ambiguous,
    ConnectorError,
    ConnectorStopped,
    RecordRejected,
    RetryLater,
    SchemaChanged,
)
from connectors.http import (
    READ_TIMEOUT_S,
    Egress,
    EgressSession,
    Patience,
    TokenBucket,
    call_with_token,
    no_answer,
)

NAME = "marketo"
CALLS = (50, 20.0)  # calls in seconds: half of the instance's hundred, which all its integrations share
CREDENTIALS_MEND = "Check STEWARD_MARKETO_MUNCHKIN_ID, STEWARD_MARKETO_CLIENT_ID and STEWARD_MARKETO_CLIENT_SECRET"
PERMISSIONS = "Read-Write Lead, Read-Only Activity, Access User Management Api, and Access Users of the admin group"
REFUSED_TOKEN = frozenset({"601", "602"})
NOT_DONE = frozenset({"606", "608", "614", "615", "713"})
UNANSWERED = frozenset({"502", "604", "611"})
STOPPING = {
    "601": CREDENTIALS_MEND,
    "602": CREDENTIALS_MEND,
    "603": f"Give the API-only user a role with {PERMISSIONS}",
    "607": "The daily quota of calls is used up; wait for midnight, US Central Time, or raise it",
    "1018": "The native CRM sync keeps this; let STEWARD_MARKETO_OWNER_FIELD name a field of its own",
}


class MarketoApi:
    """One instance, one custom service. `get` and `post` return the decoded JSON body."""

    def __init__(
        self,
        munchkin_id: str,
        client_id: str,
        client_secret: str,
        *,
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        calls: TokenBucket | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._base = f"https://{munchkin_id}.mktorest.com"
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._session = EgressSession(egress or Egress(), timeout_s)
        self._calls = calls or TokenBucket(*CALLS, sleep=self._patience.sleep)
        self._token = AccessToken(self._fetch_token)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A call that changes nothing: repeated on anything transient."""
        return self.get_at(path, **query)[0]

    def get_at(self, path: str, **query: Any) -> tuple[dict[str, Any], datetime | None]:
        """`get`, and when Marketo answered by its own clock (Date header, whole seconds)."""
        answer, body = self._patience.read(lambda: self._call("GET", path, {"params": query}))
        if not isinstance(body, dict):
            raise SchemaChanged(NAME, "an answer is not a JSON object", code="BAD_ANSWER")
        return body, _date(answer.headers.get("Date"))

    def get_list(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """`get` of the user management, which answers with a bare array."""
        _, body = self._patience.read(lambda: self._call("GET", path, {"params": query}))
        if not isinstance(body, list):
            raise SchemaChanged(NAME, "an answer is not a JSON array", code="BAD_ANSWER")
        return body

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A write: repeated only where Marketo said that it was not done. Raises `Ambiguous` when no answer came."""
        _, answer = self._patience.write(lambda: self._call("POST", path, {"json": body}))
        return answer if isinstance(answer, dict) else {}

    def _call(self, method: str, path: str, request: Mapping[str, Any]) -> tuple[requests.Response, Any]:
        token = self._token.get()
        answer = self._send(method, path, token, request)
        if _code(answer) in REFUSED_TOKEN:  # not done; the same call again, all of it, with a new token
            self._token.refused(token)
            answer = self._send(method, path, self._token.get(), request)
        return answer, checked(answer)

    def _send(self, method: str, path: str, token: str, request: Mapping[str, Any]) -> requests.Response:
        if token:  # asking for a token does not count
            self._calls.take()
        return call_with_token(NAME, self._session, method, self._base + path, token, **request)

    def _fetch_token(self) -> str:
        query = {"grant_type": "client_credentials", **self._credentials}
        token = checked(self._send("GET", "/identity/oauth/token", "", {"params": query}))
        if not isinstance(token, dict) or not isinstance(token.get("access_token"), str):
            raise SchemaChanged(NAME, "the identity endpoint gave no access_token", code="BAD_ANSWER")
        return str(token["access_token"])


def checked(answer: requests.Response) -> Any:
    """The decoded body of an answer that says it worked. Raises what any other means for the caller."""
    try:
        body = answer.json()
    except ValueError as error:
        if answer.status_code == 200:
            raise no_answer(NAME, error) from error
        body = {}
    failed = isinstance(body, dict) and body.get("success") is False
    if answer.status_code != 200 or failed:
        raise _to_error(answer.status_code, body if isinstance(body, dict) else {})
    return body


def _to_error(status: int, body: Mapping[str, Any]) -> ConnectorError:
    code, message = _words(body)
    code, message = code or f"HTTP_{status}", message or f"Marketo answers {status}"
    if code in STOPPING:
        return ConnectorStopped(NAME, message, code=code, mend=STOPPING[code])
    if code in NOT_DONE or status in (429, 503):
        return RetryLater(NAME, message, code=code)
    if code in UNANSWERED or status >= 500:
        return Ambiguous(NAME, message, code=code)
    if status in (401, 404) or 300 <= status < 400:
        return ConnectorStopped(NAME, message, code=code, mend=CREDENTIALS_MEND)
    if status == 403:
        return ConnectorStopped(NAME, message, code=code, mend=STOPPING["603"])
    return RecordRejected(NAME, message, code=code)


def _words(body: Mapping[str, Any]) -> tuple[str, str]:
    """Marketo's first code and text, or those of the identity endpoint; empty where the body says nothing."""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        return str(errors[0].get("code") or ""), str(errors[0].get("message") or "")[:500]
    return str(body.get("error") or ""), str(body.get("error_description") or "")[:500]


def _code(answer: requests.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return _words(body)[0] if isinstance(body, dict) and body.get("success") is False else ""


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None


__all__ = ["NAME", "MarketoApi"]
