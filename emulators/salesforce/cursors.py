"""Query results page by page, behind locators that do not last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulators.exchange import Reply
from emulators.salesforce.errors import ApiError
from emulators.salesforce.org import Org
from emulators.salesforce.selection import Selection
from emulators.salesforce.soql import parse_soql
from emulators.world.ids import salesforce_id

PAGE = 2_000
OPEN_CURSORS = 10  # of one user; opening another closes the oldest
LIFETIME = timedelta(minutes=15)


@dataclass(slots=True)
class _Cursor:
    selection: Selection
    ids: list[str]
    until: datetime


class Queries:
    """REST queries. A cursor fixes which records are in the result; what they say is read when the page is."""

    def __init__(self, org: Org, now: Callable[[], datetime], lifetime: timedelta = LIFETIME) -> None:
        self._org, self._now, self._lifetime = org, now, lifetime
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()
        self._opened = 0

    def query(self, soql: str, version: str, *, include_deleted: bool) -> Reply:
        """The first page. Raises `ApiError`."""
        parsed = parse_soql(soql)
        selection = Selection(self._org, parsed)
        records = selection.run(include_deleted=include_deleted)
        if not parsed.paths:
            return Reply(200, {"totalSize": len(records), "done": True, "records": []})
        cursor = _Cursor(selection, [record["Id"] for record in records], self._now() + self._lifetime)
        name = ""
        if len(records) > PAGE:
            name = self._open(cursor)
        return self._page(name, cursor, 0, version)

    def more(self, locator: str, version: str) -> Reply:
        """The page a `nextRecordsUrl` points at ("01g…-2000"). Raises `ApiError` when the cursor is gone."""
        name, _, offset = locator.rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or self._now() >= cursor.until or not offset.isdigit() or int(offset) >= len(cursor.ids):
            raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(name, cursor, int(offset), version)

    def forget_all(self) -> None:
        """Close every cursor, as a release or a restart does."""
        self._cursors.clear()

    def _open(self, cursor: _Cursor) -> str:
        self._opened += 1
        name = salesforce_id("01g", self._opened)
        self._cursors[name] = cursor
        while len(self._cursors) > OPEN_CURSORS:
            self._cursors.popitem(last=False)
        return name

    def _page(self, name: str, cursor: _Cursor, offset: int, version: str) -> Reply:
        end = offset + PAGE
        table = self._org.rows(cursor.selection.kind)
        shown = [cursor.selection.shape(table[record_id], version) for record_id in cursor.ids[offset:end]]
        done = end >= len(cursor.ids)
        body: dict[str, Any] = {"totalSize": len(cursor.ids), "done": done}
        if not done:
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        body["records"] = shown
        return Reply(200, body, rows=len(shown))
