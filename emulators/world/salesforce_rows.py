"""Salesforce as the world shows it: users, queues, accounts, teams and opportunities, with the API's field names.

Field names and types follow the describe of the standard objects; `__c` fields are Northwind's own.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from emulators.world import proportions as share
from emulators.world.ids import salesforce_id, stripe_id
from emulators.world.instants import between, salesforce_instant
from emulators.world.people import Person
from emulators.world.spellings import STATE_NAMES, other_name, other_website, phone_number, spelled_country
from emulators.world.standings import Standing

Row = dict[str, Any]

OPEN_STAGES = ("Prospecting", "Qualification", "Needs Analysis", "Proposal/Price Quote", "Negotiation/Review")
OPEN_DEAL_SHARE = 0.15  # of accounts that were given to somebody, reps who left among them
# A right-to-left override and a bell, as pasted from a document: both are legal in a Name and break naive output.
UNREADABLE_NAME = "{name}\u202e\u05d7\u05d1\u05e8\u05d4\x07"


def user_id(person: Person) -> str:
    return salesforce_id("005", person.number)


def account_id(number: int) -> str:
    return salesforce_id("001", number)


def user_rows(people: Sequence[Person], as_of: datetime) -> list[Row]:
    """Everyone, with those who left inactive. The integration user is active: it owns what nobody owns."""
    created = salesforce_instant(as_of - timedelta(days=6 * 365))
    return [
        {
            "Id": user_id(person),
            "Username": person.email,
            "Name": person.name,
            "FirstName": person.name.rsplit(" ", 1)[0],
            "LastName": person.name.rsplit(" ", 1)[-1],
            "Email": person.email,
            "IsActive": person.active,
            "UserType": "Standard",
            "CreatedDate": created,
            "LastModifiedDate": created,
            "SystemModstamp": created,
        }
        for person in people
    ]


def queue_rows(as_of: datetime) -> list[Row]:
    """Two queues. Salesforce lets a queue own leads and cases but never an account."""
    created = salesforce_instant(as_of - timedelta(days=6 * 365))
    names = ("Inbound Triage", "Renewals Desk")
    return [
        {
            "Id": salesforce_id("00G", number),
            "Name": name,
            "DeveloperName": name.replace(" ", "_"),
            "Type": "Queue",
            "CreatedDate": created,
            "LastModifiedDate": created,
            "SystemModstamp": created,
        }
        for number, name in enumerate(names)
    ]


def account_rows(standings: Sequence[Standing], integration: Person, seed: int) -> list[Row]:
    """One account for each company Salesforce knows, in the order of their numbers. Duplicates come separately."""
    rng = random.Random(f"{seed}:accounts")
    present = {standing.number for standing in standings if standing.in_salesforce}
    return [_account(rng, standing, integration, present) for standing in standings if standing.in_salesforce]


def plant_parent_cycle(accounts: Sequence[Row]) -> list[str]:
    """Make the first child's parent a child of that child; returns the two ids.

    Salesforce's screens refuse this; data loaded while a trigger was off has it all the same.
    """
    child = next(account for account in accounts if account["ParentId"])
    parent = next(account for account in accounts if account["Id"] == child["ParentId"])
    parent["ParentId"] = child["Id"]
    return [child["Id"], parent["Id"]]


def plant_unreadable_name(accounts: Sequence[Row], kept: frozenset[str], seed: int) -> str:
    """Put control and right-to-left characters into one account's name; returns its id. `kept` ids are spared."""
    rng = random.Random(f"{seed}:unreadable")
    account = rng.choice([row for row in accounts if row["Id"] not in kept])
    account["Name"] = UNREADABLE_NAME.format(name=account["Name"])
    return str(account["Id"])


def duplicate_rows(
    standings: Sequence[Standing], accounts: Sequence[Row], people: Sequence[Person], first_number: int, seed: int
) -> tuple[list[Row], list[tuple[str, str]], list[tuple[str, str]]]:
    """The same companies entered again: the rows, all (original, duplicate) pairs, and the pairs whose owners differ.

    A duplicate is younger, spelled otherwise, and often has no website.
    """
    rng = random.Random(f"{seed}:duplicates")
    by_id = {row["Id"]: row for row in accounts}
    owned = {s.number: s for s in standings if s.in_salesforce and s.owner and s.owner.active and s.parent is None}
    wanted = share.count(share.DUPLICATE_SHARE, len(standings))
    chosen = rng.sample(sorted(owned), wanted)
    conflicting = chosen[: share.count(share.CONFLICTING_DUPLICATES, wanted)]
    rows, pairs = [], []
    for offset, number in enumerate(chosen):
        standing, original = owned[number], by_id[account_id(number)]
        row = _duplicate(rng, standing, original, account_id(first_number + offset))
        if number in conflicting:
            row["OwnerId"] = user_id(rng.choice(_rivals(standing, people)))
        rows.append(row)
        pairs.append((original["Id"], row["Id"]))
    return rows, pairs, pairs[: len(conflicting)]


def team_member_rows(accounts: Sequence[Row], people: Sequence[Person], seed: int) -> list[Row]:
    """Customers have a CSM beside their owner, some prospects an SDR. These rows vanish on an owner change."""
    rng = random.Random(f"{seed}:teams")
    csms = [p for p in people if p.role == "csm" and p.active]
    sdrs = [p for p in people if p.role == "sdr" and p.active]
    rows: list[Row] = []
    for account in accounts:
        customer = account["Type"] == "Customer - Direct"
        if customer or rng.random() < 0.08:
            person = rng.choice(csms if customer else sdrs)
            role = "Customer Success Manager" if customer else "Sales Development Rep"
            rows.append(_team_member(len(rows), account, person, role))
    return rows


def opportunity_rows(accounts: Sequence[Row], seller_ids: frozenset[str], as_of: datetime, seed: int) -> list[Row]:
    """Open deals on some accounts, owned by whoever owns the account, even where that rep has left."""
    rng = random.Random(f"{seed}:opportunities")
    rows: list[Row] = []
    for account in accounts:
        if account["OwnerId"] in seller_ids and rng.random() < OPEN_DEAL_SHARE:
            rows.append(_opportunity(rng, len(rows), account, as_of))
    return rows


def _account(rng: random.Random, standing: Standing, integration: Person, present: set[int]) -> Row:
    company = standing.company
    modified = salesforce_instant(standing.modified_at)
    owner = standing.owner or integration
    return {
        "Id": account_id(standing.number),
        "Name": company.name,
        "Website": company.website or None,
        **_billing_address(rng, standing),
        "Phone": phone_number(rng, company.country),
        "Industry": company.industry or None,
        "NumberOfEmployees": standing.employees if rng.random() < share.EMPLOYEES_SHARE else None,
        "Type": "Customer - Direct" if standing.pays else rng.choice(("Prospect", "Prospect", "Prospect", None)),
        "ParentId": account_id(standing.parent) if standing.parent in present else None,
        "OwnerId": user_id(owner),
        "CreatedDate": salesforce_instant(standing.created_at),
        "LastModifiedDate": modified,
        "LastModifiedById": user_id(owner if owner.active else integration),
        "SystemModstamp": modified,
        "LastActivityDate": standing.active_at.date().isoformat() if standing.active_at else None,
        "IsDeleted": False,
        "Segment__c": standing.segment if rng.random() < share.SEGMENT_SHARE else None,
        "Do_Not_Route__c": standing.do_not_route,
        "Primary_Contact_Email__c": f"procurement@{company.domain}"
        if rng.random() < share.PRIMARY_CONTACT_SHARE
        else None,
        "Billing_Customer_Id__c": stripe_id("cus", standing.number)
        if standing.pays and rng.random() < share.CRM_KNOWS_STRIPE_SHARE
        else None,
    }


def _billing_address(rng: random.Random, standing: Standing) -> Row:
    company = standing.company
    country = spelled_country(rng, company.country, share.COUNTRY_CODE_SHARE, share.COUNTRY_VARIANT_SHARE)
    in_full = company.country == "United States" and rng.random() < share.STATE_NAME_SHARE
    state = STATE_NAMES.get(company.state, company.state) if in_full else company.state
    return {
        "BillingCountry": country if standing.has_country else None,
        "BillingState": state or None,
        "BillingCity": company.city or None,
        "BillingPostalCode": company.postcode or None,
    }


def _duplicate(rng: random.Random, standing: Standing, original: Row, new_id: str) -> Row:
    instant = salesforce_instant(between(rng, standing.created_at, standing.modified_at))
    return {
        **original,
        "Id": new_id,
        "Name": other_name(rng, standing.company.name),
        "Website": other_website(rng, standing.company.domain) if rng.random() < 0.6 else None,
        "NumberOfEmployees": None,
        "ParentId": None,
        "CreatedDate": instant,
        "LastModifiedDate": instant,
        "SystemModstamp": instant,
        "LastActivityDate": None,
        "Segment__c": None,
        "Primary_Contact_Email__c": None,
        "Billing_Customer_Id__c": None,
    }


def _rivals(standing: Standing, people: Sequence[Person]) -> list[Person]:
    """Active sellers who could claim the company: of the same team if there are others, else of any team."""
    others = [p for p in people if p.role == "ae" and p.active and p != standing.owner]
    return [p for p in others if p.team == standing.team] or others


def _team_member(number: int, account: Mapping[str, Any], person: Person, role: str) -> Row:
    return {
        "Id": salesforce_id("01M", number),
        "AccountId": account["Id"],
        "UserId": user_id(person),
        "TeamMemberRole": role,
        "AccountAccessLevel": "Edit",
        "OpportunityAccessLevel": "Read",
        "CaseAccessLevel": "Read",
        "ContactAccessLevel": "Read",
        "IsDeleted": False,
        "CreatedDate": account["CreatedDate"],
        "LastModifiedDate": account["CreatedDate"],
        "SystemModstamp": account["CreatedDate"],
    }


def _opportunity(rng: random.Random, number: int, account: Mapping[str, Any], as_of: datetime) -> Row:
    opened = salesforce_instant(as_of - timedelta(days=rng.randrange(5, 120)))
    return {
        "Id": salesforce_id("006", number),
        "Name": f"{account['Name'][:80]} - {rng.choice(('New business', 'Expansion', 'Renewal'))}",
        "AccountId": account["Id"],
        "OwnerId": account["OwnerId"],
        "StageName": rng.choice(OPEN_STAGES),
        "IsClosed": False,
        "IsWon": False,
        "Amount": float(rng.randrange(4, 250) * 1_000),
        "CloseDate": (as_of + timedelta(days=rng.randrange(10, 150))).date().isoformat(),
        "IsDeleted": False,
        "CreatedDate": opened,
        "LastModifiedDate": opened,
        "SystemModstamp": opened,
    }


def spared_ids(pairs: Sequence[tuple[str, str]], cycle: Sequence[str]) -> frozenset[str]:
    """Accounts that already carry one planted case and should not carry a second."""
    return frozenset(identifier for pair in (*pairs, tuple(cycle)) for identifier in pair)
