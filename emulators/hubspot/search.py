"""The search endpoint: what it accepts, what it finds, in which order.

Limits (developers.hubspot.com, "Search the CRM"): 5 groups of 6 filters, 18 filters in all, one sort, 200 rows a page,
10,000 rows a query, 3,000 characters a body.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulators.hubspot.errors import HubSpotError, invalid
from emulators.hubspot.portal import Record
from emulators.hubspot.properties import ObjectKind, to_epoch_ms

MAX_BODY, MAX_LIMIT, MAX_ROWS = 3_000, 200, 10_000
MAX_GROUPS, MAX_FILTERS_IN_GROUP, MAX_FILTERS = 5, 6, 18
VALUELESS = {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}
ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "LT": lambda value, bound: value < bound,
    "LTE": lambda value, bound: value <= bound,
    "GT": lambda value, bound: value > bound,
    "GTE": lambda value, bound: value >= bound,
}
OPERATORS = {"EQ", "NEQ", "BETWEEN", "IN", "NOT_IN", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", *VALUELESS, *ORDERED}


@dataclass(frozen=True, slots=True)
class Search:
    """A search HubSpot would take. An empty `groups` finds everything."""

    groups: tuple[tuple[Mapping[str, Any], ...], ...]
    sort: tuple[str, bool] | None  # property, descending
    limit: int
    after: int
    properties: tuple[str, ...]
    text: str


def read_search(kind: ObjectKind, raw: bytes) -> Search:
    """Raises `HubSpotError` 400 for whatever the vendor refuses."""
    try:
        text = raw.decode()
        body = json.loads(text)
    except ValueError as error:
        raise invalid(f"Invalid input JSON: {error}") from None
    if len(text) > MAX_BODY:
        raise invalid(f"The request body is too long: at most {MAX_BODY} characters")
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: expected an object")
    groups = tuple(tuple(group.get("filters") or ()) for group in _list(body, "filterGroups"))
    _check_sizes(groups)
    for one in (one for group in groups for one in group):
        _check_filter(kind, one)
    limit, after = _whole(body.get("limit"), "limit", 10), _whole(body.get("after"), "after", 0)
    if not 0 < limit <= MAX_LIMIT:
        raise invalid(f"limit must be between 1 and {MAX_LIMIT}")
    if after + limit > MAX_ROWS:
        raise invalid(f"Search results can be paged up to {MAX_ROWS} only")
    wanted = tuple(str(name) for name in _list(body, "properties"))
    return Search(groups, _sort(kind, _list(body, "sorts")), limit, after, wanted, str(body.get("query") or "").lower())


def run_search(kind: ObjectKind, search: Search, rows: Iterable[Record]) -> tuple[int, list[Record]]:
    """How many rows match in all, and the ones of this page."""
    found = [row for row in rows if _matches(kind, search, row)]
    found.sort(key=lambda row: int(row.id))
    if search.sort:
        name, descending = search.sort
        # Rows that share a sort value come newest id first: the vendor promises no order among them.
        found.reverse()
        found.sort(key=lambda row: _rank(kind, name, row), reverse=descending)
    return len(found), found[search.after : search.after + search.limit]


def _list(body: dict[str, Any], name: str) -> list[Any]:
    value = body.get(name) or []
    if not isinstance(value, list):
        raise invalid(f"Invalid input JSON: {name} must be an array")
    return value


def _whole(value: Any, name: str, default: int) -> int:
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not str(value).isdecimal():
        raise invalid(f"{name} must be an integer")
    return int(value)


def _check_sizes(groups: tuple[tuple[Any, ...], ...]) -> None:
    if len(groups) > MAX_GROUPS:
        raise invalid(f"At most {MAX_GROUPS} filterGroups are allowed")
    if any(len(group) > MAX_FILTERS_IN_GROUP for group in groups) or sum(map(len, groups)) > MAX_FILTERS:
        raise invalid(f"At most {MAX_FILTERS_IN_GROUP} filters in a group and {MAX_FILTERS} in all are allowed")


def _check_filter(kind: ObjectKind, one: Any) -> None:
    if not isinstance(one, dict) or one.get("operator") not in OPERATORS:
        raise invalid("Invalid input JSON: a filter needs a propertyName and a known operator")
    name, operator = one.get("propertyName"), one["operator"]
    if name not in kind.types:
        raise _no_such_property(name)
    if operator in VALUELESS:
        return
    if operator in ("IN", "NOT_IN"):
        given = isinstance(one.get("values"), list) and bool(one["values"])
    else:
        given = one.get("value") is not None and (operator != "BETWEEN" or one.get("highValue") is not None)
    if not given:
        raise invalid(f"operator {operator} of {name} lacks its value")
    _typed(kind, name, one.get("value"))
    _typed(kind, name, one.get("highValue"))


def _sort(kind: ObjectKind, sorts: list[Any]) -> tuple[str, bool] | None:
    if len(sorts) > 1:
        raise invalid("Only one sort is allowed")
    if not sorts:
        return None
    if isinstance(sorts[0], dict):
        name, descending = sorts[0].get("propertyName"), sorts[0].get("direction") == "DESCENDING"
    else:
        name, descending = str(sorts[0]).removeprefix("-"), str(sorts[0]).startswith("-")
    if name not in kind.types:
        raise _no_such_property(name)
    return name, descending


def _no_such_property(name: Any) -> HubSpotError:
    detail = {"message": f'Property "{name}" does not exist', "code": "PROPERTY_DOESNT_EXIST"}
    return invalid("There was a problem with the request.", errors=[detail])


def _typed(kind: ObjectKind, name: str, value: Any) -> Any:
    """A filter's or record's value, made comparable. Raises `HubSpotError` 400 for a value of the wrong type."""
    if value is None:
        return None
    expected, text = kind.types[name], str(value)
    if expected == "datetime":
        comparable: Any = to_epoch_ms(text)
    elif expected == "number":
        try:
            comparable = float(text)
        except ValueError:
            comparable = None
    else:
        comparable = text.lower()
    if comparable is None:
        raise invalid(f"{text} is not a valid {expected} for {name}")
    return comparable


def _rank(kind: ObjectKind, name: str, row: Record) -> tuple[bool, Any]:
    value = _typed(kind, name, row.properties.get(name))
    return (value is None, 0 if value is None else value)


def _matches(kind: ObjectKind, search: Search, row: Record) -> bool:
    if search.text and not any(search.text in (row.properties.get(n) or "").lower() for n in kind.searched):
        return False
    return not search.groups or any(all(_holds(kind, one, row) for one in group) for group in search.groups)


def _holds(kind: ObjectKind, one: Mapping[str, Any], row: Record) -> bool:
    name, operator = one["propertyName"], str(one["operator"])
    raw = row.properties.get(name)
    if operator in VALUELESS:
        return (raw is not None) == (operator == "HAS_PROPERTY")
    if raw is None:
        return False
    if operator in ("IN", "NOT_IN"):
        return _listed(kind, name, raw, one["values"]) == (operator == "IN")
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        return _has_token(raw, str(one["value"])) == (operator == "CONTAINS_TOKEN")
    return _compares(operator, _typed(kind, name, raw), _typed(kind, name, one["value"]), one, kind)


def _compares(operator: str, value: Any, bound: Any, one: Mapping[str, Any], kind: ObjectKind) -> bool:
    if operator == "BETWEEN":
        return bool(bound <= value <= _typed(kind, one["propertyName"], one["highValue"]))
    if operator in ("EQ", "NEQ"):
        return bool((value == bound) == (operator == "EQ"))
    return ORDERED[operator](value, bound)


def _listed(kind: ObjectKind, name: str, raw: str, values: list[Any]) -> bool:
    """Stored strings are lower-cased and the given ones are not: "IN values must be lowercase" (vendor's page)."""
    if kind.types[name] == "string":
        return raw.lower() in {str(value) for value in values}
    return _typed(kind, name, raw) in {_typed(kind, name, value) for value in values}


def _has_token(raw: str, wanted: str) -> bool:
    """Whole words, `*` for the rest of one; no substrings."""
    tokens = raw.lower().replace("@", " ").replace(",", " ").split()
    wanted = wanted.lower()
    if wanted.endswith("*"):
        return any(token.startswith(wanted.rstrip("*")) for token in tokens)
    if wanted.startswith("*"):
        return any(token.endswith(wanted.lstrip("*")) for token in tokens)
    return all(part in tokens for part in wanted.split())
