"""`python -m emulators --world FILE --state-dir DIR --ready-file FILE`: serve the emulated vendors until told to stop.

When everything answers, the ready file holds {"gateway_url", "ca_file", "control_url", "smtp_port"}; with
--usage-db "usage_db" too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import signal
import threading
from pathlib import Path
from typing import Any

from emulators.server import EmulatedVendors
from emulators.world import write_usage_db


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    asked = _parser().parse_args(arguments)
    stopping = threading.Event()
    # A shell that starts us in the background has SIGINT ignored; ours must work there too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    world = read_world(asked.world)
    with EmulatedVendors(world, asked.state_dir) as running:
        ready = {
            "gateway_url": running.gateway_url,
            "ca_file": str(running.ca_file.resolve()),
            "control_url": running.control_url,
            "smtp_port": running.smtp_port,
        }
        if asked.usage_db:
            ready["usage_db"] = str(_write_usage(asked.state_dir / "usage.db", world).resolve())
        _write_whole(asked.ready_file, json.dumps(ready))
        stopping.wait()
    return 0


def read_world(path: Path) -> dict[str, Any]:
    """A world file, plain or gzipped JSON."""
    data = path.read_bytes()
    world: dict[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return world


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m emulators", description="Serve the emulated vendors on loopback.")
    parser.add_argument("--world", type=Path, required=True, help="world file, .json or .json.gz")
    parser.add_argument("--state-dir", type=Path, required=True, help="folder for certificates and databases")
    parser.add_argument("--ready-file", type=Path, required=True, help="written once everything answers")
    parser.add_argument("--usage-db", action="store_true", help="also write the world's product usage as SQLite")
    return parser


def _write_usage(path: Path, world: dict[str, Any]) -> Path:
    path.unlink(missing_ok=True)
    write_usage_db(path, world)
    return path


def _write_whole(path: Path, text: str) -> None:
    """In one step, so that whoever waits for the file never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
