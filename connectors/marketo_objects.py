"""What Marketo's leads, people and results say. No calls are made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import FieldChange, ObservedOwner, OutsideUser, OwnerChange, OwnerResult, SourceRow, WriteOutcome
from connectors.errors import SchemaChanged
from connectors.fields import RowReader, to_instant, to_links
from connectors.marketo_api import NAME
from ownership.model import AccountRecord

STREAM = "accounts"
LEAD = "lead"
FIELDS = (
    *("company", "website", "email", "industry", "numberOfEmployees", "country", "state", "city", "postalCode"),
    *("createdAt", "updatedAt"),
)
NOT_LOGGED = frozenset({"createdAt", "updatedAt"})


def to_row(lead: Mapping[str, Any]) -> SourceRow:
    """A row of the stream. `updatedAt` moves with standard fields only. Raises `SchemaChanged` without an id."""
    at = to_instant(lead.get("updatedAt"))
    if at is None or not isinstance(lead.get("id"), int):
        raise SchemaChanged(NAME, "a lead came without id or updatedAt", code="NO_KEY")
    return SourceRow(NAME, STREAM, str(lead["id"]), at, lead)


def gone(id_: str) -> SourceRow:
    """The row of a lead that is no longer there."""
    return SourceRow(NAME, STREAM, id_, None, {"id": id_}, deleted=True)


def to_account(row: SourceRow, owner_field: str, crm_field: str, crm: str) -> AccountRecord | None:
    """A lead as the domain names its fields; None for one that names no account of the CRM. Raises `BadRecord`."""
    read = RowReader(row)
    account = read.text(crm_field)
    if account is None:
        return None
    return AccountRecord(
        source=NAME,
        object_type=LEAD,
        external_id=row.id,
        name=read.text("company"),
        website=read.text("website"),
        email=read.text("email"),
        country=read.text("country"),
        state=read.text("state"),
        city=read.text("city"),
        postcode=read.text("postalCode"),
        industry=read.text("industry"),
        employees=read.count("numberOfEmployees"),
        owner_external_id=(read.text(owner_field) or "").lower() or None,
        links=to_links(**{crm: account}),
        created_at=read.instant("createdAt"),
        modified_at=read.instant("updatedAt"),
    )


def to_observed(lead: Mapping[str, Any], owner_field: str) -> ObservedOwner:
    """What a lead shows. `version` holds the owner too: writing a custom field does not move `updatedAt`."""
    row = to_row(lead)
    owner = str(lead.get(owner_field) or "").strip().lower() or None
    return ObservedOwner(row.id, owner, version=f"{lead['updatedAt']} {owner or '-'}", modified_at=row.modified_at)


def to_user(user: Mapping[str, Any]) -> OutsideUser:
    """A person of Marketo's: `{"userid", "firstName", "lastName", "emailAddress", "apiOnly"}`. The owner field holds
    the address, so that is the id."""
    address = str(user.get("emailAddress") or "").strip().lower()
    name = " ".join(part for part in (user.get("firstName"), user.get("lastName")) if part)
    return OutsideUser(address, name, address, active=True)


def to_results(batch: Sequence[OwnerChange | FieldChange], body: Mapping[str, Any]) -> list[OwnerResult]:
    """The results of a sync stand in the order of the request, and a skipped row has no id. A result with the id of
    another row, or another number of results, leaves what cannot be told UNKNOWN."""
    results = body.get("result")
    if not isinstance(results, list) or len(results) != len(batch):
        text = "the answer does not tell rows apart"
        return [OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_MENTIONED", text) for change in batch]
    return [_to_result(change, result) for change, result in zip(batch, results, strict=True)]


def _to_result(change: OwnerChange | FieldChange, result: Mapping[str, Any]) -> OwnerResult:
    if result.get("status") == "skipped":
        reasons = result.get("reasons") or [{}]
        code, message = str(reasons[0].get("code", "")), str(reasons[0].get("message", ""))
        return OwnerResult(change.remote_id, WriteOutcome.REJECTED, code, message)
    if result.get("status") == "updated" and str(result.get("id")) == change.remote_id:
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)
    text = f"the answer speaks of {result.get('id')} as {result.get('status')}"
    return OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_MENTIONED", text)


__all__ = ["FIELDS", "LEAD", "NOT_LOGGED", "STREAM", "gone", "to_account", "to_observed", "to_results", "to_row"]
