"""One HTTP exchange with an emulated vendor: read the call, let the vendor answer, journal it, break it when asked to.

What the vendors here share and nothing that any of them decides. A vendor answers a `Call` with a `Reply`; faults that
live on the wire (a reset, a cut body, silence after the commit) are played here, after the vendor has done its work.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from emulators.faults import Fault
from emulators.journal import Entry
from emulators.vendor import DROP_CONNECTION, Surroundings

SLOW_S, SILENT_S = 2.0, 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """What came in. Header names are lower case; `query` is the raw query string."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out. `body`: None is an empty answer, bytes go as they are, anything else goes as JSON.

    `rows` counts the records it carries or changed.
    """

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    rows: int = 0


class Answering(Protocol):
    """The part of a vendor that an exchange needs."""

    name: str

    def operation(self, call: Call) -> str:
        """A stable label of what is asked, for the journal and for faults; "unknown" when there is no such thing."""

    def answer(self, call: Call) -> Reply: ...

    def failure(self, status: int) -> Reply:
        """The vendor's own body for this HTTP status, in which nothing is done."""

    def expire_token(self) -> None:
        """Refuse the token from now on, until the vendor is seeded again."""


def exchange_app(vendor: Answering, surroundings: Surroundings) -> Starlette:
    """An ASGI app that takes every path and method to `vendor`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        call = await _read(Request(scope, receive))
        operation = vendor.operation(call)
        fault = surroundings.faults.next(vendor.name, operation)
        reply = _reply(vendor, call, fault)
        at = surroundings.now()
        entry = Entry(vendor.name, call.method, call.path, call.query, reply.status, reply.rows, at, operation)
        surroundings.journal.record(entry)
        await _send(scope, send, reply, fault)

    return Starlette(routes=[Mount("/", app=serve)])


async def _read(request: Request) -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = request.url.query
    return Call(request.method, request.scope["path"], query, headers, await request.body())


def _reply(vendor: Answering, call: Call, fault: Fault | None) -> Reply:
    """What the vendor answers; a fault that comes before the work keeps the vendor from doing it."""
    kind = fault.kind if fault else ""
    if fault and kind == "status":
        return vendor.failure(int(fault.params.get("status", 503)))
    if fault and kind == "reset" and not fault.params.get("after_commit"):
        return vendor.failure(503)
    if kind == "expire_token":
        vendor.expire_token()
    return vendor.answer(call)


async def _send(scope: Scope, send: Send, reply: Reply, fault: Fault | None) -> None:
    kind = fault.kind if fault else ""
    if fault and kind == "slow":
        await asyncio.sleep(float(fault.params.get("seconds", SLOW_S)))
    if fault and kind == "timeout_after_commit":
        await asyncio.sleep(float(fault.params.get("seconds", SILENT_S)))
    if kind in ("reset", "timeout_after_commit"):
        scope["extensions"][DROP_CONNECTION]()
        return
    await _write(send, reply, half=kind == "truncate")
    if kind == "truncate":
        scope["extensions"][DROP_CONNECTION]()


async def _write(send: Send, reply: Reply, *, half: bool) -> None:
    """Send the reply in one piece, or promise its whole length and send half of it."""
    raw = _raw(reply.body)
    headers = {"Content-Type": "application/json;charset=utf-8"} if raw else {}
    headers |= reply.headers
    if reply.status != 204:
        headers["Content-Length"] = str(len(raw))
    shown = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": shown})
    await send({"type": "http.response.body", "body": raw[: len(raw) // 2] if half else raw, "more_body": half})


def _raw(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
