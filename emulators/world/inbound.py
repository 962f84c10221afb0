"""The people who came to Northwind Data by themselves: who they are, for whom they work, who was given them.

This is the truth of the world. `lead_rows` shows it as each CRM would. Their names are those of our own people, mixed.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.world import proportions as share
from emulators.world.instants import between
from emulators.world.market import MID_MARKET_TEAM
from emulators.world.people import Person
from emulators.world.spellings import other_name
from emulators.world.standings import Standing, pick
from emulators.world.usage_rows import FREE_MAIL_DOMAINS

BY_DOMAIN, BY_NAME, UNKNOWN_COMPANY, NO_COMPANY = "mail domain", "company name", "unknown company", "no company"
UNKNOWN_COMPANIES = ("Brightwater Foods", "Kestrel Logistics", "Lumen & Field", "Ostrava Tooling", "Pine Harbor Labs")
COUNTRIES = ("United States", *MID_MARKET_TEAM)


@dataclass(frozen=True, slots=True)
class Inbound:
    """One person. `standing` is the company they work for, where the world has it; `told_by` is all that tells so.

    `company` is its name as they typed it. `owner` is None where nobody was given them. `converted`: made part of
    their company's account since.
    """

    number: int
    first_name: str
    last_name: str
    email: str
    company: str | None
    told_by: str
    standing: Standing | None
    country: str
    owner: Person | None
    in_salesforce: bool
    in_hubspot: bool
    converted: bool
    opted_out: bool
    do_not_route: bool
    created_at: datetime
    modified_at: datetime


def settle_inbound(
    standings: Sequence[Standing], people: Sequence[Person], seed: int, as_of: datetime
) -> tuple[Inbound, ...]:
    """Everybody who came in during the last half year, as of `as_of`. Same arguments, same people."""
    rng = random.Random(f"{seed}:inbound")
    count = share.count(share.INBOUND_SHARE, len(standings))
    names, numbers = _names(rng, people), range(count)
    # A subsidiary shares its parent's domain, which would then tell two companies.
    employers = [s for s in standings if s.in_a_crm and s.company.key == s.company.domain]
    told = _told_by(rng, count)
    both = pick(rng, numbers, share.count(share.INBOUND_BOTH_SHARE, count))
    hubspot_alone = pick(rng, set(numbers) - both, share.count(share.INBOUND_HUBSPOT_SHARE, count))
    departed = pick(rng, set(numbers) - hubspot_alone, share.count(share.INBOUND_DEPARTED_SHARE, count))
    unassigned = pick(rng, set(numbers) - departed, share.count(share.INBOUND_UNASSIGNED_SHARE, count))
    opted_out = pick(rng, numbers, share.count(share.OPTED_OUT_SHARE, count))
    do_not_route = pick(rng, numbers, share.count(share.DO_NOT_ROUTE_SHARE, count))
    found = []
    for number in numbers:
        employer = rng.choice(employers) if told[number] in (BY_DOMAIN, BY_NAME) else None
        first_name, last_name = next(names)
        created_at = between(rng, as_of - timedelta(days=180), as_of - timedelta(hours=2))
        in_salesforce = number not in hubspot_alone
        convertible = in_salesforce and employer is not None and employer.in_salesforce
        found.append(
            Inbound(
                number=number,
                first_name=first_name,
                last_name=last_name,
                email=_email(rng, number, first_name, last_name, told[number], employer),
                company=_company(rng, number, told[number], employer),
                told_by=told[number],
                standing=employer,
                country=employer.company.country if employer else rng.choice(COUNTRIES),
                owner=_owner(rng, people, employer, number in departed) if number not in unassigned else None,
                in_salesforce=in_salesforce,
                in_hubspot=number in both | hubspot_alone,
                converted=convertible and rng.random() < share.CONVERTED_SHARE,
                opted_out=number in opted_out,
                do_not_route=number in do_not_route,
                created_at=created_at,
                modified_at=between(rng, created_at, as_of - timedelta(hours=1)),
            )
        )
    return tuple(found)


def _told_by(rng: random.Random, count: int) -> list[str]:
    """How much each person says of their company, in shuffled order; every way there is, in a small world too."""
    by_name = share.count(share.INBOUND_BY_NAME_SHARE, count)
    unknown = share.count(share.INBOUND_UNKNOWN_SHARE, count)
    nothing = share.count(share.INBOUND_NO_COMPANY_SHARE, count)
    told = [BY_NAME] * by_name + [UNKNOWN_COMPANY] * unknown + [NO_COMPANY] * nothing
    told += [BY_DOMAIN] * (count - len(told))
    rng.shuffle(told)
    return told


def _names(rng: random.Random, people: Sequence[Person]) -> Iterator[tuple[str, str]]:
    """First and last names of our own people, mixed, so that nobody outside is one of them."""
    parts = [person.name.rsplit(" ", 1) for person in people if person.human]
    mixed = [(first, last) for first, _ in parts for _, last in parts if [first, last] not in parts]
    rng.shuffle(mixed)
    return iter(mixed)


def _email(
    rng: random.Random, number: int, first_name: str, last_name: str, told_by: str, employer: Standing | None
) -> str:
    mailbox = ".".join(_plain(name) for name in (first_name, last_name))
    if told_by == BY_DOMAIN and employer is not None:
        office = "eu." if rng.random() < share.SUBDOMAIN_SHARE else ""
        return f"{mailbox}@{office}{employer.company.domain}"
    if told_by == UNKNOWN_COMPANY:
        return f"{mailbox}@{_plain(_unknown_company(number))}.example"
    return f"{mailbox}.nd{number}@{rng.choice(FREE_MAIL_DOMAINS)}"


def _company(rng: random.Random, number: int, told_by: str, employer: Standing | None) -> str | None:
    if told_by == NO_COMPANY:
        return None
    if employer is None:
        return _unknown_company(number)
    name = employer.company.name
    return other_name(rng, name) if rng.random() < share.NAME_VARIANT_SHARE else name


def _unknown_company(number: int) -> str:
    return UNKNOWN_COMPANIES[number % len(UNKNOWN_COMPANIES)]


def _owner(rng: random.Random, people: Sequence[Person], employer: Standing | None, departed: bool) -> Person:
    """A rep who has left, the owner of the company, or an SDR, who takes what comes in."""
    if departed:
        return rng.choice([person for person in people if person.role == "ae" and not person.active])
    of_company = employer.owner if employer else None
    if of_company is not None and of_company.active and rng.random() < share.INBOUND_OWNER_OF_COMPANY_SHARE:
        return of_company
    return rng.choice([person for person in people if person.role == "sdr" and person.active])


def _plain(name: str) -> str:
    """Lower-case letters without accents, as mailboxes and domains have them."""
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())
