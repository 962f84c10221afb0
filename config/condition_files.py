"""Reading conditions: `field: value`, `field: [values]`, `field: {operator: value}`, under all, any and not."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from config.yaml_files import Reader, hint
from ownership.conditions import ALWAYS, FIELDS, MAX_DEPTH, OPERATORS, All, AnyOf, Condition, Field, Not, Test, fold

LARGEST = 2**53  # beyond this, whole numbers and floats no longer tell neighbours apart
MENDS = {"flag": "Write true or false", "number": "Write a number", "text": "Put it in quotes"}


class ConditionReader(Reader):
    """Reads one document's conditions. What cannot be read is reported and counts as "always".

    `known` are the fields that may be asked for.
    """

    known: Mapping[str, Field] = FIELDS

    def condition(self, node: CommentedMap, key: str, what: str) -> Condition:
        """The condition under `key`."""
        return self._condition(node.get(key), node, key, what, 1)

    def _condition(self, value: Any, at: Any, key: Any, what: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            self.say(at, key, f"the condition of {what} is nested more than {MAX_DEPTH} deep", "Simplify it")
            return ALWAYS
        if not isinstance(value, CommentedMap) or not value:
            wrong = f"the condition of {what} is empty or no mapping"
            self.say(at, key, wrong, "Write it as 'field: {operator: value}'")
            return ALWAYS
        # Sorted, so that the order in which people write the keys means nothing.
        parts = [self._part(value, name, what, depth) for name in sorted(value, key=str)]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self, node: CommentedMap, name: Any, what: str, depth: int) -> Condition:
        if name in ("all", "any"):
            items = self.items(node, name, f"'{name}' of {what}")
            if not items:
                self.say(node, name, f"'{name}' of {what} has no parts", "List at least one condition under it")
            parts = tuple(self._condition(item, node, name, what, depth + 1) for item in items)
            return All(parts) if name == "all" else AnyOf(parts)
        if name == "not":
            return Not(self._condition(node[name], node, name, what, depth + 1))
        if name not in self.known:
            mend = f"Fields are {', '.join(self.known)}"
            self.say(node, name, f"{what} asks for an unknown field '{name}'{hint(str(name), self.known)}", mend)
            return ALWAYS
        return self._tests(node, str(name), what)

    def _tests(self, node: CommentedMap, field: str, what: str) -> Condition:
        asked = node[field]
        if not isinstance(asked, CommentedMap):
            operator = "in" if isinstance(asked, CommentedSeq) else "is"
            return self._test(node, field, field, operator, asked, what)
        if not asked:
            self.say(node, field, f"{what} asks nothing of '{field}'", "Add an operator such as 'is' or 'in'")
            return ALWAYS
        operators = sorted(asked, key=str)
        tests = tuple(
            self._test(asked, operator, field, str(operator), asked[operator], what) for operator in operators
        )
        return tests[0] if len(tests) == 1 else All(tests)

    def _test(self, node: Any, key: Any, field: str, operator: str, operand: Any, what: str) -> Condition:
        kind = self.known[field].kind
        if operator not in OPERATORS or kind not in OPERATORS[operator]:
            fitting = [name for name, kinds in OPERATORS.items() if kind in kinds]
            wrong = f"{what} asks '{field}' with '{operator}'{hint(operator, fitting)}"
            self.say(node, key, wrong, f"A {kind} field takes {', '.join(fitting)}")
            return ALWAYS
        if operator in ("is_missing", "is_present"):
            return self._presence(node, key, field, operator, operand, what)
        if operator == "in":
            values = list(operand) if isinstance(operand, CommentedSeq) else []
            if not values:
                self.say(node, key, f"'in' for '{field}' of {what} has no values", "List at least one")
            return Test(field, "in", frozenset(self._operand(node, key, kind, value, what) for value in values))
        return Test(field, operator, self._operand(node, key, kind, operand, what))

    def _presence(self, node: Any, key: Any, field: str, operator: str, operand: Any, what: str) -> Condition:
        if operand is not True:
            other = "is_present" if operator == "is_missing" else "is_missing"
            wrong = f"{what} asks '{field}' with '{operator}: {operand}'"
            self.say(node, key, wrong, f"Write '{operator}: true' or '{other}: true'")
        return Test(field, operator, True)

    def _operand(self, node: Any, key: Any, kind: str, value: Any, what: str) -> Any:
        if kind in ("text", "texts") and isinstance(value, str):
            return fold(value)
        if kind == "flag" and isinstance(value, bool):
            return value
        if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and _is_exact(value):
            return value
        kind = "text" if kind == "texts" else kind
        self.say(node, key, f"{what} compares a {kind} field with {value!r}"[:200], MENDS[kind])
        return "" if kind == "text" else 0


def _is_exact(value: float) -> bool:
    return abs(value) <= LARGEST if isinstance(value, int) else isfinite(value) and abs(value) <= LARGEST
