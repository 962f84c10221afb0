"""Marketo leads that name an account of the CRM, and the owner of that account, in a field of each lead.

Why leads: mails and tokens are about leads. Marketo's companies cannot be listed, and their API is closed wherever the
native CRM sync is on, as are the lead owner's own fields. The owner is a custom field of the type e-mail or string that
holds an address; the account is named by a field of the lead (`sfdcAccountId` where Salesforce is synced).

Which calls are made, and why
    * Leads cannot be listed either, so a first pull reads a static list (300 a call), which a smart campaign should
      keep: everybody who has an account id.
    * A later pull reads the logs of deleted leads and of changes of our fields (300 entries a call), and then the leads
      they name (300 a call). A lead that is given an account id is a change, on the list or not.
      `updatedAt` is of no use for that: it moves with standard fields only.
    * Owners are written 300 a call, one or many alike. Marketo takes any text for an owner, so that the new ones are
      looked for among Marketo's people first (200 a call). Whoever owns has to be one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base import (
    Cursor,
    FieldChange,
    ObservedOwner,
    OutsideUser,
    OwnerChange,
    OwnerResult,
    Page,
    RecordState,
    SourceRow,
    WriteOutcome,
)
from connectors.batches import (
    check_types,
    chunks,
    of_the_same_fields,
    write_if_unchanged,
    write_in_batches,
    write_the_sound,
)
from connectors.errors import ConnectorStopped, RecordRejected, RetryLater, SchemaChanged
from connectors.fields import to_instant
from connectors.marketo_api import NAME, MarketoApi
from connectors.marketo_objects import (
    FIELDS,
    LEAD,
    NOT_LOGGED,
    STREAM,
    gone,
    to_account,
    to_observed,
    to_results,
    to_row,
    to_user,
)
from connectors.objects import check_stream, check_type
from ownership.model import AccountRecord

BATCH = 300  # leads of a read or a sync
USER_PAGE = 200
LISTING = "list:"  # a cursor's tie_break while the list is read: "list:<token>"
NO_FIELD = "1006"
NO_LIST = "1013"
BAD_PLACE = "1003"


class MarketoConnector:
    """Leads of one instance. `list_id` is the static list of a first pull; `owner_field` holds the owner's address,
    `crm_field` the id of the account in the system called `crm`."""

    name = NAME
    streams: tuple[str, ...] = (STREAM,)
    object_type = LEAD
    object_types: tuple[str, ...] = (LEAD,)
    compare_and_set: frozenset[str] = frozenset()
    write_batch = BATCH
    read_batch = BATCH
    calls_at_once = 1

    def __init__(
        self,
        api: MarketoApi,
        *,
        list_id: str,
        owner_field: str = "accountOwnerEmail",
        crm_field: str = "sfdcAccountId",
        crm: str = "salesforce",
        overlap: timedelta = timedelta(minutes=5),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`overlap` is read again each time, because the log lags behind. `clock` dates a first pull, unless Marketo's
        own is behind it."""
        self._api = api
        self._list_id = list_id
        self._owner_field, self._crm_field, self._crm = owner_field, crm_field, crm
        self._fields = tuple(dict.fromkeys((*FIELDS, owner_field, crm_field)))
        self._overlap, self._clock = overlap, clock
        self._field_is_there = False
        self.shape = f"+{owner_field}+{crm_field}+{list_id}"  # rows hold these fields of these leads only

    # --- source ---

    def check(self) -> None:
        """Reach Marketo, and find the two fields and that the owner's may be written."""
        self._find_fields()

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Leads; what was deleted since `cursor` comes first. See the module on which calls are made."""
        check_stream(NAME, self.streams, stream)
        if cursor is None or cursor.tie_break.startswith(LISTING):
            yield from self._list(cursor)
        else:
            yield from self._changed_since(cursor)

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        check_stream(NAME, self.streams, stream)
        return self._rows(ids)

    def to_value(self, row: SourceRow) -> AccountRecord | None:
        return to_account(row, self._owner_field, self._crm_field, self._crm)

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Marketo's people, without its API users. The list does not say who may no longer log in; whoever was removed
        is not on it."""
        return tuple(to_user(user) for user in self._people() if not user.get("apiOnly") and user.get("emailAddress"))

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 300 ids. A deleted or merged lead is MISSING."""
        check_type(NAME, self.object_types, object_type)
        found = {str(lead["id"]): to_observed(lead, self._owner_field) for lead in self._by_ids(remote_ids)}
        return tuple(found.get(id_) or ObservedOwner(id_, None, RecordState.MISSING) for id_ in remote_ids)

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """One look at Marketo's people, then one call for each 300 changes."""
        check_types(changes, self.object_types)
        if not changes:
            return ()
        if not self._field_is_there:
            self._find_fields()
        able = {user.id for user in self.users()}
        return write_the_sound(
            changes,
            lambda change: _refusal(change, able),
            lambda sound: write_in_batches(sound, BATCH, self._write),
        )

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Marketo has no compare-and-set: this reads, compares and writes, so that an edit within that moment is lost.
        Another custom field may change unseen; the owner may not."""
        return write_if_unchanged(self, change, version)

    # --- fields ---

    def update_fields(self, changes: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        """One call for each 300 changes of the same fields; null empties a field."""
        check_types(changes, self.object_types)
        return write_the_sound(changes, _bad_id, self._write_in_batches)

    # --- pulling ---

    def _list(self, cursor: Cursor | None) -> Iterator[Page]:
        started = cursor.high_water if cursor else ""
        token = cursor.tie_break.removeprefix(LISTING) if cursor else ""
        while True:
            body, at = self._list_page(token)
            # A listing is only as fresh as its first page.
            started = started or self._now(at)
            token = _next_token(body) if body.get("moreResult") else ""
            rows = tuple(to_row(lead) for lead in results_of(body))
            yield Page(rows, Cursor(started, LISTING + token if token else ""))
            if not token:
                return

    def _list_page(self, token: str) -> tuple[dict[str, Any], datetime | None]:
        path, query = f"/rest/v1/list/{self._list_id}/leads.json", {"fields": ",".join(self._fields)}
        try:
            return self._api.get_at(path, **query, batchSize=BATCH, **({"nextPageToken": token} if token else {}))
        except RecordRejected as error:
            if error.code == BAD_PLACE and token:  # how long a place is kept is not known: begin again
                return self._list_page("")
            if error.code == NO_LIST:
                mend = "Let STEWARD_MARKETO_LIST_ID be the number of a static list, as 1021 of #ST1021A1 in its address"
                raise ConnectorStopped(NAME, error.message, code=error.code, mend=mend) from error
            raise self._no_field(error) from error

    def _changed_since(self, cursor: Cursor) -> Iterator[Page]:
        since = to_instant(cursor.high_water)
        if since is None:
            raise ValueError(f"no cursor of {NAME}: {cursor.high_water!r}")
        path, since_datetime = "/rest/v1/activities/pagingtoken.json", to_stamp(since - self._overlap)
        body, at = self._api.get_at(path, sinceDatetime=since_datetime)
        token, started = _next_token(body), self._now(at)
        for entries in self._logged("deletedleads", token):
            yield Page(tuple(gone(id_) for id_ in lead_ids(entries)), cursor)
        fields = ",".join(name for name in self._fields if name not in NOT_LOGGED)
        for entries in self._logged("leadchanges", token, fields=fields):
            rows = self._rows(lead_ids(entries))
            cursor = advance(cursor, entries, started)
            yield Page(rows, cursor)
        # Where nobody changes our fields, the log of everything else would be read from further back each time.
        yield Page((), Cursor(max(started, cursor.high_water)))

    def _now(self, at: datetime | None) -> str:
        """Our clock, or Marketo's where it is behind."""
        return to_stamp(min(self._clock(), at) if at else self._clock())

    def _logged(self, log: str, token: str, **query: str) -> Iterator[list[dict[str, Any]]]:
        """The pages of a log. A page may be short, or have no result at all, and still not be the last."""
        more = True
        while more:
            try:
                body = self._api.get(f"/rest/v1/activities/{log}.json", nextPageToken=token, **query)
            except RecordRejected as error:
                raise self._no_field(error) from error
            yield results_of(body) if "result" in body else []
            if not isinstance(body.get("moreResult"), bool):
                raise SchemaChanged(NAME, "a log does not say whether more follows", code="BAD_ANSWER")
            more = body["moreResult"]
            token = _next_token(body) if more else ""

    # --- below ---

    def _write(self, batch: Sequence[OwnerChange]) -> list[OwnerResult]:
        rows = [{"id": int(change.remote_id), self._owner_field: change.owner_id} for change in batch]
        return self._sync(batch, rows)

    def _write_in_batches(self, sound: Sequence[FieldChange]) -> tuple[OwnerResult, ...]:
        return write_in_batches(sound, BATCH, self._write_fields, alike=of_the_same_fields)

    def _write_fields(self, batch: Sequence[FieldChange]) -> list[OwnerResult]:
        return self._sync(batch, [{"id": int(change.remote_id), **change.values} for change in batch])

    def _sync(self, batch: Sequence[OwnerChange | FieldChange], rows: list[dict[str, Any]]) -> list[OwnerResult]:
        try:
            body = self._api.post("/rest/v1/leads.json", {"action": "updateOnly", "lookupField": "id", "input": rows})
        except RecordRejected as error:  # of the call as a whole: nothing was written
            return [OwnerResult(one.remote_id, WriteOutcome.REJECTED, error.code, error.message) for one in batch]
        return to_results(batch, body)

    def _rows(self, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        found = {str(lead["id"]): to_row(lead) for lead in self._by_ids(ids)}
        return tuple(found.get(id_) or gone(id_) for id_ in ids)

    def _by_ids(self, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Those of these leads that exist; what is no id at all is not asked for."""
        fields = ",".join(("id", *self._fields))
        for some in chunks([id_ for id_ in dict.fromkeys(ids) if id_.isdecimal()], BATCH):
            query = {"filterType": "id", "filterValues": ",".join(some), "fields": fields, "batchSize": BATCH}
            try:
                yield from results_of(self._api.get("/rest/v1/leads.json", **query))
            except RecordRejected as error:
                raise self._no_field(error) from error

    def _people(self) -> Iterator[dict[str, Any]]:
        path, offset = "/userservice/management/v1/users/allusers.json", 0
        while True:
            page = self._api.get_list(path, pageSize=USER_PAGE, pageOffset=offset)
            yield from page
            offset += len(page)
            if len(page) < USER_PAGE:
                return

    def _find_fields(self) -> None:
        described = [field.get("rest") or {} for field in results_of(self._api.get("/rest/v1/leads/describe.json"))]
        writable = {field.get("name"): not field.get("readOnly") for field in described}
        wanted = {"STEWARD_MARKETO_OWNER_FIELD": self._owner_field, "STEWARD_MARKETO_CRM_FIELD": self._crm_field}
        for setting, name in wanted.items():
            if name not in writable:
                mend = f"Create it, or name another in {setting}"
                raise ConnectorStopped(NAME, f"leads have no field {name}", code=NO_FIELD, mend=mend)
        if not writable[self._owner_field]:
            mend = "The native CRM sync keeps it; name a field of its own in STEWARD_MARKETO_OWNER_FIELD"
            raise ConnectorStopped(NAME, f"{self._owner_field} cannot be written", code="READ_ONLY", mend=mend)
        self._field_is_there = True

    def _no_field(self, error: RecordRejected) -> RecordRejected | SchemaChanged:
        if error.code != NO_FIELD:
            return error
        mend = "Check STEWARD_MARKETO_OWNER_FIELD and STEWARD_MARKETO_CRM_FIELD"
        return SchemaChanged(NAME, error.message, code=error.code, mend=mend)


def results_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of an answer. Raises `SchemaChanged` when there is no list of them."""
    result = body.get("result")
    if not isinstance(result, list):
        raise SchemaChanged(NAME, "an answer has no result", code="BAD_ANSWER")
    return result


def _next_token(body: Mapping[str, Any]) -> str:
    if not body.get("nextPageToken"):
        raise RetryLater(NAME, "a page has a next page without a place", code="CUT_SHORT")
    return str(body["nextPageToken"])


def lead_ids(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The leads that log entries are about, each once."""
    return list(dict.fromkeys(str(entry["leadId"]) for entry in entries if entry.get("leadId") is not None))


def advance(cursor: Cursor, entries: Sequence[Mapping[str, Any]], started: str) -> Cursor:
    """The cursor after a page of the log; never past the pull's start, or a deletion since then would be missed."""
    dates = [at for entry in entries if (at := to_instant(entry.get("activityDate")))]
    reached = min(to_stamp(max(dates)), started) if dates else cursor.high_water
    return Cursor(max(reached, cursor.high_water))


def to_stamp(at: datetime) -> str:
    """An instant as Marketo wants it, in whole seconds of UTC; texts of it sort like the instants."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(change: OwnerChange, able: set[str]) -> OwnerResult | None:
    """Why a change of owner is not even sent; None when it may be."""
    if (bad := _bad_id(change)) is not None:
        return bad
    if change.owner_id.lower() not in able:
        message = f"{change.owner_id} is nobody's address in Marketo"
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "UNKNOWN_OWNER", message)
    return None


def _bad_id(change: OwnerChange | FieldChange) -> OwnerResult | None:
    if change.remote_id.isdecimal():
        return None
    return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "BAD_ID", "a lead's id is a number")


__all__ = ["MarketoConnector"]
