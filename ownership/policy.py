"""The policy as values: what the rules are, not how they are read from text (`config/policy_files.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ownership.conditions import ALWAYS, Condition, Field
from ownership.drift import DriftGuard
from ownership.entries import (
    Acceptance,
    Dispute,
    DisputeClock,
    Keeping,
    Leads,
    NamedAccount,
    NoticeRule,
    Override,
    Pod,
    Pool,
    Registration,
    Requirement,
    Rule,
    SuppressionRule,
    TaskRule,
    TeamRole,
    Territory,
)
from ownership.model import QUEUE, Rep
from ownership.transfers import ON_OWNER_CHANGE, OnOwnerChange

STEPS = (
    "do_not_route",
    "dispute",
    "gate",
    "override",
    "named",
    "registration",
    "returned",
    "parent_owner",
    "existing_owner",
    "rules",
    "territory",
)
"""Every step a policy can order for accounts, in the default order; the catch-all exception always comes last."""

LEAD_STEPS = (
    "do_not_route",
    "dispute",
    "gate",
    "override",
    "returned",
    "existing_owner",
    "account_owner",
    "named",
    "registration",
    "sticky",
    "rules",
    "territory",
)
"""Every step a policy can order for leads, in the default order."""

OPTIONAL_STEPS = {
    "dispute": "disputes",
    "override": "overrides",
    "registration": "registrations",
    "returned": "overrides",
    "rules": "rules",
}
"""Steps an order may leave out while the policy's section of this name is empty."""


KEEPING, ACCEPTANCE, LEADS, DISPUTE_CLOCK, DRIFT = (
    Keeping(),
    Acceptance(),
    Leads(),
    DisputeClock(),
    DriftGuard(),
)  # what holds where a policy does not say


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the rules. Everything a decision reads that is neither account nor roster.

    `timezone` is where its dates begin and end. Children for which `follow_parent` holds follow their parent's owner.
    `leavers_move` "at_once": the accounts of who has left move on the day after their last; "next_business_day": they
    stay theirs, to be handed over by hand, until the end of the next day on which they would have worked.
    `overlays_count`: an account that only a supporting role is for counts as covered. `fields` are what conditions may
    ask beside `ownership.conditions.FIELDS`. `conflicting_owners` says what settles it when two owned accounts are one
    company (see `ownership.matching.survivor.POLICIES`). `on_owner_change` is what goes with an owner in a CRM.
    `exception_hours`: by when a person should have acted on an exception, by its kind, where the policy says.
    `notices` None: owners are told in Slack (`ownership.notices.TOLD_BY_DEFAULT`).
    """

    name: str
    order: tuple[str, ...] = STEPS
    requirements: tuple[Requirement, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    dispute_clock: DisputeClock = DISPUTE_CLOCK
    exception_hours: Mapping[str, float] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    named: tuple[NamedAccount, ...] = ()
    registrations: tuple[Registration, ...] = ()
    rules: tuple[Rule, ...] = ()
    territories: tuple[Territory, ...] = ()
    pools: tuple[Pool, ...] = ()
    pods: tuple[Pod, ...] = ()
    team: tuple[TeamRole, ...] = ()
    tasks: tuple[TaskRule, ...] = ()
    suppression: tuple[SuppressionRule, ...] = ()
    notices: tuple[NoticeRule, ...] | None = None
    system_of_record: str = "salesforce"
    timezone: str = "UTC"
    keeping: Keeping = KEEPING
    follow_parent: Condition = ALWAYS
    pins_bypass_capacity: bool = True
    pins_bypass_caps: bool = True
    leavers_move: str = "at_once"
    drift: DriftGuard = DRIFT
    overlays_count: bool = False
    acceptance: Acceptance = ACCEPTANCE
    leads: Leads = LEADS
    lead_order: tuple[str, ...] = LEAD_STEPS
    conflicting_owners: str = "exception"
    on_owner_change: OnOwnerChange = ON_OWNER_CHANGE
    fields: Mapping[str, Field] = field(default_factory=dict)
    policy_hash: str = field(default="", compare=False)

    @property
    def asked(self) -> tuple[str, ...]:
        """The steps for accounts that have anything to say."""
        return tuple(step for step in self.order if self._has_something(step))

    @property
    def asked_of_leads(self) -> tuple[str, ...]:
        """The steps for leads that have anything to say."""
        return tuple(step for step in self.lead_order if self._has_something(step))

    def _has_something(self, step: str) -> bool:
        if step == "sticky":
            return self.leads.sticky_days > 0
        if step == "override" and self.drift.human_edit == "accept":
            return True
        # What an override that was taken out of the text had promised still holds.
        return step == "returned" or step not in OPTIONAL_STEPS or bool(getattr(self, OPTIONAL_STEPS[step]))

    def on(self, day: str) -> Policy:
        """The policy with only what is in effect on `day` (ISO date)."""
        return replace(
            self,
            disputes=tuple(each for each in self.disputes if each.period.holds_on(day)),
            overrides=tuple(each for each in self.overrides if each.period.holds_on(day)),
            named=tuple(each for each in self.named if each.period.holds_on(day)),
            registrations=tuple(each for each in self.registrations if each.period.holds_on(day)),
            rules=tuple(each for each in self.rules if each.period.holds_on(day)),
            team=tuple(each for each in self.team if each.period.holds_on(day)),
            tasks=tuple(each for each in self.tasks if each.period.holds_on(day)),
            suppression=tuple(each for each in self.suppression if each.period.holds_on(day)),
            notices=self.notices and tuple(each for each in self.notices if each.period.holds_on(day)),
            territories=_in_effect(self.territories, day),
            pools=tuple(_with_members_of(pool, day) for pool in self.pools),
        )


def _in_effect(territories: tuple[Territory, ...], day: str) -> tuple[Territory, ...]:
    """A territory that is not in effect takes those below it along."""
    ended: set[str | None] = set()
    kept = []
    for territory in territories:  # parents come before their children
        if territory.parent in ended or not territory.period.holds_on(day):
            ended.add(territory.id)
        else:
            kept.append(territory)
    return tuple(kept)


def _with_members_of(pool: Pool, day: str) -> Pool:
    gone = {rep for rep, period in pool.member_periods.items() if not period.holds_on(day)}
    return replace(pool, members={rep: weight for rep, weight in pool.members.items() if rep not in gone})


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody who can own, by id: reps, and queues."""

    reps: Mapping[str, Rep]

    def present_on(self, day: str) -> frozenset[str]:
        """Who is with the company on `day` (ISO date): active, and not past their last day."""
        return frozenset(
            rep.id for rep in self.reps.values() if rep.active and (rep.left_on is None or rep.left_on >= day)
        )

    def away_on(self, day: str) -> dict[str, str]:
        """Reps on leave on `day`, each with the last day of it ("" when nobody has said)."""
        return {
            rep.id: period.until or "" for rep in self.reps.values() for period in rep.leave if period.holds_on(day)
        }

    def name(self, rep_id: str) -> str:
        """What people call somebody; the id of who is not on the roster."""
        rep = self.reps.get(rep_id)
        return rep.name if rep else rep_id

    def with_address(self, email: str) -> str | None:
        """Who has this e-mail address, whatever its case."""
        wanted = email.casefold()
        return next((rep.id for rep in self.reps.values() if rep.email.casefold() == wanted), None)

    def is_manager(self, rep_id: str) -> bool:
        """Whether somebody reports to them."""
        return any(rep.manager == rep_id for rep in self.reps.values())

    def manager_of(self, rep_id: str | None) -> str | None:
        rep = self.reps.get(rep_id or "")
        return rep.manager if rep else None

    def managers_of(self, rep_id: str | None) -> list[str]:
        """Their manager, that one's manager, and so on; a ring of managers ends where it began."""
        above: list[str] = []
        manager = self.manager_of(rep_id)
        while manager is not None and manager not in above:
            above.append(manager)
            manager = self.manager_of(manager)
        return above

    def reports_of(self, manager: str) -> frozenset[str]:
        """Everybody who reports to them, directly or through others."""
        found: set[str] = set()
        above = {manager}
        while above:
            above = {rep.id for rep in self.reps.values() if rep.manager in above} - found - {manager}
            found |= above
        return frozenset(found)

    def is_queue(self, rep_id: str) -> bool:
        """Whether this owner is a queue rather than a person."""
        rep = self.reps.get(rep_id)
        return rep is not None and rep.kind == QUEUE
