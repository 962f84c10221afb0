"""The real web application in a process of its own, as the benchmarks of it ask it over loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx


@contextmanager
def web_app(settings: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Start it with these variables; gives its address and its process id. Raises `SystemExit` when it does not."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["-m", "uvicorn", "--factory", "web.app:create_app", "--port", port, "--log-level", "warning"]
    process = subprocess.Popen([sys.executable, *command], env={**os.environ, **settings})
    address = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("the application did not start; its reason is above")
        try:
            httpx.get(f"{address}/health", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the application did not answer within a minute")
