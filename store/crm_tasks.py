"""Tasks to be made in the CRMs: an outbox of their own, filled in the transaction that made them necessary.

States
    pending     to be made at `next_attempt_at`
    unknown     asked for without an answer: the next action is to look for it
    created     proved to be there
    superseded  a newer owner made it pointless before it was made
    rejected    refused by the vendor; an exception says why
A claimed row is leased. One that its worker left behind is `doubtful` when it is claimed again, as an `unknown` one is:
the task may be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select, text, update
from sqlalchemy.engine import Row

from ownership.crm_tasks import TaskWanted
from store.canonical import digest
from store.statements import count_by, insert_new, is_among, new_id, select_in
from store.tables import OWNER_ROLE, crm_task, ownership_current

STATES = ("pending", "unknown", "created", "superseded", "rejected")
KEY_LENGTH = 32  # of 64 hex characters: enough to tell tasks apart, short enough to read
_IS_WAITING = text("crm_task.state IN ('pending', 'unknown')")  # written out, as the index of what is due is


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task as it was claimed. `key` is what it is found again by in the CRM, `assignee` a rep's id."""

    task_id: str
    key: str
    target: str
    object_type: str
    remote_id: str
    account_id: str
    seq: int
    assignee: str
    subject: str
    due_at: datetime
    state: str
    attempts: int
    fence: int
    doubtful: bool


@dataclass(frozen=True, slots=True)
class TaskSettlement:
    """What became of one claimed task. `said` is the vendor's word, or why it waits; `tried` counts the attempt;
    `exception` is the kind of what a person has to see, "" for nothing."""

    row: TaskRow
    state: str
    said: str = ""
    vendor_id: str | None = None
    next_attempt_at: datetime | None = None
    tried: bool = True
    exception: str = ""


class CrmTasks:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, wanted: Iterable[tuple[str, TaskWanted]], run_id: str, now: datetime) -> int:
        """Queue tasks of accounts (by id), once for each owner they have had and each occasion; returns how many are
        new."""
        tasks = list(wanted)
        seqs = self._seqs({account_id for account_id, _ in tasks})
        rows = {
            row["task_key"]: row for row in (_columns(id_, seqs.get(id_, 0), task, run_id, now) for id_, task in tasks)
        }
        known = select_in(self._connection, select(crm_task.c.task_key), crm_task.c.task_key, rows)
        for row in known:
            del rows[row.task_key]
        insert_new(self._connection, crm_task, list(rows.values()), unique=("task_key",))
        return len(rows)

    def claim(self, target: str, limit: int, worker: str, lease_s: float, now: datetime) -> list[TaskRow]:
        """Lease up to `limit` due tasks for `lease_s` seconds, oldest due first."""
        columns = crm_task.c
        due = (
            select(crm_task)
            .where(
                columns.target == target,
                _IS_WAITING,
                columns.next_attempt_at <= now,
                or_(columns.lease_until.is_(None), columns.lease_until <= now),
            )
            .order_by(columns.next_attempt_at, columns.task_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = self._connection.execute(due).all()
        lease = {"lease_owner": worker, "lease_until": now + timedelta(seconds=lease_s), "fence": columns.fence + 1}
        claimed = is_among(self._connection, columns.task_id, [row.task_id for row in rows])
        self._connection.execute(update(crm_task).where(claimed).values(lease))
        return [_to_row(row, row.fence + 1) for row in rows]

    def settle(self, settled: TaskSettlement, now: datetime) -> bool:
        """Say what became of a claimed task; False when somebody else claimed it meanwhile and nothing was written."""
        if settled.state not in STATES:
            raise ValueError(f"'{settled.state}' is no state of a task; there are {', '.join(STATES)}")
        row, waits = settled.row, settled.state in ("pending", "unknown")
        done = self._connection.execute(
            update(crm_task)
            .where(crm_task.c.task_id == row.task_id, crm_task.c.fence == row.fence)
            .values(
                state=settled.state,
                said=settled.said,
                vendor_id=settled.vendor_id,
                attempts=row.attempts + settled.tried,
                next_attempt_at=settled.next_attempt_at or now,
                lease_owner=None,
                lease_until=None,
                done_at=None if waits else now,
            )
        )
        return done.rowcount == 1

    def try_again(self, key: str, now: datetime) -> bool:
        """Make the task with this key due again; False when it was made, or is pointless. It is looked for first: what
        was refused for want of an answer may be there."""
        again = {"state": "unknown", "attempts": 0, "next_attempt_at": now, "done_at": None}
        left = or_(crm_task.c.state == "rejected", _IS_WAITING)
        done = self._connection.execute(update(crm_task).where(crm_task.c.task_key == key, left).values(again))
        return done.rowcount == 1

    def superseded(self, rows: Sequence[TaskRow]) -> set[str]:
        """The ids of tasks whose account has got a newer owner since they were queued."""
        seqs = self._seqs({row.account_id for row in rows})
        return {row.task_id for row in rows if seqs.get(row.account_id, 0) > row.seq}

    def leased_until(self, target: str, now: datetime) -> datetime | None:
        """When the first lease on a waiting task of `target` runs out; None when nobody holds one."""
        columns = crm_task.c
        held = select(func.min(columns.lease_until)).where(
            columns.target == target, _IS_WAITING, columns.lease_until > now
        )
        until: datetime | None = self._connection.execute(held).scalar_one()
        return until

    def counts(self) -> dict[tuple[str, str], int]:
        """Tasks for each (target, state)."""
        return count_by(self._connection, crm_task.c.target, crm_task.c.state)

    def _seqs(self, account_ids: Iterable[str]) -> dict[str, int]:
        """How many owners of record each account has had."""
        columns = ownership_current.c
        statement = select(columns.account_id, columns.seq).where(columns.role == OWNER_ROLE)
        rows = select_in(self._connection, statement, columns.account_id, account_ids)
        return {row.account_id: row.seq for row in rows}


def _columns(account_id: str, seq: int, task: TaskWanted, run_id: str, now: datetime) -> dict[str, Any]:
    # Not the record: of two in one system that become one, the account has had its task already.
    key = digest([account_id, seq, task.event, task.name, task.ref.source, task.occasion])[:KEY_LENGTH]
    return {
        "task_id": new_id(),
        "task_key": key,
        "name": task.name,
        "event": task.event,
        "target": task.ref.source,
        "object_type": task.ref.object_type,
        "remote_id": task.ref.external_id,
        "account_id": account_id,
        "seq": seq,
        "assignee": task.assignee,
        "subject": task.subject,
        "due_at": task.due_at,
        "state": "pending",
        "attempts": 0,
        "next_attempt_at": now,
        "fence": 0,
        "said": "",
        "run_id": run_id,
        "recorded_at": now,
    }


def _to_row(row: Row[Any], fence: int) -> TaskRow:
    return TaskRow(
        task_id=row.task_id,
        key=row.task_key,
        target=row.target,
        object_type=row.object_type,
        remote_id=row.remote_id,
        account_id=row.account_id,
        seq=row.seq,
        assignee=row.assignee,
        subject=row.subject,
        due_at=row.due_at,
        state=row.state,
        attempts=row.attempts,
        fence=fence,
        doubtful=row.state == "unknown" or row.lease_owner is not None,
    )
