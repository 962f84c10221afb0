"""The ledger: who owned which account from when, why, and since when we know. Rows are never changed or removed.

Each account's rows form a chain: `seq` counts from 1 without gaps, `row_hash` covers the row and the hash before it.
`ownership_current` is the head of each chain, kept beside it for speed; it can be rebuilt at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import LEAD, Afterwards
from store.canonical import digest, to_instant
from store.statements import select_in
from store.tables import OWNER_ROLE, acceptance, account, assignment_ledger, book_size, ownership_current

FIRST_PREV_HASH = "0" * 64
ACCEPTED = "accepted"
NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class CurrentOwner:
    """The owner of record. `acceptance_state` is the offer's state, or "not_asked"; `afterwards` says what follows when
    they have the account for a time only."""

    owner_id: str
    ledger_id: str
    seq: int
    valid_from: datetime
    acceptance_state: str
    afterwards: Afterwards | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One change of owner. `owner_id` None: nobody from here on."""

    ledger_id: str
    account_id: str
    role: str
    seq: int
    event_type: str
    owner_id: str | None
    prev_owner_id: str | None
    valid_from: datetime
    recorded_at: datetime
    actor: str
    reason: str
    decision_id: str
    run_id: str
    prev_hash: str
    row_hash: str = ""

    def computed_hash(self) -> str:
        """SHA-256 over every other column, `prev_hash` included."""
        return chain_hash({name: getattr(self, name) for name in _HASHED})


_HASHED = tuple(each.name for each in fields(LedgerRow) if each.name != "row_hash")


def chain_hash(row: Mapping[str, Any]) -> str:
    """The `row_hash` of a row of the ledger, given as its columns."""
    values = [row[name] for name in _HASHED]
    return digest([to_instant(value) if isinstance(value, datetime) else value for value in values])


@dataclass(frozen=True, slots=True)
class BrokenAt:
    """The first position of the ledger that is not as it was written."""

    account_id: str
    role: str
    seq: int
    problem: str

    def __str__(self) -> str:
        return f"{self.account_id} {self.role} #{self.seq}: {self.problem}"


class Ledger:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def current(self, account_ids: Iterable[str] | None = None) -> dict[str, CurrentOwner]:
        """The owner of record of each account that has one."""
        columns = ownership_current.c
        statement = select(ownership_current).where(columns.role == OWNER_ROLE, columns.owner_id.is_not(None))
        rows = select_in(self._connection, statement, columns.account_id, account_ids)
        return {row.account_id: _to_current(row) for row in rows}

    def owned(self) -> set[str]:
        """The accounts that have an owner of record."""
        columns = ownership_current.c
        return set(
            self._connection.execute(
                select(columns.account_id).where(columns.role == OWNER_ROLE, columns.owner_id.is_not(None))
            ).scalars()
        )

    def teams(self, account_ids: Iterable[str] | None = None) -> dict[str, dict[str, str]]:
        """Who fills which supporting role, by account and role."""
        columns = ownership_current.c
        statement = select(columns.account_id, columns.role, columns.owner_id).where(
            columns.role != OWNER_ROLE, columns.owner_id.is_not(None)
        )
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for account_id, role, rep in select_in(self._connection, statement, columns.account_id, account_ids):
            found[account_id][role] = rep
        return dict(found)

    def leads_since(self, since: datetime) -> dict[str, tuple[str, datetime]]:
        """Who owns each lead that was given to somebody since then, and since when, the latest last."""
        columns = ownership_current.c
        rows = self._connection.execute(
            select(columns.account_id, columns.owner_id, columns.valid_from)
            .join(account, account.c.account_id == columns.account_id)
            .where(
                columns.role == OWNER_ROLE,
                columns.owner_id.is_not(None),
                columns.valid_from >= since,
                account.c.kind == LEAD,
            )
            .order_by(columns.valid_from, columns.account_id)
        )
        return {account_id: (owner, at) for account_id, owner, at in rows}

    def book_sizes(self) -> dict[str, int]:
        """How many accounts each owner of record has; leads are in nobody's book.

        Counted as owners change. To give nobody more than they may have, read it under the pools' lock.
        """
        rows = self._connection.execute(
            select(book_size.c.owner_id, book_size.c.accounts).where(book_size.c.accounts > 0)
        )
        return {owner: count for owner, count in rows}

    def history(self, account_id: str) -> list[LedgerRow]:
        """Every change of owner, oldest first."""
        columns = assignment_ledger.c
        rows = self._connection.execute(
            select(assignment_ledger)
            .where(columns.account_id == account_id, columns.role == OWNER_ROLE)
            .order_by(columns.seq)
        )
        return [_to_ledger_row(row) for row in rows]

    def reasons(self, ledger_ids: Iterable[str]) -> dict[str, str]:
        """Why each of these changes of owner was made."""
        columns = assignment_ledger.c
        statement = select(columns.ledger_id, columns.reason)
        return {id_: why for id_, why in select_in(self._connection, statement, columns.ledger_id, ledger_ids)}

    def owners_ever(self, account_ids: Iterable[str]) -> dict[str, frozenset[str]]:
        """Everybody who ever owned each of these accounts."""
        columns = assignment_ledger.c
        statement = select(columns.account_id, columns.owner_id).where(
            columns.role == OWNER_ROLE, columns.owner_id.is_not(None)
        )
        found: dict[str, set[str]] = defaultdict(set)
        for account_id, owner in select_in(self._connection, statement, columns.account_id, account_ids):
            found[account_id].add(owner)
        return {account_id: frozenset(owners) for account_id, owners in found.items()}

    def as_of(self, account_id: str, as_of: datetime, known_at: datetime) -> LedgerRow | None:
        """Who owned the account at `as_of`, as we knew it at `known_at`; None before the first row."""
        columns = assignment_ledger.c
        row = self._connection.execute(
            select(assignment_ledger)
            .where(
                columns.account_id == account_id,
                columns.role == OWNER_ROLE,
                columns.valid_from <= as_of,
                columns.recorded_at <= known_at,
            )
            .order_by(columns.seq.desc())
            .limit(1)
        ).first()
        return _to_ledger_row(row) if row else None

    def verify(self) -> BrokenAt | None:
        """Recompute every chain; the first position that was altered, removed or slipped in, None when all holds.

        A chain cannot show that its own end was cut off, so the head is compared with `ownership_current` too.
        """
        heads = {(row.account_id, row.role): row for row in self._connection.execute(select(ownership_current))}
        columns = assignment_ledger.c
        statement = select(assignment_ledger).order_by(columns.account_id, columns.role, columns.seq)
        before: LedgerRow | None = None
        for raw in self._connection.execute(statement.execution_options(yield_per=5000)):
            row = _to_ledger_row(raw)
            if before and (before.account_id, before.role) != (row.account_id, row.role):
                if broken := _check_head(before, heads.pop((before.account_id, before.role), None)):
                    return broken
                before = None
            if broken := _check_link(before, row):
                return broken
            before = row
        if before and (broken := _check_head(before, heads.pop((before.account_id, before.role), None))):
            return broken
        for (account_id, role), _ in sorted(heads.items()):
            return BrokenAt(account_id, role, 1, "every row of this account is missing")
        return None

    def rebuild_current(self) -> dict[str, CurrentOwner]:
        """`current()` worked out from the ledger and the offers alone. What was accepted by its owner, since they have
        had it, is accepted, whatever became of the offer of this very change."""
        columns = assignment_ledger.c
        heads: dict[str, Row[Any]] = {}
        for row in self._connection.execute(
            select(assignment_ledger).where(columns.role == OWNER_ROLE).order_by(columns.account_id, columns.seq)
        ):
            heads[row.account_id] = row
        offers = self._connection.execute(select(acceptance).order_by(acceptance.c.answered_at)).all()
        asked = {offer.ledger_id: offer.state for offer in offers}
        accepted = {(each.account_id, each.owner_id): each.answered_at for each in offers if each.state == ACCEPTED}

        def state_of(row: Row[Any]) -> str:
            since = accepted.get((row.account_id, row.owner_id))
            return ACCEPTED if since and since >= row.recorded_at else asked.get(row.ledger_id, NOT_ASKED)

        return {
            account_id: CurrentOwner(row.owner_id, row.ledger_id, row.seq, row.valid_from, state_of(row))
            for account_id, row in heads.items()
            if row.owner_id is not None
        }


def _check_link(before: LedgerRow | None, row: LedgerRow) -> BrokenAt | None:
    expected_seq = before.seq + 1 if before else 1
    if row.seq != expected_seq:
        return BrokenAt(row.account_id, row.role, expected_seq, "the row is missing")
    if row.prev_hash != (before.row_hash if before else FIRST_PREV_HASH):
        return BrokenAt(row.account_id, row.role, row.seq, "it does not follow from the row before it")
    if row.computed_hash() != row.row_hash:
        return BrokenAt(row.account_id, row.role, row.seq, "the row was altered")
    return None


def _check_head(last: LedgerRow, head: Row[Any] | None) -> BrokenAt | None:
    if head is None:
        return BrokenAt(last.account_id, last.role, last.seq, "the current owner of this account is missing")
    if head.seq > last.seq:
        return BrokenAt(last.account_id, last.role, last.seq + 1, "the row is missing")
    if (head.ledger_id, head.owner_id) != (last.ledger_id, last.owner_id):
        return BrokenAt(last.account_id, last.role, last.seq, "the current owner is not what the row says")
    return None


def _to_current(row: Row[Any]) -> CurrentOwner:
    afterwards = Afterwards(row.afterwards["returns_to"]) if row.afterwards else None
    return CurrentOwner(row.owner_id, row.ledger_id, row.seq, row.valid_from, row.acceptance_state, afterwards)


def _to_ledger_row(row: Row[Any]) -> LedgerRow:
    return LedgerRow(**row._mapping)
