"""Whether an account is thinkable for which some conditions hold and others do not: the exact question behind lint.

For every field the conditions ask for, one value of each kind that they can tell apart is tried, in all combinations.
`ownership.overlap` answers a weaker question much faster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, pairwise, product
from math import prod
from typing import Any

from ownership.conditions import FIELDS, All, Condition, Test, holds, tests_of

MOST_TRIED = 100_000
MOST_TEXTS = 8
ELSE = "\uffff"  # a text no policy asks for; after a prefix, one that starts like it and is none of the others


def can_hold(all_of: Sequence[Condition], none_of: Sequence[Condition] = ()) -> bool | None:
    """Whether an account is thinkable for which all of these conditions hold and none of those.

    None: there are too many kinds of account to try. Fields are taken one by one: that `segment` follows from
    `employees` is not known here.
    """
    tests = [test for condition in (*all_of, *none_of) for test in tests_of(condition)]
    fields = sorted({test.field for test in tests})
    alone = [part for condition in all_of for part in _conjuncts(condition)]
    choices: list[list[Any]] = []
    for field in fields:
        values = _values(field, [test for test in tests if test.field == field])
        if values is None:
            return None
        own = [part for part in alone if {test.field for test in tests_of(part)} == {field}]
        choices.append([value for value in values if all(holds(part, {field: value}) for part in own)])
    if prod(map(len, choices)) > MOST_TRIED:
        return None
    tried = (dict(zip(fields, values, strict=True)) for values in product(*choices))
    return any(_fits(account, all_of, none_of) for account in tried)


def _fits(account: Mapping[str, Any], all_of: Sequence[Condition], none_of: Sequence[Condition]) -> bool:
    return all(holds(part, account) is True for part in all_of) and not any(holds(part, account) for part in none_of)


def _conjuncts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All):
        yield from chain.from_iterable(map(_conjuncts, condition.parts))
    else:
        yield condition


def _values(field: str, tests: Sequence[Test]) -> list[Any] | None:
    """One value of each kind these tests tell apart, unknown last; None when there are too many."""
    operands = {value for test in tests if test.operand is not True for value in _operands(test)}
    kind = _kind(field, operands)
    if kind == "flag":
        return [True, False, None]
    if kind == "number":
        return [*_numbers(operands), None]
    if kind == "text":
        starts = sorted({test.operand for test in tests if test.operator == "starts_with"})
        return [ELSE, *sorted(operands), *(start + ELSE for start in starts), None]
    if len(operands) > MOST_TEXTS:
        return None
    sizes = range(len(operands) + 1)
    return [*(frozenset(some) for size in sizes for some in combinations(sorted(operands), size)), None]


def _kind(field: str, operands: set[Any]) -> str:
    """A field's kind; of one that only the policy knows, the kind its tests need."""
    if field in FIELDS:
        return FIELDS[field].kind
    asked = next(iter(operands), True)
    if isinstance(asked, bool):
        return "flag"
    return "number" if isinstance(asked, int | float) else "text"


def _operands(test: Test) -> Iterable[Any]:
    return test.operand if isinstance(test.operand, frozenset) else (test.operand,)


def _numbers(thresholds: Iterable[float]) -> list[float]:
    """Each threshold, one number between any two, and one beyond either end."""
    ordered = sorted(set(thresholds))
    if not ordered:
        return [0]
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return [ordered[0] - 1, *ordered, *between, ordered[-1] + 1]
