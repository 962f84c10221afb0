"""One seed from beginning to end, and many of them added up."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.push import push_target
from tests.simulation.company import STORM_S, Push, Record, found_company, record_at_once
from tests.simulation.controls import Control
from tests.simulation.database import Arena, SqliteArena
from tests.simulation.promises import Verdict, judge


def simulate(seed: int, arena: Arena, push: Push = push_target, record: Record = record_at_once) -> Verdict:
    """A storm of a quarter of an hour and what is left of it. The same seed gives the same verdict."""
    with arena.engine() as engine:
        company = found_company(seed, engine, push, record)
        company.open_for_business()
        company.clock.run_until(lambda: False, STORM_S)
        return judge(company, seed)


@dataclass
class Total:
    """Many seeds added up. `failed` are the first violations by seed."""

    seeds: int = 0
    hours: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        self.seeds += 1
        self.hours += verdict.hours
        self.faults += verdict.faults
        self.gaps += verdict.gaps
        if verdict.violations:
            self.failed[verdict.seed] = verdict.violations

    def include(self, other: Total) -> None:
        self.seeds += other.seeds
        self.hours += other.hours
        self.faults += other.faults
        self.gaps += other.gaps
        self.failed |= other.failed


def simulate_many(
    seeds: Iterable[int], arena: Arena, push: Push = push_target, record: Record = record_at_once
) -> Total:
    total = Total()
    for seed in seeds:
        total.add(simulate(seed, arena, push, record))
    return total


def simulate_apart(seeds: range) -> Total:
    """As `simulate_many`, on a database of this call's own; for processes that share the work."""
    with tempfile.TemporaryDirectory(prefix="steward-storms-") as folder:
        arena = SqliteArena(Path(folder))
        try:
            return simulate_many(seeds, arena)
        finally:
            arena.close()


def first_complaint(control: Control, arena: Arena, seeds: int) -> int | None:
    """The first of this many seeds under which the control breaks its promise; None when it never does."""
    with control.in_force():
        for seed in range(1, seeds + 1):
            verdict = simulate(seed, arena, control.push, control.record)
            if any(control.complaint in violation for violation in verdict.violations):
                return seed
    return None
