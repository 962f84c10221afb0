"""The company in the storm: the real store, pull, record and push, run by workers that the scheduler can stop anywhere.

Leadership asks for new owners in a source ("asks"); a clerk pulls the asks and records who is to own each account; two
pushers drain the outbox at once, though production runs one at a time; a legacy integration overwrites owners; people
edit them. Which faults come when is drawn from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.base import OutsideUser
from connectors.errors import ConnectorStopped, RetryLater
from connectors.memory import MemorySource
from connectors.registry import Connectors
from ownership.model import Account, Decision, Outcome, Ref, Rep
from ownership.policy import Policy, Roster
from store.engine import Store
from store.errors import CursorMoved, StoreBusy, StoreUnavailable
from store.people import PersonSeen
from store.recording import PushWanted, Recording
from tasks.context import RunContext
from tasks.pull import pull_stream
from tasks.push import push_target
from tests.simulation.database import StormyStore
from tests.simulation.scheduler import Scheduler, Worker
from tests.simulation.watch import STRANGER, Watch
from tests.simulation.weather import StormyTarget

ACCOUNTS = ("acme", "bolt", "cove", "dune")
REPS = ("ann", "ben", "cat")
CRM = "salesforce"
STORM_S = 420.0
ASKS = 24
OVERWRITES = 3
LEASE_S = 60.0
EXPECTED = (RetryLater, ConnectorStopped, StoreBusy, StoreUnavailable, CursorMoved)

Push = Callable[[RunContext, str], object]
Record = Callable[[RunContext, Sequence[Recording]], None]


@dataclass
class Company:
    """One seed's world. `wanted` is who leadership asked for last, by account. `read_all_since` waits for a run of the
    clerk that began after this second and got through; None when there was one."""

    clock: Scheduler
    watch: Watch
    store: StormyStore
    crm: MemorySource
    asks: MemorySource
    target: StormyTarget
    push: Push
    record: Record
    wanted: dict[str, str] = field(default_factory=dict)
    read_all_since: float | None = None

    def context(self, run_id: str) -> RunContext:
        connectors = Connectors({"asks": self.asks, CRM: self.crm}, {CRM: self.target})
        clock, sleep = self.clock.now, self.clock.sleep
        return RunContext(SETTINGS, self.store, connectors, POLICY, run_id=run_id, clock=clock, sleep=sleep)

    def open_for_business(self) -> None:
        dice = self.clock.dice
        for _ in range(ASKS):
            self.clock.at(dice.uniform(0, STORM_S), lambda: self._ask(dice.choice(ACCOUNTS), dice.choice(REPS)))
        for _ in range(OVERWRITES):
            owner = dice.choice((STRANGER, *(f"u-{rep}" for rep in REPS)))
            self.clock.at(dice.uniform(0, STORM_S), lambda o=owner: self._overwrite(dice.choice(ACCOUNTS), o))
        self.clock.start("clerk", self._clerk)
        self.clock.start("pusher 1", self._pusher)
        self.clock.start("pusher 2", self._pusher)

    def _ask(self, account_id: str, rep: str) -> None:
        self.wanted[account_id] = rep
        self.asks.put("accounts", account_id, {"name": account_id, "wanted": rep})
        self.clock.note(f"asks for {rep} on {account_id}")

    def _overwrite(self, account_id: str, user: str) -> None:
        self.clock.faults["overwrite"] += 1
        self.crm.put("accounts", account_id, {"owner_external_id": user}, by="legacy")
        self.watch.edited(account_id)
        self.clock.note(f"legacy sets {user} on {account_id}")

    def _clerk(self, worker: Worker) -> None:
        for run in range(1_000_000):
            worker.run_id = f"assign-{worker.starts}-{run}"
            context, began = self.context(worker.run_id), self.clock.seconds
            try:
                pull_stream(context, "asks", "accounts")
                if batch := owners_asked_for(context):
                    self.record(context, batch)
                if self.read_all_since is not None and began >= self.read_all_since:
                    self.read_all_since = None
            except EXPECTED:
                self.clock.note("gives up for now")
            self.clock.sleep(self.clock.dice.uniform(8, 24))

    def _pusher(self, worker: Worker) -> None:
        for run in range(1_000_000):
            worker.run_id = f"{worker.name}-{worker.starts}-{run}"
            try:
                self.push(self.context(worker.run_id), CRM)
            except EXPECTED as error:
                self.clock.note(f"gives up for now: {type(error).__name__}")
            self.clock.sleep(self.clock.dice.uniform(10, 40))


def found(store: Store, crm: MemorySource, now: datetime) -> None:
    """Accounts without an owner, and the people who may own them."""
    people = [PersonSeen(f"u-{rep}", rep.title(), f"{rep}@example.com", True) for rep in REPS]
    accounts = [Account(name, name.title(), {"domain": f"{name}.example"}, (ref_of(name),)) for name in ACCOUNTS]
    for name in ACCOUNTS:
        crm.put("accounts", name, {"name": name, "owner_external_id": None})
    with store.transaction() as work:
        work.people.put(CRM, people, now)
        work.accounts.save(accounts, now)


def owners_asked_for(context: RunContext) -> list[Recording]:
    """Who owns what from the staged asks, where it is somebody else than now."""
    with context.store.transaction(readonly=True) as work:
        asked = {row.external_id: str(row.fields["wanted"]) for row in work.staging.live("asks")}
        owners = {account_id: current.owner_id for account_id, current in work.ledger.current().items()}
        confirmed = {ref.external_id: seen.confirmed_owner for ref, seen in work.remote.get(REFS).items()}
    return [
        owned_by(account_id, rep, confirmed.get(account_id))
        for account_id, rep in sorted(asked.items())
        if owners.get(account_id) != rep
    ]


def record_at_once(context: RunContext, batch: Sequence[Recording]) -> None:
    """As the flows do: everything a decision asks for in one transaction."""
    context.store.run(lambda work: work.record(batch, context.run_id, context.now()))


def found_company(seed: int, engine: Engine, push: Push = push_target, record: Record = record_at_once) -> Company:
    clock = Scheduler(seed)
    watch = Watch(clock)
    crm, asks = MemorySource(CRM, ("accounts",)), MemorySource("asks", ("accounts",), page_size=2)
    # Every other vendor has compare-and-set, as Salesforce has for accounts.
    target = StormyTarget(crm, USERS, clock, watch, frozenset({"Account"} if seed % 2 else ()))
    company = Company(clock, watch, StormyStore(engine, "simulated", clock, watch), crm, asks, target, push, record)
    found(company.store, crm, clock.now())
    return company


def owned_by(account_id: str, rep: str, expected: str | None) -> Recording:
    made = Decision(account_id, Outcome.OWNER, "named", "asked", rep, policy_hash="p", inputs_hash=f"in-{rep}")
    return Recording(made, {"owner": rep}, pushes=(PushWanted(CRM, "Account", account_id, expected),))


def ref_of(account_id: str) -> Ref:
    return Ref(CRM, "Account", account_id)


REFS = [ref_of(name) for name in ACCOUNTS]
USERS = [OutsideUser(f"u-{rep}", rep.title(), f"{rep}@example.com", True) for rep in REPS]
SETTINGS = Settings(push_lease_s=LEASE_S, _env_file=None)
_ROSTER = Roster({rep: Rep(rep, rep.title(), f"{rep}@example.com", "ae", "emea") for rep in REPS})
# The push asks who is who; no step of the simulation reads a rule.
POLICY = LoadedPolicy(Policy("p"), _ROSTER, "p", "")
