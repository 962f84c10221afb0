"""Outreach accounts and their owners.

Which calls are made, and why
    * A pull asks for accounts by the date of their last change (1,000 a page) and follows Outreach's cursors; pages
      by offset end at 10,000. Of the next page's address only the cursor is taken: a token goes to no other host. A
      stored cursor is the date of the last row, asked for again inclusively, so that rows that share one instant are
      repeated rather than lost.
    * Owners are written one by one (PATCH) up to three accounts of one new owner, by a batch above: a batch of up to
      100 costs at least three calls (begin, look, read the owners). Of 10,000 calls an hour, one by one would need an
      hour for 10,000 accounts, batches about 300 calls.
    * After a batch the owners are read: a batch says how many items failed, not which accounts they were.

Outreach does not tell about deleted accounts, except by webhook: such an account is MISSING when its owner is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.base import (
    Cursor,
    ObservedOwner,
    OutsideUser,
    OwnerChange,
    OwnerResult,
    Page,
    RecordState,
    SourceRow,
    WriteOutcome,
)
from connectors.batches import check_types, chunks, of_one_owner, write_if_unchanged, write_in_batches
from connectors.errors import ConnectorError, RecordRejected, RetryLater, SchemaChanged
from connectors.fields import RowReader, to_instant, to_links
from connectors.outreach_api import NAME, OutreachApi, Params, data_of
from connectors.outreach_batch import LARGEST, BatchEnd, assign_owner
from ownership.model import AccountRecord

STREAM = "accounts"
ACCOUNT = "account"
PAGE = 1_000  # the most that Outreach gives
READ = 200  # ids in one address
ONE_BY_ONE = 3  # up to so many accounts of one new owner
GONE = "no such account, or the authorising user cannot see it"


class OutreachConnector:
    """Accounts of one Outreach organisation. Calls: pulls one for each 1,000 changed accounts; owners are read 200 a
    call and written as the module says."""

    name = NAME
    shape = ""
    streams: tuple[str, ...] = (STREAM,)
    object_type = ACCOUNT
    object_types: tuple[str, ...] = (ACCOUNT,)
    compare_and_set: frozenset[str] = frozenset()
    write_batch = LARGEST
    read_batch = READ
    calls_at_once = 1

    def __init__(
        self,
        api: OutreachApi,
        *,
        crm: str = "salesforce",
        crm_field: str = "customId",
        overlap: timedelta = timedelta(minutes=2),
    ) -> None:
        """`crm_field` is the account attribute that holds the id of the account in `crm`. `overlap` is asked for again
        each time: a change may be stored a moment after the time it carries."""
        self._api = api
        self._crm = crm
        self._crm_field = crm_field
        self._overlap = overlap

    # --- source ---

    def check(self) -> None:
        self._api.get("/accounts", [("page[size]", "1"), ("count", "false")])

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """See the module."""
        known_stream(stream)
        since = iso(from_iso(cursor.high_water) - self._overlap) if cursor else ""
        params = [("sort", "updatedAt"), *([("filter[updatedAt]", f"{since}..inf")] if since else [])]
        for resources in self._pages("/accounts", params):
            rows = tuple(to_row(resource) for resource in resources)
            cursor = advance(cursor, rows)
            yield Page(rows, cursor)

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        known_stream(stream)
        found = {str(resource["id"]): to_row(resource) for resource in self._by_ids(ids)}
        return tuple(found.get(id_) or SourceRow(NAME, stream, id_, None, {"id": id_}, deleted=True) for id_ in ids)

    def to_value(self, row: SourceRow) -> AccountRecord | None:
        """An account; None for one that is gone."""
        return None if row.deleted else to_account(row, self._crm, self._crm_field)

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Everybody in Outreach; who is locked out is inactive."""
        return tuple(to_user(user) for page in self._pages("/users", [("sort", "id")]) for user in page)

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 200 ids."""
        check_type(object_type)
        found = {str(resource["id"]): to_observed(resource) for resource in self._by_ids(remote_ids)}
        return tuple(found.get(id_) or ObservedOwner(id_, None, RecordState.MISSING) for id_ in remote_ids)

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """See the module. A change whose ids are not Outreach's (whole numbers) is rejected before anything is sent."""
        check_types(changes, self.object_types)
        return write_in_batches(changes, LARGEST, self._write_batch, alike=of_one_owner)

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Outreach has no compare-and-set: this reads, compares and writes, so that an edit within that moment is
        lost. `version` is the date of the last change, which any activity on the account may move too."""
        return write_if_unchanged(self, change, version)

    # --- below ---

    def _pages(self, path: str, params: Params) -> Iterator[list[dict[str, Any]]]:
        after: str | None = None
        while True:
            # Without count=false Outreach counts all matches for each page, and may then refuse under load.
            place = [("page[size]", str(PAGE)), ("count", "false"), *([("page[after]", after)] if after else [])]
            body = self._api.get(path, [*params, *place])
            yield data_of(body)
            after = next_after(body)
            if not after:
                return

    def _by_ids(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        known = [id_ for id_ in dict.fromkeys(ids) if id_.isdecimal()]
        for some in chunks(known, READ):
            params = [("filter[id]", ",".join(some)), ("page[size]", str(READ)), ("count", "false")]
            yield from data_of(self._api.get("/accounts", params))

    def _write_batch(self, batch: Sequence[OwnerChange]) -> Sequence[OwnerResult]:
        """`batch` is of one new owner."""
        if len(batch) > 1 and not all(sendable(change) for change in batch):
            return write_in_batches(batch, 1, self._write_batch)
        if len(batch) == 1:
            return [self._write_one(batch[0])]
        if len(batch) <= ONE_BY_ONE:
            return write_in_batches(batch, 1, self._write_batch)
        try:
            end = assign_owner(self._api, [int(change.remote_id) for change in batch], int(batch[0].owner_id))
        except RecordRejected as error:
            # Which accounts exist does not matter to a filter, so that this is about the owner they have in common.
            return [OwnerResult(each.remote_id, WriteOutcome.REJECTED, error.code, error.message) for each in batch]
        return self._results(batch, end)

    def _write_one(self, change: OwnerChange) -> OwnerResult:
        if not sendable(change):
            message = f"account {change.remote_id!r} or user {change.owner_id!r} is no Outreach id"
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "BAD_ID", message)
        owner = {"owner": link("user", change.owner_id)}
        body = {"data": {"type": ACCOUNT, "id": int(change.remote_id), "relationships": owner}}
        try:
            self._api.send("PATCH", f"/accounts/{change.remote_id}", body)
        except RecordRejected as error:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, error.code, error.message)
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    def _results(self, batch: Sequence[OwnerChange], end: BatchEnd) -> list[OwnerResult]:
        """What became of each row of a batch that ended, by what Outreach shows now."""
        try:
            seen = self.read_owners([change.remote_id for change in batch])
        except ConnectorError as error:  # the batch was carried out: nothing may look like "not done" here
            return [OwnerResult(each.remote_id, WriteOutcome.UNKNOWN, error.code, error.message) for each in batch]
        others = sum(
            one.state is RecordState.LIVE and one.owner_id != change.owner_id
            for one, change in zip(seen, batch, strict=True)
        )
        all_failed = end.failures >= others
        return [to_result(change, one, end, all_failed) for change, one in zip(batch, seen, strict=True)]


def to_result(change: OwnerChange, seen: ObservedOwner, end: BatchEnd, all_failed: bool) -> OwnerResult:
    """One row of a batch. `all_failed`: enough items failed to account for every row that shows another owner."""
    if seen.state is not RecordState.LIVE:
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "resourceNotFound", GONE)
    if seen.owner_id == change.owner_id:
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)
    if all_failed:
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "BATCH_ITEM_FAILED", end.reason)
    # Somebody wrote in between, or the batch passed it over.
    return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_SHOWN", "the batch ended, another owner is shown")


def known_stream(stream: str) -> None:
    """Refuse a stream that this source does not have."""
    if stream != STREAM:
        raise ValueError(f"outreach has no stream {stream!r}")


def check_type(object_type: str | None) -> None:
    """Refuse an object that has no owner of ours here."""
    if object_type not in (None, ACCOUNT):
        raise ValueError(f"outreach shows no owners of {object_type!r} here")


def sendable(change: OwnerChange) -> bool:
    """Whether the ids can be Outreach's at all."""
    return change.remote_id.isdecimal() and change.owner_id.isdecimal()


def link(kind: str, id_: str) -> dict[str, Any]:
    """A JSON:API relationship to one resource; Outreach's ids are numbers, not text."""
    return {"data": {"type": kind, "id": int(id_)}}


def next_after(body: Mapping[str, Any]) -> str | None:
    """The cursor of the next page; the last page has no `links.next`."""
    following = (body.get("links") or {}).get("next")
    if not following:
        return None
    after = parse_qs(urlsplit(str(following)).query).get("page[after]")
    if not after:
        raise RetryLater(NAME, "a page has a next page without a cursor", code="CUT_SHORT")
    return after[0]


def advance(cursor: Cursor | None, rows: Sequence[SourceRow]) -> Cursor | None:
    """The cursor after a page, which never goes back."""
    instants = [row.modified_at for row in rows if row.modified_at]
    if cursor:
        instants.append(from_iso(cursor.high_water))
    return Cursor(iso(max(instants))) if instants else None


def iso(at: datetime) -> str:
    """An instant as Outreach writes it, in milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The instant of a cursor."""
    return datetime.fromisoformat(text)


def to_row(resource: dict[str, Any]) -> SourceRow:
    """A row: `{"type": "account", "id": number, "attributes", "relationships"}`. Raises `SchemaChanged`."""
    at = to_instant(attributes_of(resource).get("updatedAt"))
    if at is None or not isinstance(resource.get("id"), int):
        raise SchemaChanged(NAME, "an account came without id or updatedAt", code="NO_KEY")
    return SourceRow(NAME, STREAM, str(resource["id"]), at, resource)


def attributes_of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a resource says of itself. Raises `SchemaChanged` when it says nothing."""
    attributes = resource.get("attributes")
    if not isinstance(attributes, Mapping):
        raise SchemaChanged(NAME, "a resource came without attributes", code="BAD_ANSWER")
    return attributes


def owner_of(resource: Mapping[str, Any]) -> str | None:
    """The id of the owner, None for an account without one. Raises `SchemaChanged` when it is not told."""
    owner = (resource.get("relationships") or {}).get("owner")
    if not isinstance(owner, Mapping) or "data" not in owner:
        raise SchemaChanged(NAME, "an account came without its owner", code="BAD_ANSWER")
    return str(owner["data"]["id"]) if owner["data"] else None


def to_account(row: SourceRow, crm: str, crm_field: str) -> AccountRecord:
    """An account as the domain names its fields. Raises `BadRecord`."""
    read = RowReader(row, attributes_of(row.fields))
    return AccountRecord(
        source=NAME,
        object_type=ACCOUNT,
        external_id=row.id,
        name=read.text("name"),
        website=read.text("websiteUrl") or read.text("domain"),
        industry=read.text("industry"),
        employees=read.count("numberOfEmployees"),
        type=read.text("companyType"),
        owner_external_id=owner_of(row.fields),
        links=to_links(**{crm: read.text(crm_field)}),
        created_at=read.instant("createdAt"),
        last_activity_at=read.instant("touchedAt"),
        modified_at=read.instant("updatedAt"),
    )


def to_observed(resource: Mapping[str, Any]) -> ObservedOwner:
    """What an account shows now. Its `updater` is who changed it last."""
    version = str(attributes_of(resource).get("updatedAt") or "")
    updater = ((resource.get("relationships") or {}).get("updater") or {}).get("data") or {}
    return ObservedOwner(
        remote_id=str(resource["id"]),
        owner_id=owner_of(resource),
        version=version,
        modified_at=to_instant(version),
        modified_by=str(updater["id"]) if updater.get("id") else None,
    )


def to_user(resource: Mapping[str, Any]) -> OutsideUser:
    """A user; `locked` means locked out of Outreach."""
    said = attributes_of(resource)
    name = said.get("name") or " ".join(str(said[part]) for part in ("firstName", "lastName") if said.get(part))
    return OutsideUser(str(resource["id"]), str(name), str(said.get("email") or ""), active=not said.get("locked"))


__all__ = ["OutreachConnector"]
