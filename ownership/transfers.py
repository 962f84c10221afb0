"""What goes with an owner: who of a record's team has to be put back, and which records on it follow.

A CRM may drop the team of an account whose owner changes. Contacts and open opportunities follow where the policy says
so: those the owner before had on that account, never anybody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

CONTACTS, OPPORTUNITIES = "contacts", "open_opportunities"


@dataclass(frozen=True, slots=True)
class OnOwnerChange:
    """What goes with an owner. `keep_team`: supporting roles stay on the account."""

    keep_team: bool = True
    contacts: bool = False
    open_opportunities: bool = False

    @property
    def moved(self) -> frozenset[str]:
        """The kinds of records that follow."""
        chosen = {CONTACTS: self.contacts, OPPORTUNITIES: self.open_opportunities}
        return frozenset(kind for kind, moves in chosen.items() if moves)


ON_OWNER_CHANGE = OnOwnerChange()


@dataclass(frozen=True, slots=True)
class Teammate:
    """One person beside the owner of a record. `user_id` is the vendor's, `access` the vendor's own fields."""

    user_id: str
    role: str | None = None
    access: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dependent:
    """A contact or an open opportunity on the record `on` (its id). `owner_id` is the vendor's user id."""

    object_type: str
    id: str
    on: str
    owner_id: str | None


def joined(before: Iterable[Teammate], seen: Iterable[Teammate]) -> tuple[Teammate, ...]:
    """A team as it was noted before an earlier try, and as it is seen now: whoever is in one of them, as seen last.

    The earlier try may have been done and have dropped the team, which is why nobody noted is forgotten.
    """
    by_user = {mate.user_id: mate for mate in (*before, *seen)}
    return tuple(by_user[user_id] for user_id in sorted(by_user))


def to_put_back(noted: Iterable[Teammate], present: Iterable[Teammate], owner_id: str | None) -> tuple[Teammate, ...]:
    """Who of the team that was noted is missing. The new owner needs no place beside themselves."""
    there = {mate.user_id for mate in present} | {owner_id}
    return tuple(mate for mate in noted if mate.user_id not in there)


def to_follow(
    found: Iterable[Dependent],
    formers: Mapping[str, Collection[str]],
    owners: Mapping[str, str],
    ours: Collection[tuple[str, str]],
) -> Iterator[tuple[Dependent, str]]:
    """Which of these records follow, each with its new owner.

    `formers` are the owners an account had before and `owners` who has it now, by its id; `ours` are records, by object
    type and id, whose owner is decided by itself: leads.
    """
    for each in found:
        owner = owners.get(each.on)
        theirs = each.owner_id in formers.get(each.on, ()) and (each.object_type, each.id) not in ours
        if owner and theirs and each.owner_id != owner:
            yield each, owner
