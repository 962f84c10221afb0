"""Who came in as the CRMs show it: leads of Salesforce, and contacts of HubSpot, of which some are no leads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from emulators.world import proportions as share
from emulators.world.ids import hubspot_company_id, hubspot_contact_id, hubspot_owner_id, salesforce_id
from emulators.world.inbound import BY_DOMAIN, Inbound
from emulators.world.instants import hubspot_instant, salesforce_instant
from emulators.world.people import Person
from emulators.world.salesforce_rows import account_id, user_id
from emulators.world.spellings import phone_number, spelled_country
from emulators.world.standings import Standing

Row = dict[str, Any]

NO_COMPANY_TYPED = "[not provided]"  # what people type into the one company field that Salesforce asks for
TITLES = ("CTO", "Head of Data", "VP Operations", "Analyst", "IT Manager", "Founder", "Procurement", "")
SOURCES = {
    "Web": "ORGANIC_SEARCH",
    "Partner Referral": "REFERRALS",
    "Purchased List": "OFFLINE",
    "Phone Inquiry": "OFFLINE",
    "Other": "DIRECT_TRAFFIC",
}
STATUSES = {"Open - Not Contacted": "NEW", "Working - Contacted": "IN_PROGRESS", "Closed - Not Converted": "BAD_TIMING"}
LEAD_STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead")
BANDS = ((5, "1-5"), (25, "5-25"), (50, "25-50"), (100, "50-100"), (500, "100-500"), (1000, "500-1000"))
BASES = ("Legitimate interest – prospect/lead", "Freely given consent from contact", "Not applicable")


def lead_id(number: int) -> str:
    return salesforce_id("00Q", number)


def lead_rows(inbound: Sequence[Inbound], integration: Person, queue_id: str, seed: int) -> list[Row]:
    """One lead for each person Salesforce knows. What nobody was given waits in a queue, or lies with the integration
    user that brought it in."""
    rng = random.Random(f"{seed}:leads")
    return [_lead(rng, person, integration, queue_id) for person in inbound if person.in_salesforce]


def contact_rows(inbound: Sequence[Inbound], standings: Sequence[Standing], seed: int, as_of: datetime) -> list[Row]:
    """One contact for each person HubSpot knows, and after them people of customers, who are no leads."""
    rng = random.Random(f"{seed}:contacts")
    rows = [_contact(rng, person) for person in inbound if person.in_hubspot]
    customers = [s for s in standings if s.pays and s.in_hubspot and s.company.domain]
    chosen = rng.sample(customers, min(len(customers), share.count(share.CUSTOMER_CONTACTS_SHARE, len(standings))))
    first = len(inbound)
    return rows + [_customer(rng, first + n, standing, as_of) for n, standing in enumerate(chosen)]


def _lead(rng: random.Random, person: Inbound, integration: Person, queue_id: str) -> Row:
    unassigned = rng.choice((queue_id, user_id(integration)))
    modified = salesforce_instant(person.modified_at)
    employees = person.standing.employees if person.standing and rng.random() < share.LEAD_EMPLOYEES_SHARE else None
    return {
        "Id": lead_id(person.number),
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Name": f"{person.first_name} {person.last_name}",
        "Company": person.company or NO_COMPANY_TYPED,
        "Email": person.email,
        "Phone": phone_number(rng, person.country),
        "Title": rng.choice(TITLES) or None,
        "Website": person.standing.company.website or None if person.standing and rng.random() < 0.2 else None,
        "Country": _country(rng, person) or None,
        "Industry": person.standing.company.industry or None if person.standing and rng.random() < 0.4 else None,
        "NumberOfEmployees": employees,
        "LeadSource": rng.choice(tuple(SOURCES)),
        "Status": "Closed - Converted" if person.converted else rng.choice(tuple(STATUSES)),
        "OwnerId": user_id(person.owner) if person.owner else unassigned,
        "HasOptedOutOfEmail": person.opted_out,
        "IsConverted": person.converted,
        "ConvertedAccountId": account_id(person.standing.number) if person.converted and person.standing else None,
        "ConvertedDate": person.modified_at.date().isoformat() if person.converted else None,
        "IsUnreadByOwner": rng.random() < 0.3,
        "Do_Not_Route__c": person.do_not_route,
        "CreatedDate": salesforce_instant(person.created_at),
        "LastModifiedDate": modified,
        "LastModifiedById": user_id(integration),
        "SystemModstamp": modified,
        "IsDeleted": False,
    }


def _contact(rng: random.Random, person: Inbound) -> Row:
    standing = person.standing
    linked = standing if standing and standing.in_hubspot and person.told_by == BY_DOMAIN else None
    banded = standing and rng.random() < share.LEAD_EMPLOYEES_SHARE
    properties = {
        "firstname": person.first_name,
        "lastname": person.last_name,
        "email": person.email,
        "company": person.company or "",
        "phone": phone_number(rng, person.country) if rng.random() < 0.5 else "",
        "jobtitle": rng.choice(TITLES),
        "country": _country(rng, person),
        "industry": standing.company.industry if standing and rng.random() < 0.4 else "",
        "numemployees": _band(standing.employees) if standing and banded else "",
        "hs_analytics_source": rng.choice(tuple(SOURCES.values())),
        "hs_lead_status": rng.choice(tuple(STATUSES.values())),
        "lifecyclestage": "opportunity" if person.converted else rng.choice(LEAD_STAGES),
        "do_not_route": "true" if person.do_not_route else "",
        "hs_email_optout": "true" if person.opted_out else "",
        "hs_legal_basis": rng.choice(BASES) if rng.random() < share.LEGAL_BASIS_SHARE else "",
        "associatedcompanyid": hubspot_company_id(linked.number) if linked and rng.random() < 0.85 else "",
    }
    owner = hubspot_owner_id(person.owner.number) if person.owner else ""
    return _row(person.number, properties, owner, person.created_at, person.modified_at)


def _customer(rng: random.Random, number: int, standing: Standing, as_of: datetime) -> Row:
    at = as_of - timedelta(days=rng.randrange(10, 400))
    properties = {
        "email": f"accounts.{number}@{standing.company.domain}",
        "lastname": "Accounts",
        "company": standing.company.name,
        "lifecyclestage": rng.choice(("customer", "customer", "evangelist", "other")),
        "associatedcompanyid": hubspot_company_id(standing.number),
    }
    return _row(number, properties, "", at, at)


def _row(number: int, properties: dict[str, str], owner_id: str, created_at: datetime, modified_at: datetime) -> Row:
    """As HubSpot lists it: a property that never had a value is absent, the owner's is always there."""
    created, modified = hubspot_instant(created_at), hubspot_instant(modified_at)
    return {
        "id": hubspot_contact_id(number),
        "properties": {name: value for name, value in properties.items() if value}
        | {"hubspot_owner_id": owner_id, "createdate": created, "lastmodifieddate": modified},
        "createdAt": created,
        "updatedAt": modified,
        "archived": False,
    }


def _country(rng: random.Random, person: Inbound) -> str:
    if rng.random() < share.LEAD_NO_COUNTRY_SHARE:
        return ""
    return spelled_country(rng, person.country, share.COUNTRY_CODE_SHARE, share.COUNTRY_VARIANT_SHARE)


def _band(employees: int) -> str:
    """HubSpot's property of contacts holds a band, not a number."""
    return next((band for below, band in BANDS if employees < below), "1000+")
