"""Identity: what people said of records, which accounts became others, and which records a system merged away.

Words and events are never changed or removed; an alias holds until its account is one of its own again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.engine import Row

from ownership.model import Ref
from ownership.verdicts import SaidParent, Verdict
from store.statements import insert, is_among, new_id, select_in, upsert
from store.tables import account, account_alias, account_ref, identity_event, source_row, verdict

WORDS = {True: "same", False: "split", None: "withdrawn"}
_SAID = {word: same for same, word in WORDS.items()}
UNDER, NOT_UNDER = "under", "not_under"
MERGED, SPLIT, MOVED = "merged", "split", "moved"
MOST_STEPS = 50
"""So many times one record can have been merged into the next before it is a circle."""


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """What became of an account's records. `merged`: all of them went to `other_id`; `split`: these came from it and
    are an account of their own; `moved`: these went there."""

    kind: str
    account_id: str
    other_id: str
    records: tuple[str, ...]
    because: str
    run_id: str = ""
    recorded_at: datetime | None = None
    event_id: str = ""


class Identity:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # --- people's words ---

    def say(self, words: Iterable[Verdict]) -> None:
        """Write down what somebody said, in this order."""
        insert(self._connection, verdict, [_verdict_columns(WORDS[each.same], each) for each in words])

    def said(self) -> list[Verdict]:
        """Everything that was ever said of what is one company, oldest first."""
        return [_to_verdict(row) for row in self._rows(_SAID)]

    def say_parents(self, words: Iterable[SaidParent]) -> None:
        """Write down which company is above which, as somebody said."""
        insert(self._connection, verdict, [_parent_columns(each) for each in words])

    def said_parents(self) -> list[SaidParent]:
        """Everything that was ever said of parents, oldest first."""
        return [_to_parent(row) for row in self._rows((UNDER, NOT_UNDER))]

    def _rows(self, words: Iterable[str]) -> Sequence[Row[Any]]:
        statement = select(verdict).where(verdict.c.word.in_(sorted(words)))
        return self._connection.execute(statement.order_by(verdict.c.verdict_id)).all()

    # --- accounts that became others ---

    def merge_accounts(self, now_id_of: Mapping[str, str], now: datetime) -> None:
        """From now on these ids lead to those accounts; so do the ids that led to them."""
        columns = account_alias.c
        earlier = select_in(self._connection, select(columns.account_id, columns.now_id), columns.now_id, now_id_of)
        moved = {row.account_id: now_id_of[row.now_id] for row in earlier} | dict(now_id_of)
        rows = [{"account_id": old, "now_id": new, "since": now} for old, new in sorted(moved.items()) if old != new]
        upsert(self._connection, account_alias, rows)

    def are_back(self, account_ids: Iterable[str]) -> None:
        """These are accounts of their own again."""
        these = is_among(self._connection, account_alias.c.account_id, account_ids)
        self._connection.execute(account_alias.delete().where(these))

    def now_ids(self, account_ids: Iterable[str]) -> dict[str, str]:
        """What each of these accounts has become; those that are themselves are missing."""
        columns = account_alias.c
        rows = select_in(self._connection, select(columns.account_id, columns.now_id), columns.account_id, account_ids)
        return {row.account_id: row.now_id for row in rows}

    def parts_of(self, account_id: str) -> list[str]:
        """The accounts that have become part of this one, by id."""
        columns = account_alias.c
        statement = select(columns.account_id).where(columns.now_id == account_id).order_by(columns.account_id)
        return list(self._connection.execute(statement).scalars())

    def live_ids(self, account_ids: Iterable[str]) -> set[str]:
        """Those of the accounts that are not gone."""
        columns = account.c
        live = select(columns.account_id).where(columns.gone_at.is_(None))
        return {row.account_id for row in select_in(self._connection, live, columns.account_id, account_ids)}

    def first_seen(self, account_ids: Iterable[str] | None) -> dict[str, datetime]:
        """Since when there has been each account (all when None)."""
        columns = account.c
        rows = select_in(
            self._connection, select(columns.account_id, columns.first_seen_at), columns.account_id, account_ids
        )
        return {row.account_id: row.first_seen_at for row in rows}

    def note(self, events: Sequence[IdentityEvent], run_id: str, now: datetime) -> list[IdentityEvent]:
        """Write down what became of accounts; returns the same with their ids."""
        noted = [replace(each, event_id=new_id(), run_id=run_id, recorded_at=now) for each in events]
        rows = [
            {
                "event_id": each.event_id,
                "kind": each.kind,
                "account_id": each.account_id,
                "other_id": each.other_id,
                "records": list(each.records),
                "because": each.because,
                "run_id": run_id,
                "recorded_at": now,
            }
            for each in noted
        ]
        insert(self._connection, identity_event, rows)
        return noted

    def events(self, account_id: str) -> list[IdentityEvent]:
        """What became of the account and of those it came from or took in, oldest first."""
        columns = identity_event.c
        rows = self._connection.execute(
            select(identity_event)
            .where(or_(columns.account_id == account_id, columns.other_id == account_id))
            .order_by(columns.event_id)
        )
        return [_to_event(row) for row in rows]

    # --- records that were merged by their system ---

    def merged_rows(self, keys: Iterable[str] | None = None) -> list[tuple[str, str, str, str]]:
        """Source, stream, id and the id it was merged into, of every record merged away (or of those with these ids,
        before or after)."""
        columns = source_row.c
        statement = select(columns.source, columns.stream, columns.external_id, columns.merged_into).where(
            columns.merged_into.is_not(None), columns.deleted
        )
        if keys is None:
            return [(*row,) for row in self._connection.execute(statement)]
        wanted = set(keys)
        rows = [
            *select_in(self._connection, statement, columns.external_id, wanted),
            *select_in(self._connection, statement, columns.merged_into, wanted),
        ]
        return sorted({(*row,) for row in rows})

    def accounts_of(self, external_id: str) -> list[str]:
        """The accounts that have, or had, a record with this id, or what it was merged into, as they are now."""
        ids, frontier = {external_id}, {external_id}
        for _ in range(MOST_STEPS):
            columns = source_row.c
            statement = select(columns.merged_into).where(columns.merged_into.is_not(None), columns.deleted)
            beyond = {row.merged_into for row in select_in(self._connection, statement, columns.external_id, frontier)}
            frontier = beyond - ids
            ids |= beyond
            if not frontier:
                break
        named = select_in(self._connection, select(account_ref.c.account_id), account_ref.c.external_id, ids)
        found = {row.account_id for row in named}
        now = self.now_ids(found)
        return sorted({now.get(account_id, account_id) for account_id in found})


def _verdict_columns(word: str, each: Verdict) -> dict[str, Any]:
    sides = {
        f"{which}_{part}": getattr(ref, part)
        for which, ref in (("one", each.one), ("other", each.other))
        for part in ("source", "object_type", "external_id")
    }
    more = {"said_by": each.by, "because": each.because, "said_at": each.said_at}
    return {"verdict_id": new_id(), **sides, "word": word, **more}


def _parent_columns(each: SaidParent) -> dict[str, Any]:
    pair = Verdict(each.child, each.parent, None, each.by, each.because, each.said_at)
    return _verdict_columns(UNDER if each.holds else NOT_UNDER, pair)


def _refs(row: Row[Any]) -> tuple[Ref, Ref]:
    one = Ref(row.one_source, row.one_object_type, row.one_external_id)
    return one, Ref(row.other_source, row.other_object_type, row.other_external_id)


def _to_parent(row: Row[Any]) -> SaidParent:
    return SaidParent(*_refs(row), row.word == UNDER, row.said_by, row.because, row.said_at)


def _to_verdict(row: Row[Any]) -> Verdict:
    return Verdict(*_refs(row), _SAID[row.word], row.said_by, row.because, row.said_at)


def _to_event(row: Row[Any]) -> IdentityEvent:
    return IdentityEvent(
        row.kind,
        row.account_id,
        row.other_id,
        tuple(row.records),
        row.because,
        row.run_id,
        row.recorded_at,
        row.event_id,
    )
