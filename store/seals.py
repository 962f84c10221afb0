"""Seals: what shows that the ledger and its decisions are those of a day, even to who could rewrite the whole database.

A seal covers what was recorded since the one before it, up to an instant, and follows from that one: its root changes
when any of it changes, is removed, or is slipped in later. A chain alone shows none of that once somebody has
recomputed it; a root that was printed, mailed or kept elsewhere does.

Rows recorded within the last hour are left to the next seal: their transaction may still be under way.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.engine import Row

from store.canonical import digest, to_json
from store.statements import insert
from store.tables import assignment_ledger, decision, explanation, ledger_seal, policy_version

SETTLED = timedelta(hours=1)
FIRST_ROOT = "0" * 64
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seal:
    """`ledger_rows` and `decisions` are how many it covers, recorded after the seal before it and up to `until`.

    `root` is SHA-256 over the root before it and everything covered; `signature` HMAC-SHA256 of the root, empty
    without a key.
    """

    seal_no: int
    until: datetime
    ledger_rows: int
    decisions: int
    root: str
    signature: str
    sealed_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class BrokenSeal:
    """The first seal that no longer holds. What was changed was recorded after `since` and up to `until`."""

    seal_no: int
    since: datetime | None
    until: datetime
    problem: str

    def __str__(self) -> str:
        since = f"between {self.since:%Y-%m-%d %H:%M} and" if self.since else "up to"
        return f"seal {self.seal_no}, {since} {self.until:%Y-%m-%d %H:%M} UTC: {self.problem}"


class Seals:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Seal]:
        """Every seal, oldest first."""
        rows = self._connection.execute(select(ledger_seal).order_by(ledger_seal.c.seal_no))
        return [Seal(**row._mapping) for row in rows]

    def add(self, key: str, run_id: str, now: datetime) -> Seal | None:
        """Seal what was recorded until an hour ago and is not sealed; None when that is nothing.

        `key` signs the root; empty: it is not signed. Verify first: a seal says nothing of what it covers.
        """
        before = self._last()
        until = now - SETTLED
        since = before.until if before else _BEGINNING
        if until <= since:
            return None
        seal = _cover(self._connection, before, until)
        if seal.ledger_rows == seal.decisions == 0:
            return None
        seal = replace(seal, signature=_sign(key, seal.root), sealed_at=now, run_id=run_id)
        columns = {name: getattr(seal, name) for name in Seal.__dataclass_fields__}
        insert(self._connection, ledger_seal, [columns])
        return seal

    def verify(self, key: str, kept_roots: Sequence[tuple[int, str]] = ()) -> BrokenSeal | None:
        """Work out every seal again; the first that does not hold, None when all do.

        `kept_roots` are roots that were kept elsewhere, by number: with them even seals that were all written anew do
        not hold. A key that signed nothing is not asked for.
        """
        kept = dict(kept_roots)
        before: Seal | None = None
        for seal in self.all():
            if problem := self._problem(before, seal, key, kept.pop(seal.seal_no, None)):
                return BrokenSeal(seal.seal_no, before.until if before else None, seal.until, problem)
            before = seal
        for number in sorted(kept):
            until = before.until if before else _BEGINNING
            return BrokenSeal(number, None, until, "it was kept elsewhere and is missing here")
        return None

    def altered_texts(self) -> list[str]:
        """Hashes under which another text is kept than the one they were made of: policies, steps and candidates."""
        found = _altered(self._connection, policy_version, "policy_hash", "canonical")
        return found + _altered(self._connection, explanation, "explanation_hash", "said")

    def _problem(self, before: Seal | None, seal: Seal, key: str, kept_root: str | None) -> str:
        number = before.seal_no + 1 if before else 1
        if seal.seal_no != number:
            return f"seal {number} is missing"
        if kept_root is not None and not hmac.compare_digest(kept_root, seal.root):
            return "its root is not the one that was kept elsewhere"
        if key and seal.signature and not hmac.compare_digest(_sign(key, seal.root), seal.signature):
            return "its signature was made with another key"
        now = _cover(self._connection, before, seal.until)
        if (now.ledger_rows, now.decisions) != (seal.ledger_rows, seal.decisions):
            return (
                f"{seal.ledger_rows} ledger rows and {seal.decisions} decisions were sealed, "
                f"{now.ledger_rows} and {now.decisions} are there"
            )
        return "" if now.root == seal.root else "what it covers was altered"

    def _last(self) -> Seal | None:
        row = self._connection.execute(select(ledger_seal).order_by(ledger_seal.c.seal_no.desc()).limit(1)).first()
        return Seal(**row._mapping) if row else None


def _sign(key: str, root: str) -> str:
    return hmac.new(key.encode(), root.encode(), "sha256").hexdigest() if key else ""


def _cover(connection: Connection, before: Seal | None, until: datetime) -> Seal:
    """The seal, unsigned, that follows `before` over what was recorded up to `until`."""
    since = before.until if before else _BEGINNING
    rows, rows_hash = _hash_of(connection, assignment_ledger, ("row_hash",), "ledger_id", since, until)
    decisions, decisions_hash = _hash_of(connection, decision, _DECIDED, "decision_id", since, until)
    number = before.seal_no + 1 if before else 1
    root = digest([before.root if before else FIRST_ROOT, number, until, rows, rows_hash, decisions, decisions_hash])
    return Seal(number, until, rows, decisions, root, "", until, "")


# All of a decision: what it says is kept under the hash of its text (`path_hash`, `candidates_hash`).
_DECIDED = (
    *("decision_id", "account_id", "role", "outcome", "owner_id", "reason", "rule", "turn"),
    *("policy_hash", "inputs_hash", "path_hash", "candidates_hash", "team"),
)


def _hash_of(
    connection: Connection, table: Table, columns: Sequence[str], order: str, since: datetime, until: datetime
) -> tuple[int, str]:
    """How many rows were recorded after `since` and up to `until`, and SHA-256 over these columns of all of them."""
    recorded = table.c.recorded_at
    statement = (
        select(*(table.c[name] for name in columns))
        .where(recorded > since, recorded <= until)
        .order_by(table.c[order])
        .execution_options(yield_per=5000)
    )
    count, sha = 0, sha256()
    for row in connection.execute(statement):
        sha.update(_line(row))
        count += 1
    return count, sha.hexdigest()


def _line(row: Row[Any]) -> bytes:
    return (to_json(list(row)) + "\n").encode("ascii")


def _altered(connection: Connection, table: Table, key: str, text: str) -> list[str]:
    statement = select(table.c[key], table.c[text]).order_by(table.c[key]).execution_options(yield_per=5000)
    return [kept for kept, said in connection.execute(statement) if sha256(said.encode()).hexdigest() != kept]
