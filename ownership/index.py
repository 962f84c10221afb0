"""An index over a policy, so that deciding an account asks only the entries that could be about it.

Nothing is decided here that `ownership.conditions.holds` and `ownership.territories.path_of` would decide otherwise:
those are the reference, and the tests hold this to them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from typing import Any, Generic, TypeVar

from ownership.conditions import COMPARISONS, All, AnyOf, Condition, Not, Test
from ownership.entries import Dispute, NamedAccount, Override, Pod, Pool, Registration, Rule, TeamRole, Territory
from ownership.policy import Policy

T = TypeVar("T")
Question = Callable[[Mapping[str, Any]], bool | None]


def compiled(condition: Condition) -> Question:
    """The condition as one function of an account's folded fields: True, False, or None for unknown."""
    match condition:
        case Test():
            return _compiled_test(condition)
        case Not():
            inner = compiled(condition.part)
            return lambda fields: None if (answer := inner(fields)) is None else not answer
        case All():
            return _all_of([compiled(part) for part in condition.parts], decisive=False)
        case AnyOf():
            return _all_of([compiled(part) for part in condition.parts], decisive=True)


def _compiled_test(test: Test) -> Question:
    name, operand = test.field, test.operand
    if test.operator == "is_missing":
        return lambda fields: fields.get(name) is None
    if test.operator == "is_present":
        return lambda fields: fields.get(name) is not None
    compare = COMPARISONS[test.operator]
    return lambda fields: None if (value := fields.get(name)) is None else bool(compare(value, operand))


def _all_of(parts: Sequence[Question], decisive: bool) -> Question:
    """`decisive` is the answer of one part that settles the whole: False for "all of", True for "any of"."""

    def ask(fields: Mapping[str, Any]) -> bool | None:
        result: bool | None = not decisive
        for part in parts:
            answer = part(fields)
            if answer is decisive:
                return decisive
            if answer is None:
                result = None
        return result

    return ask


class FirstMatch(Generic[T]):
    """Entries in order, each with a condition. Finds those that hold without asking all of them.

    Most conditions demand a value of some field ("country is de"). Entries are put under such a value, those without
    one are always asked.
    """

    def __init__(self, entries: Sequence[tuple[Condition, T]]) -> None:
        self._entries = [(compiled(condition), entry) for condition, entry in entries]
        demands = [_values_demanded(condition) for condition, _ in entries]
        spread = Counter(field for demand in demands for field, values in demand.items() for _ in values)
        self._always: list[int] = []
        self._under: dict[str, dict[Any, list[int]]] = defaultdict(lambda: defaultdict(list))
        for position, demand in enumerate(demands):
            if not demand:
                self._always.append(position)
                continue
            field = min(demand, key=lambda name: (len(demand[name]), -spread[name], name))
            for value in demand[field]:
                self._under[field][value].append(position)

    def holding(self, fields: Mapping[str, Any]) -> Iterator[T]:
        """The entries whose condition holds, in order."""
        found = [self._always]
        for field, under in self._under.items():
            value = fields.get(field)
            if value is not None and (positions := under.get(value)):
                found.append(positions)
        for position in merge(*found) if len(found) > 1 else found[0]:
            question, entry = self._entries[position]
            if question(fields):
                yield entry


def _values_demanded(condition: Condition) -> dict[str, frozenset[Any]]:
    """Fields of which a condition demands one of some values, at its top level."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    found: dict[str, frozenset[Any]] = {}
    for part in parts:
        if isinstance(part, Test) and part.operator in ("is", "in"):
            values = part.operand if part.operator == "in" else frozenset({part.operand})
            found[part.field] = found[part.field] & values if part.field in found else values
        elif isinstance(part, All):
            for field, values in _values_demanded(part).items():
                found[field] = found[field] & values if field in found else values
    return found


@dataclass(frozen=True)
class PolicyIndex:
    """One policy's entries by what finds them. Made once for a batch."""

    policy: Policy

    @cached_property
    def pools(self) -> Mapping[str, Pool]:
        return {pool.id: pool for pool in self.policy.pools}

    @cached_property
    def named(self) -> Mapping[str, list[NamedAccount]]:
        return _by(self.policy.named, lambda each: each.domain)

    @cached_property
    def overrides(self) -> Mapping[str, list[Override]]:
        return _by(self.policy.overrides, lambda each: each.account)

    @cached_property
    def disputes(self) -> Mapping[str, list[Dispute]]:
        return _by(self.policy.disputes, lambda each: each.account)

    @cached_property
    def pod_of(self) -> Mapping[str, Pod]:
        """The pod each of its leads owns accounts for."""
        return {pod.lead: pod for pod in self.policy.pods}

    @cached_property
    def team(self) -> Sequence[tuple[TeamRole, Question]]:
        return [(each, compiled(each.when)) for each in self.policy.team]

    @cached_property
    def charging_pools(self) -> Sequence[Pool]:
        """Pools in which an account placed by hand uses a turn."""
        return [pool for pool in self.policy.pools if pool.manual_takes_turn]

    @cached_property
    def follows_parent(self) -> Question:
        return compiled(self.policy.follow_parent)

    @cached_property
    def remembering(self) -> Sequence[Rule]:
        """The rules for which it has to be known how long they have held."""
        return [rule for rule in self.policy.rules if rule.remembers]

    @cached_property
    def registrations(self) -> Mapping[str, list[Registration]]:
        return _by(self.policy.registrations, lambda each: each.domain)

    @cached_property
    def rules(self) -> FirstMatch[Rule]:
        return FirstMatch([(_may_apply(rule), rule) for rule in self.policy.rules])

    @cached_property
    def children(self) -> Mapping[str | None, FirstMatch[Territory]]:
        by_parent = _by(self.policy.territories, lambda each: each.parent)
        return {
            parent: FirstMatch([(each.when, each) for each in sorted(siblings, key=lambda t: (-t.priority, t.id))])
            for parent, siblings in by_parent.items()
        }

    def path_of(self, fields: Mapping[str, Any]) -> tuple[Territory, ...]:
        """As `ownership.territories.path_of`."""
        path: list[Territory] = []
        at: str | None = None
        while at in self.children:
            here = next(self.children[at].holding(fields), None)
            if here is None:
                break
            path.append(here)
            at = here.id
        return tuple(path)


def _may_apply(rule: Rule) -> Condition:
    return rule.when if rule.stays_while is None else AnyOf((rule.when, rule.stays_while))


K = TypeVar("K")


def _by(entries: Sequence[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for entry in entries:
        found.setdefault(key(entry), []).append(entry)
    return found
