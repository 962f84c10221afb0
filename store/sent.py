"""Sent: which owners we ever wrote to an outside record, and of which writes we cannot say that they are over.

A write that got no answer may still land, long after a newer one was proved: what it brings is ours, and no edit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.statements import select_in
from store.tables import outbox, push_attempt


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent to one record: owners, those whose write got no answer, and those it was expected to show."""

    owners: frozenset[str] = frozenset()
    unanswered: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()


class _Tries(NamedTuple):
    """How many tries of a row we were told of, and whether one of them got no answer."""

    told: int = 0
    is_lost: bool = False


def sent_to(connection: Connection, refs: Iterable[Ref]) -> dict[Ref, Sent]:
    """What we ever sent to these records; those we never wrote to are missing."""
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for ref in refs:
        wanted[(ref.source, ref.object_type)].add(ref.external_id)
    found: dict[Ref, list[Row[Any]]] = defaultdict(list)
    for (target, object_type), ids in wanted.items():  # as the index of records is: one place at a time
        there = select(outbox).where(outbox.c.target == target, outbox.c.object_type == object_type)
        for row in select_in(connection, there, outbox.c.remote_id, ids):
            found[Ref(target, object_type, row.remote_id)].append(row)
    tries = _tries(connection, [row.outbox_id for rows in found.values() for row in rows])
    return {ref: _to_sent(rows, tries) for ref, rows in found.items()}


def _tries(connection: Connection, outbox_ids: Sequence[str]) -> Mapping[str, _Tries]:
    columns = push_attempt.c
    found: dict[str, _Tries] = defaultdict(_Tries)
    statement = select(columns.outbox_id, columns.outcome)
    for row in select_in(connection, statement, columns.outbox_id, outbox_ids):
        before = found[row.outbox_id]
        found[row.outbox_id] = _Tries(before.told + 1, before.is_lost or row.outcome == "unknown")
    return found


def _to_sent(rows: Sequence[Row[Any]], tries: Mapping[str, _Tries]) -> Sent:
    return Sent(
        frozenset(row.desired_owner for row in rows),
        frozenset(row.desired_owner for row in rows if _may_still_land(row, tries[row.outbox_id])),
        frozenset(row.expected_remote_owner for row in rows if row.expected_remote_owner is not None),
    )


def _may_still_land(row: Row[Any], tries: _Tries) -> bool:
    """A claim nobody told us of was that of a push that was killed, perhaps after it had written."""
    return tries.is_lost or row.fence > tries.told
