"""One seed from beginning to end, and many of them added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.push import push_target
from tests.simulation.company import STORM_S, Arena, Push, Record, found_company, record_at_once
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


def simulate_many(
    seeds: Iterable[int], arena: Arena, push: Push = push_target, record: Record = record_at_once
) -> Total:
    total = Total()
    for seed in seeds:
        total.add(simulate(seed, arena, push, record))
    return total
