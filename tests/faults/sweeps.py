"""Sweeps over every place where a process can be killed: one trial for each, on a database of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.sigkill import Failpoints, Plant, problems
from tests.simulation.company import Record, record_at_once

MakePlant = Callable[[Record], AbstractContextManager[Plant]]


@dataclass(frozen=True)
class Trial:
    """Where the processes were killed, and what was wrong in the end."""

    killed_at: tuple[int, ...]
    wrong: tuple[str, ...]


def sqlite_plants(folder: Path, template: Path) -> MakePlant:
    """Plants on copies of a migrated file, one after the other in `folder`, which is theirs alone."""

    @contextmanager
    def make(record: Record) -> Iterator[Plant]:
        for old in folder.iterdir():
            old.unlink()
        shutil.copy(template, folder / "steward.db")
        plant = Plant(f"sqlite:///{folder}/steward.db", folder / "journal", record)
        plant.prepare()
        yield plant

    return make


def postgres_plants(folder: Path, server: Any) -> MakePlant:
    """Plants on databases of a running server; `folder` keeps the vendor's journal."""

    @contextmanager
    def make(record: Record) -> Iterator[Plant]:
        (folder / "journal").unlink(missing_ok=True)
        with server.database() as url:
            plant = Plant(url, folder / "journal", record)
            plant.prepare()
            yield plant

    return make


def places_to_die(plants: MakePlant) -> int:
    """How many failpoints an undisturbed process passes."""
    failpoints = Failpoints()
    with plants(record_at_once) as plant:
        plant.work(0, failpoints)
        assert problems(plant) == []
    return failpoints.passed


def sweep(plants: MakePlant, places: Iterable[int], record: Record = record_at_once) -> Iterator[Trial]:
    """Kill one process at each place, and let the next one finish."""
    for die_at in places:
        with plants(record) as plant:
            killed = plant.killed(0, die_at)
            plant.work(1, Failpoints())
            yield Trial((die_at,) if killed else (), tuple(problems(plant)))


def sweep_twice(plants: MakePlant, places: Iterable[int]) -> Iterator[Trial]:
    """As `sweep`, and the process that was to finish is killed as well, at a place further on each time."""
    for die_at in places:
        again_at = 1 + die_at * 5 % 31
        with plants(record_at_once) as plant:
            killed = [place for number, place in enumerate((die_at, again_at)) if plant.killed(number, place)]
            plant.work(2, Failpoints())
            yield Trial(tuple(killed), tuple(problems(plant)))
