"""Recording: a batch of decisions and everything that follows from them, in the caller's transaction.

Decision and inputs, ledger row and current owner, outbox rows, offer and exception are one commit or none. A killed
run leaves whole batches; repeating a batch under the same run id writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ownership.model import Afterwards, Decision, Outcome
from store.accounts import Accounts
from store.canonical import digest
from store.decisions import Explanations
from store.exceptions import Exceptions
from store.ledger import FIRST_PREV_HASH, NOT_ASKED, LedgerRow
from store.offers import OFFERED, Offer, Offers
from store.outbox import WAITING
from store.statements import chunks, insert_new, insert_rows, new_ids, select_in, upsert
from store.tables import (
    OWNER_ROLE,
    assignment_ledger,
    decision,
    input_snapshot,
    latest_decision,
    outbox,
    ownership_current,
)


@dataclass(frozen=True, slots=True)
class PushWanted:
    """This outside record must show the account's owner; until then it is expected to show `expected_owner`."""

    source: str
    object_type: str
    external_id: str
    expected_owner: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One decision with all it asks for.

    `offer_due_by` asks the new owner to accept by then. An exception leaves the account's present owner in place
    unless `unassign`. `valid_from` None: from now on. `remind_at` reminds the new owner of the offer then.
    """

    decision: Decision
    snapshot: Mapping[str, Any]
    pushes: tuple[PushWanted, ...] = ()
    offer_due_by: datetime | None = None
    actor: str = "policy"
    event_type: str = "assigned"
    unassign: bool = False
    escalation_level: int = 0
    severity: str = "warning"
    valid_from: datetime | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """Decisions written, owners changed, outbox rows made, offers opened, exceptions opened, repeats left alone."""

    decided: int = 0
    changed: int = 0
    pushed: int = 0
    offered: int = 0
    excepted: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Head:
    """The last ledger row of an account as this batch has left it."""

    owner_id: str | None = None
    ledger_id: str = ""
    seq: int = 0
    row_hash: str = FIRST_PREV_HASH


@dataclass(slots=True)
class _Rows:
    """What a batch is going to insert."""

    snapshots: dict[str, dict[str, Any]] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    afterwards: dict[str, Afterwards | None] = field(default_factory=dict)


class Recorder:
    """Writes one batch. The accounts' rows stay locked until the transaction ends, so that `seq` has no gaps."""

    def __init__(self, connection: Connection, run_id: str, now: datetime) -> None:
        self._connection = connection
        self._run_id = run_id
        self._now = now
        self._rows = _Rows()
        self._heads: dict[tuple[str, str], _Head] = {}  # by account and role
        self._explanations = Explanations()
        self._ids = new_ids()
        self._lent: set[str] = set()
        self._owned_before: set[str] = set()
        self._has_teams = False

    def record(self, batch: Sequence[Recording]) -> RecordSummary:
        account_ids = {each.decision.account_id for each in batch}
        Accounts(self._connection).lock(account_ids)
        self._heads, self._lent = self._read_heads(account_ids)
        self._owned_before = {account_id for account_id, role in self._heads if role == OWNER_ROLE}
        self._has_teams = any(role != OWNER_ROLE for _, role in self._heads)
        fresh = self._without_repeats(batch)
        changed = [each for key, each in fresh.items() if self._plan(each, key)]
        offers = self._offers(changed)
        self._insert_ledger({offer.ledger_id for offer in offers})
        pushed = self._insert_outbox()
        self._open_offers(changed, offers)
        excepted = self._update_exceptions(list(fresh.values()))
        return RecordSummary(len(fresh), len(changed), pushed, len(offers), excepted, len(batch) - len(fresh))

    def _read_heads(self, account_ids: set[str]) -> tuple[dict[tuple[str, str], _Head], set[str]]:
        """The heads of the accounts' ledgers by role, and the accounts somebody has for a time only."""
        columns = ownership_current.c
        statement = select(
            *(columns.account_id, columns.role, columns.owner_id, columns.ledger_id, columns.seq),
            *(columns.afterwards, assignment_ledger.c.row_hash),
        ).join(assignment_ledger, assignment_ledger.c.ledger_id == columns.ledger_id)
        rows = list(select_in(self._connection, statement, columns.account_id, account_ids))
        heads = {(row.account_id, row.role): _Head(row.owner_id, row.ledger_id, row.seq, row.row_hash) for row in rows}
        return heads, {row.account_id for row in rows if row.afterwards is not None}

    def _without_repeats(self, batch: Sequence[Recording]) -> dict[str, Recording]:
        by_key = {self._idem_key(each): each for each in batch}
        known = select_in(self._connection, select(decision.c.idem_key), decision.c.idem_key, by_key)
        for row in known:
            del by_key[row.idem_key]
        return by_key

    def _idem_key(self, each: Recording) -> str:
        made = each.decision
        return digest(
            [
                self._run_id,
                made.account_id,
                made.outcome.value,
                made.owner_id,
                made.reason,
                made.rule,
                made.policy_hash,
                made.inputs_hash,
                each.event_type,
                [[push.source, push.object_type, push.external_id, push.expected_owner] for push in each.pushes],
                [[member.role, member.rep_id] for member in made.team],
            ]
        )

    def _plan(self, each: Recording, idem_key: str) -> bool:
        """Work out the rows one recording needs; True when the owner of record changes."""
        made = each.decision
        decision_id = next(self._ids)
        self._rows.snapshots[made.inputs_hash] = {
            "inputs_hash": made.inputs_hash,
            "payload": each.snapshot,
            "recorded_at": self._now,
        }
        self._rows.decisions.append(
            {
                "decision_id": decision_id,
                "idem_key": idem_key,
                "run_id": self._run_id,
                "recorded_at": self._now,
                **self._explanations.columns(made),
            }
        )
        owner_id = _owner_after(each, self._head(made.account_id, OWNER_ROLE))
        changes = self._change(each, OWNER_ROLE, owner_id, decision_id)
        if made.outcome is Outcome.OWNER:
            self._rows.afterwards[made.account_id] = made.afterwards
            self._plan_team(each, decision_id)
        self._plan_pushes(each, self._head(made.account_id, OWNER_ROLE))
        return changes

    def _head(self, account_id: str, role: str) -> _Head:
        return self._heads.get((account_id, role), _Head())

    def _change(self, each: Recording, role: str, rep_id: str | None, decision_id: str) -> bool:
        """Add a ledger row when somebody else has the role from now on; whether that is so."""
        head = self._head(each.decision.account_id, role)
        if rep_id == head.owner_id:
            return False
        row = self._ledger_row(each, role, head, rep_id, decision_id)
        self._rows.ledger.append(row)
        self._heads[(row.account_id, role)] = _Head(rep_id, row.ledger_id, row.seq, row.row_hash)
        return True

    def _plan_team(self, each: Recording, decision_id: str) -> None:
        """The supporting roles follow the decision; one it no longer knows is nobody's."""
        account_id = each.decision.account_id
        filled = {member.role: member.rep_id for member in each.decision.team}
        known = {role for id_, role in self._heads if id_ == account_id} if self._has_teams else set[str]()
        for role in sorted({*filled, *known} - {OWNER_ROLE}):
            self._change(each, role, filled.get(role), decision_id)

    def _ledger_row(self, each: Recording, role: str, head: _Head, owner_id: str | None, decision_id: str) -> LedgerRow:
        return LedgerRow.chained(
            ledger_id=next(self._ids),
            account_id=each.decision.account_id,
            role=role,
            seq=head.seq + 1,
            event_type=each.event_type if owner_id is not None else "unassigned",
            owner_id=owner_id,
            prev_owner_id=head.owner_id,
            valid_from=each.valid_from or self._now,
            recorded_at=self._now,
            actor=each.actor,
            reason=each.decision.reason if role == OWNER_ROLE else "team",
            decision_id=decision_id,
            run_id=self._run_id,
            prev_hash=head.row_hash,
        )

    def _plan_pushes(self, each: Recording, head: _Head) -> None:
        if head.owner_id is None:
            return  # nobody can be shown nowhere: CRM records always have some owner
        for push in each.pushes:
            key = digest([push.source, push.object_type, push.external_id, head.seq, push.expected_owner, self._run_id])
            self._rows.outbox[key] = {
                "outbox_id": next(self._ids),
                "idem_key": key,
                "target": push.source,
                "object_type": push.object_type,
                "remote_id": push.external_id,
                "account_id": each.decision.account_id,
                "role": OWNER_ROLE,
                "seq": head.seq,
                "ledger_id": head.ledger_id,
                "desired_owner": head.owner_id,
                "expected_remote_owner": push.expected_owner,
                "state": "pending",
                "attempts": 0,
                "next_attempt_at": self._now,
                "fence": 0,
                "run_id": self._run_id,
                "recorded_at": self._now,
            }

    def _insert_ledger(self, asked: set[str]) -> None:
        """`asked` are the ledger rows whose owners have to accept."""
        rows = self._rows
        insert_new(self._connection, input_snapshot, list(rows.snapshots.values()), unique=("inputs_hash",))
        insert_rows(self._connection, decision, rows.decisions)
        latest = {row["account_id"]: row for row in rows.decisions}
        key_and_id = ("account_id", "role", "decision_id")
        upsert(self._connection, latest_decision, [{name: row[name] for name in key_and_id} for row in latest.values()])
        insert_rows(self._connection, assignment_ledger, [_to_columns(row) for row in rows.ledger])
        heads = {(row.account_id, row.role): self._current_columns(row, asked) for row in rows.ledger}
        upsert(self._connection, ownership_current, list(heads.values()))
        self._keep_afterwards({account_id for account_id, role in heads if role == OWNER_ROLE})

    def _keep_afterwards(self, written: set[str]) -> None:
        """What follows a time for which somebody has an account can change while its owner does not."""
        columns = ownership_current.c
        others = {id_: after for id_, after in self._rows.afterwards.items() if id_ not in written}
        for account_id, after in sorted(others.items()):
            if after is not None or account_id in self._lent:
                self._connection.execute(
                    update(ownership_current)
                    .where(columns.account_id == account_id, columns.role == OWNER_ROLE)
                    .values(afterwards=_afterwards_json(after))
                )

    def _current_columns(self, row: LedgerRow, asked: set[str]) -> dict[str, Any]:
        lent = self._rows.afterwards.get(row.account_id) if row.role == OWNER_ROLE else None
        return {
            "account_id": row.account_id,
            "role": row.role,
            "owner_id": row.owner_id,
            "ledger_id": row.ledger_id,
            "seq": row.seq,
            "valid_from": row.valid_from,
            "acceptance_state": OFFERED if row.ledger_id in asked else NOT_ASKED,
            "afterwards": _afterwards_json(lent),
        }

    def _insert_outbox(self) -> int:
        """Make what older owners still had to be shown pointless, then queue what is new."""
        moved = {row.account_id for row in self._rows.ledger if row.role == OWNER_ROLE} & self._owned_before
        for chunk in chunks(sorted(moved)):
            self._supersede(chunk)
        wanted = self._not_waiting_already(list(self._rows.outbox.values())) if self._rows.outbox else []
        insert_new(self._connection, outbox, wanted, unique=("idem_key",))
        return len(wanted)

    def _supersede(self, account_ids: list[str]) -> None:
        """Rows under way keep their lease: the worker's answer still counts, and nobody else writes meanwhile."""
        columns = outbox.c
        self._connection.execute(
            update(outbox)
            .where(columns.account_id.in_(account_ids), columns.role == OWNER_ROLE, columns.state.in_(WAITING))
            .values(state="superseded", done_at=self._now)
        )

    def _not_waiting_already(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        columns = outbox.c
        statement = select(columns.target, columns.object_type, columns.remote_id, columns.seq).where(
            columns.state.in_(WAITING)
        )
        waiting = {
            tuple(row)
            for row in select_in(self._connection, statement, columns.account_id, {row["account_id"] for row in rows})
        }
        return [row for row in rows if (row["target"], row["object_type"], row["remote_id"], row["seq"]) not in waiting]

    def _offers(self, changed: Sequence[Recording]) -> list[Offer]:
        """What the new owners are asked."""
        asked = []
        for account_id, each in {each.decision.account_id: each for each in changed}.items():
            head = self._head(account_id, OWNER_ROLE)
            if each.offer_due_by is not None and head.owner_id is not None:
                asked.append(
                    Offer(
                        *(next(self._ids), head.ledger_id, account_id, head.owner_id, OFFERED, each.escalation_level),
                        *(self._now, each.offer_due_by),
                        remind_at=each.remind_at,
                    )
                )
        return asked

    def _open_offers(self, changed: Sequence[Recording], asked: Sequence[Offer]) -> None:
        """Those who were asked before need not answer any more; an account that had no owner has asked nobody."""
        offers = Offers(self._connection)
        offers.supersede({each.decision.account_id for each in changed} & self._owned_before, self._now)
        offers.open_many(asked)

    def _update_exceptions(self, fresh: Sequence[Recording]) -> int:
        exceptions = Exceptions(self._connection)
        by_account = {each.decision.account_id: each for each in fresh}
        solved = [key for key, each in by_account.items() if each.decision.outcome is Outcome.OWNER]
        exceptions.close(map(exception_key, solved), "policy", "an owner was decided", self._now)
        unsolved = [each for each in by_account.values() if each.decision.outcome is Outcome.EXCEPTION]
        for each in unsolved:
            made = each.decision
            detail = {"reason": made.reason, "rule": made.rule, "because": [step.because for step in made.path]}
            key = exception_key(made.account_id)
            exceptions.open(made.reason, key, made.account_id, detail, each.severity, self._run_id, self._now)
        return len(unsolved)


def exception_key(account_id: str) -> str:
    """The `dedup_key` of the one exception a decision can leave open for an account."""
    return f"undecided:{account_id}"


def _owner_after(each: Recording, head: _Head) -> str | None:
    if each.decision.outcome is Outcome.OWNER:
        if not each.decision.owner_id:
            raise ValueError(f"the decision for {each.decision.account_id} names no owner")
        return each.decision.owner_id
    return None if each.unassign else head.owner_id


def _to_columns(row: LedgerRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in assignment_ledger.c}


def _afterwards_json(after: Afterwards | None) -> dict[str, str | None] | None:
    return None if after is None else {"returns_to": after.returns_to}
