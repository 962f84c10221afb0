"""Drift events: each owner that others wrote over one we had confirmed, kept before anything is done about it.

States
    noted       written down, and still to be acted on
    stopped     not acted on, as too much of the system differs; a person releases it
    done        acted on: an outbox row was made, a person was asked, or the edit is left to the next decision
    overtaken   nothing to be done any more: the record shows its owner again, or another event tells the newer story
Acting and saying so is one transaction, so that a killed run is finished by the next one and nothing is done twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, text, update
from sqlalchemy.engine import Row

from ownership.model import Ref
from store.accounts import Accounts
from store.canonical import digest
from store.outbox import WAITING
from store.planning import Head, outbox_row
from store.recording import PushWanted
from store.sent import Sent, sent_to
from store.statements import insert_new, is_among, new_id, select_in
from store.tables import OWNER_ROLE, drift_event, outbox, ownership_current, remote_state

UNSETTLED = "noted"
_PLACE = ("target", "object_type", "remote_id")
# Written out, as the indexes of these events are: parameters would keep them from being used.
_IS_OPEN = text("state IN ('noted', 'stopped')")
_IS_NOTED = text("state IN ('noted', 'stopped') AND state = 'noted'")
_IS_STOPPED = text("state IN ('noted', 'stopped') AND state = 'stopped'")
_IS_WITH_PERSON = text("action <> 'reassert' AND state <> 'overtaken'")


@dataclass(frozen=True, slots=True)
class NewDrift:
    """A difference and the ruling on it. Owners are rep ids, or "?<vendor user id>"; `version` is the record's."""

    target: str
    object_type: str
    remote_id: str
    version: str
    ledger_id: str
    account_id: str
    expected_owner: str
    found_owner: str | None
    modified_by: str | None
    modified_at: datetime | None
    hand: str
    action: str
    because: str

    @property
    def ref(self) -> Ref:
        return Ref(self.target, self.object_type, self.remote_id)


@dataclass(frozen=True, slots=True)
class DriftEvent(NewDrift):
    """One event as stored. `released_by` is who had it acted on after all."""

    drift_id: str
    state: str
    run_id: str
    detected_at: datetime
    settled_at: datetime | None
    released_by: str | None
    released_because: str | None

    @property
    def waits_for_person(self) -> bool:
        """Whether a person has been asked about the record, or its edit is about to become the owner of record."""
        return self.action != "reassert" and self.state != "overtaken"

    def counts_as_reassert_since(self, since: datetime) -> bool:
        """Whether the record was written over because of it since an instant, or is about to be."""
        is_ours = self.action == "reassert" and self.state != "overtaken"
        return is_ours and (self.settled_at or self.detected_at) >= since


class DriftEvents:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, found: Sequence[NewDrift], run_id: str, now: datetime) -> int:
        """Write down what is new; returns how many that were. A difference is known by the record's version and the
        ledger row it differs from: finding it again adds nothing."""
        known = {
            (event.ref, event.version, event.ledger_id) for some in self.of_records(found).values() for event in some
        }
        new = [each for each in found if (each.ref, each.version, each.ledger_id) not in known]
        rows = [
            {"drift_id": new_id(), **asdict(each), "state": UNSETTLED, "run_id": run_id, "detected_at": now}
            for each in new
        ]
        insert_new(self._connection, drift_event, rows, unique=(*_PLACE, "version", "ledger_id"))
        return len(rows)

    def of_records(self, records: Iterable[NewDrift | Ref]) -> dict[Ref, list[DriftEvent]]:
        """Everything that happened to these records, newest first."""
        wanted = {each if isinstance(each, Ref) else each.ref for each in records}
        columns = drift_event.c
        ids = {ref.external_id for ref in wanted}
        found: dict[Ref, list[DriftEvent]] = defaultdict(list)
        for event in map(_to_event, select_in(self._connection, select(drift_event), columns.remote_id, ids)):
            if event.ref in wanted:
                found[event.ref].append(event)
        return {ref: sorted(events, key=_age, reverse=True) for ref, events in found.items()}

    def unsettled(self, target: str, limit: int) -> list[DriftEvent]:
        """What is still to be acted on, newest first; nobody else acts on it until the transaction ends."""
        statement = select(drift_event).where(drift_event.c.target == target, _IS_NOTED)
        latest = statement.order_by(drift_event.c.drift_id.desc()).limit(limit).with_for_update()
        return [_to_event(row) for row in self._connection.execute(latest)]

    def changed_since(self, target: str, since: datetime) -> int:
        """How many records of a system were found changed since an instant, those apart that a person has released."""
        columns = drift_event.c
        records = (
            select(columns.object_type, columns.remote_id)
            .where(columns.target == target, columns.detected_at >= since, columns.released_by.is_(None))
            .distinct()
            .subquery()
        )
        return int(self._connection.execute(select(func.count()).select_from(records)).scalar_one())

    def settle(self, drift_ids: Iterable[str], state: str, now: datetime) -> None:
        """Say what became of events."""
        these = is_among(self._connection, drift_event.c.drift_id, drift_ids)
        self._connection.execute(update(drift_event).where(these).values(state=state, settled_at=now))

    def overtake(self, refs: Iterable[Ref], now: datetime) -> int:
        """These records show their owner of record again: nobody needs to settle them any more."""
        waiting = [
            event.drift_id
            for some in self.of_records(refs).values()
            for event in some
            if event.state != "overtaken" and event.action != "reassert"
        ]
        self.settle(waiting, "overtaken", now)
        return len(waiting)

    def noted(self, target: str) -> set[Ref]:
        """The records of a system that are to be acted on, and those that nothing is done about while it is stopped."""
        statement = select(*(drift_event.c[name] for name in _PLACE)).where(drift_event.c.target == target, _IS_OPEN)
        return {Ref(*row) for row in self._connection.execute(statement)}

    def waiting_for_persons(self, target: str) -> set[Ref]:
        """The records of a system that a person has been asked about, or whose edit is about to be adopted."""
        statement = select(*(drift_event.c[name] for name in _PLACE)).where(drift_event.c.target == target)
        return {Ref(*row) for row in self._connection.execute(statement.where(_IS_WITH_PERSON))}

    def set_by_persons(self, account_ids: Iterable[str], hands: Sequence[str] = ("person",)) -> set[tuple[str, str]]:
        """The owners that persons (or other `hands`) set on records of these accounts since we confirmed the record
        last, as (account, owner)."""
        event, state = drift_event.c, remote_state.c
        statement = (
            select(event.account_id, event.found_owner)
            .outerjoin(remote_state, _same_record())
            .where(
                *(event.hand.in_(hands), event.state != "overtaken", event.found_owner.is_not(None)),
                or_(state.confirmed_at.is_(None), event.detected_at >= state.confirmed_at),
            )
        )
        return {tuple(row) for row in select_in(self._connection, statement, event.account_id, account_ids)}

    def release(self, target: str, by: str, because: str, now: datetime) -> int:
        """Have everything acted on that was stopped in a system; returns how many events that were."""
        stopped = update(drift_event).where(drift_event.c.target == target, _IS_STOPPED)
        said = {"state": UNSETTLED, "settled_at": None, "released_by": by, "released_because": because}
        return self._connection.execute(stopped.values(said)).rowcount

    def restore(self, event: DriftEvent, by: str, because: str) -> None:
        """A person wants the owner of record to be shown, whoever changed the record."""
        said = {"action": "reassert", "state": UNSETTLED, "settled_at": None}
        said |= {"released_by": by, "released_because": because}
        this = drift_event.c.drift_id == event.drift_id
        self._connection.execute(update(drift_event).where(this).values(said))

    def write_again(self, events: Sequence[DriftEvent], run_id: str, now: datetime) -> set[str]:
        """Queue the owner of record for these records once more: no new decision, no new ledger row, no turn. Returns
        the ids of the events for which that was done; for the others something newer is under way, or there is nobody
        to show. Each record is expected to show what the event found."""
        accounts = {event.account_id for event in events}
        Accounts(self._connection).lock(accounts)
        heads, taken = self._heads(accounts), self._waiting(accounts)
        belongs = Accounts(self._connection).by_refs(event.ref for event in events)
        rows: dict[str, dict[str, Any]] = {}
        for event in events:
            head = heads.get(event.account_id)
            pointless = head is None or head.owner_id in (None, event.found_owner) or event.ref in taken
            if head is None or pointless or belongs.get(event.ref) != event.account_id:
                continue
            taken.add(event.ref)
            push = PushWanted(event.target, event.object_type, event.remote_id, event.found_owner)
            key = digest(["drift", event.drift_id, event.released_by])
            rows[event.drift_id] = outbox_row(key, push, event.account_id, head, run_id, now)
        insert_new(self._connection, outbox, list(rows.values()), unique=("idem_key",))
        return set(rows)

    def sent_to(self, refs: Iterable[Ref]) -> dict[Ref, Sent]:
        """What we ever sent to these records; those we never wrote to are missing."""
        return sent_to(self._connection, refs)

    def recent(self, limit: int, target: str | None = None) -> list[DriftEvent]:
        """The latest events, newest first."""
        statement = select(drift_event).order_by(drift_event.c.drift_id.desc()).limit(limit)
        if target is not None:
            statement = statement.where(drift_event.c.target == target)
        return [_to_event(row) for row in self._connection.execute(statement)]

    def _heads(self, account_ids: Iterable[str]) -> dict[str, Head]:
        columns = ownership_current.c
        statement = select(columns.account_id, columns.owner_id, columns.ledger_id, columns.seq).where(
            columns.role == OWNER_ROLE
        )
        rows = select_in(self._connection, statement, columns.account_id, account_ids)
        return {row.account_id: Head(row.owner_id, row.ledger_id, row.seq) for row in rows}

    def _waiting(self, account_ids: Iterable[str]) -> set[Ref]:
        columns = outbox.c
        statement = select(*(columns[name] for name in _PLACE)).where(columns.state.in_(WAITING))
        return {Ref(*row) for row in select_in(self._connection, statement, columns.account_id, account_ids)}


def _same_record() -> Any:
    event, state = drift_event.c, remote_state.c
    return (
        (event.target == state.target) & (event.object_type == state.object_type) & (event.remote_id == state.remote_id)
    )


def _age(event: DriftEvent) -> tuple[datetime, str]:
    return event.detected_at, event.drift_id


def _to_event(row: Row[Any]) -> DriftEvent:
    return DriftEvent(**row._mapping)
