"""Transfers: what still has to go with an owner, one row for each outside record whose owner is or was changed.

States
    prepared    noted before the owner is written: who is on the team, and whose the record is until then
    due         the record shows its new owner: the rest follows at `next_attempt_at`
    done        all of it followed, or is an exception
A row that is prepared again before it is done keeps what it knew: the earlier write may have been done unnoticed.
`revision` counts the changes: what was read before the last of them settles nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.engine import Row

from ownership.model import Ref
from ownership.transfers import Teammate, joined
from store.statements import select_in, upsert
from store.tables import transfer

OPEN = ("prepared", "due")


@dataclass(frozen=True, slots=True)
class Noted:
    """What was seen of a record before its owner was written. `former` is the vendor's user id."""

    ref: Ref
    account_id: str
    former: str | None
    team: tuple[Teammate, ...] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """One record whose owner changed to the rep `owner` (None: nobody knows); `formers` are the vendor's ids of those
    before."""

    ref: Ref
    account_id: str
    formers: tuple[str, ...]
    team: tuple[Teammate, ...]
    owner: str | None
    attempts: int
    revision: int


class Transfers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def prepare(self, noted: Sequence[Noted], run_id: str, now: datetime) -> None:
        """Note what has to go with the owners that are about to be written."""
        before = {each.ref: (each, state) for each, state in self._of(each.ref for each in noted)}
        rows = [_prepared(each, *before.get(each.ref, (None, "")), run_id=run_id, now=now) for each in noted]
        upsert(self._connection, transfer, rows)

    def shown(self, owners: Mapping[Ref, str | None], now: datetime) -> None:
        """These records show their new owners (rep ids), or perhaps did (None): what was prepared for them is due."""
        self._move("due", [{"_owner": owner, **_where(ref)} for ref, owner in owners.items()], now)

    def drop(self, refs: Iterable[Ref], now: datetime) -> None:
        """The owners of these records were not written and will not be: nothing follows."""
        self._move("done", [{"_owner": None, **_where(ref)} for ref in refs], now)

    def _move(self, state: str, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
        if not rows:
            return
        columns = transfer.c
        statement = (
            update(transfer)
            .where(
                columns.target == bindparam("_target"),
                columns.object_type == bindparam("_type"),
                columns.remote_id == bindparam("_id"),
                columns.state == "prepared",
            )
            .values(
                state=state,
                owner=bindparam("_owner"),
                attempts=0,
                next_attempt_at=now,
                revision=columns.revision + 1,
                updated_at=now,
            )
        )
        self._connection.execute(statement, list(rows))

    def due(self, target: str, limit: int, now: datetime) -> list[Transfer]:
        """Up to `limit` records for which something has to follow now, longest due first."""
        columns = transfer.c
        rows = self._connection.execute(
            select(transfer)
            .where(columns.target == target, columns.state == "due", columns.next_attempt_at <= now)
            .order_by(columns.next_attempt_at, columns.object_type, columns.remote_id)
            .limit(limit)
        )
        return [_to_transfer(row) for row in rows]

    def settle(self, each: Transfer, said: str, again_at: datetime | None, now: datetime) -> bool:
        """Done, or due again at `again_at`; False when the record's owner was written again since it was read."""
        columns = transfer.c
        settled = self._connection.execute(
            update(transfer)
            .where(
                columns.target == each.ref.source,
                columns.object_type == each.ref.object_type,
                columns.remote_id == each.ref.external_id,
                columns.revision == each.revision,
            )
            .values(
                state="done" if again_at is None else "due",
                attempts=each.attempts + 1,
                next_attempt_at=again_at or now,
                said=said,
                revision=columns.revision + 1,
                updated_at=now,
            )
        )
        return settled.rowcount == 1

    def _of(self, refs: Iterable[Ref]) -> list[tuple[Transfer, str]]:
        wanted = set(refs)
        ids = {ref.external_id for ref in wanted}
        rows = select_in(self._connection, select(transfer).with_for_update(), transfer.c.remote_id, ids)
        found = [(_to_transfer(row), row.state) for row in rows]
        return [each for each in found if each[0].ref in wanted]


def _prepared(each: Noted, before: Transfer | None, state: str, *, run_id: str, now: datetime) -> dict[str, Any]:
    known = before if state in OPEN else None
    formers = {*(known.formers if known else ()), *([each.former] if each.former else ())}
    team = joined(known.team if known else (), each.team)
    return {
        "target": each.ref.source,
        "object_type": each.ref.object_type,
        "remote_id": each.ref.external_id,
        "account_id": each.account_id,
        "formers": sorted(formers),
        "team": [[mate.user_id, mate.role, dict(mate.access)] for mate in team],
        "state": "prepared",
        "owner": None,
        "attempts": 0,
        "next_attempt_at": now,
        "revision": (before.revision if before else 0) + 1,
        "said": "",
        "run_id": run_id,
        "updated_at": now,
    }


def _where(ref: Ref) -> dict[str, str]:
    return {"_target": ref.source, "_type": ref.object_type, "_id": ref.external_id}


def _to_transfer(row: Row[Any]) -> Transfer:
    return Transfer(
        ref=Ref(row.target, row.object_type, row.remote_id),
        account_id=row.account_id,
        formers=tuple(row.formers),
        team=tuple(Teammate(user_id, role, access) for user_id, role, access in row.team),
        owner=row.owner,
        attempts=row.attempts,
        revision=row.revision,
    )
