"""The operations behind the door: which paths there are, the permission each needs, and what each answers.

Pages: up to 300 rows, with `moreResult` and a `nextPageToken` that means nothing to anybody else. A token of the log
stands for a date, or for a place in the log; the log is read page by page and then filtered, so that a page may be
short or empty although more follows ("Activities"). Whether a date token includes its own second is unverified: here it
does not.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from emulators.exchange import Reply
from emulators.marketo.database import DELETED_LEAD, Activity, Database, Row, stamp
from emulators.marketo.errors import MarketoError

MOST_ROWS = 300
MOST_USERS = 200
DEFAULT_FIELDS = ("id", "email", "updatedAt", "createdAt", "firstName", "lastName")
LEADS, ACTIVITIES, USERS = "Read-Only Lead", "Read-Only Activity", "Access User Management Api"
WRITE_LEADS = "Read-Write Lead"


@dataclass(frozen=True, slots=True)
class Operation:
    """`name` is the handler. `permission` is one of the role of the API-only user."""

    name: str
    method: str
    pattern: re.Pattern[str]
    permission: str


OPERATIONS = tuple(
    Operation(name, method, re.compile(pattern), permission)
    for name, method, pattern, permission in (
        ("get_leads", "GET", r"/rest/v1/leads\.json", LEADS),
        ("sync_leads", "POST", r"/rest/v1/leads\.json", WRITE_LEADS),
        ("describe_leads", "GET", r"/rest/v1/leads/describe\.json", LEADS),
        ("get_list", "GET", r"/rest/v1/list/(?P<id>\d+)/leads\.json", LEADS),
        ("get_token", "GET", r"/rest/v1/activities/pagingtoken\.json", ACTIVITIES),
        ("get_changes", "GET", r"/rest/v1/activities/leadchanges\.json", ACTIVITIES),
        ("get_deleted", "GET", r"/rest/v1/activities/deletedleads\.json", ACTIVITIES),
        ("all_users", "GET", r"/userservice/management/v1/users/allusers\.json", USERS),
    )
)


def find_operation(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """The operation of this call and what its path names (`id`)."""
    for operation in OPERATIONS:
        match = operation.pattern.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match.groupdict()
    return None


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may be made. `query` is the last value of each parameter."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def needed(self, name: str) -> str:
        if not self.query.get(name):
            raise MarketoError(701, f"{name} cannot be blank")
        return self.query[name]


class Operations:
    """The operations over one instance. `page` is how many rows a page holds."""

    def __init__(self, database: Database, users: Callable[[], list[Row]], page: int) -> None:
        self._database, self._users, self._page = database, users, page

    def get_leads(self, request: Request) -> Reply:
        kind, values = request.needed("filterType"), request.needed("filterValues").split(",")
        if kind not in ("id", "email"):
            raise MarketoError(1003, f"Invalid filterType '{kind}'")
        if len(values) > MOST_ROWS:
            raise MarketoError(1003, f"Too many values: at most {MOST_ROWS}")
        found = [lead for lead in self._database.leads.values() if str(lead[kind]) in values]
        return self._shown(found, request)

    def get_list(self, request: Request) -> Reply:
        members = self._database.lists.get(int(request.names["id"]))
        if members is None:
            raise MarketoError(1013, f"List with id {request.names['id']} not found")
        after = _place_in(request.query["nextPageToken"], "lead") if request.query.get("nextPageToken") else 0
        rest = [self._database.leads[id_] for id_ in sorted(members) if id_ > after]
        page = rest[: self._page]
        more = {"moreResult": True, "nextPageToken": _token("lead", page[-1]["id"])} if len(rest) > len(page) else {}
        return self._shown(page, request, more)

    def sync_leads(self, request: Request) -> Reply:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise MarketoError(612)
        try:
            asked = json.loads(request.body)
        except ValueError:
            raise MarketoError(609) from None
        rows = asked.get("input")
        if not isinstance(rows, list) or not rows:
            raise MarketoError(701, "input cannot be blank")
        if len(rows) > MOST_ROWS:
            raise MarketoError(1003, f"Too many records: at most {MOST_ROWS}")
        if (asked.get("action"), asked.get("lookupField")) != ("updateOnly", "id"):
            raise MarketoError(1003, "Only updateOnly by id is known here")
        return Reply(200, {"result": [self._database.sync(row) for row in rows]}, rows=len(rows))

    def describe_leads(self, _: Request) -> Reply:
        shown = [
            {
                "id": number,
                "displayName": name,
                "dataType": kind,
                "rest": {"name": name, "readOnly": name in self._database.read_only},
            }
            for number, (name, kind) in enumerate(self._database.fields.items(), start=1)
        ]
        return Reply(200, {"result": shown}, rows=len(shown))

    def get_token(self, request: Request) -> Reply:
        given = request.needed("sinceDatetime")
        try:
            since = datetime.fromisoformat(given)
        except ValueError:
            raise MarketoError(1003, f"Invalid date '{given}'") from None
        if since.tzinfo is None:
            raise MarketoError(1003, f"Invalid date '{given}'")
        after = sum(activity.at.replace(microsecond=0) <= since for activity in self._database.seen_log)
        return Reply(200, {"nextPageToken": _token("log", after)})

    def get_changes(self, request: Request) -> Reply:
        wanted = set(request.needed("fields").split(","))
        if unknown := sorted(wanted - set(self._database.fields)):
            raise MarketoError(1006, f"Field '{unknown[0]}' not found")
        return self._logged(request, lambda entry: any(name in wanted for name, _, _ in entry.fields))

    def get_deleted(self, request: Request) -> Reply:
        return self._logged(request, lambda entry: entry.type_id == DELETED_LEAD)

    def all_users(self, request: Request) -> Reply:
        """User management: a bare array, `pageSize` up to 200, `pageOffset` in entries."""
        size, offset = int(request.query.get("pageSize", "20")), int(request.query.get("pageOffset", "0"))
        if not 0 < size <= MOST_USERS:
            raise MarketoError(1003, "pageSize must be between 1 and 200", http=400)
        shown = self._users()[offset : offset + size]
        return Reply(200, shown, rows=len(shown))

    def _shown(self, leads: list[Row], request: Request, more: Row | None = None) -> Reply:
        given = request.query.get("fields")
        names = given.split(",") if given else list(DEFAULT_FIELDS)
        if unknown := [name for name in names if name not in self._database.fields]:
            raise MarketoError(1006, f"Field '{unknown[0]}' not found")
        result = [{name: lead[name] for name in dict.fromkeys(("id", *names))} for lead in leads]
        return Reply(200, {"result": result, **(more or {})}, rows=len(result))

    def _logged(self, request: Request, wanted: Callable[[Activity], bool]) -> Reply:
        after = _place_in(request.needed("nextPageToken"), "log")
        log = self._database.seen_log
        taken = log[after : after + self._page]
        shown = [_activity(entry) for entry in taken if wanted(entry)]
        end = after + len(taken)
        more = {"nextPageToken": _token("log", end), "moreResult": end < len(log)}
        # An empty page leaves `result` out (from memory, unverified).
        return Reply(200, {**({"result": shown} if shown else {}), **more}, rows=len(shown))


def _activity(entry: Activity) -> Row:
    fields = [{"id": 0, "name": name, "newValue": new, "oldValue": old} for name, old, new in entry.fields]
    shown: Row = {
        "id": entry.id,
        "marketoGUID": str(entry.id),
        "leadId": entry.lead_id,
        "activityDate": stamp(entry.at),
        "activityTypeId": entry.type_id,
        "attributes": [],
    }
    return shown | ({"primaryAttributeValueId": entry.lead_id} if entry.type_id == DELETED_LEAD else {"fields": fields})


def _token(kind: str, place: int) -> str:
    return base64.b32encode(f"{kind}:{place}".encode()).decode()


def _place_in(token: str, kind: str) -> int:
    try:
        found, _, place = base64.b32decode(token).decode().partition(":")
    except (binascii.Error, ValueError):
        found, place = "", ""
    if found != kind or not place.isdecimal():
        raise MarketoError(1003, "Invalid nextPageToken")
    return int(place)
