"""Files decided day after day, with what one run leaves to the next, are decided as a server would that was asked on
the same days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from config.policy_files import LoadedPolicy, load_policy
from ownership.day import Day
from ownership.model import Account, Decision, Outcome
from ownership.rotation import PoolTurns
from tasks.account_files import Row, Sheet
from tasks.headless import decide_sheet
from tasks.memory import Lent, Memory, read_memory, write_memory
from tasks.rehearsal import Rehearsal, rehearse
from tasks.state import load_state

pytestmark = pytest.mark.slow

PEOPLE = ("ann", "bob", "cem", "dee", "eli")
ROSTER = {
    "apiVersion": "steward/v1",
    "kind": "Roster",
    "reps": [
        {"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales"}
        for id_ in PEOPLE
    ],
}
ROSTER["reps"][2]["left_on"] = "2026-11-24"  # type: ignore[index]
POLICY = {
    "apiVersion": "steward/v1",
    "kind": "Policy",
    "name": "Over time",
    "order": [
        *("do_not_route", "gate", "override", "named", "returned", "parent_owner", "rules"),
        *("existing_owner", "territory"),
    ],
    "overrides": [
        {
            **{"account": f"company{number}.com", "owner": PEOPLE[number % 2], "reason": "cover"},
            **{"requested_by": "ann", "approved_by": "bob", "until": f"2026-11-2{4 + number % 3}"},
            "then": ("return", "rules", "stay")[number % 3],
        }
        for number in range(0, 12, 2)
    ],
    "leavers": {"accounts_move": "next_business_day"},
    "rules": [
        {
            **{"id": "heavy", "when": {"employees": {"gte": 500}}, "for_days": 2},
            **{"stays_while": {"employees": {"gte": 200}}, "assign": {"pool": "large"}},
        }
    ],
    "pools": [
        {"id": "sales", "members": [{"rep": rep} for rep in ("ann", "bob", "cem")], "memory": "rule", "per_day": 4},
        {"id": "large", "members": [{"rep": "dee"}, {"rep": "eli", "weight": 2}]},
        {"id": "csms", "members": [{"rep": "dee"}, {"rep": "eli"}]},
    ],
    "team": [
        {"role": "csm", "when": {"subject": "account", "country": "US"}, "assign": {"pool": "csms"}},
        {"role": "sdr", "assign": {"owner": "eli"}},
    ],
    "territories": [
        {"id": "us", "when": {"country": "US"}, "pool": "sales"},
        {"id": "mexico", "when": {"country": "MX"}, "pool": "sales"},
    ],
    "leads": {"sticky_days": 2},
}
COUNTRIES, SIZES = ("US", "US", "MX", "PE"), (50, 250, 600)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedPolicy:
    folder = tmp_path_factory.mktemp("policy")
    (folder / "policy.yaml").write_text(json.dumps(POLICY))
    (folder / "roster.yaml").write_text(json.dumps(ROSTER))
    return load_policy(folder)


@dataclass
class Files:
    """Somebody who decides a file each day, and puts the owners of one day into the file of the next."""

    loaded: LoadedPolicy
    state: Path
    owners: dict[str, str] = field(default_factory=dict)
    since: dict[str, str] = field(default_factory=dict)

    def decide(self, accounts: list[Account], now: datetime) -> dict[str, Decision]:
        rows = {kind: tuple(self.row(each) for each in accounts if each.kind == kind) for kind in ("account", "lead")}
        sheets = Sheet(rows["account"]), Sheet(rows["lead"])
        decided = decide_sheet(sheets[0], self.loaded, read_memory(self.state), now, sheets[1])
        write_memory(decided.memory, self.state)
        for each in decided.decisions:
            if each.owner_id and self.owners.get(each.account_id) != each.owner_id:
                self.owners[each.account_id], self.since[each.account_id] = each.owner_id, now.date().isoformat()
        return {each.account_id: each for each in decided.decisions}

    def row(self, account: Account) -> Row:
        above = "account_id" if account.kind == "lead" else "parent_id"
        cells = {name: text_of(value) for name, value in account.fields.items() if name not in ("subject", "domain")}
        links = {"id": account.id, "name": account.name, above: account.parent_id or ""}
        had = {"owner": self.owners.get(account.id, ""), "owned_since": self.since.get(account.id, "")}
        return {column: cell for column, cell in {**cells, **links, **had}.items() if cell}


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, list | tuple) else str(value)


def something_happens(company: Rehearsal, chance: Random, day: int) -> None:
    """New companies, some below others, leads of some of them, and companies that grow and shrink."""
    for number in range(4 * day, 4 * day + 4):
        fields = {"country": chance.choice(COUNTRIES), "employees": chance.choice(SIZES), "owner": None}
        if number and chance.random() < 0.2:
            fields["parent_external_id"] = f"00{chance.randrange(number)}"
        company.account("salesforce", f"00{number}", name=f"C {number}", website=f"company{number}.com", **fields)
        mail, country = f"p{number}@lead{chance.randrange(4)}.com", chance.choice(COUNTRIES)
        company.lead("hubspot", f"{number}", name=f"P {number}", email=mail, country=country, owner=None)
    for number in chance.sample(range(4 * day + 4), 3):
        company.account("salesforce", f"00{number}", employees=chance.choice(SIZES))


def left_in_store(company: Rehearsal) -> tuple[list[Account], dict[str, str], Memory]:
    """Every account, who owns it, and what a run of `steward decide` would have left of all this."""
    context = company.context
    day = Day.of(context.policy.policy, context.policy.roster, company.now[0])
    with context.store.transaction(readonly=True) as uow:
        accounts = list(uow.accounts.all())
        state = load_state(uow, day, accounts, lock=False)
    turns = {pool: turns for pool, turns in state.turns.items() if turns != PoolTurns()}
    held = {id_: holding.afterwards for id_, holding in state.holdings.items()}
    lent = {id_: Lent(state.owners[id_], afterwards) for id_, afterwards in held.items() if afterwards}
    marks = {id_: marks for id_, marks in state.marks.items() if marks}
    teams = {id_: {"csm": team["csm"]} for id_, team in state.teams.items() if "csm" in team}
    return accounts, state.owners, Memory(turns, marks, teams, lent, state.recent)


def recorded_now(company: Rehearsal, accounts: list[Account]) -> Iterator[Decision]:
    with company.context.store.transaction(readonly=True) as uow:
        last = [uow.decisions.explanation(account.id) for account in accounts]
    return (each.decision for each in last if each and each.run_id == company.context.run_id)


def told(decision: Decision) -> Mapping[str, object]:
    compared = ("outcome", "owner_id", "reason", "rule", "path", "candidates", "turn", "team")
    return {name: getattr(decision, name) for name in compared}


@pytest.mark.parametrize("seed", range(6))
def test_days_of_files_come_to_what_days_of_a_server_come_to(seed: int, loaded: LoadedPolicy, tmp_path: Path) -> None:
    company, chance = rehearse(tmp_path, loaded), Random(seed)
    files, reasons = Files(loaded, tmp_path / "state.json"), set[str]()
    for day in range(6):
        company.now[0] = datetime(2026, 11, 23 + day, 12, tzinfo=UTC)
        something_happens(company, chance, day)
        company.assign()
        accounts, owners, left = left_in_store(company)
        decided = files.decide(accounts, company.now[0])
        for each in recorded_now(company, accounts):
            assert told(decided[each.account_id]) == told(each)
            reasons.add(each.reason)
        assert {id_: owner for id_, owner in files.owners.items() if id_ in owners} == owners
        assert read_memory(files.state) == left
        company.push()  # or the next run records what was decided today once more
    company.context.store.close()
    assert reasons >= {"override", "pool", "parent_owner", "sticky", "no_rule"}, "and something was there to compare"
    assert left.teams
    assert left.marks


def test_without_what_the_last_run_left_the_next_one_decides_otherwise(loaded: LoadedPolicy, tmp_path: Path) -> None:
    """The control: every section of the file of state is needed."""
    company, chance = rehearse(tmp_path, loaded), Random(3)
    files = Files(loaded, tmp_path / "state.json")
    for day in range(2):
        company.now[0] = datetime(2026, 11, 23 + day, 12, tzinfo=UTC)
        something_happens(company, chance, day)
        company.assign()
        accounts, *_ = left_in_store(company)
        files.decide(accounts, company.now[0])
    company.context.store.close()
    later, whole = datetime(2026, 11, 25, 12, tzinfo=UTC), files.state.read_text()
    new = [Account(f"new {code}", "New", {"country": code, "domains": ["other.com"]}) for code in ("US", "MX")]
    lead = [Account(f"l{n}", "L", {"country": "US", "domains": [f"lead{n}.com"]}, kind="lead") for n in range(4)]

    def decided_with(state: str) -> dict[str, object]:
        files.state.write_text(state)
        again = Files(loaded, files.state, dict(files.owners), dict(files.since))
        decisions = again.decide([*accounts, *new, *lead], later)
        return {id_: (each.owner_id, each.team) for id_, each in decisions.items() if each.outcome is Outcome.OWNER}

    sections = json.loads(whole)
    assert set(sections) == {"turns", "marks", "teams", "lent", "leads"}
    for name in sections:
        without = {other: said for other, said in sections.items() if other != name}
        assert decided_with(json.dumps(without)) != decided_with(whole), name
