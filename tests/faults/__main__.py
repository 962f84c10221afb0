"""The proof by faults, at length: `make test-faults`, or `python -m tests.faults SEEDS [FIRST]`.

Runs the storms of many seeds, the protocols that must be found wrong, and the sweep of kills over both databases, and
prints what was injected and what broke; the last line is JSON. Exits with 1 when a promise was broken, a control was
not found out, or PostgreSQL is missing.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.engine import open_store
from tests.faults.matrix import COVERED, MISSING, OPEN, reachable
from tests.faults.sweeps import MakePlant, places_to_die, postgres_plants, sqlite_plants, sweep, sweep_twice
from tests.postgres import find_binaries, running_server
from tests.simulation.controls import CONTROLS
from tests.simulation.database import SqliteArena
from tests.simulation.run import Total, first_complaint, simulate_apart

SEEDS_A_CHUNK = 50
CONTROL_SEEDS = 40


@dataclass
class Proof:
    """What was done, and what broke."""

    storms: Total = field(default_factory=Total)
    controls: dict[str, int | None] = field(default_factory=dict)  # name -> first seed that found it out
    kills: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.storms.failed or self.wrong or None in self.controls.values())


def main(arguments: list[str]) -> int:
    seeds, first = (int(arguments[0]) if arguments else 1000), (int(arguments[1]) if len(arguments) > 1 else 1)
    proof = Proof(storms=run_storms(seeds, first), controls=run_controls())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steward-faults-")))
        kill(proof, "sqlite", sqlite_plants(_made(folder / "sqlite"), _template(folder)))
        binaries = find_binaries()
        if binaries is None:
            proof.wrong.append("PostgreSQL is not installed, so nothing was proved over it")
        else:
            server = stack.enter_context(running_server(binaries, in_memory=True))
            kill(proof, "postgresql", postgres_plants(_made(folder / "postgres"), server))
    print(report(proof))
    return 0 if proof.holds else 1


def run_storms(seeds: int, first: int) -> Total:
    """The seeds over as many processes as there are cores, added up."""
    chunks = [range(at, min(at + SEEDS_A_CHUNK, first + seeds)) for at in range(first, first + seeds, SEEDS_A_CHUNK)]
    total = Total()
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        for part in pool.map(simulate_apart, chunks):
            total.include(part)
    return total


def run_controls() -> dict[str, int | None]:
    """The first seed under which each control breaks its promise; None for one that was not found out."""
    with tempfile.TemporaryDirectory(prefix="steward-controls-") as folder:
        arena = SqliteArena(Path(folder))
        found = {control.name: first_complaint(control, arena, CONTROL_SEEDS) for control in CONTROLS}
        arena.close()
    return found


def kill(proof: Proof, database: str, plants: MakePlant) -> None:
    """Kill at every place once, and at every place a second time while the next process finishes."""
    places = range(1, places_to_die(plants) + 1)
    for trial in (*sweep(plants, places), *sweep_twice(plants, places)):
        proof.kills[database] += len(trial.killed_at)
        proof.wrong += [f"{database}, killed at {trial.killed_at}: {wrong}" for wrong in trial.wrong]


def report(proof: Proof) -> str:
    """For people, with a line for machines at the end."""
    storms = proof.storms
    broken = sum(map(len, storms.failed.values()))
    lines = [
        f"{storms.seeds} storms, {storms.hours:.0f} hours of virtual time, {sum(storms.faults.values())} faults:",
        *(f"  {count:8}  {fault}" for fault, count in storms.faults.most_common()),
        f"{broken} promises broken" + "".join(f"\n  seed {seed}: {all_[0]}" for seed, all_ in storms.failed.items()),
        "Known gaps, healed by the next reconcile or without harm to the end:",
        *(f"  {count:8}  {gap}" for gap, count in storms.gaps.most_common()),
        "Protocols that are wrong on purpose, and the seed that found each out:",
        *(f"  {'none' if seed is None else seed:>8}  {name}" for name, seed in proof.controls.items()),
        f"Processes killed: {', '.join(f'{count} over {name}' for name, count in proof.kills.items())}; "
        f"{len(proof.wrong)} ended wrong" + "".join(f"\n  {wrong}" for wrong in proof.wrong),
        f"Fault matrix: {len(reachable())} cells, {len(COVERED) - len(MISSING)} covered, {len(MISSING)} with something "
        f"missing, {len(OPEN)} open",
        json.dumps(_figures(proof), sort_keys=True),
    ]
    return "\n".join(lines)


def _figures(proof: Proof) -> dict[str, Any]:
    storms = proof.storms
    return {
        "seeds": storms.seeds,
        "virtual_hours": round(storms.hours, 1),
        "faults": dict(storms.faults),
        "faults_total": sum(storms.faults.values()),
        "violations": sum(map(len, storms.failed.values())) + len(proof.wrong),
        "failed_seeds": sorted(storms.failed),
        "gaps": dict(storms.gaps),
        "controls_found_out": {name: seed for name, seed in proof.controls.items()},
        "kills": dict(proof.kills),
        "matrix": {"cells": len(reachable()), "covered": len(COVERED), "missing": len(MISSING), "open": len(OPEN)},
    }


def _template(folder: Path) -> Path:
    path = folder / "template.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
