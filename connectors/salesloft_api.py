"""Salesloft over HTTPS: tokens, the budget of a minute, and the one place where its errors get our names.

Built on requests. Wire facts are from Salesloft's developer pages "Rate limits", "Filtering, paging and sorting",
"Request and response format" and "Client credentials"; no real traffic was at hand but the body of a 401. Unverified:
how an array filter is written (`ids[]` here), what a 429 says and whether it has a Retry-After (both are read), and
whether a 5xx means "not done" (it is taken as "no answer").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    rows_of_data,
)

NAME = "salesloft"
API = "https://api.salesloft.com/v2"
TOKENS = "https://accounts.salesloft.com/oauth/token"
SCOPE = "accounts:read accounts:write team:read"
PAGE = 100  # the most that Salesloft gives
COSTS = (300, 60.0)  # points in seconds: half of the team's 600 a minute, which all its integrations share
MINUTE_S = 60.0
DEEP = ((501, 30), (251, 10), (151, 8), (101, 3))  # what a page from this number on costs
CREDENTIALS_MEND = "Check STEWARD_SALESLOFT_CLIENT_ID and STEWARD_SALESLOFT_CLIENT_SECRET"
SCOPES_MEND = f"Give the OAuth application the scopes `{SCOPE}`, and let an administrator of the team create it"

Params = Sequence[tuple[str, str]]


class SalesloftApi:
    """One team, one OAuth application. Paths are below the API's base; answers are decoded."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        costs: TokenBucket | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._credentials = {"client_id": client_id, "client_secret": client_secret}
        self._session = EgressSession(egress or Egress(), timeout_s)
        self._costs = costs or TokenBucket(*COSTS, sleep=self._patience.sleep)
        self._token = AccessToken(self._fetch_token)

    def page(self, path: str, params: Params, number: int = 1) -> dict[str, Any]:
        """One page of a list: repeated on anything transient. Raises `SchemaChanged` for a query refused."""
        asked = [*params, ("per_page", str(PAGE)), ("page", str(number))]
        try:
            return self._patience.read(lambda: self._call("GET", path, cost_of(number), params=asked))
        except RecordRejected as error:
            raise SchemaChanged(NAME, error.message, code=error.code) from error

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A write: repeated only where Salesloft said that it was not done. Raises `Ambiguous` when no answer came."""
        return self._patience.write(lambda: self._call("PUT", path, 1, json=body))

    def _call(self, method: str, path: str, cost: int, **request: Any) -> dict[str, Any]:
        token = self._token.get()
        answer = self._send(method, API + path, token, cost, request)
        if answer.status_code == 401:  # not done; the same call again, all of it, with a new token
            self._token.refused(token)
            answer = self._send(method, API + path, self._token.get(), cost, request)
        return decoded(answer)

    def _send(self, method: str, url: str, token: str, cost: int, request: Mapping[str, Any]) -> requests.Response:
        for _ in range(cost):
            self._costs.take()
        return call_with_token(NAME, self._session, method, url, token, **request)

    def _fetch_token(self) -> str:
        asked = {"grant_type": "client_credentials", "scope": SCOPE, **self._credentials}
        answer = self._send("POST", TOKENS, "", 0, {"json": asked})
        if answer.status_code in (400, 401):
            code, message = _words(answer)
            mend = SCOPES_MEND if code == "invalid_scope" else CREDENTIALS_MEND
            raise ConnectorStopped(NAME, message, code=code, mend=mend)
        token = decoded(answer).get("access_token")
        if not isinstance(token, str):
            raise SchemaChanged(NAME, "the token endpoint gave no access_token", code="BAD_ANSWER")
        return token


def cost_of(number: int) -> int:
    """What the page of this number costs, in points."""
    return next((cost for first, cost in DEEP if number >= first), 1)


def rows_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a page. Raises `SchemaChanged` when there is no list of them."""
    return rows_of_data(NAME, body)


def paging_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a page says of the list it is of. Raises `SchemaChanged` when it does not say whether there is more."""
    paging = (body.get("metadata") or {}).get("paging")
    if not isinstance(paging, Mapping) or "next_page" not in paging:
        raise SchemaChanged(NAME, "a page does not say whether it is the last one", code="BAD_ANSWER")
    return paging


def decoded(answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises what a failed answer means for the caller."""
    if not 200 <= answer.status_code < 300:
        raise to_error(answer)
    return json_object(NAME, answer)


def to_error(answer: requests.Response) -> ConnectorError:
    """What an answer other than 2xx means for the caller."""
    status = answer.status_code
    code, message = _words(answer)
    if status == 429:
        asked = retry_after_s(answer.headers.get("Retry-After"))
        return RetryLater(NAME, message, code=code, retry_after_s=MINUTE_S if asked is None else asked)
    if status >= 500:
        return Ambiguous(NAME, message, code=code)
    if status == 401 or status < 400:
        return ConnectorStopped(NAME, message, code=code, mend=CREDENTIALS_MEND)
    if status == 403:
        return ConnectorStopped(NAME, message, code=code, mend=SCOPES_MEND)
    return RecordRejected(NAME, message, code=code)


def _words(answer: requests.Response) -> tuple[str, str]:
    """Salesloft's text: `{"error": text}`, or of a 422 `{"errors": {field: [texts]}}`. It has no codes of its own."""
    code = f"HTTP_{answer.status_code}"
    try:
        body = answer.json()
    except ValueError:
        return code, answer.text[:200] or code
    if not isinstance(body, dict):
        return code, code
    if isinstance(body.get("errors"), dict):
        said = [f"{field} {text}" for field, texts in sorted(body["errors"].items()) for text in texts]
        return code, "; ".join(said)[:500]
    if body.get("error_description"):
        return str(body.get("error") or code), str(body["error_description"])[:500]
    return code, str(body.get("error") or code)[:500]


__all__ = ["NAME", "Params", "SalesloftApi", "cost_of", "paging_of", "rows_of"]
