"""What Zendesk's organisations and users say. No calls are made here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.base import OutsideUser, SourceRow
from connectors.errors import SchemaChanged
from connectors.fields import RowReader, to_instant, to_links
from connectors.zendesk_api import NAME
from ownership.model import AccountRecord

STREAM = "accounts"
ORGANIZATION = "organization"
AGENTS = ("agent", "admin")


def to_row(organization: Mapping[str, Any]) -> SourceRow:
    """A row of the stream. Raises `SchemaChanged` when an organisation has no id or no date of its last change."""
    at = to_instant(organization.get("updated_at"))
    if at is None or not isinstance(organization.get("id"), int):
        raise SchemaChanged(NAME, "an organisation came without id or updated_at", code="NO_KEY")
    return SourceRow(NAME, STREAM, str(organization["id"]), at, organization, bool(organization.get("deleted_at")))


def to_user(user: Mapping[str, Any]) -> OutsideUser:
    """A user: `{"id", "name", "email", "role", "active", "suspended"}`; `active` is false once deleted."""
    active = bool(user.get("active")) and not user.get("suspended")
    return OutsideUser(str(user["id"]), user.get("name") or "", user.get("email") or "", active)


def owner_in(organization: Mapping[str, Any], field: str) -> str | None:
    """The owner as text, None when there is none. A lookup field holds the user's id as text."""
    value = (organization.get("organization_fields") or {}).get(field)
    return str(value) if value not in (None, "") else None


def to_account(row: SourceRow, owner_field: str, crm: str) -> AccountRecord:
    """An organisation as the domain names its fields; `crm` is the system whose id it carries. Raises `BadRecord`."""
    read = RowReader(row)
    domains = row.fields.get("domain_names") or []
    if not isinstance(domains, list):
        raise read.bad("domain_names", "is no list")
    owner = owner_in(row.fields, owner_field)
    if owner and not owner.isdecimal():
        raise read.bad(f"organization_fields.{owner_field}", f"holds {owner[:40]!r} where a user id belongs")
    return AccountRecord(
        source=NAME,
        object_type=ORGANIZATION,
        external_id=row.id,
        name=read.text("name"),
        website=str(domains[0]) if domains else None,
        owner_external_id=owner,
        links=to_links(**{crm: read.text("external_id")}),
        created_at=read.instant("created_at"),
        modified_at=read.instant("updated_at"),
    )


__all__ = ["AGENTS", "ORGANIZATION", "STREAM", "owner_in", "to_account", "to_row", "to_user"]
