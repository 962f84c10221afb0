"""Field history: who changed the owner of an account or lead, and when. Each change is two rows, one with the names
and one with the ids, as Salesforce keeps them for fields that point at a record.

Kept small, and made into rows when a query asks: a book pushed in bulk leaves a change for every record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from emulators.salesforce.schema import HISTORIES
from emulators.salesforce.values import Record
from emulators.world.ids import salesforce_id

PREFIX = "017"


class _Change(NamedTuple):
    number: int
    old: Any
    new: Any
    by: str
    at: str


class OwnerHistory:
    """The owner changes of each record, oldest first. `name_of` gives the name of a user or queue."""

    def __init__(self, name_of: Callable[[Any], str | None]) -> None:
        self.is_tracked = True  # an admin switches tracking on for each object; without it nothing is kept
        self._name_of = name_of
        self._changes: dict[str, dict[str, list[_Change]]] = {tracked: {} for tracked in HISTORIES.values()}
        self._made = 0

    def note(self, kind_name: str, record_id: str, old: Any, new: Any, by: str, at: str) -> None:
        if self.is_tracked and kind_name in self._changes:
            self._made += 1
            self._changes[kind_name].setdefault(record_id, []).append(_Change(self._made, old, new, by, at))

    def rows(self, history_name: str, record_ids: Iterable[str] | None = None) -> Mapping[str, Record]:
        """The rows of AccountHistory or LeadHistory by id: all, or those of some records."""
        tracked = HISTORIES[history_name]
        changes = self._changes[tracked]
        wanted = changes if record_ids is None else record_ids
        found = ((id_, change) for id_ in wanted for change in changes.get(id_, ()))
        return {row["Id"]: row for id_, change in found for row in self._to_rows(f"{tracked}Id", id_, change)}

    def _to_rows(self, parent: str, record_id: str, change: _Change) -> tuple[Record, Record]:
        said = {parent: record_id, "IsDeleted": False, "Field": "Owner", "DataType": "EntityId"}
        said |= {"CreatedById": change.by, "CreatedDate": change.at}
        names = {"OldValue": self._name_of(change.old), "NewValue": self._name_of(change.new), "DataType": "Text"}
        ids = {"OldValue": change.old, "NewValue": change.new}
        first = 2 * change.number
        return (
            {**said, **names, "Id": salesforce_id(PREFIX, first)},
            {**said, **ids, "Id": salesforce_id(PREFIX, first + 1)},
        )
