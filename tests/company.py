"""A small company in memory: the real steps, store, roster and policy, with connectors that keep every promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.policy_files import load_policy
from config.settings import POLICY_DIR, Settings
from connectors.base import OutsideUser
from connectors.memory import MemoryNotifier, MemorySource, MemoryTarget
from connectors.registry import Connectors
from store.engine import open_store
from store.runs import RunStart
from tasks.assignment import Assigned, assign_accounts
from tasks.context import RunContext
from tasks.matching import match_accounts
from tasks.pull import pull_people, pull_stream
from tasks.push import Pushed, push_target

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INTEGRATION = "sf-integration"


@dataclass
class Company:
    """Salesforce and HubSpot in memory, one store, and a clock that only moves when told."""

    context: RunContext
    salesforce: MemorySource
    hubspot: MemorySource
    targets: Mapping[str, MemoryTarget]
    notifier: MemoryNotifier
    now: list[datetime] = field(default_factory=lambda: [START])

    def account(self, source: str, id_: str, **fields: Any) -> None:
        """Somebody creates or edits a record; `owner` is a rep id, None for nobody."""
        if "owner" in fields:
            owner = fields.pop("owner")
            fields["owner_external_id"] = user_id(source, owner) if owner else None
        crm = self.salesforce if source == "salesforce" else self.hubspot
        crm.put("accounts", id_, fields, by="a person")

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
            flow="test",
            flow_run_id=None,
            deployment=None,
            trigger="test",
            actor="test",
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

    def assign(self) -> Assigned:
        """Pull → match → assign → record, as the flow does."""
        self.new_run()
        for target in self.targets:
            pull_people(self.context, target)
        for source in self.context.connectors.sources:
            pull_stream(self.context, source, "accounts")
        match_accounts(self.context)
        return assign_accounts(self.context)

    def push(self) -> dict[str, Pushed]:
        self.new_run()
        return {target: push_target(self.context, target) for target in self.targets}

    def owner(self, source: str, id_: str) -> str | None:
        """The ledger's owner of the account that has this record."""
        with self.context.store.transaction(readonly=True) as uow:
            current = uow.ledger.current()
            for account in uow.accounts.all():
                if any((ref.source, ref.external_id) == (source, id_) for ref in account.refs):
                    return current[account.id].owner_id if account.id in current else None
        raise LookupError(f"{source}/{id_} is in no account")

    def shown(self, source: str, id_: str) -> str | None:
        """Who the CRM itself shows, as a rep id."""
        owner = self.targets[source].read_owners([id_])[0].owner_id
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


def user_id(source: str, rep: str) -> str:
    return f"{source}-{rep}"


def found_company(folder: Path, database_url: str | None = None) -> Company:
    """An empty company with everybody of the shipped roster as a user of both CRMs; who left is inactive there."""
    url = database_url or f"sqlite:///{folder / 'steward.db'}"
    settings = Settings(database_url=url, _env_file=None)  # type: ignore[call-arg]
    policy = load_policy(POLICY_DIR)
    salesforce = MemorySource("salesforce", object_type="Account")
    hubspot = MemorySource("hubspot", object_type="companies")
    targets = {
        source.name: MemoryTarget(
            source,
            [
                OutsideUser(user_id(source.name, rep.id), rep.name, rep.email, rep.left_on is None)
                for rep in policy.roster.reps.values()
            ],
        )
        for source in (salesforce, hubspot)
    }
    notifier = MemoryNotifier()
    connectors = Connectors({"salesforce": salesforce, "hubspot": hubspot}, targets, notifier)
    store = open_store(url)
    store.migrate()
    now = [START]
    context = RunContext(settings, store, connectors, policy, clock=lambda: now[0])
    return Company(context, salesforce, hubspot, targets, notifier, now)
