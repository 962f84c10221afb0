"""Which paths HubSpot knows: the v3/v4 paths and the date-based ones, each with the operation it names.

A call is journalled under its operation, the same for both spellings of a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DATED = "2026-03"
OBJECTS = rf"/crm/(?:v3/objects|objects/{DATED})"
LINKS = rf"/crm/(?:v4/objects|objects/{DATED})"
LINKS_IN_BULK = rf"/crm/(?:v4/associations|associations/{DATED})"
OWNERS = rf"/crm/(?:v3/owners|owners/{DATED})"
KIND, ID = r"(?P<kind>[\w-]+)", r"(?P<id>[^/]+)"


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is the handler; `writes` decides the scope the token needs."""

    name: str
    method: str
    pattern: re.Pattern[str]
    writes: bool = False


def _operation(name: str, method: str, pattern: str, writes: bool = False) -> Operation:
    return Operation(name, method, re.compile(pattern + "/?"), writes)


# In order: a fixed word ("search", "batch") must be tried before an id.
OPERATIONS = (
    _operation("search", "POST", rf"{OBJECTS}/{KIND}/search"),
    _operation("batch_read", "POST", rf"{OBJECTS}/{KIND}/batch/read"),
    _operation("batch_update", "POST", rf"{OBJECTS}/{KIND}/batch/update", True),
    _operation("merge", "POST", rf"{OBJECTS}/{KIND}/merge", True),
    _operation("list_records", "GET", rf"{OBJECTS}/{KIND}"),
    _operation("create", "POST", rf"{OBJECTS}/{KIND}", True),
    _operation("get", "GET", rf"{OBJECTS}/{KIND}/{ID}"),
    _operation("update", "PATCH", rf"{OBJECTS}/{KIND}/{ID}", True),
    _operation("archive", "DELETE", rf"{OBJECTS}/{KIND}/{ID}", True),
    _operation(
        "associate", "PUT", rf"{LINKS}/{KIND}/{ID}/associations/default/(?P<end>[\w-]+)/(?P<end_id>[^/]+)", True
    ),
    _operation("associations_read", "POST", rf"{LINKS_IN_BULK}/{KIND}/(?P<end>[\w-]+)/batch/read"),
    _operation("associations", "GET", rf"{LINKS}/{KIND}/{ID}/associations/(?P<end>[\w-]+)"),
    _operation("list_owners", "GET", OWNERS),
    _operation("get_owner", "GET", rf"{OWNERS}/{ID}"),
)


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation of this call and what its path names (`kind`, `id`, `end`, `end_id`)."""
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match.groupdict()
    return None
