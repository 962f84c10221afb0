"""Which paths Zendesk knows here, each with the operation it names and the scopes that open it.

`.json` at the end may be left out. Only organisations and users have scopes of their own; the rest opens to the general
`read` (OAuth Tokens, "Resources that can be scoped").
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is the handler; any one of `scopes` is enough."""

    name: str
    method: str
    pattern: re.Pattern[str]
    scopes: tuple[str, ...]


def _operation(name: str, method: str, path: str, *scopes: str) -> Operation:
    return Operation(name, method, re.compile(rf"/api/v2/{path}(?:\.json)?"), scopes)


READ, WRITE = ("organizations:read", "read"), ("organizations:write", "write")
# In order: a fixed word must be tried before an id.
OPERATIONS = (
    _operation("export_organizations", "GET", "incremental/organizations", *READ),
    _operation("show_many_organizations", "GET", "organizations/show_many", *READ),
    _operation("update_many_organizations", "PUT", "organizations/update_many", *WRITE),
    _operation("list_organizations", "GET", "organizations", *READ),
    _operation("show_organization", "GET", r"organizations/(?P<id>\d+)", *READ),
    _operation("update_organization", "PUT", r"organizations/(?P<id>\d+)", *WRITE),
    _operation("list_organization_fields", "GET", "organization_fields", "read"),
    _operation("show_many_users", "GET", "users/show_many", "users:read", "read"),
    _operation("list_users", "GET", "users", "users:read", "read"),
    _operation("show_many_job_statuses", "GET", "job_statuses/show_many", "read"),
    _operation("show_job_status", "GET", r"job_statuses/(?P<id>\w+)", "read"),
)
TOKENS = Operation("create_token", "POST", re.compile("/oauth/tokens(?:.json)?"), ())


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation of this call and what its path names (`id`)."""
    for operation in (TOKENS, *OPERATIONS):
        match = operation.pattern.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match.groupdict()
    return None
