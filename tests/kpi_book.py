"""Northwind's book as it might be on a November day, with key figures over the ninety nights before.

Nothing in it is left to chance, so that pictures of it are the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from config.settings import Settings
from connectors.registry import Connectors
from ownership.kpis.catalogue import BY_ID, Unit
from ownership.kpis.measuring import Figure
from ownership.model import QUEUE, Account
from store.engine import Store, open_store
from store.kpi_days import KpiDays
from store.recording import Recording
from tasks.context import RunContext
from tasks.kpis import take_kpis
from tests.policies import read_policy
from tests.store.business import owned_by, salesforce

NOW = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)
ACCOUNTS = 480
NIGHTS = 90
COUNTRIES = ("US", "GB", "DE", "FR", "US", "JP", "US", "SE", "CA", "ES", "PL")
SEGMENTS = ("smb", "mid_market", "smb", "enterprise", "smb", "mid_market")


def fill(settings: Settings) -> None:
    """Fill the database of these settings."""
    store = open_store(settings.database_url)
    store.migrate()
    context = RunContext(settings, store, Connectors(), read_policy(settings.policy_dir), clock=lambda: NOW)
    accounts = [_account(number) for number in range(ACCOUNTS)]
    long_ago = NOW - timedelta(days=80)
    store.run(lambda uow: uow.accounts.save(accounts, long_ago))
    people = [rep.id for rep in context.policy.roster.reps.values() if rep.kind != QUEUE and rep.capacity]
    owners = dict(zip((each.id for each in accounts), cycle([*people, *people[:7], *people[:3]]), strict=False))
    for id_ in [each.id for each in accounts][::31]:
        del owners[id_]
    _record(store, long_ago, [owned_by(id_, owner, offer_due_by=_due(long_ago)) for id_, owner in owners.items()])
    _answer(store, list(owners), long_ago)
    moved = {id_: people[number % len(people)] for number, id_ in enumerate(list(owners)[::17])}
    _record(store, NOW - timedelta(days=20), [owned_by(id_, owner) for id_, owner in moved.items()])
    take_kpis(context)
    with_history(store)
    store.close()


def with_history(store: Store) -> None:
    """Give every figure a line over the nights before, which ends where it is now."""

    def write(uow: Any) -> None:
        last = uow.kpi_days.last_day()
        for scope in ("company", "reports:rachel-stein"):
            now = {
                (kpi, period): one.figure
                for period in (90,)
                for kpi, one in uow.kpi_days.of_day(last, scope, period).items()
            }
            for night in range(1, NIGHTS):
                day = (NOW - timedelta(days=night)).date().isoformat()
                _save(uow.kpi_days, day, scope, now, night)

    store.run(write)


def _save(days: KpiDays, day: str, scope: str, now: dict[tuple[str, int], Figure], night: int) -> None:
    figures = {
        (scope, period if BY_ID[kpi].over_period else 0, kpi): replace(
            figure, value=_earlier(BY_ID[kpi].unit, figure.value, night), parts=()
        )
        for (kpi, period), figure in now.items()
    }
    days.save(day, figures, "history", NOW)


def _earlier(unit: Unit, value: float | None, night: int) -> float | None:
    """A little worse the longer ago, with a weekly swing."""
    if value is None:
        return None
    swing = night / NIGHTS * 0.18 + (night % 7) * 0.006
    if unit is Unit.SHARE:
        return max(value - swing * 0.5, 0)
    return round(value * (1 + 2 * swing)) if unit is Unit.COUNT else value * (1 + swing)


def _account(number: int) -> Account:
    fields: dict[str, Any] = {
        "country": COUNTRIES[number % len(COUNTRIES)],
        "segment": SEGMENTS[number % len(SEGMENTS)],
        "has_primary_contact": number % 5 != 0,
        "activity_on": f"2026-11-{1 + number % 25:02d}",
    }
    if number % 3:
        fields |= {"mrr_cents": 20_000 + number * 977 % 400_000, "paying": True}
    if number % 4:
        fields["consent"] = number % 8 != 1
    name = "=HYPERLINK(1)" if number == 0 else f"{NAMES[number % len(NAMES)]} {number}"
    return Account(f"acc-{number:04d}", name, fields, (salesforce(f"acc-{number:04d}"),))


def _record(store: Store, when: datetime, batch: Sequence[Recording]) -> None:
    store.run(lambda uow: uow.record(batch, f"run-{when:%m%d}", when))


def _answer(store: Store, accounts: Sequence[str], asked_at: datetime) -> None:
    """Most accept within a day, some late, a few decline, and some do not answer."""

    def write(uow: Any) -> None:
        for number, id_ in enumerate(accounts):
            offer = uow.offers.of_account(id_)
            state = {3: "declined", 7: "expired"}.get(number % 11, "accepted")
            hours = 24 if state == "expired" else 0.5 + number * 37 % 400 / 12
            uow.offers.answer(offer.offer_id, state, offer.owner_id, asked_at + timedelta(hours=hours))

    store.run(write)


def _due(asked_at: datetime) -> datetime:
    return asked_at + timedelta(hours=24)


NAMES = ("Aldermoor", "Brightwater", "Corvane", "Dunmere", "Eastfold", "Fernhill", "Glasswing", "Harrowgate")
