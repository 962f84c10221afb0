"""Each minute: owners are reminded of offers that run out soon, and offers nobody answered in time move on: next in
line, then the manager, then the exception queue. With each new day what was lent until the day before goes on, and
owners are warned of accounts they are about to lose.
"""

from __future__ import annotations

from prefect import flow, runtime

from tasks.acceptance import escalate_due_task, remind_owners_task
from tasks.context import recorded_run
from tasks.events import announce_recorded
from tasks.forfeiture import warn_of_forfeiture_task
from tasks.lent import end_what_was_lent_task
from tasks.notices import deliver_notices_task
from tasks.placed_by_people import note_overdue_disputes_task
from tasks.report import finish, report_moves


@flow(name="escalate-unaccepted", flow_run_name="escalate unaccepted, {trigger}", log_prints=True)
def escalate_unaccepted(trigger: str = "by hand") -> dict[str, object]:
    """Escalate every offer whose deadline has passed. A second pass finds none of them."""
    with recorded_run("escalate-unaccepted", trigger=trigger, flow_run_id=runtime.flow_run.id) as context:
        reminded = remind_owners_task(context)
        escalated = escalate_due_task(context)
        ended = end_what_was_lent_task(context)
        overdue = note_overdue_disputes_task(context)
        report_moves(context, "escalated", escalated)
        announce_recorded(context, escalated.writes + escalated.tasks + ended.writes + ended.tasks)
        notified = deliver_notices_task(context)
        warned = warn_of_forfeiture_task(context)  # told by the next run: what is due now does not wait for it
        done = {"reminded": reminded, "warned": warned, "overdue_disputes": overdue}
        return finish(context, **done, assigned=escalated, lent=ended, notified=notified)
