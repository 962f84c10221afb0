"""The policy as values: what the rules are, not how they are read from text (`config/policy_files.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ownership.conditions import ALWAYS, Condition
from ownership.model import Period, Rep

STEPS = (
    "do_not_route",
    "gate",
    "override",
    "named",
    "registration",
    "parent_owner",
    "existing_owner",
    "rules",
    "territory",
)
"""Every step a policy can order, in the default order; the catch-all exception always comes last."""

OPTIONAL_STEPS = {"override": "overrides", "registration": "registrations", "rules": "rules"}
"""Steps an order may leave out while the policy's section of this name is empty."""

ALWAYS_IN_EFFECT = Period()


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account leadership has placed by hand, known by its web domain."""

    domain: str
    owner: str
    note: str = ""
    period: Period = ALWAYS_IN_EFFECT


@dataclass(frozen=True, slots=True)
class Override:
    """A human decision against the model. `account` is a web domain, or an outside record as "system/id".

    Who asked and who approved are different people; it ends with its period.
    """

    account: str
    owner: str
    reason: str
    requested_by: str
    approved_by: str
    period: Period = ALWAYS_IN_EFFECT


@dataclass(frozen=True, slots=True)
class Registration:
    """A rep's claim to a company, protected for its period. Of several for one domain the earliest counts."""

    domain: str
    rep: str
    period: Period


@dataclass(frozen=True, slots=True)
class Assign:
    """To whom a rule or territory gives an account: an owner, or the pool's next.

    With neither, whoever has it keeps it. `skills` are those a rep must have, beside everything else.
    """

    owner: str | None = None
    pool: str | None = None
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """Accounts for which `when` holds are assigned so; the first rule that holds and finds somebody decides."""

    id: str
    when: Condition
    assign: Assign
    name: str = ""
    period: Period = ALWAYS_IN_EFFECT


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
    skills: frozenset[str] = frozenset()
    period: Period = ALWAYS_IN_EFFECT

    @property
    def assign(self) -> Assign:
        return Assign(self.owner, self.pool, self.skills)


@dataclass(frozen=True, slots=True)
class Pool:
    """Reps who take turns; weights are whole numbers, a rep with weight 2 gets twice the turns of one with 1.

    `strategy` "turns" gives exact turns; "least_loaded" gives to the member whose book is smallest for their weight.
    `per_day` and `per_week` cap the accounts one member is given in a calendar day and in a week from Monday, in UTC.
    """

    id: str
    members: Mapping[str, int]
    strategy: str = "turns"
    per_day: int | None = None
    per_week: int | None = None
    member_periods: Mapping[str, Period] = field(default_factory=dict)


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
    overrides: tuple[Override, ...] = ()
    named: tuple[NamedAccount, ...] = ()
    registrations: tuple[Registration, ...] = ()
    rules: tuple[Rule, ...] = ()
    territories: tuple[Territory, ...] = ()
    pools: tuple[Pool, ...] = ()
    system_of_record: str = "salesforce"
    acceptance_hours: int = 24
    acceptance_chain: tuple[str, ...] = ("next_in_line", "manager", "queue")
    policy_hash: str = field(default="", compare=False)

    @property
    def asked(self) -> tuple[str, ...]:
        """The steps of the order that have anything to say."""
        return tuple(step for step in self.order if step not in OPTIONAL_STEPS or getattr(self, OPTIONAL_STEPS[step]))

    def on(self, day: str) -> Policy:
        """The policy with only what is in effect on `day` (ISO date)."""
        return replace(
            self,
            overrides=tuple(each for each in self.overrides if each.period.holds_on(day)),
            named=tuple(each for each in self.named if each.period.holds_on(day)),
            registrations=tuple(each for each in self.registrations if each.period.holds_on(day)),
            rules=tuple(each for each in self.rules if each.period.holds_on(day)),
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
    """Everybody who can own, by id."""

    reps: Mapping[str, Rep]

    def present_on(self, day: str) -> frozenset[str]:
        """Reps who are with the company on `day` (ISO date): active, and not past their last day."""
        return frozenset(
            rep.id for rep in self.reps.values() if rep.active and (rep.left_on is None or rep.left_on >= day)
        )

    def away_on(self, day: str) -> dict[str, str]:
        """Reps on leave on `day`, each with the last day of it ("" when nobody has said)."""
        return {
            rep.id: period.until or "" for rep in self.reps.values() for period in rep.leave if period.holds_on(day)
        }
