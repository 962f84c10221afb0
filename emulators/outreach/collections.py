"""Outreach's collections: filters, sorting and pages of resources. Nothing is changed here.

Both filter syntaxes of the developer pages: `filter[id]=1,2,3`, `filter[updatedAt]=A..inf`, and the newer
`filter[id][]=1&filter[id][]=2`, `filter[updatedAt][gte]=A`. What the OpenAPI description does not call filterable or
sortable is refused. Cursors are opaque; pages by offset end at 10,000.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote

from emulators.outreach.errors import bad_request, invalid

Resource = dict[str, Any]
Test = Callable[[Resource], bool]
Order = list[tuple[str, bool]]  # attribute, and whether backwards

DEFAULT_PAGE, LARGEST_PAGE, LARGEST_OFFSET = 50, 1_000, 10_000
# What the description calls filterable is what it calls sortable, for these.
USABLE = {
    "account": {"id", "buyerIntentScore", "createdAt", "customId", "domain", "name", "named", "touchedAt", "updatedAt"},
    "user": {"id", "createdAt", "email", "firstName", "lastName", "locked", "updatedAt", "username"},
    "batchItem": {"id", "batchId", "failed", "state"},
}
PLAIN = {"sort", "count", "newFilterSyntax", "page[size]", "page[after]", "page[limit]", "page[offset]"}


def page_of(kind: str, address: str, resources: Iterable[Resource], query: str) -> dict[str, Any]:
    """The answer to a GET of a collection. Raises `OutreachError` for a query that Outreach would not take."""
    asked = parse_qsl(query, keep_blank_values=True)
    for name, _ in asked:
        if name not in PLAIN and not name.startswith("filter["):
            raise bad_request(f"Unexpected query parameter '{name}'.")
    plain = dict(asked)
    tests = filters(kind, [(name, value) for name, value in asked if name.startswith("filter[")])
    rows = [resource for resource in resources if all(test(resource) for test in tests)]
    order = _order(kind, plain.get("sort", "id"))
    rows.sort(key=lambda resource: int(resource["id"]))
    for field, backwards in reversed(order):
        rows.sort(key=lambda resource: sortable(resource, field), reverse=backwards)
    if "page[offset]" in plain or "page[limit]" in plain:
        return _by_offset(rows, plain)
    return _by_cursor(address, rows, order, asked)


def filters(kind: str, asked: Iterable[tuple[str, str]]) -> list[Test]:
    """What each `filter[…]` lets through. Several values of one attribute in the newer syntax mean any of them."""
    lists: dict[str, set[str]] = {}
    tests: list[Test] = []
    for name, value in asked:
        match = re.fullmatch(r"filter\[(\w+)\](?:\[(\w*)\])?", name)
        if match is None:
            raise invalid(f"'{name}' is not a filter.")
        field, how = match[1], match[2]
        if field == "owner" and kind == "account" and how == "id":
            tests.append(partial(_owned_by, value))
        elif field not in USABLE[kind]:
            raise invalid(f"'{field}' cannot be used as a filter.")
        elif how == "":
            lists.setdefault(field, set()).add(value)
        else:
            tests.append(_test(field, how, value))
    return tests + [partial(_is_one_of, field, frozenset(wanted)) for field, wanted in lists.items()]


def _test(field: str, how: str | None, value: str) -> Test:
    if how in ("gte", "lte"):
        low, high = (value, "inf") if how == "gte" else ("neginf", value)
        return lambda resource: _within(_text(resource, field), low, high)
    if how is not None:
        raise invalid(f"'{how}' is not an operator.")
    if ".." in value:
        low, _, high = value.partition("..")
        return lambda resource: _within(_text(resource, field), low, high)
    return partial(_is_one_of, field, frozenset(value.split(",")))


def _within(text: str, low: str, high: str) -> bool:
    """Instants in ISO 8601 with "Z" compare as text."""
    return bool(text) and (low == "neginf" or text >= low) and (high == "inf" or text <= high)


def _text(resource: Resource, field: str) -> str:
    value = resource["id"] if field == "id" else resource["attributes"].get(field)
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _is_one_of(field: str, wanted: frozenset[str], resource: Resource) -> bool:
    return _text(resource, field) in wanted


def _owned_by(wanted: str, resource: Resource) -> bool:
    data = resource["relationships"]["owner"]["data"]
    return (str(data["id"]) if data else "") == wanted


def _order(kind: str, text: str) -> Order:
    fields = [(name.removeprefix("-"), name.startswith("-")) for name in text.split(",")]
    for field, _ in fields:
        if field not in USABLE[kind]:
            raise invalid(f"'{field}' cannot be used to sort.")
    return fields


def sortable(resource: Resource, field: str) -> Any:
    """Numbers by size, everything else as text; unset values first."""
    return int(resource["id"]) if field == "id" else _text(resource, field)


def _by_cursor(address: str, rows: list[Resource], order: Order, asked: list[tuple[str, str]]) -> Resource:
    plain = dict(asked)
    size = _number(plain.get("page[size]", str(DEFAULT_PAGE)), "page[size]")
    if not 1 <= size <= LARGEST_PAGE:
        raise invalid(f"page[size] must be between 1 and {LARGEST_PAGE}.")
    start = _after(rows, plain["page[after]"], order) if plain.get("page[after]") else 0
    page = rows[start : start + size]
    body: Resource = {"data": page}
    # Applications registered since 2024-10-13 have to ask for a count.
    if plain.get("count") == "true":
        body["meta"] = {"count": len(rows), "count_truncated": False}
    if start + size < len(rows):
        kept = [(name, value) for name, value in asked if name != "page[after]"]
        pairs = [*kept, ("page[after]", _cursor(page[-1], order))]
        following = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
        body["links"] = {"next": f"{address}?{following}"}
    return body


def _cursor(last: Resource, order: Order) -> str:
    place = json.dumps([*(sortable(last, field) for field, _ in order), last["id"]])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _after(rows: list[Resource], cursor: str, order: Order) -> int:
    """How many rows stand up to the cursor's place; the row that it was taken from may have moved since."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise invalid("page[after] is not a cursor.") from None
    if not isinstance(place, list) or len(place) != len(order) + 1:
        raise invalid("page[after] is not a cursor of this order.")
    return sum(_not_beyond(row, place, order) for row in rows)


def _not_beyond(row: Resource, place: list[Any], order: Order) -> bool:
    for (field, backwards), at in zip(order, place, strict=False):
        value = sortable(row, field)
        if value != at:
            return bool((value < at) != backwards)
    return bool(row["id"] <= place[-1])


def _by_offset(rows: list[Resource], plain: Mapping[str, str]) -> Resource:
    limit = _number(plain.get("page[limit]", str(DEFAULT_PAGE)), "page[limit]")
    offset = _number(plain.get("page[offset]", "0"), "page[offset]")
    if not 1 <= limit <= LARGEST_PAGE:
        raise invalid(f"page[limit] must be between 1 and {LARGEST_PAGE}.")
    if offset > LARGEST_OFFSET:
        raise invalid(f"page[offset] must not be larger than {LARGEST_OFFSET}.")
    return {"data": rows[offset : offset + limit]}


def _number(text: str, name: str) -> int:
    if not text.isdecimal():
        raise invalid(f"{name} must be a number.")
    return int(text)
