"""Fields that only a company's policy knows are read from both CRMs, by the vendor's own names."""

from __future__ import annotations

import pytest

from connectors.base import SourceRow
from connectors.custom_fields import CustomFields, shape_of
from connectors.errors import BadRecord
from connectors.fields import RowReader
from connectors.hubspot import HubSpotConnector
from ownership.conditions import Field
from ownership.model import AccountRecord, LeadRecord
from tests.contract.promises import everything
from tests.contract.test_hubspot import Account
from tests.contract.test_salesforce import ACCOUNTS, LEADS, Org
from tests.contract.wire import Wire

FIELDS = {
    "tier": Field("text", "", {"salesforce": "Segment__c", "hubspot": "segment"}),
    "heads": Field("number", "", {"salesforce": "NumberOfEmployees", "hubspot": "numberofemployees"}),
    "renewal_on": Field("date", "", {"salesforce": "LastActivityDate", "hubspot": "notes_last_updated"}),
    "rating": Field("text", "", {"salesforce_lead": "Status", "hubspot_contact": "hs_lead_status"}),
}


def test_salesforce_gives_the_policys_own_fields_of_accounts_and_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    connector = Org(Wire(monkeypatch), ACCOUNTS[:20], LEADS[:3]).connect(custom=FIELDS)
    account = next(row for row in everything(connector, "accounts")[0] if row.fields["NumberOfEmployees"] == 7)
    value = connector.to_value(account)
    assert isinstance(value, AccountRecord)
    assert value.extra == {"heads": 7, "renewal_on": None, "tier": None}
    lead = connector.to_value(everything(connector, "leads")[0][0])
    assert isinstance(lead, LeadRecord)
    assert lead.extra == {"rating": "Open - Not Contacted"}


def test_hubspot_gives_the_policys_own_fields_of_companies_and_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Account(Wire(monkeypatch), "v3")
    world.edit("7000000000", segment="smb", numberofemployees="12")
    world.edit("7000000000", about="contact", hs_lead_status="OPEN")
    api = world.connector._api
    connector = HubSpotConnector(api, custom=FIELDS)
    company = next(row for row in everything(connector, "companies")[0] if row.id == "7000000000")
    contact = next(row for row in everything(connector, "leads")[0] if row.id == "7000000000")
    one, other = connector.to_value(company), connector.to_value(contact)
    assert isinstance(one, AccountRecord)
    assert isinstance(other, LeadRecord)
    assert one.extra == {"heads": 12, "renewal_on": None, "tier": "smb"}
    assert other.extra == {"rating": "OPEN"}


def test_without_fields_of_its_own_a_policy_adds_nothing() -> None:
    record = AccountRecord("salesforce", "Account", "1", "A")
    row = reader_of({})
    assert CustomFields.of("salesforce", {}).add_to(record, row) is record
    assert shape_of(CustomFields()) == ""


def test_another_field_or_another_name_gives_another_shape() -> None:
    one = CustomFields.of("salesforce", FIELDS)
    renamed = {**FIELDS, "tier": Field("text", "", {"salesforce": "Tier__c"})}
    assert len({shape_of(one), shape_of(CustomFields.of("salesforce", renamed)), ""}) == 3
    assert shape_of(one) == shape_of(CustomFields.of("salesforce", dict(reversed(FIELDS.items()))))


@pytest.mark.parametrize(
    ("kind", "said", "read"),
    [
        ("number", "-1.5", -1.5),
        ("number", 3.0, 3),
        ("flag", "true", True),
        ("flag", "", None),
        ("date", "2026-12-31", "2026-12-31"),
        ("texts", "a; b;;c ", ["a", "b", "c"]),
        ("text", "  x ", "x"),
        ("text", None, None),
    ],
)
def test_each_kind_is_read_as_conditions_ask_for_it(kind: str, said: object, read: object) -> None:
    custom = CustomFields({"f": ("F__c", kind)})
    record = custom.add_to(AccountRecord("salesforce", "Account", "1", "A"), reader_of({"F__c": said}))
    assert record.extra == {"f": read}


@pytest.mark.parametrize(
    ("kind", "said"), [("number", "many"), ("number", True), ("flag", "perhaps"), ("date", "soon"), ("text", 7)]
)
def test_a_value_of_another_kind_makes_a_bad_record_that_names_the_vendors_field(kind: str, said: object) -> None:
    custom = CustomFields({"f": ("F__c", kind)})
    with pytest.raises(BadRecord, match="F__c"):
        custom.add_to(AccountRecord("salesforce", "Account", "1", "A"), reader_of({"F__c": said}))


def reader_of(fields: dict[str, object]) -> RowReader:
    return RowReader(SourceRow("salesforce", "accounts", "1", None, fields))
