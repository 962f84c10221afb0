"""Northwind Data on real parts: the emulated vendors over TLS behind the gateway, and the steps with real clients.

What is outside is read from the vendors themselves here, past the connectors under test.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.settings import Settings
from emulators.server import EmulatedVendors
from emulators.world import write_usage_db
from ownership.identities import UNKNOWN
from ownership.model import Ref
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned, assign_accounts
from tasks.context import RunContext, open_context, recorded_run, utc_now
from tasks.crm_tasks import create_tasks
from tasks.matching import match_accounts
from tasks.notices import deliver_notices
from tasks.pull import pull_people, pull_stream
from tasks.push import Pushed, push_target
from tasks.transfers import finish_transfers


class Northwind:
    """The company's tools, and the flows' steps without Prefect."""

    def __init__(self, vendors: EmulatedVendors, settings: Settings) -> None:
        self.vendors = vendors
        self.settings = settings
        self.ahead = timedelta()  # how far Steward's clock is ahead of the vendors'

    @contextmanager
    def run(self) -> Iterator[RunContext]:
        with recorded_run("test", trigger="test", settings=self.settings, clock=self.now) as context:
            yield context

    def now(self) -> datetime:
        return utc_now() + self.ahead

    def assign(self) -> Assigned:
        """What flow assign-owners does."""
        with self.run() as context:
            for target in context.connectors.targets:
                pull_people(context, target)
            for source, connector in context.connectors.sources.items():
                for stream in connector.streams:
                    pull_stream(context, source, stream)
            match_accounts(context)
            assigned = assign_accounts(context)
            deliver_notices(context)
            return assigned

    def push(self) -> dict[str, Pushed]:
        """What flow push-owner-changes does."""
        with self.run() as context:
            pushed = {target: push_target(context, target) for target in context.connectors.targets}
            for target in pushed:
                finish_transfers(context, target)
                create_tasks(context, target)
            return pushed

    @contextmanager
    def books(self) -> Iterator[tuple[RunContext, UnitOfWork]]:
        """To read what Steward wrote down."""
        context = open_context(self.settings)
        with context.store.transaction(readonly=True) as uow:
            yield context, uow
        context.store.close()

    def shown(self) -> dict[Ref, str]:
        """Every record's owner as its vendor holds it: a rep's e-mail address, or the id of nobody we know."""
        salesforce, hubspot = self.vendors.vendors["salesforce"].snapshot(), self.vendors.vendors["hubspot"].snapshot()
        users = {id_: user["Email"] for id_, user in salesforce["User"].items()}
        owners = {id_: owner["email"] for id_, owner in hubspot["owners"].items()}
        found = {
            Ref("salesforce", kind, id_): users.get(record["OwnerId"], record["OwnerId"])
            for kind in ("Account", "Lead")
            for id_, record in salesforce[kind].items()
            if not record["IsDeleted"]
        }
        for kind, records in (("company", hubspot["companies"]), ("contact", hubspot["contacts"])):
            for id_, record in records.items():
                if not record["archived"]:
                    owner = record.get("hubspot_owner_id") or ""
                    found[Ref("hubspot", kind, id_)] = owners.get(owner, owner)
        return found

    def differences(self) -> list[str]:
        """Records whose vendor shows somebody else than the ledger says; none when all is well."""
        shown = self.shown()
        with self.books() as (context, uow):
            reps = context.policy.roster.reps
            wrong = []
            current = uow.ledger.current()
            for account in uow.accounts.all():
                owner = current.get(account.id)
                for ref in account.refs:
                    there = shown.get(ref)
                    if owner and there is not None and there != reps[owner.owner_id].email:
                        wrong.append(f"{ref.source}/{ref.external_id} shows {there or UNKNOWN}, not {owner.owner_id}")
        return wrong

    def exceptions(self) -> dict[str, list[str]]:
        """The keys of the open exceptions, by kind."""
        found: dict[str, list[str]] = {}
        with self.books() as (_, uow):
            for item in uow.exceptions.open_items():
                found.setdefault(item.kind, []).append(item.dedup_key)
        return {kind: sorted(keys) for kind, keys in found.items()}

    def owners(self) -> dict[str, str]:
        with self.books() as (_, uow):
            return {account_id: current.owner_id for account_id, current in uow.ledger.current().items()}


@contextmanager
def northwind(world: dict[str, Any], folder: Path, database_url: str | None = None) -> Iterator[Northwind]:
    """Start the tools of `world` (which stays as it is) with a database of their own."""
    world = copy.deepcopy(world)
    usage = folder / "usage.db"
    write_usage_db(usage, world)
    salesforce, hubspot = world["salesforce"], world["hubspot"]
    with EmulatedVendors(world, folder / "emulators") as vendors:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            database_url=database_url or f"sqlite:///{folder / 'steward.db'}",
            egress_proxy=vendors.gateway_url,
            ca_file=vendors.ca_file,
            salesforce_domain=salesforce["domain"],
            salesforce_client_id=salesforce["client_id"],
            salesforce_client_secret=salesforce["client_secret"],
            hubspot_token=hubspot["token"],
            stripe_key=world["stripe"]["key"],
            slack_token=world["slack"]["token"],
            usage_url=f"sqlite:///{usage}",
        )
        yield Northwind(vendors, settings)
