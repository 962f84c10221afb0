"""What hangs on the accounts of a `MemoryTarget`: teams, which go with every change of owner as Salesforce has it, and
contacts and opportunities."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.base import OutsideUser, OwnerChange, OwnerResult, WriteOutcome
from ownership.transfers import CONTACTS, OPPORTUNITIES, Dependent, Teammate

KINDS = {CONTACTS: "Contact", OPPORTUNITIES: "Opportunity"}


@dataclass
class Hanging:
    """`teams` by account id, `records` by object type and id; `closed` are opportunities that are."""

    teams: dict[str, dict[str, Teammate]] = field(default_factory=dict)
    records: dict[tuple[str, str], Dependent] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    def team(self, account_id: str, **roles: str) -> None:
        """Put users on an account's team: who (a user id), as what."""
        found = self.teams.setdefault(account_id, {})
        found.update({user_id: Teammate(user_id, role) for user_id, role in roles.items()})

    def put(self, object_type: str, id_: str, on: str, owner_id: str | None, *, closed: bool = False) -> None:
        """Somebody creates a contact or an opportunity on an account, or gives it to somebody."""
        self.records[object_type, id_] = Dependent(object_type, id_, on, owner_id)
        if closed:
            self.closed.add(id_)

    def owner_moved(self, account_id: str) -> None:
        self.teams.pop(account_id, None)

    def read_teams(self, ids: Sequence[str]) -> dict[str, tuple[Teammate, ...]]:
        return {id_: tuple(self.teams[id_].values()) for id_ in ids if self.teams.get(id_)}

    def add(self, account_id: str, mate: Teammate, users: Mapping[str, OutsideUser]) -> OwnerResult:
        if mate.user_id not in users or not users[mate.user_id].active:
            return OwnerResult(account_id, WriteOutcome.REJECTED, "INACTIVE_USER", "no such active user")
        self.teams.setdefault(account_id, {})[mate.user_id] = mate
        return OwnerResult(account_id, WriteOutcome.WRITTEN)

    def found(self, ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]) -> tuple[Dependent, ...]:
        names = {KINDS[kind] for kind in kinds}
        return tuple(
            each
            for each in self.records.values()
            if each.object_type in names
            and each.on in ids
            and each.owner_id in owner_ids
            and each.id not in self.closed
        )

    def move(self, change: OwnerChange, users: Mapping[str, OutsideUser]) -> OwnerResult:
        key = (change.object_type, change.remote_id)
        if change.owner_id not in users or not users[change.owner_id].active:
            return OwnerResult(change.remote_id, WriteOutcome.REJECTED, "INACTIVE_OWNER", "no such active user")
        self.records[key] = replace(self.records[key], owner_id=change.owner_id)
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)
