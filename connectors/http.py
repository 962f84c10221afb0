"""How calls leave this machine and how often they are repeated. Nothing here knows a vendor.

`Egress` says which way out; `Patience` repeats reads whenever that may help, and writes only where the vendor said
that they were not done. A vendor's file turns its answers into `RetryLater` ("not done") or `Ambiguous` ("sent, no
answer") first; the two policies look at nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar

import requests
import tenacity
from tenacity.wait import wait_exponential_jitter

from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RetryLater, SchemaChanged

T = TypeVar("T")

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Egress:
    """The way out: an HTTP proxy (`http://host:port`) and a PEM bundle to trust; None for the built-in ones."""

    proxy: str | None = None
    ca_file: Path | None = None


class EgressSession(requests.Session):
    """A requests session that goes out by `egress` only, whatever the environment says, and always has a timeout.

    With `trust_env` on, REQUESTS_CA_BUNDLE would override `verify`, and a ~/.netrc would override our credentials.
    """

    def __init__(self, egress: Egress, timeout_s: float = READ_TIMEOUT_S) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(egress.ca_file) if egress.ca_file else True
        if egress.proxy:
            self.proxies = {"http": egress.proxy, "https": egress.proxy}
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        # Client libraries pass their own `verify` and `proxies`; ours must win, hence not setdefault.
        kwargs["verify"] = self.verify
        kwargs["proxies"] = self.proxies
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = self._timeout
        return super().request(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a connector tries by itself before it gives the work back.

    `budget_s` bounds the waiting of one call, not the calls themselves; a Retry-After beyond it is not waited for.
    """

    budget_s: float = 60.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0
    attempts: int = 8
    sleep: Callable[[float], None] = time.sleep

    def read(self, call: Callable[[], T]) -> T:
        """Repeat on anything transient; a read does no harm twice. Raises `RetryLater` when the budget is spent."""
        try:
            return self._retrying(RetryLater, Ambiguous)(call)
        except Ambiguous as error:
            raise RetryLater(error.connector, error.message, code=error.code, mend=error.mend) from error

    def write(self, call: Callable[[], T]) -> T:
        """Repeat only on `RetryLater`, which a vendor's file raises for a write only if it was surely not done."""
        return self._retrying(RetryLater)(call)

    def _retrying(self, *repeatable: type[ConnectorError]) -> tenacity.Retrying:
        backoff = wait_exponential_jitter(
            multiplier=self.first_wait_s, max=self.longest_wait_s, jitter=self.first_wait_s
        )

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after_s if isinstance(error, RetryLater) else None
            return asked if asked is not None else backoff(state)

        def stop(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self.attempts or state.idle_for + state.upcoming_sleep > self.budget_s

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(repeatable), wait=wait, stop=stop, sleep=self.sleep, reraise=True
        )


class TokenBucket:
    """At most `permits` calls in any `per_s` seconds, spread as they come. Safe to share between threads."""

    def __init__(
        self,
        permits: int,
        per_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._permits = permits
        self._per_s = per_s
        self._clock = clock
        self._sleep = sleep
        self._taken: list[float] = []
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for a permit and take it."""
        # The lock is held while waiting: callers queue up instead of waking all at once.
        with self._lock:
            now = self._clock()
            self._taken = [at for at in self._taken if now - at < self._per_s]
            if len(self._taken) >= self._permits:
                self._sleep(self._per_s - (now - self._taken[0]))
                now = self._clock()
                self._taken.pop(0)
            self._taken.append(now)


def call_with_token(
    connector: str, session: EgressSession, method: str, url: str, token: str, **request: Any
) -> requests.Response:
    """The answer to one call with a bearer token ("" for none). Raises what it means when there is none.

    Redirects are not followed: one would turn a PUT into a GET, and take the token to another host.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        return session.request(method, url, headers=headers, allow_redirects=False, **request)
    except requests.RequestException as error:
        raise from_requests(connector, error) from error


def json_object(connector: str, answer: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer that is none of failure. Raises `Ambiguous`, `SchemaChanged`."""
    try:
        body = answer.json()
    except ValueError as error:
        raise no_answer(connector, error) from error
    if not isinstance(body, dict):
        raise SchemaChanged(connector, "an answer is not a JSON object", code="BAD_ANSWER")
    return body


def rows_of_data(connector: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a page whose list is called "data". Raises `SchemaChanged` when there is no list of objects."""
    rows = body.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SchemaChanged(connector, "an answer has no list of data", code="BAD_ANSWER")
    return rows


def from_requests(connector: str, error: requests.RequestException) -> ConnectorError:
    """The `ConnectorError` for a call that got no answer: `RetryLater` where it surely never reached the vendor."""
    if isinstance(error, requests.exceptions.SSLError):
        return untrusted(connector, error)
    if isinstance(error, requests.exceptions.ConnectTimeout) or never_left(error):
        return unreachable(connector, error)
    return no_answer(connector, error)


def never_left(error: Exception) -> bool:
    """Whether a call surely did not get as far as the vendor: no connection, or a proxy that refused the way.

    That it is a ProxyError says nothing: behind a proxy urllib3 (2.8) gives that name to every connection that breaks
    while an answer is awaited, and a write taken for unsent would be sent again.
    """
    signs = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "Tunnel connection failed")
    return any(sign in repr(error) for sign in signs)


def unreachable(connector: str, error: Exception) -> RetryLater:
    """The call never left or never arrived."""
    return RetryLater(
        connector,
        f"cannot be reached: {type(error).__name__}",
        code="UNREACHABLE",
        mend="Check the network, and STEWARD_EGRESS_PROXY where a proxy is needed",
    )


def untrusted(connector: str, error: Exception) -> ConnectorError:
    """A certificate nobody vouches for needs a person; any other TLS break is a connection that broke."""
    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return no_answer(connector, error)
    return ConnectorStopped(
        connector,
        "its TLS certificate is not trusted",
        code="CERTIFICATE_VERIFY_FAILED",
        mend="Set STEWARD_CA_FILE to the PEM bundle of the authority that signed it",
    )


def no_answer(connector: str, error: Exception) -> Ambiguous:
    """The call was sent, or may have been, and nothing came back."""
    return Ambiguous(connector, f"sent, but no answer came: {type(error).__name__}", code="NO_ANSWER")


def retry_after_s(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds asked for by a Retry-After header: a number, or a date (RFC 9110, 10.2.3). None when unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


__all__ = [
    "Egress",
    "EgressSession",
    "Patience",
    "TokenBucket",
    "call_with_token",
    "from_requests",
    "json_object",
    "never_left",
    "no_answer",
    "retry_after_s",
    "rows_of_data",
    "unreachable",
    "untrusted",
]
