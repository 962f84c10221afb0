"""What is different about leads in Salesforce: queues may own them, rules take them back, conversion closes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.base import NewTask, OwnerChange, SourceRow, WriteOutcome
from connectors.errors import RecordRejected, SchemaChanged
from connectors.http import Patience
from connectors.salesforce_api import SalesforceApi
from emulators.salesforce.schema import BY_NAME
from ownership.model import AccountRecord, LeadRecord
from tests.contract.promises import DUE, everything
from tests.contract.test_salesforce import (
    ACCOUNTS,
    BATCH,
    GONE,
    IDS,
    LEAD_IDS,
    LEADS,
    OWNERS,
    QUEUE,
    Org,
    outcomes,
)
from tests.contract.wire import Wire


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> Org:
    return Org(Wire(monkeypatch), ACCOUNTS[:250], LEADS[:250])


def to(owner: str, *ids: str) -> list[OwnerChange]:
    return [OwnerChange("Lead" if id_ in LEAD_IDS else "Account", id_, owner) for id_ in ids]


def lead_row(**fields: Any) -> SourceRow:
    return SourceRow("salesforce", "leads", LEAD_IDS[0], datetime(2026, 11, 20, tzinfo=UTC), LEADS[0] | fields)


def test_a_lead_says_who_the_person_is_and_whose(org: Org) -> None:
    person = {
        "Title": "CTO", "Website": "https://acme.example", "Phone": "555-0100", "Country": "DE", "State": "BW",
        "City": "Ulm", "PostalCode": "89073", "Industry": "Banking", "NumberOfEmployees": 40, "LeadSource": "Web",
        "Do_Not_Route__c": True, "OwnerId": QUEUE,
    }  # fmt: skip
    org.edit(LEAD_IDS[1], **person)
    (row,) = org.connector.pull_rows("leads", [LEAD_IDS[1]])
    value = org.connector.to_value(row)
    assert isinstance(value, LeadRecord)
    assert value.modified_at == row.modified_at
    assert value == LeadRecord(
        source="salesforce",
        object_type="Lead",
        external_id=LEAD_IDS[1],
        name="Ada Number 1",
        company="Company 1",
        email="ada1@company1.example",
        website="https://acme.example",
        phone="555-0100",
        title="CTO",
        country="DE",
        state="BW",
        city="Ulm",
        postcode="89073",
        industry="Banking",
        employees=40,
        lead_source="Web",
        status="Open - Not Contacted",
        owner_external_id=QUEUE,
        do_not_route=True,
        consent=True,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        modified_at=value.modified_at,
    )


@pytest.mark.parametrize(("opted_out", "consent"), [(True, False), (False, True), (None, None)])
def test_whoever_opted_out_of_email_does_not_consent_and_of_whom_nothing_is_known_nothing_is_said(
    org: Org, opted_out: bool | None, consent: bool | None
) -> None:
    value = org.connector.to_value(lead_row(HasOptedOutOfEmail=opted_out))
    assert isinstance(value, LeadRecord)
    assert value.consent is consent


def test_a_bulk_pull_of_leads_brings_the_same_as_pages_do(org: Org) -> None:
    org.convert(LEAD_IDS[3], IDS[3])
    by_pages, cursor = everything(org.connector, "leads")
    in_bulk, bulk_cursor = everything(org.connect(bulk_above=10), "leads")
    assert org.calls("bulk_query_create") == 1
    assert sorted(map(str, map(org.connector.to_value, in_bulk))) == sorted(
        map(str, map(org.connector.to_value, by_pages))
    )
    assert bulk_cursor == cursor


def test_a_pull_of_one_stream_says_nothing_of_the_other(org: Org) -> None:
    accounts, _ = everything(org.connector, "accounts")
    leads, _ = everything(org.connector, "leads")
    assert {type(org.connector.to_value(row)) for row in accounts} == {AccountRecord}
    assert {type(org.connector.to_value(row)) for row in leads} == {LeadRecord}


def test_an_org_that_hides_a_field_of_leads_stops_their_stream_and_not_the_accounts(
    org: Org, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Field-level security hides HasOptedOutOfEmail by default."""
    monkeypatch.delitem(BY_NAME["lead"].fields, "hasoptedoutofemail")
    with pytest.raises(SchemaChanged, match="HasOptedOutOfEmail"):
        everything(org.connector, "leads")
    assert len(everything(org.connector, "accounts")[0]) == 250


# --- owners ---


def test_accounts_and_leads_are_written_in_one_call_and_each_gets_its_own_owner(org: Org) -> None:
    changes = [*to(OWNERS[0], *LEAD_IDS[:90]), *to(OWNERS[0], *IDS[:110])]
    results = org.connector.update_owners(changes)
    assert outcomes(results) == [WriteOutcome.WRITTEN] * BATCH
    assert [result.remote_id for result in results] == [change.remote_id for change in changes]
    assert org.calls("collections_update") == 1
    assert {org.owner(id_) for id_ in (*LEAD_IDS[:90], *IDS[:110])} == {OWNERS[0]}


def test_a_call_never_has_more_runs_of_one_object_than_salesforce_takes(org: Org) -> None:
    """Ten are allowed; asked for in turn, accounts and leads would be two hundred."""
    in_turn = [id_ for pair in zip(IDS[:100], LEAD_IDS[:100], strict=True) for id_ in pair]
    assert set(outcomes(org.connector.update_owners(to(OWNERS[0], *in_turn)))) == {WriteOutcome.WRITTEN}


def test_owners_of_leads_are_read_in_one_call_for_each_five_hundred(org: Org) -> None:
    seen = org.connector.read_owners(LEAD_IDS[:250], "Lead")
    assert {one.owner_id for one in seen} == {OWNERS[1]}
    assert org.calls() == 1


def test_a_queue_may_own_a_lead_and_no_account(org: Org) -> None:
    of_lead, of_account = org.connector.update_owners([*to(QUEUE, LEAD_IDS[0]), *to(QUEUE, IDS[0])])
    assert of_lead.outcome is WriteOutcome.WRITTEN
    assert (of_account.outcome, of_account.code) == (WriteOutcome.REJECTED, "INVALID_CROSS_REFERENCE_KEY")
    assert (org.owner(LEAD_IDS[0]), org.owner(IDS[0])) == (QUEUE, OWNERS[1])


def test_the_orgs_assignment_rule_does_not_take_a_lead_from_the_owner_we_wrote(org: Org) -> None:
    org.connector.update_owners(to(OWNERS[0], LEAD_IDS[0]))
    seen = org.connector.read_owners([LEAD_IDS[1]], "Lead")[0]
    org.connector.update_owner_if(to(OWNERS[0], LEAD_IDS[1])[0], str(seen.version))
    assert [org.owner(id_) for id_ in LEAD_IDS[:2]] == [OWNERS[0], OWNERS[0]]


def test_control_without_the_header_the_rule_takes_it(org: Org) -> None:
    api = SalesforceApi("northwind.my", "steward", "s3cret", patience=Patience(sleep=org.wire.wait))
    record = {"attributes": {"type": "Lead"}, "id": LEAD_IDS[0], "OwnerId": OWNERS[0]}
    api.send("PATCH", "composite/sobjects", {"allOrNone": False, "records": [record]})
    assert org.owner(LEAD_IDS[0]) == QUEUE


def test_a_converted_lead_is_refused_and_the_others_are_written(org: Org) -> None:
    org.convert(LEAD_IDS[1], IDS[7])
    results = org.connector.update_owners(to(OWNERS[0], *LEAD_IDS[:3]))
    assert outcomes(results) == [WriteOutcome.WRITTEN, WriteOutcome.REJECTED, WriteOutcome.WRITTEN]
    assert results[1].code == "CANNOT_UPDATE_CONVERTED_LEAD"
    seen = org.connector.read_owners([LEAD_IDS[1]], "Lead")[0]
    single = org.connector.update_owner_if(to(OWNERS[0], LEAD_IDS[1])[0], str(seen.version))
    assert (single.outcome, single.code) == (WriteOutcome.REJECTED, "CANNOT_UPDATE_CONVERTED_LEAD")
    assert org.owner(LEAD_IDS[1]) == OWNERS[1]


def test_a_lead_that_was_converted_is_pulled_with_the_account_it_became_part_of(org: Org) -> None:
    _, cursor = everything(org.connector, "leads")
    org.convert(LEAD_IDS[1], IDS[7])
    rows, _ = everything(org.connector, "leads", cursor)
    values = [org.connector.to_value(row) for row in rows if row.id == LEAD_IDS[1]]
    assert [(value.converted, value.account_external_id) for value in values if isinstance(value, LeadRecord)] == [
        (True, IDS[7])
    ]


# --- compare-and-set without an entity tag ---


def test_a_persons_edit_between_our_last_look_and_our_write_wins(org: Org) -> None:
    """Only the org's own check can see it: If-Unmodified-Since, as it knows no ETag of a lead."""
    version = org.connector.read_owners([LEAD_IDS[0]], "Lead")[0].version
    org.door.before_next("row_update", lambda: org.edit(LEAD_IDS[0], OwnerId=QUEUE))
    result = org.connector.update_owner_if(to(OWNERS[0], LEAD_IDS[0])[0], str(version))
    assert (result.outcome, result.code) == (WriteOutcome.MOVED, "PRECONDITION_FAILED")
    assert org.owner(LEAD_IDS[0]) == QUEUE


def test_an_edit_within_the_second_in_which_we_read_is_seen_by_the_owner_it_left(org: Org) -> None:
    org.edit(LEAD_IDS[0], OwnerId=OWNERS[0])
    version = org.connector.read_owners([LEAD_IDS[0]], "Lead")[0].version
    org.vendor.edit({"object": "Lead", "id": LEAD_IDS[0], "fields": {"OwnerId": QUEUE}, "by": OWNERS[1]})
    result = org.connector.update_owner_if(to(OWNERS[1], LEAD_IDS[0])[0], str(version))
    assert result.outcome is WriteOutcome.MOVED
    assert org.owner(LEAD_IDS[0]) == QUEUE


def test_an_entity_tag_is_no_version_of_a_lead_as_salesforce_would_ignore_it_and_write(org: Org) -> None:
    result = org.connector.update_owner_if(to(OWNERS[0], LEAD_IDS[0])[0], '"not-of-this-lead"')
    assert result.outcome is WriteOutcome.MOVED
    assert org.owner(LEAD_IDS[0]) == OWNERS[1]


def test_a_lead_is_not_given_to_a_rep_who_left(org: Org) -> None:
    (result,) = org.connector.update_owners(to(GONE, LEAD_IDS[0]))
    assert (result.outcome, result.code) == (WriteOutcome.REJECTED, "INACTIVE_OWNER_OR_USER")


# --- tasks ---


def test_a_task_about_a_lead_is_about_who_and_one_about_an_account_about_what(org: Org) -> None:
    org.connector.create_task(NewTask("Lead", LEAD_IDS[0], OWNERS[0], "Call back", DUE, "k1"))
    org.connector.create_task(NewTask("Account", IDS[0], OWNERS[0], "Introduce yourself", DUE, "k2"))
    tasks = org.vendor.org.tables["Task"].values()
    assert [(task["WhoId"], task["WhatId"]) for task in tasks] == [(LEAD_IDS[0], None), (None, IDS[0])]


def test_there_are_no_tasks_about_a_converted_lead(org: Org) -> None:
    org.convert(LEAD_IDS[0], IDS[0])
    with pytest.raises(RecordRejected) as caught:
        org.connector.create_task(NewTask("Lead", LEAD_IDS[0], OWNERS[0], "Call back", DUE, "k1"))
    assert caught.value.code == "CANNOT_UPDATE_CONVERTED_LEAD"
