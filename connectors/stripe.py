"""Stripe customers and subscriptions.

A first pull lists everything (100 a page). A later pull asks which customers and subscriptions the events since then
name and reads those again: an event's own snapshot may be older than the object. Stripe keeps events for 30 days;
a cursor older than 29 starts over with a full list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

import stripe

from connectors.base import Cursor, Page, SourceRow
from connectors.errors import Ambiguous, ConnectorError, ConnectorStopped, RecordRejected, RetryLater, SchemaChanged
from connectors.fields import RowReader, to_links
from connectors.http import (
    READ_TIMEOUT_S,
    Egress,
    EgressSession,
    Patience,
    no_answer,
    retry_after_s,
    unreachable,
    untrusted,
)
from ownership.model import AccountFact, AccountRecord

NAME = "stripe"
KEY_MEND = "Check STEWARD_STRIPE_KEY (a restricted key with read access to customers, subscriptions and events)"
PAGE = 100
EVENTS_KEPT = timedelta(days=29)
LISTING = "list:"  # a cursor's tie_break while the first listing is under way: "list:<last id>"
EVENT_TYPES = {
    "customers": ["customer.created", "customer.updated", "customer.deleted"],
    "subscriptions": [
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
    ],
}
PAYING = frozenset({"active", "past_due"})
MONTHS = {"month": Decimal(1), "year": Decimal(12), "week": Decimal(12) / 52, "day": Decimal(12) / 365}


class StripeConnector:
    """One Stripe account, read only. Calls: first pull one for each 100 objects; later ones one for each 100 events
    and one for each object they name."""

    name = NAME
    shape = ""
    streams: tuple[str, ...] = ("customers", "subscriptions")

    def __init__(
        self,
        key: str,
        *,
        egress: Egress | None = None,
        patience: Patience | None = None,
        timeout_s: float = READ_TIMEOUT_S,
        overlap: timedelta = timedelta(minutes=5),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`overlap` is asked for again each time, as events may show up late. `clock` tells the age of a cursor."""
        # The session carries proxy, CA and timeout, so that nothing has to be set on the module for everybody.
        http = stripe.RequestsClient(timeout=timeout_s, session=EgressSession(egress or Egress(), timeout_s))
        self._stripe = stripe.StripeClient(key, http_client=http, max_network_retries=0)
        self._patience = patience or Patience()
        self._overlap = overlap
        self._clock = clock

    def check(self) -> None:
        self._get(lambda: self._stripe.v1.customers.list(params={"limit": 1}))

    def pull(self, stream: str, cursor: Cursor | None = None) -> Iterator[Page]:
        """See the module."""
        known_stream(stream)
        if cursor and not cursor.tie_break and self._clock() - from_seconds(cursor.high_water) > EVENTS_KEPT:
            cursor = None
        if cursor is None or cursor.tie_break:
            yield from self._list(stream, cursor)
        else:
            yield from self._changed_since(stream, cursor)

    def pull_rows(self, stream: str, ids: Sequence[str]) -> tuple[SourceRow, ...]:
        known_stream(stream)
        return tuple(self._one(stream, id_) for id_ in ids)

    def to_value(self, row: SourceRow) -> AccountRecord | AccountFact | None:
        """Customers are records; subscriptions are facts about their customer. A deleted customer says nothing."""
        if row.deleted:
            return None
        return to_customer(row) if row.stream == "customers" else to_subscription(row)

    # --- below ---

    def _list(self, stream: str, cursor: Cursor | None) -> Iterator[Page]:
        last = cursor.tie_break.removeprefix(LISTING) if cursor else ""
        started = cursor.high_water if cursor else None
        while True:
            page = self._page(self._service(stream), list_params(stream, last))
            started = started or started_at(page) or str(int(self._clock().timestamp()))
            rows = tuple(to_row(stream, record.to_dict(for_json=True)) for record in page.data)
            last = rows[-1].id if rows and page.has_more else ""
            yield Page(rows, Cursor(started, LISTING + last if last else ""))
            if not last:
                return

    def _changed_since(self, stream: str, cursor: Cursor) -> Iterator[Page]:
        since = int((from_seconds(cursor.high_water) - self._overlap).timestamp())
        latest, ids = int(cursor.high_water), dict[str, None]()
        params: dict[str, Any] = {"limit": PAGE, "created": {"gte": since}, "types": EVENT_TYPES[stream]}
        while True:
            page = self._page(self._stripe.v1.events, params)
            for event in page.data:
                ids.setdefault(event.to_dict()["data"]["object"]["id"])
                latest = max(latest, int(event["created"]))
            if not page.has_more:
                break
            params = {**params, "starting_after": page.data[-1]["id"]}
        # Events come newest first, so that no cursor may move before all of them are known and read.
        named = list(ids)
        for start in range(0, len(named), PAGE):
            rows = tuple(self._one(stream, id_) for id_ in named[start : start + PAGE])
            yield Page(rows, cursor if start + PAGE < len(named) else Cursor(str(latest)))
        if not named:
            yield Page((), cursor)

    def _one(self, stream: str, id_: str) -> SourceRow:
        try:
            return to_row(stream, self._get(lambda: self._service(stream).retrieve(id_)).to_dict(for_json=True))
        except RecordRejected as error:
            if error.code != "resource_missing":
                raise
            return SourceRow(NAME, stream, id_, None, {"id": id_}, deleted=True)

    def _page(self, service: Any, params: Mapping[str, Any]) -> Any:
        page = self._get(lambda: service.list(params=dict(params)))
        if page.has_more and not page.data:
            raise RetryLater(NAME, "a page has more to come but no rows", code="CUT_SHORT")
        return page

    def _service(self, stream: str) -> Any:
        return self._stripe.v1.customers if stream == "customers" else self._stripe.v1.subscriptions

    def _get(self, call: Callable[[], Any]) -> Any:
        def once() -> Any:
            try:
                return call()
            except stripe.StripeError as error:
                raise to_error(error) from error

        return self._patience.read(once)


def known_stream(stream: str) -> None:
    """Refuse a stream that this source does not have."""
    if stream not in StripeConnector.streams:
        raise ValueError(f"stripe has no stream {stream!r}")


def list_params(stream: str, last: str) -> dict[str, Any]:
    """A page of a listing. Without status=all Stripe leaves cancelled subscriptions out."""
    params: dict[str, Any] = {"limit": PAGE}
    if stream == "subscriptions":
        params["status"] = "all"
    return params | ({"starting_after": last} if last else {})


def started_at(page: Any) -> str | None:
    """When Stripe answered, in epoch seconds by its own clock (Date header)."""
    try:
        return str(int(parsedate_to_datetime(page.last_response.headers["Date"]).timestamp()))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def from_seconds(text: str) -> datetime:
    """The instant of epoch seconds."""
    return datetime.fromtimestamp(int(text), UTC)


def to_row(stream: str, record: dict[str, Any]) -> SourceRow:
    """A row; Stripe objects carry when they were created, but not when they changed."""
    if not isinstance(record.get("id"), str):
        raise SchemaChanged(NAME, f"a row of {stream} came without an id", code="NO_KEY")
    return SourceRow(NAME, stream, record["id"], None, record, deleted=bool(record.get("deleted")))


def to_customer(row: SourceRow) -> AccountRecord:
    """A customer; metadata `salesforce_account_id` and `hubspot_company_id` link it to the CRMs."""
    read = RowReader(row)
    address = RowReader(row, _mapping(read, row, "address"))
    metadata = RowReader(row, _mapping(read, row, "metadata"))
    created = row.fields.get("created")
    if created is not None and (isinstance(created, bool) or not isinstance(created, int)):
        raise read.bad("created", "is not epoch seconds")
    return AccountRecord(
        source=NAME,
        object_type="customer",
        external_id=row.id,
        name=read.text("name"),
        email=read.text("email"),
        phone=read.text("phone"),
        country=address.text("country"),
        state=address.text("state"),
        city=address.text("city"),
        postcode=address.text("postal_code"),
        links=to_links(salesforce=metadata.text("salesforce_account_id"), hubspot=metadata.text("hubspot_company_id")),
        created_at=from_seconds(str(created)) if created is not None else None,
    )


def to_subscription(row: SourceRow) -> AccountFact:
    """Monthly recurring revenue and status. Discounts and taxes are not counted; what is not paying counts 0."""
    read = RowReader(row)
    customer, status = row.fields.get("customer"), read.text("status")
    customer = customer.get("id") if isinstance(customer, Mapping) else customer
    if not isinstance(customer, str) or not customer:
        raise read.bad("customer", "is missing")
    values: dict[str, Any] = {"subscription_status": status}
    values["mrr_cents"] = monthly_cents(row, read) if status in PAYING else 0
    return AccountFact(source=NAME, external_id=customer, values=values)


def monthly_cents(row: SourceRow, read: RowReader) -> int:
    """The sum over items of unit amount x quantity, as cents a month; metered items without amount count 0."""
    total = Decimal(0)
    items = _mapping(read, row, "items").get("data")
    if not isinstance(items, list):
        raise read.bad("items", "is not a list")
    for item in items:
        try:
            price = item["price"]
            amount = Decimal(str(price.get("unit_amount_decimal") or price.get("unit_amount") or 0))
            recurring = price.get("recurring") or {"interval": "month"}
            months = MONTHS[recurring["interval"]] * int(recurring.get("interval_count") or 1)
            total += amount * int(item.get("quantity") or (0 if amount == 0 else 1)) / months
        except (AttributeError, KeyError, TypeError, ValueError, InvalidOperation):
            raise read.bad("items", "has a price that cannot be read") from None
    if not total.is_finite():
        raise read.bad("items", "has a price that is no number")
    return int(total.to_integral_value())


def _mapping(read: RowReader, row: SourceRow, field: str) -> Mapping[str, Any]:
    value = row.fields.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise read.bad(field, f"holds {type(value).__name__} where an object belongs")
    return value


def to_error(error: stripe.StripeError) -> ConnectorError:
    """What a failed call means for the caller."""
    message = str(error.user_message or error)[:500]
    code = str(error.code or (f"HTTP_{error.http_status}" if error.http_status else ""))
    if isinstance(error, stripe.APIConnectionError):
        # The library keeps the cause, with its words, only in its own message.
        said = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in said:
            return untrusted(NAME, error)
        never_left = any(cause in said for cause in ("NewConnectionError", "ProxyError", "ConnectTimeout"))
        return unreachable(NAME, error) if never_left else no_answer(NAME, error)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return ConnectorStopped(NAME, message, code=code, mend=KEY_MEND)
    if isinstance(error, stripe.RateLimitError):
        asked = (error.headers or {}).get("Retry-After")
        return RetryLater(NAME, message, code=code or "rate_limit", retry_after_s=retry_after_s(asked))
    if isinstance(error, stripe.InvalidRequestError):
        return RecordRejected(NAME, message, code=code)
    return Ambiguous(NAME, message, code=code)


__all__ = ["StripeConnector"]
