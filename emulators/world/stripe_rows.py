"""Stripe as the world shows it: customers and subscriptions.

Fields follow the canonical objects of API version 2026-10-28, where the period of a subscription is on its items.
The deprecated `plan` of an item is left out: `price` says the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulators.world import proportions as share
from emulators.world.ids import stripe_id
from emulators.world.instants import between
from emulators.world.salesforce_rows import account_id
from emulators.world.spellings import COUNTRY_CODES, billing_name
from emulators.world.standings import Standing

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is sold: `cents` per seat and interval."""

    number: int
    name: str
    cents: int
    interval: str


PLANS = (
    _Plan(0, "starter-monthly", 4_900, "month"),
    _Plan(1, "team-monthly", 9_900, "month"),
    _Plan(2, "team-yearly", 99_000, "year"),
    _Plan(3, "enterprise-yearly", 178_800, "year"),
)
# Most subscriptions run; some do not, so that "has a subscription" and "pays" are not the same thing.
STATUSES = ("active",) * 16 + ("past_due", "trialing", "canceled", "canceled")
NO_SUBSCRIPTION_SHARE = 0.05  # of customers: they were entered and never bought
SECOND_SUBSCRIPTION_SHARE = 0.06  # of customers: a second team bought on its own
SEATS_BY_SEGMENT = {"Enterprise": (60, 900), "Mid-Market": (10, 120), "SMB": (2, 25)}
PERIOD_DAYS = {"month": 30, "year": 365}


def customer_id(number: int) -> str:
    return stripe_id("cus", number)


def customer_rows(standings: Sequence[Standing], seed: int) -> list[Row]:
    """One customer for each company that pays, those that no CRM knows included."""
    rng = random.Random(f"{seed}:customers")
    return [_customer(rng, standing) for standing in standings if standing.pays]


def subscription_rows(standings: Sequence[Standing], as_of: datetime, seed: int) -> list[Row]:
    """Their subscriptions: usually one, now and then none or two."""
    rng = random.Random(f"{seed}:subscriptions")
    rows: list[Row] = []
    for standing in standings:
        if not standing.pays:
            continue
        draw = rng.random()
        bought = 0 if draw < NO_SUBSCRIPTION_SHARE else 1 + (draw > 1 - SECOND_SUBSCRIPTION_SHARE)
        for _ in range(bought):
            rows.append(_subscription(rng, len(rows), standing, as_of))
    return rows


def _customer(rng: random.Random, standing: Standing) -> Row:
    company = standing.company
    linked = standing.in_salesforce and rng.random() < share.STRIPE_KNOWS_SALESFORCE_SHARE
    mailbox = rng.choice(("billing", "accounts.payable", "ap", "invoices", "finance"))
    return {
        "id": customer_id(standing.number),
        "object": "customer",
        "address": {
            "city": company.city or None,
            "country": COUNTRY_CODES.get(company.country),
            "line1": None,
            "line2": None,
            "postal_code": company.postcode or None,
            "state": company.state or None,
        },
        "balance": 0,
        "created": int(standing.created_at.timestamp()),
        "currency": "usd",
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": f"{mailbox}@{company.domain}",
        "invoice_prefix": f"{0xA10000 + standing.number:08X}",
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {"salesforce_account_id": account_id(standing.number)} if linked else {},
        "name": billing_name(rng, company.name),
        "next_invoice_sequence": 1 + rng.randrange(40),
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def _subscription(rng: random.Random, number: int, standing: Standing, as_of: datetime) -> Row:
    plan = rng.choice(PLANS[2:] if standing.segment == "Enterprise" else PLANS[:3])
    status = rng.choice(STATUSES)
    started = between(rng, standing.created_at, as_of - timedelta(days=2))
    period = _current_period(started, as_of, plan.interval)
    ended = int((as_of - timedelta(days=rng.randrange(1, 60))).timestamp()) if status == "canceled" else None
    start = int(started.timestamp())
    low, high = SEATS_BY_SEGMENT[standing.segment]
    item = _item(number, plan, rng.randrange(low, high), start, period)
    return {
        "id": stripe_id("sub", number),
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": start,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": None, "type": "classic"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": ended,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "created": start,
        "currency": "usd",
        "customer": customer_id(standing.number),
        "customer_account": None,
        "days_until_due": None,
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "ended_at": ended,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": {
            "data": [item],
            "has_more": False,
            "object": "list",
            "url": f"/v1/subscription_items?subscription={stripe_id('sub', number)}",
        },
        "latest_invoice": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": start,
        "status": status,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": period[1] if status == "trialing" else None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": period[0] if status == "trialing" else None,
    }


def _current_period(started: datetime, as_of: datetime, interval: str) -> tuple[int, int]:
    """Start and end of the period that `as_of` falls in, in Unix seconds."""
    length = timedelta(days=PERIOD_DAYS[interval])
    start = started + length * ((as_of - started) // length)
    return int(start.timestamp()), int((start + length).timestamp())


def _item(number: int, plan: _Plan, seats: int, created: int, period: tuple[int, int]) -> Row:
    return {
        "id": stripe_id("si", number),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": created,
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "price": _price(plan),
        "quantity": seats,
        "subscription": stripe_id("sub", number),
        "tax_rates": [],
    }


def _price(plan: _Plan) -> Row:
    return {
        "id": stripe_id("price", plan.number),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": 1_577_836_800,
        "currency": "usd",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": plan.name,
        "metadata": {},
        "nickname": None,
        "product": stripe_id("prod", plan.number),
        "recurring": {
            "interval": plan.interval,
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring",
        "unit_amount": plan.cents,
        "unit_amount_decimal": str(plan.cents),
    }
