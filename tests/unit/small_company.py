"""A small company to try rules on: Ann, Bob and Cid sell, Mia manages them, and a queue works what is low-touch.

No tests live here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ownership.assignment import decide_owners
from ownership.case import State, book_sizes
from ownership.entries import Pool, Territory
from ownership.model import ACCOUNT, LEAD, QUEUE, Account, Decision, Ref, Rep
from ownership.policy import Policy, Roster

WEDNESDAY = "2026-11-25"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(day: str, clock: str = "12:00") -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(f"{day}T{clock}:00+00:00")


def rep(id_: str, **different: Any) -> Rep:
    usual: dict[str, Any] = {"role": "ae", "team": "smb", "manager": "mia"}
    return Rep(id_, id_.capitalize(), f"{id_}@x.example", **{**usual, **different})


def queue(id_: str = "low-touch") -> Rep:
    return Rep(id_, id_.capitalize(), f"{id_}@x.example", QUEUE, QUEUE, kind=QUEUE)


def company(*different: Rep) -> Roster:
    """Everybody, with `different` in place of who has the same id or beside them."""
    usual = [rep("ann"), rep("bob"), rep("cid"), rep("mia", role="manager", manager=None), queue()]
    return Roster({person.id: person for person in [*usual, *different]})


def account(id_: str = "a1", parent: str | None = None, **fields: Any) -> Account:
    """A US company of the web domain `<id>.com`, in Salesforce under its id."""
    shown = fields.pop("crm_owners", {})
    known = {"name": id_, "subject": ACCOUNT, "country": "US", "domains": [f"{id_}.com"], **fields}
    return Account(id_, id_.upper(), known, (Ref("salesforce", "Account", id_),), parent, shown)


def lead(id_: str = "l1", of: str | None = None, **fields: Any) -> Account:
    """Somebody who wrote to us, of the account `of` if we know it."""
    known = {"name": id_, "subject": LEAD, "country": "US", **fields}
    return Account(id_, id_.upper(), known, (Ref("hubspot", "contact", id_),), of, {}, LEAD)


def turns_policy(pool: Pool | None = None, **more: Any) -> Policy:
    """Everything goes to a pool of Ann, Bob and Cid by turns, after whatever `more` says."""
    everybody = pool or Pool("all", {"ann": 1, "bob": 1, "cid": 1})
    places = {"pools": (everybody,), "territories": (Territory("all", "Everywhere", pool=everybody.id),)}
    return Policy("p", **{**places, **more})


class Desk:
    """Decides again and again, and knows what the day before had decided."""

    def __init__(self, policy: Policy, roster: Roster | None = None, **known: Any) -> None:
        self.policy = policy
        self.roster = roster or company()
        self.state = State(**known)

    def has(self, owners: dict[str, str], *accounts: Account) -> Desk:
        """These accounts have these owners already; books are counted."""
        self.state.owners.update(owners)
        people = frozenset(self.roster.reps)
        self.state.load.update(book_sizes(accounts, self.state.owners, people, self.policy.system_of_record))
        return self

    def decide(self, *accounts: Account, now: datetime = NOON) -> list[Decision]:
        decisions, self.state = decide_owners(accounts, self.policy, self.roster, self.state, now)
        return decisions

    def on(self, day: str, one: Account) -> Decision:
        """What is decided of one account at noon of that day."""
        return self.decide(one, now=at(day))[0]


def said(decision: Decision) -> tuple[str, str | None]:
    return decision.reason, decision.owner_id


def because(decision: Decision) -> str:
    """The sentence of the step that decided."""
    return decision.path[-1].because


def step(decision: Decision, rule: str) -> str:
    """What one rule said on the way."""
    return next(each.because for each in decision.path if each.rule == rule)
