"""What every emulated vendor is, and what it is given. No vendor's own behaviour lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.types import ASGIApp

from emulators.faults import Faults
from emulators.journal import Journal

Clock = Callable[[], datetime]  # time-zone aware

# In an ASGI scope's extensions: a callable without arguments that aborts the connection with a TCP reset.
DROP_CONNECTION = "steward.drop_connection"


def real_clock() -> datetime:
    """The emulators' default clock: the machine's own, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One outbound POST to a loopback URL. A target that fails or does not accept gets it again, a few times.

    `accepted` looks at (status, body); by default any 2xx is an acceptance.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: Callable[[int, bytes], bool] = lambda status, _body: 200 <= status < 300


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a vendor is given by whoever runs it. `deliver` queues an outbound webhook and returns at once."""

    journal: Journal
    faults: Faults
    clock: Clock
    deliver: Callable[[Delivery], None]

    def now(self) -> datetime:
        return self.clock()

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Queue a webhook that any 2xx accepts."""
        self.deliver(Delivery(url, body, headers))


class Vendor(Protocol):
    """One emulated vendor, reached at `hosts` (exact names, or patterns such as "*.my.salesforce.com")."""

    name: str
    hosts: tuple[str, ...]

    @property
    def app(self) -> ASGIApp: ...

    def seed(self, world: dict[str, Any]) -> None:
        """Take over this vendor's part of a world file."""

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person or a legacy integration changes a record behind our back; returns what became of it."""

    def snapshot(self) -> dict[str, Any]:
        """Everything the vendor holds now, JSON-able."""
