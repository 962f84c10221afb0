"""What was lent for a time goes on when the time is over: back to who had it before, or to whom the rules say.

Times end with a day of the policy's, so that this is looked at once a day, and again when the policy changed.
"""

from __future__ import annotations

from store.errors import CursorMoved
from store.unit_of_work import UnitOfWork
from tasks.assignment import Assigned, decide_at_once
from tasks.context import RunContext
from tasks.steps import as_task

CURSOR = ("steward", "lent_accounts")


def end_what_was_lent(context: RunContext) -> Assigned:
    """Decide every account that somebody has for a time only, in one transaction; those whose time is not over stay."""
    seen = (context.today(), context.policy.policy_hash)
    with context.store.transaction(readonly=True) as uow:
        last = uow.cursors.get(*CURSOR)
    if last is not None and (last.high_water, last.tie_break) == seen:
        return Assigned()
    generation = last.generation if last else 0

    def end(uow: UnitOfWork) -> Assigned:
        ended = decide_at_once(context, uow, uow.kept.lent())
        uow.cursors.advance(*CURSOR, *seen, generation, context.run_id, context.now())
        return ended

    try:
        return context.store.run(end)
    except CursorMoved:  # another run has just done the same
        return Assigned()


end_what_was_lent_task = as_task(end_what_was_lent, "acceptance")
