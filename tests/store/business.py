"""Short ways to say what happens in the business."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ownership.model import Account, Decision, Outcome, Ref
from store.engine import Store
from store.outbox import AttemptResult, OutboxRow
from store.recording import PushWanted, Recording, RecordSummary

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def salesforce(account_id: str) -> Ref:
    return Ref("salesforce", "Account", f"001-{account_id}")


def know(store: Store, *account_ids: str) -> None:
    accounts = [
        Account(each, f"Name of {each}", {"domain": f"{each}.example"}, (salesforce(each),)) for each in account_ids
    ]
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))


def owned_by(account_id: str, owner_id: str, expected: str | None = None, **more: Any) -> Recording:
    made = Decision(
        account_id, Outcome.OWNER, "territory", "emea", owner_id, policy_hash="p1", inputs_hash=f"in-{owner_id}"
    )
    ref = salesforce(account_id)
    push = PushWanted(ref.source, ref.object_type, ref.external_id, expected)
    return Recording(made, {"owner": owner_id}, **{"pushes": (push,), **more})


def undecided(account_id: str, **more: Any) -> Recording:
    made = Decision(account_id, Outcome.EXCEPTION, "no_rule", "catch-all", policy_hash="p1", inputs_hash="in-none")
    return Recording(made, {"country": None}, **more)


def record(store: Store, *batch: Recording, run: str = "run-1", now: datetime = MONDAY) -> RecordSummary:
    return store.run(lambda uow: uow.record(batch, run, now))


def claim(
    store: Store, now: datetime = MONDAY, limit: int = 10, worker: str = "w", lease_s: float = 60
) -> list[OutboxRow]:
    return store.run(lambda uow: uow.outbox.claim("salesforce", limit, worker, lease_s, now))


def said(outcome: str, now: datetime = MONDAY) -> AttemptResult:
    return AttemptResult(outcome, "", "", None, "run-push", now, now)
