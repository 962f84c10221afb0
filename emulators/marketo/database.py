"""What one Marketo instance holds: leads, static lists, and the log of what changed, which is how changes are found.

`updatedAt` moves with standard fields only ("reflects only updates to standard fields", Bulk lead extract); every
change of a field is in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulators.marketo.errors import skipped

NEW_LEAD, DATA_VALUE_CHANGE, DELETED_LEAD = 12, 13, 37
STANDARD = {
    "id": "integer", "email": "email", "firstName": "string", "lastName": "string", "company": "string",
    "website": "url", "industry": "string", "numberOfEmployees": "integer", "country": "string", "state": "string",
    "city": "string", "postalCode": "string", "createdAt": "datetime", "updatedAt": "datetime",
}  # fmt: skip
READ_ONLY = frozenset({"id", "createdAt", "updatedAt"})
LONGEST = 255  # characters of a string field

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of the log. `fields` holds (name, old, new)."""

    id: int
    lead_id: int
    type_id: int
    at: datetime
    fields: tuple[tuple[str, Any, Any], ...] = ()


class Database:
    """The records of one instance by its clock. `custom` are the fields of its own: name → data type; `log_delay` is
    how long a change takes to appear in the log."""

    def __init__(self, now: Callable[[], datetime], log_delay: timedelta) -> None:
        self._now, self._log_delay = now, log_delay
        self.custom: dict[str, str] = {}
        self.read_only: frozenset[str] = READ_ONLY
        self.leads: dict[int, Row] = {}
        self.lists: dict[int, set[int]] = {}
        self.log: list[Activity] = []

    def load(self, own: Mapping[str, Any]) -> None:
        """`synced_fields` are those that a native CRM sync keeps: the API cannot write them."""
        self.custom = dict(own["custom_fields"])
        self.read_only = READ_ONLY | frozenset(own.get("synced_fields", ()))
        self.leads = {int(lead["id"]): {name: lead.get(name) for name in self.fields} for lead in own["leads"]}
        self.lists = {int(id_): {int(lead) for lead in leads} for id_, leads in own["lists"].items()}
        self.log = []

    @property
    def seen_log(self) -> list[Activity]:
        """The log without what is too new to be in it yet."""
        latest = self._now() - self._log_delay
        return [entry for entry in self.log if entry.at <= latest]

    @property
    def fields(self) -> dict[str, str]:
        return STANDARD | self.custom

    def sync(self, row: Mapping[str, Any]) -> Row:
        """`updateOnly` by id of one row; what became of it."""
        lead = self.leads.get(row["id"]) if isinstance(row.get("id"), int) else None
        if lead is None:
            return skipped(1004, "Lead not found")
        changes = {name: value for name, value in row.items() if name != "id"}
        for name, value in changes.items():
            if name not in self.fields:
                return skipped(1006, f"Field '{name}' not found")
            if name in self.read_only or not _fits(self.fields[name], value):
                return skipped(1003, f"Invalid value for field '{name}' and value '{value}'")
        self.change(row["id"], changes)
        return {"id": row["id"], "status": "updated"}

    def change(self, id_: int, changes: Mapping[str, Any]) -> Row:
        """Write without asking, and log it."""
        lead = self.leads[id_]
        stored = {name: None if value == "" else value for name, value in changes.items()}
        changed = tuple((name, lead[name], value) for name, value in stored.items() if lead[name] != value)
        lead |= {name: value for name, _, value in changed}
        if any(name in STANDARD for name, _, _ in changed):
            lead["updatedAt"] = stamp(self._now())
        if changed:
            self._note(id_, DATA_VALUE_CHANGE, changed)
        return lead

    def create(self, values: Mapping[str, Any]) -> Row:
        id_ = max(self.leads, default=0) + 1
        at = stamp(self._now())
        self.leads[id_] = dict.fromkeys(self.fields) | {**values, "id": id_, "createdAt": at, "updatedAt": at}
        self._note(id_, NEW_LEAD, tuple((name, None, value) for name, value in values.items()))
        return self.leads[id_]

    def delete(self, id_: int) -> Row:
        for members in self.lists.values():
            members.discard(id_)
        self._note(id_, DELETED_LEAD)
        return self.leads.pop(id_)

    def _note(self, lead_id: int, type_id: int, fields: tuple[tuple[str, Any, Any], ...] = ()) -> None:
        self.log.append(Activity(len(self.log) + 1, lead_id, type_id, self._now(), fields))


def _fits(kind: str, value: Any) -> bool:
    if value is None:
        return True
    if kind in ("integer", "boolean"):
        return isinstance(value, int)
    if kind == "date":
        return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
    return isinstance(value, str) and len(value) <= LONGEST


def stamp(at: datetime) -> str:
    """Marketo's instants have whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
