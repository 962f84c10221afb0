"""Where each company stands with Northwind Data: who knows it, who was given it, what it buys.

This is the truth of the world. The `*_rows` modules show it as each tool would, with that tool's mistakes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.world import proportions as share
from emulators.world.companies import Company
from emulators.world.instants import between
from emulators.world.market import employees_of, segment_of, team_of
from emulators.world.people import Person


@dataclass(frozen=True, slots=True)
class Standing:
    """One company's true standing. `number` is its place in the world and makes its ids.

    `owner` is None when nobody was ever given the company. `parent` is the parent's number.
    """

    number: int
    company: Company
    employees: int
    segment: str
    team: str | None
    owner: Person | None
    parent: int | None
    in_salesforce: bool
    in_hubspot: bool
    pays: bool
    has_country: bool
    do_not_route: bool
    created_at: datetime
    modified_at: datetime
    active_at: datetime | None

    @property
    def in_a_crm(self) -> bool:
        return self.in_salesforce or self.in_hubspot

    @property
    def in_both(self) -> bool:
        return self.in_salesforce and self.in_hubspot

    @property
    def is_shadow(self) -> bool:
        """It pays us and no CRM knows it."""
        return self.pays and not self.in_a_crm


def settle_standings(
    companies: Sequence[Company], people: Sequence[Person], size: int, seed: int, as_of: datetime
) -> tuple[Standing, ...]:
    """Choose `size` companies and decide each one's standing as of `as_of`. Same arguments, same standings."""
    rng = random.Random(f"{seed}:standings")
    chosen = _choose_companies(companies, size, rng)
    known = _Knowledge(chosen, rng)
    owners = _give_owners(chosen, people, rng)
    numbers = range(len(chosen))
    no_country = pick(rng, numbers, share.count(share.NO_COUNTRY_SHARE, size))
    do_not_route = pick(rng, numbers, share.count(share.DO_NOT_ROUTE_SHARE, size))
    place = {company.key: number for number, company in enumerate(chosen)}
    standings = []
    for number, company in enumerate(chosen):
        employees = employees_of(company)
        created_at = between(rng, as_of - timedelta(days=5 * 365), as_of - timedelta(days=20))
        standings.append(
            Standing(
                number=number,
                company=company,
                employees=employees,
                segment=segment_of(employees),
                team=team_of(company, employees),
                owner=owners.get(number),
                parent=place[company.parent] if company.parent else None,
                in_salesforce=number in known.salesforce,
                in_hubspot=number in known.hubspot,
                pays=number in known.payers,
                has_country=number not in no_country,
                do_not_route=number in do_not_route,
                created_at=created_at,
                modified_at=between(rng, max(created_at, as_of - timedelta(days=400)), as_of - timedelta(hours=1)),
                active_at=_last_activity(rng, created_at, as_of),
            )
        )
    return tuple(standings)


def pick(rng: random.Random, numbers: Iterable[int], count: int) -> frozenset[int]:
    """Up to `count` of these numbers, each as likely as another."""
    candidates = sorted(numbers)
    return frozenset(rng.sample(candidates, min(count, len(candidates))))


def _choose_companies(companies: Sequence[Company], size: int, rng: random.Random) -> list[Company]:
    """Every parent, the right share of subsidiaries, and others up to `size`, in a shuffled order.

    Further subsidiaries come in only when every other company is already there.
    """
    if not share.SMALLEST_WORLD <= size <= len(companies):
        raise ValueError(f"a world has {share.SMALLEST_WORLD} to {len(companies)} companies, not {size}")
    parents = {company.parent for company in companies if company.parent}
    children = [company for company in companies if company.parent]
    others = [company for company in companies if not company.parent and company.key not in parents]
    chosen = [company for company in companies if company.key in parents]
    chosen += rng.sample(children, min(len(children), share.count(share.SUBSIDIARY_SHARE, size)))
    chosen += rng.sample(others, min(len(others), size - len(chosen)))
    taken = {company.key for company in chosen}
    chosen += [company for company in children if company.key not in taken][: size - len(chosen)]
    rng.shuffle(chosen)
    return chosen


class _Knowledge:
    """Which tool knows which company. Families are always in Salesforce, where the hierarchy is kept."""

    def __init__(self, chosen: Sequence[Company], rng: random.Random) -> None:
        size = len(chosen)
        parents = {company.parent for company in chosen if company.parent}
        family = {n for n, company in enumerate(chosen) if company.parent or company.key in parents}
        rest = set(range(size)) - family
        self.salesforce = family | pick(rng, rest, share.count(share.SALESFORCE_SHARE, size) - len(family))
        shadow = pick(rng, rest - self.salesforce, share.count(share.SHADOW_SHARE, size))
        both = pick(rng, self.salesforce, share.count(share.BOTH_CRMS_SHARE, size))
        self.hubspot = both | (rest - self.salesforce - shadow)
        self.payers = shadow | pick(rng, rest - shadow, share.count(share.PAYING_SHARE, size))


def _give_owners(chosen: Sequence[Company], people: Sequence[Person], rng: random.Random) -> dict[int, Person]:
    """The owner of each company that has one: most fit their team, some have left, a few never fitted."""
    sellers = [person for person in people if person.role == "ae"]
    team_at = {number: team_of(company, employees_of(company)) for number, company in enumerate(chosen)}
    uncovered = {number for number, team in team_at.items() if team is None}
    covered = team_at.keys() - uncovered
    missing = share.count(share.UNASSIGNED_SHARE, len(chosen)) - len(uncovered)
    owned = covered - pick(rng, covered, max(0, missing))
    left_teams = {person.team for person in sellers if not person.active}
    of_departed = pick(
        rng, (n for n in owned if team_at[n] in left_teams), share.count(share.DEPARTED_SHARE, len(chosen))
    )
    misplaced = pick(rng, owned - of_departed, share.count(share.MISPLACED_SHARE, len(chosen)))
    owners = {}
    for number in sorted(owned):
        team = team_at[number]
        owners[number] = rng.choice(
            [
                person
                for person in sellers
                if person.active == (number not in of_departed) and (person.team == team) == (number not in misplaced)
            ]
        )
    return owners


def _last_activity(rng: random.Random, created_at: datetime, as_of: datetime) -> datetime | None:
    """Most accounts were touched this quarter, some long ago, some never."""
    draw = rng.random()
    if draw < 0.15:
        return None
    since = as_of - timedelta(days=90 if draw < 0.75 else 500)
    return between(rng, max(created_at, since), as_of)
