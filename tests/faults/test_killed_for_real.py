"""Killed with SIGKILL at any statement, commit or vendor call, once or twice, the next process ends it as planned."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tasks import pull
from tests.faults.sigkill import Failpoints, Plant, problems
from tests.simulation.company import Record, record_at_once
from tests.simulation.controls import cursor_first, record_in_two

pytestmark = pytest.mark.slow

MakePlant = Callable[[Record], AbstractContextManager[Plant]]


@pytest.fixture
def sqlite_plants(tmp_path: Path, sqlite_template: Path) -> MakePlant:
    return lambda record: _sqlite_plant(tmp_path, sqlite_template, record)


@contextmanager
def _sqlite_plant(folder: Path, template: Path, record: Record) -> Iterator[Plant]:
    for old in folder.iterdir():
        old.unlink()
    shutil.copy(template, folder / "steward.db")
    plant = Plant(f"sqlite:///{folder}/steward.db", folder / "journal", record)
    plant.prepare()
    yield plant


@pytest.fixture
def postgres_plants(tmp_path: Path, postgres_server: Any) -> MakePlant:
    return lambda record: _postgres_plant(tmp_path, postgres_server, record)


@contextmanager
def _postgres_plant(folder: Path, server: Any, record: Record) -> Iterator[Plant]:
    (folder / "journal").unlink(missing_ok=True)
    with server.database() as url:
        plant = Plant(url, folder / "journal", record)
        plant.prepare()
        yield plant


def places_to_die(plants: MakePlant) -> int:
    failpoints = Failpoints()
    with plants(record_at_once) as plant:
        plant.work(0, failpoints)
        assert problems(plant) == []
    return failpoints.passed


def sweep(plants: MakePlant, places: range, record: Record = record_at_once) -> Iterator[str]:
    """Kill one process at each place, let the next one finish, and say what is wrong then."""
    for die_at in places:
        with plants(record) as plant:
            assert plant.killed(0, die_at)
            plant.work(1, Failpoints())
            yield from (f"killed at {die_at}: {problem}" for problem in problems(plant))


def sweep_twice(plants: MakePlant, places: range) -> Iterator[str]:
    """As `sweep`, and the process that was to finish is killed as well, at a place further on each time."""
    for die_at in places:
        with plants(record_at_once) as plant:
            plant.killed(0, die_at)
            plant.killed(1, 1 + die_at * 5 % 31)
            plant.work(2, Failpoints())
            yield from (f"killed at {die_at} and again: {problem}" for problem in problems(plant))


def test_killed_at_any_place_the_next_process_finishes(sqlite_plants: MakePlant) -> None:
    places = places_to_die(sqlite_plants)
    assert places > 60
    assert list(sweep(sqlite_plants, range(1, places + 1))) == []


def test_killed_twice_the_third_process_finishes(sqlite_plants: MakePlant) -> None:
    assert list(sweep_twice(sqlite_plants, range(1, places_to_die(sqlite_plants) + 1, 2))) == []


@pytest.mark.postgres
def test_killed_at_any_place_over_postgres_the_next_process_finishes(postgres_plants: MakePlant) -> None:
    places = places_to_die(postgres_plants)
    assert places > 60
    assert list(sweep(postgres_plants, range(1, places + 1))) == []


@pytest.mark.postgres
def test_killed_twice_over_postgres_the_third_process_finishes(postgres_plants: MakePlant) -> None:
    assert list(sweep_twice(postgres_plants, range(2, places_to_die(postgres_plants) + 1, 4))) == []


@pytest.mark.parametrize(
    ("record", "bad", "complaint"),
    [
        (record_in_two, nullcontext(), "the outbox ended as"),
        (record_at_once, patch.object(pull, "_store_page", cursor_first), "owners are"),
    ],
    ids=["ledger-and-outbox-in-two", "cursor-before-the-rows"],
)
def test_control_a_protocol_that_is_wrong_is_found_out(
    sqlite_plants: MakePlant, record: Record, bad: AbstractContextManager[Any], complaint: str
) -> None:
    with bad:
        wrong = sweep(sqlite_plants, range(1, places_to_die(sqlite_plants) + 1), record)
        assert any(complaint in each for each in wrong)
