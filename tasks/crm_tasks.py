"""Tasks in the CRMs: queue those that follow from what happened, and make what is queued, each exactly once.

A task whose answer never came, or whose worker died, may be there: it is looked for before it is made. A task that
cannot be made never holds up ownership; an exception says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base import NewTask, TaskTarget
from connectors.errors import Ambiguous, ConnectorError, RecordRejected
from ownership.crm_tasks import Happening, tasks_after
from ownership.day import Day
from ownership.identities import Identities
from ownership.local_time import zone
from store.crm_tasks import TaskRow, TaskSettlement
from store.exceptions import NewException
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task

CLAIM = 100  # each is one call: so many are made well within a lease
MAX_ATTEMPTS = 6
FIRST_WAIT_S = 20.0
NO_USER_WAIT_S = 3600.0  # a user may be added meanwhile
REJECTED, NO_USER = "task_rejected", "task_has_no_user"


@dataclass(frozen=True, slots=True)
class TasksMade:
    """What became of the due tasks of one CRM, by state."""

    target: str
    states: Mapping[str, int] = field(default_factory=dict)


def queue_tasks(uow: UnitOfWork, context: RunContext, day: Day, happened: Iterable[Happening]) -> int:
    """Queue what follows, in the transaction that made it happen; returns how many tasks are new."""
    if not day.policy.tasks:
        return 0
    systems = context.connectors.task_targets.keys()
    wanted = [(each.account.id, task) for each in happened for task in tasks_after(each, day, systems)]
    return uow.crm_tasks.add(wanted, context.run_id, context.now())


def create_tasks(context: RunContext, target: str) -> TasksMade:
    """Make the due tasks of one CRM, and those a killed run still holds once its leases have run out.

    Raises the connector's error when the system as a whole is out of reach; the tasks claimed by then are back.
    """
    states: Counter[str] = Counter()
    while True:
        while rows := _claim(context, target):
            states.update(_make_all(context, context.connectors.task_targets[target], rows))
        with context.store.transaction(readonly=True) as uow:
            until = uow.crm_tasks.leased_until(target, context.now())
        if until is None:
            return TasksMade(target, dict(states))
        context.sleep((until - context.now()).total_seconds())


def _claim(context: RunContext, target: str) -> list[TaskRow]:
    lease_s = context.settings.push_lease_s
    return context.store.run(lambda uow: uow.crm_tasks.claim(target, CLAIM, context.run_id, lease_s, context.now()))


def _make_all(context: RunContext, target: TaskTarget, rows: Sequence[TaskRow]) -> list[str]:
    """Make tasks one by one, each settled before the next is sent: a killed run leaves one in doubt."""
    with context.store.transaction(readonly=True) as uow:
        superseded = uow.crm_tasks.superseded(rows)
        identities = load_identities(context, uow)
    states = []
    for number, row in enumerate(rows):
        try:
            settled = _make(context, target, row, row.task_id in superseded, identities)
        except ConnectorError as problem:  # the system as a whole: none of the rest would fare better
            for left in rows[number:]:
                _settle(context, _put_back(context, left, problem))
            raise
        _settle(context, settled)
        states.append(settled.state)
    return states


def _make(
    context: RunContext, target: TaskTarget, row: TaskRow, superseded: bool, identities: Identities
) -> TaskSettlement:
    """Make one task, unless it is there already, pointless by now, or for nobody the CRM knows.

    Raises `RetryLater`, `ConnectorStopped`, `SchemaChanged`: nothing was sent, or nothing was done.
    """
    if row.doubtful:
        there = target.find_task(row.object_type, row.remote_id, row.key)
        if there is not None:
            return TaskSettlement(row, "created", "found", there)
    if superseded:
        return TaskSettlement(row, "superseded")
    user = identities.user_of.get((row.target, row.assignee))
    if user is None:
        said = f"{row.assignee} has no active user in {row.target}; add or reactivate the user"
        later = _later(context, NO_USER_WAIT_S)
        return TaskSettlement(row, "pending", said, next_attempt_at=later, tried=False, exception=NO_USER)
    due_at = row.due_at.astimezone(zone(_timezone(context, row.assignee)))
    task = NewTask(row.object_type, row.remote_id, user, row.subject, due_at, row.key)
    try:
        return TaskSettlement(row, "created", "", target.create_task(task))
    except RecordRejected as refusal:
        return TaskSettlement(row, "rejected", str(refusal), exception=REJECTED)
    except Ambiguous as problem:
        if row.attempts + 1 >= MAX_ATTEMPTS:
            said = f"no answer came to {MAX_ATTEMPTS} tries ({problem}); look whether the task is there"
            return TaskSettlement(row, "rejected", said, exception=REJECTED)
        wait_s = FIRST_WAIT_S * 2**row.attempts
        return TaskSettlement(row, "unknown", str(problem), next_attempt_at=_later(context, wait_s))


def _timezone(context: RunContext, rep: str) -> str:
    known = context.policy.roster.reps.get(rep)
    return known.timezone if known else "UTC"


def _later(context: RunContext, wait_s: float) -> datetime:
    return context.now() + timedelta(seconds=wait_s)


def _put_back(context: RunContext, row: TaskRow, problem: ConnectorError) -> TaskSettlement:
    """What was in doubt stays so. The attempt is not counted: nothing was done."""
    state = "unknown" if row.doubtful else "pending"
    return TaskSettlement(row, state, str(problem), next_attempt_at=_later(context, FIRST_WAIT_S), tried=False)


def _settle(context: RunContext, settled: TaskSettlement) -> None:
    def write(uow: UnitOfWork) -> None:
        row, now = settled.row, context.now()
        if not uow.crm_tasks.settle(settled, now):
            return  # claimed by another worker when our lease ran out: its word counts
        if settled.exception:
            uow.exceptions.open_many([_to_exception(settled.exception, settled)], context.run_id, now)
        if settled.state not in ("pending", "unknown"):
            uow.exceptions.close([_key(NO_USER, row)], "steward", f"the task is {settled.state}", now)

    context.store.run(write)


def _to_exception(kind: str, settled: TaskSettlement) -> NewException:
    row = settled.row
    detail = {"target": row.target, "record": row.remote_id, "task": row.subject, "for": row.assignee}
    return NewException(kind, _key(kind, row), row.account_id, {**detail, "problem": settled.said}, "warning")


def _key(kind: str, row: TaskRow) -> str:
    return f"{kind}:{row.key}"


create_tasks_task = as_task(create_tasks, "push", "create tasks in {target}")
