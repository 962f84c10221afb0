"""Random files of accounts and leads with everything a cell can hold, and policies to decide them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from config.policy_files import LoadedPolicy
from ownership.case import LastLead
from ownership.model import Afterwards
from ownership.policy import Policy
from ownership.rotation import PoolTurns
from ownership.sustained import Mark
from tasks.account_files import OVERFLOW
from tasks.account_rows import DOMAIN_CELLS
from tasks.memory import Lent, Memory
from tests.unit.random_policies import DOMAINS, OWNERS, PEOPLE, RECORDS, PolicyMaker

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CELLS: dict[str, tuple[str, ...]] = {
    "name": ("Acme", "acme two", "Größe AG", 'Quote "x"\\', "Bio\nLab", "İstanbul ﬁn", "\x7f", "🜁 air"),
    "country": ("US", "us", "Norway", "SE", "Atlantis", "deutschland"),
    "segment": ("smb", "Mid-Market", "ENTERPRISE", "odd one"),
    "industry": ("Biotech", "bio", "Größe", "GRÖSSE", "mining"),
    "state": ("BY", "ca"),
    "status": ("active", "churned"),
    "lifecycle": ("customer", "Lead"),
    "subscription_status": ("active", "Past_Due", "canceled"),
    "employees": ("5", "99", "100", "300", "1000", "0", "1200.0", "many", "-5", "٣", "1.5", "9" * 16),
    "mrr_cents": ("0", "900", "120000", "1,200"),
    "score": ("7", "8", "7.0"),
    "vip": ("true", "NO", "1", "perhaps"),
    "strategic": ("yes", "0"),
    "paying": ("true", "false"),
    "in_crm": ("true", "yes", "TRUE", "no", "no"),
    "do_not_route": ("false", "no", "no", "TRUE"),
    "tags": ("x", "X;y", ";", "ä; x "),
    "tier": ("a", "A", "b"),
    "domain": ("big.com", "www.big.com", "acme.internal", "gmail.com", "bücher.de", 'quo"te.x'),
    "domains": ("big.com; new.co.uk", "lead.io", ";"),
    "website": ("https://www.new.co.uk/x", "big.com", "facebook.com/x", "http://[::1"),
    "email": ("jo@lead.io", "x@gmail.com", "x@big.com"),
    "renewal_on": ("2026-12-31", "2027-06-01", "20261130", "2026-11-26T10:00", "soon"),
    "activity_on": ("2026-11-20", "2026-11-01", "2026-01-01", "2027-01-01"),
    "audit_on": ("2026-11-24", "2026-10-01"),
    "days_to_renewal": ("30", "365"),
    "days_since_activity": ("3", "40"),
    "owned_since": ("2026-11-24", "2026-01-05", "2026-11-12T10:00", "lately"),
    "company": ("Acme",),
}
"""What cells hold, now and then what none should."""


@dataclass(frozen=True)
class World:
    """Everything that is decided from, as frames of `tasks.account_files.Table`."""

    accounts: pl.DataFrame
    leads: pl.DataFrame | None
    loaded: LoadedPolicy
    memory: Memory = field(default_factory=Memory)


class WorldMaker(PolicyMaker):
    """Draws all of it."""

    def world(self, accounts: int, leads: int) -> World:
        policy, roster = self.policy(), self.roster()
        ids = [f"{self.chance.choice('aaZä🜁')}{self.chance.randint(0, 10**6)}" for _ in range(accounts)]
        shares = {column: (0, 0, 0.05, 0.2) if column in DOMAIN_CELLS else (0, 0.1, 0.9) for column in CELLS}
        filled = {column: self.chance.choice(share) for column, share in shares.items()}
        filled |= {"parent_id": self.chance.choice([0, 0.1, 0.5]), "owner": self.chance.choice([0, 0.3, 0.9])}
        rows = [self.row(id_, ids, filled) for id_ in ids]
        inbound = [self.lead(f"l{number}", [*ids, "nowhere"], filled) for number in range(leads)]
        loaded = LoadedPolicy(policy, roster, "h" * 64, "{}")
        return World(frame(rows), frame(inbound) if leads else None, loaded, self.memory(policy, ids))

    def row(self, id_: str, ids: list[str], filled: Mapping[str, float]) -> dict[str, str]:
        chance = self.chance
        row = {"id": id_, "name": chance.choice(CELLS["name"])}
        cells = {**CELLS, "parent_id": [*ids, "nowhere", "l0"], "owner": (*OWNERS, "ANN@x.example", "nobody")}
        for column, share in filled.items():
            if chance.random() < share:
                usual = cells[column][:3] if column in CELLS else cells[column]
                row[column] = chance.choice(usual if chance.random() < 0.98 else cells[column])
        if chance.random() < 0.04:
            row |= chance.choice([{"id": ""}, {"name": ""}, {OVERFLOW: "x"}, {"id": chance.choice(ids)}])
        return row | ({"id": chance.choice([*RECORDS, "p/1"])} if chance.random() < 0.03 else {})

    def lead(self, id_: str, ids: list[str], filled: Mapping[str, float]) -> dict[str, str]:
        row = self.row(self.chance.choice([id_] * 9 + ids[:1]), ids, filled)
        row |= {"email": self.chance.choice(CELLS["email"])} if self.chance.random() < 0.6 else {}
        return row | ({"account_id": self.chance.choice(ids)} if self.chance.random() < 0.3 else {})

    def memory(self, policy: Policy, ids: list[str]) -> Memory:
        turns = {}
        if self.chance.random() < 0.3:
            members = sorted(policy.pools[0].members)
            days = {members[0]: {"2026-11-25": 1, "2026-11-24": 2}}
            turns["east"] = PoolTurns({members[0]: 2**39, members[-1]: -(2**39)} if len(members) > 1 else {}, {}, days)
        rules = [rule for rule in policy.rules if rule.remembers]
        marks = {
            id_: {rule.id: Mark(self.chance.choice(["2026-11-01", "2026-11-23"]), self.chance.random() < 0.5)}
            for id_ in self.some(ids, 3)
            for rule in rules[:1]
        }
        return Memory(turns, marks, self.teams(policy, ids), self.lent(ids), self.leads())

    def teams(self, policy: Policy, ids: list[str]) -> dict[str, dict[str, str]]:
        roles = [role.role for role in policy.team] or ["role0"]
        return {id_: {self.chance.choice(roles): self.chance.choice(PEOPLE)} for id_ in self.some(ids, 4)}

    def lent(self, ids: list[str]) -> dict[str, Lent]:
        return {
            id_: Lent(self.chance.choice(OWNERS), Afterwards(self.chance.choice([None, *OWNERS])))
            for id_ in self.some([*ids, "l0", "elsewhere"], 6)
        }

    def leads(self) -> dict[str, LastLead]:
        ages = (timedelta(days=1), timedelta(days=7), timedelta(days=8))
        return {
            domain: LastLead(self.chance.choice(OWNERS), NOW - self.chance.choice(ages))
            for domain in self.some(DOMAINS, 3)
        }


def frame(rows: list[dict[str, str]]) -> pl.DataFrame:
    """As it is read from a file: text, null where a cell is empty."""
    columns = list(dict.fromkeys(["id", "name", *(column for row in rows for column in row)]))
    cells = [[(row.get(column) or "").strip() or None for column in columns] for row in rows]
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String), orient="row")
