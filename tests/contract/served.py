"""One emulated vendor behind TLS and the gateway, on a clock that only moves when somebody waits or acts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.http import Egress, Patience, TokenBucket
from emulators.server import EmulatedVendors


class Served:
    """A vendor that is running, and what a connector needs to reach it."""

    def __init__(self, name: str, world: dict[str, Any], folder: Path, **options: Any) -> None:
        self.at = datetime(2026, 11, 24, 2, tzinfo=UTC)
        self._moving = threading.Lock()
        self.running = EmulatedVendors(world, folder, options={name: options}, only={name}, clock=lambda: self.at)
        self.vendor: Any = self.running.vendors[name]
        self.journal, self.faults = self.running.journal, self.running.faults
        self.patience = Patience(sleep=self.wait)

    @property
    def egress(self) -> Egress:
        return Egress(self.running.gateway_url, self.running.ca_file)

    def wait(self, seconds: float) -> None:
        with self._moving:
            self.at += timedelta(seconds=seconds)

    def bucket(self, permits: int, per_s: float) -> TokenBucket:
        """A bucket that waits on this clock."""
        return TokenBucket(permits, per_s, clock=lambda: self.at.timestamp(), sleep=self.wait)


@contextmanager
def serve(name: str, world: dict[str, Any], folder: Path, **options: Any) -> Iterator[Served]:
    """`options` are the vendor's own."""
    served = Served(name, world, folder, **options)
    with served.running:
        yield served
