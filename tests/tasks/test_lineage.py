"""From the owner a CRM shows back to why, and from a day in the past to who owned an account then."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import records
from cli.lineage_page import lineage_page
from config.settings import POLICY_DIR
from tasks.history import owner_lines
from tasks.lineage import lineage_lines, trace_records
from tasks.rehearsal import Rehearsal, rehearse

US_SMB = {"country": "US", "state": "NY", "employees": 20}


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    founded.account("salesforce", "001A", name="Acme", website="acme.com", owner=None, **US_SMB)
    founded.assign()
    founded.push()
    yield founded
    founded.context.store.close()


def labels(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines[1:]]


def test_what_we_wrote_leads_back_to_attempt_outbox_ledger_decision_policy_inputs_and_runs(company: Rehearsal) -> None:
    lines = list(lineage_lines(company.context, "salesforce/001A"))
    steps = ["shows", "queued", "attempt", "ledger", "decision", "policy", "inputs", "run", "run"]
    assert labels(lines) == steps
    (trace,) = trace_records(company.context, "001A")
    assert trace.shown.owner == trace.owner == company.owner("salesforce", "001A")
    assert trace.sent is not None
    assert trace.sent.attempts[-1].outcome == "written"
    assert trace.ledger is not None
    assert trace.ledger.ledger_id == trace.sent.ledger_id
    assert trace.decision is not None
    assert trace.decision.decision_id == trace.ledger.decision_id
    assert trace.policy_kept
    assert trace.decision.snapshot is not None


def test_what_somebody_else_wrote_is_said_to_be_not_ours_with_what_we_sent_last(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Acme", website="acme.com", owner="jonas-keller", **US_SMB)
    lines = list(lineage_lines(company.context, "salesforce/001A", live=True))
    assert labels(lines) == ["shows", "not", "last"]
    assert "Jonas Keller" in lines[1]
    assert "a person" in lines[1]
    assert "confirmed" in lines[-1]


def test_a_user_nobody_knows_is_named_by_their_id(company: Rehearsal) -> None:
    company.sources["salesforce"].put("accounts", "001A", {"owner_external_id": "005-stranger"}, by="a person")
    shows = list(lineage_lines(company.context, "salesforce/001A", live=True))[1]
    assert "not on the roster (005-stranger)" in shows


def test_an_owner_that_was_there_before_was_never_sent(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", website="bolt.com", owner="jonas-keller", country="DE")
    company.assign()
    lines = list(lineage_lines(company.context, "salesforce/001B"))
    assert "never: the record showed this owner" in lines[2]
    assert labels(lines)[2:] == ["ledger", "decision", "policy", "inputs", "run"]


def test_an_account_gives_the_lineage_of_each_of_its_records(company: Rehearsal) -> None:
    company.account("hubspot", "77", name="Acme", website="acme.com", owner=None, **US_SMB)
    company.assign()
    company.push()
    sources = [trace.ref.source for trace in trace_records(company.context, "acme.com")]
    assert sources == ["hubspot", "salesforce"]


def test_an_unknown_record_is_refused_in_words(company: Rehearsal) -> None:
    with pytest.raises(LookupError, match="No account is called or known as 'salesforce/001Z'"):
        trace_records(company.context, "salesforce/001Z")


def test_who_owned_it_on_a_day_as_known_on_another(company: Rehearsal) -> None:
    before = company.now[0]
    first = company.context.policy.roster.name(str(company.owner("salesforce", "001A")))
    lines = list(owner_lines(company.context, "acme.com", before, before))
    assert lines[0].startswith(f"Acme was owned by {first} on ")
    assert re.match(r"  #1 from .* it was their turn, by policy", lines[1])
    earlier = list(owner_lines(company.context, "acme.com", before - timedelta(days=1), before))
    assert earlier[0].startswith("Acme was owned by nobody on ")
    unknown_then = list(owner_lines(company.context, "acme.com", before, before - timedelta(days=1)))
    assert unknown_then[0].startswith("Acme was owned by nobody on ")
    assert len(unknown_then) == 1


def test_the_commands_print_what_the_tasks_say(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEWARD_POLICY_DIR", str(POLICY_DIR))
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{tmp_path}/steward.db")
    owner = CliRunner().invoke(records.owner, ["acme.com", "--on", "2099-01-01"])
    assert owner.exit_code == 0
    assert "on 2099-01-01 23:59 UTC" in owner.output
    unknown = CliRunner().invoke(records.lineage, ["hubspot/9"])
    assert unknown.exit_code == 2
    assert "No account is called or known as 'hubspot/9'" in unknown.output


def test_the_page_holds_the_whole_chain_and_nothing_from_elsewhere(company: Rehearsal) -> None:
    page = lineage_page(company.context, "salesforce/001A")
    (trace,) = trace_records(company.context, "001A")
    assert trace.sent
    assert trace.ledger
    assert trace.decision
    made = trace.decision.decision
    ids = [trace.sent.outbox_id, trace.ledger.ledger_id, trace.decision.decision_id, made.policy_hash, made.inputs_hash]
    places = [page.index(each) for each in ids]
    assert places == sorted(places), "each step follows from the one below it"
    assert all(run_id in page for run_id in trace.runs or {})
    assert "Northwind" in page, "the policy's own text"
    assert not re.search(r"<(script|link|img|iframe)\b|https?://", page)


def test_the_page_shows_names_as_text_and_says_what_is_not_ours(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="<b>Acme</b>", website="acme.com", owner="jonas-keller", **US_SMB)
    company.assign()
    page = lineage_page(company.context, "salesforce/001A", live=True)
    assert "Steward did not write what is shown" in page
    assert "&lt;b&gt;Acme&lt;/b&gt;" in page
    assert "<b>Acme" not in page


def test_the_command_writes_the_page_to_a_file(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.context.open_context", lambda *_: company.context)
    page = tmp_path / "page.html"
    said = CliRunner().invoke(records.lineage, ["salesforce/001A", "--page", str(page)])
    assert said.output == f"written to {page}\n"
    assert "Acme" in page.read_text(encoding="utf-8")
