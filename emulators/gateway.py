"""The only way out: a CONNECT proxy that leads vendor hosts to the emulators and refuses every other host.

Because connectors keep their production URLs and go through this gateway, a test can prove both that the real
clients work and that nothing else was called.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from fnmatch import fnmatchcase

MAX_HEAD = 16_384  # bytes of a CONNECT request
HEAD_TIMEOUT_S = 30.0
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def matches_host(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a host name, in any case, is one of these names or fits one of these "*." patterns."""
    return any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns)


class Gateway:
    """Tunnels `CONNECT vendor-host:443` to 127.0.0.1:`port_of()`; everything else is answered 403 and remembered."""

    def __init__(self, allowed: tuple[str, ...], port_of: Callable[[], int]) -> None:
        self._allowed, self._port_of = allowed, port_of
        self._server: asyncio.Server | None = None
        self._tunnels: set[asyncio.Task[None]] = set()
        self.refused: list[str] = []

    async def start(self) -> int:
        """Listen on 127.0.0.1; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for tunnel in tuple(self._tunnels):
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tunnels.add(task)
            task.add_done_callback(self._tunnels.discard)
        gone = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with contextlib.suppress(*gone):  # cancelled only by our own `stop`
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_TIMEOUT_S)
        method, target = _request_line(head)
        host, _, port = target.rpartition(":")
        if method != "CONNECT" or port != "443" or not matches_host(host, self._allowed):
            self.refused.append(target)
            writer.write(REFUSED)
            await writer.drain()
            return
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port_of())
        writer.write(ESTABLISHED)
        await _tunnel(reader, writer, inner_reader, inner_writer)


def _request_line(head: bytes) -> tuple[str, str]:
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
    return (words[0].upper(), words[1]) if len(words) >= 2 else ("", "")


async def _tunnel(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    inner_reader: asyncio.StreamReader,
    inner_writer: asyncio.StreamWriter,
) -> None:
    """Copy both ways until either side ends; then neither side is left open."""
    ways = {
        asyncio.ensure_future(_copy(reader, inner_writer)),
        asyncio.ensure_future(_copy(inner_reader, writer)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        inner_writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
