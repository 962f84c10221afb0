"""What the key figures need to know of one account, and what became of it from one night to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ownership.conditions import days_of, fold_fields
from ownership.index import PolicyIndex
from ownership.kpis.catalogue import BOOKED, FORECAST
from ownership.model import ACCOUNT, LEAD
from ownership.policy import Policy

RENEWAL_WITHIN_DAYS = 90
"""A renewal day that moves on earlier than so many days before it comes was corrected rather than kept."""


@dataclass(frozen=True, slots=True)
class Health:
    """One account or lead on one day. `seen_at` is when it was first seen; `territory` "" is none; `supported`:
    somebody fills a supporting role. `quiet_since` is the day (ISO date) of the last activity, or on which the owner
    got it, whichever is later."""

    account_id: str
    kind: str
    seen_at: datetime
    territory: str
    owner_id: str | None
    owned_since: datetime | None
    supported: bool
    arr_cents: int
    arr_known: bool
    consent_known: bool
    has_contact: bool
    quiet_since: str | None
    paying: bool
    churned: bool
    renewal_on: str | None
    forecast_cents: int | None
    booked_cents: int | None


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who has an account, and since when."""

    owner_id: str | None = None
    since: datetime | None = None
    supported: bool = False


class HealthReader:
    """Reads accounts under one policy on one day (ISO date)."""

    def __init__(self, policy: Policy, today: str) -> None:
        self._today = today
        self._days = days_of(policy.fields)
        self._index = PolicyIndex(policy.on(today))

    def health(
        self, account_id: str, kind: str, seen_at: datetime, fields: Mapping[str, Any], owned: Ownership
    ) -> Health:
        folded = fold_fields(fields, self._today, self._days)
        path = self._index.path_of(folded)
        mrr = _whole(fields.get("mrr_cents"))
        owner = owned.owner_id
        return Health(
            account_id=account_id,
            kind=LEAD if kind == LEAD else ACCOUNT,
            seen_at=seen_at,
            territory=path[-1].id if path else "",
            owner_id=owner,
            owned_since=owned.since if owner else None,
            supported=owned.supported,
            arr_cents=12 * (mrr or 0),
            arr_known=mrr is not None,
            consent_known=fields.get("consent") is not None,
            has_contact=fields.get("has_primary_contact") is True,
            quiet_since=_later(_day(fields.get("activity_on")), owned.since),
            paying=fields.get("paying") is True,
            churned=folded.get("status") == "churned",
            renewal_on=_day(fields.get("renewal_on")),
            forecast_cents=_whole(fields.get(FORECAST)),
            booked_cents=_whole(fields.get(BOOKED)),
        )


def outcomes(before: Health, now: Health, today: str) -> tuple[str, ...]:
    """What became of an account since it was looked at before: "renewed" or "lost", "expanded" or "shrunk"."""
    if before.kind != ACCOUNT or not before.paying:
        return ()
    if not now.paying or (now.churned and not before.churned):
        return ("lost",)
    found = ["renewed"] if _renewed(before.renewal_on, now.renewal_on, today) else []
    if before.arr_known and now.arr_known and before.arr_cents != now.arr_cents:
        found.append("expanded" if now.arr_cents > before.arr_cents else "shrunk")
    return tuple(found)


def owned_days(health: Health, today: str) -> int:
    """For how many days its owner has had it; 0 for one without owner."""
    if health.owned_since is None:
        return 0
    return max((date.fromisoformat(today) - health.owned_since.date()).days, 0)


def _renewed(before: str | None, now: str | None, today: str) -> bool:
    if before is None or now is None or now <= before:
        return False
    return (date.fromisoformat(before) - date.fromisoformat(today)).days <= RENEWAL_WITHIN_DAYS


def _later(activity: str | None, since: datetime | None) -> str | None:
    days = [day for day in (activity, since.date().isoformat() if since else None) if day]
    return max(days, default=None)


def _day(value: Any) -> str | None:
    """An ISO date, None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        return None


def _whole(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value) if is_number and abs(value) < 2**53 else None
