"""The Salesforce objects that have an owner of ours: which fields are read of each, and what a row of them says.

Custom fields read here: Segment__c, Do_Not_Route__c, Primary_Contact_Email__c and Billing_Customer_Id__c of Account,
Do_Not_Route__c of Lead (all optional in content, but they must exist). HasOptedOutOfEmail of Lead is a standard field
that field-level security hides by default: the integration user needs to see it. No calls are made here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import SourceRow
from connectors.fields import RowReader, to_links
from connectors.salesforce_api import NAME
from ownership.model import AccountRecord, LeadRecord


@dataclass(frozen=True, slots=True)
class SalesforceObject:
    """One sObject type. `task_link` is the field of a Task that points at it; `has_etag` says whether single-record
    reads and writes know entity tags (of all objects only Account does)."""

    name: str
    stream: str
    fields: tuple[str, ...]
    to_value: Callable[[SourceRow], AccountRecord | LeadRecord]
    task_link: str
    has_etag: bool


def to_account(row: SourceRow) -> AccountRecord:
    """An account as the domain names its fields. Raises `BadRecord`."""
    read = RowReader(row)
    return AccountRecord(
        source=NAME,
        object_type="Account",
        external_id=row.id,
        name=read.text("Name"),
        website=read.text("Website"),
        country=read.text("BillingCountry"),
        state=read.text("BillingState"),
        city=read.text("BillingCity"),
        postcode=read.text("BillingPostalCode"),
        phone=read.text("Phone"),
        industry=read.text("Industry"),
        employees=read.count("NumberOfEmployees"),
        type=read.text("Type"),
        segment=read.text("Segment__c"),
        parent_external_id=read.text("ParentId"),
        owner_external_id=read.text("OwnerId"),
        primary_contact=read.text("Primary_Contact_Email__c"),
        do_not_route=read.flag("Do_Not_Route__c"),
        links=to_links(stripe=read.text("Billing_Customer_Id__c")),
        created_at=read.instant("CreatedDate"),
        last_activity_at=read.instant("LastActivityDate"),
        modified_at=read.instant("SystemModstamp"),
    )


def to_lead(row: SourceRow) -> LeadRecord:
    """A lead as the domain names its fields. Raises `BadRecord`."""
    read = RowReader(row)
    opted_out = read.flag_if_known("HasOptedOutOfEmail")
    return LeadRecord(
        source=NAME,
        object_type="Lead",
        external_id=row.id,
        name=read.text("Name"),
        company=read.text("Company"),
        email=read.text("Email"),
        website=read.text("Website"),
        phone=read.text("Phone"),
        title=read.text("Title"),
        country=read.text("Country"),
        state=read.text("State"),
        city=read.text("City"),
        postcode=read.text("PostalCode"),
        industry=read.text("Industry"),
        employees=read.count("NumberOfEmployees"),
        lead_source=read.text("LeadSource"),
        status=read.text("Status"),
        owner_external_id=read.text("OwnerId"),
        do_not_route=read.flag("Do_Not_Route__c"),
        consent=None if opted_out is None else not opted_out,
        account_external_id=read.text("ConvertedAccountId"),
        converted=read.flag("IsConverted"),
        created_at=read.instant("CreatedDate"),
        last_activity_at=read.instant("LastActivityDate"),
        modified_at=read.instant("SystemModstamp"),
    )


ACCOUNT = SalesforceObject(
    name="Account",
    stream="accounts",
    fields=(
        *("Id", "Name", "Website", "BillingCountry", "BillingState", "BillingCity", "BillingPostalCode", "Phone"),
        *("Industry", "NumberOfEmployees", "Type", "ParentId", "OwnerId", "LastActivityDate", "CreatedDate"),
        *("SystemModstamp", "IsDeleted", "MasterRecordId"),
        *("Segment__c", "Do_Not_Route__c", "Primary_Contact_Email__c", "Billing_Customer_Id__c"),
    ),
    to_value=to_account,
    task_link="WhatId",
    has_etag=True,
)
LEAD = SalesforceObject(
    name="Lead",
    stream="leads",
    fields=(
        *("Id", "Name", "Company", "Email", "Website", "Phone", "Title", "Country", "State", "City", "PostalCode"),
        *("Industry", "NumberOfEmployees", "LeadSource", "Status", "OwnerId", "HasOptedOutOfEmail", "IsConverted"),
        *("ConvertedAccountId", "LastActivityDate", "CreatedDate", "SystemModstamp", "IsDeleted", "MasterRecordId"),
        "Do_Not_Route__c",
    ),
    to_value=to_lead,
    task_link="WhoId",
    has_etag=False,
)
OBJECTS = (ACCOUNT, LEAD)

__all__ = ["ACCOUNT", "LEAD", "OBJECTS", "SalesforceObject"]
