"""The values that ownership is about: accounts, reps, decisions. Plain, immutable, and nothing happens here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # working time is made of periods, and so comes after this
    from ownership.worktime import Calendar

ACCOUNT, LEAD = "account", "lead"
PERSON, QUEUE = "rep", "queue"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One outside system's view of a company, with the field names of the domain rather than the vendor's.

    Strings are as the vendor gave them, stripped; an empty one is None. Money is integer cents.
    `links` are ids of the same company in other systems, as this system knows them: {"stripe": "cus_…"}. `extra` are
    fields that only the policy knows, or that only it can say where to read, by their names there.
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
    extra: Mapping[str, Any] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """One outside system's view of an inbound person who is not yet part of an account.

    `account_external_id` is the account it belongs to in the same system, if that says so; one that is `converted` has
    become part of it. `consent` None: nobody has said. Everything else as in `AccountRecord`.
    """

    source: str
    object_type: str
    external_id: str
    name: str | None
    company: str | None = None
    email: str | None = None
    website: str | None = None
    phone: str | None = None
    title: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    postcode: str | None = None
    industry: str | None = None
    employees: int | None = None
    lead_source: str | None = None
    status: str | None = None
    owner_external_id: str | None = None
    do_not_route: bool = False
    consent: bool | None = None
    account_external_id: str | None = None
    converted: bool = False
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    modified_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Where an account lives in an outside system."""

    source: str
    object_type: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """A company we sell to or serve, as all systems together describe it; or, of `kind` "lead", an inbound person.

    `fields` holds what conditions may ask for (see `ownership.conditions.FIELDS`); missing means unknown.
    `crm_owners` is what each CRM record shows as its owner, as a rep id, or "?<vendor user id>" when that user
    is nobody on the roster. `parent_id` of a lead is the account it belongs to.
    """

    id: str
    name: str
    fields: Mapping[str, Any]
    refs: tuple[Ref, ...] = ()
    parent_id: str | None = None
    crm_owners: Mapping[Ref, str] = field(default_factory=dict)
    kind: str = ACCOUNT


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
class Ramp:
    """Up to its last day (ISO date) a new rep gets this percentage of a full share of turns and of their capacity."""

    until: str
    percent: int


@dataclass(frozen=True, slots=True)
class Rep:
    """Anyone who can own: a rep, or of `kind` "queue" a list that people work through together.

    `external_ids` is one user id for each outside system. `leave` are the periods in which they are given nothing;
    they keep what they have. `calendar` says when they work (None: not said, nine to five in their time zone).
    `left_on` (ISO date) is the last day; a rep who has left is on the roster so that history keeps its names.
    A queue has no working hours, no capacity and is asked to accept nothing.
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
    calendar: Calendar | None = None
    ramp: tuple[Ramp, ...] = ()
    kind: str = PERSON

    def percent_on(self, day: str) -> int:
        """How much of a full share is theirs on `day` (ISO date): 100 unless they are still ramping up."""
        return next((step.percent for step in self.ramp if day <= step.until), 100)

    def capacity_on(self, day: str) -> int | None:
        """How many accounts they can own on `day`, None without limit."""
        return None if self.capacity is None else self.capacity * self.percent_on(day) // 100


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
class Afterwards:
    """What follows when an owner who has an account for a time has had it: it returns to `returns_to`, or, when that
    is None, is decided as if nobody had it."""

    returns_to: str | None = None


@dataclass(frozen=True, slots=True)
class TeamMember:
    """Who fills one supporting role on an account, None when nobody can, and why."""

    role: str
    rep_id: str | None
    because: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Who should own an account and why. Same account, policy, roster and turns give the same decision.

    `reason` is a stable code: the rule's kind for an owner ("named", "existing_owner", "territory", "pool", …),
    the exception's code otherwise ("missing_data", "no_rule", …).
    `turn` names the pool whose turn this decision took, None when it took none. `team` are the supporting roles.
    `afterwards` says what follows when the owner has the account for a time only. `meanwhile` is whose the account is
    until `owner_id` has accepted it; None: it is theirs at once.
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
    team: tuple[TeamMember, ...] = ()
    afterwards: Afterwards | None = None
    meanwhile: str | None = None

    @property
    def owner_of_record(self) -> str | None:
        """Whose the account is by this decision; None for an exception, which changes nothing."""
        return self.meanwhile or self.owner_id
