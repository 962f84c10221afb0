"""Triggered: a CRM said that accounts changed. Read them again, decide them, and nothing else.

The event only names records; what they say now is read from the CRM. A repeated or late event changes nothing.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.assignment import assign_accounts_task
from tasks.context import recorded_run
from tasks.events import announce_recorded
from tasks.matching import match_changed_accounts_task
from tasks.notices import deliver_notices_task
from tasks.pull import pull_records_task
from tasks.report import finish, report_moves
from tasks.scope import accounts_showing


def _run_name() -> str:
    changed = runtime.flow_run.parameters
    return f"{changed['source']}: {len(changed['external_ids'])} changed"


@flow(name="assign-changed-accounts", flow_run_name=_run_name, log_prints=True)
def assign_changed_accounts(source: str, external_ids: list[str]) -> dict[str, object]:
    """Pull these records → match what hangs together with them → assign their accounts → record."""
    with recorded_run("assign-changed-accounts", trigger="event", flow_run_id=runtime.flow_run.id) as context:
        pulled = pull_records_task(context, source, external_ids)
        matched = match_changed_accounts_task(context)
        assigned = assign_accounts_task(context, accounts_showing(source, external_ids, matched.begun))
        report_moves(context, "owners-changed", assigned)
        announce_recorded(context, assigned.writes + assigned.tasks)
        notified = deliver_notices_task(context)
        return finish(context, pulled=[pulled], matched=matched, assigned=assigned, notified=notified)
