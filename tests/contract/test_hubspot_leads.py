"""What is different about leads in HubSpot: they are contacts in certain stages, beside companies with ids alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import NewTask, OwnerChange, RecordState, SourceRow, WriteOutcome
from connectors.errors import BadRecord
from emulators.faults import Fault
from ownership.model import LeadRecord
from tests.contract.promises import DUE, everything
from tests.contract.test_hubspot import GONE, IDS, Account
from tests.contract.wire import Wire


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(Wire(monkeypatch), "v3")


def to(owner: str, about: str, *ids: str) -> list[OwnerChange]:
    return [OwnerChange(about, id_, owner) for id_ in ids]


def value_of(account: Account, **properties: Any) -> LeadRecord | None:
    given = {"lifecyclestage": "lead", **properties}
    row = SourceRow("hubspot", "leads", "7", datetime(2026, 11, 20, tzinfo=UTC), {"id": "7", "properties": given})
    value = account.connector.to_value(row)
    assert value is None or isinstance(value, LeadRecord)
    return value


def test_a_contact_says_who_the_person_is_and_whose(account: Account) -> None:
    person = {
        "company": "Acme", "website": "acme.example", "phone": "555-0100", "jobtitle": "CTO", "country": "Germany",
        "state": "BW", "city": "Ulm", "zip": "89073", "industry": "Banking", "numemployees": "25-50",
        "hs_analytics_source": "ORGANIC_SEARCH", "hs_lead_status": "NEW", "do_not_route": "true",
        "hs_legal_basis": "Freely given consent from contact", "associatedcompanyid": IDS[5],
        "notes_last_updated": "2026-11-01T00:00:00.000Z", "hubspot_owner_id": "77",
    }  # fmt: skip
    account.edit(IDS[0], "contact", **person)
    (row,) = account.connector.pull_rows("leads", IDS[:1])
    assert account.connector.to_value(row) == LeadRecord(
        source="hubspot",
        object_type="contact",
        external_id=IDS[0],
        name="Ada Number 0",
        company="Acme",
        email="ada0@c0.example",
        website="acme.example",
        phone="555-0100",
        title="CTO",
        country="Germany",
        state="BW",
        city="Ulm",
        postcode="89073",
        industry="Banking",
        employees=25,
        lead_source="ORGANIC_SEARCH",
        status="NEW",
        owner_external_id="77",
        do_not_route=True,
        consent=True,
        account_external_id=IDS[5],
        created_at=datetime(2026, 11, 20, tzinfo=UTC),
        last_activity_at=datetime(2026, 11, 1, tzinfo=UTC),
        modified_at=row.modified_at,
    )


@pytest.mark.parametrize("stage", ["subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"])
def test_a_contact_in_a_stage_of_a_lead_is_one(account: Account, stage: str) -> None:
    assert value_of(account, lifecyclestage=stage) is not None


@pytest.mark.parametrize("stage", ["opportunity", "customer", "evangelist", "other", "", None])
def test_a_contact_in_any_other_stage_says_nothing_of_a_lead_however_damaged_it_is(
    account: Account, stage: str | None
) -> None:
    assert value_of(account, lifecyclestage=stage, jobtitle="x" * 5_000) is None


def test_a_lead_that_becomes_a_customer_is_seen_leaving(account: Account) -> None:
    _, cursor = everything(account.connector, "leads")
    account.edit(IDS[3], "contact", lifecyclestage="customer")
    rows, _ = everything(account.connector, "leads", cursor)
    assert [account.connector.to_value(row) for row in rows if row.id == IDS[3]] == [None]


@pytest.mark.parametrize(
    ("opted_out", "basis", "consent"),
    [
        ("true", "Freely given consent from contact", False),
        ("true", None, False),
        ("false", None, True),
        (None, "Legitimate interest – prospect/lead", True),
        (None, "Not applicable;Performance of a contract", True),
        (None, "Not applicable", None),
        (None, "", None),
        (None, None, None),
    ],
)
def test_unsubscribing_from_all_email_ends_consent_whatever_basis_was_named(
    account: Account, opted_out: str | None, basis: str | None, consent: bool | None
) -> None:
    value = value_of(account, hs_email_optout=opted_out, hs_legal_basis=basis)
    assert value is not None
    assert value.consent is consent


@pytest.mark.parametrize(
    ("said", "employees"), [("1-5", 1), ("500-1000", 500), ("1000+", 1000), ("40", 40), ("", None)]
)
def test_a_band_of_employees_counts_from_its_lower_end(account: Account, said: str, employees: int | None) -> None:
    value = value_of(account, numemployees=said)
    assert value is not None
    assert value.employees == employees


def test_a_band_nobody_can_read_is_damage(account: Account) -> None:
    with pytest.raises(BadRecord, match="numemployees"):
        value_of(account, numemployees="a few")


# --- owners ---


def test_a_company_and_a_contact_of_one_id_each_keep_their_own_owner(account: Account) -> None:
    account.connector.update_owners([*to("77", "contact", IDS[0]), *to("78", "company", IDS[0])])
    (contact,) = account.connector.read_owners(IDS[:1], "contact")
    (company,) = account.connector.read_owners(IDS[:1])
    assert (contact.owner_id, company.owner_id) == ("77", "78")


def test_a_batch_holds_one_object_and_no_more_batches_are_sent_than_that_takes(account: Account) -> None:
    changes = [*to("77", "company", *IDS[:130]), *to("77", "contact", *IDS[:30])]
    results = account.connector.update_owners(changes)
    assert [result.outcome for result in results] == [WriteOutcome.WRITTEN] * 160
    assert [result.remote_id for result in results] == [change.remote_id for change in changes]
    assert account.wire.journal.count("hubspot", "companies.batch_update") == 2
    assert account.wire.journal.count("hubspot", "contacts.batch_update") == 1


def test_one_bad_contact_harms_no_company_and_no_other_contact(account: Account) -> None:
    changes = [*to("77", "contact", *IDS[:4]), *to("77", "company", *IDS[:4])]
    changes[1] = OwnerChange("contact", IDS[1], GONE)
    outcomes = [result.outcome for result in account.connector.update_owners(changes)]
    assert outcomes.pop(1) is WriteOutcome.REJECTED
    assert set(outcomes) == {WriteOutcome.WRITTEN}


def test_contacts_whose_write_got_no_answer_are_unknown_and_the_companies_are_not(account: Account) -> None:
    account.wire.faults.install(Fault("hubspot", "contacts.batch_update", "status", nth=1, params={"status": 500}))
    results = account.connector.update_owners([*to("77", "contact", IDS[0]), *to("77", "company", IDS[0])])
    assert [result.outcome for result in results] == [WriteOutcome.UNKNOWN, WriteOutcome.WRITTEN]


def test_an_archived_contact_is_told_from_one_that_never_was(account: Account) -> None:
    account.archive(IDS[0], "contact")
    seen = account.connector.read_owners([IDS[0], "1"], "contact")
    assert [one.state for one in seen] == [RecordState.DELETED, RecordState.MISSING]
    assert account.connector.read_owners(IDS[:1])[0].state is RecordState.LIVE


def test_a_task_about_a_contact_is_put_on_the_contact(account: Account) -> None:
    about_contact = account.connector.create_task(NewTask("contact", IDS[0], "77", "Call back", DUE, "k1"))
    about_company = account.connector.create_task(NewTask("company", IDS[1], "77", "Introduce yourself", DUE, "k2"))
    links = account.vendor.portal.links
    assert ("tasks", about_contact, "contacts", IDS[0]) in links
    assert ("tasks", about_company, "companies", IDS[1]) in links
    assert len(links) == 4, "each from both ends, and nothing else"


def test_searching_contacts_by_the_date_of_other_objects_would_find_nothing(account: Account) -> None:
    """Why the connector asks for `lastmodifieddate`."""
    found = account.connector._api.search(
        "contact",
        {"filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": "0"}]}]},
    )
    assert found["total"] == 0


def test_a_contact_that_was_merged_away_is_told_by_the_one_that_is_left_and_no_company_of_its_id(
    account: Account,
) -> None:
    _, cursor = everything(account.connector, "leads")
    account.wire.wait(1)
    gone, left = IDS[0], IDS[1]
    account.vendor.edit({"object": "contact", "action": "merge", "id": gone, "into": left})
    rows, _ = everything(account.connector, "leads", cursor)
    assert [(row.deleted, row.merged_into) for row in rows if row.id == gone] == [(True, left)]
    asked = account.connector.pull_rows("leads", [gone])
    assert [(row.id, row.deleted, row.merged_into) for row in asked] == [(gone, True, left), (left, False, None)]
    assert [row.deleted for row in account.connector.pull_rows("companies", [gone])] == [False]
