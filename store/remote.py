"""What each outside record showed when it was last read, and the last owner we proved to be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

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
        found = {}
        for row in rows:
            ref = Ref(row.target, row.object_type, row.remote_id)
            if ref in wanted:
                found[ref] = RemoteState(
                    ref=ref,
                    observed_owner=row.observed_owner,
                    observed_at=row.observed_at,
                    state=row.state,
                    version=row.version,
                    modified_at=row.modified_at,
                    modified_by=row.modified_by,
                    confirmed_owner=row.confirmed_owner,
                    confirmed_at=row.confirmed_at,
                )
        return found


def _key(ref: Ref) -> dict[str, object]:
    return {"target": ref.source, "object_type": ref.object_type, "remote_id": ref.external_id}
