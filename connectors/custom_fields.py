"""Fields that only a company's policy knows: where they are read in each CRM, and what a row says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from connectors.fields import RowReader
from ownership.conditions import Field
from ownership.model import AccountRecord, LeadRecord

Read = str | int | float | bool | list[str] | None


@dataclass(frozen=True, slots=True)
class CustomFields:
    """The fields of one vendor's object: the vendor's own name and the kind of each, by the policy's name."""

    called: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @staticmethod
    def of(place: str, fields: Mapping[str, Field]) -> CustomFields:
        """Those that `fields` says are read in `place` ("salesforce", "salesforce_lead", "hubspot", …)."""
        return CustomFields(
            {name: (each.called[place], each.kind) for name, each in sorted(fields.items()) if place in each.called}
        )

    @property
    def vendor_names(self) -> tuple[str, ...]:
        return tuple(vendor_name for vendor_name, _ in self.called.values())

    def add_to(self, value: AccountRecord | LeadRecord, reader: RowReader) -> AccountRecord | LeadRecord:
        """The record with what the row says of these fields. Raises `BadRecord` on a value of the wrong kind."""
        if not self.called:
            return value
        return replace(value, extra={name: _read(reader, *where) for name, where in self.called.items()})


def shape_of(*customs: CustomFields) -> str:
    """What tells one set of custom fields from another: rows that were pulled without a field must be pulled again."""
    called = sorted(str(item) for custom in customs for item in custom.called.items())
    return "+" + sha256("".join(called).encode()).hexdigest()[:8] if called else ""


def _read(reader: RowReader, name: str, kind: str) -> Read:
    match kind:
        case "number":
            return reader.number(name)
        case "flag":
            return reader.flag_if_known(name)
        case "date":
            at = reader.instant(name)
            return at.date().isoformat() if at else None
        case "texts":
            return [part.strip() for part in (reader.text(name) or "").split(";") if part.strip()] or None
        case _:
            return reader.text(name)
