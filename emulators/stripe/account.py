"""What one Stripe account holds, how lists are cut into pages, and the events an edit leaves. No HTTP here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from emulators.stripe.errors import StripeError, missing
from emulators.stripe.parameters import ListQuery

API_VERSION = "2026-10-28.endive"
EVENTS_KEPT = timedelta(days=30)
KINDS = {"customers": "customer", "subscriptions": "subscription", "events": "event"}
EVENT_PREFIX = {"customer": "customer", "subscription": "customer.subscription"}
ENDED = {"canceled", "incomplete_expired"}
# Fields that hold an id and give the object when expanded; we hold only customers, so the others must be null.
EXPANDABLE = {
    "customer": {"default_source", "test_clock"},
    "subscription": {
        "customer", "default_payment_method", "default_source", "latest_invoice", "pending_setup_intent", "schedule",
        "application", "on_behalf_of", "test_clock",
    },
    "event": set[str](),
}  # fmt: skip

Row = dict[str, Any]


class Account:
    """Customers, subscriptions and events of one account, in the vendor's own shapes."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.rows: dict[str, dict[str, Row]] = {name: {} for name in KINDS}
        self.deleted: set[str] = set()

    def load(self, customers: Iterable[Row], subscriptions: Iterable[Row]) -> None:
        self.rows["customers"] = {row["id"]: copy.deepcopy(row) for row in customers}
        self.rows["subscriptions"] = {row["id"]: copy.deepcopy(row) for row in subscriptions}
        self.rows["events"] = {}
        self.deleted = set()

    def find(self, name: str, object_id: str, expand: list[str]) -> Row:
        """One object; a deleted customer comes back as Stripe shows it. Raises `StripeError` 404."""
        if object_id in self.deleted and name == "customers":
            return {"id": object_id, "object": "customer", "deleted": True}
        row = self.rows[name].get(object_id)
        if row is None or (name == "events" and row["created"] < self._oldest_event()):
            raise missing(KINDS[name], object_id)
        return self._expanded(row, expand)

    def list_page(self, name: str, asked: ListQuery) -> Row:
        """One page, newest first. Raises `StripeError` 400 for a cursor or an expansion Stripe would not take."""
        rows = sorted(self._asked(name, asked), key=lambda row: (row["created"], row["id"]), reverse=True)
        page, has_more = self._cut(name, rows, asked)
        inner = [_inside_list(path) for path in asked.expand]
        data = [self._expanded(row, inner) for row in page]
        return {"object": "list", "url": f"/v1/{name}", "has_more": has_more, "data": data}

    def change(self, name: str, object_id: str, values: Row) -> Row:
        """Set top-level fields and leave an `…updated` event with `previous_attributes`. Raises `StripeError` 404."""
        row = self.rows[name].get(object_id)
        if row is None:
            raise missing(KINDS[name], object_id)
        before = {key: copy.deepcopy(row.get(key)) for key, value in values.items() if row.get(key) != value}
        row.update(copy.deepcopy(values))
        ended = name == "subscriptions" and "status" in before and values["status"] in ENDED
        self._happened(row, "deleted" if ended else "updated", None if ended else before)
        return row

    def add(self, name: str, row: Row) -> Row:
        self.rows[name][row["id"]] = copy.deepcopy(row)
        self._happened(row, "created", None)
        return row

    def remove_customer(self, object_id: str) -> None:
        """Delete a customer, which cancels its subscriptions as well. Raises `StripeError` 404."""
        row = self.rows["customers"].pop(object_id, None)
        if row is None:
            raise missing("customer", object_id)
        self.deleted.add(object_id)
        for subscription in self.rows["subscriptions"].values():
            if subscription["customer"] == object_id and subscription["status"] not in ENDED:
                now = int(self._now().timestamp())
                self.change("subscriptions", subscription["id"], {"status": "canceled", "ended_at": now})
        self._happened(row, "deleted", None)

    def _asked(self, name: str, asked: ListQuery) -> list[Row]:
        return [
            row for row in self.rows[name].values() if asked.admits(row["created"]) and self._fits(name, row, asked)
        ]

    def _fits(self, name: str, row: Row, asked: ListQuery) -> bool:
        if name == "events":
            patterns = asked.types or [asked.plain.get("type", "*")]
            return row["created"] >= self._oldest_event() and any(fnmatchcase(row["type"], one) for one in patterns)
        if name == "subscriptions" and not _has_status(row, asked.plain.get("status", "")):
            return False
        return all(row.get(key) == value for key, value in asked.plain.items() if key != "status")

    def _cut(self, name: str, rows: list[Row], asked: ListQuery) -> tuple[list[Row], bool]:
        places = {row["id"]: place for place, row in enumerate(rows)}
        if asked.ending_before:
            end = self._place(name, places, asked.ending_before, "ending_before", rows)
            start = max(0, end - asked.limit)
            return rows[start:end], start > 0
        start = 0
        if asked.starting_after:
            start = self._place(name, places, asked.starting_after, "starting_after", rows) + 1
        return rows[start : start + asked.limit], start + asked.limit < len(rows)

    def _place(self, name: str, places: dict[str, int], cursor: str, param: str, rows: list[Row]) -> int:
        if cursor in places:
            return places[cursor]
        known = self.rows[name].get(cursor)
        if known is None:
            raise missing(KINDS[name], cursor, param, status=400)
        # A cursor that a filter leaves out still marks a place: just before the first row that sorts after it.
        after = ((row["created"], row["id"]) < (known["created"], known["id"]) for row in rows)
        place = next((number for number, later in enumerate(after) if later), len(rows))
        return place if param == "ending_before" else place - 1

    def _expanded(self, row: Row, paths: list[str]) -> Row:
        shown = copy.deepcopy(row)
        for path in paths:
            self._expand(shown, path)
        return shown

    def _expand(self, shown: Row, path: str) -> None:
        if shown["object"] == "customer" and path == "subscriptions":
            asked = ListQuery(plain={"customer": shown["id"]})
            shown["subscriptions"] = self.list_page("subscriptions", asked) | {
                "url": f"/v1/customers/{shown['id']}/subscriptions"
            }
        elif path not in EXPANDABLE[shown["object"]]:
            raise StripeError(400, f"This property cannot be expanded ({path}).")
        elif path == "customer":
            shown["customer"] = self.find("customers", shown["customer"], [])
        elif shown.get(path) is not None:
            raise StripeError(400, f"This property cannot be expanded ({path}).")

    def _oldest_event(self) -> float:
        return (self._now() - EVENTS_KEPT).timestamp()

    def _happened(self, row: Row, what: str, before: Row | None) -> None:
        number = len(self.rows["events"]) + 1
        data: Row = {"object": copy.deepcopy(row)}
        if before is not None:
            data["previous_attributes"] = before
        event_id = f"evt_1Qs{number:021d}"
        self.rows["events"][event_id] = {
            "api_version": API_VERSION,
            "created": int(self._now().timestamp()),
            "data": data,
            "id": event_id,
            "livemode": row.get("livemode", False),
            "object": "event",
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": f"{EVENT_PREFIX[row['object']]}.{what}",
        }


def _has_status(row: Row, wanted: str) -> bool:
    """Without a status Stripe lists every subscription that is not canceled; "all" lists every one."""
    if wanted == "all":
        return True
    if wanted == "ended":
        return row["status"] in ENDED
    return bool(row["status"] == wanted if wanted else row["status"] != "canceled")


def _inside_list(path: str) -> str:
    head, _, rest = path.partition(".")
    if head != "data" or not rest:
        raise StripeError(400, f"This property cannot be expanded ({path}).")
    return rest
