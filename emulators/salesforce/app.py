"""The emulated Salesforce: the door (token, allowance), the resources behind it, and outbound messages."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.salesforce.bulk import BulkJobs
from emulators.salesforce.cursors import Queries
from emulators.salesforce.errors import ApiError, malformed, no_such_type, not_found, session_expired
from emulators.salesforce.org import Org
from emulators.salesforce.outbound import OutboundMessages
from emulators.salesforce.rows import Rows, describe
from emulators.salesforce.schema import KINDS, Kind, find_kind
from emulators.salesforce.sessions import DAILY_CALLS, Allowance, LoginError, Sessions, request_limit
from emulators.salesforce.values import Record
from emulators.vendor import Surroundings

TOKEN_PATH = "/services/oauth2/token"
VERSIONS = range(31, 68)
MAX_URI = 16_384  # bytes of path and query
RECORDED_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One resource under /services/data/vXX.0/. `operation` is its label in the journal and for faults."""

    operation: str
    method: str
    pattern: re.Pattern[str]


def _route(operation: str, method: str, pattern: str) -> Route:
    return Route(operation, method, re.compile(pattern + "/?"))


ROUTES = (
    _route("query", "GET", "query"),
    _route("query_all", "GET", "queryAll"),
    _route("query_more", "GET", "(?:query|queryAll)/([^/]+)"),
    _route("limits", "GET", "limits"),
    _route("describe_global", "GET", "sobjects"),
    _route("describe", "GET", "sobjects/([^/]+)/describe"),
    _route("row_create", "POST", "sobjects/([^/]+)"),
    _route("row_read", "GET", "sobjects/([^/]+)/([^/]+)"),
    _route("row_update", "PATCH", "sobjects/([^/]+)/([^/]+)"),
    _route("collections_update", "PATCH", "composite/sobjects"),
    _route("collections_create", "POST", "composite/sobjects"),
    _route("bulk_query_create", "POST", "jobs/query"),
    _route("bulk_query_state", "GET", "jobs/query/([^/]+)"),
    _route("bulk_query_results", "GET", "jobs/query/([^/]+)/results"),
    _route("bulk_ingest_create", "POST", "jobs/ingest"),
    _route("bulk_ingest_upload", "PUT", "jobs/ingest/([^/]+)/batches"),
    _route("bulk_ingest_close", "PATCH", "jobs/ingest/([^/]+)"),
    _route("bulk_ingest_state", "GET", "jobs/ingest/([^/]+)"),
    _route("bulk_ingest_results", "GET", "jobs/ingest/([^/]+)/(successfulResults|failedResults|unprocessedrecords)"),
)


class Salesforce:
    """One org at https://{domain}.salesforce.com.

    `daily_calls` is the 24-hour allowance; a token lasts `session_lifetime`, or `session_calls` calls if given;
    `cursor_lifetime` is how long a query's next page can be fetched; `bulk_polls` is how many looks a bulk job takes
    to finish; `cascade_opportunities` moves open deals with their account's owner.
    """

    name = "salesforce"
    hosts: tuple[str, ...] = ("*.my.salesforce.com",)

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        daily_calls: int = DAILY_CALLS,
        session_lifetime: timedelta = timedelta(hours=2),
        session_calls: int | None = None,
        cursor_lifetime: timedelta = timedelta(minutes=15),
        bulk_polls: int = 2,
        cascade_opportunities: bool = False,
    ) -> None:
        now = surroundings.now
        self._surroundings, self._access, self._user_id = surroundings, {"domain": ""}, ""
        self._outbound = OutboundMessages(surroundings.deliver)
        self.org = Org(now, self._outbound.heard, cascade_opportunities=cascade_opportunities)
        self._sessions, self._allowance = Sessions(now, session_lifetime, session_calls), Allowance(daily_calls)
        self._queries = Queries(self.org, now, cursor_lifetime)
        self._rows = Rows(self.org, lambda: self._user_id, self._row_is_locked)
        self._bulk = BulkJobs(self.org, now, lambda: self._user_id, bulk_polls)
        self._turn = threading.Lock()  # a call, an edit and a snapshot come from different threads
        self.app: Starlette = exchange_app(self, surroundings)

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["salesforce"]: domain, client_id, client_secret, the lists of records, and in
        `lead_rule_owner` whom the active assignment rule gives leads to."""
        own = world["salesforce"]
        self._access = {name: own[name] for name in ("domain", "client_id", "client_secret")}
        self.org.load(own)
        self._user_id = own.get("integration_user") or world.get("truth", {}).get("integration_user") or _anyone(own)
        self._outbound.domain = self._access["domain"]

    def subscribe(self, url: str) -> None:
        """Send an outbound message to this loopback URL whenever an account or a lead is written."""
        self._outbound.url = url

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """A person or a legacy integration writes: {"object", "id", "fields", "by"}, or with "action" create
        ("object", "fields"), delete or undelete ("object", "id"), merge ("object", "id", "into": the master), convert
        ("object", "id", "account": the account a lead becomes part of). Raises `RowError` for what Salesforce refuses.
        """
        kind = find_kind(command["object"])
        if kind is None:
            raise LookupError(f"no object {command['object']}")
        by, action = command.get("by") or self._user_id, command.get("action", "update")
        with self._turn:
            written = dict(self._edit(kind, action, command, by))
            self._outbound.flush()
        return written

    def snapshot(self) -> dict[str, Any]:
        """Every record by object and id."""
        with self._turn:
            return {name: {key: dict(row) for key, row in table.items()} for name, table in self.org.tables.items()}

    def operation(self, call: Call) -> str:
        if call.path == TOKEN_PATH:
            return "token"
        found = _find(call)
        return found[0].operation if found else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Salesforce knows comes back as its body, none is raised."""
        with self._turn:
            return self._answered(call)

    def _answered(self, call: Call) -> Reply:
        try:
            if call.path == TOKEN_PATH:
                return self._log_in(call)
            if call.path.rstrip("/") == "/services/data":
                return _dressed(Reply(200, _versions()))
            reply = self._answer(call)
        except ApiError as error:
            reply = Reply(error.status, error.body)
        self._outbound.flush()
        return _dressed(reply, self._allowance.header())

    def failure(self, status: int) -> Reply:
        """Salesforce's own body for a failure that was asked for."""
        if status == 401:
            error = session_expired()
        elif status == 403:
            error = request_limit()
        elif status == 503:
            error = ApiError(503, "SERVER_UNAVAILABLE", "Server Temporarily Unavailable")
        else:
            error = ApiError(status, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")
        return _dressed(Reply(status, error.body), self._allowance.header())

    def expire_token(self) -> None:
        """Refuse every token issued so far."""
        self._sessions.expire_all()

    def expire_cursors(self) -> None:
        """Close every open query."""
        self._queries.forget_all()

    def _log_in(self, call: Call) -> Reply:
        if call.method != "POST":
            return _dressed(Reply(405, {"error": "invalid_request", "error_description": "must use HTTP POST"}))
        try:
            return _dressed(Reply(200, self._sessions.issue(self._access, call.headers, call.body, self._user_id)))
        except LoginError as error:
            return _dressed(Reply(400, error.body))

    def _answer(self, call: Call) -> Reply:
        if len(call.path) + len(call.query) > MAX_URI:
            return Reply(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", {"Content-Type": "text/html"})
        self._sessions.check(call.headers)
        self._allowance.count()
        found = _find(call)
        if (
            found is None
            or call.headers.get("host", "").partition(":")[0] != f"{self._access['domain']}.salesforce.com"
        ):
            raise not_found()
        route, version, names = found
        answer: Callable[..., Reply] = getattr(self, f"_{route.operation}")
        return answer(call, version, *names)

    def _query(self, call: Call, version: str) -> Reply:
        return self._queries.query(_soql(call), version, include_deleted=False)

    def _query_all(self, call: Call, version: str) -> Reply:
        return self._queries.query(_soql(call), version, include_deleted=True)

    def _query_more(self, _: Call, version: str, locator: str) -> Reply:
        return self._queries.more(locator, version)

    def _limits(self, _: Call, __: str) -> Reply:
        left = self._allowance.daily_calls - self._allowance.used
        return Reply(200, {"DailyApiRequests": {"Max": self._allowance.daily_calls, "Remaining": left}})

    def _describe_global(self, _: Call, __: str) -> Reply:
        return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [{"name": k.name} for k in KINDS]})

    def _describe(self, _: Call, __: str, kind: str) -> Reply:
        return Reply(200, describe(_kind(kind)))

    def _row_create(self, call: Call, _: str, kind: str) -> Reply:
        return self._rows.post(_kind(kind), _json(call), call.headers)

    def _row_read(self, call: Call, version: str, kind: str, record_id: str) -> Reply:
        return self._rows.read(_kind(kind), record_id, version, call.headers)

    def _row_update(self, call: Call, _: str, kind: str, record_id: str) -> Reply:
        return self._rows.patch(_kind(kind), record_id, _json(call), call.headers)

    def _collections_update(self, call: Call, _: str) -> Reply:
        return self._rows.update_collection(_json(call), call.headers)

    def _collections_create(self, call: Call, _: str) -> Reply:
        return self._rows.create_collection(_json(call), call.headers)

    def _bulk_query_create(self, call: Call, version: str) -> Reply:
        return self._bulk.create_query(_json(call), version)

    def _bulk_query_state(self, _: Call, __: str, job_id: str) -> Reply:
        return self._bulk.query_state(job_id)

    def _bulk_query_results(self, call: Call, _: str, job_id: str) -> Reply:
        asked = parse_qs(call.query)
        return self._bulk.query_results(job_id, asked.get("locator", [""])[0], asked.get("maxRecords", [""])[0])

    def _bulk_ingest_create(self, call: Call, version: str) -> Reply:
        return self._bulk.create_ingest(_json(call), version)

    def _bulk_ingest_upload(self, call: Call, _: str, job_id: str) -> Reply:
        return self._bulk.upload(job_id, call.body)

    def _bulk_ingest_close(self, call: Call, _: str, job_id: str) -> Reply:
        return self._bulk.close_ingest(job_id, _json(call))

    def _bulk_ingest_state(self, _: Call, __: str, job_id: str) -> Reply:
        return self._bulk.ingest_state(job_id)

    def _bulk_ingest_results(self, _: Call, __: str, job_id: str, which: str) -> Reply:
        return self._bulk.ingest_results(job_id, which)

    def _edit(self, kind: Kind, action: str, command: dict[str, Any], by: str) -> Record:
        if action == "create":
            return self.org.create(kind, command["fields"], by)
        if action == "delete":
            return self.org.delete(kind, command["id"], by)
        if action == "undelete":
            return self.org.undelete(kind, command["id"], by)
        if action == "merge":
            return self.org.merge(kind, command["into"], command["id"], by)
        if action == "convert":
            return self.org.convert(kind, command["id"], command["account"], by)
        return self.org.update(kind, command["id"], command["fields"], by)

    def _row_is_locked(self) -> bool:
        """Faults of the operation "row" are counted row by row, over all collections writes."""
        fault = self._surroundings.faults.next(self.name, "row")
        return fault is not None and fault.kind == "row_lock"


def _find(call: Call) -> tuple[Route, str, tuple[str, ...]] | None:
    under = re.fullmatch(r"/services/data/(v(\d\d)\.0)/(.+)", call.path)
    if under is None or int(under[2]) not in VERSIONS:
        return None
    for route in ROUTES:
        found = route.pattern.fullmatch(under[3])
        if route.method == call.method and found:
            return route, under[1], found.groups()
    return None


def _dressed(reply: Reply, extra: dict[str, str] | None = None) -> Reply:
    content = {} if reply.body is None else {"Content-Type": "application/json;charset=UTF-8"}
    return Reply(
        reply.status, reply.body, {**RECORDED_HEADERS, **content, **reply.headers, **(extra or {})}, reply.rows
    )


def _kind(name: str) -> Kind:
    kind = find_kind(name)
    if kind is None:
        raise not_found() if name.islower() else no_such_type(name)
    return kind


def _soql(call: Call) -> str:
    asked = parse_qs(call.query).get("q")
    if not asked:
        raise malformed("A query string has to be specified")
    return asked[0]


def _json(call: Call) -> Any:
    try:
        return json.loads(call.body)
    except ValueError as error:
        raise ApiError(400, "JSON_PARSER_ERROR", f"Unexpected character in the body: {error}") from error


def _versions() -> list[dict[str, str]]:
    return [{"label": f"Release {n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in VERSIONS]


def _anyone(own: dict[str, Any]) -> str:
    return str(next(user["Id"] for user in own["users"] if user["IsActive"]))
