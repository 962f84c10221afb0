"""The entries of a policy, one value for each: what a rule, a pool or an override says. No reading, no deciding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ownership.conditions import ALWAYS, Condition
from ownership.model import Period

ALWAYS_IN_EFFECT = Period()


def by_id(account_id: str) -> str:
    """What an override or dispute calls an account that it names by Steward's own id."""
    return f"account/{account_id}"


@dataclass(frozen=True, slots=True)
class Requirement:
    """Data that must be there before something may happen. `mend` is what a person should do when it is not."""

    name: str
    when: Condition
    mend: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A second rep claims an account: it stays with whoever has it until a ruling. `account` as in `Override`.

    `rule_by` is when a ruling is due; without it that follows from the first day of the period.
    """

    account: str
    claimed_by: str
    reason: str
    period: Period = ALWAYS_IN_EFFECT
    rule_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class DisputeClock:
    """By when a dispute needs a ruling: so many hours from the beginning of its first day, of which every one counts
    ("calendar") or those that who claims the account works ("business")."""

    hours: float = 48
    clock: str = "calendar"


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

    Who asked and who approved are different people; it ends with its period. What follows (`then`): "stay" with the
    rep, "return" to who had the account before, or "rules": decided as if nobody had it.
    """

    account: str
    owner: str
    reason: str
    requested_by: str
    approved_by: str
    period: Period = ALWAYS_IN_EFFECT
    then: str = "stay"


@dataclass(frozen=True, slots=True)
class Registration:
    """A rep's claim to a company, protected for its period. Of several for one domain the earliest counts."""

    domain: str
    rep: str
    period: Period


@dataclass(frozen=True, slots=True)
class Assign:
    """To whom a rule or territory gives an account: an owner (a rep or a queue), or the pool's next.

    With neither, whoever has it keeps it. `skills` are those a rep must have, beside everything else.
    """

    owner: str | None = None
    pool: str | None = None
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """Accounts for which `when` holds are assigned so; the first rule that holds and finds somebody decides.

    With `for_days` it applies once its condition has held that long; with `stays_while` it then goes on until that
    holds no longer. `handoff` must hold before the account leaves the rep who has it.
    """

    id: str
    when: Condition
    assign: Assign
    name: str = ""
    period: Period = ALWAYS_IN_EFFECT
    for_days: int = 0
    stays_while: Condition | None = None
    handoff: tuple[Requirement, ...] = ()

    @property
    def remembers(self) -> bool:
        """Whether it has to be known how long this has held."""
        return self.for_days > 0 or self.stays_while is not None


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
    `per_hour`, `per_day` and `per_week` cap what one member is given in a clock hour, a calendar day and a week from
    Monday, in the pool's `timezone`; with `rolling`, in the last 1, 24 and 168 hours.
    With `within_hours` a member is considered who is at work by then; None: working hours are not asked.
    `owed_most` turns at most are owed to who comes back from leave; 0: no turns are (no flood). An account that a
    member has already, or is given by hand, uses none of their turns unless said otherwise. `memory` "pool": all rules
    that use the pool take the same turns; "rule": each has turns of its own, while the caps count them all together.
    """

    id: str
    members: Mapping[str, int]
    strategy: str = "turns"
    per_day: int | None = None
    per_week: int | None = None
    member_periods: Mapping[str, Period] = field(default_factory=dict)
    per_hour: int | None = None
    rolling: bool = False
    timezone: str = "UTC"
    within_hours: float | None = None
    owed_most: int = 0
    existing_owner_takes_turn: bool = False
    manual_takes_turn: bool = False
    memory: str = "pool"


@dataclass(frozen=True, slots=True)
class Pod:
    """People who work accounts together. Whose account it is decides the pod: `lead` owns, `roles` are the others."""

    id: str
    lead: str
    roles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TeamRole:
    """Who fills one supporting role on accounts for which `when` holds: an overlay, a partner-of-record, a CSM.

    The first entry of a role that holds and finds somebody fills it; without any, the owner's pod does.
    """

    role: str
    assign: Assign
    when: Condition = ALWAYS
    period: Period = ALWAYS_IN_EFFECT

    @property
    def id(self) -> str:
        """What a pool that remembers its turns by rule keeps those of the role under; no rule has an id like it."""
        return f"role {self.role}"


@dataclass(frozen=True, slots=True)
class TaskRule:
    """A task in the CRMs for somebody, whenever `event` happens to an account or lead for which `when` holds.

    `to` is "owner", "manager" or "role:<role of the team>". `subject` may name {account}, {owner} and {previous}. It is
    due `due_in_hours` later, by the working time of who gets it where `clock` is "business". `systems` are the CRMs it
    is put into (none named: all that hold the account).
    """

    name: str
    event: str
    to: str
    subject: str
    due_in_hours: float
    clock: str = "calendar"
    when: Condition = ALWAYS
    systems: frozenset[str] = frozenset()
    period: Period = ALWAYS_IN_EFFECT


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """What one kind of record (`record`) of one system shows marketing while somebody is asked or works the account.

    `flag` is the field that says so, `date` the one with the first day that is free again, `days` after who works it
    was asked, accepted, or got it; "" for a field that is not kept. `when` says for which accounts and leads.
    """

    name: str
    system: str
    record: str
    days: int
    flag: str = ""
    date: str = ""
    when: Condition = ALWAYS
    period: Period = ALWAYS_IN_EFFECT


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Whenever `event` happens to an account or lead for which `when` holds, `to` is told over each of `channels`.

    `to` is "owner" (who owns it, or is asked to), "manager" (theirs), "role:<role of the team>", somebody of the roster
    by id, or an e-mail address.
    """

    event: str
    to: str
    channels: tuple[str, ...] = ("slack",)
    when: Condition = ALWAYS
    period: Period = ALWAYS_IN_EFFECT


@dataclass(frozen=True, slots=True)
class Keeping:
    """When an owner does not keep an account: after `forfeit_after_days` without activity (None: never), counted in
    calendar days or in the owner's working days, and not while they are on leave unless `leave_counts`; and when
    their book is over capacity, if `over_capacity` is "move_on" rather than "keep". `warn_days_before` such a day the
    owner is told (0: they are not)."""

    forfeit_after_days: int | None = None
    business_days: bool = False
    leave_counts: bool = False
    over_capacity: str = "keep"
    warn_days_before: int = 3


@dataclass(frozen=True, slots=True)
class SlaRule:
    """A shorter or longer time to accept for some accounts."""

    when: Condition
    hours: float


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How long an owner has to accept, and who is asked next.

    `clock` "calendar" counts every hour, "business" those the owner works. `remind_hours` after the offer they are
    reminded (None: never). `chain` are the steps when they miss or decline it. A miss costs a turn, a decline does
    not, unless said otherwise. The first of `faster` that holds replaces `hours`. `meanwhile` says whose the account
    is until somebody has accepted it: "offered": who is asked; "previous": who had it before; "queue": that `queue`.
    """

    hours: float = 24
    clock: str = "calendar"
    chain: tuple[str, ...] = ("next_in_line", "manager", "queue")
    remind_hours: float | None = None
    miss_takes_turn: bool = True
    decline_takes_turn: bool = False
    faster: tuple[SlaRule, ...] = ()
    meanwhile: str = "offered"
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Leads:
    """How leads are routed. The owner of the account a lead belongs to gets it while the account was active within
    `inbound_activity_days`; a lead of a company whose last lead came within `sticky_days` goes to the same rep
    (0: that is not asked)."""

    requirements: tuple[Requirement, ...] = ()
    inbound_activity_days: int = 14
    sticky_days: int = 0
