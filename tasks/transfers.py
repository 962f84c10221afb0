"""Transfers: what goes with an owner in a CRM. The team is noted before the owner is written and put back after; what
the owner before had on the account follows where the policy says so.

Noted durably before the write and finished after it: a run killed anywhere in between is completed by the next one.
Nothing here holds up an owner; what a CRM refuses becomes an exception.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base import (
    DependentTarget,
    ObservedOwner,
    OwnerChange,
    OwnerResult,
    OwnerTarget,
    TeamTarget,
    WriteOutcome,
)
from ownership.model import Ref
from ownership.transfers import Teammate, to_follow, to_put_back
from store.exceptions import NewException, record_key
from store.outbox import OutboxRow
from store.transfers import Noted, Transfer
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identities import load_identities
from tasks.steps import as_task

CLAIM = 200
MAX_ATTEMPTS = 6
FIRST_WAIT_S = 20.0
TEAM, REJECTED = "team_not_kept", "transfer_rejected"
WAYS_OUT = {
    TEAM: "Put them, or whoever does their work now, on the account's team in the CRM",
    REJECTED: "Mend what the CRM names and give the record to the account's owner there",
}


@dataclass(frozen=True, slots=True)
class Transferred:
    """What went with the owners of one CRM: `records` are done, `teammates` were put back, `moved` counts contacts and
    opportunities, `waiting` are records to be tried again."""

    target: str
    records: int = 0
    teammates: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0


def note_before_write(
    context: RunContext, target: OwnerTarget, rows: Sequence[OutboxRow], seen: Mapping[str, ObservedOwner]
) -> None:
    """Note what has to go with the owners that are about to be written. `seen` is by outbox id.

    Raises what the connector raises when the system as a whole does not answer; then nothing may be written.
    """
    wanted = context.policy.policy.on_owner_change
    accounts = [row for row in rows if row.object_type == target.object_type]
    teams: Mapping[str, tuple[Teammate, ...]] = {}
    if accounts and wanted.keep_team and isinstance(target, TeamTarget):
        teams = target.read_teams([row.remote_id for row in accounts])
    follows = bool(wanted.moved) and isinstance(target, DependentTarget)
    noted = [
        Noted(_ref(row), row.account_id, seen[row.outbox_id].owner_id, teams.get(row.remote_id, ()))
        for row in accounts
        if teams.get(row.remote_id) or (follows and seen[row.outbox_id].owner_id)
    ]
    if noted:
        context.store.run(lambda uow: uow.transfers.prepare(noted, context.run_id, context.now()))


def note_settled(uow: UnitOfWork, states: Iterable[tuple[OutboxRow, str]], now: datetime) -> None:
    """In the transaction that settles these rows: what was noted for confirmed ones is due, for refused ones dropped.

    A refused one that was tried before may have been written then, unnoticed: its team is looked after all the same.
    """
    shown: dict[Ref, str | None] = {}
    dropped = []
    for row, state in states:
        if state == "confirmed":
            shown[_ref(row)] = row.desired_owner
        elif state == "rejected" and row.fence > 1:
            shown[_ref(row)] = None
        elif state == "rejected":
            dropped.append(_ref(row))
    uow.transfers.shown(shown, now)
    uow.transfers.drop(dropped, now)


def finish_transfers(context: RunContext, target: str) -> Transferred:
    """Let everything that is due in one CRM follow. Safe to repeat, and safe beside another run of itself.

    Raises `RetryLater` or `ConnectorStopped` when the system as a whole is out of reach; what is due stays due.
    """
    system, records, waiting, teammates = context.connectors.targets[target], 0, 0, 0
    moved: Counter[str] = Counter()
    while rows := _due(context, target):
        batch = _Batch(context, system, rows)
        teammates += batch.put_back_teams()
        moved.update(batch.move_dependents())
        left = batch.settle()
        records, waiting = records + len(rows) - left, waiting + left
    return Transferred(target, records, teammates, dict(moved), waiting)


def _due(context: RunContext, target: str) -> list[Transfer]:
    with context.store.transaction(readonly=True) as uow:
        return uow.transfers.due(target, CLAIM, context.now())


def _ref(row: OutboxRow) -> Ref:
    return Ref(row.target, row.object_type, row.remote_id)


class _Batch:
    """Some records of one CRM, whose owners are shown by now."""

    def __init__(self, context: RunContext, system: OwnerTarget, rows: Sequence[Transfer]) -> None:
        self._context, self._system, self._rows = context, system, rows
        with context.store.transaction(readonly=True) as uow:
            users = load_identities(context, uow).user_of
        self._by_id = {row.ref.external_id: row for row in rows}
        self._owner = {
            row.ref.external_id: user for row in rows if (user := users.get((row.ref.source, row.owner or "")))
        }
        self._problems: list[NewException] = []
        self._again: dict[str, str] = {}  # why, by the record's id

    def put_back_teams(self) -> int:
        """Put back who was dropped from a team; returns how many that were."""
        noted = [row for row in self._rows if row.team]
        if not noted or not isinstance(self._system, TeamTarget):
            return 0
        present = self._system.read_teams([row.ref.external_id for row in noted])
        wanted = [
            (id_, mate)
            for id_, row in ((row.ref.external_id, row) for row in noted)
            for mate in to_put_back(row.team, present.get(id_, ()), self._owner.get(id_))
        ]
        results = self._system.add_teammates(wanted) if wanted else ()
        for (id_, mate), result in zip(wanted, results, strict=True):
            row = self._by_id[id_]
            key = f"{record_key(TEAM, *_places(row.ref))}:{mate.user_id}"
            detail = {"target": row.ref.source, "record": id_, "teammate": mate.user_id, "role": mate.role or ""}
            self._note(row, result, TEAM, key, detail)
        return sum(result.outcome is WriteOutcome.WRITTEN for result in results)

    def move_dependents(self) -> Counter[str]:
        """Give the new owner what the one before had there; returns how many of each object moved."""
        kinds = self._context.policy.policy.on_owner_change.moved
        rows = [row for row in self._rows if row.formers and row.ref.external_id in self._owner]
        if not kinds or not rows or not isinstance(self._system, DependentTarget):
            return Counter()
        formers = {row.ref.external_id: row.formers for row in rows}
        found = self._system.dependents(list(formers), kinds, {id_ for some in formers.values() for id_ in some})
        refs = [Ref(self._system.name, each.object_type, each.id) for each in found]
        with self._context.store.transaction(readonly=True) as uow:
            ours = {(ref.object_type, ref.external_id) for ref in uow.accounts.by_refs(refs)}
        follow = list(to_follow(found, formers, self._owner, ours))
        changes = [OwnerChange(each.object_type, each.id, owner) for each, owner in follow]
        results = self._system.move_dependents(changes) if changes else ()
        moved: Counter[str] = Counter()
        for (each, owner), result in zip(follow, results, strict=True):
            row, target = self._by_id[each.on], self._system.name
            detail = {"target": target, "record": f"{each.object_type} {each.id}", "wanted": owner}
            self._note(row, result, REJECTED, record_key(REJECTED, target, each.object_type, each.id), detail)
            moved[each.object_type] += result.outcome is WriteOutcome.WRITTEN
        return moved

    def settle(self) -> int:
        """Write what became of the batch; returns how many records have to be tried again."""
        return self._context.store.run(self._settle)

    def _settle(self, uow: UnitOfWork) -> int:
        now = self._context.now()
        for row in self._rows:
            said = self._again.get(row.ref.external_id, "")
            wait = timedelta(seconds=FIRST_WAIT_S * 2**row.attempts)
            uow.transfers.settle(row, said, now + wait if said else None, now)
        uow.exceptions.open_many(self._problems, self._context.run_id, now)
        return len(self._again)

    def _note(self, row: Transfer, result: OwnerResult, kind: str, key: str, detail: Mapping[str, str]) -> None:
        """A row that may be tried again makes the record wait, until it has been tried too often."""
        if result.outcome is WriteOutcome.WRITTEN:
            return
        said = f"{result.code} {result.message}".strip() or result.outcome.value
        if result.outcome in (WriteOutcome.RETRY, WriteOutcome.UNKNOWN) and row.attempts + 1 < MAX_ATTEMPTS:
            self._again[row.ref.external_id] = said
            return
        problem = {**detail, "code": result.code, "problem": said, "ways_out": [WAYS_OUT[kind]]}
        self._problems.append(NewException(kind, key, row.account_id, problem, "warning"))


def _places(ref: Ref) -> tuple[str, str, str]:
    return ref.source, ref.object_type, ref.external_id


finish_transfers_task = as_task(finish_transfers, "push", "what goes with owners in {target}")
