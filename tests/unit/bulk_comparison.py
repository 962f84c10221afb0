"""Deciding a world of random accounts by columns and one by one, and comparing every letter."""

from __future__ import annotations

import polars as pl

from tasks.account_files import OUTPUT, Sheet, cells_of, without_empty
from tasks.bulk.deciding import DecidedTable, decide_table
from tasks.headless import decide_sheet
from tests.unit.random_files import NOW, World


def in_bulk(world: World) -> DecidedTable:
    return decide_table(world.accounts, world.loaded, world.memory, NOW, world.leads)


def one_by_one(world: World) -> DecidedTable:
    decided = decide_sheet(sheet(world.accounts), world.loaded, world.memory, NOW, sheet(world.leads))
    cells = list(map(cells_of, decided.decisions))
    table = pl.DataFrame(cells, schema=dict.fromkeys(OUTPUT, pl.String), orient="row")
    return DecidedTable(table, decided.memory, decided.notices)


def sheet(table: pl.DataFrame | None) -> Sheet:
    return Sheet(tuple(map(without_empty, () if table is None else table.iter_rows(named=True))))


def assert_same(world: World) -> None:
    bulk, reference = in_bulk(world), one_by_one(world)
    for said, meant in zip(
        bulk.decisions.iter_rows(named=True), reference.decisions.iter_rows(named=True), strict=True
    ):
        assert said == meant
    assert bulk.decisions.schema == reference.decisions.schema
    assert (bulk.memory, bulk.notices) == (reference.memory, reference.notices)
