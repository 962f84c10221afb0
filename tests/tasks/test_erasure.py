"""A person can be erased, and the ledger still holds."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ownership.crm_tasks import TaskWanted
from ownership.model import Ref
from store.inbox import ChangeNote
from store.notifications import NewNotification
from store.seals import SETTLED
from store.unit_of_work import UnitOfWork
from tasks.audit import audit_ledger, seal_ledger
from tasks.erasure import NotAnAddress, erase_person, erasure_lines
from tasks.rehearsal import Rehearsal, rehearse

JO = "Jo.Field@acme-fields.com"
US_SMB = {"country": "US", "state": "NY", "employees": 20}


@pytest.fixture
def company(tmp_path: Path, sqlite_template: Path) -> Iterator[Rehearsal]:
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    founded = rehearse(tmp_path)
    founded.account("salesforce", "001A", name="Acme", website="acme.com", primary_contact=JO, **US_SMB)
    founded.lead("salesforce", "00Q1", name="Jo Fieldsworth", company="Acme", email=JO, country="US", employees=20)
    founded.lead("salesforce", "00Q2", name="Sam Other", company="Acme", email="sam@acme.com", country="US")
    founded.assign()
    founded.push()
    yield founded
    founded.context.store.close()


def everything_said(folder: Path) -> str:
    with sqlite3.connect(folder / "steward.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return "\n".join(connection.iterdump()).casefold()


def test_nothing_but_the_ledgers_opaque_ids_is_left_of_an_erased_person(company: Rehearsal, tmp_path: Path) -> None:
    note = NewNotification("n1", "ann@northwind.example", "New lead", (f"Jo Fieldsworth (Acme), {JO}, is yours",))
    company.context.store.run(lambda uow: uow.notifications.add([note], company.now[0]))
    company.context.store.run(
        lambda uow: uow.inbox.add(
            "salesforce/leads", [ChangeNote("e1", "00Q1", None, '{"firstname": "Jo"}')], company.now[0]
        )
    )
    assert JO.casefold() in everything_said(tmp_path), "the control: it was there"
    erased = erase_person(company.context, JO.lower(), "ops", "ticket 12")
    left = everything_said(tmp_path)
    assert JO.casefold() not in left
    assert "fieldsworth" not in left
    assert '"firstname"' not in left
    assert len(erased.leads) == 1
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("steward.db*"))
    assert b"fieldsworth" not in raw.lower(), "freed pages of the file were not overwritten"


def test_a_task_about_an_erased_person_says_nothing_and_is_not_made(company: Rehearsal, tmp_path: Path) -> None:
    lead = Ref("salesforce", "Lead", "00Q1")

    def queue(uow: UnitOfWork) -> None:
        (account_id,) = uow.accounts.by_refs([lead]).values()
        call = TaskWanted("call", "lead_assigned", lead, "alice.ng", "Call Jo Fieldsworth", company.now[0])
        uow.crm_tasks.add([(account_id, call)], "run", company.now[0])

    company.context.store.run(queue)
    assert "call jo fieldsworth" in everything_said(tmp_path), "the control: it was there"
    erase_person(company.context, JO, "ops", "ticket 12")
    assert "fieldsworth" not in everything_said(tmp_path)
    company.push()
    assert company.tasks() == []


def test_everybody_else_keeps_what_is_known_of_them(company: Rehearsal, tmp_path: Path) -> None:
    owner = company.owner("salesforce", "00Q2")
    erase_person(company.context, JO, "ops", "ticket 12")
    company.assign()
    assert "sam other" in everything_said(tmp_path)
    assert company.owner("salesforce", "00Q2") == owner
    assert company.owner("salesforce", "001A") is not None


def test_the_ledger_and_its_seals_hold_as_before(company: Rehearsal) -> None:
    company.pass_time(seconds=SETTLED.total_seconds() + 1)
    assert seal_ledger(company.context, None) is not None
    erase_person(company.context, JO, "ops", "ticket 12")
    assert audit_ledger(company.context) is None


def test_a_record_the_crm_still_has_is_kept_out_and_said_so(company: Rehearsal, tmp_path: Path) -> None:
    erase_person(company.context, JO, "ops", "ticket 12")
    company.lead("salesforce", "00Q1", name="Jo Fieldsworth", company="Acme", email=JO, phone="1", country="US")
    company.assign()
    assert "fieldsworth" not in everything_said(tmp_path)
    assert "erased_record" in {item.kind for item in open_items(company)}
    company.sources["salesforce"].delete("leads", "00Q1")
    company.assign()
    assert "erased_record" not in {item.kind for item in open_items(company)}


def open_items(company: Rehearsal) -> list:  # type: ignore[type-arg]
    with company.context.store.transaction(readonly=True) as uow:
        return uow.exceptions.open_items()


def test_somebody_unknown_leaves_only_the_note_that_they_asked(company: Rehearsal) -> None:
    lines = list(erasure_lines(company.context, "nobody@nowhere.com", "ops", "ticket 13"))
    assert lines[0] == "Nothing here tells of that address."
    assert lines[-1].startswith("Noted as erasure ")


@pytest.mark.parametrize("word", ["", "acme", "@acme.com", "jo@acme", "jo @acme.com", "%@%.%"])
def test_what_is_no_address_erases_nobody(company: Rehearsal, tmp_path: Path, word: str) -> None:
    if word == "%@%.%":  # the wildcards of a search are letters like any other
        assert erase_person(company.context, word, "ops", "ticket").rows == {}
    else:
        with pytest.raises(NotAnAddress):
            erase_person(company.context, word, "ops", "ticket")
    assert "fieldsworth" in everything_said(tmp_path)
