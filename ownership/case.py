"""One account or lead under decision, and what a rule says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ownership.conditions import fold_fields
from ownership.day import Day
from ownership.entries import by_id
from ownership.inactivity import forfeited_because
from ownership.model import LEAD, Account, Afterwards, Candidate
from ownership.plan import shown_owners
from ownership.policy import Policy
from ownership.rota import Rota, full_because
from ownership.rotation import PoolTurns
from ownership.sustained import Mark, marks_on


@dataclass(frozen=True, slots=True)
class Holding:
    """How the present owner has an account: since which day (ISO), what follows when they were only lent it, the rule
    from whose choices it went on to them because those did not accept it ("" when it did not), and whether a person
    made them owner in a CRM."""

    since: str = ""
    afterwards: Afterwards | None = None
    went_on_from: str = ""
    by_edit: bool = False


UNKNOWN_HOLDING = Holding()


@dataclass(frozen=True, slots=True)
class Edit:
    """A person has set `owner` (as in `Account.crm_owners`) in the CRM `source`, where we wrote somebody else."""

    owner: str
    source: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody is asked to accept an account that is somebody else's until then: `owner`, by the rule or territory
    `rule`, for `reason`, and by the `turn` of which pool."""

    owner: str
    rule: str
    reason: str
    turn: str | None = None


@dataclass(frozen=True, slots=True)
class LastLead:
    """Who was given the last lead of a company, and when."""

    rep: str
    at: datetime


@dataclass(slots=True)
class State:
    """What a batch knows beside the accounts themselves, and moves on as it decides.

    `owners`: owner of record by account; `load`: accounts each rep owns; `turns`: by pool. `holdings`: how the owner
    of record has it; `marks`: how long rules that remember have held, by account and rule; `teams`: supporting roles,
    by account and role (once an account is decided, those that a pool gives); `recent`: who got a company's last lead,
    by web domain; `edits`: owners that people set in a CRM, by account; `waiting`: who is asked to accept an account
    that is not theirs yet, by account. Such an account counts in `load` for who is asked, not for who has it. What is
    not said is unknown.
    """

    owners: dict[str, str] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=dict)
    turns: dict[str, PoolTurns] = field(default_factory=dict)
    holdings: dict[str, Holding] = field(default_factory=dict)
    marks: dict[str, dict[str, Mark]] = field(default_factory=dict)
    teams: dict[str, dict[str, str]] = field(default_factory=dict)
    recent: dict[str, LastLead] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    rotas: dict[str, Rota] = field(default_factory=dict)
    rotas_of: dict[str, list[Rota]] = field(default_factory=dict)

    def copy(self) -> State:
        """The same, to be moved on without changing this one."""
        return State(
            dict(self.owners),
            dict(self.load),
            dict(self.turns),
            dict(self.holdings),
            dict(self.marks),
            dict(self.teams),
            dict(self.recent),
            dict(self.edits),
            dict(self.waiting),
        )

    def rota(self, pool_id: str, day: Day) -> Rota:
        """The pool as this batch has left it."""
        rota = self.rotas.get(pool_id)
        if rota is None:
            pool = day.index.pools[pool_id]
            rota = self.rotas[pool_id] = Rota(pool, day, self.turns.get(pool_id, PoolTurns()), self.load)
            for rep in pool.members:
                self.rotas_of.setdefault(rep, []).append(rota)
        return rota

    def count(self, rep_id: str, accounts: int) -> None:
        """A rep's book has grown or shrunk."""
        self.load[rep_id] = self.load.get(rep_id, 0) + accounts
        for rota in self.rotas_of.get(rep_id, ()):
            rota.look_again(rep_id)

    def settle_turns(self) -> None:
        """Write back the turns that were taken."""
        for pool_id, rota in self.rotas.items():
            if rota.is_changed:
                self.turns[pool_id] = rota.turns()
        self.rotas.clear()
        self.rotas_of.clear()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said. `reason` None: it did not decide, and the next rule is asked."""

    because: str
    reason: str | None = None
    owner_id: str | None = None
    rule: str = ""
    turn: str | None = None
    candidates: tuple[Candidate, ...] = ()
    afterwards: Afterwards | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One account under decision, with what every rule may look at. `fields` are folded.

    `kept_owner` is who has the account, is still here (or is yet to hand it over) and keeps it unless a rule says
    otherwise; `lost_because` says
    why who has it does not keep it ("" when they do, or nobody has it). `lent` is what was promised to follow when who
    has it was given it for a time. Once that is over (`is_over`), it is decided as if who had it before had it still.
    """

    account: Account
    fields: Mapping[str, Any]
    day: Day
    state: State
    holder: str | None
    kept_owner: str | None
    lost_because: str
    marks: Mapping[str, Mark]
    lent: Afterwards | None = None
    is_over: bool = False

    @staticmethod
    def of(account: Account, day: Day, state: State) -> Case:
        fields = fold_fields(account.fields, day.date, day.days)
        lent = state.holdings.get(account.id, UNKNOWN_HOLDING).afterwards
        if is_over := lent is not None and not _is_overridden(account, fields, day):
            holder, lost = lent.returns_to if lent.returns_to in day.present else None, ""
        else:
            holder = _holder_of(account, state.owners.get(account.id), day)
            lost = _lost_because(account, fields, holder, day, state) if holder else ""
        kept = None if lost or holder is None or day.roster.is_queue(holder) else holder
        remembering = day.index.remembering
        marks = marks_on(remembering, fields, state.marks.get(account.id, {}), day.date) if remembering else {}
        return Case(account, fields, day, state, holder, kept, lost, marks, lent, is_over)

    @property
    def policy(self) -> Policy:
        return self.day.policy

    @property
    def present(self) -> frozenset[str]:
        return self.day.present

    @property
    def current(self) -> str | None:
        return self.state.owners.get(self.account.id)

    @property
    def holding(self) -> Holding:
        """How the owner of record has it."""
        return self.state.holdings.get(self.account.id, UNKNOWN_HOLDING)

    @property
    def is_lead(self) -> bool:
        return self.account.kind == LEAD

    @property
    def known_as(self) -> list[str]:
        """What overrides and disputes may call it: its own id first, as "account/id", which is how those made in the
        running system name it; its web domains, and its records as "system/id"."""
        return _names(self.account, self.fields)

    def book(self, rep_id: str) -> int:
        """How many accounts a rep has, with this one if it is theirs again, or until somebody has accepted it."""
        again, still = self.is_over and self.holder != self.current, self.waiting is not None and not self.is_over
        return self.state.load.get(rep_id, 0) + (rep_id == self.holder and (again or still))

    def too_many_for(self, rep_id: str) -> str | None:
        """Why the policy takes accounts from who has this one, None unless their book is over their capacity."""
        capacity, book = self.day.roster.reps[rep_id].capacity_on(self.day.date), self.book(rep_id)
        if self.policy.keeping.over_capacity != "move_on" or book == capacity:
            return None
        return full_because(capacity, book)

    def went_on_from(self, rule: str) -> bool:
        """Whether the account went on to its present owner because those this rule had chosen did not accept it. The
        rule would choose them again, and they would be asked for ever."""
        return self.holding.went_on_from == rule and self.day.keeps(self.current)

    @property
    def asked(self) -> Waiting | None:
        """Who is asked to accept it while it is somebody else's; nobody who is not here any more."""
        return self.waiting if self.waiting is not None and self.waiting.owner in self.present else None

    @property
    def waiting(self) -> Waiting | None:
        return self.state.waiting.get(self.account.id)

    def name(self, rep_id: str) -> str:
        return self.day.name(rep_id)

    @property
    def rivals(self) -> list[str]:
        """Different owners who are here, on records of this account in the CRM of record."""
        record = self.policy.system_of_record
        shown = {owner for ref, owner in self.account.crm_owners.items() if ref.source == record}
        return sorted(shown & self.present)


def _names(account: Account, fields: Mapping[str, Any]) -> list[str]:
    domains = fields.get("domains") or ()
    said = sorted({*domains, *(f"{ref.source}/{ref.external_id}" for ref in account.refs)})
    return [by_id(account.id), *said]


def _is_overridden(account: Account, fields: Mapping[str, Any], day: Day) -> bool:
    overrides = (each for name in _names(account, fields) for each in day.index.overrides.get(name, ()))
    return any(override.owner in day.present for override in overrides)


def _lost_because(account: Account, fields: Mapping[str, Any], holder: str, day: Day, state: State) -> str:
    """Why who has the account does not keep it, as far as that does not depend on a rule of the policy; "" if so."""
    holding = state.holdings.get(account.id, UNKNOWN_HOLDING)
    if holding.afterwards is not None and holder == state.owners.get(account.id):
        return "has it for a time only"
    keeping = day.policy.keeping
    if keeping.forfeit_after_days is not None and account.kind != LEAD and not day.roster.is_queue(holder):
        rep = day.roster.reps[holder]
        return forfeited_because(keeping, rep, fields.get("days_since_activity"), holding.since, day.date)
    return ""


def _holder_of(account: Account, current: str | None, day: Day) -> str | None:
    """Who has the account and is here, or is yet to hand it over."""
    return current if current in day.leaving else keeper_of(account, current, day.present, day.policy.system_of_record)


def keeper_of(account: Account, current: str | None, present: frozenset[str], system_of_record: str) -> str | None:
    """Who of those `present` has the account: by the ledger, else by the CRM of record, else by another CRM."""
    if current in present:
        return current
    if not account.crm_owners:
        return None
    return next((owner for owner in shown_owners(account, system_of_record) if owner in present), None)


def book_sizes(
    accounts: Iterable[Account], owners: Mapping[str, str], present: frozenset[str], system_of_record: str
) -> dict[str, int]:
    """How many of these accounts each rep has. One nobody owns of record yet counts for whom a CRM shows.

    Leads are in nobody's book.
    """
    sizes: dict[str, int] = {}
    for account in accounts:
        if account.kind == LEAD:
            continue
        current = owners.get(account.id)
        holder = current if current is not None else keeper_of(account, None, present, system_of_record)
        if holder is not None:
            sizes[holder] = sizes.get(holder, 0) + 1
    return sizes
