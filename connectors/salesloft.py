"""Salesloft accounts and their owners.

Which calls are made, and why
    * A pull asks for the first 100 accounts by the date of their last change, then for those from the last date seen,
      and so on, always page 1: a later page would pass over a row whenever one before it changes meanwhile, and from
      page 101 on it would cost more. Only where a whole page shares one instant (an import) are its further pages read,
      and read again when their number does not fit.
    * There is no bulk write: one call for each account, of the 600 points a minute that the team has. Of these half are
      used, so that 10,000 owners take 34 minutes; what has to wait stays in the outbox.
    * Salesloft's pages do not say whether a user who left may be given accounts, so that the new owners are looked up
      before a write (100 a call) and refused here when they are inactive.

Salesloft passes over a filter it does not know without a word, so that what comes back is checked against what was
asked. An account that was deleted is not told of: it is MISSING when its owner is read. An archived one is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
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
from connectors.errors import RecordRejected, RetryLater, SchemaChanged
from connectors.objects import check_stream, check_type
from connectors.salesloft_api import NAME, PAGE, Params, SalesloftApi, paging_of, rows_of
from connectors.salesloft_objects import (
    ACCOUNT,
    STREAM,
    instant_of,
    owner_in,
    to_account,
    to_observed,
    to_row,
    to_user,
    written,
)
from ownership.model import AccountRecord

OLDEST_FIRST = (("sort_by", "updated_at"), ("sort_direction", "ASC"))
ATTEMPTS = 3  # to read all rows of one instant
Seen = set[tuple[str, datetime | None]]


class SalesloftConnector:
    """Accounts of one team. `crm` is the name of the system whose ids stand in `crm_id`; `overlap` is asked for again
    with each pull: a change may be stored a moment after the time it carries."""

    name = NAME
    shape = ""
    streams: tuple[str, ...] = (STREAM,)
    object_type = ACCOUNT
    object_types: tuple[str, ...] = (ACCOUNT,)
    compare_and_set: frozenset[str] = frozenset()
    write_batch = 1  # each account is a call of its own
    read_batch = PAGE
    calls_at_once = 1

    def __init__(
        self, api: SalesloftApi, *, crm: str = "salesforce", overlap: timedelta = timedelta(minutes=2)
    ) -> None:
        self._api = api
        self._crm = crm
        self._overlap = overlap

    # --- source ---

    def check(self) -> None:
        self._api.page("/accounts", OLDEST_FIRST)

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """See the module."""
        check_stream(NAME, self.streams, stream)
        reached = datetime.fromisoformat(cursor.high_water) if cursor else None
        since = reached - self._overlap if reached else None
        seen: Seen = set()
        while True:
            body = self._api.page("/accounts", [*OLDEST_FIRST, *_from(since)])
            found = [to_row(row) for row in rows_of(body)]
            more = paging_of(body)["next_page"] is not None
            last = max((instant_of(row) for row in found), default=since)
            _check_since(found, since)
            reached = max((at for at in (reached, last) if at is not None), default=None)
            yield Page(_fresh(found, seen), Cursor(written(reached)) if reached else None)
            if not more or last is None:
                return
            if last == since:
                yield Page(_fresh(self._of_instant(last), seen), Cursor(written(max(reached or last, last))))
                last += timedelta(microseconds=1)
            since = last

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        check_stream(NAME, self.streams, stream)
        found = {str(each["id"]): to_row(each) for each in self._by_ids("/accounts", ids)}
        return tuple(found.get(id_) or SourceRow(NAME, STREAM, id_, None, {"id": id_}, deleted=True) for id_ in ids)

    def to_value(self, row: SourceRow) -> AccountRecord:
        return to_account(row, self._crm)

    # --- owners ---

    def users(self) -> tuple[OutsideUser, ...]:
        """Everybody of the team; who cannot log in any more is inactive."""
        found, number = [], 1
        while True:
            body = self._api.page("/users", [("visible_only", "false")], number)
            found += rows_of(body)
            if paging_of(body)["next_page"] is None:
                return tuple(dict.fromkeys(map(to_user, found)))
            number += 1

    def read_owners(self, remote_ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        """One call for each 100 ids."""
        check_type(NAME, self.object_types, object_type)
        found = {str(each["id"]): to_observed(each) for each in self._by_ids("/accounts", remote_ids)}
        return tuple(found.get(id_) or ObservedOwner(id_, None, RecordState.MISSING) for id_ in remote_ids)

    def update_owners(self, changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        """One look at the new owners, then one call for each change."""
        check_types(changes, self.object_types)
        if not changes:
            return ()
        able = self._able_owners(change.owner_id for change in changes)
        return write_the_sound(
            changes,
            lambda change: _refusal(change, able),
            lambda sound: write_in_batches(sound, 1, lambda one: [self._write(one[0])]),
        )

    def update_owner_if(self, change: OwnerChange, version: str) -> OwnerResult:
        """Salesloft has no compare-and-set: this reads, compares and writes, so that an edit within that moment is
        lost. `version` is the date of the last change, which any activity on the account may move too."""
        return write_if_unchanged(self, change, version)

    # --- below ---

    def _write(self, change: OwnerChange) -> OwnerResult:
        try:
            body = self._api.put(f"/accounts/{change.remote_id}", {"owner_id": int(change.owner_id)})
        except RecordRejected as error:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, error.code, error.message)
        account = body.get("data")
        if not isinstance(account, dict) or "owner" not in account or owner_in(account) != change.owner_id:
            return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_SHOWN", "the answer shows another owner")
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)

    def _of_instant(self, at: datetime) -> list[SourceRow]:
        """Every account whose last change is of this instant. Raises `RetryLater` when they cannot all be had."""
        when = [("updated_at[gte]", written(at)), ("updated_at[lte]", written(at)), ("include_paging_counts", "true")]
        for _ in range(ATTEMPTS):
            found, number, more = {}, 1, True
            while more:
                body = self._api.page("/accounts", [*OLDEST_FIRST, *when], number)
                found.update({row.id: row for row in map(to_row, rows_of(body))})
                paging = paging_of(body)
                number, more = number + 1, paging["next_page"] is not None
            if len(found) >= int(paging.get("total_count") or 0):
                return list(found.values())
        raise RetryLater(NAME, f"the accounts of {written(at)} cannot all be read", code="CUT_SHORT")

    def _able_owners(self, owner_ids: Iterable[str]) -> set[str]:
        params = [("visible_only", "false")]
        users = map(to_user, self._by_ids("/users", sorted(set(owner_ids)), params))
        return {user.id for user in users if user.active}

    def _by_ids(self, path: str, ids: Sequence[str], params: Params = ()) -> Iterator[dict[str, Any]]:
        """Those of these records that exist; what is no id at all is not asked for."""
        for some in chunks([id_ for id_ in dict.fromkeys(ids) if id_.isdecimal()], PAGE):
            rows = rows_of(self._api.page(path, [*params, *(("ids[]", id_) for id_ in some)]))
            if not {str(row.get("id")) for row in rows} <= {str(int(id_)) for id_ in some}:
                raise SchemaChanged(NAME, f"{path} gave rows that were not asked for", code="FILTER_IGNORED")
            yield from rows


def _from(since: datetime | None) -> Params:
    return [("updated_at[gte]", written(since))] if since else []


def _fresh(found: Iterable[SourceRow], seen: Seen) -> tuple[SourceRow, ...]:
    """The rows not given before in this pull; one that changed meanwhile is given again."""
    rows = tuple(row for row in found if (row.id, row.modified_at) not in seen)
    seen.update((row.id, row.modified_at) for row in rows)
    return rows


def _check_since(found: Iterable[SourceRow], since: datetime | None) -> None:
    if since is not None and any(instant_of(row) < since for row in found):
        raise SchemaChanged(NAME, "accounts came that changed before the date asked for", code="FILTER_IGNORED")


def _refusal(change: OwnerChange, able: set[str]) -> OwnerResult | None:
    """Why a change is not even sent; None when it may be."""
    if not change.remote_id.isdecimal():
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "BAD_ID", "an account's id is a number")
    if change.owner_id not in able:
        message = f"user {change.owner_id} is not of the Salesloft team, or inactive"
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "INACTIVE_OWNER", message)
    return None


__all__ = ["SalesloftConnector"]
