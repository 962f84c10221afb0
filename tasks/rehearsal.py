"""Rehearsal: a company in memory that runs the real steps on a real store, by a clock that only moves when told.

What `steward test` plays scenarios on. The connectors are the in-memory twins, which keep every promise of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.policy_files import LoadedPolicy, load_policy
from config.settings import POLICY_DIR, Settings
from connectors.base import NewTask, OutsideUser
from connectors.memory import MemoryFacts, MemoryNotifier, MemorySource, MemoryTarget
from connectors.registry import Connectors
from ownership.day import Day
from ownership.model import Decision, Ref
from ownership.verdicts import name_of
from store.engine import open_store
from store.runs import RunStart
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned, assign_accounts, preview_accounts
from tasks.context import RunContext
from tasks.crm_tasks import create_tasks
from tasks.matching import match_accounts, match_changed_accounts
from tasks.pull import pull_people, pull_stream
from tasks.push import Pushed, push_target
from tasks.scope import accounts_in_territory, without_existing_owner
from tasks.state import load_state
from tasks.suppression import show_suppression
from tasks.transfers import finish_transfers

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CRMS = {"salesforce": "Account", "hubspot": "companies"}
LEADS = {"salesforce": "Lead", "hubspot": "contact"}
FACTS = ("stripe", "usage")


@dataclass
class Rehearsal:
    """Salesforce and HubSpot, billing and product usage in memory, and one store.

    `now` holds one instant: the clock. `told` are the notices delivered so far, by e-mail address.
    """

    context: RunContext
    sources: Mapping[str, MemorySource]
    targets: Mapping[str, MemoryTarget]
    notifier: MemoryNotifier
    now: list[datetime]
    mailbox: MemoryNotifier

    @property
    def salesforce(self) -> MemorySource:
        return self.sources["salesforce"]

    @property
    def hubspot(self) -> MemorySource:
        return self.sources["hubspot"]

    def account(self, source: str, id_: str, **fields: Any) -> None:
        """Somebody creates or edits a record; `owner` is a rep id, None for nobody."""
        if "owner" in fields:
            owner = fields.pop("owner")
            fields["owner_external_id"] = user_id(source, owner) if owner else None
        self.sources[source].put("accounts", id_, fields, by="a person")

    def lead(self, source: str, id_: str, **fields: Any) -> None:
        """Somebody creates or edits a lead; `owner` as for an account."""
        if "owner" in fields:
            owner = fields.pop("owner")
            fields["owner_external_id"] = user_id(source, owner) if owner else None
        self.sources[source].put("leads", id_, fields, by="a person")

    def adopt(self, policy: LoadedPolicy) -> None:
        """From the next run on, this policy and this roster hold."""
        context = self.context
        self.context = RunContext(context.settings, context.store, context.connectors, policy, clock=context.clock)
        self._staff()

    def _staff(self) -> None:
        """Everybody of the roster is a user of both CRMs; whose last day is over is inactive there."""
        for name, target in self.targets.items():
            target.set_users(_users(name, self.context.policy, self.context.today()))

    def new_run(self) -> None:
        """Give the next steps a run of their own, as another flow run would."""
        self.context = RunContext(
            self.context.settings,
            self.context.store,
            self.context.connectors,
            self.context.policy,
            clock=lambda: self.now[0],
            sleep=lambda seconds: self.pass_time(seconds=seconds),
        )
        start = RunStart(
            run_id=self.context.run_id,
            flow="rehearsal",
            flow_run_id=None,
            deployment=None,
            trigger="rehearsal",
            actor="rehearsal",
            code_version="0",
            connector_versions={},
            policy_hash=self.context.policy.policy_hash,
        )

        def write(uow: Any) -> None:
            uow.policies.put(self.context.policy.policy_hash, self.context.policy.canonical, self.now[0])
            uow.runs.start(start, self.now[0])

        self.context.store.run(write)

    def pass_time(self, **delta: float) -> None:
        self.now[0] += timedelta(**delta)

    def assign(self, *, changed: bool = False) -> Assigned:
        """Pull → match → assign → record, as the flow does; with `changed`, match only what changed."""
        self.new_run()
        self._staff()
        for target in self.targets:
            pull_people(self.context, target)
        for source, connector in self.context.connectors.sources.items():
            for stream in connector.streams:
                pull_stream(self.context, source, stream)
        (match_changed_accounts if changed else match_accounts)(self.context)
        return assign_accounts(self.context)

    def rerun(self, territory: str, *, dry_run: bool) -> Assigned:
        """Decide a territory again as flow rerun-territory does; a dry run writes nothing."""
        self.new_run()
        policy = self.context.policy.policy.on(self.context.today())
        wanted, rules = accounts_in_territory(policy, territory), without_existing_owner(policy)
        return (preview_accounts if dry_run else assign_accounts)(self.context, wanted, rules)

    def push(self) -> dict[str, Pushed]:
        """Owners, what goes with them, tasks, then what marketing is shown; a second later, as what is pushed was
        pulled before."""
        self.pass_time(seconds=1)
        self.new_run()
        pushed = {target: push_target(self.context, target) for target in self.targets}
        for target in self.targets:
            finish_transfers(self.context, target)
            create_tasks(self.context, target)
            show_suppression(self.context, target)
        return pushed

    def tasks(self) -> list[tuple[str, NewTask]]:
        """Every task in a CRM with the CRM's name; whose it is, is a user id (`user_id`)."""
        return [(name, task) for name, target in self.targets.items() for task in target.tasks]

    def owner(self, source: str, id_: str) -> str | None:
        """The ledger's owner of the account that has this record. Raises `LookupError` when none has, or it is gone."""
        with self.context.store.transaction(readonly=True) as uow:
            account_id = self._account_of(uow, source, id_)
            if all(account.id != account_id for account in uow.accounts.all()):
                raise LookupError(f"the account of {source}/{id_} is in no system any more")
            current = uow.ledger.current([account_id]).get(account_id)
        return current.owner_id if current else None

    def decision(self, source: str, id_: str) -> Decision | None:
        """The last decision of the account that has this record. Raises `LookupError` when none has."""
        with self.context.store.transaction(readonly=True) as uow:
            last = uow.decisions.explanation(self._account_of(uow, source, id_))
        return last.decision if last else None

    def reason(self, source: str, id_: str) -> str:
        """Why the account that has this record was decided as it was. Raises `LookupError` when none has."""
        last = self.decision(source, id_)
        return last.reason if last else "not decided"

    def history(self, source: str, id_: str) -> list[str]:
        """Who has owned the account that has this record, oldest first. Raises `LookupError` when none has."""
        with self.context.store.transaction(readonly=True) as uow:
            return [row.owner_id or "nobody" for row in uow.ledger.history(self._account_of(uow, source, id_))]

    def asked(self, source: str, id_: str) -> str | None:
        """The id of the account that has this record if somebody is asked to accept it, else None."""
        with self.context.store.transaction(readonly=True) as uow:
            found = uow.accounts.by_refs(_refs(source, id_))
            return next((account for account in found.values() if uow.offers.of_account(account)), None)

    def team(self, source: str, id_: str) -> dict[str, str]:
        """Who fills which supporting role on the account that has this record."""
        with self.context.store.transaction(readonly=True) as uow:
            account_id = self._account_of(uow, source, id_)
            return uow.ledger.teams([account_id]).get(account_id, {})

    def next_in(self, pool: str, rule: str = "") -> str | None:
        """Whose turn it is in a pool, for this rule where it remembers turns by rule, among those who could take an
        account now."""
        day = Day.of(self.context.policy.policy, self.context.policy.roster, self.now[0])
        with self.context.store.transaction(readonly=True) as uow:
            state = load_state(uow, day, [], lock=False)
        return state.rota(pool, day).next(rule=rule)

    def records(self, source: str, id_: str) -> list[str]:
        """All records of the account that has, or had, this one. Raises `LookupError` when none has."""
        with self.context.store.transaction(readonly=True) as uow:
            account = uow.accounts.get(self._account_of(uow, source, id_))
        return sorted(map(name_of, account.refs)) if account else []

    def _account_of(self, uow: UnitOfWork, source: str, id_: str) -> str:
        """The account of the record, or of what it became."""
        found = sorted(uow.accounts.by_refs(_refs(source, id_)).values()) or uow.identity.accounts_of(id_)
        if not found:
            raise LookupError(f"{source}/{id_} is in no account")
        return uow.identity.now_ids(found[:1]).get(found[0], found[0])

    def shown(self, source: str, id_: str) -> str | None:
        """Who the CRM itself shows, as a rep id. Raises `LookupError` when it has no such record."""
        if not any(self.sources[source].stored(stream, id_) for stream in self.sources[source].streams):
            raise LookupError(f"{source}/{id_} is not there")
        of_accounts, of_leads = self.targets[source].object_types
        kind = of_leads if self.sources[source].stored("leads", id_) else of_accounts
        owner = self.targets[source].read_owners([id_], kind)[0].owner_id
        return owner.removeprefix(f"{source}-") if owner else None

    def outbox(self) -> dict[tuple[str, str], int]:
        """How many changes are in which state, by (target, state)."""
        with self.context.store.transaction(readonly=True) as uow:
            return uow.outbox.counts()

    def exceptions(self) -> dict[str, int]:
        """How many exceptions are open, by kind."""
        found: dict[str, int] = {}
        with self.context.store.transaction(readonly=True) as uow:
            for item in uow.exceptions.open_items():
                found[item.kind] = found.get(item.kind, 0) + 1
        return found


def _refs(source: str, id_: str) -> list[Ref]:
    kinds = (CRMS[source], LEADS[source]) if source in CRMS else ("workspace",)
    return [Ref(source, kind, id_) for kind in kinds]


def user_id(source: str, rep: str) -> str:
    return f"{source}-{rep}"


def rehearse(
    folder: Path,
    policy: LoadedPolicy | None = None,
    database_url: str | None = None,
    tools: Sequence[str] = (),
) -> Rehearsal:
    """An empty company with everybody of the roster as a user of both CRMs; who left is inactive there.

    The database is a new SQLite file in `folder` unless `database_url` names one. `tools` are engagement tools beside
    the CRMs.
    """
    path = folder / "steward.db"
    if database_url is None and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty_database())
    url = database_url or f"sqlite:///{path}"
    settings = Settings(database_url=url, _env_file=None)
    policy = policy or _shipped_policy()
    sources = {name: MemorySource(name, object_type=kind, lead_type=LEADS[name]) for name, kind in CRMS.items()}
    sources |= {name: MemorySource(name, object_type="account", lead_type="lead") for name in tools}
    targets = {name: MemoryTarget(source) for name, source in sources.items()}
    facts = {name: MemoryFacts(name) for name in FACTS}
    notifier, mailbox = MemoryNotifier(), MemoryNotifier()
    connectors = Connectors({**sources, **facts}, targets, notifier, frozenset(tools), mailbox)
    store = open_store(url)
    store.migrate()
    now = [START]
    context = RunContext(settings, store, connectors, policy, clock=lambda: now[0])
    company = Rehearsal(context, {**sources, **facts}, targets, notifier, now, mailbox)
    company.adopt(policy)
    return company


@cache
def _shipped_policy() -> LoadedPolicy:
    return load_policy(POLICY_DIR)


@cache
def _empty_database() -> bytes:
    """A file with all tables: making them takes longer than most scenarios."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "steward.db"
        store = open_store(f"sqlite:///{path}")
        store.migrate()
        store.close()
        return path.read_bytes()


def _users(source: str, policy: LoadedPolicy, day: str) -> list[OutsideUser]:
    return [
        OutsideUser(user_id(source, rep.id), rep.name, rep.email, rep.left_on is None or day <= rep.left_on)
        for rep in policy.roster.reps.values()
    ]
