"""Average-link joining: the two clusters with the highest mean link join first, while that mean stays high enough.

The mean runs over all pairs across the two clusters, and a pair nobody linked counts 0; so one strong link never
chains two crowds together. Some pair across must be nearly certain besides: many weak links make no company. What may
not come together is kept here too, since it is asked before each join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import combinations

Links = dict[tuple[str, str], float]
"""The link of each pair of records, the lower id first."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What two clusters need to be joined: the strongest link between them, and their mean link, both above 0; and at
    most so many records together."""

    strongest: float = 0.93
    mean: float = 0.75
    largest: int = 50

    def __post_init__(self) -> None:
        if not 0 < self.mean <= self.strongest:
            raise ValueError("the mean link needed must be above 0, and the strongest one not below it")


@dataclass(frozen=True, slots=True)
class Joined:
    """Records that evidence joined, in order, and the lowest mean at which it did."""

    members: tuple[str, ...]
    weakest: float


class Sides:
    """Sets of records that are held together by people or by evidence, and what keeps two such sets apart.

    People's confirmations widen what a split or a rule forbids, but not how alike two clusters are: a confirmed pair
    that looks different does not drag down the links of either, so a confirmation never splits anybody else.
    """

    def __init__(self, split: Mapping[str, frozenset[str]], apart: Callable[[str, str], str | None]) -> None:
        self._split, self._apart = split, apart
        self._group: dict[str, str] = {}
        self._members: dict[str, list[str]] = {}

    def group(self, record: str) -> str:
        return self._group.get(record, record)

    def members(self, record: str) -> list[str]:
        return self._members.get(self.group(record)) or [record]

    def confirmed(self) -> list[list[str]]:
        """Every set of two records or more; before evidence joins, these are what people confirmed."""
        return [list(members) for members in self._members.values()]

    def parted_by_people(self, one: str, other: str) -> tuple[str, str] | None:
        """Two records of the two sets that people split, the lowest; None when there are none."""
        if not self._split or self.group(one) == self.group(other):
            return None
        others = set(self.members(other))
        parted = ((a, b) for a in self.members(one) for b in self._split.get(a, ()) if b in others)
        return min(((min(pair), max(pair)) for pair in parted), default=None)

    def parted_by_rule(self, one: str, other: str) -> str | None:
        """The rule that keeps the two sets apart."""
        if self.group(one) == self.group(other):
            return None
        pairs = ((a, b) for a in self.members(one) for b in self.members(other))
        return next((rule for a, b in pairs if (rule := self._apart(a, b))), None)

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.group(one), self.group(other)))
        if first == second:
            return
        moved = self.members(second)
        self._members[first] = sorted((*self.members(first), *moved))
        self._members.pop(second, None)
        for record in (first, *moved):
            self._group[record] = first


def join_alike(links: Links, sides: Sides, needed: Needed) -> Iterator[Joined]:
    """Join the records of `links`; yields each set of two or more, in order of their first members.

    A set that outgrows the largest goes on growing, so that it is told whole; rules are no longer asked for it, since
    nothing of it will be used.
    """
    records = sorted({record for pair in links for record in pair})
    place = {record: position for position, record in enumerate(records)}
    growing = _Growing(len(records), ((place[one], place[other], score) for (one, other), score in links.items()))
    heap = [(-score, place[one], place[other]) for (one, other), score in links.items() if score >= needed.strongest]
    heapify(heap)
    while heap:
        minus_mean, a, b = heappop(heap)
        if growing.mean(a, b) != -minus_mean:
            continue  # one of the two has grown since, or is no more
        if not _may_join(records[a], records[b], sides, growing.size(a, b) <= needed.largest):
            growing.part(a, b)
            continue
        if torn := {(x, c) for x in (a, b) for c in _torn_between(x, -minus_mean, growing, records, sides, needed)}:
            for x, c in torn:
                growing.part(x, c)
            if (a, b) in torn or (b, a) in torn:
                continue
        sides.join(records[a], records[b])
        for mean, strongest, c in growing.join(a, b):
            if mean >= needed.mean and strongest >= needed.strongest:
                heappush(heap, (-mean, min(a, c), max(a, c)))
    for members, weakest in growing.sets():
        yield Joined(tuple(records[position] for position in members), weakest)


def _torn_between(
    x: int, mean: float, growing: _Growing, records: Sequence[str], sides: Sides, needed: Needed
) -> set[int]:
    """Clusters that are all as like x and of which some may not come together: x is left to a person, not to chance."""
    tied = growing.tied(x, mean)
    if not 1 < len(tied) <= needed.largest:
        return set()
    apart = [(c, d) for c, d in combinations(tied, 2) if not _may_join(records[c], records[d], sides, asks_rules=True)]
    return {c for pair in apart for c in pair}


def _may_join(one: str, other: str, sides: Sides, asks_rules: bool) -> bool:
    if sides.parted_by_people(one, other):
        return False
    return not (asks_rules and sides.parted_by_rule(one, other))


class _Growing:
    """Clusters of positions, called by their lowest one; between each two the sum of their links, and the strongest."""

    def __init__(self, size: int, links: Iterable[tuple[int, int, float]]) -> None:
        self._links: list[dict[int, tuple[float, float]]] = [{} for _ in range(size)]
        self._members: list[list[int]] = [[position] for position in range(size)]
        self._weakest = [1.0] * size
        for a, b, score in links:
            self._links[a][b] = self._links[b][a] = (score, score)

    def mean(self, a: int, b: int) -> float | None:
        """The mean link between two clusters; None when they have none, or one of them is no more."""
        link = self._links[a].get(b)
        return None if link is None else link[0] / (len(self._members[a]) * len(self._members[b]))

    def size(self, a: int, b: int) -> int:
        return len(self._members[a]) + len(self._members[b])

    def part(self, a: int, b: int) -> None:
        """Forget the link of two clusters that may not join: they never may, however they grow."""
        self._links[a].pop(b, None)
        self._links[b].pop(a, None)

    def tied(self, a: int, mean: float) -> list[int]:
        """The clusters whose mean link with a is just this."""
        return [b for b in self._links[a] if self.mean(a, b) == mean]

    def join(self, a: int, b: int) -> list[tuple[float, float, int]]:
        """Join b, the higher position, into a; gives the mean and the strongest link of a with all around it."""
        self._weakest[a] = min(self._weakest[a], self._weakest[b], self.mean(a, b) or 0.0)
        self._members[a] += self._members[b]
        mine, moved = self._links[a], self._links[b]
        del mine[b]
        for c, (total, strongest) in moved.items():
            if c != a:
                del self._links[c][b]
                before, best = mine.get(c, (0.0, 0.0))
                mine[c] = self._links[c][a] = (before + total, max(best, strongest))
        self._members[b], self._links[b] = [], {}
        return [(mean, link[1], c) for c, link in mine.items() if (mean := self.mean(a, c)) is not None]

    def sets(self) -> Iterator[tuple[list[int], float]]:
        for members, weakest in zip(self._members, self._weakest, strict=True):
            if len(members) > 1:
                yield sorted(members), weakest
