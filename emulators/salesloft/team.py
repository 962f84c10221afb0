"""What one Salesloft team holds, and how its lists are filtered, sorted and paged.

As the pages say: a filter with an unknown name is passed over, one with a wrong value is a 422; a `per_page` or `page`
out of range is silently made the default; a page past the end is empty. An account may be given to a user who is
inactive: the pages name no rule against it, and none that is kinder than the vendor is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from emulators.salesloft.errors import invalid, not_found

Row = dict[str, Any]
Query = Mapping[str, Sequence[str]]
SORTABLE = ("created_at", "updated_at", "last_contacted_at", "name")
SETTABLE = ("name", "domain", "website", "city", "country", "state", "industry", "description", "postal_code")
COMPARED: dict[str, Callable[[datetime, datetime], bool]] = {
    "gt": lambda at, than: at > than,
    "gte": lambda at, than: at >= than,
    "lt": lambda at, than: at < than,
    "lte": lambda at, than: at <= than,
}
DEFAULT_PAGE, LARGEST_PAGE = 25, 100
EASTERN = timezone(timedelta(hours=-5))


class Team:
    """The accounts and users by id, by the vendor's clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.accounts: dict[int, Row] = {}
        self.users: dict[int, Row] = {}

    def load(self, own: Mapping[str, Any]) -> None:
        self.users = {int(user["id"]): dict(user) for user in own["users"]}
        self.accounts = {int(row["id"]): self._whole(row) for row in own["accounts"]}

    def change(self, id_: int, said: Mapping[str, Any]) -> Row:
        """What PUT does. Raises `SalesloftError` 404 or 422."""
        account = self.accounts.get(id_)
        if account is None:
            raise not_found()
        fresh = account | {key: value for key, value in said.items() if key in SETTABLE}
        if "owner_id" in said:
            fresh["owner"] = self._owner(said["owner_id"])
        if "archived" in said:
            fresh["archived_at"] = stamp(self._now()) if said["archived"] else None
        self.accounts[id_] = fresh | {"updated_at": stamp(self._now())}
        return self.accounts[id_]

    def listed_accounts(self, query: Query) -> dict[str, Any]:
        """GET /v2/accounts."""
        rows = [row for row in self.accounts.values() if _is_wanted(row, query)]
        by, direction = _sorting(query)
        rows.sort(key=lambda row: (row[by] is not None, _comparable(row[by])), reverse=direction == "DESC")
        return _page(rows, query, {"sort_by": by, "sort_direction": direction})

    def listed_users(self, query: Query) -> dict[str, Any]:
        """GET /v2/users. Users of other groups are among them only with `visible_only` false."""
        hidden = query.get("visible_only", ["true"])[0] != "false"
        rows = [row for row in self.users.values() if not (hidden and row.get("hidden"))]
        shown = [{key: value for key, value in row.items() if key != "hidden"} for row in rows]
        return _page([row for row in shown if _has_id(row, query)], query, {"sort_by": "id", "sort_direction": "ASC"})

    def _owner(self, said: Any) -> Row | None:
        if said in (None, ""):
            return None
        if not str(said).isdecimal() or int(said) not in self.users:
            raise invalid("owner_id", "is invalid")
        return {"_href": f"https://api.salesloft.com/v2/users/{said}", "id": int(said)}

    def _whole(self, row: Mapping[str, Any]) -> Row:
        """An account with the properties Salesloft shows, those it lacks as null."""
        at = row.get("updated_at") or stamp(self._now())
        empty: Row = dict.fromkeys(("archived_at", "crm_id", "crm_object_type", "last_contacted_at", "size", *SETTABLE))
        given = {key: value for key, value in row.items() if key != "owner_id"}
        owner = self._owner(row.get("owner_id"))
        return {**empty, "created_at": at, "updated_at": at, **given, "id": int(row["id"]), "owner": owner}


def stamp(at: datetime) -> str:
    """Salesloft writes microseconds and the offset of the East Coast (as people's recorded accounts show)."""
    return at.astimezone(EASTERN).isoformat(timespec="microseconds")


def _is_wanted(row: Row, query: Query) -> bool:
    if not _has_id(row, query):
        return False
    archived = query.get("archived", [""])[0]
    if archived in ("true", "false") and bool(row["archived_at"]) != (archived == "true"):
        return False
    at = datetime.fromisoformat(row["updated_at"])
    return all(
        compare(at, _instant(query[f"updated_at[{word}]"][0]))
        for word, compare in COMPARED.items()
        if f"updated_at[{word}]" in query
    )


def _has_id(row: Row, query: Query) -> bool:
    return "ids[]" not in query or str(row["id"]) in query["ids[]"]


def _instant(said: str) -> datetime:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise invalid("updated_at", "is not a valid ISO8601 timestamp") from None
    if at.tzinfo is None:
        raise invalid("updated_at", "is not a valid ISO8601 timestamp")
    return at


def _sorting(query: Query) -> tuple[str, str]:
    by = query.get("sort_by", ["updated_at"])[0]
    direction = query.get("sort_direction", ["DESC"])[0]
    if by not in SORTABLE:
        raise invalid("sort_by", "is invalid")
    if direction not in ("ASC", "DESC"):
        raise invalid("sort_direction", "is invalid")
    return by, direction


def _comparable(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return value or ""


def page_number(query: Query) -> int:
    """The page that is asked for; 1 where it is none."""
    said = query.get("page", ["1"])[0]
    return max(1, int(said)) if said.isdecimal() else 1


def _page(rows: Sequence[Row], query: Query, sorting: Row) -> dict[str, Any]:
    said = query.get("per_page", [""])[0]
    size = int(said) if said.isdecimal() and 1 <= int(said) <= LARGEST_PAGE else DEFAULT_PAGE
    number = page_number(query)
    start, total = (number - 1) * size, len(rows)
    paging: Row = {
        "per_page": size,
        "current_page": number,
        "next_page": number + 1 if start + size < total else None,
        "prev_page": number - 1 if number > 1 else None,
    }
    if query.get("include_paging_counts", ["false"])[0] == "true":
        paging |= {"total_pages": -(-total // size), "total_count": total}
    metadata = {"filtering": {}, "paging": paging, "sorting": sorting}
    return {"metadata": metadata, "data": list(rows[start : start + size])}
