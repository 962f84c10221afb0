"""`steward match` and `evaluate`: files in, files out, and clear words for bad ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from benchmarks.companies import make_market
from cli.main import main

ACCOUNTS = "id,name,domain,country\na1,Acme Rockets Inc.,acmerockets.com,US\na2,Birch Partners,birch.de,DE\n"
LEADS = "id,name,email\nl2,Nobody We Know,x@nowhere-at-all.io\nl1,ACME Rockets,jo@acmerockets.com\nl3,,jo@birch.de\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text(ACCOUNTS)
    (tmp_path / "l.csv").write_text(LEADS)
    return tmp_path


def run(folder: Path, *more: str) -> Result:
    files = ["--accounts", str(folder / "a.csv"), "--leads", str(folder / "l.csv")]
    return CliRunner().invoke(main, ["match", *files, *more], catch_exceptions=True)


def test_each_lead_gets_one_row_in_the_order_of_the_file(folder: Path) -> None:
    assert run(folder, "--out", str(folder / "m.csv")).exit_code == 0
    with (folder / "m.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["lead_id"], row["account_id"], row["outcome"]) for row in rows][:2] == [
        ("l2", "", "none"),
        ("l1", "a1", "match"),
    ]
    assert list(rows[0]) == ["lead_id", "account_id", "score", "outcome", "evidence"]
    assert "likely" in rows[1]["evidence"]


def test_a_lead_may_have_the_id_of_its_account_or_of_another_one(folder: Path) -> None:
    """Ids come from two files, and both often begin at 1."""
    assert run(folder, "--out", str(folder / "m.csv")).exit_code == 0
    other = {"l1": "a1", "l2": "a2", "l3": "5"}
    leads = LEADS
    for id_, alike in other.items():
        leads = leads.replace(f"{id_},", f"{alike},")
    (folder / "l.csv").write_text(leads)
    assert run(folder, "--out", str(folder / "alike.csv")).exit_code == 0
    as_before = pl.read_csv(folder / "m.csv").with_columns(pl.col("lead_id").replace(other))
    assert pl.read_csv(folder / "alike.csv").equals(as_before)
    assert dict(as_before.select("lead_id", "outcome").iter_rows())["a1"] == "match"


def test_parquet_in_and_out_says_the_same(folder: Path) -> None:
    for name in ("a", "l"):
        pl.read_csv(folder / f"{name}.csv").write_parquet(folder / f"{name}.parquet")
    files = ["--accounts", str(folder / "a.parquet"), "--leads", str(folder / "l.parquet")]
    assert CliRunner().invoke(main, ["match", *files, "--out", str(folder / "m.parquet")]).exit_code == 0
    assert run(folder, "--out", str(folder / "m.csv")).exit_code == 0
    as_text = pl.read_csv(folder / "m.csv", infer_schema=False).fill_null("")
    assert pl.read_parquet(folder / "m.parquet").equals(as_text)


def test_a_row_that_cannot_be_read_harms_only_itself(folder: Path) -> None:
    (folder / "l.csv").write_text(LEADS + "l1,Twice,\n,No Id,\n")
    done = run(folder, "--out", str(folder / "m.csv"))
    assert done.exit_code == 0
    assert "row 4: id l1 is that of an earlier row" in done.output
    rows = list(csv.DictReader((folder / "m.csv").open(newline="")))
    assert [row["outcome"] for row in rows[-2:]] == ["none", "none"]
    assert rows[1]["outcome"] == "match"


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "is empty"), ("id,title\n1,2\n", "has no column 'name'"), ("id,name,name\n1,2,3\n", "2 times")],
)
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_written(folder: Path, text: str, said: str) -> None:
    (folder / "a.csv").write_text(text)
    done = run(folder, "--out", str(folder / "m.csv"))
    assert done.exit_code != 0
    assert said in str(done.exception) + done.output
    assert not (folder / "m.csv").exists()


def test_accounts_and_leads_have_to_be_named() -> None:
    done = CliRunner().invoke(main, ["match"])
    assert done.exit_code == 2
    assert "--accounts and --leads are needed" in done.output


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    market = make_market(400, 1200, seed=2)
    accounts = ["id,name,website,country,city,phone"]
    accounts += [
        ",".join([a.id, f'"{a.name}"', *a.websites[:1], a.country or "", a.city or "", a.phone or ""])
        for a in market.accounts
        if a.websites
    ]
    by_company = {market.company_of[a.id]: a.id for a in reversed(market.accounts) if a.websites}
    leads = ["id,name,email,country"] + [
        ",".join([each.id, f'"{each.name or ""}"', *(each.emails[:1] or ("",)), each.country or ""])
        for each in market.leads
    ]
    gold = ["lead_id,account_id"] + [
        f"{lead},{by_company.get(company, '') if company is not None else ''}" for lead, company in market.gold.items()
    ]
    for name, lines in (("a", accounts), ("l", leads), ("g", gold)):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def evaluate(folder: Path, *more: str) -> Result:
    files = [
        part
        for name, file in (("accounts", "a"), ("leads", "l"), ("gold", "g"))
        for part in (f"--{name}", str(folder / f"{file}.csv"))
    ]
    return CliRunner().invoke(main, ["match", "evaluate", *files, *more])


def test_matches_are_measured_against_known_answers_and_probabilities_fitted_to_them(measured: Path) -> None:
    done = evaluate(measured, "--json", str(measured / "f.json"), "--recalibrate", str(measured / "c.json"))
    assert done.exit_code == 0, done.output
    figures = json.loads((measured / "f.json").read_text())
    assert figures["leads"] == 1200
    assert figures["precision"] > 0.9
    assert f"recall {figures['recall']:.1%}" in done.output
    again = evaluate(measured, "--calibration", str(measured / "c.json"), "--json", str(measured / "f2.json"))
    assert again.exit_code == 0, again.output
    assert json.loads((measured / "f2.json").read_text())["calibration_error"] <= 0.02


def test_too_few_answers_fit_nothing(folder: Path) -> None:
    (folder / "g.csv").write_text("lead_id,account_id\nl1,a1\nl2,\n")
    done = evaluate(folder, "--recalibrate", str(folder / "c.json"))
    assert done.exit_code == 2
    assert "200 are needed" in done.output


def test_a_gold_file_without_its_columns_is_refused(folder: Path) -> None:
    (folder / "g.csv").write_text("lead,account\nl1,a1\n")
    done = evaluate(folder)
    assert "lacks the columns lead_id and account_id" in str(done.exception) + done.output
