"""Stripe keeps every promise of a source."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Cursor, SourceRow
from connectors.errors import BadRecord, ConnectorStopped
from connectors.stripe import StripeConnector
from emulators.faults import Fault
from emulators.stripe.app import Stripe
from ownership.model import AccountFact, AccountRecord
from tests.contract.promises import SourceCase, SourcePromises, everything
from tests.contract.wire import Wire

KEY = "sk_live_steward"
CREATED = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
CUSTOMERS = [f"cus_{n:04}" for n in range(230)]


def customer(id_: str) -> dict[str, Any]:
    return {
        "id": id_, "object": "customer", "name": f"Company {id_}", "email": f"pay@{id_}.example", "created": CREATED,
        "address": {"country": "DE", "city": "Ulm"}, "metadata": {"salesforce_account_id": "001x"},
    }  # fmt: skip


def subscription(id_: str, customer_id: str, interval: str = "year", cents: int = 120_000) -> dict[str, Any]:
    recurring = {"interval": interval, "interval_count": 1}
    # As `object: price`, the library turns unit_amount_decimal into a Decimal, which is no JSON.
    price = {
        "id": "price_1", "object": "price", "unit_amount": cents, "unit_amount_decimal": str(cents),
        "currency": "usd", "recurring": recurring,
    }  # fmt: skip
    items = {"object": "list", "data": [{"id": "si_1", "quantity": 3, "price": price}]}
    return {
        "id": id_, "object": "subscription", "customer": customer_id, "status": "active", "created": CREATED,
        "items": items,
    }  # fmt: skip


class Account:
    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.vendor = Stripe(wire.surroundings)
        subscriptions = [subscription(f"sub_{n:04}", id_) for n, id_ in enumerate(CUSTOMERS)]
        world = {"key": KEY, "customers": [customer(id_) for id_ in CUSTOMERS], "subscriptions": subscriptions}
        wire.seed(self.vendor, {"stripe": world})
        self.connector = self.connect(KEY)

    def connect(self, key: str) -> StripeConnector:
        return StripeConnector(key, patience=self.wire.patience, clock=lambda: self.wire.at)

    def edit(self, **command: Any) -> None:
        self.wire.wait(1)
        self.vendor.edit(command)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(Wire(monkeypatch))


class TestCustomers(SourcePromises):
    @pytest.fixture
    def case(self, account: Account) -> SourceCase:
        return SourceCase(
            account.connector,
            "customers",
            CUSTOMERS,
            "cus_none",
            change=lambda id_: account.edit(object="customer", id=id_, set={"name": "Renamed"}),
            delete=lambda id_: account.edit(action="delete", id=id_),
        )


class TestSubscriptions(SourcePromises):
    @pytest.fixture
    def case(self, account: Account) -> SourceCase:
        return SourceCase(
            account.connector,
            "subscriptions",
            [f"sub_{n:04}" for n in range(len(CUSTOMERS))],
            "sub_none",
            change=lambda id_: account.edit(object="subscription", id=id_, set={"status": "past_due"}),
        )


def test_a_first_pull_costs_one_call_for_each_hundred(account: Account) -> None:
    everything(account.connector, "customers")
    assert account.wire.journal.count("stripe") <= 1.2 * math.ceil(len(CUSTOMERS) / 100)


def test_a_cursor_older_than_the_events_starts_over(account: Account) -> None:
    old = Cursor(str(int((account.wire.at - timedelta(days=40)).timestamp())))
    rows, _ = everything(account.connector, "customers", old)
    assert len(rows) == len(CUSTOMERS)


def test_a_burst_of_server_errors_is_outlasted(account: Account) -> None:
    for nth in (1, 2):
        account.wire.faults.install(Fault("stripe", "*", "status", nth=nth, params={"status": 500}))
    assert len(everything(account.connector, "customers")[0]) == len(CUSTOMERS)


def test_a_wrong_key_stops_the_connector_and_names_the_setting(account: Account) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_STRIPE_KEY"):
        account.connect("sk_live_wrong").check()


def test_customers_know_their_account_in_the_crm(account: Account) -> None:
    (row,) = account.connector.pull_rows("customers", [CUSTOMERS[0]])
    value = account.connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert (value.country, value.links) == ("DE", {"salesforce": "001x"})


@pytest.mark.parametrize(
    ("interval", "cents", "status", "monthly"),
    [
        ("year", 120_000, "active", 30_000),
        ("month", 990, "past_due", 2_970),
        ("month", 990, "canceled", 0),
        ("week", 1_000, "active", 13_000),
    ],
)
def test_revenue_is_counted_by_the_month(interval: str, cents: int, status: str, monthly: int) -> None:
    fields = subscription("sub_1", "cus_1", interval, cents) | {"status": status}
    value = StripeConnector(KEY).to_value(SourceRow("stripe", "subscriptions", "sub_1", None, fields))
    assert isinstance(value, AccountFact)
    assert value.external_id == "cus_1"
    assert value.values == {"mrr_cents": monthly, "subscription_status": status}


@pytest.mark.parametrize("items", ["none", {"data": "x"}, {"data": [{"price": None}]}, {"data": [{}]}])
def test_items_that_cannot_be_read_name_the_field(items: object) -> None:
    fields = subscription("sub_1", "cus_1") | {"items": items}
    with pytest.raises(BadRecord, match="items"):
        StripeConnector(KEY).to_value(SourceRow("stripe", "subscriptions", "sub_1", None, fields))
