"""Salesforce accounts and leads, and their owners. What differs between the two is in `salesforce_objects`.

What goes with the owner of an account is in `salesforce_transfers`. Without `Sforce-Auto-Assign: FALSE` the org's
active assignment rules run after each write and give a lead to whom they like, over the owner just written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from connectors.base import (
    Cursor,
    FieldChange,
    NewTask,
    ObservedOwner,
    OutsideUser,
    OwnerChange,
    OwnerResult,
    OwnerSet,
    Page,
    RecordState,
    SourceRow,
    WriteOutcome,
)
from connectors.batches import check_types, chunks, in_parallel, of_the_same_fields, same_result, write_in_batches
from connectors.custom_fields import CustomFields, shape_of
from connectors.errors import Ambiguous, OwnerMoved, RecordRejected, RetryLater, SchemaChanged
from connectors.fields import RowReader, to_instant
from connectors.objects import of_stream, of_type
from connectors.salesforce_api import AT_ONCE, NAME, SalesforceApi, row_results
from connectors.salesforce_objects import ACCOUNT, OBJECTS, SalesforceObject
from connectors.salesforce_transfers import DEPENDENT_TYPES, AccountTransfers
from ownership.conditions import Field
from ownership.model import AccountRecord, LeadRecord
from ownership.transfers import Dependent, Teammate

CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
OWNER_FIELDS = ("Id", "OwnerId", "SystemModstamp", "LastModifiedById", "IsDeleted")
OURS_STAYS = {"Sforce-Auto-Assign": "FALSE"}  # TRUE where the header is left out

WRITE_BATCH = 200  # rows of one collections call (sObject Collections, limit 200)
READ_BATCH = 500  # ids of one SOQL IN: 500 quoted ids are about 14,000 characters of URL, and 16,384 is the limit
HISTORIES = 200  # records of one question about their history, so that its answer seldom needs a second page
PLACES = ("salesforce", "salesforce_lead")  # what a policy calls the objects, in their order
BULK_ABOVE = 50_000  # rows: 25 REST pages cost more than a bulk query's six calls


class SalesforceConnector:
    """Accounts and leads of one org. Calls: a pull is one for each 2,000 rows (bulk above `bulk_above` rows); a read
    of owners one for each 500 of one object; owner changes one for each 200, whatever their objects."""

    name = NAME
    streams: tuple[str, ...] = tuple(each.stream for each in OBJECTS)
    object_type = ACCOUNT.name
    object_types: tuple[str, ...] = tuple(each.name for each in OBJECTS)
    compare_and_set: frozenset[str] = frozenset(each.name for each in OBJECTS if each.has_etag)
    write_batch = WRITE_BATCH
    read_batch = READ_BATCH

    def __init__(
        self,
        api: SalesforceApi,
        *,
        overlap: timedelta = timedelta(minutes=2),
        bulk_above: int = BULK_ABOVE,
        at_once: int = AT_ONCE,
        custom: Mapping[str, Field] | None = None,
    ) -> None:
        """`overlap` is pulled again each time: a row gets its timestamp before its transaction commits. `at_once` is
        how many calls are under way at a time. `custom` are fields of the policy's own."""
        self._api = api
        self._overlap = overlap
        self.calls_at_once = at_once
        self._custom = {
            kind.stream: CustomFields.of(place, custom or {}) for kind, place in zip(OBJECTS, PLACES, strict=True)
        }
        self.shape = shape_of(*self._custom.values())
        self._bulk_above = bulk_above
        self._transfers = AccountTransfers(api)

    # --- source ---

    def check(self) -> None:
        self._api.get("limits")

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Records by SystemModstamp, deleted ones too (they stay visible for 15 days)."""
        kind = self._reading(stream)
        where = ""
        if cursor:
            where = f" WHERE SystemModstamp >= {soql_instant(parse_water(cursor.high_water) - self._overlap)}"
        soql = f"SELECT {', '.join(kind.fields)} FROM {kind.name}{where} ORDER BY SystemModstamp, Id"  # noqa: S608  (names and a timestamp of ours)
        reached = best = cursor
        for page in self._api.query_pages(soql, bulk_above=self._bulk_above):
            rows = tuple(to_row(kind, record) for record in page.records)
            best = advance(best, rows, page.started_at)
            if page.resumable or page.last:
                reached = best
            yield Page(rows, reached, page.expected)

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        kind = self._reading(stream)
        found = {short_id(record["Id"]): to_row(kind, record) for record in self._by_ids(kind, kind.fields, ids)}
        return tuple(
            found.get(short_id(id_)) or SourceRow(NAME, stream, id_, None, {"Id": id_}, deleted=True) for id_ in ids
        )

    def to_value(self, row: SourceRow) -> AccountRecord | LeadRecord | None:
        value = of_stream(NAME, OBJECTS, row.stream).to_value(row)
        return self._custom[row.stream].add_to(value, RowReader(row)) if value else None

    def _reading(self, stream: str) -> SalesforceObject:
        """The object of a stream, with the policy's own fields."""
        kind = of_stream(NAME, OBJECTS, stream)
        return replace(kind, fields=tuple(dict.fromkeys((*kind.fields, *self._custom[stream].vendor_names))))

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Users, inactive ones too, and queues (which may own leads and cases, but not accounts)."""
        users = self._api.records("SELECT Id, Name, Email, IsActive FROM User ORDER BY Id")
        queues = self._api.records("SELECT Id, Name, Email FROM Group WHERE Type = 'Queue' ORDER BY Id")
        people = [OutsideUser(u["Id"], u.get("Name") or "", u.get("Email") or "", bool(u["IsActive"])) for u in users]
        return (*people, *(OutsideUser(q["Id"], q["Name"], q.get("Email") or "", True, "queue") for q in queues))

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 500 ids. `version` is SystemModstamp with the owner: only single-record reads give an
        ETag, and a timestamp of whole seconds alone would miss an edit within the same one."""
        kind = of_type(NAME, OBJECTS, object_type or self.object_type)
        found = {short_id(record["Id"]): record for record in self._by_ids(kind, OWNER_FIELDS, remote_ids)}
        return tuple(
            to_observed(id_, found[short_id(id_)])
            if short_id(id_) in found
            else ObservedOwner(id_, None, RecordState.MISSING)
            for id_ in remote_ids
        )

    def who_set(self, shown: Sequence[ObservedOwner], object_type: str) -> Mapping[str, OwnerSet]:
        """One query of the object's history for each 200 records. An org that does not track the owner has no rows, or
        no such object; `NewValue` can be read there but not asked for."""
        kind = of_type(NAME, OBJECTS, object_type)
        owners = {short_id(each.remote_id): each for each in shown if is_id(each.remote_id)}
        found = {}
        for some in chunks(sorted(owners), HISTORIES):
            for id_, last in self._last_owner_sets(kind, some).items():
                if last["NewValue"] == owners[id_].owner_id:
                    found[owners[id_].remote_id] = OwnerSet(last["CreatedById"], to_instant(last["CreatedDate"]))
        return found

    def _last_owner_sets(self, kind: SalesforceObject, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The newest history row of each record, by its short id; of the two rows a change leaves, the one with ids."""
        quoted, parent = ",".join(f"'{id_}'" for id_ in ids), f"{kind.name}Id"
        asked = (
            f"SELECT {parent}, NewValue, CreatedById, CreatedDate FROM {kind.name}History "  # noqa: S608  (ids are checked)
            f"WHERE {parent} IN ({quoted}) AND Field = 'Owner' ORDER BY CreatedDate, Id"
        )
        try:
            rows = list(self._api.records(asked))
        except (RecordRejected, SchemaChanged):
            return {}
        return {short_id(row[parent]): row for row in rows if is_id(str(row["NewValue"] or ""))}

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """One collections call for each 200 changes (allOrNone=false); failed rows are told by position, they carry
        no id. A call may mix objects: they come in runs of one object, and 10 runs are allowed."""
        check_types(changes, self.object_types)
        return write_in_batches(changes, WRITE_BATCH, self._write_batch, at_once=self.calls_at_once)

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Compare-and-set: by If-Match for an account, where `version` is an ETag or what `read_owners` gave.

        For a lead Salesforce knows no ETag: its own check is If-Unmodified-Since, in whole seconds, so that an edit
        within the second of the edit before it, made between our last look and our write, is lost.
        """
        kind = of_type(NAME, OBJECTS, change.object_type)
        path = f"sobjects/{kind.name}/{change.remote_id}"
        try:
            headers = OURS_STAYS | self._condition(kind, path, version)
            self._api.send("PATCH", path, {"OwnerId": change.owner_id}, headers=headers)
        except OwnerMoved as error:
            return OwnerResult(change.remote_id, WriteOutcome.MOVED, error.code, error.message)
        except RecordRejected as error:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, error.code, error.message)
        except Ambiguous as error:
            return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, error.code, error.message)
        except RetryLater as error:
            return OwnerResult(change.remote_id, WriteOutcome.RETRY, error.code, error.message)
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    # --- fields ---

    def update_fields(self, changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        """Collections calls, as for owners. Salesforce refuses a whole call for a field it does not have (or does not
        let us write), so that each is for rows of the same fields."""
        check_types(changes, self.object_types)
        return write_in_batches(changes, WRITE_BATCH, self._write_fields, alike=of_the_same_fields)

    # --- tasks ---

    def create_task(self, task: NewTask) -> str:
        """A Task keeps the day it is due on, and no time. Raises as the protocol says."""
        link = of_type(NAME, OBJECTS, task.object_type).task_link
        body = {
            "Subject": task.subject,
            "OwnerId": task.owner_id,
            link: task.remote_id,
            "Status": "Not Started",
            "Priority": "Normal",
            "ActivityDate": task.due_at.date().isoformat(),
            "Description": task.body,
        }
        response = self._api.send("POST", "sobjects/Task", body)
        try:
            return str(response.json()["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise Ambiguous(NAME, "the answer to a new task is not whole", code="NO_ANSWER") from error

    def find_task(self, object_type: str, remote_id: str, key: str) -> str | None:
        """One call for each 2,000 tasks of the record. Activities have no external id, and a Description cannot be
        filtered by: it is read. Deleted and archived tasks are found as well."""
        link = of_type(NAME, OBJECTS, object_type).task_link
        if not is_id(remote_id):
            return None
        soql = f"SELECT Id, Description FROM Task WHERE {link} = '{remote_id}' ORDER BY Id"  # noqa: S608  (checked above)
        return next((r["Id"] for r in self._api.records(soql) if f"({key})" in (r.get("Description") or "")), None)

    # --- what goes with an owner ---

    def read_teams(self, remote_ids: Sequence[str]) -> dict[str, tuple[Teammate, ...]]:
        asked = {short_id(id_): id_ for id_ in remote_ids if is_id(id_)}
        found = self._transfers.read_teams(list(asked.values()))
        return {asked[short_id(id_)]: team for id_, team in found.items()}

    def add_teammates(self, wanted: Sequence[tuple[str, Teammate]]) -> tuple[OwnerResult, ...]:
        return tuple(self._transfers.add_teammates(wanted))

    def dependents(
        self, remote_ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]
    ) -> tuple[Dependent, ...]:
        asked = {short_id(id_): id_ for id_ in remote_ids if is_id(id_)}
        owners = [id_ for id_ in owner_ids if is_id(id_)]
        found = self._transfers.dependents(list(asked.values()), kinds, owners)
        return tuple(replace(each, on=asked[short_id(each.on)]) for each in found)

    def move_dependents(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        check_types(changes, DEPENDENT_TYPES)
        return write_in_batches(changes, WRITE_BATCH, self._write_batch)

    # --- below ---

    def _by_ids(self, kind: SalesforceObject, fields: Sequence[str], ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        wanted = [id_ for id_ in dict.fromkeys(ids) if is_id(id_)]

        def read(some: Sequence[str]) -> list[dict[str, Any]]:
            quoted = ",".join(f"'{id_}'" for id_ in some)
            return list(self._api.records(f"SELECT {', '.join(fields)} FROM {kind.name} WHERE Id IN ({quoted})"))  # noqa: S608  (ids are checked)

        for records in in_parallel(read, list(chunks(wanted, READ_BATCH)), self.calls_at_once):
            yield from records

    def _write_batch(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        return self._write_rows(batch, [{"OwnerId": change.owner_id} for change in batch])

    def _write_fields(self, batch: Sequence[FieldChange]) -> list[OwnerResult]:
        try:
            return self._write_rows(batch, [change.values for change in batch])
        except (RecordRejected, SchemaChanged) as error:  # of the fields, which a policy names
            return same_result(batch, WriteOutcome.REJECTED, error)

    def _write_rows(
        self, batch: Sequence[OwnerChange | FieldChange], values: Iterable[Mapping[str, Any]]
    ) -> list[OwnerResult]:
        records = [
            {"attributes": {"type": change.object_type}, "id": change.remote_id, **fields}
            for change, fields in zip(batch, values, strict=True)
        ]
        body = {"allOrNone": False, "records": records}
        response = self._api.send("PATCH", "composite/sobjects", body, headers=OURS_STAYS)
        return row_results(response, [change.remote_id for change in batch])

    def _condition(self, kind: SalesforceObject, path: str, version: str) -> dict[str, str]:
        """The header that lets a write happen only to the record as it was. Raises `OwnerMoved`."""
        if kind.has_etag and is_etag(version):
            return {"If-Match": version}
        response = self._api.get(path)
        record = response.json()
        if to_version(record) != version:
            raise OwnerMoved(NAME, "the record changed since it was read", code="SYSTEM_MODSTAMP")
        if not kind.has_etag:
            return {"If-Unmodified-Since": http_date(record)}
        etag = response.headers.get("ETag")
        if not etag:
            raise SchemaChanged(NAME, f"{path} came without an ETag", code="NO_ETAG")
        return {"If-Match": str(etag)}


def to_row(kind: SalesforceObject, record: dict[str, Any]) -> SourceRow:
    """A row of the object's stream, from a record of SOQL. One that lost in a merge is deleted and names its master."""
    modified_at = to_instant(record.get("SystemModstamp"))
    if not isinstance(record.get("Id"), str) or modified_at is None:
        raise SchemaChanged(NAME, f"a record of {kind.name} came without Id or SystemModstamp", code="NO_KEY")
    deleted = bool(record.get("IsDeleted"))
    master = str(record.get("MasterRecordId") or "") if deleted else ""
    return SourceRow(NAME, kind.stream, record["Id"], modified_at, record, deleted, master or None)


def advance(reached: Cursor | None, rows: Iterable[SourceRow], started_at: datetime | None) -> Cursor | None:
    """The cursor after `rows`. A row changed while we paged carries a time later than the query's start; taking it
    would step over rows that changed in between and were not part of this query."""
    seen = [(row.modified_at, row.id) for row in rows if row.modified_at]
    settled = [at for at in seen if started_at is None or at[0] < started_at + timedelta(seconds=1)]
    if not settled:
        return reached
    water, id_ = max(settled)
    if reached and water < parse_water(reached.high_water):
        return reached
    return Cursor(soql_instant(water), id_)


def soql_instant(at: datetime) -> str:
    """A SOQL date-time literal in UTC, milliseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def parse_water(high_water: str) -> datetime:
    """The instant a cursor holds."""
    at = to_instant(high_water)
    if at is None:
        raise ValueError(f"not a cursor of salesforce: {high_water!r}")
    return at


def http_date(record: dict[str, Any]) -> str:
    """When a record was last modified, as HTTP writes dates (whole seconds, as Salesforce keeps them)."""
    modified_at = to_instant(record.get("LastModifiedDate"))
    if modified_at is None:
        raise SchemaChanged(NAME, "a record came without LastModifiedDate", code="NO_KEY")
    return format_datetime(modified_at, usegmt=True)


def to_version(record: dict[str, Any]) -> str | None:
    """What changes with every write by somebody else that matters here."""
    return f"{record['SystemModstamp']} {record.get('OwnerId')}" if record.get("SystemModstamp") else None


def to_observed(remote_id: str, record: dict[str, Any]) -> ObservedOwner:
    """What an OWNER_FIELDS record says. `remote_id` is the id as it was asked for, short or long."""
    return ObservedOwner(
        remote_id=remote_id,
        owner_id=record.get("OwnerId"),
        state=RecordState.DELETED if record.get("IsDeleted") else RecordState.LIVE,
        version=to_version(record),
        modified_at=to_instant(record.get("SystemModstamp")),
        modified_by=record.get("LastModifiedById"),
    )


def is_id(text: str) -> bool:
    """An id in its short form, or in the long one with the right checksum: one wrong id fails a whole query."""
    if re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text) is None:
        return False
    return text[15:] in ("", checksum(text))


def checksum(id_: str) -> str:
    """The last three letters of a long id: for each five characters, which of them are upper case."""
    fives = (id_[start : start + 5] for start in range(0, 15, 5))
    return "".join(CHECKSUM[sum(1 << bit for bit, char in enumerate(five) if char.isupper())] for five in fives)


def short_id(id_: str) -> str:
    """The 15 characters that name a record; its long form adds a checksum. What is no id stays as it is."""
    return id_[:15] if is_id(id_) else id_


def is_etag(version: str) -> bool:
    """A quoted entity tag, strong or weak (RFC 9110, 8.8.3), as opposed to a timestamp."""
    return version.endswith('"')


__all__ = ["SalesforceConnector"]
