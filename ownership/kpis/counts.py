"""What figures are worked out of: counts by owner and territory, cut to one scope and one period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ownership.kpis.scopes import Scope
from ownership.model import QUEUE
from ownership.policy import Roster


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts by name of what is `owner_id`'s (None: nobody's) in a territory ("": in none), told apart by `label`."""

    owner_id: str | None
    territory: str
    counts: Mapping[str, int]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """One account or lead: first seen so many days ago, owned after so many hours; None: not yet. `accepted_after` are
    the hours from the first offer of it until one was accepted, None when none was."""

    days_ago: float
    hours: float | None
    accepted_after: float | None = None


Waits = Mapping[tuple[str | None, str], Sequence[Wait]]
"""By owner and territory."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in one period."""

    days: int
    offers: Sequence[Cell] = ()
    moves: Sequence[Cell] = ()
    drift: Sequence[Cell] = ()
    outcomes: Sequence[Cell] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """How the company is set up on one day (ISO date). `territories` are names by id."""

    day: str
    roster: Roster
    territories: Mapping[str, str] = field(default_factory=dict)
    overlays_count: bool = False

    @property
    def present(self) -> frozenset[str]:
        """Who has not left."""
        return self.roster.present_on(self.day)


@dataclass(frozen=True, slots=True)
class Slice:
    """Everything about one scope: its accounts, what happened in one period, and `loads`: how many accounts each rep
    who works in it has in all."""

    company: Company
    period: int
    accounts: Sequence[Cell]
    happened: Happened
    waits: Sequence[Wait]
    loads: Mapping[str, int]


def cut(company: Company, scope: Scope, accounts: Sequence[Cell], happened: Happened, waits: Waits) -> Slice:
    """What of all this is in the scope."""

    def within(cells: Sequence[Cell]) -> list[Cell]:
        return [cell for cell in cells if scope.holds(cell.owner_id, cell.territory)]

    mine = within(accounts)
    return Slice(
        company,
        happened.days,
        mine,
        Happened(happened.days, *map(within, (happened.offers, happened.moves, happened.drift, happened.outcomes))),
        [wait for of, some in waits.items() if scope.holds(*of) for wait in some if wait.days_ago <= happened.days],
        _loads(company, scope, accounts, mine),
    )


def total(cells: Iterable[Cell], name: str) -> int:
    return sum(cell.counts.get(name, 0) for cell in cells)


def by_label(cells: Iterable[Cell], name: str) -> Counter[str]:
    counts = Counter[str]()
    for cell in cells:
        counts[cell.label] += cell.counts.get(name, 0)
    return counts


def by_owner(cells: Iterable[Cell], name: str) -> Counter[str]:
    counts = Counter[str]()
    for cell in cells:
        if cell.owner_id is not None:
            counts[cell.owner_id] += cell.counts.get(name, 0)
    return counts


def _loads(company: Company, scope: Scope, accounts: Sequence[Cell], mine: Sequence[Cell]) -> dict[str, int]:
    """The whole books of the reps who are here and belong to the scope: by name, or by owning something in it."""
    books = by_owner(accounts, "accounts")
    if scope.territories is None:
        owners = scope.owners if scope.owners is not None else company.roster.reps.keys()
    else:
        owners = by_owner(mine, "accounts").keys()
    present = company.present
    return {id_: books[id_] for id_ in sorted(owners) if id_ in present and company.roster.reps[id_].kind != QUEUE}
