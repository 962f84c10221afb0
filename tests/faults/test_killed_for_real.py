"""Killed with SIGKILL at any statement, commit or vendor call, once or twice, the next process ends it as planned.

On PostgreSQL every other place here; `make test-faults` takes them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tasks import pull
from tests.faults.sweeps import MakePlant, Trial, places_to_die, postgres_plants, sqlite_plants, sweep, sweep_twice
from tests.simulation.company import Record, record_at_once
from tests.simulation.controls import cursor_first, record_in_two

pytestmark = pytest.mark.slow


@pytest.fixture
def plants(tmp_path: Path, sqlite_template: Path) -> MakePlant:
    return sqlite_plants(tmp_path, sqlite_template)


@pytest.fixture
def plants_over_postgres(tmp_path: Path, postgres_server: Any) -> MakePlant:
    return postgres_plants(tmp_path, postgres_server)


def failed(trials: Iterable[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.wrong or not trial.killed_at]


def test_killed_at_any_place_the_next_process_finishes(plants: MakePlant) -> None:
    places = places_to_die(plants)
    assert places > 60
    assert failed(sweep(plants, range(1, places + 1))) == []


@pytest.mark.long
def test_killed_twice_the_third_process_finishes(plants: MakePlant) -> None:
    assert failed(sweep_twice(plants, range(1, places_to_die(plants) + 1, 2))) == []


@pytest.mark.postgres
def test_killed_at_any_place_over_postgres_the_next_process_finishes(plants_over_postgres: MakePlant) -> None:
    places = places_to_die(plants_over_postgres)
    assert places > 60
    assert failed(sweep(plants_over_postgres, range(1, places + 1, 2))) == []


@pytest.mark.long
@pytest.mark.postgres
def test_killed_twice_over_postgres_the_third_process_finishes(plants_over_postgres: MakePlant) -> None:
    places = places_to_die(plants_over_postgres)
    assert failed(sweep_twice(plants_over_postgres, range(2, places + 1, 4))) == []


@pytest.mark.parametrize(
    ("record", "bad", "complaint"),
    [
        (record_in_two, nullcontext(), "the outbox ended as"),
        (record_at_once, patch.object(pull, "_store_page", cursor_first), "owners are"),
    ],
    ids=["ledger-and-outbox-in-two", "cursor-before-the-rows"],
)
def test_control_a_protocol_that_is_wrong_is_found_out(
    plants: MakePlant, record: Record, bad: AbstractContextManager[Any], complaint: str
) -> None:
    with bad:
        trials = sweep(plants, range(1, places_to_die(plants) + 1), record)
        assert any(complaint in wrong for trial in trials for wrong in trial.wrong)
