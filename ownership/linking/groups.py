"""Groups: sets of records that only ever join, and what keeps two of them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ownership.model import AccountRecord, Ref
from ownership.names import country_code, name_key
from ownership.verdicts import Verdicts

LARGEST = 25
"""More records than this are never one account without a person."""


@dataclass(slots=True)
class Groups:
    """The records by the company they are of, smallest ref first. `owner` is who owns what a record was of before.

    `followers` are systems whose records found no account; `founders` counts those of a group that do, by its leader.
    """

    records: Mapping[Ref, AccountRecord]
    verdicts: Verdicts
    owner: Mapping[Ref, str]
    followers: frozenset[str] = frozenset()
    leader: dict[Ref, Ref] = field(default_factory=dict)
    members: dict[Ref, list[Ref]] = field(default_factory=dict)
    founders: dict[Ref, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for ref in sorted(self.records):
            self.leader[ref] = ref
            self.members[ref] = [ref]
            self.founders[ref] = int(self.founds(ref))

    def founds(self, ref: Ref) -> bool:
        return ref.source not in self.followers

    def of(self, ref: Ref) -> list[Ref]:
        return self.members[self.leader[ref]]

    def are_one(self, one: Ref, other: Ref) -> bool:
        return self.leader[one] == self.leader[other]

    def join(self, one: Ref, other: Ref, most: int = LARGEST) -> bool:
        """Make two groups one; False, and nothing done, when they would have more records than `most`. Records of
        followers do not count: a company has any number of leads or tickets."""
        first, second = sorted((self.leader[one], self.leader[other]))
        if first == second:
            return True
        if self.founders[first] + self.founders[second] > most:
            return False
        self.founders[first] += self.founders.pop(second)
        for ref in self.members.pop(second):
            self.leader[ref] = first
            self.members[first].append(ref)
        return True

    def forbids(self, one: Ref, other: Ref) -> bool:
        """Whether a person said that somebody of one's company is not of the other's."""
        return self.verdicts.are_apart(self.of(one), self.of(other))

    def owners(self, one: Ref, other: Ref) -> dict[str, Ref]:
        """Who owns what would become one account, each with a record of theirs."""
        return {
            self.owner[ref]: ref for ref in sorted((*self.of(one), *self.of(other)), reverse=True) if ref in self.owner
        }

    def contradict(self, one: Ref, other: Ref) -> bool:
        """Whether the two are known to be in different countries."""
        here, there = self._countries(one), self._countries(other)
        return bool(here) and bool(there) and here.isdisjoint(there)

    def are_apart(self, one: Ref, other: Ref) -> bool:
        """Whether the records themselves say that these are two companies: by country, or as parent and subsidiary."""
        if self.contradict(one, other):
            return True
        return any(self._are_relatives(a, b) for a in self._heard(one) for b in self._heard(other))

    def _heard(self, ref: Ref) -> list[Ref]:
        """The records that say what a company is: those that found it, as far as there are any."""
        members = self.of(ref)
        return [each for each in members if self.founds(each)] if self.founders[self.leader[ref]] else members

    def _countries(self, ref: Ref) -> set[str]:
        return {code for each in self._heard(ref) if (code := country_code(self.records[each].country))}

    def _are_relatives(self, a: Ref, b: Ref) -> bool:
        if _is_family(self.records[a], self.records[b]):
            return True
        return a.source == b.source and a != b and bool(self._line(a) & self._line(b))

    def _line(self, ref: Ref) -> set[str]:
        """A record's id and those of all above it."""
        line: set[str] = set()
        at: str | None = ref.external_id
        while at is not None and at not in line:
            line.add(at)
            above = self.records.get(Ref(ref.source, ref.object_type, at))
            at = above.parent_external_id if above else None
        return line


def _is_family(one: AccountRecord, other: AccountRecord) -> bool:
    """Parent and subsidiary share a website and are still two accounts: so are siblings."""
    if one.source != other.source:
        return bool(one.parent_external_id or other.parent_external_id) and name_key(one.name) != name_key(other.name)
    ids = {one.external_id, other.external_id}
    related = one.parent_external_id in ids or other.parent_external_id in ids
    return related or (one.parent_external_id is not None and one.parent_external_id == other.parent_external_id)
