"""Kinds: accounts that no condition of a policy can tell apart. Of a million accounts there are some thousand.

Two values of a field are alike when every test of the policy answers alike about them: 120 employees and 130 are,
unless some rule draws a line between.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ownership.conditions import Condition, Test, tests_of
from ownership.policy import Policy
from tasks.bulk.answers import answered, texts_of

AT_ONCE = 10_000  # values


@dataclass(frozen=True, slots=True)
class Kinds:
    """`numbers` gives every account its kind, null where none was asked for; `firsts` is one account of each kind."""

    numbers: pl.Series
    firsts: pl.Series


def kinds_of(
    fields: Mapping[str, pl.Series], policy: Policy, owners: pl.Series, below: pl.Series, asked: pl.Series
) -> Kinds:
    """The kinds of the accounts that are `asked` for. Those of one kind have the same owner, and are all of them below
    another account or none."""
    tests: dict[str, set[Test]] = defaultdict(set)
    for condition in _conditions(policy):
        for test in tests_of(condition):
            tests[test.field].add(test)
    alike = {name: _alike(fields[name], tests[name]) for name in sorted(fields.keys() & tests.keys())}
    told = pl.DataFrame([column.alias(name) for name, column in {**alike, "(owner)": owners, "(below)": below}.items()])
    one_of_each = told.with_row_index("(first)").filter(asked).group_by(told.columns, maintain_order=True)
    kinds = one_of_each.agg(pl.col("(first)").first()).with_row_index("(kind)")
    numbers = told.join(kinds, on=told.columns, how="left", nulls_equal=True, maintain_order="left")["(kind)"]
    return Kinds(numbers.set(~asked, None), kinds["(first)"])


def _alike(column: pl.Series, tests: Iterable[Test]) -> pl.Series:
    """Equal numbers for values about which these tests answer alike; null stays null.

    Tests that ask for a value are found by it: there may be thousands of them, and a million values.
    """
    by_operand: dict[Any, set[Test]] = defaultdict(set)
    others = []
    for test in tests:
        if test.operator in ("is", "in", "contains"):
            for operand in test.operand if test.operator == "in" else (test.operand,):
                by_operand[operand].add(test)
        elif test.operator not in ("is_missing", "is_present"):
            others.append(test)
    values, numbers, alike = column.drop_nulls().unique(), dict[Any, int](), list[int]()
    for part in values.to_frame().iter_slices(AT_ONCE):
        asked = _asked_for(part.to_series(), by_operand, several=any(test.operator == "contains" for test in tests))
        answers = zip(asked, *(answered(test, part.to_series()) for test in others), strict=True)
        alike += [numbers.setdefault(each, len(numbers)) for each in answers]
    return column.replace_strict(values, pl.Series(alike, dtype=pl.UInt32), default=None, return_dtype=pl.UInt32)


def _asked_for(values: pl.Series, by_operand: Mapping[Any, set[Test]], several: bool) -> Iterator[frozenset[Test]]:
    """The tests that hold because they ask for a value, or for one of several texts."""
    for value in values:
        items = texts_of(value) if several else (value,)
        yield frozenset(test for item in items for test in by_operand.get(item, ()))


def _conditions(policy: Policy) -> Iterator[Condition]:
    yield Test("do_not_route", "is", True)
    yield Test("in_crm", "is", True)
    yield policy.follow_parent
    for need in policy.requirements:
        yield need.when
    for rule in policy.rules:
        yield rule.when
    for territory in policy.territories:
        yield territory.when
    for role in policy.team:
        yield role.when
