"""What Salesloft's accounts and users say. No calls are made here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.base import ObservedOwner, OutsideUser, RecordState, SourceRow
from connectors.errors import SchemaChanged
from connectors.fields import RowReader, to_instant, to_links
from connectors.salesloft_api import NAME
from ownership.model import AccountRecord

STREAM = "accounts"
ACCOUNT = "account"


def to_row(account: Mapping[str, Any]) -> SourceRow:
    """A row of the stream; an archived account counts as deleted. Raises `SchemaChanged` for one without key."""
    at = to_instant(account.get("updated_at"))
    if at is None or not isinstance(account.get("id"), int):
        raise SchemaChanged(NAME, "an account came without id or updated_at", code="NO_KEY")
    return SourceRow(NAME, STREAM, str(account["id"]), at, account, bool(account.get("archived_at")))


def instant_of(row: SourceRow) -> datetime:
    """When a row changed last. Raises `SchemaChanged` when it does not say."""
    if row.modified_at is None:
        raise SchemaChanged(NAME, "an account came without updated_at", code="NO_KEY")
    return row.modified_at


def to_account(row: SourceRow, crm: str) -> AccountRecord:
    """An account as the domain names its fields; `crm` is the system whose id it carries. Raises `BadRecord`."""
    read = RowReader(row)
    return AccountRecord(
        source=NAME,
        object_type=ACCOUNT,
        external_id=row.id,
        name=read.text("name"),
        website=read.text("domain") or read.text("website"),
        country=read.text("country"),
        state=read.text("state"),
        city=read.text("city"),
        postcode=read.text("postal_code"),
        industry=read.text("industry"),
        owner_external_id=owner_in(row.fields),
        links=to_links(**{crm: read.text("crm_id")}),
        created_at=read.instant("created_at"),
        last_activity_at=read.instant("last_contacted_at"),
        modified_at=read.instant("updated_at"),
    )


def owner_in(account: Mapping[str, Any]) -> str | None:
    """The id of the owner, None for an account without one. Raises `SchemaChanged` when it is not told."""
    if "owner" not in account:
        raise SchemaChanged(NAME, "an account came without its owner", code="BAD_ANSWER")
    owner = account["owner"]
    return str(owner["id"]) if owner else None


def to_observed(account: Mapping[str, Any]) -> ObservedOwner:
    """What an account shows now."""
    row = to_row(account)
    state = RecordState.DELETED if row.deleted else RecordState.LIVE
    return ObservedOwner(row.id, owner_in(account), state, str(account["updated_at"]), row.modified_at)


def to_user(user: Mapping[str, Any]) -> OutsideUser:
    """A user: `{"id", "name", "email", "active"}`."""
    return OutsideUser(str(user["id"]), user.get("name") or "", user.get("email") or "", bool(user.get("active")))


def written(at: datetime) -> str:
    """An instant as Salesloft compares it, in microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


__all__ = ["ACCOUNT", "STREAM", "instant_of", "owner_in", "to_account", "to_observed", "to_row", "to_user", "written"]
