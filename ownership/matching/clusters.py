"""Which records are one company: clusters out of scored pairs, what people have said, and what must stay apart.

Two clusters join while their mean link stays high, strongest first (`ownership.matching.average_link`). People's word
wins for ever. What would grow too large is taken apart and told, never merged. How alike two records are is scored
elsewhere; so is which of them is kept (`ownership.matching.survivor`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ownership.matching.average_link import Joined, Links, Needed, Sides, join_alike

Apart = Callable[[str, str], str | None]
"""Why two records can never be one company by evidence; None when nothing forbids it. Symmetric."""
Pair = tuple[str, str]
NEEDED = Needed()


@dataclass(frozen=True, slots=True)
class Edge:
    """How probable it is that two records are one company, from 0 to 1, and what speaks for it."""

    one: str
    other: str
    score: float
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.score <= 1:
            raise ValueError(f"the link of {self.one} and {self.other} has the score {self.score}, not 0 to 1")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The records of one company, in order. `weakest` is the lowest mean link at which parts of it were joined; 1.0
    where only people did."""

    members: tuple[str, ...]
    weakest: float


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a person has to look at: a `contradiction` with what people said, or a cluster `too_large` to make."""

    kind: str
    members: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Clustering:
    """The clusters of two records or more, by their first member; every other record is alone."""

    clusters: tuple[Cluster, ...]
    doubts: tuple[Doubt, ...]

    def by_member(self) -> dict[str, Cluster]:
        return {member: cluster for cluster in self.clusters for member in cluster.members}


def in_order(one: str, other: str) -> Pair:
    """The pair with the lower id first."""
    return (one, other) if one < other else (other, one)


def nothing_forbids(one: str, other: str) -> str | None:
    return None


def cluster(
    edges: Iterable[Edge],
    same: Sequence[Pair] = (),
    split: Iterable[Pair] = (),
    apart: Apart = nothing_forbids,
    needed: Needed = NEEDED,
) -> Clustering:
    """Cluster the records that `edges` and `same` name. The order of `edges` and of `split` does not matter.

    `same` are people's confirmations, oldest first; `split` are pairs people said are different; `apart` are the
    rules. A confirmation that would bring together what people split is not used, one against the rules is; both are
    told as contradictions. A pair without an edge counts as a link of 0; of several edges the strongest counts.
    Evidence makes no cluster larger than `needed` allows; confirmed records are together whatever their number.
    """
    strongest = _strongest(edges)
    sides = Sides(_both_ways(split), apart)
    doubts = list(_confirm(same, sides))
    together = _Together()
    for members in sides.confirmed():
        together.join_all(members)
    for links in _components(strongest, sides, needed):
        for joined in join_alike(links, sides, needed):
            if len(joined.members) > needed.largest:
                doubts.append(_too_large(joined, needed.largest))
            else:
                together.join_all(joined.members)
                together.note(joined)
    return Clustering(together.clusters(), tuple(sorted(doubts, key=lambda doubt: (doubt.kind, doubt.members))))


def _strongest(edges: Iterable[Edge]) -> dict[Pair, float]:
    found: dict[Pair, float] = {}
    for edge in edges:
        if edge.one == edge.other:
            continue
        pair = in_order(edge.one, edge.other)
        if edge.score > found.get(pair, 0.0):
            found[pair] = edge.score
    return found


def _both_ways(pairs: Iterable[Pair]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        found[one].add(other)
        found[other].add(one)
    return {record: frozenset(others) for record, others in found.items()}


def _confirm(same: Sequence[Pair], sides: Sides) -> Iterator[Doubt]:
    """Put together what people confirmed, and tell what contradicts it."""
    for one, other in same:
        pair = in_order(one, other)
        if parted := sides.parted_by_people(one, other):
            because = (
                f"{pair[0]} and {pair[1]} were confirmed to be one company, but {parted[0]} and {parted[1]} were "
                "split; withdraw one of the two"
            )
            yield Doubt("contradiction", pair, because)
            continue
        if rule := sides.parted_by_rule(one, other):
            yield Doubt("contradiction", pair, f"{pair[0]} and {pair[1]} were confirmed to be one company, but {rule}")
        sides.join(one, other)


def _too_large(joined: Joined, largest: int) -> Doubt:
    because = f"{len(joined.members)} records look like one company; more than {largest} are not joined unseen"
    return Doubt("too_large", joined.members, because)


def _components(links: Mapping[Pair, float], sides: Sides, needed: Needed) -> Iterator[Links]:
    """The links of each set of records that could come together at all; others never touch it.

    Only a nearly certain link can start a join, and confirmed records share what keeps them apart from
    others. Weaker links inside a set count in its means.
    """
    reach = _Together()
    for (one, other), score in links.items():
        if score >= needed.strongest:
            reach.join(sides.group(one), sides.group(other))
    found: dict[str, Links] = defaultdict(dict)
    for pair, score in links.items():
        leader = reach.leader_of(sides.group(pair[0]))
        if leader is not None and leader == reach.leader_of(sides.group(pair[1])):
            found[leader][pair] = score
    for leader in sorted(found):
        yield found[leader]


class _Together:
    """Records that only ever join; the lowest id of a set leads it."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._weakest: dict[str, float] = {}

    def leader_of(self, record: str) -> str | None:
        """The record's leader; None for a record nothing was said of."""
        return self._find(record) if record in self._above else None

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self._find(one), self._find(other)))
        self._above[second] = first

    def join_all(self, members: Sequence[str]) -> None:
        for member in members[1:]:
            self.join(members[0], member)

    def note(self, joined: Joined) -> None:
        self._weakest[joined.members[0]] = joined.weakest

    def clusters(self) -> tuple[Cluster, ...]:
        members: dict[str, list[str]] = defaultdict(list)
        for record in sorted(self._above):
            members[self._find(record)].append(record)
        weakest: dict[str, float] = {}
        for record, mean in self._weakest.items():
            leader = self._find(record)
            weakest[leader] = min(mean, weakest.get(leader, 1.0))
        return tuple(
            Cluster(tuple(records), weakest.get(leader, 1.0))
            for leader, records in sorted(members.items())
            if len(records) > 1
        )

    def _find(self, record: str) -> str:
        above = self._above
        at = above.setdefault(record, record)
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at
