"""Prefect events that tie the flows together. Events are hints: the database says what is to be done."""

from __future__ import annotations

from collections.abc import Sequence

from prefect.events import emit_event

from tasks.context import RunContext

OWNERS_RECORDED = "steward.owners.recorded"
ACCOUNTS_CHANGED = "crm.accounts.changed"


def announce_recorded(context: RunContext, writes: int) -> None:
    """Tell the push deployment that the outbox has rows. A lost event costs minutes: push also has a schedule."""
    if writes:
        resource = {"prefect.resource.id": f"steward.run.{context.run_id}"}
        emit_event(event=OWNERS_RECORDED, resource=resource, payload={"writes": writes})


def announce_changed(source: str, external_ids: Sequence[str], delivery: str) -> None:
    """Tell the triggered deployment which records of `source` changed."""
    resource = {"prefect.resource.id": f"crm.accounts.{source}.{delivery}"}
    emit_event(
        event=ACCOUNTS_CHANGED, resource=resource, payload={"source": source, "external_ids": list(external_ids)}
    )
