"""Roll the accounts of a file up to their parents, without server or database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ownership.matching.filed import Filed
from ownership.matching.hierarchy import SOURCES, Hierarchy, ParentEdge, build_hierarchy
from ownership.matching.normal import normalise
from ownership.matching.parent_names import suggest_parents
from tasks.account_files import UnreadableFile
from tasks.company_rows import YES, CompanyFile
from tasks.csv_files import read_csv

if TYPE_CHECKING:  # polars takes a third of a second to import
    import polars as pl

OUTPUT = ("id", "parent_id", "ultimate_id", "domestic_ultimate_id", "source", "problems")
SUGGESTED = ("id", "parent_id", "score", "evidence")


@dataclass(frozen=True, slots=True)
class RolledUp:
    """The hierarchy of a file's accounts, some of which may stand above or below accounts it does not have."""

    file: CompanyFile
    filed: Filed
    tree: Hierarchy


def read_edges(path: Path) -> list[ParentEdge]:
    """Edges from a CSV of child, parent, source and, if it has them, ultimate, valid_from and valid_to.

    Raises `UnreadableFile`, also for a source nobody knows.
    """
    edges = []
    for line, row in read_csv(path, ("child", "parent", "source"), ("ultimate", "valid_from", "valid_to")):
        if row["source"] not in SOURCES:
            raise UnreadableFile(path, f"line {line} has the source '{row['source']}'", f"Write {', '.join(SOURCES)}")
        if row["child"] and row["parent"]:
            since, until = row["valid_from"] or None, row["valid_to"] or None
            is_ultimate = row["ultimate"].casefold() in YES
            edges.append(ParentEdge(row["child"], row["parent"], row["source"], is_ultimate, since, until))
    return edges


def roll_up(file: CompanyFile, edges: list[ParentEdge], on: str | None = None) -> RolledUp:
    """The hierarchy of a file's own parent column and of further edges, on a day (an ISO date)."""
    own = [ParentEdge(each.id, each.parent_id, "crm") for each in file.readable() if each.parent_id]
    return RolledUp(file, Filed(map(normalise, file.readable())), build_hierarchy([*own, *edges], on))


def to_table(rolled: RolledUp) -> pl.DataFrame:
    """A row for each row of the file, in its order, as the columns `OUTPUT`, all text."""
    import polars as pl

    tree = rolled.tree
    countries = {record.id: record.country for record in rolled.filed if record.country}
    problems: dict[str, list[str]] = defaultdict(list)
    for problem in tree.problems:
        for account in problem.accounts:
            problems[account].append(problem.because)
    rows = []
    for number, id_ in enumerate(rolled.file.ids):
        if number in rolled.file.problems:
            rows.append((id_, "", id_, id_, "", rolled.file.problems[number]))
            continue
        held = tree.above.get(id_)
        tops = (tree.ultimate_of(id_), tree.domestic_ultimate_of(id_, countries))
        rows.append((id_, held.parent if held else "", *tops, held.source if held else "", "; ".join(problems[id_])))
    return pl.DataFrame(rows, schema=dict.fromkeys(OUTPUT, pl.String), orient="row")


def suggestions_table(rolled: RolledUp) -> pl.DataFrame:
    """Parents that names suggest for the accounts that have none, as the columns `SUGGESTED`, all text."""
    import polars as pl

    found = (
        (each.child, each.parent, f"{each.score:.4f}", each.because)
        for each in suggest_parents(rolled.filed)
        if each.child not in rolled.tree.above
    )
    return pl.DataFrame(list(found), schema=dict.fromkeys(SUGGESTED, pl.String), orient="row")


def summary_lines(rolled: RolledUp) -> Iterator[str]:
    """How many accounts have a parent, and what a person has to look at."""
    tree = rolled.tree
    ids = [company.id for company in rolled.file.readable()]
    yield f"{sum(id_ in tree.above for id_ in ids):,} of {len(ids):,} accounts have a parent"
    yield from (f"{problem.kind}: {problem.because}" for problem in tree.problems[:20])
    if len(tree.problems) > 20:
        yield f"and {len(tree.problems) - 20} more such"
