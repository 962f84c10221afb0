"""People as the outside systems know them: which user id an e-mail address has where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from store.statements import is_among, upsert
from store.tables import person_id


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """A user of one system. `external_id` is what an owner field holds; `kind` is "user" or "queue"."""

    external_id: str
    name: str
    email: str
    active: bool
    kind: str = "user"


class People:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, source: str, people: Iterable[PersonSeen], now: datetime) -> None:
        """Store the whole list of a system's users; whoever is no longer on it stays known, but inactive."""
        rows = {person.external_id: _to_columns(source, person, now) for person in people}
        upsert(self._connection, person_id, list(rows.values()))
        known = self._connection.execute(
            select(person_id.c.external_id).where(person_id.c.source == source, person_id.c.active.is_(True))
        ).scalars()
        missing = is_among(self._connection, person_id.c.external_id, set(known) - rows.keys())
        self._connection.execute(update(person_id).where(person_id.c.source == source, missing).values(active=False))

    def note(self, source: str, person: PersonSeen, now: datetime) -> None:
        """Store one user of a system that is not asked for its whole list."""
        upsert(self._connection, person_id, [_to_columns(source, person, now)])

    def seen_since(self, source: str, external_id: str, since: datetime) -> PersonSeen | None:
        """Who this user of a system is, if that was seen lately enough."""
        found = person_id.c.source == source, person_id.c.external_id == external_id, person_id.c.seen_at >= since
        row = self._connection.execute(select(person_id).where(*found)).first()
        return PersonSeen(row.external_id, row.name, row.email, row.active, row.kind) if row else None

    def by_email(self, source: str) -> dict[str, PersonSeen]:
        """People by lower-case address; of two with the same address the active one, then the smaller id."""
        people = sorted(reversed(self.all(source)), key=lambda person: person.active)
        return {person.email.lower(): person for person in people if person.email}

    def all(self, source: str) -> list[PersonSeen]:
        """Everyone ever seen in this system, by id."""
        rows = self._connection.execute(
            select(person_id).where(person_id.c.source == source).order_by(person_id.c.external_id)
        )
        return [PersonSeen(row.external_id, row.name, row.email, row.active, row.kind) for row in rows]


def _to_columns(source: str, person: PersonSeen, now: datetime) -> dict[str, object]:
    return {
        "source": source,
        "external_id": person.external_id,
        "email": person.email,
        "name": person.name,
        "active": person.active,
        "kind": person.kind,
        "seen_at": now,
    }
