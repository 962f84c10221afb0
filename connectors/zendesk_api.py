"""Zendesk over HTTPS: tokens, limits, pages, and the one place where its errors get our names.

Built on requests. Wire facts and where they come from
    * Client-credentials tokens (POST /oauth/tokens, JSON, `expires_in` of 300 to 172,800 s): OAuth Tokens for Grant
      Types. API tokens are not offered here: they may do anything as anybody, and Zendesk moves away from them.
    * 429 is plain text with Retry-After: recorded traffic. 10 exports a minute: Incremental Exports.
    * 409 meaning that nothing was done is from memory and unverified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    json_object,
    retry_after_s,
)

NAME = "zendesk"
SCOPE = "read organizations:write"  # fields and jobs have no scope of their own, hence the general `read`
TOKEN_LIFETIME_S = 3_600
EXPORTS = (10, 60.0)  # calls in seconds
LIST_PAGE = 100
CREDENTIALS_MEND = "Check STEWARD_ZENDESK_SUBDOMAIN, STEWARD_ZENDESK_CLIENT_ID and STEWARD_ZENDESK_CLIENT_SECRET"


class ZendeskApi:
    """One account, one OAuth client. `get`, `export` and `put` return the decoded JSON body."""

    def __init__(
        self,
        subdomain: str,
        client_id: str,
        client_secret: str,
        *,
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        exports: TokenBucket | None = None,
    ) -> None:
        self.patience = patience or Patience()
        self._base = f"https://{subdomain}.zendesk.com"
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._session = EgressSession(egress or Egress(), timeout_s)
        self._exports = exports or TokenBucket(*EXPORTS, sleep=self.patience.sleep)
        self._token = AccessToken(self._fetch_token)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """A call that changes nothing: repeated on anything transient."""
        return self.patience.read(lambda: self._call("GET", path, query=query))

    def export(self, path: str, **query: Any) -> dict[str, Any]:
        """A page of an incremental export, within the account's ten a minute."""

        def once() -> dict[str, Any]:
            self._exports.take()
            return self._call("GET", path, query=query)

        return self.patience.read(once)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A write: repeated only where Zendesk said that it was not done. Raises `Ambiguous` when no answer came."""
        return self.patience.write(lambda: self._call("PUT", path, body=body))

    def listed(self, path: str, key: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list (cursor pagination)."""
        after: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **{"page[size]": LIST_PAGE}, **after)
            yield rows_of(page, key)
            meta = page.get("meta") or {}
            if not meta.get("has_more"):
                return
            if not meta.get("after_cursor"):
                raise RetryLater(NAME, "a page has a next page without a place", code="CUT_SHORT")
            after = {"page[after]": str(meta["after_cursor"])}

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        request = {"params": query, "json": body}
        token = self._token.get()
        answer = self._send(method, f"/api/v2/{path}", token, request)
        if answer.status_code == 401:  # not done; the same call again, all of it, with a new token
            self._token.refused(token)
            answer = self._send(method, f"/api/v2/{path}", self._token.get(), request)
        return decoded(answer)

    def _send(self, method: str, path: str, token: str, request: Mapping[str, Any]) -> requests.Response:
        return call_with_token(NAME, self._session, method, self._base + path, token, **request)

    def _fetch_token(self) -> str:
        asked = {"grant_type": "client_credentials", "scope": SCOPE, "expires_in": TOKEN_LIFETIME_S}
        token = decoded(self._send("POST", "/oauth/tokens", "", {"json": {**asked, **self._credentials}}))
        if not isinstance(token.get("access_token"), str):
            raise SchemaChanged(NAME, "the token endpoint gave no access_token", code="BAD_ANSWER")
        return str(token["access_token"])


def rows_of(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The rows of a page. Raises `SchemaChanged` when there is no list of them."""
    rows = body.get(key)
    if not isinstance(rows, list):
        raise SchemaChanged(NAME, f"an answer has no {key}", code="BAD_ANSWER")
    return rows


def decoded(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises what a failed answer means for the caller."""
    if not 200 <= answer.status_code < 300:
        raise to_error(answer)
    return json_object(NAME, answer)


def to_error(answer: requests.Response) -> ConnectorError:
    """What an answer other than 2xx means for the caller."""
    status = answer.status_code
    code, message = _words(answer)
    if status in (429, 503, 409):
        asked = retry_after_s(answer.headers.get("Retry-After"))
        return RetryLater(NAME, message, code=code, retry_after_s=asked)
    if status >= 500:
        return Ambiguous(NAME, message, code=code)
    if status == 401 or status < 400:
        return ConnectorStopped(NAME, message, code=code, mend=CREDENTIALS_MEND)
    if status == 403:
        mend = f"Let the OAuth client have the scopes `{SCOPE}`, and belong to an administrator"
        return ConnectorStopped(NAME, message, code=code, mend=mend)
    return RecordRejected(NAME, message, code=code)


def _words(answer: requests.Response) -> tuple[str, str]:
    """Zendesk's code and text: of `{"error", "description", "details"}`, of `{"errors": [...]}`, or plain text."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    plain = f"HTTP_{answer.status_code}"
    if not isinstance(body, dict):
        return plain, answer.text[:200] or plain
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else body
    code = first.get("code") or first.get("error") or plain
    if isinstance(code, dict):
        first, code = code, plain
    text = first.get("description") or first.get("error_description") or first.get("title") or code
    details = f": {body['details']}" if body.get("details") else ""
    return str(code), f"{text}{details}"[:500]


__all__ = ["NAME", "ZendeskApi", "rows_of"]
