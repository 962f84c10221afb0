"""One account under decision, and what a rule says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ownership.index import PolicyIndex
from ownership.model import Account, Candidate
from ownership.plan import shown_owners
from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns


@dataclass(slots=True)
class State:
    """What a batch knows beside the accounts themselves, and moves on as it decides.

    `owners`: owner of record by account; `load`: accounts each rep owns; `turns`: by pool.
    """

    owners: dict[str, str]
    load: dict[str, int]
    turns: dict[str, PoolTurns]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said. `reason` None: it did not decide, and the next rule is asked."""

    because: str
    reason: str | None = None
    owner_id: str | None = None
    rule: str = ""
    turn: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """A policy and a roster as they are on one day (ISO date). Made once, then asked for every account.

    `present` are the reps who are with the company, `away` those of them who are on leave, with their last day of it;
    `steps` are those of the policy's order that have anything to say.
    """

    date: str
    policy: Policy
    roster: Roster
    index: PolicyIndex
    steps: tuple[str, ...]
    present: frozenset[str]
    away: Mapping[str, str]

    @staticmethod
    def of(policy: Policy, roster: Roster, date: str) -> Day:
        policy = policy.on(date)
        index = PolicyIndex(policy)
        return Day(date, policy, roster, index, policy.asked, roster.present_on(date), roster.away_on(date))


@dataclass(frozen=True, slots=True)
class Case:
    """One account under decision, with what every rule may look at. `fields` are folded."""

    account: Account
    fields: Mapping[str, Any]
    day: Day
    state: State

    @property
    def policy(self) -> Policy:
        return self.day.policy

    @property
    def present(self) -> frozenset[str]:
        return self.day.present

    @property
    def current(self) -> str | None:
        return self.state.owners.get(self.account.id)

    def name(self, rep_id: str) -> str:
        rep = self.day.roster.reps.get(rep_id)
        return rep.name if rep else rep_id

    @property
    def rivals(self) -> list[str]:
        """Different owners who are here, on records of this account in the CRM of record."""
        record = self.policy.system_of_record
        shown = {owner for ref, owner in self.account.crm_owners.items() if ref.source == record}
        return sorted(shown & self.present)

    @property
    def kept_owner(self) -> str | None:
        """Who has the account and is still here."""
        return keeper_of(self.account, self.current, self.present, self.policy.system_of_record)


def keeper_of(account: Account, current: str | None, present: frozenset[str], system_of_record: str) -> str | None:
    """Who of those `present` has the account: by the ledger, else by the CRM of record, else by another CRM."""
    if current in present:
        return current
    return next((owner for owner in shown_owners(account, system_of_record) if owner in present), None)


def book_sizes(
    accounts: Iterable[Account], owners: Mapping[str, str], present: frozenset[str], system_of_record: str
) -> dict[str, int]:
    """How many of these accounts each rep has. One nobody owns of record yet counts for whom a CRM shows."""
    sizes: dict[str, int] = {}
    for account in accounts:
        current = owners.get(account.id)
        holder = current if current is not None else keeper_of(account, None, present, system_of_record)
        if holder is not None:
            sizes[holder] = sizes.get(holder, 0) + 1
    return sizes
