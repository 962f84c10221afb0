"""The operations behind the door: what each reads from a call and the body it answers with.

Pages: cursor pagination of lists (`page[size]` up to 100, `page[after]`), and the time-based export of organisations,
which takes an epoch second, gives the oldest changes first, leaves out the last minute, and ends each page at the
instant of its last row (Using the Incremental Export API). Two things about it are unverified and played the hard way:
a page never holds more than its size, so that more changes within one second than that cannot be passed; and what was
deleted does not appear.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emulators.exchange import Reply
from emulators.zendesk.account import Account, Row, job_body
from emulators.zendesk.errors import no_such_record, problem

MOST_IDS = 100
EXPORT_PAGE = 1_000
EXPORT_LAG = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Request:
    """A call that may be made: `base` is scheme and host, `names` what the path names."""

    base: str
    names: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: bytes

    def one(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[-1] if values else None

    def json(self, key: str, kind: type) -> Any:
        """The part of the body under `key`. Raises `ZendeskError` 400."""
        try:
            body = json.loads(self.body)
        except ValueError:
            raise problem(400, "InvalidRequest", "The request body is not valid JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get(key), kind):
            raise problem(400, "ParamRequired", f"Parameter {key} is required")
        return body[key]


class Operations:
    """The operations over one account."""

    def __init__(self, account: Account, now: Callable[[], datetime], export_page: int) -> None:
        self._account, self._now, self._export_page = account, now, export_page

    def export_organizations(self, request: Request) -> Reply:
        start = request.one("start_time")
        if start is None or not start.isdecimal():
            raise problem(400, "InvalidValue", "start_time is required, as an epoch second")
        latest = int((self._now() - EXPORT_LAG).timestamp())
        if int(start) > latest:
            raise problem(422, "StartTimeTooRecent", "Too recent start_time. Use a start_time older than 1 minute")
        found = sorted(
            (row for row in self._account.organizations.values() if int(start) <= epoch(row) <= latest),
            key=lambda row: (epoch(row), row["id"]),
        )
        page = found[: self._export_page]
        end = epoch(page[-1]) if page else None
        following = f"{request.base}/api/v2/incremental/organizations.json?start_time={end}" if page else None
        body = {"organizations": page, "count": len(page), "end_of_stream": len(page) == len(found)}
        return Reply(200, {**body, "end_time": end, "next_page": following}, rows=len(page))

    def list_organizations(self, request: Request) -> Reply:
        return _listed("organizations", self._account.organizations.values(), request)

    def list_organization_fields(self, request: Request) -> Reply:
        return _listed("organization_fields", self._account.fields.values(), request)

    def list_users(self, request: Request) -> Reply:
        roles = [*request.query.get("role[]", []), *request.query.get("role", [])]
        users = (user for user in self._account.users.values() if user["active"])  # deleted ones are not listed
        return _listed("users", (user for user in users if not roles or user["role"] in roles), request)

    def show_many_organizations(self, request: Request) -> Reply:
        return _shown("organizations", self._account.organizations, request)

    def show_many_users(self, request: Request) -> Reply:
        return _shown("users", self._account.users, request)

    def show_organization(self, request: Request) -> Reply:
        row = self._account.organizations.get(int(request.names["id"]))
        if row is None:
            raise no_such_record()
        return Reply(200, {"organization": row}, rows=1)

    def update_organization(self, request: Request) -> Reply:
        row = self._account.update(int(request.names["id"]), request.json("organization", dict))
        return Reply(200, {"organization": row}, rows=1)

    def update_many_organizations(self, request: Request) -> Reply:
        rows = request.json("organizations", list)
        if len(rows) > MOST_IDS:
            raise problem(400, "TooManyValues", f"Use at most {MOST_IDS} organizations")
        if not all(isinstance(row, dict) and isinstance(row.get("id"), int) for row in rows):
            raise problem(400, "ParamRequired", "Each organization needs an id")
        return Reply(200, {"job_status": job_body(self._account.start_job(rows), request.base)}, rows=len(rows))

    def show_many_job_statuses(self, request: Request) -> Reply:
        ids = [id_ for id_ in (request.one("ids") or "").split(",") if id_ in self._account.jobs]
        return Reply(200, {"job_statuses": [job_body(self._account.jobs[id_], request.base) for id_ in ids]})

    def show_job_status(self, request: Request) -> Reply:
        job = self._account.jobs.get(request.names["id"])
        if job is None:
            raise no_such_record()
        return Reply(200, {"job_status": job_body(job, request.base)})


def epoch(row: Row) -> int:
    return int(datetime.strptime(row["updated_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def _listed(key: str, rows: Iterable[Row], request: Request) -> Reply:
    size = request.one("page[size]")
    if size is None or not size.isdecimal() or not 0 < int(size) <= MOST_IDS:
        raise problem(400, "InvalidPaginationParameter", f"page[size] must be between 1 and {MOST_IDS}")
    after = request.one("page[after]")
    found = [row for row in sorted(rows, key=lambda row: int(row["id"])) if int(row["id"]) > int(after or 0)]
    page = found[: int(size)]
    more = len(page) < len(found)
    meta = {"has_more": more, "after_cursor": str(page[-1]["id"]) if page else None, "before_cursor": None}
    return Reply(200, {key: page, "meta": meta, "links": {"next": None, "prev": None}}, rows=len(page))


def _shown(key: str, records: Mapping[int, Row], request: Request) -> Reply:
    """Those of `ids` that exist, in no promised order; the others are left out."""
    ids = (request.one("ids") or "").split(",")
    if len(ids) > MOST_IDS or not all(id_.isdecimal() for id_ in ids):
        raise problem(400, "InvalidValue", f"ids must be up to {MOST_IDS} ids")
    found = [records[id_] for id_ in sorted({int(id_) for id_ in ids}) if id_ in records]
    body = {key: found, "count": len(found), "next_page": None, "previous_page": None}
    return Reply(200, body, rows=len(found))
