"""All emulated vendors behind one TLS port, with the gateway that leads to it and the control plane beside it.

Everything listens on 127.0.0.1 on a port the system picks, in one background thread.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from emulators.certificates import issue_certificates
from emulators.control import control_app
from emulators.deliveries import Deliveries
from emulators.faults import Faults
from emulators.gateway import Gateway, matches_host
from emulators.hubspot import HubSpot
from emulators.journal import Journal
from emulators.mailboxes import Mailboxes
from emulators.marketo import Marketo
from emulators.outreach import Outreach
from emulators.salesforce import Salesforce
from emulators.salesloft import Salesloft
from emulators.slack import Slack
from emulators.stripe import Stripe
from emulators.vendor import DROP_CONNECTION, Clock, Surroundings, Vendor, real_clock
from emulators.zendesk import Zendesk

VENDORS: dict[str, Callable[..., Vendor]] = {
    "salesforce": Salesforce,
    "hubspot": HubSpot,
    "stripe": Stripe,
    "slack": Slack,
    "zendesk": Zendesk,
    "marketo": Marketo,
    "outreach": Outreach,
    "salesloft": Salesloft,
}
START_TIMEOUT_S = 30.0


class EmulatedVendors(AbstractContextManager["EmulatedVendors"]):
    """The emulated vendors, running. Use as a context manager, or `start` and `stop`.

    `options` is keyword arguments for each vendor by its name; `only` names the vendors to run (those the
    world knows, without it).
    After `start`: `gateway_url` is the HTTP proxy to go through, `ca_file` the PEM file to trust, `control_url` the
    control plane, `smtp_port` the mail server, and `vendors` the vendors themselves.
    """

    def __init__(
        self,
        world: dict[str, Any],
        state_dir: Path,
        options: dict[str, dict[str, Any]] | None = None,
        only: set[str] | None = None,
        clock: Clock = real_clock,
    ) -> None:
        self.journal, self.faults = Journal(), Faults()
        self.deliveries = Deliveries()
        surroundings = Surroundings(self.journal, self.faults, clock, self.deliveries.add)
        chosen = VENDORS.keys() & world.keys() if only is None else only
        self.vendors = {name: VENDORS[name](surroundings, **(options or {}).get(name, {})) for name in sorted(chosen)}
        for vendor in self.vendors.values():
            vendor.seed(world)
        self._state_dir = state_dir
        self.mailboxes = Mailboxes(clock)
        self.gateway_url = self.control_url = ""
        self.smtp_port = 0
        self.ca_file = state_dir / "ca.pem"
        self._gateway: Gateway | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def refused_hosts(self) -> tuple[str, ...]:
        """Every "host:port" the gateway refused: what went, or tried to go, somewhere it should not."""
        return tuple(self._gateway.refused) if self._gateway else ()

    def start(self) -> None:
        """Serve; returns once all ports answer. Raises whatever kept the servers from starting."""
        self._thread = threading.Thread(target=self._run, name="emulated-vendors", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise TimeoutError("the emulated vendors did not start")
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop serving. Harmless when not running."""
        if self._thread is None or self._loop is None:
            return
        if self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(START_TIMEOUT_S)
        self.deliveries.close()
        self._thread = None

    def __enter__(self) -> EmulatedVendors:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        hosts = tuple(host for vendor in self.vendors.values() for host in vendor.hosts)
        certificates = issue_certificates(self._state_dir, hosts)
        vendor_socket, control_socket, mail_socket = _listen(), _listen(), _listen()
        gateway = self._gateway = Gateway(hosts, lambda: _port(vendor_socket))
        tls = uvicorn.Config(
            route_by_host(self.vendors.values()),
            http=_DroppableProtocol,
            ssl_certfile=certificates.chain_file,
            ssl_keyfile=certificates.key_file,
            **_QUIET,
        )
        plain = uvicorn.Config(control_app(self), **_QUIET)
        servers = [_Server(tls, self._stopping), _Server(plain, self._stopping)]
        tasks = [
            asyncio.create_task(server.serve(sockets=[own]))
            for server, own in zip(servers, (vendor_socket, control_socket), strict=True)
        ]
        self.gateway_url = f"http://127.0.0.1:{await gateway.start()}"
        self.control_url = f"http://127.0.0.1:{_port(control_socket)}"
        mail_server = await self._loop.create_server(self.mailboxes.protocol, sock=mail_socket)
        self.smtp_port = _port(mail_socket)
        while not all(server.started for server in servers):
            await asyncio.sleep(0.005)
        self._ready.set()
        await self._stopping.wait()
        await gateway.stop()
        mail_server.close()
        for server in servers:
            server.force_exit = True
        await asyncio.gather(*tasks)


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it: it serves in a thread. Stops at once and not with its next tick."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def main_loop(self) -> None:
        ticks = 0
        while not (await self.on_tick(ticks) or self._stopping.is_set()):
            ticks += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.1)

    def install_signal_handlers(self) -> None:
        return


class _DroppableProtocol(H11Protocol):
    """HTTP/1.1 that lets an application abort its own connection, as a failing network would."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        inner = self.app

        async def with_drop(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[DROP_CONNECTION] = transport.abort
            await inner(scope, receive, send)

        self.app = with_drop


_QUIET: dict[str, Any] = {
    "lifespan": "off",
    "log_level": "critical",
    "access_log": False,
    "server_header": False,
    "h11_max_incomplete_event_size": 65_536,
    "timeout_keep_alive": 60,
}


def route_by_host(vendors: Iterable[Vendor]) -> ASGIApp:
    """One application that hands each request to the vendor whose host it names; 421 for anyone else's."""
    known = tuple(vendors)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1").partition(":")[0]
        for vendor in known:
            if matches_host(host, vendor.hosts):
                await vendor.app(scope, receive, send)
                return
        await PlainTextResponse("no such host here", 421)(scope, receive, send)

    return app


def _listen() -> socket.socket:
    # Naming TCP matters: asyncio turns Nagle's algorithm off only for sockets that say so (44 ms a call otherwise).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    return listener


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
