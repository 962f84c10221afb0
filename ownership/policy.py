"""The policy as values: what the rules are, not how they are read from text (`config/policy_files.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ownership.conditions import ALWAYS, Condition
from ownership.model import Rep

STEPS = ("do_not_route", "gate", "named", "parent_owner", "existing_owner", "territory")
"""Every step a policy can order, in the default order; the catch-all exception always comes last."""


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account leadership has placed by hand, known by its web domain."""

    domain: str
    owner: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Territory:
    """A slice of the market. A child narrows its parent: both must hold. `owner` or `pool`, or neither on a branch.

    Among siblings the highest `priority` that holds wins; the loader refuses a tie it cannot order.
    """

    id: str
    name: str
    when: Condition = ALWAYS
    parent: str | None = None
    owner: str | None = None
    pool: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Pool:
    """Reps who take turns; weights are whole numbers, a rep with weight 2 gets twice the turns of one with 1."""

    id: str
    members: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Data an account must have before anybody can own it."""

    name: str
    when: Condition
    mend: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. Everything a decision reads that is neither account nor roster."""

    name: str
    order: tuple[str, ...] = STEPS
    requirements: tuple[Requirement, ...] = ()
    named: tuple[NamedAccount, ...] = ()
    territories: tuple[Territory, ...] = ()
    pools: tuple[Pool, ...] = ()
    system_of_record: str = "salesforce"
    acceptance_hours: int = 24
    acceptance_chain: tuple[str, ...] = ("next_in_line", "manager", "queue")
    policy_hash: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who can own, by id."""

    reps: Mapping[str, Rep]

    def present_on(self, day: str) -> frozenset[str]:
        """Reps who are there on `day` (ISO date): active, and not past their last day."""
        return frozenset(
            rep.id for rep in self.reps.values() if rep.active and (rep.left_on is None or rep.left_on >= day)
        )
