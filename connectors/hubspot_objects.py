"""The HubSpot objects that have an owner of ours: which properties are read of each, and what a record of them says.

Custom properties read here: segment, do_not_route, primary_contact_email, salesforceaccountid and stripe_customer_id of
companies, do_not_route of contacts. HubSpot leaves out a property it does not know. No calls are made here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.base import SourceRow
from connectors.fields import RowReader, to_links
from connectors.hubspot_api import NAME
from ownership.model import AccountRecord, LeadRecord

LEAD_STAGES = frozenset({"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead"})
OWNER = "hubspot_owner_id"
NO_BASIS = "Not applicable"


@dataclass(frozen=True, slots=True)
class HubSpotObject:
    """One object type. `modified` is the property that every write moves; `task_link` HubSpot's own association type
    from a task to it."""

    name: str
    stream: str
    modified: str
    properties: tuple[str, ...]
    to_value: Callable[[SourceRow], AccountRecord | LeadRecord | None]
    task_link: int

    @property
    def owner_properties(self) -> tuple[str, ...]:
        return (OWNER, self.modified, "hs_updated_by_user_id")


def to_account(row: SourceRow) -> AccountRecord:
    """A company as the domain names its fields. Raises `BadRecord`."""
    read = RowReader(row, properties_of(row))
    return AccountRecord(
        source=NAME,
        object_type="company",
        external_id=row.id,
        name=read.text("name"),
        website=read.text("website") or read.text("domain"),
        country=read.text("country"),
        state=read.text("state"),
        city=read.text("city"),
        postcode=read.text("zip"),
        phone=read.text("phone"),
        industry=read.text("industry"),
        employees=read.count("numberofemployees"),
        type=read.text("lifecyclestage"),
        segment=read.text("segment"),
        parent_external_id=read.text("hs_parent_company_id"),
        owner_external_id=read.text("hubspot_owner_id"),
        primary_contact=read.text("primary_contact_email"),
        do_not_route=read.flag("do_not_route"),
        links=to_links(salesforce=read.text("salesforceaccountid"), stripe=read.text("stripe_customer_id")),
        created_at=read.instant("createdate"),
        last_activity_at=read.instant("notes_last_updated"),
        modified_at=read.instant(COMPANY.modified),
    )


def to_lead(row: SourceRow) -> LeadRecord | None:
    """A contact as the domain names its fields, None unless its lifecycle stage is one of a lead: the others are the
    people of an account. Raises `BadRecord`."""
    read = RowReader(row, properties_of(row))
    if read.text("lifecyclestage") not in LEAD_STAGES:
        return None
    names = (read.text("firstname"), read.text("lastname"))
    return LeadRecord(
        source=NAME,
        object_type="contact",
        external_id=row.id,
        name=" ".join(name for name in names if name) or None,
        company=read.text("company"),
        email=read.text("email"),
        website=read.text("website"),
        phone=read.text("phone"),
        title=read.text("jobtitle"),
        country=read.text("country"),
        state=read.text("state"),
        city=read.text("city"),
        postcode=read.text("zip"),
        industry=read.text("industry"),
        employees=_employees(read),
        lead_source=read.text("hs_analytics_source"),
        status=read.text("hs_lead_status"),
        owner_external_id=read.text("hubspot_owner_id"),
        do_not_route=read.flag("do_not_route"),
        consent=_consent(read),
        account_external_id=read.text("associatedcompanyid"),
        created_at=read.instant("createdate"),
        last_activity_at=read.instant("notes_last_updated"),
        modified_at=read.instant(CONTACT.modified),
    )


def _employees(read: RowReader) -> int | None:
    """The lower end of a band: a contact knows no head count, only "1-5", "5-25", … "500-1000", "1000+"."""
    band = re.fullmatch(r"(\d{1,9})(?:-\d{1,9}|\+)", read.text("numemployees") or "")
    return int(band[1]) if band else read.count("numemployees")


def _consent(read: RowReader) -> bool | None:
    """Whether the person may be written to. Whoever unsubscribed from all e-mail may not, on whatever legal basis;
    of the others one has to be named, and "Not applicable" names none (several stand together, split by ";")."""
    opted_out = read.flag_if_known("hs_email_optout")
    if opted_out is not None:
        return not opted_out
    bases = (read.text("hs_legal_basis") or "").split(";")
    return True if any(basis.strip() not in ("", NO_BASIS) for basis in bases) else None


def properties_of(row: SourceRow) -> Mapping[str, object]:
    """What a record says. Raises `BadRecord` when it has no properties at all."""
    properties = row.fields.get("properties")
    if not isinstance(properties, Mapping):
        raise RowReader(row).bad("properties", "is missing")
    return properties


COMPANY = HubSpotObject(
    name="company",
    stream="companies",
    modified="hs_lastmodifieddate",
    properties=(
        *("name", "domain", "website", "country", "state", "city", "zip", "phone", "industry", "numberofemployees"),
        *("lifecyclestage", "hubspot_owner_id", "hs_parent_company_id", "createdate", "hs_lastmodifieddate"),
        *("notes_last_updated", "segment", "do_not_route", "primary_contact_email", "salesforceaccountid"),
        *("stripe_customer_id", "hs_merged_object_ids"),
    ),
    to_value=to_account,
    task_link=192,
)
CONTACT = HubSpotObject(
    name="contact",
    stream="leads",
    modified="lastmodifieddate",  # a search by a contact's hs_lastmodifieddate finds nothing and says nothing
    properties=(
        *("firstname", "lastname", "company", "email", "website", "phone", "jobtitle", "country", "state", "city"),
        *("zip", "industry", "numemployees", "hs_analytics_source", "hs_lead_status", "lifecyclestage"),
        *("hubspot_owner_id", "do_not_route", "hs_email_optout", "hs_legal_basis", "associatedcompanyid"),
        *("createdate", "lastmodifieddate", "notes_last_updated", "hs_merged_object_ids"),
    ),
    to_value=to_lead,
    task_link=204,
)
OBJECTS = (COMPANY, CONTACT)

__all__ = ["COMPANY", "CONTACT", "OBJECTS", "HubSpotObject"]
