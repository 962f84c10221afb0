"""What one HubSpot account holds: records, owners, associations and the search index, and how a write changes them.

No HTTP here. A record is never changed in place: a write puts a new `Record` where the old one was, so the search
index can go on holding the old one until its delay is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from emulators.hubspot.errors import already_exists, invalid, no_such_object
from emulators.hubspot.properties import (
    COMPANIES,
    CONTACTS,
    DEALS,
    DEFAULT_ASSOCIATIONS,
    KINDS,
    ObjectKind,
    clean,
    instant,
)

FIRST_NEW_ID = 90_000_000_001
OWNER, VERSIONS_KEPT = "hubspot_owner_id", 20
BY_A_PERSON, THROUGH_API = "CRM_UI", "INTEGRATION"


@dataclass(frozen=True, slots=True)
class Record:
    """One company, contact or task as it was after one write."""

    id: str
    properties: Mapping[str, str | None]
    created_at: str
    updated_at: str
    archived_at: str | None = None
    owner_history: tuple[Mapping[str, Any], ...] = ()  # newest first

    @property
    def archived(self) -> bool:
        return self.archived_at is not None


@dataclass(frozen=True, slots=True)
class Change:
    """Something a webhook subscription may want to hear of. `name` is empty for anything but a property change."""

    about: str  # company, contact
    happening: str  # propertyChange, creation, deletion, merge
    record_id: str
    at: datetime
    source: str  # CRM_UI for a person, INTEGRATION for the API
    name: str = ""
    value: str | None = None
    merged_ids: tuple[str, ...] = ()


@dataclass(slots=True)
class Portal:
    """The state of one account. `now` is the account's clock; `heard` gets each change of a company or contact."""

    now: Callable[[], datetime]
    index_delay: timedelta
    heard: Callable[[Change], None]
    records: dict[str, dict[str, Record]] = field(default_factory=lambda: {kind.plural: {} for kind in KINDS})
    owners: dict[str, dict[str, Any]] = field(default_factory=dict)
    merged_into: dict[tuple[str, str], str] = field(default_factory=dict)  # by kind and old id
    links: set[tuple[str, str, str, str]] = field(default_factory=set)
    _index: dict[str, dict[str, Record]] = field(default_factory=lambda: {kind.plural: {} for kind in KINDS})
    _unindexed: deque[tuple[datetime, str, Record]] = field(default_factory=deque)
    _next_id: int = FIRST_NEW_ID

    def load(self, seeded: Mapping[str, list[dict[str, Any]]]) -> None:
        """Take over a seeded world's owners, companies and contacts, already indexed. A value of None or "" is an
        unset property."""
        for kind in (COMPANIES, CONTACTS, DEALS):
            rows = {row["id"]: _seeded(kind, row) for row in seeded.get(kind.plural) or ()}
            self.records[kind.plural] = dict(rows)
            self._index[kind.plural] = dict(rows)
        self._unindexed.clear()
        self.owners = {str(owner["id"]): dict(owner) for owner in seeded["owners"]}
        self.merged_into = {
            (kind.plural, old): record.id
            for kind in (COMPANIES, CONTACTS)
            for record in self.records[kind.plural].values()
            for old in (record.properties.get("hs_merged_object_ids") or "").split(";")
            if old
        }

    def find(self, kind: ObjectKind, record_id: str, *, archived: bool = False) -> Record | None:
        """The record with this id; the surviving one when the id was merged away."""
        rows = self.records[kind.plural]
        record = rows.get(record_id) or rows.get(self.merged_into.get((kind.plural, record_id), ""))
        return record if record is not None and record.archived == archived else None

    def searchable(self, kind: ObjectKind) -> Iterator[Record]:
        """What search sees now: live records as they were `index_delay` ago."""
        while self._unindexed and self._unindexed[0][0] <= self.now():
            _, plural, record = self._unindexed.popleft()
            self._index[plural][record.id] = record
        return (record for record in self._index[kind.plural].values() if not record.archived)

    def owner_ids(self) -> frozenset[str]:
        """Owners who may be given a record; an archived one may not."""
        return frozenset(key for key, owner in self.owners.items() if not owner.get("archived"))

    def create(self, kind: ObjectKind, values: dict[str, Any], source: str) -> Record:
        """Raises `HubSpotError` 400 for values HubSpot refuses."""
        stored = clean(kind, values, self.owner_ids())
        if kind.plural == "tasks" and not stored.get("hs_timestamp"):
            raise invalid("Some required properties were not set.", context={"properties": ["hs_timestamp"]})
        self._check_unique(kind, None, stored)
        record_id, at = str(self._next_id), instant(self.now())
        self._next_id += 1
        fixed = {kind.always[0]: at, kind.modified: at, "hs_object_id": record_id}
        record = Record(record_id, stored | fixed, created_at=at, updated_at=at)
        self._put(kind, record)
        self._tell(kind, Change(kind.singular, "creation", record_id, self.now(), source))
        return record

    def update(
        self, kind: ObjectKind, record: Record, stored: dict[str, str | None], source: str, by: str = ""
    ) -> Record:
        """`stored` has been through `clean`. Every write moves the modified date, even one that changes nothing. `by`
        is the person's user id, or the app's.

        Raises `HubSpotError` 409 for a value another record already has where it must be the only one.
        """
        self._check_unique(kind, record, stored)
        now = self.now()
        fixed = {kind.modified: instant(now)}
        history = record.owner_history
        if OWNER in stored and stored[OWNER] != record.properties.get(OWNER):
            history = (_version(stored[OWNER], instant(now), source, by), *history)[:VERSIONS_KEPT]
        properties = {**record.properties, **stored, **fixed}
        fresh = replace(record, properties=properties, updated_at=instant(now), owner_history=history)
        self._put(kind, fresh)
        for name, value in stored.items():
            if record.properties.get(name) != value:
                self._tell(kind, Change(kind.singular, "propertyChange", fresh.id, now, source, name, value))
        return fresh

    def archive(self, kind: ObjectKind, record: Record, source: str) -> None:
        at = instant(self.now())
        properties = {**record.properties, kind.modified: at}
        self._put(kind, replace(record, properties=properties, updated_at=at, archived_at=at))
        self._tell(kind, Change(kind.singular, "deletion", record.id, self.now(), source))

    def merge(self, kind: ObjectKind, primary_id: str, other_id: str, source: str) -> Record:
        """The primary survives with its own values, filled up from the other; the other's id goes on resolving."""
        primary, other = self.find(kind, primary_id), self.find(kind, other_id)
        if primary is None or other is None or primary.id == other.id:
            raise no_such_object()
        gone = [other.id, *filter(None, (other.properties.get("hs_merged_object_ids") or "").split(";"))]
        known = [*filter(None, (primary.properties.get("hs_merged_object_ids") or "").split(";"))]
        at = instant(self.now())
        values = {name: value or other.properties.get(name) for name, value in primary.properties.items()}
        values |= {"hs_merged_object_ids": ";".join([*known, *gone]), kind.modified: at}
        fresh = replace(primary, properties=values, updated_at=at)
        self._put(kind, fresh)
        self._put(kind, replace(other, archived_at=at))
        del self.records[kind.plural][other.id]
        self.merged_into |= {(kind.plural, old): fresh.id for old in gone}
        merged = Change(kind.singular, "merge", fresh.id, self.now(), source, merged_ids=(primary_id, other_id))
        self._tell(kind, merged)
        return fresh

    def link(self, start: ObjectKind, start_id: str, end: ObjectKind, end_id: str) -> int:
        """Associate two records in HubSpot's default way; returns the associationTypeId."""
        type_id = DEFAULT_ASSOCIATIONS.get((start.plural, end.plural))
        if type_id is None:
            raise invalid(f"No default association from {start.type_id} to {end.type_id}")
        one, two = self.find(start, start_id), self.find(end, end_id)
        if one is None or two is None:
            raise no_such_object()
        self.links.add((start.plural, one.id, end.plural, two.id))
        self.links.add((end.plural, two.id, start.plural, one.id))
        return type_id

    def linked(self, start: ObjectKind, start_id: str, end: ObjectKind) -> list[str]:
        """The live records linked to one, by id. A contact's primary company is a link like any other."""
        ends = {link[3] for link in self.links if link[:3] == (start.plural, start_id, end.plural)}
        if (start, end) == (COMPANIES, CONTACTS):
            people = self.records[end.plural].values()
            ends |= {each.id for each in people if each.properties.get("associatedcompanyid") == start_id}
        return sorted((each for each in ends if self.find(end, each)), key=int)

    def _put(self, kind: ObjectKind, record: Record) -> None:
        self.records[kind.plural][record.id] = record
        if self.index_delay:
            self._unindexed.append((self.now() + self.index_delay, kind.plural, record))
        else:
            self._index[kind.plural][record.id] = record

    def _check_unique(self, kind: ObjectKind, record: Record | None, stored: Mapping[str, str | None]) -> None:
        wanted = (stored.get(kind.unique) or "").lower()
        if not wanted:
            return
        for other in self.records[kind.plural].values():
            taken = (other.properties.get(kind.unique) or "").lower() == wanted
            if taken and not other.archived and (record is None or other.id != record.id):
                raise already_exists(kind.singular, other.id)

    def _tell(self, kind: ObjectKind, change: Change) -> None:
        if kind in (COMPANIES, CONTACTS):
            self.heard(change)


def _version(value: str | None, at: str, source: str, by: str) -> dict[str, Any]:
    """One value of a property as its history shows it: a person's has their user id, an app's the app's."""
    version: dict[str, Any] = {"value": value or "", "timestamp": at, "sourceType": source}
    if source == THROUGH_API:
        return version | {"sourceId": by}
    return version | ({"sourceId": f"userId:{by}", "updatedByUserId": int(by)} if by else {})


def _seeded(kind: ObjectKind, row: dict[str, Any]) -> Record:
    values = {name: (None if value in (None, "") else str(value)) for name, value in row["properties"].items()}
    fixed = {
        "hs_object_id": row["id"],
        "createdate": values.get("createdate") or row["createdAt"],
        kind.modified: values.get(kind.modified) or row["updatedAt"],
    }
    archived_at = row.get("archivedAt") or (row["updatedAt"] if row.get("archived") else None)
    return Record(row["id"], values | fixed, row["createdAt"], row["updatedAt"], archived_at)
