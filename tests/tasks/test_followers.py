"""What engagement tools know beside the CRMs: seen, linked when the account comes, and never an account by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from ownership.linking import CROWD
from ownership.model import Ref
from tasks.audit import audit_completeness
from tasks.identity_lines import unmatched_lines
from tasks.identity_words import Word, say_same
from tasks.matching import match_accounts
from tasks.rehearsal import Rehearsal, rehearse


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Rehearsal:
    made = rehearse(tmp_path, None, store_url, tools=["zendesk"])
    made.account("salesforce", "1", name="Acorn", website="acorn.com", country="US", employees=20)
    made.account("zendesk", "5", name="Zebra support", website="zebra.io")
    made.assign()
    return made


def accounts(company: Rehearsal) -> list[tuple[str, ...]]:
    with company.context.store.transaction(readonly=True) as uow:
        return [tuple(f"{ref.source}/{ref.external_id}" for ref in account.refs) for account in uow.accounts.all()]


def test_an_organisation_that_only_the_help_desk_knows_is_listed_and_no_account(company: Rehearsal) -> None:
    assert accounts(company) == [("salesforce/1",)]
    lines = list(unmatched_lines(company.context))
    assert lines == ["zendesk/5: Zebra support, zebra.io", "1 of 1 records are of no account."]
    with pytest.raises(LookupError, match="salesforce is no engagement tool that is connected; there are: zendesk"):
        list(unmatched_lines(company.context, "salesforce"))
    complete = audit_completeness(company.context)
    assert complete.holds
    assert (complete.pulled, complete.linked, complete.unmatched) == (2, 1, 1)
    assert match_accounts(company.context).unmatched == 1


@pytest.mark.parametrize("changed", [True, False])
def test_it_is_linked_when_its_account_comes_and_shows_the_owner_then(company: Rehearsal, changed: bool) -> None:
    company.account("hubspot", "7", name="Zebra", website="zebra.io", country="US", employees=20)
    company.pass_time(hours=1)
    company.assign(changed=changed)
    assert ("hubspot/7", "zendesk/5") in accounts(company)
    company.push()
    assert company.owner("hubspot", "7") is not None
    assert company.shown("zendesk", "5") == company.owner("hubspot", "7")
    assert audit_completeness(company.context).unmatched == 0


def test_it_is_of_no_account_again_when_its_account_leaves_the_crm(company: Rehearsal) -> None:
    company.account("hubspot", "7", name="Zebra", website="zebra.io", country="US", employees=20)
    company.assign(changed=True)
    company.hubspot.delete("accounts", "7")
    company.pass_time(hours=1)
    company.assign(changed=True)
    assert accounts(company) == [("salesforce/1",)]
    assert audit_completeness(company.context).unmatched == 1


def test_an_account_that_begins_beside_another_takes_its_organisation_and_no_owner(company: Rehearsal) -> None:
    company.account("zendesk", "6", name="Acorn help", website="acorn.com")
    company.account("salesforce", "1", owner="jonas.keller")
    company.assign()
    assert ("salesforce/1", "zendesk/6") in accounts(company)
    company.account("salesforce", "2", name="Bolt", website="bolt.com", country="US", employees=20)
    company.account("zendesk", "6", links={"salesforce": "2"})
    company.pass_time(hours=1)
    company.assign(changed=True)
    assert ("salesforce/2", "zendesk/6") in accounts(company)
    with company.context.store.transaction(readonly=True) as uow:
        ids = uow.accounts.by_refs([Ref("salesforce", "Account", "2")])
        assert [event.kind for event in uow.identity.events(next(iter(ids.values())))] == []


def test_tickets_make_no_crowd_of_a_domain_in_whichever_run(company: Rehearsal) -> None:
    for n in range(CROWD):
        company.account("hubspot", f"h{n}", name=f"Bolt {n}", website="bolt.com")
    company.account("zendesk", "8", website="bolt.com")
    company.assign(changed=True)
    company.account("zendesk", "9", website="bolt.com")
    company.pass_time(hours=1)
    company.assign(changed=True)
    found = accounts(company)
    assert [len(refs) for refs in found if "zendesk/9" in refs] == [CROWD + 2]
    company.assign()
    assert accounts(company) == found


def test_a_person_says_whose_organisation_it_is(company: Rehearsal) -> None:
    say_same(company.context, ["salesforce/1", "zendesk/5"], Word("olga"))
    company.pass_time(hours=1)
    company.assign(changed=True)
    assert accounts(company) == [("salesforce/1", "zendesk/5")]


def test_the_command_names_the_tools_there_are(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch, store_url: str
) -> None:
    monkeypatch.setattr("cli.identity._open", lambda: company.context)
    said = CliRunner().invoke(main, ["unmatched"])
    assert (said.exit_code, said.output.splitlines()[0]) == (0, "zendesk/5: Zebra support, zebra.io")
    refused = CliRunner().invoke(main, ["unmatched", "hubspot"])
    assert refused.exit_code == 2
    assert "there are: zendesk" in refused.output
