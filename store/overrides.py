"""Overrides that people ask for and disputes they open in the running system. Each gets one answer, which stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from store.statements import insert, insert_new, new_id, select_in
from store.tables import account_alias, dispute, dispute_evidence, override_request

REQUESTED, APPROVED, OPEN, WITHDRAWN = "requested", "approved", "open", "withdrawn"


@dataclass(frozen=True, slots=True)
class OverrideRequest:
    """Somebody wants `owner_id` to own an account from `since` to `until` (ISO dates, None: for good). `afterwards` is
    what follows: "stay", "return" or "rules". What is approved can be ended before its last day."""

    override_id: str
    account_id: str
    owner_id: str
    reason: str
    requested_by: str
    requested_at: datetime
    since: str
    until: str | None = None
    afterwards: str = "stay"
    state: str = REQUESTED
    decided_by: str | None = None
    decided_at: datetime | None = None
    decided_because: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None
    ended_because: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedDispute:
    """`claimed_by` says that an account is theirs. `ruled_for` is whose it is, by the ruling."""

    dispute_id: str
    account_id: str
    claimed_by: str
    reason: str
    opened_by: str
    opened_at: datetime
    rule_by: datetime
    state: str = OPEN
    ruled_for: str | None = None
    ruled_by: str | None = None
    ruled_at: datetime | None = None
    ruled_because: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What somebody said or pointed to in a dispute."""

    said: str
    added_by: str
    added_at: datetime


class Overrides:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, asked: OverrideRequest) -> None:
        """Write a request down."""
        insert(self._connection, override_request, [asdict(asked)])

    def get(self, override_id: str) -> OverrideRequest | None:
        found = self._found(override_request.c.override_id == override_id)
        return found[0] if found else None

    def recent(self, limit: int = 200, before: str | None = None) -> list[OverrideRequest]:
        """The latest requests in any state, newest first; those before the request `before`."""
        earlier = [] if before is None else [override_request.c.override_id < before]
        return self._found(*earlier, limit=limit)

    def about(self, account_ids: Sequence[str]) -> list[OverrideRequest]:
        """Those of these accounts in any state, newest first."""
        return self._found(override_request.c.account_id.in_(account_ids))

    def in_effect(self) -> list[OverrideRequest]:
        """Those that are approved and were not ended, the latest first, under what their accounts have become."""
        columns = override_request.c
        return self._found(columns.state == APPROVED, columns.ended_at.is_(None))

    def decide(self, override_id: str, state: str, by: str, because: str, now: datetime) -> bool:
        """Answer or withdraw a request; False when it was answered already, and that stands."""
        said = {"state": state, "decided_by": by, "decided_because": because, "decided_at": now}
        return self._changed(override_id, said, override_request.c.state == REQUESTED)

    def end(self, override_id: str, by: str, because: str, now: datetime) -> bool:
        """End what was approved; False when it was not, or was ended already."""
        columns = override_request.c
        said = {"ended_by": by, "ended_because": because, "ended_at": now}
        return self._changed(override_id, said, columns.state == APPROVED, columns.ended_at.is_(None))

    def _changed(self, override_id: str, said: Mapping[str, Any], *where: ColumnElement[bool]) -> bool:
        one = override_request.c.override_id == override_id
        return self._connection.execute(update(override_request).where(one, *where).values(said)).rowcount == 1

    def _found(self, *where: ColumnElement[bool], limit: int | None = None) -> list[OverrideRequest]:
        newest = override_request.c.override_id.desc()
        statement = _under_its_account(override_request).where(*where).order_by(newest).limit(limit)
        return [OverrideRequest(**row._mapping) for row in self._connection.execute(statement)]


class Disputes:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(self, opened: OpenedDispute) -> bool:
        """Open a dispute; False when the account has an open one."""
        if any(each.account_id == opened.account_id for each in self.open_ones()):
            return False
        insert_new(self._connection, dispute, [asdict(opened)], unique=("dispute_id",))
        return True

    def get(self, dispute_id: str) -> OpenedDispute | None:
        found = self._found(dispute.c.dispute_id == dispute_id)
        return found[0] if found else None

    def about(self, account_ids: Sequence[str]) -> list[OpenedDispute]:
        """Those about these accounts in any state, newest first."""
        return self._found(dispute.c.account_id.in_(account_ids))

    def open_ones(self) -> list[OpenedDispute]:
        """Those without a ruling, the latest first, under what their accounts have become."""
        return self._found(dispute.c.state == OPEN)

    def recent(self, limit: int = 200, before: str | None = None) -> list[OpenedDispute]:
        """The latest disputes in any state, newest first; those before the dispute `before`."""
        earlier = [] if before is None else [dispute.c.dispute_id < before]
        return self._found(*earlier, limit=limit)

    def end(self, dispute_id: str, state: str, ruled_for: str | None, by: str, because: str, now: datetime) -> bool:
        """Rule on it, or take it back; False when that was done already, and that stands."""
        columns = dispute.c
        said = {"state": state, "ruled_for": ruled_for, "ruled_by": by, "ruled_because": because, "ruled_at": now}
        waiting = columns.dispute_id == dispute_id, columns.state == OPEN
        return self._connection.execute(update(dispute).where(*waiting).values(said)).rowcount == 1

    def add_evidence(self, dispute_id: str, added: Evidence) -> bool:
        """Keep what somebody adds; False when the dispute is not open any more."""
        waiting = select(dispute.c.state).where(dispute.c.dispute_id == dispute_id).with_for_update()
        if self._connection.execute(waiting).scalar_one_or_none() != OPEN:
            return False
        row = {"evidence_id": new_id(), "dispute_id": dispute_id, **asdict(added)}
        insert(self._connection, dispute_evidence, [row])
        return True

    def evidence(self, dispute_ids: Iterable[str]) -> dict[str, list[Evidence]]:
        """What was said in each of these disputes, in that order; those without any are missing."""
        one = dispute_evidence.c
        statement = select(one.dispute_id, one.said, one.added_by, one.added_at).order_by(one.evidence_id)
        found: dict[str, list[Evidence]] = defaultdict(list)
        for dispute_id, *said in select_in(self._connection, statement, one.dispute_id, dispute_ids):
            found[dispute_id].append(Evidence(*said))
        return found

    def _found(self, *where: ColumnElement[bool], limit: int | None = None) -> list[OpenedDispute]:
        newest = dispute.c.dispute_id.desc()
        statement = _under_its_account(dispute).where(*where).order_by(newest).limit(limit)
        return [OpenedDispute(**row._mapping) for row in self._connection.execute(statement)]


def _under_its_account(table: Table) -> Any:
    """All columns, with what the account has become in place of an account that is part of another now."""
    now = func.coalesce(account_alias.c.now_id, table.c.account_id).label("account_id")
    others = (column for column in table.c if column.name != "account_id")
    return select(now, *others).select_from(
        table.outerjoin(account_alias, account_alias.c.account_id == table.c.account_id)
    )
