"""Overlap: whether two conditions can be seen never to hold together.

Looks at what a conjunction demands of each field: a set of values, a range of numbers, or that nobody filled it in.
`any` and `not` are not looked into, so that "may overlap" is the answer whenever there is doubt.
"""

from __future__ import annotations

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


def are_disjoint(one: Condition, other: Condition) -> bool:
    """True when some field would have to be two things at once."""
    first, second = _demands(one), _demands(other)
    together = {field: first.get(field, Demand()).both(second.get(field, Demand())) for field in first | second}
    return any(not demand.can_hold() for demand in together.values())


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
