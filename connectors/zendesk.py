"""Zendesk organisations and who owns each of them. Tickets are not touched: they keep their assignee.

An organisation has no owner of Zendesk's own. Its owner is a custom field of organisations, best of the type "Lookup
relationship to user", which holds the id of an agent; `external_id` holds the id of the account in the CRM.

Which calls are made, and why
    * A pull is the incremental export (up to 1,000 organisations a call, 10 calls a minute, of administrators only): a
      tenth of the calls of listing, and it goes on from an epoch second. Changes of the last minute come with the next
      pull. A page that holds nothing but one second would be given for ever; the changes of that second are then
      picked out of the whole list (100 a call). Whether deleted organisations appear is unverified: one with
      `deleted_at` counts as deleted, and reading owners shows the others as missing.
    * One change is one PUT, answered at once. More go as jobs of up to 100 rows, one call each and a few for all of
      them to see how they ended (`zendesk_jobs`).
    * Zendesk checks no more of an owner than that the user exists, so the new owners are looked up before a write
      (100 a call) and refused here when they are no agents or suspended. It also drops a field that does not exist
      without a word, so that the owner field is looked for once, before the first write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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
from connectors.batches import check_types, chunks, write_if_unchanged, write_in_batches, write_the_sound
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater, SchemaChanged
from connectors.objects import check_stream, check_type
from connectors.zendesk_api import NAME, ZendeskApi, rows_of
from connectors.zendesk_jobs import Jobs
from connectors.zendesk_objects import AGENTS, ORGANIZATION, STREAM, owner_in, to_account, to_row, to_user
from ownership.model import AccountRecord

BATCH = 100  # organisations of a job, or ids of a show_many
FIELD_MEND = "Create it as a lookup relationship to users, or name another in STEWARD_ZENDESK_OWNER_FIELD"


class ZendeskConnector:
    """Organisations of one account. `owner_field` is the key of the field that holds the owner, `crm` the name of the
    system whose ids stand in `external_id`."""

    name = NAME
    streams: tuple[str, ...] = (STREAM,)
    object_type = ORGANIZATION
    object_types: tuple[str, ...] = (ORGANIZATION,)
    compare_and_set: frozenset[str] = frozenset()
    write_batch = BATCH
    read_batch = BATCH
    calls_at_once = 1

    def __init__(self, api: ZendeskApi, *, owner_field: str = "account_owner", crm: str = "salesforce") -> None:
        self._api = api
        self._owner_field = owner_field
        self._crm = crm
        self._field_is_there = False
        self.shape = ""  # rows are whole, whatever is read of them

    # --- source ---

    def check(self) -> None:
        """Reach Zendesk and find the owner field."""
        self._find_owner_field()

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Organisations in order of change. See the module on which calls are made."""
        check_stream(NAME, self.streams, stream)
        start = int(cursor.high_water) if cursor else 0
        seen: set[tuple[str, datetime | None]] = set()
        while True:
            body = self._export(start)
            rows = self._rows(rows_of(body, "organizations"), seen)
            end = self._end_of(body, start)
            yield Page(rows, Cursor(str(end)))
            if body["end_of_stream"]:
                return
            if end == start:
                yield from self._second(start, seen)
                end = start + 1
                yield Page((), Cursor(str(end)))
            start = end

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        check_stream(NAME, self.streams, stream)
        found = {str(each["id"]): to_row(each) for each in self._by_ids("organizations", ids)}
        return tuple(found.get(id_) or SourceRow(NAME, STREAM, id_, None, {"id": id_}, deleted=True) for id_ in ids)

    def to_value(self, row: SourceRow) -> AccountRecord:
        return to_account(row, self._owner_field, self._crm)

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Agents and administrators, suspended ones as inactive. Whoever was deleted, or is no agent any more, is not
        listed."""
        query = {"role[]": list(AGENTS)}
        return tuple(to_user(user) for page in self._api.listed("users.json", "users", **query) for user in page)

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 100 ids. A deleted organisation is MISSING. `version` is the second of the last change and
        the owner: two changes within one second are told apart where the owner differs."""
        check_type(NAME, self.object_types, object_type)
        rows = list(self._by_ids("organizations", remote_ids))
        self._check_owner_field(rows)
        found = {str(each["id"]): self._observed(each) for each in rows}
        return tuple(found.get(id_) or ObservedOwner(id_, None, RecordState.MISSING) for id_ in remote_ids)

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """One look at the new owners, then one PUT for one change, or a job for each 100."""
        check_types(changes, self.object_types)
        if not changes:
            return ()
        if not self._field_is_there:
            self._find_owner_field()
        able = self._able_owners(change.owner_id for change in changes)
        jobs = Jobs(self._api)

        def write(batch: Sequence[OwnerChange]) -> list[OwnerResult]:
            if len(batch) == 1:
                return [self._write_one(batch[0])]
            return jobs.queue(batch, [{"id": int(change.remote_id), **self._fields(change)} for change in batch])

        return write_the_sound(
            changes,
            lambda change: _refusal(change, able),
            lambda sound: jobs.settle(write_in_batches(sound, BATCH, write)),
        )

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Zendesk has no compare-and-set: this reads, compares and writes, so that an edit within that moment is
        lost."""
        return write_if_unchanged(self, change, version)

    # --- pulling ---

    def _export(self, start: int) -> dict[str, Any]:
        try:
            body = self._api.export("incremental/organizations.json", start_time=start)
        except RecordRejected as error:
            if error.code == "StartTimeTooRecent":  # everything before the last minute was given
                return {"organizations": [], "end_time": None, "end_of_stream": True}
            raise
        if not isinstance(body.get("end_of_stream"), bool):
            raise SchemaChanged(NAME, "an export does not say whether it ended", code="BAD_ANSWER")
        return body

    def _end_of(self, body: Mapping[str, Any], start: int) -> int:
        end = body.get("end_time")
        if end is None and body["end_of_stream"]:
            return start
        if not isinstance(end, int) or end < start:
            raise RetryLater(NAME, f"an export from {start} ends at {end}", code="CUT_SHORT")
        return end

    def _second(self, at: int, seen: set[tuple[str, datetime | None]]) -> Iterator[Page]:
        """Every organisation whose last change is of this second."""
        for found in self._api.listed("organizations.json", "organizations"):
            same = [each for each in found if to_row(each).modified_at == datetime.fromtimestamp(at, UTC)]
            yield Page(self._rows(same, seen), Cursor(str(at)))

    def _rows(self, found: list[dict[str, Any]], seen: set[tuple[str, datetime | None]]) -> tuple[SourceRow, ...]:
        """The rows not given before in this pull; one that changed meanwhile is given again."""
        self._check_owner_field(found)
        rows = tuple(row for row in map(to_row, found) if (row.id, row.modified_at) not in seen)
        seen.update((row.id, row.modified_at) for row in rows)
        return rows

    # --- writing ---

    def _write_one(self, change: OwnerChange) -> OwnerResult:
        try:
            body = self._api.put(f"organizations/{change.remote_id}.json", {"organization": self._fields(change)})
        except RecordRejected as error:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, error.code, error.message)
        if owner_in(body.get("organization") or {}, self._owner_field) != change.owner_id:
            return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_SHOWN", "the answer shows another owner")
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    def _fields(self, change: OwnerChange) -> dict[str, Any]:
        return {"organization_fields": {self._owner_field: change.owner_id}}

    # --- below ---

    def _find_owner_field(self) -> None:
        fields = {}
        for page in self._api.listed("organization_fields.json", "organization_fields"):
            fields.update({field.get("key"): field for field in page})
        if not (fields.get(self._owner_field) or {}).get("active"):
            raise ConnectorStopped(
                NAME,
                f"organisations have no active field {self._owner_field}",
                code="NO_OWNER_FIELD",
                mend=FIELD_MEND,
            )
        self._field_is_there = True

    def _check_owner_field(self, organizations: Iterable[Mapping[str, Any]]) -> None:
        """Zendesk shows every field of an organisation, empty ones as null: one without the key has no such field."""
        for each in organizations:
            if self._owner_field not in (each.get("organization_fields") or {}) and not each.get("deleted_at"):
                message = f"organisation {each.get('id')} has no field {self._owner_field}"
                raise SchemaChanged(NAME, message, code="NO_OWNER_FIELD", mend=FIELD_MEND)

    def _able_owners(self, owner_ids: Iterable[str]) -> set[str]:
        asked = sorted(set(owner_ids))
        found = (user for user in self._by_ids("users", asked) if user.get("role") in AGENTS)
        return {user.id for user in map(to_user, found) if user.active}

    def _by_ids(self, key: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Those of these records that exist; what is no id at all is not asked for."""
        for some in chunks([id_ for id_ in dict.fromkeys(ids) if id_.isdecimal()], BATCH):
            yield from rows_of(self._api.get(f"{key}/show_many.json", ids=",".join(some)), key)

    def _observed(self, organization: Mapping[str, Any]) -> ObservedOwner:
        row = to_row(organization)
        owner = owner_in(organization, self._owner_field)
        state = RecordState.DELETED if row.deleted else RecordState.LIVE
        return ObservedOwner(row.id, owner, state, f"{organization['updated_at']} {owner or '-'}", row.modified_at)


def _refusal(change: OwnerChange, able: set[str]) -> OwnerResult | None:
    """Why a change is not even sent; None when it may be."""
    if not change.remote_id.isdecimal():
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "BAD_ID", "an organisation's id is a number")
    if change.owner_id not in able:
        message = f"user {change.owner_id} is no agent of Zendesk, suspended or deleted"
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "INACTIVE_OWNER", message)
    return None


__all__ = ["ZendeskConnector"]
