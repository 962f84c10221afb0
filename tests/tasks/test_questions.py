"""`what-if`, `why-not` and `lint` on a real store: what people read, and that nothing is written."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import questions
from config.settings import POLICY_DIR
from ownership.case import book_sizes
from ownership.counterfactual import NoSuchValue
from ownership.day import Day
from tasks.assignment import books_now
from tasks.counterfactual import what_if_lines, why_not_lines
from tasks.matching import match_accounts
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal, rehearse

US_SMB = {"country": "US", "state": "NY", "employees": 20}


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    founded.account("salesforce", "001A", name="Acme", website="acme.com", owner=None, **US_SMB)
    founded.account("salesforce", "001B", name="Bolt", website="bolt.com", owner=None, country="PL", employees=20)
    founded.assign()
    yield founded
    founded.context.store.close()


@pytest.fixture
def bench(company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The company's database and a policy of its own, as the commands find them."""
    shutil.copytree(POLICY_DIR, tmp_path / "policy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEWARD_POLICY_DIR", str(tmp_path / "policy"))
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{tmp_path}/steward.db")
    return tmp_path


def everything(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "steward.db") as connection:
        return list(connection.iterdump())


def run(command: str, *arguments: str) -> Result:
    return CliRunner().invoke({"what-if": questions.what_if, "why-not": questions.why_not}[command], arguments)


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(questions.lint, arguments)


def test_an_account_without_a_territory_shows_where_another_country_would_put_it(company: Rehearsal) -> None:
    lines = list(what_if_lines(company.context, "Bolt", ["country=Germany", "employees=300"]))
    assert lines[:2] == ["Now", "  Bolt waits for a person: no rule."]
    assert "With country DE, segment mid_market, employees 300" in lines
    assert lines[-1] == "The outcome is different: Jonas Keller (pool) instead of nobody (no_rule)."


def test_an_account_that_has_an_owner_keeps_them_whatever_its_fields_say(company: Rehearsal) -> None:
    lines = list(what_if_lines(company.context, "acme.com", ["country=DE"]))
    assert lines[-1] == "The outcome is the same."


def test_what_if_with_nothing_set_says_that_nothing_is_different(company: Rehearsal) -> None:
    lines = list(what_if_lines(company.context, "Bolt", []))
    assert "With nothing different" in lines
    assert lines[-1] == "The outcome is the same."


def test_a_setting_that_sets_nothing_is_refused(company: Rehearsal) -> None:
    with pytest.raises(NoSuchValue, match="write field=value"):
        list(what_if_lines(company.context, "Bolt", ["country"]))


def test_an_account_nobody_knows_is_said_to_be_unknown(company: Rehearsal) -> None:
    said = "No account is called or known as 'Nobody Inc'. Try its web domain or an id from the CRM."
    assert list(what_if_lines(company.context, "Nobody Inc", [])) == [said]
    assert list(why_not_lines(company.context, "Nobody Inc", "jonas-keller")) == [said]


def test_a_rep_reads_why_an_account_is_not_theirs_and_the_smallest_change_first(company: Rehearsal) -> None:
    company.account("salesforce", "001D", name="Dorn", website="dorn.com", owner=None, country="PL", employees=300)
    company.assign()
    assert list(why_not_lines(company.context, "Dorn", "Jonas Keller"))[-4:] == [
        "Not Jonas Keller: the account lies in no territory.",
        "The step that decided: Nothing else applied.",
        "The smallest change that gives it to Jonas Keller: country AT instead of PL.",
        "  So would: a named account, first in the list: dorn.com for Jonas Keller.",
    ]


def test_who_is_given_the_account_is_told_so_by_name_id_or_email(company: Rehearsal) -> None:
    owner = company.context.policy.roster.reps[str(company.owner("salesforce", "001A"))]
    for who in (owner.id, owner.name, owner.email.upper()):
        assert list(why_not_lines(company.context, "Acme", who))[-1] == f"{owner.name} is who it is given to."


def test_a_rep_nobody_knows_is_not_on_the_roster_and_the_nearest_is_offered(company: Rehearsal) -> None:
    lines = list(why_not_lines(company.context, "Acme", "jonas-kellr"))
    assert lines[-1] == "'jonas-kellr' is not on the roster (did you mean 'jonas-keller'?)."


def test_when_no_single_change_is_enough_that_is_said(company: Rehearsal) -> None:
    company.account("salesforce", "001C", name="Cleo", owner=None, do_not_route=True)
    company.assign()
    lines = list(why_not_lines(company.context, "Cleo", "jonas-keller"))
    assert lines[-1] == "No single change gives it to Jonas Keller."


def test_questions_write_nothing_and_take_no_turn(bench: Path) -> None:
    before = everything(bench)
    assert run("what-if", "Bolt", "--set", "country=US").exit_code == 0
    assert run("why-not", "Bolt", "jonas-keller").exit_code == 0
    assert lint().exit_code == 0
    assert everything(bench) == before


def test_the_commands_print_what_the_tasks_say(bench: Path) -> None:
    assert "The outcome is different" in run("what-if", "Bolt", "--set", "country=US").output
    assert "Not Jonas Keller: " in run("why-not", "Bolt", "jonas-keller").output


def test_a_wrong_field_is_a_usage_error_that_lists_the_fields(bench: Path) -> None:
    result = run("what-if", "Bolt", "--set", "contry=US")
    assert result.exit_code == 2
    assert "there is no field 'contry'; fields are name, domain" in result.output


def test_lint_of_the_shipped_policy_warns_and_measures_the_accounts(bench: Path) -> None:
    result = lint()
    assert result.exit_code == 0, result.output
    assert "warning  territory mm-canada: only Chloe Tremblay serves it" in result.output
    assert "0 errors, 8 warnings" in result.output
    assert "Of 2 accounts 1 lie in no territory: PL 1." in result.output


def test_lint_ends_with_exit_code_one_when_something_is_an_error(bench: Path) -> None:
    policy = bench / "policy" / "policy.yaml"
    policy.write_text(policy.read_text().replace("when: {country: CA}, owner", "when: {country: DE}, owner"))
    result = lint(str(bench / "policy"))
    assert result.exit_code == 1
    assert "error    territory mm-canada: no account can ever reach it: its condition contradicts" in result.output
    assert result.output.index("mm-canada") < result.output.index("warning")


def test_lint_without_a_database_makes_none(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{bench}/none/steward.db")
    result = lint()
    assert result.exit_code == 0
    assert "accounts" not in result.output
    assert not (bench / "none").exists()


def test_lint_with_a_database_out_of_reach_still_checks_the_policy(
    bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    result = lint()
    assert result.exit_code == 0
    assert "0 errors" in result.output
    assert "Coverage is not measured: " in result.output
    assert "secret" not in result.output


def test_books_are_counted_as_a_run_counts_them_without_reading_every_account(company: Rehearsal) -> None:
    """Accounts with an owner of record, leads, accounts only a CRM shows an owner of, and those nobody has at all."""
    for number, owner in enumerate(["dana-whitfield", "gary-sutton", None, "ben-castillo"]):
        company.account("salesforce", f"002{number}", name=f"New {number}", website=f"new{number}.com", owner=owner)
    company.lead("salesforce", "00Q1", name="Jo", company="Bolt", email="jo@bolt.com", owner="dana-whitfield")
    for stream in company.sources["salesforce"].streams:
        pull_stream(company.context, "salesforce", stream)
    match_accounts(company.context)
    context = company.context
    day = Day.of(context.policy.policy, context.policy.roster, context.now())
    with context.store.transaction(readonly=True) as uow:
        owners = {id_: current.owner_id for id_, current in uow.ledger.current().items()}
        record = context.policy.policy.system_of_record
        counted = book_sizes(uow.accounts.all(), owners, day.present, record)
        assert books_now(uow, day) == counted
    assert counted["dana-whitfield"] == 1
    assert "gary-sutton" not in counted
