"""HubSpot companies and contacts, and their owners. What differs between the two is in `hubspot_objects`.

Which calls a pull makes, and why
    * A first pull lists (`GET companies`, 100 a page): complete at once, resumable by its own cursor, and at 190
      calls in 10 s faster than search, which allows 5 a second, lags behind writes and stops at 10,000 rows.
    * A later pull searches by the date of the last change (200 a page). Each page starts at the last timestamp of the
      one before instead of at an offset: a row that changes while we page moves to the end, and an offset would then
      step over another row. That also keeps every query far below the 10,000 where search refuses. Contacts are not
      searched by lifecycle stage: one that is no lead any more would then not be seen leaving.
    * Archived records never appear in search; a later pull lists them (`archived=true`) before it searches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
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
from connectors.batches import (
    Change,
    WriteBatch,
    check_types,
    chunks,
    in_parallel,
    of_one_type,
    write_if_unchanged,
    write_in_batches,
)
from connectors.custom_fields import CustomFields, shape_of
from connectors.errors import Ambiguous, RecordRejected, RetryLater, SchemaChanged
from connectors.fields import RowReader, to_instant
from connectors.hubspot_api import AT_ONCE, NAME, HubSpotApi
from connectors.hubspot_objects import COMPANY, OBJECTS, OWNER, HubSpotObject, properties_of
from connectors.hubspot_transfers import DEPENDENT_TYPES, CompanyTransfers
from connectors.objects import of_stream, of_type
from ownership.conditions import Field
from ownership.model import AccountRecord, LeadRecord
from ownership.transfers import Dependent

BATCH = 100  # inputs of a batch read or update
HISTORIES = 50  # inputs of a batch read with histories; one more is refused
LIST_PAGE = 100
SEARCH_PAGE = 200
OWNER_PAGE = 500
ASSOCIATIONS_PAGE = 500
APPS = ("integration", "api")  # sources whose id is an app's
LISTING = "list:"  # a cursor's tie_break while the first listing is under way: "list:<after>"

PLACES = ("hubspot", "hubspot_contact")  # what a policy calls the objects, in their order


class HubSpotConnector:
    """Companies and contacts of one account. Calls: first pull one for each 100 rows, later pulls one for each 200
    changed rows and each 100 archived ones; reading and writing owners one for each 100 of one object."""

    name = NAME
    streams: tuple[str, ...] = tuple(each.stream for each in OBJECTS)
    object_type = COMPANY.name
    object_types: tuple[str, ...] = tuple(each.name for each in OBJECTS)
    compare_and_set: frozenset[str] = frozenset()
    write_batch = BATCH
    read_batch = BATCH
    calls_at_once = AT_ONCE

    def __init__(
        self,
        api: HubSpotApi,
        *,
        overlap: timedelta = timedelta(minutes=5),
        custom: Mapping[str, Field] | None = None,
    ) -> None:
        """`overlap` is searched again each time, because search lags behind writes. `custom` are fields of the
        policy's own."""
        self._api = api
        self._overlap = overlap
        self._custom = {
            kind.stream: CustomFields.of(place, custom or {}) for kind, place in zip(OBJECTS, PLACES, strict=True)
        }
        self.shape = shape_of(*self._custom.values())
        self._transfers = CompanyTransfers(api)

    # --- source ---

    def check(self) -> None:
        self._api.get(self._api.objects[COMPANY.name].basic.get_page, limit=1)

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Records; what was archived since `cursor` comes first. See the module on which calls are made."""
        kind = self._reading(stream)
        if cursor is None or cursor.tie_break.startswith(LISTING):
            yield from self._list(kind, cursor)
        else:
            yield from self._changed_since(kind, cursor)

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        kind = self._reading(stream)
        found = {row.id: row for row in to_rows(kind, self._by_ids(kind, kind.properties, ids))}
        left = [row for row in found.values() if row.id not in ids and not row.deleted]
        asked = [found.get(id_) or SourceRow(NAME, stream, id_, None, {"id": id_}, deleted=True) for id_ in ids]
        return (*asked, *left)

    def to_value(self, row: SourceRow) -> AccountRecord | LeadRecord | None:
        value = of_stream(NAME, OBJECTS, row.stream).to_value(row)
        return self._custom[row.stream].add_to(value, RowReader(row, properties_of(row))) if value else None

    def _reading(self, stream: str) -> HubSpotObject:
        """The object of a stream, with the policy's own fields."""
        kind = of_stream(NAME, OBJECTS, stream)
        return replace(kind, properties=tuple(dict.fromkeys((*kind.properties, *self._custom[stream].vendor_names))))

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Owners, deactivated ones (archived) as inactive. An owner's `id` is assignable; its `userId` is not."""
        return tuple(to_user(owner, active=not gone) for gone in (False, True) for owner in self._owners(gone))

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 100 ids, and one more for those that did not come, which may be archived."""
        kind = of_type(NAME, OBJECTS, object_type or self.object_type)
        found = {}
        for record in self._by_ids(kind, kind.owner_properties, remote_ids):
            found[record["id"]] = to_observed(kind, record)
        absent = [id_ for id_ in remote_ids if id_ not in found]
        for record in self._by_ids(kind, kind.owner_properties, absent, archived=True):
            found[record["id"]] = to_observed(kind, record)
        return tuple(found.get(id_) or ObservedOwner(id_, None, RecordState.MISSING) for id_ in remote_ids)

    def who_set(self, shown: Sequence[ObservedOwner], object_type: str) -> Mapping[str, OwnerSet]:
        """One call for each 50 records."""
        kind = of_type(NAME, OBJECTS, object_type)
        owners = {each.remote_id: each.owner_id for each in shown}
        found = {}
        for some in chunks(list(owners), HISTORIES):
            body = {"properties": [], "propertiesWithHistory": [OWNER], "inputs": [{"id": id_} for id_ in some]}
            for record in results_of(self._api.get(self._api.objects[kind.name].batch.read, body)):
                if last := to_owner_set(record, owners.get(record["id"])):
                    found[record["id"]] = last
        return found

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """One batch update for each 100 changes of one object. HubSpot refuses a whole batch for one invalid row; such
        a batch is halved until the row stands alone (about 14 more calls for one bad row among 100)."""
        check_types(changes, self.object_types)
        return write_in_batches(changes, BATCH, self._write_batch, alike=of_one_type, at_once=AT_ONCE)

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """HubSpot has no compare-and-set: this reads, compares and writes, so that an edit within that moment is
        lost. `version` is the date of the last change, which automation moves too."""
        return write_if_unchanged(self, change, version)

    # --- fields ---

    def update_fields(self, changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        """Batch updates, as for owners; an empty text empties a property."""
        check_types(changes, self.object_types)
        return write_in_batches(changes, BATCH, self._write_fields, alike=of_one_type)

    # --- tasks ---

    def create_task(self, task: NewTask) -> str:
        """One call creates and associates; `hs_timestamp` is when a task is due. Raises as the protocol says."""
        kind = of_type(NAME, OBJECTS, task.object_type)
        association = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind.task_link}
        body = {
            "properties": {
                "hs_timestamp": task.due_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "hs_task_subject": task.subject,
                "hs_task_body": task.body,
                "hs_task_status": "NOT_STARTED",
                "hs_task_type": "TODO",
                "hubspot_owner_id": task.owner_id,
            },
            "associations": [{"to": {"id": task.remote_id}, "types": [association]}],
        }
        made = self._api.send(self._api.task.basic.create, body)
        if not made.get("id"):
            raise Ambiguous(NAME, "the answer to a new task has no id", code="BAD_ANSWER")
        return str(made["id"])

    def find_task(self, object_type: str, remote_id: str, key: str) -> str | None:
        """Read by the record's associations, one call for each 500 tasks and one more for each 100: a search lags
        behind writes and would miss the one just made. HubSpot's own key for creating once (hs_unique_creation_key)
        can be read only. A task that was deleted is not told any more."""
        kind = of_type(NAME, OBJECTS, object_type)
        for some in chunks(self._linked_tasks(kind.name, remote_id), BATCH):
            body = {"properties": ["hs_task_body"], "inputs": [{"id": id_} for id_ in some]}
            for record in results_of(self._api.get(self._api.task.batch.read, body)):
                if f"({key})" in (record.get("properties", {}).get("hs_task_body") or ""):
                    return str(record["id"])
        return None

    def _linked_tasks(self, kind: str, remote_id: str) -> list[str]:
        """The ids of all tasks on a record; none when the record is gone, which takes no new task either."""
        found: list[str] = []
        after: str | None = None
        while True:
            query = {"limit": ASSOCIATIONS_PAGE, **({"after": after} if after else {})}
            try:
                body = self._api.get(self._api.linked.get_page, kind, remote_id, "task", **query)
            except RecordRejected as error:
                if error.code != "OBJECT_NOT_FOUND":
                    raise
                return []
            found += [str(link["toObjectId"]) for link in results_of(body)]
            after = next_after(body)
            if not after:
                return found

    # --- what goes with an owner ---

    def dependents(
        self, remote_ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]
    ) -> tuple[Dependent, ...]:
        return tuple(self._transfers.dependents(remote_ids, kinds, owner_ids))

    def move_dependents(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        check_types(changes, DEPENDENT_TYPES)
        return write_in_batches(changes, BATCH, self._write_batch, alike=of_one_type)

    # --- pulling ---

    def _list(self, kind: HubSpotObject, cursor: Cursor | None) -> Iterator[Page]:
        started = cursor.high_water if cursor else None
        after = cursor.tie_break.removeprefix(LISTING) if cursor else None
        for body, at in self._listed(kind, after=after, archived=False):
            # A listing is only as fresh as its first page. Without a clock the next pull has to look at everything.
            started = started or (to_ms(at) if at else "0")
            rows = to_rows(kind, results_of(body))
            after = next_after(body)
            yield Page(rows, Cursor(started, LISTING + after if after else ""))

    def _changed_since(self, kind: HubSpotObject, cursor: Cursor) -> Iterator[Page]:
        since = from_ms(cursor.high_water) - self._overlap if int(cursor.high_water) else from_ms("0")
        started: datetime | None = None
        for body, at in self._listed(kind, after=None, archived=True):
            started = started or at
            gone = [record for record in results_of(body) if (to_instant(record.get("archivedAt")) or since) >= since]
            yield Page(to_rows(kind, gone), cursor)
        for records in self._search_pages(kind, int(to_ms(since))):
            rows = to_rows(kind, records)
            cursor = advance(cursor, rows, started)
            yield Page(rows, cursor)

    def _listed(
        self, kind: HubSpotObject, *, after: str | None, archived: bool
    ) -> Iterator[tuple[dict[str, Any], datetime | None]]:
        """The pages of a listing, each with HubSpot's clock."""
        method = self._api.objects[kind.name].basic.get_page
        while True:
            query = {"limit": LIST_PAGE, "properties": list(kind.properties), "archived": archived}
            body, at = self._api.get_at(method, **query, **({"after": after} if after else {}))
            yield body, at
            after = next_after(body)
            if not after:
                return

    def _search_pages(self, kind: HubSpotObject, since_ms: int) -> Iterator[list[dict[str, Any]]]:
        """Changed records in order of change, without repeats."""
        seen: set[tuple[str, str]] = set()
        while True:
            found, more = self._search(kind, [at_least(kind.modified, since_ms)], kind.modified)
            yield unseen(kind, found, seen)
            if not more:
                return
            last_ms = int(to_ms(modified_at(kind, found[-1])))
            if last_ms > since_ms:
                since_ms = last_ms
                continue
            # A whole page shares one millisecond (a bulk edit): go through that one by id, then on.
            for same in self._search_at(kind, since_ms):
                yield unseen(kind, same, seen)
            since_ms += 1

    def _search_at(self, kind: HubSpotObject, at_ms: int) -> Iterator[list[dict[str, Any]]]:
        after_id = "0"
        while True:
            at = [{"propertyName": kind.modified, "operator": "EQ", "value": str(at_ms)}]
            beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": after_id}
            found, more = self._search(kind, [*at, beyond], "hs_object_id")
            yield found
            if not more:
                return
            after_id = found[-1]["id"]

    def _search(
        self, kind: HubSpotObject, filters: list[dict[str, str]], sort: str
    ) -> tuple[list[dict[str, Any]], bool]:
        body = self._api.search(
            kind.name,
            {
                "filterGroups": [{"filters": filters}],
                "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
                "properties": list(kind.properties),
                "limit": SEARCH_PAGE,
            },
        )
        found = results_of(body)
        total = body.get("total")
        if not isinstance(total, int) or len(found) != min(total, SEARCH_PAGE):
            raise RetryLater(NAME, f"a search page has {len(found)} of {total} rows", code="CUT_SHORT")
        return found, total > len(found)

    # --- below ---

    def _by_ids(
        self, kind: HubSpotObject, properties: Sequence[str], ids: Sequence[str], archived: bool = False
    ) -> Iterator[dict[str, Any]]:
        method = self._api.objects[kind.name].batch.read

        def read(some: Sequence[str]) -> list[dict[str, Any]]:
            body = {"properties": list(properties), "inputs": [{"id": id_} for id_ in some]}
            # Ids that do not exist are errors of a 207, or simply absent: both mean the same here.
            return results_of(self._api.get(method, body, archived=archived))

        for records in in_parallel(read, list(chunks(list(dict.fromkeys(ids)), BATCH)), AT_ONCE):
            yield from records

    def _owners(self, archived: bool) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            query = {"limit": OWNER_PAGE, "archived": archived, **({"after": after} if after else {})}
            body = self._api.get(self._api.owner.get_page, **query)
            yield from results_of(body)
            after = next_after(body)
            if not after:
                return

    def _write_batch(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        return self._write_rows(batch, [{"hubspot_owner_id": change.owner_id} for change in batch], self._write_batch)

    def _write_fields(self, batch: Sequence[FieldChange]) -> list[OwnerResult]:
        values = [{name: to_text(value) for name, value in change.values.items()} for change in batch]
        return self._write_rows(batch, values, self._write_fields)

    def _write_rows(
        self, batch: Sequence[Change], values: Iterable[Mapping[str, str]], write: WriteBatch[Change]
    ) -> list[OwnerResult]:
        """`batch` is of one object type; `write` is what writes the halves of one that is refused."""
        inputs = [{"id": c.remote_id, "properties": {**fields}} for c, fields in zip(batch, values, strict=True)]
        try:
            body = self._api.send(self._api.objects[batch[0].object_type].batch.update, {"inputs": inputs})
        except RecordRejected as error:
            if len(batch) == 1:
                return [OwnerResult(batch[0].remote_id, WriteOutcome.REJECTED, error.code, error.message)]
            return list(write_in_batches(batch, (len(batch) + 1) // 2, write))
        return to_results(batch, body)


def to_rows(kind: HubSpotObject, records: Iterable[dict[str, Any]]) -> tuple[SourceRow, ...]:
    """The rows of these records. HubSpot lists a record that was merged into another nowhere any more: only the one
    that is left names it, and so its row, deleted, stands beside that one."""
    found: list[SourceRow] = []
    for record in records:
        row = to_row(kind, record)
        found.append(row)
        for old in str((record.get("properties") or {}).get("hs_merged_object_ids") or "").split(";"):
            if old.strip():
                found.append(SourceRow(NAME, kind.stream, old.strip(), None, {"id": old.strip()}, True, row.id))
    return tuple(found)


def to_row(kind: HubSpotObject, record: dict[str, Any]) -> SourceRow:
    """A row of the object's stream: `{"id", "properties", "createdAt", "updatedAt", "archived"}`."""
    deleted = bool(record.get("archived"))
    return SourceRow(NAME, kind.stream, record["id"], modified_at(kind, record), record, deleted)


def modified_at(kind: HubSpotObject, record: Mapping[str, Any]) -> datetime:
    """When a record was last changed. Raises `SchemaChanged` when HubSpot does not say."""
    properties = record.get("properties")
    at = to_instant(properties.get(kind.modified)) if isinstance(properties, Mapping) else None
    at = at or to_instant(record.get("updatedAt"))
    if at is None or not isinstance(record.get("id"), str):
        raise SchemaChanged(NAME, f"a {kind.name} came without id or {kind.modified}", code="NO_KEY")
    return at


def results_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a page. Raises `SchemaChanged` when there is no list of them."""
    results = body.get("results")
    if not isinstance(results, list):
        raise SchemaChanged(NAME, "an answer has no results", code="BAD_ANSWER")
    return results


def next_after(body: Mapping[str, Any]) -> str | None:
    """Where the next page begins; the last page has no `paging.next`."""
    following = (body.get("paging") or {}).get("next")
    if following is None:
        return None
    if not following.get("after"):
        raise RetryLater(NAME, "a page has a next page without a place", code="CUT_SHORT")
    return str(following["after"])


def at_least(name: str, ms: int) -> dict[str, str]:
    """A search filter; dates are compared as epoch milliseconds."""
    return {"propertyName": name, "operator": "GTE", "value": str(ms)}


def unseen(kind: HubSpotObject, records: list[dict[str, Any]], seen: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """The records not given before in this pull; one that changed meanwhile is given again."""
    states = [(record["id"], to_ms(modified_at(kind, record))) for record in records]
    fresh = [record for record, state in zip(records, states, strict=True) if state not in seen]
    seen.update(states)
    return fresh


def advance(cursor: Cursor, rows: Sequence[SourceRow], started: datetime | None) -> Cursor:
    """The cursor after a search page; never past the pull's start, or an archiving since then would be missed."""
    water = max((row.modified_at for row in rows if row.modified_at), default=None)
    if water is None:
        return cursor
    reached = min(water, started) if started else water
    return Cursor(to_ms(max(reached, from_ms(cursor.high_water))))


def to_ms(at: datetime) -> str:
    """Epoch milliseconds, as search wants them."""
    return str(round(at.timestamp() * 1000))


def from_ms(ms: str) -> datetime:
    """The instant of epoch milliseconds."""
    return datetime.fromtimestamp(int(ms) / 1000, UTC)


def to_user(owner: Mapping[str, Any], *, active: bool) -> OutsideUser:
    """An owner: `{"id", "email", "firstName", "lastName", "type": "PERSON" or "QUEUE", "archived"}`."""
    name = " ".join(part for part in (owner.get("firstName"), owner.get("lastName")) if part)
    kind = "queue" if owner.get("type") == "QUEUE" else "user"
    return OutsideUser(str(owner["id"]), name, owner.get("email") or "", active, kind)


def to_observed(kind: HubSpotObject, record: Mapping[str, Any]) -> ObservedOwner:
    """What a record read with its `owner_properties` says."""
    at = modified_at(kind, record)
    properties = record["properties"]
    return ObservedOwner(
        remote_id=record["id"],
        owner_id=properties.get("hubspot_owner_id") or None,
        state=RecordState.DELETED if record.get("archived") else RecordState.LIVE,
        version=properties.get(kind.modified) or record.get("updatedAt"),
        modified_at=at,
        modified_by=properties.get("hs_updated_by_user_id"),
    )


def to_owner_set(record: Mapping[str, Any], shown: str | None) -> OwnerSet | None:
    """Who set the owner a record shows, by the newest of its versions: a user, an app as "app-…", or what else HubSpot
    calls the source, as "automation_platform". An app's change is the app's, whoever installed it."""
    versions = (record.get("propertiesWithHistory") or {}).get(OWNER) or []
    last = max(versions, key=lambda version: version.get("timestamp") or "", default=None)
    if last is None or (last.get("value") or None) != shown:
        return None
    source = str(last.get("sourceType") or "").lower()
    by = f"app-{last.get('sourceId')}" if source in APPS else last.get("updatedByUserId") or source
    return OwnerSet(str(by), to_instant(last.get("timestamp"))) if by else None


def to_text(value: bool | str | None) -> str:
    """A value as HubSpot stores it: all of them are texts, and an empty one is none."""
    return str(value).lower() if isinstance(value, bool) else value or ""


def to_results(batch: Sequence[OwnerChange | FieldChange], body: Mapping[str, Any]) -> list[OwnerResult]:
    """A batch answer: `results` hold what was done, in any order; a 207 adds `errors[].context.ids`."""
    done = {str(record.get("id")) for record in results_of(body)}
    refused: dict[str, tuple[str, str]] = {}
    for error in body.get("errors") or []:
        for id_ in (error.get("context") or {}).get("ids") or []:
            refused[str(id_)] = (str(error.get("category", "")), str(error.get("message", "")))
    return [_to_result(change, done, refused) for change in batch]


def _to_result(
    change: OwnerChange | FieldChange, done: set[str], refused: Mapping[str, tuple[str, str]]
) -> OwnerResult:
    if change.remote_id in refused:
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, *refused[change.remote_id])
    if change.remote_id in done:
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)
    return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_MENTIONED", "the answer does not mention this row")


__all__ = ["HubSpotConnector"]
