"""Rolling a file of accounts up to its parents."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import CliRunner, Result

from cli.main import main

ACCOUNTS = """id,name,country,parent_id
plant,Nordwind Werk Kiel,Germany,de
de,Nordwind Deutschland,Germany,
holding,Nordwind,Luxembourg,
x,Xanadu,,y
y,Yellow Door,,x
"""


def steward(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_each_account_gets_its_parent_and_the_tops_of_its_family(tmp_path: Path) -> None:
    accounts, edges, out = (tmp_path / name for name in ("accounts.csv", "edges.csv", "out.csv"))
    accounts.write_text(ACCOUNTS)
    edges.write_text("child,parent,source,valid_from\nde,holding,registry,2026-01-01\n")
    result = steward("hierarchy", "--accounts", accounts, "--edges", edges, "--on", "2026-06-01", "--out", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert list(found) == ["plant", "de", "holding", "x", "y"]
    assert (found["plant"]["ultimate_id"], found["plant"]["domestic_ultimate_id"]) == ("holding", "de")
    assert (found["de"]["parent_id"], found["de"]["source"]) == ("holding", "registry")
    assert found["x"]["parent_id"] == ""
    assert "x and y are each other's parents" in found["y"]["problems"]
    earlier = steward("hierarchy", "--accounts", accounts, "--edges", edges, "--on", "2025-06-01", "--out", out)
    assert earlier.exit_code == 0
    assert rows(out)["plant"]["ultimate_id"] == "de"


def test_names_suggest_parents_and_link_none(tmp_path: Path) -> None:
    accounts, out, suggested = (tmp_path / name for name in ("accounts.csv", "out.csv", "suggested.csv"))
    accounts.write_text(ACCOUNTS)
    assert steward("hierarchy", "--accounts", accounts, "--out", out, "--suggest", suggested).exit_code == 0
    assert rows(out)["de"]["parent_id"] == ""
    assert rows(suggested)["de"]["parent_id"] == "holding"
    assert rows(suggested)["de"]["evidence"] == "both are called 'nordwind'"
    assert "plant" not in rows(suggested)


def test_an_unknown_source_names_its_line(tmp_path: Path) -> None:
    accounts, edges = tmp_path / "accounts.csv", tmp_path / "edges.csv"
    accounts.write_text(ACCOUNTS)
    edges.write_text("child,parent,source\nde,holding,gossip\n")
    result = steward("hierarchy", "--accounts", accounts, "--edges", edges)
    assert result.exit_code == 2
    assert "line 2 has the source 'gossip'. Write person, salesforce" in result.output
