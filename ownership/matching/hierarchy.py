"""Corporate hierarchy: the account above each account, out of what several sources say, and the families that makes.

A stronger source wins; the others fill in. What contradicts itself inside one source, or goes round in a circle, gives
nobody a parent from that source and becomes a problem for a person; nothing else is lost. Names never link
(`ownership.matching.parent_names` only suggests).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

SOURCES = ("person", "salesforce", "hubspot", "crm", "stripe", "billing", "registry")
"""Who may name a parent, the strongest first; `crm` and `billing` are any other such system."""
DEEPEST = 20
"""No company is that many levels above another; what looks like it is bad data."""


@dataclass(frozen=True, slots=True)
class ParentEdge:
    """A source names the account above another.

    `source` is one of the sources the hierarchy is built with. An `ultimate` edge names the top of the family instead
    of the account directly above: it goes above the highest account that the direct ones lead to. The dates are ISO
    days: in force from the first until the day before the last, open where None.
    """

    child: str
    parent: str
    source: str
    ultimate: bool = False
    valid_from: str | None = None
    valid_to: str | None = None

    def in_force(self, on: str | None) -> bool:
        """Whether it holds on that day; any edge does when no day is asked for."""
        if on is None:
            return True
        return (self.valid_from or "") <= on and (self.valid_to is None or on < self.valid_to)


@dataclass(frozen=True, slots=True)
class ParentProblem:
    """What a person has to correct. `kind` is `parent_conflict` (one source names two parents), `parent_dispute` (two
    sources name parents of different lines; the stronger holds), `parent_cycle` or `parent_depth`."""

    kind: str
    accounts: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The edge that holds for each account that has one above it, and what is in doubt."""

    above: Mapping[str, ParentEdge]
    problems: tuple[ParentProblem, ...]
    _below: Mapping[str, tuple[str, ...]]

    def parent_of(self, account: str) -> str | None:
        edge = self.above.get(account)
        return edge.parent if edge else None

    def line_of(self, account: str) -> list[str]:
        """The account and all above it, itself first, at most `DEEPEST` above it."""
        line = [account]
        while len(line) <= DEEPEST and (parent := self.parent_of(line[-1])) is not None:
            line.append(parent)
        return line

    def ultimate_of(self, account: str) -> str:
        """The top of its family (the global ultimate): itself where nobody is above it."""
        return self.line_of(account)[-1]

    def domestic_ultimate_of(self, account: str, country_of: Mapping[str, str]) -> str:
        """The highest account of its line in its own country; itself where its country is not known."""
        home = country_of.get(account)
        at_home = (each for each in reversed(self.line_of(account)) if home and country_of.get(each) == home)
        return next(at_home, account)

    def children_of(self, account: str) -> tuple[str, ...]:
        """The accounts directly below, by id."""
        return self._below.get(account, ())


def build_hierarchy(edges: Iterable[ParentEdge], on: str | None = None, sources: Sequence[str] = SOURCES) -> Hierarchy:
    """The hierarchy on a day (an ISO date; whatever was ever said when None). The order of `edges` does not matter.

    An account named as its own parent has none. Raises `ValueError` for a source that is not among `sources`.
    """
    said = _by_source(edges, on, sources)
    above: dict[str, ParentEdge] = {}
    problems: list[ParentProblem] = []
    for rank in sorted(said):
        fresh = _undoubted(_from_the_top(said[rank], above), problems)
        above |= {child: edge for child, edge in fresh.items() if child not in above}
        for cycle in cycles_in({child: edge.parent for child, edge in above.items()}):
            weakest = [child for child in cycle if above[child] is fresh.get(child)]
            problems.append(_cycle_problem(cycle, above[weakest[0]].source))
            for child in weakest:
                del above[child]
    problems += _disputes(said, above)
    problems += _cut_too_deep(above)
    return Hierarchy(above, tuple(sorted(problems, key=lambda each: (each.kind, each.accounts))), _children(above))


def cycles_in(above: Mapping[str, str]) -> Iterator[list[str]]:
    """The accounts of each circle of parents, by id."""
    done: set[str] = set()
    for start in sorted(above):
        line: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in done and at not in line:
            line[at] = None
            at = above.get(at)
        if at is not None and at in line:
            ordered = list(line)
            yield sorted(ordered[ordered.index(at) :])
        done.update(line)


Rank = tuple[bool, int]
Said = Mapping[Rank, Mapping[str, list[ParentEdge]]]


def _by_source(edges: Iterable[ParentEdge], on: str | None, sources: Sequence[str]) -> Said:
    """What each source says of each account, the strongest first: direct parents of all sources, then ultimate ones."""
    order = {source: position for position, source in enumerate(sources)}
    found: dict[Rank, dict[str, list[ParentEdge]]] = defaultdict(lambda: defaultdict(list))
    for edge in edges:
        if edge.source not in order:
            raise ValueError(
                f"{edge.child}: '{edge.source}' is no source of parents; write one of {', '.join(sources)}"
            )
        if edge.child != edge.parent and edge.in_force(on):
            found[(edge.ultimate, order[edge.source])][edge.child].append(edge)
    return found


def _undoubted(said: Mapping[str, list[ParentEdge]], problems: list[ParentProblem]) -> dict[str, ParentEdge]:
    """The edges of the accounts to which one source gives one parent; the others are told."""
    found: dict[str, ParentEdge] = {}
    for child, edges in said.items():
        parents = sorted({edge.parent for edge in edges})
        if len(parents) > 1:
            top = "tops of its family" if edges[0].ultimate else "parents"
            because = f"{edges[0].source} gives {child} several {top}: {', '.join(parents)}; keep one of them"
            problems.append(ParentProblem("parent_conflict", tuple(dict.fromkeys((child, *parents))), because))
        elif parents != [child]:
            found[child] = min(edges, key=lambda edge: (edge.valid_from or "", edge.valid_to or "9999"))
    return found


def _from_the_top(said: Mapping[str, list[ParentEdge]], above: Mapping[str, ParentEdge]) -> dict[str, list[ParentEdge]]:
    """Direct edges as they are; ultimate ones from the highest account above their child.

    One that names this account itself stays as an edge from itself: it contradicts those that name another.
    """
    found: dict[str, list[ParentEdge]] = defaultdict(list)
    for child, edges in said.items():
        line = _line(child, above)
        for edge in edges:
            if not edge.ultimate:
                found[child].append(edge)
            elif edge.parent == line[-1] or not {edge.parent, line[-1]} & {*line[:-1], *_line(edge.parent, above)[1:]}:
                found[line[-1]].append(replace(edge, child=line[-1]))
    return found


def _cycle_problem(cycle: Sequence[str], source: str) -> ParentProblem:
    because = f"{' and '.join(cycle)} are each other's parents by {source}; correct the parent of one"
    return ParentProblem("parent_cycle", tuple(cycle), because)


def _disputes(said: Said, above: Mapping[str, ParentEdge]) -> Iterator[ParentProblem]:
    """Sources that name another parent than the one that holds, when neither is above the other: a source that names
    the grandparent agrees."""
    for rank in sorted(said):
        for child, edges in said[rank].items():
            others = {edge.parent for edge in edges}
            if child not in above or len(others) > 1:
                continue
            held, other = above[child], others.pop()
            if other not in _line(child, above) and held.parent not in _line(other, above):
                because = f"{child} is under {held.parent} by {held.source}, and under {other} by {edges[0].source}"
                yield ParentProblem("parent_dispute", (child, held.parent, other), f"{because}; the first holds")


def _line(account: str, above: Mapping[str, ParentEdge]) -> list[str]:
    line = [account]
    while len(line) <= DEEPEST and line[-1] in above:
        line.append(above[line[-1]].parent)
    return line


def _cut_too_deep(above: dict[str, ParentEdge]) -> Iterator[ParentProblem]:
    """Leave without a parent each account that has more than `DEEPEST` above it, and tell it."""
    depth: dict[str, int] = {}
    for start in sorted(above):
        line = [start]
        while line[-1] in above and line[-1] not in depth:
            line.append(above[line[-1]].parent)
        for account in reversed(line):
            if account not in depth:
                depth[account] = depth[above[account].parent] + 1 if account in above else 0
            if depth[account] > DEEPEST:
                parent = above.pop(account).parent
                depth[account] = 0
                because = f"{account} has more than {DEEPEST} levels above it, and is left without its parent {parent}"
                yield ParentProblem("parent_depth", (account, parent), because)


def _children(above: Mapping[str, ParentEdge]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for child in sorted(above):
        found[above[child].parent].append(child)
    return {parent: tuple(children) for parent, children in found.items()}
