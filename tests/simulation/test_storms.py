"""In any storm that a seed brings, owners end up as decided, and nothing gets lost; the bad protocols are found out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulation.controls import CONTROLS, Control
from tests.simulation.database import PostgresArena, SqliteArena
from tests.simulation.run import first_complaint, simulate, simulate_many

PARTS, SEEDS_EACH = 4, 75
CONTROL_SEEDS = 40


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteArena]:
    made = SqliteArena(tmp_path_factory.mktemp("arena"))
    yield made
    made.close()


def test_a_few_storms_leave_everything_as_decided(arena: SqliteArena) -> None:
    total = simulate_many(range(1, 9), arena)
    assert total.failed == {}
    assert sum(total.faults.values()) > 80


def test_the_same_seed_gives_the_same_storm(arena: SqliteArena) -> None:
    first, again, other = simulate(7, arena), simulate(7, arena), simulate(8, arena)
    assert first == again
    assert first.trace != other.trace


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_three_hundred_storms_leave_everything_as_decided(arena: SqliteArena, part: int) -> None:
    total = simulate_many(range(1000 + part * SEEDS_EACH, 1000 + (part + 1) * SEEDS_EACH), arena)
    assert total.failed == {}


@pytest.mark.postgres
def test_storms_over_postgres_leave_everything_as_decided(postgres_server: Any) -> None:
    assert simulate_many(range(1, 9), PostgresArena(postgres_server)).failed == {}


@pytest.mark.postgres
def test_both_databases_tell_the_same_story(arena: SqliteArena, postgres_server: Any) -> None:
    assert simulate(7, arena).trace == simulate(7, PostgresArena(postgres_server)).trace


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name.replace(" ", "-"))
def test_control_a_protocol_that_is_wrong_is_found_out(arena: SqliteArena, control: Control) -> None:
    assert first_complaint(control, arena, CONTROL_SEEDS) is not None
