"""What a fault test asks of a company: to push as scheduled, and who is owner here and there. And what vendors say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import sleep

import pytest

from config.settings import POLICY_DIR
from connectors.base import OwnerChange, OwnerResult
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.memory import MemoryTarget
from tasks.push import push_target
from tasks.rehearsal import Rehearsal
from tests.faults.steps import FIRMS
from tests.policies import read_policy

POLICY = read_policy(POLICY_DIR)
IN_SLACK = replace(POLICY, policy=replace(POLICY.policy, notices=None))  # people are told there and nowhere else
TROUBLES = [
    RetryLater("salesforce", "busy", code="429", retry_after_s=86_400.0),
    RetryLater("salesforce", "HTTP 503"),
    ConnectorStopped("salesforce", "the session is no longer valid"),
    SchemaChanged("salesforce", "no field NumberOfEmployees"),
]
TROUBLE_IDS = ["busy", "5xx", "a-token-that-was-revoked", "a-field-that-is-gone"]


def push(company: Rehearsal, *, minutes: float = 5) -> None:
    """The next scheduled push; what stops it is reported by the flow and changes nothing here."""
    company.pass_time(minutes=minutes)
    with suppress(RetryLater, ConnectorStopped):
        push_target(company.context, "salesforce")


def stop_the_clock(company: Rehearsal, patch: pytest.MonkeyPatch) -> None:
    """Whoever waits does so without moving the clock, which all runs share: a run that waits for the lease of another
    would end it otherwise, while the other still works."""
    patch.setattr(company, "pass_time", lambda **_: sleep(0.01))


def shown(company: Rehearsal) -> dict[str, str | None]:
    return {id_: company.shown("salesforce", id_) for id_ in FIRMS}


def decided(company: Rehearsal) -> dict[str, str | None]:
    return {id_: company.owner("salesforce", id_) for id_ in FIRMS}


def ledger_owners(company: Rehearsal) -> dict[str, str]:
    with company.context.store.transaction(readonly=True) as work:
        return {account_id: current.owner_id for account_id, current in work.ledger.current().items()}


def written(company: Rehearsal) -> list[str]:
    return sorted(change.remote_id for change in company.targets["salesforce"].written)


def answer(
    target: MemoryTarget, patch: pytest.MonkeyPatch, refuse: Callable[[OwnerChange], OwnerResult | None]
) -> None:
    """The vendor answers the writes for which `refuse` has an answer so, and does the others."""
    write = target._write
    patch.setattr(target, "_write", lambda change: refuse(change) or write(change))
