"""The outbox: what outside systems must still be told, and what became of each try.

States
    pending     to be sent at `next_attempt_at`
    unknown     sent without an answer: the next action is a read
    confirmed   proved to be shown by the system
    superseded  a newer owner made it pointless before it was sent
    rejected    refused by the vendor or held back for a person; an exception says why
    dead        given up after too many tries; an exception says so
A claimed row is leased, whatever its state. The fence counts the claims: a worker whose lease ran out and whose row
was claimed again holds an old fence, and its word no longer counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, func, or_, select, text, update
from sqlalchemy.engine import Row

from store.remote import Remote
from store.statements import count_by, insert, is_among, new_id, select_in
from store.tables import OWNER_ROLE, outbox, ownership_current, push_attempt

WAITING = ("pending", "unknown")
STATES = (*WAITING, "confirmed", "superseded", "rejected", "dead")
PUT_BACK = "put_back"
# Written out, as the index of what is due is: parameters would keep it from being used.
_IS_WAITING = text("outbox.state IN ('pending', 'unknown')")


def _due(columns: Any, earlier: Any) -> Select[Any]:
    """The due rows of `target`, but of those of one remote record only the first, at most `limit`."""
    now: BindParameter[datetime] = bindparam("now")
    in_the_way = select(earlier.outbox_id).where(
        earlier.target == columns.target,
        earlier.object_type == columns.object_type,
        earlier.remote_id == columns.remote_id,
        earlier.outbox_id < columns.outbox_id,
        or_(earlier.state.in_(WAITING), earlier.lease_until > now),
    )
    return (
        select(outbox)
        .where(
            columns.target == bindparam("target"),
            _IS_WAITING,
            columns.next_attempt_at <= now,
            or_(columns.lease_until.is_(None), columns.lease_until <= now),
            ~in_the_way.exists(),
        )
        .order_by(columns.next_attempt_at, columns.outbox_id)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True, of=outbox)
    )


# Built once: building it takes longer than finding that nothing is due, which a push asks at each turn.
_DUE = _due(outbox.c, outbox.alias("earlier").c)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record that must show `desired_owner`. Owners are rep ids; `state` is what it was when claimed."""

    outbox_id: str
    target: str
    object_type: str
    remote_id: str
    account_id: str
    seq: int
    desired_owner: str
    expected_remote_owner: str | None
    attempts: int
    fence: int
    state: str


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """One try. The outcome "put_back" says that the row was never tried, and is not counted against it."""

    outcome: str
    code: str
    message: str
    observed_owner: str | None
    run_id: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one claimed row."""

    outbox_id: str
    fence: int
    state: str
    attempt: AttemptResult
    next_attempt_at: datetime | None = None


class Outbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, target: str, limit: int, worker: str, lease_s: float, now: datetime) -> list[OutboxRow]:
        """Lease up to `limit` due rows for `lease_s` seconds, oldest due first.

        Never two rows of one remote record, neither in one claim nor over several workers: the older one goes first,
        and the next waits until it is settled or its lease has run out.
        """
        rows = self._connection.execute(_DUE, {"target": target, "limit": limit, "now": now}).all()
        lease = {"lease_owner": worker, "lease_until": now + timedelta(seconds=lease_s), "fence": outbox.c.fence + 1}
        claimed = is_among(self._connection, outbox.c.outbox_id, [row.outbox_id for row in rows])
        self._connection.execute(update(outbox).where(claimed).values(lease))
        return [_to_outbox_row(row, row.fence + 1) for row in rows]

    def settle(
        self,
        outbox_id: str,
        fence: int,
        state: str,
        attempt: AttemptResult,
        next_attempt_at: datetime | None = None,
    ) -> bool:
        """Say what became of a claimed row; False when the fence is stale and nothing was written."""
        return outbox_id in self.settle_many([Settlement(outbox_id, fence, state, attempt, next_attempt_at)])

    def settle_many(self, settlements: Sequence[Settlement]) -> set[str]:
        """Settle a batch; returns the ids that were. The others were claimed by somebody else meanwhile.

        A row superseded while it was under way stays so, unless the write is proved done: then it is confirmed; or
        nobody knows whether it was: then it is in the way of newer ones until the vendor can no longer do it.
        """
        by_id = {each.outbox_id: each for each in settlements}
        for each in settlements:
            if each.state not in STATES:
                raise ValueError(f"'{each.state}' is no outbox state; there are {', '.join(STATES)}")
        rows = select_in(self._connection, select(outbox).with_for_update(), outbox.c.outbox_id, by_id)
        ours = [(row, by_id[row.outbox_id]) for row in rows if _holds_lease(row, by_id[row.outbox_id])]
        if not ours:
            return set()
        statement = (
            update(outbox)
            .where(outbox.c.outbox_id == bindparam("settled_id"))
            .values({name: bindparam(name) for name in ("state", "attempts", "next_attempt_at", "done_at")})
            .values(lease_owner=None, lease_until=None)
        )
        self._connection.execute(statement, [_settled_columns(row, each) for row, each in ours])
        insert(self._connection, push_attempt, [_attempt_columns(each) for _, each in ours])
        self._note_confirmed(ours)
        self._send_newer_again([row for row, each in ours if each.state == "confirmed"], by_id)
        return {row.outbox_id for row, _ in ours}

    def is_superseded(self, rows: Iterable[OutboxRow]) -> set[str]:
        """The ids of rows whose account has got a newer owner since they were made."""
        by_account: dict[str, list[OutboxRow]] = {}
        for row in rows:
            by_account.setdefault(row.account_id, []).append(row)
        columns = ownership_current.c
        heads = select_in(
            self._connection,
            select(columns.account_id, columns.seq).where(columns.role == OWNER_ROLE),  # roles count for themselves
            columns.account_id,
            by_account.keys(),
        )
        return {row.outbox_id for head in heads for row in by_account[head.account_id] if head.seq > row.seq}

    def counts(self) -> dict[tuple[str, str], int]:
        """Rows for each (target, state)."""
        return count_by(self._connection, outbox.c.target, outbox.c.state)

    def waiting(self, target: str) -> set[str]:
        """The remote ids in `target` that are still to be told."""
        columns = outbox.c
        rows = self._connection.execute(select(columns.remote_id).where(columns.target == target, _IS_WAITING))
        return set(rows.scalars())

    def leased_until(self, target: str, now: datetime) -> datetime | None:
        """When the first lease on a waiting row of `target` runs out; None when nobody holds one."""
        columns = outbox.c
        held = select(func.min(columns.lease_until)).where(
            columns.target == target, _IS_WAITING, columns.lease_until > now
        )
        until: datetime | None = self._connection.execute(held).scalar_one()
        return until

    def of_account(self, account_id: str) -> list[OutboxRow]:
        """Everything ever sent or to be sent for an account, oldest first."""
        rows = self._connection.execute(
            select(outbox).where(outbox.c.account_id == account_id).order_by(outbox.c.outbox_id)
        )
        return [_to_outbox_row(row, row.fence) for row in rows]

    def _send_newer_again(self, confirmed: Sequence[Row[Any]], by_id: Mapping[str, Settlement]) -> None:
        """An owner that a held-up worker wrote after a newer one was proved stands on the record now: the newer one is
        due again, and expects it there."""
        late = self.is_superseded([_to_outbox_row(row, row.fence) for row in confirmed])
        confirmed = [row for row in confirmed if row.outbox_id in late]
        columns = outbox.c
        newest: dict[tuple[str, str, str], Row[Any]] = {}
        for late_row in confirmed:
            place = (late_row.target, late_row.object_type, late_row.remote_id)
            here = and_(columns.target == place[0], columns.object_type == place[1], columns.remote_id == place[2])
            proved = select(outbox).where(here, columns.state == "confirmed").order_by(columns.seq.desc()).limit(1)
            newest[place] = self._connection.execute(proved).one()
        for row in confirmed:
            newer = newest[(row.target, row.object_type, row.remote_id)]
            if newer.seq > row.seq and newer.desired_owner != row.desired_owner:
                again = {"state": "pending", "done_at": None, "attempts": 0}
                expects = {"expected_remote_owner": row.desired_owner}
                due = {"next_attempt_at": by_id[row.outbox_id].attempt.ended_at}
                self._connection.execute(
                    update(outbox).where(columns.outbox_id == newer.outbox_id).values(**again, **expects, **due)
                )

    def _note_confirmed(self, ours: Sequence[tuple[Row[Any], Settlement]]) -> None:
        Remote(self._connection).confirm(
            {
                (row.target, row.object_type, row.remote_id): (row.desired_owner, each.attempt.ended_at)
                for row, each in ours
                if each.state == "confirmed"
            }
        )


def _holds_lease(row: Row[Any], settlement: Settlement) -> bool:
    return row.fence == settlement.fence and row.lease_owner is not None


def _settled_columns(row: Row[Any], settlement: Settlement) -> dict[str, Any]:
    superseded = row.state == "superseded" and settlement.state not in ("confirmed", "unknown")
    state = "superseded" if superseded else settlement.state
    return {
        "settled_id": row.outbox_id,
        "state": state,
        "attempts": row.attempts + (settlement.attempt.outcome != PUT_BACK),
        "next_attempt_at": settlement.next_attempt_at or row.next_attempt_at,
        "done_at": None if state in WAITING else settlement.attempt.ended_at,
    }


def _attempt_columns(settlement: Settlement) -> dict[str, Any]:
    return {
        "attempt_id": new_id(),
        "outbox_id": settlement.outbox_id,
        "fence": settlement.fence,
        **asdict(settlement.attempt),
    }


def _to_outbox_row(row: Row[Any], fence: int) -> OutboxRow:
    return OutboxRow(
        outbox_id=row.outbox_id,
        target=row.target,
        object_type=row.object_type,
        remote_id=row.remote_id,
        account_id=row.account_id,
        seq=row.seq,
        desired_owner=row.desired_owner,
        expected_remote_owner=row.expected_remote_owner,
        attempts=row.attempts,
        fence=fence,
        state=row.state,
    )
