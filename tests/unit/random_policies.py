"""Random policies and rosters with everything a policy can say, drawn from one stream of chance."""

from __future__ import annotations

from random import Random
from typing import Any

from ownership.conditions import ALWAYS, All, AnyOf, Condition, Field, Not, Test
from ownership.entries import (
    Assign,
    Dispute,
    Keeping,
    Leads,
    NamedAccount,
    Override,
    Pod,
    Pool,
    Registration,
    Requirement,
    Rule,
    TeamRole,
    Territory,
)
from ownership.model import QUEUE, Period, Ramp, Rep
from ownership.policy import LEAD_STEPS, STEPS, Policy, Roster

PEOPLE = ("ann", "bob", "cid", "dan", "eve", "fay")
QUEUES = ("desk", "list")
OWNERS = (*PEOPLE, *QUEUES)
POOLS = ("east", "west", "south")
DOMAINS = ("big.com", "acme.internal", "new.co.uk", "bücher.de", 'quo"te.x', "lead.io")
RECORDS = ("salesforce/001", "hubspot/7")
CUSTOM = {
    "tier": Field("text", "tier"),
    "score": Field("number", "score"),
    "strategic": Field("flag", "strategic"),
    "tags": Field("texts", "tags"),
    "audit_on": Field("date", "audit"),
}
TESTS: tuple[Condition, ...] = (
    Test("country", "is", "us"),
    Test("country", "in", frozenset({"no", "se", "us"})),
    Test("country", "is_missing", True),
    Test("segment", "is", "smb"),
    Test("segment", "in", frozenset({"enterprise", "mid_market"})),
    Test("industry", "starts_with", "bio"),
    Test("industry", "is", "größe"),
    Test("name", "starts_with", "acme"),
    Test("employees", "gte", 100),
    Test("employees", "lt", 1000),
    Test("employees", "in", frozenset({5, 300})),
    Test("employees", "is_present", True),
    Test("days_to_renewal", "lte", 90),
    Test("days_since_activity", "gt", 14),
    Test("paying", "is", True),
    Test("vip", "is", False),
    Test("vip", "is_present", True),
    Test("do_not_route", "is", False),
    Test("domains", "contains", "big.com"),
    Test("domains", "is_missing", True),
    Test("domain", "is", "new.co.uk"),
    Test("tier", "is", "a"),
    Test("score", "is", 7),
    Test("strategic", "is", True),
    Test("tags", "contains", "x"),
    Test("days_since_audit", "gt", 3),
    Test("subject", "is", "lead"),
)


class PolicyMaker:
    """Draws policies, and rosters that have whom they name."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def some(self, of: Any, most: int) -> list[Any]:
        return self.chance.sample(list(of), self.chance.randint(0, min(most, len(of))))

    def maybe(self, value: Any, share: float = 0.5) -> Any:
        return value if self.chance.random() < share else None

    def condition(self, depth: int = 0) -> Condition:
        kind = self.chance.random()
        if depth > 2 or kind < 0.5:
            return self.chance.choice(TESTS)
        if kind < 0.7:
            return Not(self.condition(depth + 1))
        parts = tuple(self.condition(depth + 1) for _ in range(self.chance.randint(0, 3)))
        return All(parts) if kind < 0.85 else AnyOf(parts)

    def period(self) -> Period:
        return self.chance.choice([Period(), Period(), Period("2026-11-01", "2026-12-01"), Period(until="2026-11-01")])

    def assign(self) -> Assign:
        skills = frozenset(self.some(["french"], 1)) if self.chance.random() < 0.2 else frozenset()
        if self.chance.random() < 0.6:
            return Assign(pool=self.chance.choice(POOLS), skills=skills)
        return Assign(owner=self.chance.choice(OWNERS), skills=skills)

    def requirement(self) -> Requirement:
        return Requirement(f"need{self.chance.randint(0, 9)}", self.condition(), "mend it")

    def rule(self, number: int) -> Rule:
        return Rule(
            f"rule{number}",
            self.condition(),
            self.assign() if self.chance.random() < 0.85 else Assign(),
            self.chance.choice(["", f"Rule {number}"]),
            self.period(),
            self.chance.choice([0, 0, 0, 5]),
            self.condition() if self.chance.random() < 0.15 else None,
            tuple(self.requirement() for _ in range(self.chance.choice([0, 0, 1]))),
        )

    def territories(self) -> tuple[Territory, ...]:
        found: list[Territory] = []
        for number in range(self.chance.randint(0, 6)):
            assign = self.assign() if self.chance.random() < 0.7 else Assign()
            parent = self.chance.choice([None, None, *(each.id for each in found)])
            found.append(
                Territory(
                    f"t{number}",
                    f"Land {number}",
                    self.condition(),
                    parent,
                    assign.owner,
                    assign.pool,
                    self.chance.randint(0, 2),
                    assign.skills,
                    self.period(),
                )
            )
        return tuple(found)

    def pool(self, id_: str) -> Pool:
        members = {rep: self.chance.randint(1, 3) for rep in self.chance.sample(PEOPLE, self.chance.randint(1, 5))}
        return Pool(
            id_,
            members,
            self.chance.choice(["turns", "turns", "least_loaded"]),
            self.maybe(self.chance.randint(1, 9), 0.4),
            self.maybe(self.chance.randint(1, 9), 0.2),
            {next(iter(members)): self.period()},
            self.maybe(self.chance.randint(1, 9), 0.2),
            self.chance.random() < 0.2,
            self.chance.choice(["UTC", "Pacific/Auckland"]),
            self.maybe(self.chance.choice([0.0, 0.0, 3.0]), 0.3),
            self.chance.choice([0, 0, 3]),
            self.chance.random() < 0.3,
            self.chance.random() < 0.3,
            self.chance.choice(["pool", "pool", "rule"]),
        )

    def policy(self) -> Policy:
        chance = self.chance
        order = chance.sample(STEPS, len(STEPS)) if chance.random() < 0.3 else STEPS
        called = (*DOMAINS, *RECORDS)
        return Policy(
            "random",
            order=tuple(order),
            requirements=tuple(self.requirement() for _ in range(chance.choice([0, 0, 0, 1, 2]))),
            disputes=tuple(Dispute(each, "ann", "mine", self.period()) for each in self.some(called, 1)),
            overrides=tuple(
                Override(
                    each, chance.choice(OWNERS), "why", "ann", "bob", self.period(), chance.choice(["stay", "return"])
                )
                for each in self.some(called, 2)
            ),
            named=tuple(NamedAccount(each, chance.choice(OWNERS), "", self.period()) for each in self.some(DOMAINS, 2)),
            registrations=tuple(
                Registration(each, chance.choice(PEOPLE), Period("2026-11-01", "2026-12-24"))
                for each in self.some(DOMAINS, 2)
            ),
            rules=tuple(self.rule(number) for number in range(chance.randint(0, 6))),
            territories=self.territories(),
            pools=tuple(map(self.pool, POOLS)),
            pods=(Pod("pod", "ann", {"csm": "bob", "sdr": "dan"}),) if chance.random() < 0.3 else (),
            team=tuple(
                TeamRole(f"role{number % 2}", self.assign(), self.condition(), self.period())
                for number in range(chance.choice([0, 0, 1, 3]))
            ),
            timezone=chance.choice(["UTC", "Pacific/Auckland"]),
            keeping=Keeping(
                chance.choice([None, 10, 14]),
                chance.random() < 0.3,
                chance.random() < 0.3,
                chance.choice(["keep", "move_on"]),
            ),
            follow_parent=self.chance.choice([ALWAYS, ALWAYS, self.condition()]),
            pins_bypass_capacity=chance.random() < 0.5,
            pins_bypass_caps=chance.random() < 0.5,
            leavers_move=chance.choice(["at_once", "next_business_day"]),
            leads=Leads((self.requirement(),) if chance.random() < 0.2 else (), 14, chance.choice([0, 7])),
            lead_order=tuple(chance.sample(LEAD_STEPS, len(LEAD_STEPS))) if chance.random() < 0.3 else LEAD_STEPS,
            fields=CUSTOM,
            policy_hash="p" * 64,
        )

    def roster(self) -> Roster:
        chance = self.chance
        people = [
            Rep(
                id_,
                id_.title(),
                f"{id_}@x.example",
                "ae",
                "t",
                timezone=chance.choice(["UTC", "Asia/Tokyo"]),
                capacity=self.maybe(chance.choice([0, 1, 5, 5, 40])),
                active=id_ != "eve" or chance.random() < 0.5,
                left_on=self.maybe(chance.choice(["2026-10-01", "2026-11-24", "2026-11-24"])) if id_ == "dan" else None,
                skills=frozenset(self.some(["french"], 1)),
                leave=(Period("2026-11-20", "2026-11-30"),) if chance.random() < 0.2 else (),
                ramp=(Ramp("2026-12-31", chance.choice([0, 50])),) if chance.random() < 0.15 else (),
            )
            for id_ in PEOPLE
        ]
        queues = [Rep(id_, id_.title(), f"{id_}@x.example", "queue", "t", kind=QUEUE) for id_ in QUEUES]
        return Roster({each.id: each for each in (*people, *queues)})
