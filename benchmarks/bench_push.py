"""How near a push comes to what the vendors allow: `make bench-push`, CHANGES=1000000 for more.

So many owner changes are pushed to Salesforce and to HubSpot, each through its real client over TLS to an emulated
vendor in a process of its own, with the published limits in force (HubSpot: 190 calls in 10 s) and a time for each
Salesforce collections call, which its vendor does not publish: 2 s for 200 accounts, five calls at once.

The floor is the least time these calls can take: for Salesforce, writes x 2 s / 5; for HubSpot, ten seconds for each
window of 190 calls after the first. A push reads each record before it writes it (docs/decisions/0002), from the same
allowance: `floor_s` has the reads in it, `floor_of_writes_s` has not.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.policy_files import load_policy
from config.settings import POLICY_DIR, Settings
from connectors.registry import build_connectors
from emulators.world.ids import salesforce_id
from ownership.model import Account, Decision, Outcome, Ref
from store.engine import open_store
from store.recording import PushWanted, Recording
from store.statements import chunks
from tasks.context import RunContext
from tasks.pull import pull_people
from tasks.push import push_target

CALL_S, AT_ONCE, ROWS = 2.0, 5, 200  # a Salesforce collections call, how many at once, accounts in each
WINDOW_S, WINDOW, INPUTS = 10.0, 190, 100  # HubSpot
LONG_AGO = "2026-01-01T00:00:00.000+0000"
START_S = 300


def main(changes: int) -> None:
    with TemporaryDirectory() as named:
        folder = Path(named)
        reps = sorted(load_policy(POLICY_DIR).roster.reps.values(), key=lambda rep: rep.id)[:2]
        before, after = reps
        world = make_world(changes, [(rep.id, rep.name, rep.email) for rep in reps])
        (folder / "world.json").write_text(json.dumps(world), encoding="utf-8")
        with vendors(folder) as ready:
            context = connect(folder, world, ready)
            fill(context, changes, before.id, after.id)
            figures = [measure(context, target, changes, ready) for target in ("salesforce", "hubspot")]
            context.store.close()
    for each in figures:
        print(each)
    together = {
        "bench": "push",
        "changes": changes,
        "targets": figures,
        "ratio_to_vendor_floor": max(each["ratio_to_vendor_floor"] for each in figures),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(together))


def measure(context: RunContext, target: str, changes: int, ready: dict[str, str]) -> dict[str, Any]:
    """Push everything to one system, and count what it took."""
    control(ready, "DELETE", "/journal")
    cpu, wall = time.process_time(), time.perf_counter()
    pushed = push_target(context, target)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    calls = calls_of(ready, target)
    writes = ceil(changes / (ROWS if target == "salesforce" else INPUTS))
    floor_of_writes = floor_s(target, writes)
    floor = floor_of_writes if target == "salesforce" else floor_s(target, 2 * writes)
    return {
        "target": target,
        "confirmed": pushed.states.get("confirmed", 0),
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "calls": calls,
        "least_writes": writes,
        "floor_s": round(floor, 1),
        "floor_of_writes_s": round(floor_of_writes, 1),
        "ratio_to_vendor_floor": round(wall / floor, 3),
        "ratio_to_floor_of_writes": round(wall / floor_of_writes, 3),
    }


def floor_s(target: str, calls: int) -> float:
    """The least time so many calls take."""
    if target == "salesforce":
        return ceil(calls / AT_ONCE) * CALL_S
    return max(WINDOW_S * (ceil(calls / WINDOW) - 1), WINDOW_S / WINDOW)


def make_world(changes: int, people: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Two CRMs with the same companies, all of them the first person's."""
    dated = {"CreatedDate": LONG_AGO, "LastModifiedDate": LONG_AGO, "SystemModstamp": LONG_AGO}
    at = "2026-01-01T00:00:00.000Z"
    users = [
        {"Id": salesforce_id("005", n), "Name": name, "Username": mail, "Email": mail, "IsActive": True,
         "UserType": "Standard", **dated}
        for n, (_, name, mail) in enumerate(people)
    ]  # fmt: skip
    owners = [
        {"id": str(70 + n), "email": mail, "firstName": name, "lastName": "", "userId": 900 + n, "type": "PERSON",
         "createdAt": at, "updatedAt": at, "archived": False}
        for n, (_, name, mail) in enumerate(people)
    ]  # fmt: skip
    accounts = [
        {"Id": salesforce_id("001", n), "Name": f"Company {n}", "OwnerId": users[0]["Id"], **dated}
        for n in range(changes)
    ]
    companies = [
        {"id": company_id(n), "createdAt": at, "updatedAt": at, "archived": False,
         "properties": {"name": f"Company {n}", "hubspot_owner_id": "70", "hs_lastmodifieddate": at, "createdate": at}}
        for n in range(changes)
    ]  # fmt: skip
    access = {"domain": "bench.my", "client_id": "steward", "client_secret": "s"}
    return {
        "salesforce": {**access, "users": users, "accounts": accounts, "integration_user": users[0]["Id"]},
        "hubspot": {
            "portal_id": 1, "token": "pat", "webhook_secret": "s",
            "owners": owners, "companies": companies, "contacts": [],
        },
    }  # fmt: skip


def company_id(number: int) -> str:
    return str(7_000_000_000 + number)


@contextmanager
def vendors(folder: Path) -> Iterator[dict[str, str]]:
    """The emulated vendors in a process of their own; what they say when they are ready."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "emulators", "--world", str(folder / "world.json")]
    command += ["--state-dir", str(folder / "emulators"), "--ready-file", str(ready)]
    process = subprocess.Popen(command)
    try:
        end = time.monotonic() + START_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the emulated vendors did not start")
            time.sleep(0.1)
        said: dict[str, str] = json.loads(ready.read_text(encoding="utf-8"))
        slow = {"vendor": "salesforce", "operation": "collections_update", "kind": "slow", "every": 1}
        control(said, "POST", "/faults", {**slow, "params": {"seconds": CALL_S}})
        yield said
    finally:
        process.terminate()
        process.wait()


def control(ready: dict[str, str], method: str, path: str, body: Any = None) -> Any:
    """Ask the emulators' control plane."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        ready["control_url"] + path, data, {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def calls_of(ready: dict[str, str], target: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in control(ready, "GET", "/journal"):
        if entry["vendor"] == target:
            found[entry["operation"]] = found.get(entry["operation"], 0) + 1
    return dict(sorted(found.items()))


def connect(folder: Path, world: dict[str, Any], ready: dict[str, str]) -> RunContext:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        database_url=f"sqlite:///{folder / 'steward.db'}",
        egress_proxy=ready["gateway_url"],
        ca_file=Path(ready["ca_file"]),
        salesforce_domain=world["salesforce"]["domain"],
        salesforce_client_id=world["salesforce"]["client_id"],
        salesforce_client_secret=world["salesforce"]["client_secret"],
        hubspot_token=world["hubspot"]["token"],
    )
    store = open_store(settings.database_url)
    store.migrate()
    context = RunContext(settings, store, build_connectors(settings), load_policy(POLICY_DIR))
    for target in context.connectors.targets:
        pull_people(context, target)
    return context


def fill(context: RunContext, changes: int, before: str, after: str) -> None:
    """Record so many owner changes, each to be shown by a record of each CRM."""
    now = datetime.now(UTC)
    for some in chunks(range(changes), 5000):
        accounts = []
        for n in some:
            refs = (Ref("hubspot", "company", company_id(n)), Ref("salesforce", "Account", salesforce_id("001", n)))
            accounts.append(Account(f"acc_{n:08}", f"Company {n}", {}, refs, crm_owners=dict.fromkeys(refs, before)))
        context.store.run(lambda uow, these=accounts: uow.accounts.save(these, now))
        recordings = [
            Recording(
                Decision(each.id, Outcome.OWNER, "territory", "bench", after, policy_hash="p", inputs_hash="i"),
                {},
                tuple(PushWanted(ref.source, ref.object_type, ref.external_id, before) for ref in each.refs),
            )
            for each in accounts
        ]
        context.store.run(lambda uow, these=recordings: uow.record(these, context.run_id, now))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
