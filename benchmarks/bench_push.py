"""What pushing owners costs beside the vendors' own limits: `make bench-push`, ACCOUNTS=1000 for less.

The demo company's accounts are pulled and decided, then pushed, to emulated Salesforce and HubSpot over TLS with their
published limits enforced. The floor of HubSpot is the least time in which its window (190 calls in ten seconds) lets
the needed calls through: a read and a write for each 100 records. Salesforce publishes no rate; its floor is taken
as no time at all, so that its figures are wall time and calls only. The demo company has no more than some 2,600
companies, which fit into one window: the ratio is null then, and calls against needed calls are what counts.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emulators.world import build_world
from tasks.push import push_target
from tests.northwind import Northwind, northwind

MOST = 2600  # companies of the demo company
WINDOW_CALLS, WINDOW_S = 190, 10.0  # HubSpot Professional and Enterprise
BATCH = {"salesforce": (500, 200), "hubspot": (100, 100)}  # ids of one read, rows of one write


def main(accounts: int) -> None:
    with TemporaryDirectory() as folder, northwind(build_world(accounts), Path(folder)) as company:
        company.assign()
        figures = [push(company, target) for target in BATCH]
    for each in figures:
        print(json.dumps(each))
    hubspot = next(each for each in figures if each["target"] == "hubspot")
    ratio = round(hubspot["wall_s"] / hubspot["floor_s"], 2) if hubspot["floor_s"] else None
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"accounts": accounts, "ratio_to_vendor_floor": ratio, "peak_mb_with_emulators": peak_mb}))


def push(company: Northwind, target: str) -> dict[str, Any]:
    """Push all that is due to one system, and count what it was asked."""
    company.vendors.journal.clear()
    with company.run() as context:
        began = time.perf_counter()
        states = push_target(context, target).states
        wall_s = time.perf_counter() - began
    calls = Counter(entry.operation for entry in company.vendors.journal.entries() if entry.vendor == target)
    rows = sum(states.values())
    read, write = BATCH[target]
    needed = ceil(rows / read) + ceil(rows / write)
    floor_s = WINDOW_S * (ceil(needed / WINDOW_CALLS) - 1) if target == "hubspot" else 0.0
    return {
        "target": target,
        "states": dict(states),
        "wall_s": round(wall_s, 2),
        "calls": sum(calls.values()),
        "needed_calls": needed,
        "floor_s": floor_s,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MOST)
