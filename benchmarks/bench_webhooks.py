"""How long a vendor waits until a delivery is acknowledged: `make bench-webhooks`, DELIVERIES=500 for another burst.

HubSpot keeps at most ten connections for one account and puts up to 100 events into a delivery; it gives up after five
seconds. Asked here is the real application over loopback, which keeps each event before it answers: first by one
connection with ten events each, then by the most there can be, ten connections with full deliveries, each sending the
next as soon as the last is acknowledged. Beside it, in the same run, the same over PostgreSQL where it is installed.
No Prefect server runs: runs are started after the answer. The last line is the figures as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.web_app import web_app
from emulators.hubspot.webhooks import sign
from store.engine import open_store
from tests.postgres import find_binaries, running_server

SECRET, PUBLIC_URL, PATH = "s3cret", "https://steward.example", "/webhooks/hubspot"
CONNECTIONS, EVENTS = 1, 10  # as usual
BURST_CONNECTIONS, BURST_EVENTS = 10, 100
PATIENCE_S = 60


def main(deliveries: int) -> None:
    figures: dict[str, object] = {"bench": "webhooks", "deliveries": deliveries}
    with TemporaryDirectory() as folder:
        figures["sqlite"] = measured(f"sqlite:///{folder}/steward.db", deliveries)
    if binaries := find_binaries():
        with running_server(binaries) as server, server.database() as url:
            figures["postgresql"] = measured(url, deliveries)
    print(json.dumps(figures))


def measured(url: str, deliveries: int) -> dict[str, float]:
    settings = {
        "STEWARD_DATABASE_URL": url,
        "STEWARD_HUBSPOT_WEBHOOK_SECRET": SECRET,
        "STEWARD_PUBLIC_URL": PUBLIC_URL,
        "PREFECT_API_URL": "http://127.0.0.1:9/api",  # nobody is there
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
    }
    number = count(1)
    with web_app(settings) as (address, pid):
        asyncio.run(sent(address, number, CONNECTIONS, EVENTS, 20))  # warm
        usual = asyncio.run(sent(address, number, CONNECTIONS, EVENTS, deliveries))
        started = time.perf_counter()
        burst = asyncio.run(sent(address, number, BURST_CONNECTIONS, BURST_EVENTS, deliveries))
        took = time.perf_counter() - started
        peak_mb = peak_of(pid)
    kept, acknowledged = waiting(url), next(number) - 1
    if kept != acknowledged:
        raise SystemExit(f"{acknowledged} events were acknowledged and {kept} kept")
    return {
        **percentiles("usual", usual),
        **percentiles("burst", burst),
        "burst_events_per_s": round(deliveries * BURST_EVENTS / took),
        "kept": kept,
        "peak_mb": peak_mb,
    }


def waiting(url: str) -> int:
    store = open_store(url)
    with store.transaction(readonly=True) as uow:
        kept = uow.inbox.waiting("hubspot")
    store.close()
    return kept


async def sent(address: str, number: count[int], connections: int, events: int, deliveries: int) -> list[float]:
    """Seconds until each delivery was acknowledged."""
    left, waited = iter(range(deliveries)), []
    limits = httpx.Limits(max_connections=connections)
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S, trust_env=False) as client:

        async def one_connection() -> None:
            for _ in left:
                some = [event(next(number)) for _ in range(events)]
                delivery = sign(SECRET, PUBLIC_URL + PATH, some, datetime.now(UTC))
                started = time.perf_counter()
                answer = await client.post(address + PATH, content=delivery.body, headers=delivery.headers)
                waited.append(time.perf_counter() - started)
                if answer.status_code != httpx.codes.NO_CONTENT:
                    raise SystemExit(f"a delivery came to {answer.status_code}")

        await asyncio.gather(*(one_connection() for _ in range(connections)))
    return waited


def event(number: int) -> dict[str, Any]:
    return {
        "eventId": number,
        "objectId": number,
        "occurredAt": 1_790_000_000_000,
        "propertyName": "country",
        "subscriptionType": "company.propertyChange",
    }


def peak_of(pid: int) -> int:
    """The most memory a process ever held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    asked = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "most": max(seconds)}
    return {f"{name}_{part}_ms": round(each * 1000, 1) for part, each in asked.items()}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
