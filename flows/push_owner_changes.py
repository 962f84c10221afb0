"""Push: drain the outbox of every system, so that each shows the owner of record; then what goes with an owner, the
tasks that follow, and what marketing is shown.

Runs after every run that recorded something, and on a schedule for what had to wait. With nothing due it writes
nothing. One system out of reach does not hold up the others; the run then fails, and says which.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect import flow, runtime

from tasks.context import RunContext, recorded_run
from tasks.crm_tasks import create_tasks_task
from tasks.push import push_target_task
from tasks.report import fail_with_the_mend, finish
from tasks.suppression import show_suppression_task
from tasks.transfers import finish_transfers_task


@flow(name="push-owner-changes", flow_run_name="push owner changes, {trigger}", log_prints=True)
def push_owner_changes(trigger: str = "by hand") -> dict[str, object]:
    """Push every target's due changes. Returns the run's counts."""
    with recorded_run("push-owner-changes", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        connectors = context.connectors
        pushed = _in_each(push_target_task, context, connectors.targets)
        followed = _in_each(finish_transfers_task, context, connectors.targets, " transfers")
        made = _in_each(create_tasks_task, context, connectors.task_targets, " tasks")
        shown = _in_each(show_suppression_task, context, connectors.field_targets, " suppression")
        counts = finish(context, pushed=pushed, transferred=followed, tasks=made, suppression=shown)
        fail_with_the_mend({**pushed, **followed, **made, **shown})
        return counts


def _in_each(step: Any, context: RunContext, targets: Iterable[str], what: str = "") -> dict[str, Any]:
    """What comes of a step in each system, or what it raised: one out of reach does not hold up the others."""
    states = {f"{target}{what}": step(context, target, return_state=True) for target in targets}
    return {name: state.result(raise_on_failure=False) for name, state in states.items()}
