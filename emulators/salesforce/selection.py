"""Running a parsed query over the org: which records, in what order, and in what shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from emulators.salesforce.errors import ApiError, malformed, no_such_column, no_such_type
from emulators.salesforce.org import Org
from emulators.salesforce.schema import HISTORIES, KINDS, NUMBERS, Field, Kind, find_kind
from emulators.salesforce.soql import Comparison, Condition, Junction, Literal, Query
from emulators.salesforce.values import Record, full_id, live

Test = Callable[[Record], bool]
Reader = Callable[[Record], Any]
TEXTS = frozenset({"string", "textarea", "picklist", "email", "phone", "url"})
FITTING = {
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "id": frozenset({"text"}),
    "reference": frozenset({"text"}),
}


class Selection:
    """One query, resolved against the schema. Raises `ApiError` for objects, fields and values that do not fit."""

    def __init__(self, org: Org, query: Query) -> None:
        kind = find_kind(query.kind)
        if kind is None:
            raise no_such_type(query.kind)
        self._org, self._query, self.kind = org, query, kind
        self._columns = [(path, _steps(kind, path)) for path in query.paths]
        if len({path.lower() for path in query.paths}) != len(query.paths):
            raise malformed("duplicate field selected")
        self._test = self._to_test(query.where) if query.where else None
        self._sorts = [(order, self._sort_value(_steps(kind, order.path))) for order in query.order]
        if not query.paths and (query.order or query.limit is not None):
            raise malformed("COUNT() does not go with ORDER BY or LIMIT here")

    def run(self, *, include_deleted: bool) -> list[Record]:
        """The records as the org holds them, in order."""
        rows: Sequence[Record] = self._candidates()
        if not include_deleted:
            rows = live(rows)
        found = [row for row in rows if self._test is None or self._test(row)]
        for order, read in reversed(self._sorts):
            nulls = [row for row in found if read(row) is None]
            rest = [row for row in found if read(row) is not None]
            rest.sort(key=read, reverse=order.descending)
            found = rest + nulls if order.nulls_last else nulls + rest
        end = None if self._query.limit is None else self._query.offset + self._query.limit
        return found[self._query.offset : end]

    def shape(self, record: Record, version: str) -> Record:
        """A record as REST gives it: attributes first, related records nested."""
        shaped: Record = {"attributes": attributes(self.kind, record["Id"], version)}
        for _, steps in self._columns:
            self._put(shaped, record, steps, version)
        return shaped

    def columns(self) -> list[str]:
        """Column names as a bulk result heads them."""
        return [".".join([*((s.relationship or "") for s in steps[:-1]), steps[-1].name]) for _, steps in self._columns]

    def cells(self, record: Record) -> list[tuple[Field, Any]]:
        """One value for each column, with its field."""
        return [(steps[-1], self._reader(steps)(record)) for _, steps in self._columns]

    def _candidates(self) -> Sequence[Record]:
        """All of the object's records, or those of `Id IN (…)` when that is the whole condition, or of a history
        those about the records it is asked for."""
        where = self._query.where
        if tracked := HISTORIES.get(self.kind.name):
            return list(self._org.rows(self.kind, _ids_in(where, f"{tracked}Id")).values())
        table, ids = self._org.tables[self.kind.name], _ids_in(where, "Id")
        if ids is not None and isinstance(where, Comparison):
            return [table[record_id] for record_id in ids if record_id in table]
        return list(table.values())

    def _put(self, shaped: Record, record: Record, steps: Sequence[Field], version: str) -> None:
        if len(steps) == 1:
            shaped[steps[0].name] = record.get(steps[0].name)  # a queue that owns something has less than a user
            return
        name, related = steps[0].relationship or "", self._related(record, steps[0])
        if related is None:
            shaped[name] = None
            return
        # What a field may point at is of several objects now and then; which one it is, its id says.
        target = next(kind for kind in KINDS if related["Id"].startswith(kind.prefix))
        inner = shaped.setdefault(name, {"attributes": attributes(target, related["Id"], version)})
        self._put(inner, related, steps[1:], version)

    def _related(self, record: Record, step: Field) -> Record | None:
        related_id = record[step.name]
        return next(
            (self._org.tables[n][related_id] for n in step.refers_to if related_id in self._org.tables[n]), None
        )

    def _reader(self, steps: Sequence[Field]) -> Reader:
        if len(steps) == 1:
            name = steps[0].name
            return lambda record: record.get(name)
        inner = self._reader(steps[1:])

        def read(record: Record) -> Any:
            related = self._related(record, steps[0])
            return None if related is None else inner(related)

        return read

    def _sort_value(self, steps: Sequence[Field]) -> Reader:
        read = self._reader(steps)
        return lambda record: _folded(steps[-1], read(record))

    def _to_test(self, condition: Condition) -> Test:
        if isinstance(condition, Comparison):
            return self._to_comparison(condition)
        return _joined(condition, [self._to_test(part) for part in condition.parts])

    def _to_comparison(self, asked: Comparison) -> Test:
        steps = _steps(self.kind, asked.path)
        field, read = steps[-1], self._reader(steps)
        if field.type in ("textarea", "anyType"):
            message = f"field '{field.name}' can not be filtered in a query call"
            raise ApiError(400, "INVALID_FIELD", message)
        values = [_fit(asked, field, literal) for literal in asked.literals]
        if asked.operator in ("in", "not in"):
            wanted, negated = frozenset(values), asked.operator == "not in"
            return lambda record: (_folded(field, read(record)) in wanted) != negated
        if asked.operator == "like":
            if field.type not in TEXTS or not isinstance(values[0], str):
                raise _bad_operator(asked)
            pattern = _like(values[0])
            return lambda record: pattern.fullmatch(str(_folded(field, read(record)) or "")) is not None
        return _ordered(asked.operator, values[0], lambda record: _folded(field, read(record)))


def _ids_in(condition: Condition | None, field: str) -> list[str] | None:
    """The ids of `field IN (…)` where every record must meet it; None: it is not asked for."""
    if isinstance(condition, Comparison):
        if condition.path.lower() != field.lower() or condition.operator != "in":
            return None
        return list(dict.fromkeys(full_id(str(literal.value)) or "" for literal in condition.literals))
    if condition is None or condition.how != "and":
        return None
    return next((ids for part in condition.parts if (ids := _ids_in(part, field)) is not None), None)


def attributes(kind: Kind, record_id: str, version: str) -> dict[str, str]:
    """As every record carries them."""
    return {"type": kind.name, "url": f"/services/data/{version}/sobjects/{kind.name}/{record_id}"}


def _steps(kind: Kind, path: str) -> list[Field]:
    *relations, name = path.split(".")
    steps, at = [], kind
    for relation in relations:
        field = at.relation(relation)
        target = find_kind(field.refers_to[0]) if field else None
        if field is None or target is None:
            message = f"Didn't understand relationship '{relation}' in field path."
            raise ApiError(400, "INVALID_FIELD", message)
        steps.append(field)
        at = target
    field = at.field(name)
    if field is None:
        raise no_such_column(name, at.name)
    return [*steps, field]


def _joined(junction: Junction, tests: list[Test]) -> Test:
    if junction.how == "not":
        return lambda record: not tests[0](record)
    if junction.how == "and":
        return lambda record: all(test(record) for test in tests)
    return lambda record: any(test(record) for test in tests)


def _fit(asked: Comparison, field: Field, literal: Literal) -> Any:
    """The literal as this field would hold it. Raises `ApiError` where Salesforce does not convert."""
    if literal.kind == "null":
        if asked.operator not in ("=", "!=", "in", "not in"):
            raise _bad_operator(asked)
        return None
    fitting = FITTING.get(field.type) or frozenset({"number"} if field.type in NUMBERS else {"text"})
    if literal.kind not in fitting:
        quoted = "should not be enclosed in quotes" if literal.kind == "text" else "should be of that type"
        message = f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quoted}"
        raise ApiError(400, "INVALID_FIELD", message)
    if field.type in ("id", "reference"):
        whole = full_id(str(literal.value))
        if whole is None:
            raise ApiError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.value}")
        return whole
    return _folded(field, literal.value)


def _folded(field: Field, value: Any) -> Any:
    """Text is compared without case."""
    return value.lower() if isinstance(value, str) and field.type in TEXTS else value


def _ordered(operator: str, wanted: Any, read: Reader) -> Test:
    if operator == "=":
        return lambda record: read(record) == wanted
    if operator == "!=":
        return lambda record: read(record) != wanted
    signs: dict[str, Callable[[Any], bool]] = {
        "<": lambda value: value < wanted,
        "<=": lambda value: value <= wanted,
        ">": lambda value: value > wanted,
        ">=": lambda value: value >= wanted,
    }
    compare = signs[operator]

    def test(record: Record) -> bool:
        value = read(record)
        return value is not None and compare(value)

    return test


def _like(text: str) -> re.Pattern[str]:
    parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in text)
    return re.compile("".join(parts), re.DOTALL)


def _bad_operator(asked: Comparison) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"invalid operator on field '{asked.path}': {asked.operator}")
