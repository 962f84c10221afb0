"""What each outside record showed when it was last read, and the last owner we proved to be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.statements import select_in, upsert
from store.tables import remote_state


@dataclass(frozen=True, slots=True)
class RemoteState:
    """One outside record. Owners are rep ids, or "?<vendor user id>"; `state` is live, deleted or missing.

    `confirmed_owner` is the last owner we wrote there, or saw there when it was the one we wanted.
    """

    ref: Ref
    observed_owner: str | None
    observed_at: datetime | None
    state: str = "live"
    version: str | None = None
    modified_at: datetime | None = None
    modified_by: str | None = None
    confirmed_owner: str | None = None
    confirmed_at: datetime | None = None


class Remote:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, *observed: RemoteState) -> None:
        """Store what was read now. What we confirmed earlier stays; see `confirm`."""
        rows = [
            {
                **_key(each.ref),
                "observed_owner": each.observed_owner,
                "observed_at": each.observed_at,
                "state": each.state,
                "version": each.version,
                "modified_at": each.modified_at,
                "modified_by": each.modified_by,
            }
            for each in observed
        ]
        upsert(self._connection, remote_state, rows)

    def confirm(self, owners: Mapping[tuple[str, str, str], tuple[str, datetime]]) -> None:
        """Note that these records, by (target, object type, id), show the owner we want since an instant."""
        rows = [
            {
                **_key(Ref(*key)),
                "observed_owner": owner,
                "observed_at": at,
                "confirmed_owner": owner,
                "confirmed_at": at,
                "state": "live",
            }
            for key, (owner, at) in sorted(owners.items())
        ]
        upsert(self._connection, remote_state, rows)

    def get(self, refs: Iterable[Ref]) -> dict[Ref, RemoteState]:
        """What is known of these records; records never read or written are missing."""
        wanted = set(refs)
        rows = select_in(
            self._connection, select(remote_state), remote_state.c.remote_id, {ref.external_id for ref in wanted}
        )
        found = {state.ref: state for state in map(_to_state, rows)}
        return {ref: state for ref, state in found.items() if ref in wanted}

    def confirmed_page(self, target: str, after: Ref | None, limit: int) -> list[Ref]:
        """The next records of a system of which we ever proved the owner, in the order of type and id."""
        columns = remote_state.c
        statement = select(columns.object_type, columns.remote_id).where(
            columns.target == target, columns.confirmed_owner.is_not(None)
        )
        if after is not None:
            later = and_(columns.object_type == after.object_type, columns.remote_id > after.external_id)
            statement = statement.where(or_(columns.object_type > after.object_type, later))
        rows = self._connection.execute(statement.order_by(columns.object_type, columns.remote_id).limit(limit))
        return [Ref(target, row.object_type, row.remote_id) for row in rows]

    def confirmed_since(self, since: datetime) -> list[Ref]:
        """The records, of all systems, that were proved to show their owner since an instant."""
        columns = remote_state.c
        statement = select(columns.target, columns.object_type, columns.remote_id).where(columns.confirmed_at >= since)
        return [Ref(*row) for row in self._connection.execute(statement)]

    def confirmed_count(self, target: str) -> int:
        """Of how many records of a system we ever proved the owner."""
        columns = remote_state.c
        statement = select(func.count()).where(columns.target == target, columns.confirmed_owner.is_not(None))
        return int(self._connection.execute(statement).scalar_one())


def _to_state(row: Row[Any]) -> RemoteState:
    return RemoteState(
        ref=Ref(row.target, row.object_type, row.remote_id),
        observed_owner=row.observed_owner,
        observed_at=row.observed_at,
        state=row.state,
        version=row.version,
        modified_at=row.modified_at,
        modified_by=row.modified_by,
        confirmed_owner=row.confirmed_owner,
        confirmed_at=row.confirmed_at,
    )


def _key(ref: Ref) -> dict[str, object]:
    return {"target": ref.source, "object_type": ref.object_type, "remote_id": ref.external_id}
