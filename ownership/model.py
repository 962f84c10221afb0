"""The values that ownership is about: accounts, reps, decisions. Plain, immutable, and nothing happens here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One outside system's view of a company, with the field names of the domain rather than the vendor's.

    Strings are as the vendor gave them, stripped; an empty one is None. Money is integer cents.
    `links` are ids of the same company in other systems, as this system knows them: {"stripe": "cus_…"}.
    """

    source: str
    object_type: str
    external_id: str
    name: str | None
    website: str | None = None
    email: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    postcode: str | None = None
    phone: str | None = None
    industry: str | None = None
    employees: int | None = None
    type: str | None = None
    segment: str | None = None
    parent_external_id: str | None = None
    owner_external_id: str | None = None
    primary_contact: str | None = None
    do_not_route: bool = False
    links: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountFact:
    """Something billing or product usage says of an account known by `external_id` in `source`.

    `values` are added to the account's fields: `mrr_cents`, `subscription_status`, `active_seats`, …
    """

    source: str
    external_id: str
    values: Mapping[str, Any]
    name: str | None = None
    email: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Where an account lives in an outside system."""

    source: str
    object_type: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """A company we sell to or serve, as all systems together describe it.

    `fields` holds what conditions may ask for (see `ownership.conditions.FIELDS`); missing means unknown.
    `crm_owners` is what each CRM record shows as its owner, as a rep id, or "?<vendor user id>" when that user
    is nobody on the roster.
    """

    id: str
    name: str
    fields: Mapping[str, Any]
    refs: tuple[Ref, ...] = ()
    parent_id: str | None = None
    crm_owners: Mapping[Ref, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included, as ISO dates; None: without beginning, or without end."""

    since: str | None = None
    until: str | None = None

    def holds_on(self, day: str) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)

    def meets(self, other: Period) -> bool:
        """Whether some day lies in both."""
        since = max(self.since or "", other.since or "")
        until = min(self.until or "9999-12-31", other.until or "9999-12-31")
        return since <= until


@dataclass(frozen=True, slots=True)
class Rep:
    """Anyone who can own. `external_ids` is one user id for each outside system.

    `leave` are the periods in which they are given nothing; they keep what they have.

    `left_on` (ISO date) is the last day; a rep who has left is on the roster so that history keeps its names.
    """

    id: str
    name: str
    email: str
    role: str
    team: str
    manager: str | None = None
    timezone: str = "UTC"
    capacity: int | None = None
    active: bool = True
    left_on: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    skills: frozenset[str] = frozenset()
    leave: tuple[Period, ...] = ()


class Outcome(StrEnum):
    OWNER = "owner"
    EXCEPTION = "exception"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule looked at on the way to a decision, and why it did or did not decide."""

    rule: str
    matched: bool
    because: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rep who was considered: chosen, or the first gate that ruled them out."""

    rep_id: str
    chosen: bool
    because: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who should own an account and why. Same account, policy, roster and turns give the same decision.

    `reason` is a stable code: the rule's kind for an owner ("named", "existing_owner", "territory", "pool", …),
    the exception's code otherwise ("missing_data", "no_rule", …).
    `turn` names the pool whose turn this decision took, None when it took none.
    """

    account_id: str
    outcome: Outcome
    reason: str
    rule: str
    owner_id: str | None = None
    path: tuple[Step, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    turn: str | None = None
    policy_hash: str = ""
    inputs_hash: str = ""
