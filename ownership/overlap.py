"""Overlap: whether two conditions can be seen never to hold together.

Looks at what a conjunction demands of each field: a set of values, a range of numbers, or that nobody filled it in.
`any` and `not` are not looked into, so that "may overlap" is the answer whenever there is doubt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from ownership.conditions import All, Condition, Test

Bound = tuple[float, int]
"""A number and a nudge, compared in this order: (5, 1) lies just above 5, (5, -1) just below."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of one field. `filled` None: either way."""

    filled: bool | None = None
    values: frozenset[Any] | None = None
    low: Bound = (-inf, 0)
    high: Bound = (inf, 0)

    def both(self, other: Demand) -> Demand:
        """What is left when both must hold."""
        filled = other.filled if self.filled is None else self.filled
        contradict = self.filled is not None and other.filled is not None and self.filled != other.filled
        values = self.values
        if contradict:
            values = frozenset()
        elif other.values is not None:
            values = other.values if values is None else values & other.values
        return Demand(filled, values, max(self.low, other.low), min(self.high, other.high))

    def can_hold(self) -> bool:
        if self.values is None:
            return self.low <= self.high
        return any(not isinstance(value, int | float) or self.low <= (value, 0) <= self.high for value in self.values)


ANYTHING = Demand()


def are_disjoint(one: Condition, other: Condition) -> bool:
    """True when some field would have to be two things at once."""
    return _are_disjoint(_demands(one), _demands(other))


class Siblings:
    """Conditions side by side. Tells which earlier ones may hold together with a new one, without asking all."""

    def __init__(self) -> None:
        self._demands: list[Mapping[str, Demand]] = []
        self._under: dict[tuple[str, Any], list[int]] = {}
        self._without: dict[str, list[int]] = {}

    def add(self, condition: Condition) -> list[int]:
        """Add a condition; returns the numbers, counted from zero, of those before it that it may overlap."""
        demands = _demands(condition)
        overlaps = [number for number in self._candidates(demands) if not _are_disjoint(self._demands[number], demands)]
        number = len(self._demands)
        self._demands.append(demands)
        for field in demands.keys() - self._without.keys():
            self._without[field] = list(range(number))  # nobody asked for it so far
        for field in self._without:
            values = demands[field].values if field in demands else None
            if values is None:
                self._without[field].append(number)
            for value in values or ():
                self._under.setdefault((field, value), []).append(number)
        return overlaps

    def _candidates(self, demands: Mapping[str, Demand]) -> Iterable[int]:
        """Those that do not demand another value of the field of which the fewest values are demanded."""
        sets = {field: demand.values for field, demand in demands.items() if demand.values is not None}
        if not sets:
            return range(len(self._demands))
        if sets.keys() - self._without.keys():
            return range(len(self._demands))
        field = min(sets, key=lambda name: (len(self._without[name]), len(sets[name]), name))
        found = set(self._without[field])
        for value in sets[field]:
            found.update(self._under.get((field, value), ()))
        return sorted(found)


def _are_disjoint(first: Mapping[str, Demand], second: Mapping[str, Demand]) -> bool:
    fields = first.keys() | second.keys()
    return any(not first.get(field, ANYTHING).both(second.get(field, ANYTHING)).can_hold() for field in fields)


def _demands(condition: Condition) -> dict[str, Demand]:
    parts = condition.parts if isinstance(condition, All) else (condition,)
    found: dict[str, Demand] = {}
    for part in parts:
        inner = {part.field: _demand(part)} if isinstance(part, Test) else {}
        if isinstance(part, All):
            inner = _demands(part)
        for field, demand in inner.items():
            found[field] = found[field].both(demand) if field in found else demand
    return found


def _demand(test: Test) -> Demand:
    operand = test.operand
    match test.operator:
        case "is":
            return Demand(True, frozenset({operand}))
        case "in":
            return Demand(True, operand)
        case "is_missing":
            return Demand(False)
        case "gt":
            return Demand(True, low=(operand, 1))
        case "gte":
            return Demand(True, low=(operand, 0))
        case "lt":
            return Demand(True, high=(operand, -1))
        case "lte":
            return Demand(True, high=(operand, 0))
        case _:
            return Demand(True)
