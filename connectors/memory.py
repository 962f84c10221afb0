"""Connectors without a vendor: a source, a target and a notifier that live in memory and keep every promise.

For tests and rehearsals. Rows use the field names of `AccountRecord`, those of the stream "leads" the ones of
`LeadRecord`; every write is recorded, so that a test can also say what was *not* written.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import (
    Cursor,
    FieldChange,
    NewTask,
    Notice,
    ObservedOwner,
    OutsideUser,
    OwnerChange,
    OwnerResult,
    OwnerSet,
    Page,
    RecordState,
    SourceRow,
    Value,
    WriteOutcome,
)
from connectors.batches import check_types, write_in_batches
from connectors.errors import ConnectorError, RecordRejected
from connectors.fields import RowReader
from connectors.memory_transfers import Hanging
from ownership.model import AccountFact, AccountRecord, LeadRecord
from ownership.transfers import Dependent, Teammate

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
LEADS = "leads"
ACCOUNT_FIELDS = frozenset(f.name for f in fields(AccountRecord))
LEAD_FIELDS = frozenset(f.name for f in fields(LeadRecord))
NO_TEXTS = {
    *("source", "object_type", "external_id", "employees", "do_not_route", "links", "consent", "converted"),
    *("created_at", "last_activity_at", "modified_at", "extra"),
}
TEXTS = ACCOUNT_FIELDS - NO_TEXTS
LEAD_TEXTS = LEAD_FIELDS - NO_TEXTS


@dataclass(slots=True)
class _Stored:
    fields: dict[str, Any]
    revision: int
    deleted: bool = False
    modified_by: str | None = None
    merged_into: str | None = None
    owner_set: OwnerSet | None = None


class MemorySource:
    """Rows by stream. Each change gets the next revision, one second after the one before it."""

    def __init__(
        self,
        name: str = "memory",
        streams: tuple[str, ...] = ("accounts", LEADS),
        *,
        object_type: str = "Account",
        lead_type: str = "Lead",
        page_size: int = 100,
    ) -> None:
        """`object_type` is what this system calls an account, `lead_type` a lead."""
        self.name = name
        self.shape = ""
        self.streams = streams
        self.object_types = {stream: lead_type if stream == LEADS else object_type for stream in streams}
        self.page_size = page_size
        self.fail_with: ConnectorError | None = None  # raised once, by the next call
        self._rows: dict[str, dict[str, _Stored]] = {stream: {} for stream in streams}
        self._revisions = itertools.count(1)

    # --- what the outside world does ---

    def put(self, stream: str, id_: str, fields: Mapping[str, Any], *, by: str | None = None) -> None:
        """Create a row or change some of its fields."""
        stored = self._rows[stream].get(id_)
        merged, revision = {**(stored.fields if stored else {}), **fields}, next(self._revisions)
        set_before, owner = stored.owner_set if stored else None, "owner_external_id"
        if owner in fields and (stored is None or stored.fields.get(owner) != fields[owner]):
            set_before = OwnerSet(by, EPOCH + timedelta(seconds=revision)) if by else None
        self._rows[stream][id_] = _Stored(merged, revision, modified_by=by, owner_set=set_before)

    def delete(self, stream: str, id_: str) -> None:
        """Delete a row; pulls see it as deleted from now on."""
        stored = self._rows[stream][id_]
        self._rows[stream][id_] = _Stored(stored.fields, next(self._revisions), deleted=True)

    def merge(self, stream: str, id_: str, into: str) -> None:
        """Merge a row into another, which stays as it is; pulls see the first as deleted, and what it became."""
        stored = self._rows[stream][id_]
        self._rows[stream][id_] = _Stored(stored.fields, next(self._revisions), deleted=True, merged_into=into)

    def stored(self, stream: str, id_: str) -> _Stored | None:
        """The row as it is, for the target that shares it."""
        return self._rows[stream].get(id_)

    def fail_once(self) -> None:
        """Raise what a test asked for."""
        error, self.fail_with = self.fail_with, None
        if error:
            raise error

    # --- Source ---

    def check(self) -> None:
        self.fail_once()

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        self.fail_once()
        after = int(cursor.high_water) if cursor else 0
        changed = [(id_, row) for id_, row in self._rows[stream].items() if row.revision > after]
        changed.sort(key=lambda item: item[1].revision)
        rows = [self._to_row(stream, id_, row) for id_, row in changed]
        if not rows:
            yield Page((), cursor, 0)
        for start in range(0, len(rows), self.page_size):
            end = min(start + self.page_size, len(rows))
            yield Page(tuple(rows[start:end]), Cursor(str(changed[end - 1][1].revision)), len(rows))

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        self.fail_once()
        return tuple(
            self._to_row(stream, id_, row)
            if (row := self._rows[stream].get(id_))
            else SourceRow(self.name, stream, id_, None, {}, deleted=True)
            for id_ in ids
        )

    def to_value(self, row: SourceRow) -> Value | None:
        return self._to_lead(row) if row.stream == LEADS else self._to_account(row)

    def _to_account(self, row: SourceRow) -> AccountRecord:
        read = RowReader(row)
        return AccountRecord(
            source=self.name,
            object_type=self.object_types[row.stream],
            external_id=row.id,
            employees=read.count("employees"),
            do_not_route=read.flag("do_not_route"),
            links=dict(row.fields.get("links") or {}),
            created_at=read.instant("created_at"),
            last_activity_at=read.instant("last_activity_at"),
            modified_at=row.modified_at,
            extra={name: value for name, value in row.fields.items() if name not in ACCOUNT_FIELDS},
            **{field: read.text(field) for field in TEXTS},
        )

    def _to_lead(self, row: SourceRow) -> LeadRecord:
        read = RowReader(row)
        return LeadRecord(
            source=self.name,
            object_type=self.object_types[row.stream],
            external_id=row.id,
            employees=read.count("employees"),
            do_not_route=read.flag("do_not_route"),
            consent=read.flag_if_known("consent"),
            converted=read.flag("converted"),
            created_at=read.instant("created_at"),
            last_activity_at=read.instant("last_activity_at"),
            modified_at=row.modified_at,
            extra={name: value for name, value in row.fields.items() if name not in LEAD_FIELDS},
            **{field: read.text(field) for field in LEAD_TEXTS},
        )

    def _to_row(self, stream: str, id_: str, row: _Stored) -> SourceRow:
        modified_at = EPOCH + timedelta(seconds=row.revision)
        fields = dict(row.fields)
        return SourceRow(self.name, stream, id_, modified_at, fields, row.deleted, row.merged_into)


class MemoryFacts(MemorySource):
    """A source whose rows are facts: `name`, `email` and `links` apart, every field is a value."""

    def __init__(self, name: str = "memory", streams: tuple[str, ...] = ("accounts",), *, page_size: int = 100) -> None:
        super().__init__(name, streams, page_size=page_size)

    def to_value(self, row: SourceRow) -> AccountFact:
        read = RowReader(row)
        values = {name: value for name, value in row.fields.items() if name not in ("name", "email", "links")}
        links = dict(row.fields.get("links") or {})
        return AccountFact(self.name, row.id, values, read.text("name"), read.text("email"), links)


class MemoryTarget:
    """Owners of the rows of a `MemorySource`. `written`, `fields` and `tasks` record every write that happened,
    `hanging` holds what hangs on its accounts."""

    def __init__(
        self,
        source: MemorySource,
        users: Sequence[OutsideUser] = (),
        *,
        compare_and_set: Collection[str] = (),
        write_batch: int = 200,
        read_batch: int = 500,
    ) -> None:
        self.name = source.name
        self.compare_and_set = frozenset(compare_and_set)
        self.object_types = tuple(source.object_types.values())
        self.object_type = self.object_types[0]
        self.write_batch = write_batch
        self.read_batch = read_batch
        self.calls_at_once = 1
        self.written: list[OwnerChange] = []
        self.tasks: list[NewTask] = []
        self.fields: list[FieldChange] = []
        self.hanging = Hanging()
        self._source = source
        self._streams = {object_type: stream for stream, object_type in source.object_types.items()}
        self.set_users(users)

    def set_users(self, users: Sequence[OutsideUser]) -> None:
        """Make these the people who work in the system."""
        self._users = {user.id: user for user in users}

    def users(self) -> tuple[OutsideUser, ...]:
        self._source.fail_once()
        return tuple(self._users.values())

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        self._source.fail_once()
        return tuple(self._observe(object_type, id_) for id_ in remote_ids)

    def who_set(self, shown: Sequence[ObservedOwner], object_type: str) -> Mapping[str, OwnerSet]:
        self._source.fail_once()
        rows = [(each, self._source.stored(self._stream_of(object_type), each.remote_id)) for each in shown]
        return {
            each.remote_id: row.owner_set
            for each, row in rows
            if row and row.owner_set and row.fields.get("owner_external_id") == each.owner_id
        }

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        check_types(changes, self.object_types)
        return write_in_batches(changes, self.write_batch, self._write_batch)

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """A true compare-and-set: nothing can come between in one thread."""
        self._source.fail_once()
        seen = self._observe(change.object_type, change.remote_id)
        if seen.state is RecordState.LIVE and seen.version != version:
            return OwnerResult(change.remote_id, WriteOutcome.MOVED, "VERSION", f"now at version {seen.version}")
        return self._write(change)

    def update_fields(self, changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        check_types(changes, self.object_types)
        return write_in_batches(changes, self.write_batch, self._write_fields)

    def create_task(self, task: NewTask) -> str:
        self._source.fail_once()
        if self._observe(task.object_type, task.remote_id).state is not RecordState.LIVE:
            raise RecordRejected(self.name, f"{task.remote_id} is not there", code="NOT_FOUND")
        owner = self._users.get(task.owner_id)
        if owner is None or not owner.active:
            raise RecordRejected(self.name, "no such active user", code="INACTIVE_OWNER")
        self.tasks.append(task)
        return f"task-{len(self.tasks)}"

    def find_task(self, object_type: str, remote_id: str, key: str) -> str | None:
        self._source.fail_once()
        wanted = (object_type, remote_id, key)
        found = (n for n, task in enumerate(self.tasks, 1) if (task.object_type, task.remote_id, task.key) == wanted)
        number = next(found, None)
        return None if number is None else f"task-{number}"

    def read_teams(self, remote_ids: Sequence[str]) -> dict[str, tuple[Teammate, ...]]:
        self._source.fail_once()
        return self.hanging.read_teams(remote_ids)

    def add_teammates(self, wanted: Sequence[tuple[str, Teammate]]) -> tuple[OwnerResult, ...]:
        self._source.fail_once()
        return tuple(self.hanging.add(account_id, mate, self._users) for account_id, mate in wanted)

    def dependents(
        self, remote_ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]
    ) -> tuple[Dependent, ...]:
        self._source.fail_once()
        return self.hanging.found(remote_ids, kinds, owner_ids)

    def move_dependents(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        self._source.fail_once()
        return tuple(self.hanging.move(change, self._users) for change in changes)

    def _write_batch(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        self._source.fail_once()
        return [self._write(change) for change in batch]

    def _write(self, change: OwnerChange) -> OwnerResult:
        if self._observe(change.object_type, change.remote_id).state is not RecordState.LIVE:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "NOT_FOUND", "the record is not there")
        owner = self._users.get(change.owner_id)
        if owner is None or not owner.active:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "INACTIVE_OWNER", "no such active user")
        if change.object_type == self.object_type and self._observe(None, change.remote_id).owner_id != change.owner_id:
            self.hanging.owner_moved(change.remote_id)
        stream, fields = self._stream_of(change.object_type), {"owner_external_id": change.owner_id}
        self._source.put(stream, change.remote_id, fields, by="steward")
        self.written.append(change)
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    def _write_fields(self, batch: Sequence[FieldChange]) -> list[OwnerResult]:
        self._source.fail_once()
        return [self._write_values(change) for change in batch]

    def _write_values(self, change: FieldChange) -> OwnerResult:
        if self._observe(change.object_type, change.remote_id).state is not RecordState.LIVE:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "NOT_FOUND", "the record is not there")
        self._source.put(self._stream_of(change.object_type), change.remote_id, change.values, by="steward")
        self.fields.append(change)
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    def _observe(self, object_type: str | None, id_: str) -> ObservedOwner:
        row = self._source.stored(self._stream_of(object_type or self.object_type), id_)
        if row is None:
            return ObservedOwner(id_, None, RecordState.MISSING)
        return ObservedOwner(
            remote_id=id_,
            owner_id=row.fields.get("owner_external_id"),
            state=RecordState.DELETED if row.deleted else RecordState.LIVE,
            version=str(row.revision),
            modified_at=EPOCH + timedelta(seconds=row.revision),
            modified_by=row.modified_by,
        )

    def _stream_of(self, object_type: str) -> str:
        if object_type not in self._streams:
            raise ValueError(f"{self.name} shows no owners of {object_type!r}")
        return self._streams[object_type]


class MemoryNotifier:
    """Keeps what was told to whom. Knows only `people` (lower-case e-mail addresses), or everyone when None.

    Can be answered as a `Messenger`: `shown` is what its messages say now, `asked_why` the offers somebody was asked
    the reason of, `beside` what was told beside a message. A user's id is their address.
    """

    name = "memory"

    def __init__(self, people: Sequence[str] | None = None) -> None:
        self.delivered: dict[str, Notice] = {}  # by dedup_key
        self.shown: dict[str, Notice] = {}
        self.asked_why: list[str] = []
        self.beside: list[tuple[str, str]] = []
        self._people = None if people is None else {email.lower() for email in people}

    def check(self) -> None:
        return None

    def notify(self, notice: Notice) -> str:
        if self._people is not None and notice.email.lower() not in self._people:
            raise RecordRejected(self.name, f"nobody has the address {notice.email}", code="users_not_found")
        if notice.dedup_key not in self.delivered:
            self.delivered[notice.dedup_key] = self.shown[notice.dedup_key] = notice
        return notice.dedup_key

    def show_anew(self, message_id: str, notice: Notice) -> None:
        if message_id not in self.shown:
            raise RecordRejected(self.name, f"there is no message {message_id}", code="message_not_found")
        self.shown[message_id] = notice

    def ask_why(self, trigger_id: str, offer_id: str, message_id: str) -> None:
        self.asked_why.append(offer_id)

    def address_of(self, user_id: str) -> str:
        if self._people is not None and user_id.lower() not in self._people:
            raise RecordRejected(self.name, f"the user {user_id} is nobody of ours", code="not_ours")
        return user_id

    def tell_in_place(self, message_id: str, user_id: str, said: str) -> None:
        self.beside.append((user_id, said))


__all__ = ["MemoryFacts", "MemoryNotifier", "MemorySource", "MemoryTarget"]
