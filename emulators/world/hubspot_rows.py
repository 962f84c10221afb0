"""HubSpot as the world shows it: owners and companies, with CRM API v3 property names and string values.

A property that never had a value is absent, as HubSpot stores it; the API answers null for it when asked.
`hubspot_owner_id` is always present and "" where nobody owns the company.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from emulators.world import proportions as share
from emulators.world.ids import hubspot_company_id, hubspot_owner_id, hubspot_user_id, stripe_id
from emulators.world.instants import hubspot_instant
from emulators.world.people import Person
from emulators.world.salesforce_rows import account_id
from emulators.world.spellings import other_name, other_website, phone_number, spelled_country
from emulators.world.standings import Standing, pick

Row = dict[str, Any]

# An owner who was removed from HubSpot altogether: not even the archived list has this id.
OWNER_NOBODY_KNOWS = "68000111"
LONG_NAME_LENGTH = 40_000  # HubSpot takes 65,536 characters in a text property; Salesforce would stop at 255
LONG_NAME_WORD = "International "
HEAD_COUNT_IN_WORDS = "about 50"


def owner_rows(people: Sequence[Person], as_of: datetime) -> list[Row]:
    """Every person, with those who left archived. The integration user is no HubSpot owner."""
    created = hubspot_instant(as_of - timedelta(days=4 * 365))
    return [
        {
            "id": hubspot_owner_id(person.number),
            "userId": hubspot_user_id(person.number),
            "email": person.email,
            "firstName": person.name.rsplit(" ", 1)[0],
            "lastName": person.name.rsplit(" ", 1)[-1],
            "type": "PERSON",
            "archived": not person.active,
            "createdAt": created,
            "updatedAt": created,
        }
        for person in people
        if person.human
    ]


class Disagreements:
    """Which companies HubSpot shows differently than Salesforce does, by number."""

    def __init__(self, standings: Sequence[Standing], seed: int) -> None:
        rng = random.Random(f"{seed}:disagreements")
        both = [s.number for s in standings if s.in_both]
        shown = [s.number for s in standings if s.in_hubspot]
        self.with_crosswalk = pick(rng, both, share.count(share.CROSSWALK_SHARE, len(both)))
        unlinked = set(both) - self.with_crosswalk
        self.without_domain = pick(rng, unlinked, share.count(share.NO_DOMAIN_SHARE, len(both)))
        self.other_name = pick(rng, shown, share.count(share.NAME_VARIANT_SHARE, len(shown))) - self.without_domain
        self.other_site = pick(rng, shown, share.count(share.WEBSITE_VARIANT_SHARE, len(shown))) - self.without_domain
        owned = [s.number for s in standings if s.in_both and s.owner and s.owner.active]
        self.other_owner = pick(rng, owned, share.count(share.OTHER_OWNER_SHARE, len(both)))


def company_rows(
    standings: Sequence[Standing], people: Sequence[Person], disagreements: Disagreements, seed: int
) -> list[Row]:
    """One company for each that HubSpot knows, in the order of their numbers."""
    rng = random.Random(f"{seed}:companies")
    present = {standing.number for standing in standings if standing.in_hubspot}
    sellers = [person for person in people if person.role == "ae" and person.active]
    return [_company(rng, standing, sellers, disagreements, present) for standing in standings if standing.in_hubspot]


def plant_wrong_crosswalk(companies: Sequence[Row], standings: Sequence[Standing], seed: int) -> tuple[str, str]:
    """Give one HubSpot-only company the Salesforce id of a company in another country; returns both ids."""
    rng = random.Random(f"{seed}:wrong crosswalk")
    candidate = rng.choice([s for s in standings if s.in_hubspot and not s.in_salesforce and s.has_country])
    victim = rng.choice(
        [
            s
            for s in standings
            if s.in_salesforce and not s.in_hubspot and s.has_country and s.company.country != candidate.company.country
        ]
    )
    company = _row_of(companies, candidate.number)
    company["properties"]["salesforceaccountid"] = account_id(victim.number)
    return company["id"], account_id(victim.number)


def plant_malformed(companies: Sequence[Row], standings: Sequence[Standing], seed: int) -> dict[str, str]:
    """Three HubSpot-only companies that a reader must survive; returns the id of each by what is wrong with it."""
    rng = random.Random(f"{seed}:malformed")
    spare = [
        s.number
        for s in standings
        if s.in_hubspot
        and not s.in_salesforce
        and not s.pays
        and "salesforceaccountid" not in _row_of(companies, s.number)["properties"]
    ]
    long_name, in_words, unknown_owner = (_row_of(companies, number) for number in rng.sample(spare, 3))
    name = long_name["properties"]["name"]
    repeats = LONG_NAME_LENGTH // len(LONG_NAME_WORD) + 1
    long_name["properties"]["name"] = f"{name} {LONG_NAME_WORD * repeats}"[:LONG_NAME_LENGTH]
    in_words["properties"]["numberofemployees"] = HEAD_COUNT_IN_WORDS
    unknown_owner["properties"]["hubspot_owner_id"] = OWNER_NOBODY_KNOWS
    return {"long_name": long_name["id"], "head_count_in_words": in_words["id"], "unknown_owner": unknown_owner["id"]}


def _company(
    rng: random.Random,
    standing: Standing,
    sellers: Sequence[Person],
    disagreements: Disagreements,
    present: set[int],
) -> Row:
    created = hubspot_instant(standing.created_at)
    # A note or a call touches the company itself here, unlike in Salesforce.
    updated = hubspot_instant(max(standing.modified_at, standing.active_at or standing.modified_at))
    properties = {
        **_identity(rng, standing, disagreements),
        **_place(rng, standing),
        **_facts(rng, standing),
        "hs_parent_company_id": hubspot_company_id(standing.parent) if standing.parent in present else "",
        "createdate": created,
        "hs_lastmodifieddate": updated,
    }
    return {
        "id": hubspot_company_id(standing.number),
        "properties": {name: value for name, value in properties.items() if value}
        | {"hubspot_owner_id": _owner_id(rng, standing, sellers, disagreements)},
        "createdAt": created,
        "updatedAt": updated,
        "archived": False,
    }


def _identity(rng: random.Random, standing: Standing, disagreements: Disagreements) -> dict[str, str]:
    company, number = standing.company, standing.number
    website = other_website(rng, company.domain) if number in disagreements.other_site else company.website
    known = number not in disagreements.without_domain
    billed = standing.pays and rng.random() < share.CRM_KNOWS_STRIPE_SHARE
    return {
        "name": other_name(rng, company.name) if number in disagreements.other_name else company.name,
        "domain": company.domain if known else "",
        "website": website if known else "",
        "salesforceaccountid": account_id(number) if number in disagreements.with_crosswalk else "",
        "stripe_customer_id": stripe_id("cus", number) if billed else "",
    }


def _place(rng: random.Random, standing: Standing) -> dict[str, str]:
    company = standing.company
    country = spelled_country(rng, company.country, share.COUNTRY_CODE_SHARE / 2, share.COUNTRY_VARIANT_SHARE / 2)
    return {
        "country": country if standing.has_country else "",
        "state": company.state,
        "city": company.city,
        "zip": company.postcode,
        "phone": phone_number(rng, company.country),
    }


def _facts(rng: random.Random, standing: Standing) -> dict[str, str]:
    active_at = standing.active_at
    contact = rng.random() < share.PRIMARY_CONTACT_SHARE and standing.company.domain
    return {
        "industry": standing.company.industry,
        "numberofemployees": str(standing.employees) if rng.random() < share.EMPLOYEES_SHARE else "",
        "segment": standing.segment if rng.random() < share.SEGMENT_SHARE else "",
        "lifecyclestage": "customer"
        if standing.pays
        else rng.choice(("lead", "marketingqualifiedlead", "opportunity")),
        "do_not_route": "true" if standing.do_not_route else "false",
        "primary_contact_email": f"procurement@{standing.company.domain}" if contact else "",
        "notes_last_updated": hubspot_instant(active_at) if active_at else "",
    }


def _owner_id(rng: random.Random, standing: Standing, sellers: Sequence[Person], disagreements: Disagreements) -> str:
    if standing.owner is None:
        return ""
    if standing.number not in disagreements.other_owner:
        return hubspot_owner_id(standing.owner.number)
    others = [person for person in sellers if person != standing.owner]
    rivals = [person for person in others if person.team == standing.team] or others
    return hubspot_owner_id(rng.choice(rivals).number)


def _row_of(companies: Sequence[Row], number: int) -> Row:
    wanted = hubspot_company_id(number)
    return next(company for company in companies if company["id"] == wanted)
