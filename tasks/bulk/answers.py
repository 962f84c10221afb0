"""Conditions asked of many accounts at once: each test gives a column, put together as `holds` puts answers together.

Null stands for "unknown". That `&`, `|` and `~` of polars are Kleene's logic is what makes these columns the same
answers; a test compares them with `holds`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl

from ownership.conditions import COMPARISONS, All, AnyOf, Condition, Not, Test
from tasks.bulk.fields import Dtype, always


class Answers:
    """What conditions answer about accounts whose `fields` are columns of `height` rows."""

    def __init__(self, fields: Mapping[str, pl.Series], height: int) -> None:
        self._fields = fields
        self._height = height
        self._tests: dict[Test, pl.Series] = {}
        self._values: dict[str, tuple[pl.Series, pl.Series]] = {}

    def field(self, name: str, dtype: Dtype) -> pl.Series:
        """What the accounts say; null where one does not."""
        return self._fields.get(name, always(None, self._height, dtype))

    def holding(self, condition: Condition) -> pl.Series:
        """For which accounts it holds. Unknown does not."""
        return self.of(condition).fill_null(False)

    def of(self, condition: Condition) -> pl.Series:
        """True, false, or null where the account does not say."""
        match condition:
            case Test():
                return self._of_test(condition)
            case Not():
                return ~self.of(condition.part)
            case All():
                every = self._always(True)
                for part in condition.parts:
                    every &= self.of(part)
                return every
            case AnyOf():
                some = self._always(False)
                for part in condition.parts:
                    some |= self.of(part)
                return some

    def _always(self, answer: bool | None) -> pl.Series:
        return always(answer, self._height, pl.Boolean)

    def _of_test(self, test: Test) -> pl.Series:
        if test not in self._tests:
            self._tests[test] = self._asked(test)
        return self._tests[test]

    def _asked(self, test: Test) -> pl.Series:
        column = self._fields.get(test.field)
        if test.operator in ("is_missing", "is_present"):
            is_there = self._always(False) if column is None else column.is_not_null()
            return is_there if test.operator == "is_present" else ~is_there
        if column is None:
            return self._always(None)
        if test.operator in ("is", "in") and column.dtype == pl.String:
            return column.is_in(list(test.operand) if test.operator == "in" else [test.operand])
        values, places = self._values_of(test.field)
        return pl.Series(answered(test, values), dtype=pl.Boolean).gather(places)

    def _values_of(self, field: str) -> tuple[pl.Series, pl.Series]:
        """The different values of a field, and for each account the place of its value among them."""
        if field not in self._values:
            column = self._fields[field]
            values = column.drop_nulls().unique()
            numbers = pl.Series(range(len(values)), dtype=pl.UInt32)
            self._values[field] = values, column.replace_strict(values, numbers, default=None, return_dtype=pl.UInt32)
        return self._values[field]


def answered(test: Test, values: pl.Series) -> list[bool]:
    """What a test says of values, none of them null."""
    if test.operator in ("is_missing", "is_present"):
        return [test.operator == "is_present"] * len(values)
    compare = COMPARISONS[test.operator]
    known = map(texts_of, values) if test.operator == "contains" else values
    return [bool(compare(value, test.operand)) for value in known]


def texts_of(value: str) -> frozenset[str]:
    """The texts that stand as one value."""
    return frozenset(json.loads(value))
