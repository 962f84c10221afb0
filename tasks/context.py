"""What every step of a run holds in its hands: settings, store, connectors, policy, and the name of the run.

Opened once at the edge of a flow (or of a command) and handed down. `RunContext` is deliberately not a dataclass:
Prefect walks dataclasses it is given as task parameters, and has no business walking a database connection.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from uuid6 import uuid7

from config.policy_files import LoadedPolicy, load_policy
from config.settings import Settings
from connectors.registry import Connectors, build_connectors, connector_versions
from ownership.refusals import Refusal
from ownership.worktime import local_day
from store.engine import Store, open_store
from store.runs import RunStart
from store.unit_of_work import UnitOfWork

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The one clock of production; tests hand in another."""
    return datetime.now(UTC)


class RunContext:
    """One run's surroundings. `counts` is what the run reports of itself; it is stored when the run ends."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        connectors: Connectors,
        policy: LoadedPolicy,
        *,
        run_id: str | None = None,
        clock: Clock = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.store = store
        self.connectors = connectors
        self.policy = policy
        self.run_id = run_id or str(uuid7())
        self.clock = clock
        self.sleep = sleep
        self.counts: dict[str, Any] = {}

    def within(self, uow: UnitOfWork) -> RunContext:
        """The same, for steps that are to be part of one transaction, with all that they write. Such a step must not
        call a vendor: the transaction would be open meanwhile."""
        here = RunContext(
            *(self.settings, self.store.within(uow), self.connectors, self.policy),
            run_id=self.run_id,
            clock=self.clock,
            sleep=self.sleep,
        )
        here.counts = self.counts
        return here

    def now(self) -> datetime:
        return self.clock()

    def today(self) -> str:
        """The date rules are asked with, ISO, in the policy's time zone."""
        return local_day(self.policy.policy.timezone, self.now())


def open_context(settings: Settings | None = None, *, clock: Clock = utc_now) -> RunContext:
    """Read settings and policy, bring the database up to date and build the connectors.

    Raises `PolicyError`, `StoreUnavailable`, `ConnectorStopped`, each with the mend in its message.
    """
    settings = settings or Settings()
    policy = load_policy(settings.policy_dir)
    store = open_store(settings.database_url)
    store.migrate()
    connectors = build_connectors(settings, custom=policy.policy.fields)
    return RunContext(settings, store, connectors, policy, clock=clock)


@contextmanager
def recorded_run(
    flow: str,
    *,
    trigger: str = "schedule",
    actor: str = "steward",
    flow_run_id: str | None = None,
    deployment: str | None = None,
    settings: Settings | None = None,
    clock: Clock = utc_now,
) -> Iterator[RunContext]:
    """Open the context and keep a `pipeline_run` row for everything written under it.

    The row says `failed` when the body raises, `refused` when a person asked for what cannot be done, and stays
    `running` when the process is killed: the next run of the same flow finishes the work, because the database and not
    the run holds it.
    """
    context = open_context(settings, clock=clock)
    try:
        with kept_run(context, flow, trigger=trigger, actor=actor, flow_run_id=flow_run_id, deployment=deployment):
            yield context
    finally:
        context.store.close()


@contextmanager
def kept_run(
    context: RunContext,
    flow: str,
    *,
    trigger: str,
    actor: str,
    flow_run_id: str | None = None,
    deployment: str | None = None,
) -> Iterator[RunContext]:
    """As `recorded_run`, in surroundings that are open already and stay so."""
    _start(context, flow, trigger, actor, flow_run_id, deployment)
    try:
        yield context
    except Refusal as refusal:
        # What they were told may name a person, whom an erasure would not find here.
        context.counts = {**context.counts, "refused": type(refusal).__name__}
        _finish(context, "refused")
        raise
    except BaseException:
        _finish(context, "failed")
        raise
    else:
        _finish(context, "completed")


def _start(
    context: RunContext, flow: str, trigger: str, actor: str, flow_run_id: str | None, deployment: str | None
) -> None:
    start = RunStart(
        run_id=context.run_id,
        flow=flow,
        flow_run_id=flow_run_id,
        deployment=deployment,
        trigger=trigger,
        actor=actor,
        code_version=code_version(),
        connector_versions=connector_versions(),
        policy_hash=context.policy.policy_hash,
    )
    now = context.now()

    def write(uow: Any) -> None:
        uow.policies.put(context.policy.policy_hash, context.policy.canonical, now)
        uow.runs.start(start, now)

    context.store.run(write)


def _finish(context: RunContext, state: str) -> None:
    counts: Mapping[str, Any] = dict(context.counts)
    context.store.run(lambda uow: uow.runs.finish(context.run_id, state, counts, context.now()))


def code_version() -> str:
    """The released version, with the commit where the deployment gives one in STEWARD_COMMIT."""
    commit = os.environ.get("STEWARD_COMMIT", "")
    return version("steward") + (f"+{commit[:12]}" if commit else "")
