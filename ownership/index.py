"""An index over a policy, so that deciding an account asks only the entries that could be about it.

Nothing is decided here that `ownership.conditions.holds` and `ownership.territories.path_of` would decide otherwise:
those are the reference, and the tests hold this to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from itertools import product
from typing import Any, Generic, TypeVar

from ownership.conditions import ALWAYS, COMPARISONS, All, AnyOf, Condition, Not, Test, tests_of
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

    Most conditions demand values of some fields ("country is de, segment is smb"). Entries are put under all
    combinations of such values, those that demand none are always asked; a condition that demands nothing else needs
    no more asking.
    """

    def __init__(self, entries: Sequence[tuple[Condition, T]]) -> None:
        demands = [_values_demanded(condition) for condition, _ in entries]
        asked: dict[str, set[Any]] = defaultdict(set)
        for demand in demands:
            for field, values in demand.items():
                asked[field] |= values
        self._entries: list[tuple[Question | None, T]] = []
        self._always: list[int] = []
        self._under: dict[tuple[str, ...], dict[tuple[Any, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
        for position, ((condition, entry), demand) in enumerate(zip(entries, demands, strict=True)):
            fields = _most_telling(demand, asked)
            says_all = len(fields) == len(demand) and _demands_only(condition)
            self._entries.append((None if says_all else compiled(condition), entry))
            if not fields:
                self._always.append(position)
            for combination in product(*(demand[field] for field in fields)) if fields else ():
                self._under[fields][combination].append(position)

    def holding(self, fields: Mapping[str, Any]) -> Iterator[T]:
        """The entries whose condition holds, in order."""
        found = [self._always] if self._always else []
        for names, under in self._under.items():
            if positions := under.get(tuple(map(fields.get, names))):
                found.append(positions)
        if not found:
            return
        for position in merge(*found) if len(found) > 1 else found[0]:
            question, entry = self._entries[position]
            if question is None or question(fields):
                yield entry


MOST_COMBINATIONS = 32


def _most_telling(demand: Mapping[str, frozenset[Any]], asked: Mapping[str, set[Any]]) -> tuple[str, ...]:
    """Fields to put an entry under: those that rule out most first, as long as the combinations stay few."""
    chosen: list[str] = []
    combinations = 1
    for field in sorted(demand, key=lambda name: (len(demand[name]) / max(len(asked[name]), 1), name)):
        combinations *= max(len(demand[field]), 1)
        if chosen and combinations > MOST_COMBINATIONS:
            break
        chosen.append(field)
    return tuple(sorted(chosen))


def _demands_only(condition: Condition) -> bool:
    """Whether a condition is nothing but demands of values."""
    if isinstance(condition, All):
        return all(map(_demands_only, condition.parts))
    return isinstance(condition, Test) and condition.operator in ("is", "in")


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
    def skills_of(self) -> Mapping[str, frozenset[str]]:
        """The skills a rule or territory asks for, by its id; those that ask for none are missing."""
        placing: list[Rule | Territory] = [*self.policy.rules, *self.policy.territories]
        return {each.id: each.assign.skills for each in placing if each.assign.skills}

    @cached_property
    def users_of(self) -> Mapping[str, Sequence[str]]:
        """The rules, territories and roles that use each pool, by their ids; pools nothing uses are missing."""
        policy = self.policy
        users: list[Rule | Territory | TeamRole] = [*policy.rules, *policy.territories, *policy.team]
        by_pool = _by([each for each in users if each.assign.pool], lambda each: str(each.assign.pool))
        return {pool: list(dict.fromkeys(each.id for each in using)) for pool, using in by_pool.items()}

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
    def asked(self) -> frozenset[str]:
        """Every field some condition of the policy asks for."""
        return frozenset(test.field for condition in _conditions(self.policy) for test in tests_of(condition))

    @cached_property
    def charging_pools(self) -> Sequence[Pool]:
        """Pools in which an account placed by hand uses a turn."""
        return [pool for pool in self.policy.pools if pool.manual_takes_turn]

    @cached_property
    def capped_pools(self) -> Sequence[Pool]:
        """Pools that limit what one member is given in an hour, a day or a week."""
        return [pool for pool in self.policy.pools if pool.per_hour or pool.per_day or pool.per_week]

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


def _conditions(policy: Policy) -> Iterator[Condition]:
    yield policy.follow_parent
    for rule in policy.rules:
        yield rule.when
        yield rule.stays_while or ALWAYS
        yield from (need.when for need in rule.handoff)
    for listed in (policy.requirements, policy.leads.requirements, policy.territories, policy.team):
        yield from (each.when for each in listed)
    yield from (sla.when for sla in policy.acceptance.faster)


def _may_apply(rule: Rule) -> Condition:
    return rule.when if rule.stays_while is None else AnyOf((rule.when, rule.stays_while))


K = TypeVar("K")


def _by(entries: Sequence[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    found: dict[K, list[T]] = {}
    for entry in entries:
        found.setdefault(key(entry), []).append(entry)
    return found
