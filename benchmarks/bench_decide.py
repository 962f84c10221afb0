"""How fast the rules decide: in bulk with files in and out, one by one, and recorded in the store.

    make bench-decide                    # 10,000, 100,000 and 1,000,000 accounts, about five minutes
    make bench-decide SIZES="10000"      # a quick look

200 rules, 100 pools of 20 of 2,000 reps with capacities and daily caps, explanations for every candidate. The floor is
reading the same accounts and writing the same decisions as Parquet, in the same run. CPU seconds of this process.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import polars as pl

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.registry import Connectors
from ownership.assignment import decide_on
from ownership.case import State
from ownership.day import Day
from ownership.conditions import All, Test
from ownership.entries import Assign, Pool, Rule, Territory
from ownership.model import Account, Decision, Ref, Rep
from ownership.policy import Policy, Roster
from store.engine import open_store
from tasks.assignment import assign_accounts
from tasks.context import RunContext

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
COUNTRIES, INDUSTRIES, SEGMENTS = [f"c{n}" for n in range(40)], [f"i{n}" for n in range(25)], ["smb", "mid", "ent"]
CHUNK = 20_000
SINGLES = 2_000
RECORDED = 20_000


def company_policy() -> tuple[Policy, Roster]:
    rng = random.Random(7)
    ids = [f"r{n:04}" for n in range(2000)]
    reps = {id_: Rep(id_, f"Rep {id_}", f"{id_}@x.example", "ae", "t", capacity=1_000_000) for id_ in ids}
    pools = tuple(
        Pool(f"p{n}", {rep: 1 + place % 3 for place, rep in enumerate(ids[n * 20 : n * 20 + 20])}, per_day=1_000_000)
        for n in range(100)
    )
    rules = tuple(
        Rule(
            f"rule{n}",
            All(
                (
                    Test("country", "in", frozenset(rng.sample(COUNTRIES, 3))),
                    Test("segment", "is", rng.choice(SEGMENTS)),
                    Test("industry", "in", frozenset(rng.sample(INDUSTRIES, 4))),
                )
            ),
            Assign(pool=f"p{n % 100}"),
        )
        for n in range(200)
    )
    map_ = tuple(Territory(f"t-{c}", c, Test("country", "is", c), pool=f"p{n}") for n, c in enumerate(COUNTRIES))
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
    for part in frame.iter_slices(CHUNK):
        yield [Account(row["id"], row["name"], {**row, "in_crm": True}) for row in part.iter_rows(named=True)]


def to_frame(decisions: list[Decision]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "account_id": [each.account_id for each in decisions],
            "owner_id": [each.owner_id for each in decisions],
            "reason": [each.reason for each in decisions],
            "rule": [each.rule for each in decisions],
            "path": [json.dumps([asdict(step) for step in each.path]) for each in decisions],
            "candidates": [
                json.dumps([[c.rep_id, c.chosen, c.because] for c in each.candidates]) for each in decisions
            ],
            "inputs_hash": [each.inputs_hash for each in decisions],
        }
    )


def bulk(size: int, folder: Path) -> dict[str, float]:
    """Decide a file of `size` accounts; CPU seconds of that, and of only reading and writing the same."""
    source, out = folder / f"{size}.parquet", folder / f"{size}-decisions"
    accounts_frame(size).write_parquet(source)
    out.mkdir()
    day = Day.of(*company_policy(), NOW)
    started = time.process_time()
    state = State()
    for number, accounts in enumerate(to_accounts(pl.read_parquet(source))):
        decisions, state = decide_on(day, accounts, state)
        to_frame(decisions).write_parquet(out / f"{number:05}.parquet")
    decided = time.process_time() - started
    parts = [pl.read_parquet(part) for part in sorted(out.iterdir())]
    started = time.process_time()
    pl.read_parquet(source)
    for number, part in enumerate(parts):
        part.write_parquet(folder / f"floor-{number}.parquet")
    floor = time.process_time() - started
    return {"accounts": size, "cpu_s": round(decided, 2), "io_floor_cpu_s": round(floor, 2)}


def singles() -> dict[str, float]:
    """One account at a time with a warm policy, microseconds of wall time."""
    day = Day.of(*company_policy(), NOW)
    state = State()
    taken = []
    for (account,) in ([each] for chunk in to_accounts(accounts_frame(SINGLES)) for each in chunk):
        started = time.perf_counter()
        _, state = decide_on(day, [account], state)
        taken.append((time.perf_counter() - started) * 1e6)
    cuts = quantiles(taken, n=100)
    return {"single_p50_us": round(cuts[49]), "single_p99_us": round(cuts[98])}


def recorded(folder: Path) -> dict[str, float]:
    """Decided and recorded on SQLite: decision, ledger row, current owner, offer. Accounts per CPU second."""
    policy, roster = company_policy()
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    store.migrate()
    loaded = LoadedPolicy(policy, roster, policy.policy_hash, "{}")
    context = RunContext(Settings(_env_file=None), store, Connectors(), loaded)
    now = datetime.now(UTC)
    for chunk in to_accounts(accounts_frame(RECORDED)):
        with_refs = [Account(each.id, each.name, each.fields, (Ref("usage", "workspace", each.id),)) for each in chunk]
        store.run(lambda uow, some=with_refs: uow.accounts.save(some, now))
    started = time.process_time()
    done = assign_accounts(context).recorded
    return {"recorded_per_cpu_s_sqlite": round(done / (time.process_time() - started))}


def main(sizes: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for size in sizes:
            found.append(bulk(size, folder))
            print(found[-1], flush=True)
        figures = {
            "bench": "decide",
            "bulk": found,
            "ratio_to_io_floor": round(found[-1]["cpu_s"] / max(found[-1]["io_floor_cpu_s"], 0.01), 1),
            "growth": round(found[-1]["cpu_s"] / found[-2]["cpu_s"], 2) if len(found) > 1 else None,
            **singles(),
            **recorded(folder),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000])
