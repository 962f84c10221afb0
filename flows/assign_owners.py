"""Scheduled: pull from every system, match, assign, record. Then tell the push flow that there is work.

A run replaces nothing: it continues from the stored cursors. With nothing new outside, it decides nothing.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.assignment import assign_accounts_task
from tasks.context import recorded_run
from tasks.events import announce_recorded
from tasks.matching import match_accounts_task
from tasks.notices import deliver_notices_task
from tasks.pull import pull_people_task, pull_stream_task
from tasks.report import finish, report_moves, report_progress


@flow(name="assign-owners", flow_run_name="assign owners, {trigger}", log_prints=True)
def assign_owners(trigger: str = "by hand") -> dict[str, object]:
    """Pull → match → assign → record. Returns the run's counts."""
    with recorded_run("assign-owners", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        progress = report_progress("assign-owners", steps=4)
        people = {target: pull_people_task(context, target) for target in context.connectors.targets}
        pulled = [
            pull_stream_task(context, source, stream)
            for source, connector in context.connectors.sources.items()
            for stream in connector.streams
        ]
        progress("pulled")
        matched = match_accounts_task(context)
        progress("matched")
        assigned = assign_accounts_task(context)
        progress("assigned")
        report_moves(context, "owners-changed", assigned)
        announce_recorded(context, assigned.writes + assigned.tasks)
        notified = deliver_notices_task(context)
        progress("notified")
        return finish(context, people=people, pulled=pulled, matched=matched, assigned=assigned, notified=notified)
