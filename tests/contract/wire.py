"""The emulated vendors' apps behind the real client libraries' sockets: what urllib3 would send goes to the app.

For promises that need a vendor's behaviour but neither TLS nor a port. Time is the test's: waiting moves the clock of
both sides, so that limits by the second are kept in no time.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool

from connectors.http import Patience, TokenBucket
from emulators.faults import Faults
from emulators.journal import Journal
from emulators.vendor import Delivery, Surroundings, Vendor


class Wire:
    """Some vendors, their journal and faults, and a clock that only moves when somebody waits or acts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
        self.journal = Journal()
        self.faults = Faults()
        self.surroundings = Surroundings(self.journal, self.faults, lambda: self.at, self._deliver)
        self.patience = Patience(sleep=self.wait)
        self._clients: dict[str, TestClient] = {}
        wire = self

        def urlopen(
            pool: HTTPConnectionPool, method: str, url: str, body: Any = None, headers: Any = None, **how: Any
        ) -> Any:
            return wire._send(pool.host, method, url, body, dict(headers or {}), how.get("preload_content", True))

        monkeypatch.setattr(HTTPConnectionPool, "urlopen", urlopen)

    def seed(self, vendor: Vendor, world: dict[str, Any]) -> None:
        """Put a vendor behind its host name."""
        vendor.seed(world)
        for host in vendor.hosts:
            self._clients[host] = TestClient(vendor.app, base_url=f"https://{host}")

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def bucket(self, permits: int, per_s: float) -> TokenBucket:
        """A bucket that waits on this clock."""
        return TokenBucket(permits, per_s, clock=lambda: self.at.timestamp(), sleep=self.wait)

    def _send(
        self, host: str, method: str, url: str, body: Any, headers: dict[str, str], preload: bool
    ) -> HTTPResponse:
        self.wait(0.001)
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = self._clients[host].request(method, path, content=body, headers=headers)
        shown = HTTPHeaderDict(answer.headers)
        shown["Date"] = format_datetime(self.at.replace(microsecond=0), usegmt=True)
        # Left to be read, as from a socket: requests and urllib3 each do it in their own way.
        return HTTPResponse(io.BytesIO(answer.content), shown, answer.status_code, preload_content=preload)

    def _deliver(self, delivery: Delivery) -> None:
        raise AssertionError(f"nobody subscribed to {delivery.url}")
