"""Push: drain the outbox of every system, so that each shows the owner of record; then what goes with an owner, and the
tasks that follow.

Runs after every run that recorded something, and on a schedule for what had to wait. With nothing due it writes
nothing. One system out of reach does not hold up the others; the run then fails, and says which.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.context import recorded_run
from tasks.crm_tasks import create_tasks_task
from tasks.push import push_target_task
from tasks.report import fail_with_the_mend, finish
from tasks.transfers import finish_transfers_task


@flow(name="push-owner-changes", flow_run_name="push owner changes, {trigger}", log_prints=True)
def push_owner_changes(trigger: str = "by hand") -> dict[str, object]:
    """Push every target's due changes. Returns the run's counts."""
    with recorded_run("push-owner-changes", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        states = {target: push_target_task(context, target, return_state=True) for target in context.connectors.targets}
        pushed = {target: state.result(raise_on_failure=False) for target, state in states.items()}
        followings = {target: finish_transfers_task(context, target, return_state=True) for target in pushed}
        followed = {f"{target} transfers": each.result(raise_on_failure=False) for target, each in followings.items()}
        tasked = context.connectors.task_targets
        makings = {target: create_tasks_task(context, target, return_state=True) for target in tasked}
        made = {f"{target} tasks": making.result(raise_on_failure=False) for target, making in makings.items()}
        counts = finish(context, pushed=pushed, transferred=followed, tasks=made)
        fail_with_the_mend({**pushed, **followed, **made})
        return counts
