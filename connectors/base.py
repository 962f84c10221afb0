"""What every outside system promises to the tasks: the protocols and the plain values that cross them.

Terminology
    source      a system rows are pulled from ("salesforce", "hubspot", "stripe", "usage")
    stream      one kind of row of a source ("accounts", "leads", "companies", "customers", "subscriptions", "usage");
                the first one of a CRM holds its accounts
    cursor      how far a stream has been pulled; opaque to the caller, safe to repeat from
    target      a system that shows an owner and can be told another one
    object type what a target calls a kind of record that has an owner ("Account", "Lead", "company", "contact")
    version     whatever the vendor gives that changes on every write (ETag, timestamp), for compare-and-set

Promises, checked for each connector by `tests/contract/`
    * `pull` yields pages until the stream is complete, or raises: never a short result.
    * A page's cursor may be stored once its rows are; pulling again from it loses nothing and may repeat rows.
    * `update_owners` returns one result for each change, in order; one bad row harms only itself.
    * A read may be repeated by the connector itself; a write is repeated only where the vendor said it was not done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from ownership.model import AccountFact, AccountRecord, LeadRecord
from ownership.transfers import Dependent, Teammate

Value = AccountRecord | AccountFact | LeadRecord


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as the vendor gave it. `fields` is the vendor's row, JSON-able and unchanged.

    A deleted row that was merged into another names that one's id in `merged_into`.
    """

    source: str
    stream: str
    id: str
    modified_at: datetime | None
    fields: Mapping[str, Any]
    deleted: bool = False
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a stream: everything up to `high_water` (ties broken by `tie_break`) has been seen."""

    high_water: str
    tie_break: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursor that may be stored once they are. `expected` is the vendor's own row count."""

    rows: tuple[SourceRow, ...]
    cursor: Cursor | None
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class OutsideUser:
    """A user of an outside system who may own records. `id` is what an owner field holds."""

    id: str
    name: str
    email: str
    active: bool
    kind: str = "user"  # "user" or "queue"


class RecordState(StrEnum):
    LIVE = "live"
    DELETED = "deleted"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ObservedOwner:
    """What a target shows for one record right now. `owner_id` is the vendor's user id, None when unowned."""

    remote_id: str
    owner_id: str | None
    state: RecordState = RecordState.LIVE
    version: str | None = None
    modified_at: datetime | None = None
    modified_by: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerSet:
    """Who gave a record the owner it shows, and when, by the system's own history of the field. `by` is a user as
    `ObservedOwner.modified_by` names one, or what else the history names: "app-…" is an app."""

    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """Make `owner_id` (the vendor's user id) the owner of one record."""

    object_type: str
    remote_id: str
    owner_id: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Make fields of one record show these values: true or false, an ISO date, None for an empty field."""

    object_type: str
    remote_id: str
    values: Mapping[str, bool | str | None]


class WriteOutcome(StrEnum):
    WRITTEN = "written"  # the vendor says it is done
    REJECTED = "rejected"  # the vendor refuses for good; see code and message
    RETRY = "retry"  # not done, may be tried again (row lock, rate limit)
    UNKNOWN = "unknown"  # sent, no answer: read before anything else
    MOVED = "moved"  # compare-and-set failed: somebody wrote in between


@dataclass(frozen=True, slots=True)
class OwnerResult:
    """What became of one `OwnerChange` or `FieldChange`."""

    remote_id: str
    outcome: WriteOutcome
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """An offer that a message asks to answer: what it says, and where to look. `outcome` is "" while it is open, then
    what became of it."""

    offer_id: str
    said: str
    url: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for one person. `dedup_key` is stable over repeats, so that a vendor can drop a second one."""

    email: str
    subject: str
    lines: tuple[str, ...]
    dedup_key: str
    links: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """Everything it says below its subject."""
        return (*(question.said for question in self.questions), *self.lines)


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task on one record for `owner_id` (the vendor's user id).

    `due_at` is in the time zone of who gets it: a vendor that keeps only days takes its date. `key` is ours, and what
    the task is found again by.
    """

    object_type: str
    remote_id: str
    owner_id: str
    subject: str
    due_at: datetime
    key: str

    @property
    def body(self) -> str:
        """What the task says below its subject. No vendor has a field for a key of ours that is there everywhere and
        that we may write."""
        return f"Made by Steward ({self.key})"


@runtime_checkable
class Source(Protocol):
    """A system rows are pulled from. `shape` changes when other fields are read: what was pulled before lacks them."""

    name: str
    streams: tuple[str, ...]
    shape: str

    def check(self) -> None:
        """Prove that the system can be reached with these credentials. Raises `ConnectorStopped`, `RetryLater`."""

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Yield every row changed since `cursor` (every row when None), in pages.

        Raises `RetryLater`, `SchemaChanged`, `ConnectorStopped`.
        """

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        """Read these rows now. A row that does not exist (any more) comes back with `deleted=True`; the one it was
        merged into may come along."""

    def to_value(self, row: SourceRow) -> Value | None:
        """Turn a vendor row into a value; None for one that says nothing of an account or lead. Raises `BadRecord`."""


@runtime_checkable
class OwnerTarget(Protocol):
    """A system that shows the owner of a record.

    `object_types` are the kinds of record whose owner can be read and written; `object_type` is the one of accounts,
    and what is meant where none is named. A type that is not among them is a `ValueError`. `compare_and_set` are those
    for which the vendor itself refuses `update_owner_if` when anybody wrote in between. `calls_at_once` is how many
    calls are under way at a time, whoever makes them; with more than one, its calls may come from several threads.
    """

    name: str
    object_type: str
    object_types: tuple[str, ...]
    compare_and_set: frozenset[str]
    write_batch: int
    read_batch: int
    calls_at_once: int

    def users(self) -> tuple[OutsideUser, ...]:
        """Everyone who may own a record, inactive ones too."""

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """What the system shows now, one for each id and in the same order; unknown ids come back MISSING."""

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """Write owners, of records of any types, in as few calls as the vendor allows; one result each, in order.

        Raises `ConnectorStopped` or `RetryLater` only when nothing at all was written.
        """

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Write one owner only if the record still has `version`.

        A vendor without compare-and-set reads, compares and writes; its docstring says so.
        """


@runtime_checkable
class OwnerHistory(Protocol):
    """A target that keeps who set the owner, which need not be who changed the record last."""

    name: str

    def who_set(self, shown: Sequence[ObservedOwner], object_type: str) -> Mapping[str, OwnerSet]:
        """By remote id, for the records whose history ends with the owner they show. Others are left out: history may
        be switched off, or begin later than the change. Raises as `read_owners`."""


@runtime_checkable
class FieldTarget(Protocol):
    """A system whose records can show marketing something, in fields made for that."""

    name: str
    write_batch: int

    def update_fields(self, changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        """Write fields as `update_owners` writes owners: one result each, in order, and one bad row harms only itself.

        A repeat writes the same values, so that RETRY and UNKNOWN may be sent again as they are. Raises
        `ConnectorStopped` or `RetryLater` only when nothing at all was written.
        """


@runtime_checkable
class TaskTarget(Protocol):
    """A system in which tasks can be put on records: the CRMs."""

    name: str

    def create_task(self, task: NewTask) -> str:
        """Put a task on a record; returns the vendor's task id. A repeat makes a second task.

        Raises `RecordRejected`; `Ambiguous` when no answer came: `find_task` before a second try.
        """

    def find_task(self, object_type: str, remote_id: str, key: str) -> str | None:
        """The vendor's id of the task on this record that was made with `key`, deleted or not where the vendor still
        tells; None when there is none."""


@runtime_checkable
class TeamTarget(Protocol):
    """A system that takes the team off an account when its owner changes."""

    name: str

    def read_teams(self, remote_ids: Sequence[str]) -> dict[str, tuple[Teammate, ...]]:
        """Who works these accounts beside their owners; accounts without a team may be missing."""

    def add_teammates(self, wanted: Sequence[tuple[str, Teammate]]) -> tuple[OwnerResult, ...]:
        """Put people on the teams of accounts; one result each, in order. A repeat changes nothing."""


@runtime_checkable
class DependentTarget(Protocol):
    """A system in which contacts and opportunities hang on accounts and have owners of their own."""

    name: str

    def dependents(
        self, remote_ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]
    ) -> tuple[Dependent, ...]:
        """The records of these kinds (`ownership.transfers`) on these accounts that belong to one of `owner_ids`;
        opportunities only while they are open."""

    def move_dependents(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """Give such records other owners. As `OwnerTarget.update_owners`."""


@runtime_checkable
class Notifier(Protocol):
    """A system that tells people things."""

    name: str

    def check(self) -> None: ...

    def notify(self, notice: Notice) -> str:
        """Deliver once per `dedup_key` as far as the vendor allows; returns the vendor's message id.

        Raises `RecordRejected` (no such person), `RetryLater`, `ConnectorStopped`.
        """


@runtime_checkable
class Messenger(Protocol):
    """A notifier whose messages can be answered where they are."""

    name: str

    def show_anew(self, message_id: str, notice: Notice) -> None:
        """Make a message that `notify` sent say this instead. Raises `RecordRejected` when it is not there any more."""

    def ask_why(self, trigger_id: str, offer_id: str, message_id: str) -> None:
        """Ask the person who has just declined an offer in this message for the reason; `trigger_id` is the vendor's
        proof of that, which soon runs out."""

    def address_of(self, user_id: str) -> str:
        """The e-mail address of one of our people, by the vendor's user id. Raises `RecordRejected` when it is none."""

    def tell_in_place(self, message_id: str, user_id: str, said: str) -> None:
        """Tell somebody something beside a message, which nobody else sees."""
