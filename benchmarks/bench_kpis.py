"""How long the key figures take on a large book: `make bench-kpis`, ACCOUNTS=100000 for less.

So many accounts are recorded with an owner, an offer and its answer, and figures are kept of every night of a year.
Then it is measured how long it takes to take a night's figures (`take_s`; `again_s` when nothing has changed), to open
the page Health and each figure of it as ops do (`page_p95_ms` over all scopes and periods, `worst_ms` of the lists),
and to read the whole list behind a figure as CSV. SQLite has all accounts, PostgreSQL (where there is one) a tenth.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import case, create_engine, func, update
from starlette.testclient import TestClient

from config.policy_files import load_policy
from config.settings import POLICY_DIR, Settings
from connectors.registry import Connectors
from ownership.kpis.catalogue import BY_ID, KPIS, PERIODS
from ownership.kpis.scopes import COMPANY, scopes_of
from ownership.model import QUEUE, Account, Decision, Outcome
from store.engine import open_store
from store.recording import Recording
from store.statements import chunks
from store.tables import acceptance
from tasks.context import RunContext
from tasks.kpis import take_kpis
from web.app import create_app

NOW = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)
NIGHTS, BATCH = 365, 5000
COUNTRIES = ("US", "GB", "DE", "FR", "US", "JP", "US", "SE", "CA", "ES", "PL")
SEGMENTS = ("smb", "mid_market", "smb", "enterprise", "smb", "mid_market")


def main(accounts: int) -> None:
    with TemporaryDirectory() as folder:
        figures = {"sqlite": measure(f"sqlite:///{folder}/steward.db", accounts)}
    with postgres() as url:
        if url is not None:
            figures["postgres"] = measure(url, accounts // 10)
    together = {"bench": "kpis", **figures, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
    print(json.dumps(together))


def measure(url: str, accounts: int) -> dict[str, Any]:
    """Fill a database, and say what everything took."""
    settings = Settings(_env_file=None, database_url=url, web_login="development")  # type: ignore[call-arg]
    store = open_store(url)
    store.migrate()
    context = RunContext(settings, store, Connectors(), load_policy(POLICY_DIR), clock=lambda: NOW)
    fill(context, accounts)
    answer(url)
    found: dict[str, Any] = {"accounts": accounts}
    found["take_s"], _ = timed(lambda: take_kpis(context))
    found["again_s"], _ = timed(lambda: take_kpis(context))
    keep_nights(context)
    store.close()
    with TestClient(create_app(settings, clock=lambda: NOW)) as client:
        client.post("/login/development", data={"who": "ops"})
        found |= pages(client, list(scopes_of(context.policy.policy, context.policy.roster)))
    print(json.dumps(found))
    return found


def fill(context: RunContext, accounts: int) -> None:
    """Record so many accounts over three months, most of them with an owner who was asked; some changed hands."""
    roster = context.policy.roster
    people = [rep.id for rep in roster.reps.values() if rep.kind != QUEUE and rep.id in roster.present_on("2026-11-26")]
    made = (account(number) for number in range(accounts))
    number = 0
    while some := list(islice(made, BATCH)):
        at = NOW - timedelta(days=95 - number * 90 * BATCH / accounts)
        context.store.run(lambda uow, these=some, at=at: uow.accounts.save(these, at))
        batch = [owned(each.id, people[place % len(people)], at) for place, each in enumerate(some) if place % 31]
        context.store.run(lambda uow, these=batch, at=at, run=f"run-{number}": uow.record(these, run, at))
        moved = [owned(each.id, people[(place + 1) % len(people)], None) for place, each in enumerate(some[1::17])]
        later = at + timedelta(days=2)
        context.store.run(lambda uow, these=moved, at=later, run=f"moved-{number}": uow.record(these, run, at))
        number += 1


def account(number: int) -> Account:
    fields: dict[str, Any] = {
        "country": COUNTRIES[number % len(COUNTRIES)],
        "segment": SEGMENTS[number % len(SEGMENTS)],
        "has_primary_contact": number % 5 != 0,
        "activity_on": f"2026-11-{1 + number % 25:02d}",
    }
    if number % 3:
        fields |= {"mrr_cents": 20_000 + number * 977 % 400_000, "paying": True}
    if number % 4:
        fields["consent"] = number % 8 != 1
    return Account(f"acc-{number:08}", f"Company {number}", fields)


def owned(account_id: str, owner: str, asked_at: datetime | None) -> Recording:
    made = Decision(account_id, Outcome.OWNER, "territory", "bench", owner, policy_hash="p", inputs_hash=f"in-{owner}")
    return Recording(made, {}, offer_due_by=asked_at + timedelta(hours=24) if asked_at else None)


def answer(url: str) -> None:
    """Most offers are accepted when they are made, some declined or run out."""
    engine = create_engine(url)
    one = acceptance.c
    last = func.substr(one.account_id, 12)
    state = case((last == "3", "declined"), (last == "7", "expired"), else_="accepted")
    at = case((last == "7", one.due_by), else_=one.offered_at)
    with engine.begin() as connection:
        connection.execute(update(acceptance).where(one.state == "offered").values(state=state, answered_at=at))
    engine.dispose()


def keep_nights(context: RunContext) -> None:
    """A year of figures like tonight's."""
    with context.store.transaction(readonly=True) as uow:
        tonight = {
            (scope, period if BY_ID[kpi].over_period else 0, kpi): replace(each.figure, parts=())
            for scope in scopes_of(context.policy.policy, context.policy.roster)
            for period in PERIODS
            for kpi, each in uow.kpi_days.of_day(context.today(), scope, period).items()
        }
    nights = [(NOW - timedelta(days=night)).date().isoformat() for night in range(1, NIGHTS)]
    for some in chunks(nights, 30):
        context.store.run(
            lambda uow, these=some: [uow.kpi_days.save(day, tonight, context.run_id, NOW) for day in these]
        )


def pages(client: TestClient, scopes: list[str]) -> dict[str, Any]:
    """What the pages take: the overview of every scope and period, and each figure of three scopes of each kind."""
    opened = [
        timed(lambda path=f"/kpis?scope={scope}&period={period}": read(client, path))[0]
        for _ in range(2)
        for scope in scopes
        for period in PERIODS
    ]
    some = [
        COMPANY,
        *(next(key for key in scopes if key.startswith(kind)) for kind in ("reports", "team", "territory")),
    ]
    lists = {
        f"{kpi.id} of {scope}": timed(lambda path=f"/kpis/{kpi.id}?scope={scope}": read(client, path))[0]
        for kpi in KPIS
        for scope in some
    }
    slowest = sorted(lists, key=lists.__getitem__)[-5:]
    csv_s, lines = timed(lambda: read(client, f"/kpis/no_activity/list.csv?scope={COMPANY}").count("\n"))
    return {
        "page_p95_ms": round(1000 * sorted(opened)[int(len(opened) * 0.95)], 1),
        "figure_p95_ms": round(1000 * sorted(lists.values())[int(len(lists) * 0.95)], 1),
        "slowest_ms": {name: round(1000 * lists[name]) for name in slowest},
        "csv_lines_per_s": round(lines / csv_s),
    }


def read(client: TestClient, path: str) -> str:
    found = client.get(path)
    assert found.status_code == 200, (path, found.status_code)
    return found.text


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    came_to = work()
    return round(time.perf_counter() - start, 4), came_to


@contextmanager
def postgres() -> Iterator[str | None]:
    """A database of a throw-away server; None where PostgreSQL is not installed."""
    try:
        from tests.postgres import find_binaries, running_server
    except ImportError:
        yield None
        return
    binaries = find_binaries()
    if binaries is None:
        yield None
        return
    with running_server(binaries) as server, server.database() as url:
        yield url


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
