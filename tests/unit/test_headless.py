"""Deciding a file of accounts: the same rules, the same answer whatever the file's form and order, and no bad row
that costs its neighbours anything."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.decide import decide
from config.policy_files import LoadedPolicy, load_policy
from config.settings import POLICY_DIR
from ownership.conditions import FIELDS
from ownership.linking import link_records
from ownership.model import AccountFact, AccountRecord, Decision, Ref
from ownership.rotation import PoolTurns
from tasks.account_files import (
    COLUMNS,
    OUTPUT,
    Row,
    Sheet,
    UnreadableFile,
    decisions_csv,
    read_sheet,
    write_decisions,
)
from tasks.headless import decide_sheet, to_account
from tasks.memory import Memory, read_memory, write_memory
from tests.policies import read_policy

ROOT = Path(__file__).resolve().parents[2]
TODAY = "2026-11-25"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ROSTER = """\
apiVersion: steward/v1
kind: Roster
reps:
  - {id: ann, name: Ann, email: ann@northwind-data.example, role: ae, team: east}
  - {id: bob, name: Bob, email: bob@northwind-data.example, role: ae, team: east, capacity: 6}
  - {id: cid, name: Cid, email: cid@northwind-data.example, role: ae, team: east}
  - {id: gary, name: Gary, email: gary@northwind-data.example, role: ae, team: east, left_on: "2026-06-30"}
"""
POLICY = """\
apiVersion: steward/v1
kind: Policy
name: Small
require:
  - {name: country, when: {country: {is_present: true}}, mend: fill in the country}
overrides:
  - {account: salesforce/001, owner: cid, reason: pilot, requested_by: ann, approved_by: bob}
named: [{domain: big.com, owner: cid}]
pools: [{id: east, members: [{rep: ann}, {rep: bob, weight: 2}]}]
territories:
  - {id: nordics, name: Nordics, when: {country: [NO, SE]}, owner: ann}
  - {id: us, name: United States, when: {country: US}, pool: east}
"""
few = settings(max_examples=60, deadline=None, database=None)


@pytest.fixture(scope="session")
def policy_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "roster.yaml").write_text(ROSTER)
    return folder


@pytest.fixture(scope="session")
def loaded(policy_dir: Path) -> LoadedPolicy:
    return load_policy(policy_dir)


def row(id_: str = "a1", **cells: str) -> dict[str, str]:
    return {"id": id_, "name": f"Company {id_}", "country": "US", **cells}


def decided(loaded: LoadedPolicy, *rows: Row, turns: Mapping[str, PoolTurns] | None = None) -> list[Decision]:
    return list(decide_sheet(Sheet(tuple(rows)), loaded, Memory(turns or {}), NOW).decisions)


def said(decision: Decision) -> tuple[str, str | None]:
    return decision.reason, decision.owner_id


def because(decision: Decision) -> str:
    return decision.path[-1].because


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    columns = list(dict.fromkeys(column for each in rows for column in each))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(policy_dir: Path, accounts: Path, *more: str) -> Result:
    arguments = ["--policy", str(policy_dir), "--accounts", str(accounts), "--now", TODAY, *more]
    return CliRunner().invoke(decide, arguments)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_date_of_the_policys_own_is_a_column_that_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    (tmp_path / "policy.yaml").write_text(
        POLICY
        + "fields: [{name: contract_on, kind: date}]\n"
        + "rules: [{id: ending, when: {days_to_contract: {lte: 30}}, assign: {owner: cid}}]\n"
    )
    rows = [row("soon", contract_on="2026-12-10"), row("later", contract_on="2027-12-10")]
    file = tmp_path / name
    write_csv(file, rows) if file.suffix == ".csv" else pl.DataFrame(rows).write_parquet(file)
    result = run(tmp_path, file)
    assert "ignored columns" not in result.stderr
    assert [line["rule"] for line in csv.DictReader(io.StringIO(result.stdout))] == ["ending", "us"]


# --- what a row says ---


def test_no_stays_norway_and_leading_zeros_stay(tmp_path: Path, loaded: LoadedPolicy) -> None:
    sheet = read_sheet(write_csv(tmp_path / "a.csv", [row("007", country="NO", postcode="0150")]))
    account = to_account(sheet.rows[0])
    assert (account.id, account.fields["country"], account.fields["postcode"]) == ("007", "NO", "0150")
    assert said(decided(loaded, *sheet.rows)[0]) == ("territory", "ann")


def test_a_row_is_read_as_matching_reads_the_same_company() -> None:
    """Who rehearses a policy on an export must see what the server will decide."""
    record = AccountRecord(
        "salesforce", "Account", "1", "Acme", "www.acme.com", "jo@acme.de", "Germany", "BY", "Munich"
    )
    fact = AccountFact("stripe", "cus_1", {"mrr_cents": 900, "subscription_status": "active"}, links={})
    for employees, segment in ((None, None), (99, None), (100, None), (1000, None), (5, " Mid-Market ")):
        more = {"employees": employees, "segment": segment, "links": {"stripe": "cus_1"}}
        copy = AccountRecord(**{name: getattr(record, name) for name in AccountRecord.__slots__} | more)
        live = link_records([copy], [fact], {}, lambda ref: ref.external_id, {}).accounts[0]
        cells = {
            **{"website": "www.acme.com", "email": "jo@acme.de", "country": "Germany", "state": "BY", "city": "Munich"},
            **{"mrr_cents": "900", "subscription_status": "active", "segment": (segment or "").strip()},
            "employees": "" if employees is None else str(employees),
        }
        filled = {column: cell for column, cell in cells.items() if cell}
        assert to_account({"id": "1", "name": "Acme", **filled}).fields == live.fields


def test_every_field_conditions_ask_for_can_be_given() -> None:
    cells = {"number": "12", "flag": "true", "text": "US", "texts": "a.com; www.b.com"}
    fields = to_account({"id": "1", **{name: cells[field.kind] for name, field in FIELDS.items()}}).fields
    assert set(fields) == set(FIELDS)
    assert fields["domains"] == ["us", "a.com", "b.com"]
    assert (fields["employees"], fields["paying"], fields["segment"]) == (12, True, "us")


def test_domains_of_website_and_email_count_and_free_mail_does_not() -> None:
    account = to_account(row(domain="acme.internal", website="https://www.big.com/x", email="jo@gmail.com"))
    assert account.fields["domains"] == ["acme.internal", "big.com"]
    assert "domains" not in to_account(row(domains="gmail.com;linkedin.com")).fields


def test_an_id_that_is_a_crm_record_finds_its_override(loaded: LoadedPolicy) -> None:
    assert said(decided(loaded, row("salesforce/001"))[0]) == ("override", "cid")
    assert to_account(row("salesforce/001")).refs == (Ref("salesforce", "account", "001"),)


def test_flags_are_read_as_people_write_them(loaded: LoadedPolicy) -> None:
    for word in ("true", "TRUE", "Yes", "1"):
        assert decided(loaded, row(do_not_route=word))[0].reason == "do_not_route"
    for word in ("false", "NO", "0"):
        assert decided(loaded, row(do_not_route=word))[0].reason == "pool"


def test_the_present_owner_is_known_by_id_or_email_and_an_unknown_one_is_nobody(loaded: LoadedPolicy) -> None:
    for owner in ("cid", "CID@northwind-data.example"):
        assert said(decided(loaded, row(owner=owner))[0]) == ("existing_owner", "cid")
    for nobody in ("somebody@else.example", "gary"):
        assert decided(loaded, row(owner=nobody))[0].reason == "pool"
    decision = decided(loaded, row(owner="gary"))[0]
    assert any("Gary owned it and is not there any more" in step.because for step in decision.path)


def test_books_count_what_reps_have_in_the_file(loaded: LoadedPolicy) -> None:
    """Bob takes six at most: with five in the file there is one more for him, however many come."""
    rows = [row(f"old{n}", owner="bob") for n in range(5)] + [row(f"new{n}") for n in range(9)]
    owners = [decision.owner_id for decision in decided(loaded, *rows)[5:]]
    assert owners.count("bob") == 1


def test_a_company_below_another_follows_its_owner(loaded: LoadedPolicy) -> None:
    rows = [row("a", parent_id="b"), row("b", domain="big.com")]
    assert [said(each) for each in decided(loaded, *rows)] == [("parent_owner", "cid"), ("named", "cid")]


def test_companies_that_are_each_others_parents_have_none_and_it_is_said(loaded: LoadedPolicy) -> None:
    rows = (
        row("a", parent_id="b"),
        row("b", parent_id="a", owner="cid"),
        row("c", parent_id="c"),
        row("d", parent_id="b"),
    )
    result = decide_sheet(Sheet(rows), loaded, Memory(), NOW)
    assert [each.reason for each in result.decisions] == ["pool", "existing_owner", "pool", "parent_owner"]
    assert result.notices == ("parent_id counts as empty where it leads back to the account itself (3: 'a', 'b', 'c')",)


# --- bad rows ---


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"employees": "many"}, "employees is 'many', which is no whole number; write digits only"),
        ({"employees": "-5"}, "employees is '-5', which is no whole number; write digits only"),
        ({"mrr_cents": "1,200"}, "mrr_cents is '1,200', which is no whole number; write digits only"),
        ({"active_seats": "1.5"}, "active_seats is '1.5', which is no whole number; write digits only"),
        ({"active_seats": "9" * 5000}, f"active_seats is '{'9' * 80}…', which is no whole number; write digits only"),
        ({"in_crm": "perhaps"}, "in_crm is 'perhaps', which is neither yes nor no; write true or false"),
    ],
)
def test_a_cell_of_the_wrong_kind_is_a_bad_record_that_names_column_and_value(
    loaded: LoadedPolicy, cells: dict[str, str], sentence: str
) -> None:
    good, bad = decided(loaded, row("a"), row("b", **cells))
    assert said(bad) == ("bad_record", None)
    assert because(bad) == sentence
    assert good.reason == "pool"


def test_a_row_without_id_or_name_is_a_bad_record(loaded: LoadedPolicy) -> None:
    unnamed, nameless = decided(loaded, {"name": "Acme"}, {"id": "a1"})
    assert (unnamed.account_id, because(unnamed)) == ("", "id is '', and every account needs one")
    assert (nameless.account_id, because(nameless)) == ("a1", "name is '', and every account needs one")


def test_a_bad_row_costs_its_neighbours_nothing(loaded: LoadedPolicy) -> None:
    rows = [row("a", parent_id="p"), *(row(f"b{n}") for n in range(9)), row("p", owner="bob")]
    spoilt = [*rows[:-1], {**rows[-1], "employees": "many"}]
    assert decided(loaded, *spoilt)[:-1] == decided(loaded, *rows)[:-1]


def test_of_two_rows_with_one_id_the_second_is_a_bad_record(loaded: LoadedPolicy) -> None:
    first, second = decided(loaded, row(domain="big.com"), row(owner="ann"))
    assert said(first) == ("named", "cid")
    assert said(second) == ("bad_record", None)
    assert because(second) == "id is 'a1', as in an earlier row; give each row one of its own"


def test_a_row_that_cannot_be_read_does_not_take_its_id_from_one_that_can(loaded: LoadedPolicy) -> None:
    bad, good = decided(loaded, row(employees="many", owner="ann"), row(owner="cid"))
    assert said(bad) == ("bad_record", None)
    assert said(good) == ("existing_owner", "cid")


def test_a_line_with_too_many_cells_is_a_bad_record_and_empty_lines_are_no_rows(
    tmp_path: Path, loaded: LoadedPolicy
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("id,name,country\n1,Acme, Inc,US\n\n2,Bolt,US\n3,Coil\n")
    decisions = decided(loaded, *read_sheet(file).rows)
    assert [each.account_id for each in decisions] == ["1", "2", "3"]
    assert [each.reason for each in decisions] == ["bad_record", "pool", "missing_data"]
    assert because(decisions[0]) == "the row has a cell too many, 'US'; put quotes around text with commas"


cell = st.text(max_size=20) | st.sampled_from(["ann", "a0", "a1", "12", "true", "x@big.com", "http://[::1", "US"])
any_row = st.dictionaries(st.sampled_from(COLUMNS), cell.map(str.strip).filter(bool))


@given(rows=st.lists(any_row, max_size=8))
@few
def test_whatever_stands_in_the_cells_every_row_gets_one_decision(loaded: LoadedPolicy, rows: list[Row]) -> None:
    decisions = decided(loaded, *rows)
    assert [each.account_id for each in decisions] == [each.get("id", "") for each in rows]
    back = list(csv.DictReader(io.StringIO(decisions_csv(decisions), newline="")))
    assert [each["because"] for each in back] == [because(each) for each in decisions]


# --- what never changes ---

some_rows = st.lists(
    st.fixed_dictionaries(
        {"country": st.sampled_from(["US", "NO", "BR", ""]), "owner": st.sampled_from(["", "ann", "cid", "gary", "?"])},
        optional={
            "employees": st.sampled_from(["5", "many"]),
            "parent_id": st.sampled_from([f"a{n}" for n in range(12)]),
            "website": st.sampled_from(["big.com", "small.com"]),
            "do_not_route": st.sampled_from(["yes", "no"]),
        },
    ),
    max_size=12,
).map(lambda found: [row(f"a{n}", **cells) for n, cells in enumerate(found)])


def without_empty(rows: Sequence[Mapping[str, str]]) -> tuple[Row, ...]:
    return tuple({column: cell for column, cell in each.items() if cell} for each in rows)


@given(rows=some_rows, data=st.data())
@few
def test_the_order_of_rows_changes_no_decision(
    loaded: LoadedPolicy, rows: list[dict[str, str]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(rows))
    one = decide_sheet(Sheet(without_empty(rows)), loaded, Memory(), NOW)
    other = decide_sheet(Sheet(without_empty(shuffled)), loaded, Memory(), NOW)
    assert {each.account_id: each for each in one.decisions} == {each.account_id: each for each in other.decisions}
    assert [each.account_id for each in other.decisions] == [each["id"] for each in shuffled]
    assert (one.memory, one.notices) == (other.memory, other.notices)


@given(rows=some_rows)
@few
def test_deciding_the_decided_owners_again_changes_nothing(loaded: LoadedPolicy, rows: list[dict[str, str]]) -> None:
    first = decide_sheet(Sheet(without_empty(rows)), loaded, Memory(), NOW)
    again = [
        {**each, "owner": decision.owner_id or each["owner"]}
        for each, decision in zip(rows, first.decisions, strict=True)
    ]
    second = decide_sheet(Sheet(without_empty(again)), loaded, first.memory, NOW)
    assert [each.owner_id for each in second.decisions] == [each.owner_id for each in first.decisions]
    assert second.memory == first.memory


# --- files ---

MIXED = [
    row("1", country="Norway", employees="120", website="https://a.example.com", extra="x"),
    row("02", country="US", employees="many", name='Quote "and", comma'),
    row("3", country="US", in_crm="yes", mrr_cents="0"),
    row("4", country="US", owner="ann@northwind-data.example", name="Größe\nzwei Zeilen"),
    row("4", country="US"),
]


def test_csv_and_parquet_give_the_same(tmp_path: Path, policy_dir: Path) -> None:
    write_csv(tmp_path / "a.csv", MIXED)
    pl.DataFrame(MIXED).write_parquet(tmp_path / "a.parquet")
    outs = []
    for form in ("csv", "parquet"):
        for out in ("csv", "parquet"):
            path = tmp_path / f"{form}-out.{out}"
            assert run(policy_dir, tmp_path / f"a.{form}", "--out", str(path)).exit_code == 0
            outs.append((pl.read_csv(path, infer_schema=False) if out == "csv" else pl.read_parquet(path)).rows())
    assert outs[0] == outs[1] == outs[2] == outs[3]
    assert [each[0] for each in outs[0]] == ["1", "02", "3", "4", "4"]


def test_typed_parquet_columns_read_as_their_text(tmp_path: Path) -> None:
    """What pandas makes of whole numbers with a gap (1200.0, NaN) is a whole number and a gap."""
    frame = pl.DataFrame(
        {
            "ID": [7, 8],
            "name": ["a", "b"],
            "employees": [1200.0, float("nan")],
            "do_not_route": [True, None],
            "domains": [["a.com", "b.com"], None],
            "notes": [{"not": "read"}, None],
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    sheet = read_sheet(tmp_path / "a.parquet")
    assert sheet.ignored == ("notes",)
    first, second = map(to_account, sheet.rows)
    assert (first.id, first.fields["employees"], first.fields["do_not_route"]) == ("7", 1200, True)
    assert first.fields["domains"] == ["a.com", "b.com"]
    assert "employees" not in second.fields


def test_a_file_as_spreadsheets_save_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("﻿Id, Name ,Country,\r\n1,Größe,NO,\r\n".encode())
    sheet = read_sheet(tmp_path / "a.csv")
    assert sheet.rows == ({"id": "1", "name": "Größe", "country": "NO"},)
    assert sheet.ignored == ()


def test_a_file_with_nothing_but_a_header_gives_nothing_but_a_header(tmp_path: Path, policy_dir: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n")
    result = run(policy_dir, tmp_path / "a.csv")
    assert result.stdout == ",".join(OUTPUT) + "\n"
    assert result.stderr == "0 accounts: 0 have an owner, 0 need a person\n"


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("a.csv", b"id,country\n1,US\n", "has no column 'name' (its columns: id, country). Add or rename it"),
        ("a.csv", b"id;name\n1;Acme\n", "has no column 'id' (its columns: id;name). Add or rename it"),
        ("a.csv", b"id,name,ID\n1,Acme,2\n", "has the column 'id' 2 times. Keep one of them"),
        ("a.csv", b"", "is empty. Write a line of column names"),
        ("a.csv", b"id,name\n1,\xff\xfe\n", "(invalid utf-8 sequence). Save it as UTF-8 with commas"),
        ("a.csv", b'id,name\n1,"Acme\n2,Bolt\n', "is no csv file we can read (could not parse"),
        ("a.parquet", b"id,name\n1,Acme\n", "is no parquet file we can read"),
        ("a.xlsx", b"", "is neither .csv nor .parquet. Name it by what it holds"),
        ("a.csv", None, "cannot be read (No such file or directory). Correct the path or its rights"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_mend(
    tmp_path: Path, name: str, content: bytes | None, wrong: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile) as problem:
        read_sheet(tmp_path / name)
    assert str(problem.value).startswith(f"{tmp_path / name}: ")
    assert wrong in str(problem.value)
    assert "\n" not in str(problem.value)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path, loaded: LoadedPolicy) -> None:
    for path in (tmp_path / "nowhere" / "out.csv", tmp_path / "out.txt"):
        with pytest.raises(UnreadableFile, match=str(path)):
            write_decisions(decided(loaded, row()), path)
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(UnreadableFile, match=r"taken\.csv: cannot be written"):
        write_decisions(decided(loaded, row()), tmp_path / "taken.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken.csv"]


def test_the_accounts_are_never_overwritten_by_their_decisions(tmp_path: Path, policy_dir: Path) -> None:
    accounts = write_csv(tmp_path / "a.csv", [row()])
    before = accounts.read_bytes()
    result = run(policy_dir, accounts, "--out", str(accounts))
    assert isinstance(result.exception, UnreadableFile)
    assert accounts.read_bytes() == before


# --- turns ---


def test_a_second_run_goes_on_with_the_turns_of_the_first(tmp_path: Path, policy_dir: Path) -> None:
    state = tmp_path / "state.json"
    owners = []
    for number in range(3):
        accounts = write_csv(tmp_path / "a.csv", [row(f"new{number}")])
        result = run(policy_dir, accounts, "--state", str(state))
        owners += [each["owner_id"] for each in csv.DictReader(io.StringIO(result.stdout))]
    assert sorted(owners) == ["ann", "bob", "bob"]
    written = json.loads(state.read_text())
    assert written["turns"]["east"]["taken"] == {"ann": 1, "bob": 2}
    assert {pool: turns.to_json() for pool, turns in read_memory(state).turns.items()} == written["turns"]


def test_turns_of_pools_the_policy_no_longer_has_are_kept(tmp_path: Path, loaded: LoadedPolicy) -> None:
    west = PoolTurns({"ann": 5, "bob": -5}, {"ann": 1})
    result = decide_sheet(Sheet((row(),)), loaded, Memory({"west": west}), NOW)
    write_memory(result.memory, tmp_path / "state.json")
    assert read_memory(tmp_path / "state.json").turns["west"] == west


@pytest.mark.parametrize(
    "content", ["", "[]", "null", '{"east": 1}', '{"east": {"credit": {"ann": "x"}}}', '{"east": {"credit": []}}', "{"]
)
def test_turns_that_are_none_stop_the_run_before_anything_is_written(
    tmp_path: Path, policy_dir: Path, content: str
) -> None:
    (tmp_path / "state.json").write_text(content)
    accounts, out = write_csv(tmp_path / "a.csv", [row()]), tmp_path / "out.csv"
    result = run(policy_dir, accounts, "--state", str(tmp_path / "state.json"), "--out", str(out))
    assert isinstance(result.exception, UnreadableFile)
    assert "state.json: does not hold what a run leaves to the next. Bring back" in str(result.exception)
    assert not out.exists()
    assert (tmp_path / "state.json").read_text() == content


# --- the command ---


def test_decisions_go_to_standard_output_and_what_people_read_does_not(tmp_path: Path, policy_dir: Path) -> None:
    rows = [*MIXED, row("5", country="Atlantis", owner="nobody@else.example")]
    result = run(policy_dir, write_csv(tmp_path / "a.csv", rows))
    written = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [each["account_id"] for each in written] == ["1", "02", "3", "4", "4", "5"]
    assert tuple(written[0]) == OUTPUT
    assert written[0]["because"] == "Nordics is Ann's"
    assert json.loads(written[0]["candidates"]) == [{"rep_id": "ann", "chosen": True, "because": "serves Nordics"}]
    assert json.loads(written[0]["path"])[-1] == {"rule": "territory", "matched": True, "because": "Nordics is Ann's"}
    assert (written[2]["turn"], written[3]["turn"]) == ("east", "")
    assert result.stderr.splitlines() == [
        "ignored columns: extra",
        "country counts as empty where it names no country we know (1: 'Atlantis')",
        "owner counts as empty where it is nobody on the roster (1: 'nobody@else.example')",
        "6 accounts: 3 have an owner, 3 need a person",
        "  owners by reason: existing_owner 1, pool 1, territory 1",
        "  exceptions by reason: bad_record 2, missing_data 1",
    ]


def test_ten_thousand_accounts_are_decided_by_the_shipped_policy(tmp_path: Path) -> None:
    countries, sizes = ("US", "GB", "NO", "DE", "JP", "BR", ""), ("5", "300", "4000", "")
    rows = [row(f"a{n:05}", country=countries[n % 7], employees=sizes[n % 4]) for n in range(10_000)]
    sheet = read_sheet(write_csv(tmp_path / "a.csv", rows))
    result = decide_sheet(sheet, read_policy(POLICY_DIR), Memory(), NOW)
    write_decisions(result.decisions, tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet")["account_id"].to_list() == [each["id"] for each in rows]
    assert {each.reason for each in result.decisions} >= {"pool", "territory", "missing_data"}


def test_neither_prefect_nor_a_database_is_loaded() -> None:
    code = "import sys, cli.decide, tasks.headless; print({'prefect', 'sqlalchemy', 'polars'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_the_page_names_every_column_and_option() -> None:
    page = (ROOT / "docs" / "headless.md").read_text()
    for word in (*COLUMNS, *OUTPUT, *(option for each in decide.params for option in each.opts)):
        assert f"`{word}`" in page or f"`{word} " in page, word
