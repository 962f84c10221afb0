"""The log of accesses does not grow for ever."""

from __future__ import annotations

from datetime import timedelta

from tasks.context import RunContext
from tasks.steps import as_task


def forget_old_accesses(context: RunContext) -> int:
    """Remove accesses older than the settings keep; returns how many."""
    before = context.now() - timedelta(days=context.settings.access_log_days)
    return context.store.run(lambda uow: uow.access_log.forget(before))


forget_old_accesses_task = as_task(forget_old_accesses, "audit")
