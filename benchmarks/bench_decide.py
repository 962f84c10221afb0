"""How fast the rules decide: in bulk from file to file, one by one, and recorded in the store.

    make bench-decide                    # 10,000, 100,000 and 1,000,000 accounts, about a minute
    make bench-decide SIZES="10000"      # a quick look

200 rules, 100 pools of 20 of 2,000 reps with turns, capacities and daily caps, explanations for every candidate. In
bulk each size runs in a process of its own, whose CPU seconds and peak memory are reported. The floor is reading the
same accounts and writing the same decisions, in the same run: Parquet both, the decisions in memory as they are read
back. The smallest size is decided by the reference as well, and the benchmark fails unless both say the same.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

import polars as pl
import pycountry

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.registry import Connectors
from ownership.assignment import decide_on
from ownership.case import State
from ownership.conditions import All, Test, fold
from ownership.day import Day
from ownership.entries import Assign, Pool, Rule, Territory
from ownership.model import Account, Ref, Rep
from ownership.policy import Policy, Roster
from store.engine import open_store
from tasks.account_files import read_sheet, read_table, write_decisions, write_table
from tasks.account_rows import to_account
from tasks.assignment import assign_accounts
from tasks.bulk.deciding import decide_table
from tasks.context import RunContext
from tasks.headless import decide_sheet
from tasks.memory import Memory

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
COUNTRIES = [country.alpha_2 for country in list(pycountry.countries)[:40]]
INDUSTRIES, SEGMENTS = [f"i{n}" for n in range(25)], ["smb", "mid_market", "enterprise"]
REPS = 2000
SINGLES = 2_000
RECORDED = 20_000
CHUNK = 20_000


def company_policy(accounts: int = RECORDED) -> tuple[Policy, Roster]:
    """Books are twice as large as their share of the accounts: the heaviest pools run out of room towards the end."""
    most = 2 * accounts // REPS + 1
    rng = random.Random(7)
    ids = [f"r{n:04}" for n in range(REPS)]
    reps = {id_: Rep(id_, f"Rep {id_}", f"{id_}@x.example", "ae", "t", capacity=most) for id_ in ids}
    pools = tuple(
        Pool(f"p{n}", {rep: 1 + place % 3 for place, rep in enumerate(ids[n * 20 : n * 20 + 20])}, per_day=most)
        for n in range(100)
    )
    rules = tuple(
        Rule(
            f"rule{n}",
            All(
                (
                    Test("country", "in", frozenset(map(fold, rng.sample(COUNTRIES, 3)))),
                    Test("segment", "is", rng.choice(SEGMENTS)),
                    Test("industry", "in", frozenset(rng.sample(INDUSTRIES, 4))),
                )
            ),
            Assign(pool=f"p{n % 100}"),
        )
        for n in range(200)
    )
    map_ = tuple(Territory(f"t-{c}", c, Test("country", "is", fold(c)), pool=f"p{n}") for n, c in enumerate(COUNTRIES))
    return Policy("bench", rules=rules, territories=map_, pools=pools, policy_hash="0" * 64), Roster(reps)


def accounts_frame(size: int) -> pl.DataFrame:
    rng = random.Random(size)
    return pl.DataFrame(
        {
            "id": [f"acc_{n:08}" for n in range(size)],
            "name": [f"Company {n}" for n in range(size)],
            "country": rng.choices(COUNTRIES, k=size),
            "segment": rng.choices(SEGMENTS, k=size),
            "industry": rng.choices(INDUSTRIES, k=size),
            "employees": [rng.randrange(1, 10_000) for _ in range(size)],
        }
    )


def to_accounts(frame: pl.DataFrame) -> Iterator[list[Account]]:
    for part in frame.cast(pl.String).iter_slices(CHUNK):
        yield [to_account(row) for row in part.iter_rows(named=True)]


def loaded_policy(accounts: int) -> LoadedPolicy:
    policy, roster = company_policy(accounts)
    return LoadedPolicy(policy, roster, policy.policy_hash, "{}")


def bulk(size: int, folder: Path) -> dict[str, float]:
    """Decide a file of `size` accounts; CPU seconds of that, its peak memory, and CPU seconds of the floor."""
    source, out, floor = (folder / f"{size}{ending}.parquet" for ending in ("", "-decisions", "-floor"))
    accounts_frame(size).write_parquet(source)
    loaded = loaded_policy(size)
    started = time.process_time()
    decided = decide_table(read_table(source).frame, loaded, Memory(), NOW)
    write_table(decided.decisions, out)
    taken = time.process_time() - started
    del decided
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    decisions = pl.read_parquet(out)
    started = time.process_time()
    pl.read_parquet(source)
    decisions.write_parquet(floor)
    least = time.process_time() - started
    return {
        "accounts": size,
        "cpu_s": round(taken, 2),
        "io_floor_cpu_s": round(least, 3),
        "ratio_to_io_floor": round(taken / least, 2),
        "peak_mb": round(peak),
    }


def check(size: int, folder: Path) -> None:
    """Raises `SystemExit` unless the reference decides the same file alike, to the last letter."""
    reference = decide_sheet(read_sheet(folder / f"{size}.parquet"), loaded_policy(size), Memory(), NOW)
    write_decisions(reference.decisions, folder / "reference.parquet")
    if not pl.read_parquet(folder / "reference.parquet").equals(pl.read_parquet(folder / f"{size}-decisions.parquet")):
        raise SystemExit(f"{size:,} accounts are decided differently in bulk and one by one")


def singles() -> dict[str, float]:
    """One account at a time with a warm policy, microseconds: of CPU, and as a clock on the wall shows them."""
    day = Day.of(*company_policy(), NOW)
    state = State()
    taken, waited = [], []
    for (account,) in ([each] for chunk in to_accounts(accounts_frame(SINGLES)) for each in chunk):
        started, cpu = time.perf_counter(), time.thread_time()
        _, state = decide_on(day, [account], state)
        taken.append((time.thread_time() - cpu) * 1e6)
        waited.append((time.perf_counter() - started) * 1e6)
    cuts, walls = quantiles(taken, n=100), quantiles(waited, n=100)
    return {
        "single_p50_us": round(cuts[49]),
        "single_p99_us": round(cuts[98]),
        "single_wall_p50_us": round(walls[49]),
        "single_wall_p99_us": round(walls[98]),
    }


def recorded(folder: Path) -> dict[str, int | None]:
    """Decided and recorded, on both databases: decision, ledger row, current owner, offer, notices. Accounts per CPU
    second of this process; None where no PostgreSQL is installed."""
    found: dict[str, int | None] = {"recorded_per_cpu_s_sqlite": _recorded(f"sqlite:///{folder / 'bench.db'}")}
    try:
        from tests.postgres import find_binaries, running_server
    except ModuleNotFoundError:
        return {**found, "recorded_per_cpu_s_postgres": None}
    binaries = find_binaries()
    if binaries is None:
        return {**found, "recorded_per_cpu_s_postgres": None}
    with running_server(binaries) as server, server.database() as url:
        return {**found, "recorded_per_cpu_s_postgres": _recorded(url)}


def _recorded(url: str) -> int:
    policy, roster = company_policy()
    store = open_store(url)
    store.migrate()
    loaded = LoadedPolicy(policy, roster, policy.policy_hash, "{}")
    context = RunContext(Settings(_env_file=None), store, Connectors(), loaded)
    now = datetime.now(UTC)
    for chunk in to_accounts(accounts_frame(RECORDED)):
        with_refs = [Account(each.id, each.name, each.fields, (Ref("usage", "workspace", each.id),)) for each in chunk]
        store.run(lambda uow, some=with_refs: uow.accounts.save(some, now))
    started = time.process_time()
    done = assign_accounts(context).recorded
    rate = round(done / (time.process_time() - started))
    store.close()
    return rate


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for size in sizes:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                found.append(process.submit(bulk, size, folder).result())
            print(found[-1], flush=True)
        check(sizes[0], folder)
        figures = {
            "bench": "decide",
            "bulk": found,
            "ratio_to_io_floor": found[-1]["ratio_to_io_floor"],
            "growth": round(found[-1]["cpu_s"] / found[-2]["cpu_s"], 2) if len(found) > 1 else None,
            "peak_mb": found[-1]["peak_mb"],
            "same_as_reference": sizes[0],
            **singles(),
            **recorded(folder),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
