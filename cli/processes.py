"""Start the processes of a local Steward and stop exactly those again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A process is ready within seconds, on a slow machine within minutes: this ends what hangs, not what is slow.
START_LIMIT_S = 300.0


class DidNotStart(RuntimeError):
    """A process ended or stayed silent; the message names its log."""


class RunFailed(RuntimeError):
    """A flow run did not complete; the message says which, in which state and why."""


def _default_interrupt() -> None:
    # A worker started from a shell's background job inherits "ignore SIGINT" and then ignores SIGTERM as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass
class Processes:
    """The processes started here, in order; `stop` ends them in reverse order, by pid."""

    log_dir: Path
    environment: Mapping[str, str]
    running: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], ready: Callable[[], bool]) -> None:
        """Start `command` and wait until `ready()`. Raises `DidNotStart`."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        log = self.log_dir / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                preexec_fn=_default_interrupt,
            )
        self.running.append((name, process))
        deadline = time.monotonic() + START_LIMIT_S
        while not ready():
            if process.poll() is not None:
                raise DidNotStart(f"{name} ended with code {process.returncode}; its last words are in {log}")
            if time.monotonic() > deadline:
                raise DidNotStart(f"{name} was not ready within {START_LIMIT_S:.0f} s; see {log}")
            time.sleep(0.2)

    def ended(self) -> str | None:
        """The name of a process that ended by itself, if any."""
        return next((name for name, process in self.running if process.poll() is not None), None)

    def stop(self, grace_s: float = 15.0) -> None:
        """Ask each process to end, then end it."""
        for _, process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
        for _, process in reversed(self.running):
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()
