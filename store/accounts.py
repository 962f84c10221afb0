"""Accounts and where they live in each outside system."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy.engine import Row

from ownership.model import ACCOUNT, Account, Ref
from store.canonical import digest
from store.search import Search
from store.statements import chunks, is_among, select_in, upsert
from store.tables import OWNER_ROLE, account, account_ref, book_size, ownership_current
from store.types import readable


class Accounts:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._search = Search(connection)

    def save(self, accounts: Iterable[Account], now: datetime) -> int:
        """Store accounts with their refs; returns how many are new or differ.

        A ref named by another account before moves here: a record belongs to one account. An account that comes
        back after it was marked gone is live again.
        """
        written = 0
        for chunk in chunks(sorted(accounts, key=lambda each: each.id)):
            known = {
                row.account_id: row.content_hash
                for row in select_in(
                    self._connection,
                    select(account.c.account_id, account.c.content_hash).where(account.c.gone_at.is_(None)),
                    account.c.account_id,
                    [each.id for each in chunk],
                )
            }
            rows = [(each, _to_columns(each, now)) for each in chunk]
            changed = [(each, row) for each, row in rows if known.get(each.id) != row["content_hash"]]
            back = self._gone(row["account_id"] for _, row in changed)
            upsert(self._connection, account, [row for _, row in changed], keep=("first_seen_at",))
            self._count_books(back, 1)
            upsert(self._connection, account_ref, [row for each, _ in changed for row in _ref_columns(each)])
            self._drop_refs([each for each, _ in changed])
            self._search.keep(each for each, _ in changed)
            written += len(changed)
        return written

    def all(self) -> Iterator[Account]:
        """Every account that is not gone, by id."""
        refs = self._refs_of(None)
        result = self._connection.execute(_LIVE.order_by(account.c.account_id).execution_options(yield_per=5000))
        for some in result.partitions():
            for row in some:
                yield _to_account(row, refs.get(row.account_id, ()))

    def owned_outside_only(self) -> list[Account]:
        """Live accounts, not leads, that nobody owns of record but an outside system shows an owner of, by id."""
        owned = ownership_current.c
        held = select(owned.account_id).where(
            owned.account_id == account.c.account_id, owned.role == OWNER_ROLE, owned.owner_id.is_not(None)
        )
        shown = select(account_ref.c.account_id).where(
            account_ref.c.account_id == account.c.account_id, account_ref.c.shown_owner.is_not(None)
        )
        theirs = _LIVE.where(account.c.kind == ACCOUNT, ~held.exists(), shown.exists())
        statement = theirs.order_by(account.c.account_id)
        rows = self._connection.execute(statement).all()
        refs = self._refs_of([row.account_id for row in rows])
        return [_to_account(row, refs.get(row.account_id, ())) for row in rows]

    def hashes(self) -> dict[str, str]:
        """The content of every account that is not gone, as one hash each; see `renewed`."""
        columns = account.c
        statement = select(columns.account_id, columns.content_hash).where(columns.gone_at.is_(None))
        return {account_id: content for account_id, content in self._connection.execute(statement)}

    def renewed(self, accounts: Sequence[Account], hashes: Mapping[str, str]) -> list[Account]:
        """The same accounts as they are now; only those whose hash was another when they were read are read again."""
        columns = account.c
        statement = select(columns.account_id, columns.content_hash)
        now = select_in(self._connection, statement, columns.account_id, (each.id for each in accounts))
        changed = self.get_many(account_id for account_id, content in now if content != hashes.get(account_id))
        return [changed.get(each.id, each) for each in accounts]

    def get(self, account_id: str) -> Account | None:
        """The account, gone or not."""
        found = self.get_many([account_id])
        return found.get(account_id)

    def get_many(self, account_ids: Iterable[str]) -> dict[str, Account]:
        """Accounts by id, gone ones too; unknown ids are missing."""
        ids = list(account_ids)
        refs = self._refs_of(ids)
        rows = select_in(self._connection, _READ, account.c.account_id, ids)
        return {row.account_id: _to_account(row, refs.get(row.account_id, ())) for row in rows}

    def below(self, account_id: str) -> list[Account]:
        """The live accounts and leads that hang on this one, by name."""
        rows = self._connection.execute(_LIVE.where(account.c.parent_id == account_id)).all()
        refs = self._refs_of([row.account_id for row in rows])
        found = [_to_account(row, refs.get(row.account_id, ())) for row in rows]
        return sorted(found, key=lambda each: (each.kind, each.name, each.id))

    def of_places(self, places: Iterable[tuple[str, str]]) -> set[str]:
        """The accounts and leads, gone or not, that have a record with one of these ids, each of a source."""
        wanted = set(places)
        statement = select(account_ref.c.source, account_ref.c.external_id, account_ref.c.account_id)
        rows = select_in(self._connection, statement, account_ref.c.external_id, {id_ for _, id_ in wanted})
        return {row.account_id for row in rows if (row.source, row.external_id) in wanted}

    def live(self, account_ids: Iterable[str]) -> list[Account]:
        """Those of these accounts and leads that are not gone, by id."""
        ids = set(account_ids)
        rows = sorted(
            select_in(self._connection, _LIVE, account.c.account_id, ids), key=lambda row: str(row.account_id)
        )
        refs = self._refs_of([row.account_id for row in rows])
        return [_to_account(row, refs.get(row.account_id, ())) for row in rows]

    def by_refs(self, refs: Iterable[Ref]) -> dict[Ref, str]:
        """Which account each of these records belongs to; unknown ones are missing."""
        wanted = set(refs)
        statement = select(
            account_ref.c.source, account_ref.c.object_type, account_ref.c.external_id, account_ref.c.account_id
        )
        rows = select_in(self._connection, statement, account_ref.c.external_id, {ref.external_id for ref in wanted})
        found = {Ref(row.source, row.object_type, row.external_id): row.account_id for row in rows}
        return {ref: account_id for ref, account_id in found.items() if ref in wanted}

    def lock(self, account_ids: Iterable[str]) -> dict[str, str]:
        """Nobody else decides these accounts until the transaction ends. Returns the kind of each.

        Locks are taken in id order, so that two batches wait for each other instead of deadlocking. Raises
        `LookupError` for an account that is not in the store.
        """
        wanted = set(account_ids)
        columns = account.c
        statement = select(columns.account_id, columns.kind).order_by(columns.account_id).with_for_update()
        found = {
            account_id: kind for account_id, kind in select_in(self._connection, statement, columns.account_id, wanted)
        }
        if missing := sorted(wanted - found.keys()):
            raise LookupError(f"{len(missing)} accounts are not in the store, first {missing[0]}")
        return found

    def find(self, text: str, limit: int = 20) -> list[Account]:
        """Live accounts and leads with this id or outside id, or with `text` in their name or a web domain.

        Best first: an id, then a whole name or domain, then one that begins so, then those that hold its words.
        """
        wanted = readable(text.strip())
        by_ref = select(account_ref.c.account_id).where(account_ref.c.external_id == wanted).limit(limit)
        found = [wanted, *self._connection.execute(by_ref).scalars(), *self._search.beginning(wanted, limit)]
        if len(found) <= limit:
            found += self._search.inside(wanted, limit)
        there = {each.id: each for each in self.live(found)}
        return [there[id_] for id_ in dict.fromkeys(found) if id_ in there][:limit]

    def mark_gone(self, account_ids: Iterable[str], now: datetime) -> None:
        """These accounts are in no system any more, and in nobody's book. Their history stays."""
        wanted = set(account_ids)
        leaving = wanted - self._gone(wanted)
        these = is_among(self._connection, account.c.account_id, leaving)
        self._connection.execute(update(account).where(these).values(gone_at=now))
        self._count_books(leaving, -1)
        self._search.drop(leaving)

    def _gone(self, account_ids: Iterable[str]) -> set[str]:
        gone = select(account.c.account_id).where(account.c.gone_at.is_not(None))
        return {row.account_id for row in select_in(self._connection, gone, account.c.account_id, account_ids)}

    def _count_books(self, account_ids: Iterable[str], by: int) -> None:
        """Add so much to the books of the owners of these accounts, for each of them."""
        columns = ownership_current.c
        owned = (
            select(columns.owner_id)
            .join(account, account.c.account_id == columns.account_id)
            .where(columns.role == OWNER_ROLE, columns.owner_id.is_not(None), account.c.kind == ACCOUNT)
        )
        counts = Counter(row.owner_id for row in select_in(self._connection, owned, columns.account_id, account_ids))
        rows = [{"owner_id": owner, "accounts": by * count} for owner, count in sorted(counts.items())]
        upsert(self._connection, book_size, rows, add=("accounts",))

    def _drop_refs(self, accounts: list[Account]) -> None:
        """Forget refs these accounts no longer name."""
        named = {ref for each in accounts for ref in each.refs}
        stored = self._refs_of([each.id for each in accounts])
        columns = account_ref.c
        for account_id, refs in stored.items():
            for ref, _ in refs:
                if ref not in named:
                    self._connection.execute(
                        account_ref.delete().where(
                            columns.source == ref.source,
                            columns.object_type == ref.object_type,
                            columns.external_id == ref.external_id,
                            columns.account_id == account_id,
                        )
                    )

    def _refs_of(self, account_ids: Iterable[str] | None) -> Mapping[str, list[tuple[Ref, str | None]]]:
        """Each account's records in their order, with the owner they show."""
        found: dict[str, list[tuple[Ref, str | None]]] = defaultdict(list)
        columns = account_ref.c
        statement = select(
            *(columns.account_id, columns.shown_owner), *(columns.source, columns.object_type, columns.external_id)
        ).order_by(columns.position)
        for account_id, owner, *ref in select_in(self._connection, statement, columns.account_id, account_ids):
            found[account_id].append((Ref(*ref), owner))
        return found


_READ: Select[Any] = select(account.c.account_id, account.c.name, account.c.fields, account.c.parent_id, account.c.kind)
_LIVE: Select[Any] = _READ.where(account.c.gone_at.is_(None))


def _to_columns(each: Account, now: datetime) -> dict[str, Any]:
    shown = sorted((ref.source, ref.object_type, ref.external_id, owner) for ref, owner in each.crm_owners.items())
    refs = [(ref.source, ref.object_type, ref.external_id) for ref in each.refs]
    return {
        "account_id": each.id,
        "kind": each.kind,
        "name": each.name,
        "fields": each.fields,
        "parent_id": each.parent_id,
        "content_hash": digest([each.name, each.fields, each.parent_id, refs, shown]),
        "first_seen_at": now,
        "changed_at": now,
        "gone_at": None,
    }


def _ref_columns(each: Account) -> list[dict[str, Any]]:
    return [
        {
            "source": ref.source,
            "object_type": ref.object_type,
            "external_id": ref.external_id,
            "account_id": each.id,
            "position": position,
            "shown_owner": each.crm_owners.get(ref),
        }
        for position, ref in enumerate(each.refs)
    ]


def _to_account(row: Row[Any], refs: Sequence[tuple[Ref, str | None]]) -> Account:
    account_id, name, fields, parent_id, kind = row
    return Account(
        id=account_id,
        name=name,
        fields=fields,
        refs=tuple([ref for ref, _ in refs]),
        parent_id=parent_id,
        crm_owners={ref: owner for ref, owner in refs if owner is not None},
        kind=kind,
    )
