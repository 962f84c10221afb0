"""Reading a list call's query: which parameters each list takes, their bounds, and Stripe's bracket notation.

`created[gte]=5`, `types[]=a`, `types[0]=a` and `expand[0]=data.customer` are all in use by real clients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulators.stripe.errors import bad_parameter, unknown_parameter

MAX_LIMIT, DEFAULT_LIMIT = 100, 10
MAX_EVENT_TYPES = 20
BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "gte": lambda created, bound: created >= bound,
    "gt": lambda created, bound: created > bound,
    "lte": lambda created, bound: created <= bound,
    "lt": lambda created, bound: created < bound,
}
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand", "created"})
LISTS = {
    "customers": PAGING | {"email"},
    "subscriptions": PAGING | {"status", "customer"},
    "events": PAGING | {"type", "types"},
}
STATUSES = {
    "active", "past_due", "unpaid", "canceled", "incomplete", "incomplete_expired", "trialing", "paused",
    "all", "ended",
}  # fmt: skip


@dataclass(slots=True)
class ListQuery:
    """One list call. `created` holds (operator, epoch seconds); `plain` the filters specific to one list."""

    limit: int = DEFAULT_LIMIT
    starting_after: str = ""
    ending_before: str = ""
    created: list[tuple[str, int]] = field(default_factory=list)
    expand: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    plain: dict[str, str] = field(default_factory=dict)

    def admits(self, created: int) -> bool:
        """Whether an object created at this epoch second is asked for."""
        return all(BOUNDS[operator](created, bound) for operator, bound in self.created)


def read_list(name: str, query: Iterable[tuple[str, str]]) -> ListQuery:
    """Raises `StripeError` 400 for an unknown parameter or a bad value."""
    asked = ListQuery()
    for key, value in query:
        base, inner = _split(key)
        if base not in LISTS[name]:
            raise unknown_parameter(key)
        _take(asked, key, base, inner, value)
    if asked.starting_after and asked.ending_before:
        raise bad_parameter("ending_before", "You can only specify one of starting_after and ending_before.")
    if asked.types and "type" in asked.plain:
        raise bad_parameter("types", "You may only specify one of these parameters: type, types.")
    if len(asked.types) > MAX_EVENT_TYPES:
        raise bad_parameter("types", f"You may specify at most {MAX_EVENT_TYPES} types.")
    return asked


def read_expand(query: Iterable[tuple[str, str]]) -> list[str]:
    """The `expand[]` of a call that takes nothing else."""
    wanted = []
    for key, value in query:
        if _split(key)[0] != "expand":
            raise unknown_parameter(key)
        wanted.append(value)
    return wanted


def _split(key: str) -> tuple[str, str | None]:
    match = re.fullmatch(r"(\w+)\[(\w*)\]", key)
    return (match[1], match[2]) if match else (key, None)


def _take(asked: ListQuery, key: str, base: str, inner: str | None, value: str) -> None:
    if base in ("expand", "types"):
        if inner is None:
            raise bad_parameter(base, "Invalid array")
        getattr(asked, base).append(value)
    elif base == "created":
        if inner is not None and inner not in BOUNDS:
            raise unknown_parameter(key)
        asked.created += [(inner, _whole(key, value))] if inner else [("gte", _whole(key, value)), ("lte", int(value))]
    elif inner is not None:
        raise unknown_parameter(key)
    elif base == "limit":
        asked.limit = _limit(value)
    elif base in ("starting_after", "ending_before"):
        setattr(asked, base, value)
    else:
        asked.plain[base] = _choice(base, value)


def _choice(name: str, value: str) -> str:
    if name == "status" and value not in STATUSES:
        raise bad_parameter("status", f"Invalid status: must be one of {', '.join(sorted(STATUSES))}")
    return value


def _whole(name: str, value: str) -> int:
    if not re.fullmatch(r"-?\d+", value):
        raise bad_parameter(name, f"Invalid integer: {value}", "parameter_invalid_integer")
    return int(value)


def _limit(value: str) -> int:
    limit = _whole("limit", value)
    if limit > MAX_LIMIT:
        message = f"This value must be less than or equal to {MAX_LIMIT}."
        raise bad_parameter("limit", message, "parameter_invalid_integer")
    if limit < 1:
        raise bad_parameter("limit", "This value must be greater than or equal to 1.", "parameter_invalid_integer")
    return limit
