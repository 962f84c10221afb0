"""HubSpot over HTTPS: kept clients, version of the paths, rate limits, and the one place where errors get our names.

Built on hubspot-api-client 12.0.0, which speaks v3 and v4 only and builds a new connection pool each time an API is
asked for; the clients here are kept. HubSpot ends v4 on 2027-03-30 and v3 in September 2027 in favour of dated
versions, so that the version is a setting and `versioned` the only place that knows both spellings.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3.exceptions as urllib3_errors
from hubspot.crm import companies, contacts, deals, owners
from hubspot.crm.associations import v4 as associations
from hubspot.crm.objects import tasks

from connectors.errors import (
    Ambiguous,
    ConnectorError,
    ConnectorStopped,
    RecordRejected,
    RetryLater,
    SchemaChanged,
)
from connectors.http import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    Egress,
    Patience,
    TokenBucket,
    never_left,
    no_answer,
    retry_after_s,
    unreachable,
    untrusted,
)

NAME = "hubspot"
TOKEN_MEND = "Check STEWARD_HUBSPOT_TOKEN (a service key or private app token)"  # noqa: S105  (a hint, no secret)
AT_ONCE = 8  # calls under way: at 0.4 s each, as many as the account may make
BURST = (190, 10.0)  # calls in seconds, Professional and Enterprise, for one app (usage guidelines)
SEARCHES = (5, 1.0)  # calls in seconds, for the whole account (CRM search guide)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The library's APIs of one object type."""

    basic: Any
    batch: Any
    search: Any


class HubSpotApi:
    """One account, one token. `get`, `search` and `send` return the decoded JSON body."""

    def __init__(
        self,
        token: str,
        *,
        version: str = "v3",
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        burst: TokenBucket | None = None,
        searches: TokenBucket | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._burst = burst or TokenBucket(*BURST)
        self._searches = searches or TokenBucket(*SEARCHES)
        self._lanes = threading.BoundedSemaphore(AT_ONCE)
        ready = (token, version, egress or Egress())
        self.objects = {
            "company": endpoints(companies, kept_client(companies, *ready)),
            "contact": endpoints(contacts, kept_client(contacts, *ready)),
            "deal": endpoints(deals, kept_client(deals, *ready)),
        }
        self.owner = owners.OwnersApi(kept_client(owners, *ready))
        self.task = endpoints(tasks, kept_client(tasks, *ready))
        linking = kept_client(associations, *ready)
        self.linked, self.links = associations.BasicApi(linking), associations.BatchApi(linking)

    def get(self, method: Callable[..., Any], *args: Any, **query: Any) -> dict[str, Any]:
        """A call that changes nothing: repeated on anything transient."""
        return self.get_at(method, *args, **query)[0]

    def get_at(self, method: Callable[..., Any], *args: Any, **query: Any) -> tuple[dict[str, Any], datetime | None]:
        """`get`, and when HubSpot answered by its own clock (Date header, whole seconds)."""
        return self._patience.read(lambda: self._call((self._burst,), method, args, query))

    def search(self, object_type: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A search among records of one type, within the account's five a second."""
        buckets, method = (self._searches, self._burst), self.objects[object_type].search.do_search
        return self._patience.read(lambda: self._call(buckets, method, (dict(body),), {}))[0]

    def send(self, method: Callable[..., Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """A write: repeated only where HubSpot said that it was not done. Raises `Ambiguous` when no answer came."""
        return self._patience.write(lambda: self._call((self._burst,), method, (dict(body),), {}))[0]

    def _call(
        self, buckets: tuple[TokenBucket, ...], method: Callable[..., Any], args: tuple[Any, ...], query: dict[str, Any]
    ) -> tuple[dict[str, Any], datetime | None]:
        for bucket in buckets:
            bucket.take()
        try:
            # Undecoded: the library's models would drop what they do not know, and parse every date twice.
            with self._lanes:
                response = method(*args, **query, _preload_content=False, _request_timeout=self._timeout)
                said = response.data  # read here: until then the connection is taken
            body = json.loads(said)
        except Exception as error:
            raise to_error(error) from error
        if not isinstance(body, dict):
            raise SchemaChanged(NAME, "an answer is not a JSON object", code="BAD_ANSWER")
        return body, _date(response.headers.get("Date"))


def endpoints(package: Any, client: Any) -> Endpoints:
    """The APIs of one of the library's object packages over a client that is kept."""
    return Endpoints(package.BasicApi(client), package.BatchApi(client), package.SearchApi(client))


def kept_client(package: Any, token: str, version: str, egress: Egress) -> Any:
    """An ApiClient of one of the library's packages, with its pool, our way out and our version of the paths."""
    configuration = package.Configuration()
    configuration.access_token = token
    configuration.proxy = egress.proxy
    configuration.ssl_ca_cert = str(egress.ca_file) if egress.ca_file else None
    configuration.retries = False  # repeating is decided in one place, `Patience`

    class VersionedClient(package.ApiClient):  # type: ignore[misc]
        def call_api(self, resource_path: str, *args: Any, **kwargs: Any) -> Any:
            return super().call_api(versioned(resource_path, version), *args, **kwargs)

    return VersionedClient(configuration)


def versioned(path: str, version: str) -> str:
    """`/crm/v3/objects/companies` as it is called in `version`: `/crm/objects/2026-03/companies` for a dated one."""
    if re.fullmatch(r"v\d+", version):
        return path
    return re.sub(r"^/crm/v\d+/(\w+)", rf"/crm/\1/{version}", path)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None


# --- errors ---


def to_error(error: Exception) -> ConnectorError:
    """What a failed call means for the caller."""
    if isinstance(error, AttributeError) and error.__context__ is not None:
        # The library decodes the body of an answer that never came and fails on that; the cause is underneath.
        return to_error(error.__context__) if isinstance(error.__context__, Exception) else no_answer(NAME, error)
    if isinstance(error, urllib3_errors.HTTPError):
        return _from_urllib3(error)
    status = getattr(error, "status", None)
    if status == 0:
        return untrusted(NAME, error)
    if not isinstance(status, int):
        return no_answer(NAME, error)
    body = _error_body(getattr(error, "body", None))
    code = str(body.get("category") or f"HTTP_{status}")
    message = str(body.get("message") or getattr(error, "reason", ""))[:500]
    if status == 429:
        return _too_many(body, code, message, getattr(error, "headers", None) or {})
    return _by_status(status, code, message)


def _from_urllib3(error: urllib3_errors.HTTPError) -> ConnectorError:
    if isinstance(error, urllib3_errors.SSLError):
        return untrusted(NAME, error)
    return unreachable(NAME, error) if never_left(error) else no_answer(NAME, error)


def _error_body(body: Any) -> dict[str, Any]:
    try:
        parsed = json.loads(body or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _too_many(body: Mapping[str, Any], code: str, message: str, headers: Mapping[str, str]) -> ConnectorError:
    # Search answers 429 without Retry-After and without policyName: then our own waits apply.
    if body.get("policyName") == "DAILY":
        mend = "The account's daily API allowance is used up; wait for midnight in its time zone or raise it"
        return ConnectorStopped(NAME, message, code="DAILY", mend=mend)
    return RetryLater(NAME, message, code=code, retry_after_s=retry_after_s(headers.get("Retry-After")))


def _by_status(status: int, code: str, message: str) -> ConnectorError:
    if status == 401:
        return ConnectorStopped(NAME, message, code=code, mend=TOKEN_MEND)
    if status == 403:
        mend = (
            "Give the token the scopes for companies, contacts, owners and tasks, reading and writing, and for deals "
            "where they follow the owner"
        )
        return ConnectorStopped(NAME, message, code=code, mend=mend)
    if status == 503:
        return RetryLater(NAME, message, code=code)
    if status >= 500:
        return Ambiguous(NAME, message, code=code)
    return RecordRejected(NAME, message, code=code)


__all__ = ["NAME", "HubSpotApi", "to_error", "versioned"]
