"""Product usage: one row for each workspace, from any database SQLAlchemy knows, or from a .csv or .jsonl file.

The query (or file) must give the columns below; `updated_at` and `workspace_id` order the rows, so that a pull goes on
where the last one ended, less `LOOKBACK`: a row may become visible later than the instant it bears. Deleted workspaces
are not seen: a database says nothing of what it no longer holds.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import exc as sa_errors

from connectors.base import Cursor, Page, SourceRow
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.fields import RowReader, to_instant, to_links
from ownership.model import AccountFact

NAME = "usage"
COLUMNS = (
    "workspace_id",
    "workspace_name",
    "owner_email",
    "stripe_customer_id",
    "active_seats",
    "last_seen_at",
    "updated_at",
)
URL_MEND = "Check STEWARD_USAGE_URL and STEWARD_USAGE_QUERY"
PAGE = 1_000
LOOKBACK = timedelta(minutes=10)  # a transaction that stamps its rows when it begins may be open that long
Place = tuple[Any, str]  # updated_at and workspace_id of the last row seen
Row = dict[str, Any]


class UsageRows(Protocol):
    """Where the rows are. Rows come by updated_at, then workspace_id."""

    def after(self, place: Place | None, limit: int) -> list[Row]: ...

    def named(self, ids: Sequence[str]) -> list[Row]: ...


class UsageConnector:
    """Workspaces and how they are used. `url` is a SQLAlchemy URL or the path of a .csv or .jsonl file."""

    name = NAME
    shape = ""
    streams: tuple[str, ...] = ("usage",)

    def __init__(self, url: str, query: str = "", *, page_size: int = PAGE) -> None:
        is_file = url.endswith((".csv", ".jsonl"))
        self._rows: UsageRows = FileRows(Path(url)) if is_file else QueryRows(url, query)
        self._page_size = page_size

    def check(self) -> None:
        for row in self._rows.after(None, 1):
            check_columns(row)

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """Rows after the cursor less `LOOKBACK`, one query for each `page_size`."""
        known_stream(stream)
        place = earlier(from_cursor(cursor)) if cursor else None
        while True:
            found = self._rows.after(place, self._page_size)
            rows = tuple(to_row(row) for row in found)
            if found:
                place = _place_of(found[-1])
                cursor = to_cursor(found[-1]) if cursor is None else later(cursor, found[-1])
            yield Page(rows, cursor)
            if len(found) < self._page_size:
                return

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        known_stream(stream)
        found = {str(row["workspace_id"]): to_row(row) for row in self._rows.named(ids)}
        return tuple(found.get(id_) or SourceRow(NAME, "usage", id_, None, {}, deleted=True) for id_ in ids)

    def to_value(self, row: SourceRow) -> AccountFact | None:
        read = RowReader(row)
        return AccountFact(
            source=NAME,
            external_id=row.id,
            values={"active_seats": read.count("active_seats"), "last_seen_at": read.instant("last_seen_at")},
            name=read.text("workspace_name"),
            email=read.text("owner_email"),
            links=to_links(stripe=read.text("stripe_customer_id")),
        )


class QueryRows:
    """Rows of a query that the operator wrote; only wrapped, never changed."""

    def __init__(self, url: str, query: str) -> None:
        try:
            self._engine = sa.create_engine(url, pool_pre_ping=True)
        except (sa_errors.ArgumentError, sa_errors.NoSuchModuleError, ImportError) as error:
            raise ConnectorStopped(NAME, f"the URL cannot be used: {error}", mend=URL_MEND) from error
        self._select = f"SELECT * FROM ({query.strip().rstrip(';')}) AS usage_rows"  # noqa: S608  (operator's own query)

    def after(self, place: Place | None, limit: int) -> list[Row]:
        beyond = " WHERE updated_at > :at OR (updated_at = :at AND workspace_id > :id)" if place else ""
        order = " ORDER BY updated_at, workspace_id LIMIT :limit"
        values = {"limit": limit} | ({"at": place[0], "id": place[1]} if place else {})
        return self._read(sa.text(self._select + beyond + order), values)

    def named(self, ids: Sequence[str]) -> list[Row]:
        query = sa.text(self._select + " WHERE workspace_id IN :ids").bindparams(sa.bindparam("ids", expanding=True))
        return self._read(query, {"ids": list(ids)}) if ids else []

    def _read(self, query: sa.TextClause, values: Mapping[str, Any]) -> list[Row]:
        try:
            with self._engine.connect() as connection:
                return [dict(row) for row in connection.execute(query, values).mappings()]
        except sa_errors.DBAPIError as error:
            problem = str(error.orig)[:300]
            # SQLite calls a missing table or column an OperationalError as well.
            if isinstance(error, sa_errors.ProgrammingError) or "no such" in problem:
                raise SchemaChanged(NAME, f"the query fails: {problem}", code="QUERY", mend=URL_MEND) from error
            raise RetryLater(NAME, f"the database does not answer: {problem}", code="DATABASE") from error


class FileRows:
    """Rows of a file, read anew each time; a file of this kind is small."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def after(self, place: Place | None, limit: int) -> list[Row]:
        rows = sorted(self._all(), key=_place)
        return [row for row in rows if place is None or _place(row) > place][:limit]

    def named(self, ids: Sequence[str]) -> list[Row]:
        wanted = set(ids)
        return [row for row in self._all() if row["workspace_id"] in wanted]

    def _all(self) -> list[Row]:
        try:
            with self._path.open(encoding="utf-8", newline="") as lines:
                if self._path.suffix == ".csv":
                    rows: list[Row] = list(csv.DictReader(lines))
                else:
                    rows = [json.loads(line) for line in lines if line.strip()]
        except OSError as error:
            raise ConnectorStopped(NAME, f"cannot read {self._path.name}: {error.strerror}", mend=URL_MEND) from error
        except (ValueError, csv.Error) as error:
            raise SchemaChanged(NAME, f"{self._path.name} cannot be read: {error}", code="FILE") from error
        for row in rows:
            check_columns(row)
        return rows


def _place(row: Row) -> Place:
    return (str(row["updated_at"]), str(row["workspace_id"]))


def check_columns(row: Mapping[str, Any]) -> None:
    """Raise `SchemaChanged` naming the columns that are not there."""
    missing = [column for column in COLUMNS if column not in row]
    if missing:
        raise SchemaChanged(NAME, f"no column {', '.join(missing)}", code="COLUMN", mend=URL_MEND)


def known_stream(stream: str) -> None:
    """Refuse a stream that this source does not have."""
    if stream not in UsageConnector.streams:
        raise ValueError(f"usage has no stream {stream!r}")


def to_row(row: Row) -> SourceRow:
    """A row of the usage stream. Dates become ISO text, decimals numbers: a row must be storable as JSON."""
    check_columns(row)
    if row["workspace_id"] in (None, "") or row["updated_at"] in (None, ""):
        raise SchemaChanged(NAME, "a row has no workspace_id or updated_at", code="NO_KEY", mend=URL_MEND)
    fields = {name: _json_able(value) for name, value in row.items()}
    return SourceRow(NAME, "usage", str(row["workspace_id"]), to_instant(row["updated_at"]), fields)


def _json_able(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def to_cursor(row: Row) -> Cursor:
    """Where to go on. Databases compare an instant with an instant and text with text, so the cursor keeps which."""
    at = row["updated_at"]
    water = f"instant:{at.isoformat()}" if isinstance(at, datetime) else f"text:{at}"
    return Cursor(water, str(row["workspace_id"]))


def earlier(place: Place) -> Place:
    """The place `LOOKBACK` before this one; the same one where `updated_at` is no date and time."""
    at = place[0]
    if isinstance(at, datetime):
        return at - LOOKBACK, ""
    try:
        before = datetime.fromisoformat(at) - LOOKBACK
    except ValueError:
        return place
    # Texts are compared as texts: whatever fraction and zone follow, this beginning comes before them.
    return f"{before:%Y-%m-%d}{at[10:11]}{before:%H:%M:%S}", ""


def later(cursor: Cursor, row: Row) -> Cursor:
    """Where to go on after this row, never before the cursor: what is looked back at was seen already."""
    before, place = from_cursor(cursor), _place_of(row)
    moved_back = type(before[0]) is type(place[0]) and place < before
    return cursor if moved_back else to_cursor(row)


def _place_of(row: Row) -> Place:
    return from_cursor(to_cursor(row))


def from_cursor(cursor: Cursor) -> Place:
    """The inverse of `to_cursor`."""
    kind, _, value = cursor.high_water.partition(":")
    return (datetime.fromisoformat(value) if kind == "instant" else value, cursor.tie_break)


__all__ = ["UsageConnector"]
