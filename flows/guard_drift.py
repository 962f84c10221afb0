"""Guard: find owners that others wrote over ours; write over what can only be stale, and ask a person about the rest.

Scheduled twice: every few minutes for records that were written or found changed just before (`lately_minutes`), and
every hour for the whole book. Every difference is written down before anything is done about it, so that a run killed
anywhere is finished by the next. With nothing changed outside, a run writes nothing.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.context import recorded_run
from tasks.drift import act_on_drift_task, note_differences_task
from tasks.drift_scan import Found, find_differences_task
from tasks.events import announce_recorded
from tasks.report import fail_unless_all_read, finish, report_drift


@flow(name="guard-drift", flow_run_name="guard drift, {trigger}", log_prints=True)
def guard_drift(trigger: str = "by hand", lately_minutes: int | None = None) -> dict[str, object]:
    """Find → note → act → tell the push. A system out of reach leaves its accounts to the next run, which it fails."""
    with recorded_run("guard-drift", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        states = {
            target: find_differences_task(context, target, lately_minutes, return_state=True)
            for target in context.connectors.targets
        }
        found = {target: state.result(raise_on_failure=False) for target, state in states.items()}
        noted = note_differences_task(context, [each for each in found.values() if isinstance(each, Found)])
        guarded = [act_on_drift_task(context, target) for target in context.connectors.targets]
        report_drift(context, guarded)
        announce_recorded(context, sum(each.writes for each in guarded))
        counts = finish(context, noted=noted, guarded=guarded)
        fail_unless_all_read(found)
        return counts
