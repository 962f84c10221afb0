"""What records show marketing, as it was written last: one row for each record, and how each account stands.

States
    written     the record shows `shown`
    unknown     values were sent, or were about to be: `shown` holds them, and they are sent again
    rejected    the vendor refused the last change; the record shows `shown`, what it did before
A row is leased and says what will be sent before it is, so that a record whose writer died is written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from ownership.model import Ref
from ownership.suppression import Shown, Standing
from store.offers import OFFERED
from store.statements import insert_new, select_in
from store.tables import OWNER_ROLE, acceptance, assignment_ledger, ownership_current, suppression

STATES = ("written", "unknown", "rejected")
KEPT = "existing_owner"  # whoever had it in a CRM before us got nothing new to work


@dataclass(frozen=True, slots=True)
class ShownRow:
    """What one record shows. `fence` counts those who were about to write it."""

    ref: Ref
    shown: Shown
    state: str = "written"
    next_attempt_at: datetime | None = None
    leased_until: datetime | None = None
    fence: int = 0


class Suppressions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, target: str) -> dict[Ref, ShownRow]:
        """Every record of a system that anything was ever written to, or was to be."""
        found = self._connection.execute(select(suppression).where(suppression.c.target == target))
        refs = ((Ref(row.target, row.object_type, row.remote_id), row) for row in found)
        return {
            ref: ShownRow(ref, row.shown, row.state, row.next_attempt_at, row.lease_until, row.fence)
            for ref, row in refs
        }

    def worked_since(self, since: datetime) -> set[str]:
        """Accounts and leads that somebody is asked to accept, or has accepted or been given since then."""
        asked, current = acceptance.c, ownership_current.c
        of_offers = or_(asked.state == OFFERED, and_(asked.state == "accepted", asked.answered_at >= since))
        given = select(current.account_id).where(current.role == OWNER_ROLE, current.valid_from >= since)
        offered = self._connection.execute(select(asked.account_id).where(of_offers)).scalars()
        return {*offered, *self._connection.execute(given).scalars()}

    def standings(self, account_ids: Iterable[str]) -> dict[str, Standing]:
        """How each of these accounts stands; those with neither an owner nor somebody who is asked are missing."""
        ids = list(account_ids)
        current, ledger, offer = ownership_current.c, assignment_ledger.c, acceptance.c
        asked = {
            row.account_id: row.offered_at
            for row in select_in(
                self._connection,
                select(offer.account_id, offer.offered_at).where(offer.state == OFFERED),
                offer.account_id,
                ids,
            )
        }
        statement = (
            select(
                current.account_id,
                current.owner_id,
                current.valid_from,
                current.acceptance_state,
                ledger.reason,
                offer.answered_at,
            )
            .join(assignment_ledger, ledger.ledger_id == current.ledger_id)
            .outerjoin(acceptance, and_(offer.ledger_id == current.ledger_id, offer.state == "accepted"))
            .where(current.role == OWNER_ROLE, current.owner_id.is_not(None))
        )
        found = {id_: Standing(offered_at=at) for id_, at in asked.items()}
        for row in select_in(self._connection, statement, current.account_id, ids):
            since = None if row.reason == KEPT else row.valid_from
            found[row.account_id] = Standing(
                row.owner_id, since, row.acceptance_state, row.answered_at, asked.get(row.account_id)
            )
        return found

    def claim(self, before: ShownRow, values: Shown, lease_s: float, now: datetime) -> ShownRow | None:
        """Say that these values are about to be written; None when somebody else is at it, or has been meanwhile."""
        ref, columns = before.ref, suppression.c
        key = {"target": ref.source, "object_type": ref.object_type, "remote_id": ref.external_id}
        blank = {"shown": {}, "state": "written", "next_attempt_at": now, "lease_until": None, "fence": 0, "said": ""}
        if before.fence == 0:
            insert_new(self._connection, suppression, [{**key, **blank, "changed_at": now}], unique=tuple(key))
        free = or_(columns.lease_until.is_(None), columns.lease_until <= now)
        until, fence = now + timedelta(seconds=lease_s), before.fence + 1
        done = self._connection.execute(
            update(suppression)
            .where(*_is(ref), columns.fence == before.fence, free)
            .values(shown={**values}, state="unknown", lease_until=until, fence=fence, changed_at=now)
        )
        return ShownRow(ref, values, "unknown", now, until, fence) if done.rowcount == 1 else None

    def settle(
        self, row: ShownRow, state: str, shown: Shown, said: str, now: datetime, next_attempt_at: datetime | None = None
    ) -> bool:
        """Say what became of a claimed row.

        When it was claimed by somebody else meanwhile, who wrote last cannot be told: False, and it is sent again.
        """
        if state not in STATES:
            raise ValueError(f"'{state}' is no state of what a record shows; there are {', '.join(STATES)}")
        values = {"shown": {**shown}, "state": state, "said": said, "next_attempt_at": next_attempt_at or now}
        done = self._connection.execute(
            update(suppression)
            .where(*_is(row.ref), suppression.c.fence == row.fence)
            .values(**values, lease_until=None, changed_at=now)
        )
        if done.rowcount != 1:
            again = {"state": "unknown", "lease_until": None, "fence": suppression.c.fence + 1, "changed_at": now}
            self._connection.execute(update(suppression).where(*_is(row.ref)).values(again))
        return done.rowcount == 1

    def counts(self) -> Mapping[tuple[str, str], int]:
        """Records that show something, or may, for each (target, state)."""
        counts: dict[tuple[str, str], int] = {}
        for row in self._connection.execute(select(suppression)):
            if row.shown:
                counts[row.target, row.state] = counts.get((row.target, row.state), 0) + 1
        return counts


def _is(ref: Ref) -> tuple[ColumnElement[bool], ...]:
    columns = suppression.c
    return columns.target == ref.source, columns.object_type == ref.object_type, columns.remote_id == ref.external_id
