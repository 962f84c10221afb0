"""What a record shows marketing while a person works it: "human outreach in progress", and "do not market until".

Writing it there is `tasks/suppression.py`; remembering what was written is `store/suppression.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ownership.conditions import fold_fields, holds
from ownership.day import Day
from ownership.entries import SuppressionRule
from ownership.local_time import local_date
from ownership.model import Account, Ref

Shown = Mapping[str, bool | str | None]
"""Values by field: true or an ISO date while marketing keeps away, false or None once it need not."""

NOBODY_SAID_YES = ("declined", "expired")


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands. `since` is when its owner changed last, None when a CRM had them before us.

    `acceptance` is the state of the offer of that change, or "not_asked"; `accepted_at` is when it was accepted.
    `offered_at` is when who is asked now was asked, None when nobody is.
    """

    owner: str | None = None
    since: datetime | None = None
    acceptance: str = "not_asked"
    accepted_at: datetime | None = None
    offered_at: datetime | None = None


def suppression_of(account: Account, standing: Standing, day: Day) -> dict[Ref, dict[str, bool | str | None]]:
    """What each of the account's records is to show; those that are to show nothing are left out.

    Of the entries for one kind of record the first one whose conditions hold counts.
    """
    fields = fold_fields(account.fields, day.date, day.days)
    found: dict[Ref, dict[str, bool | str | None]] = {}
    decided = set[tuple[str, str]]()
    for entry in day.policy.suppression:
        kind = (entry.system, entry.record)
        if kind in decided or not holds(entry.when, fields):
            continue
        decided.add(kind)
        until = free_again_on(standing, entry.days, day)
        if until is not None:
            shown = _shown(entry, until)
            found.update((ref, shown) for ref in account.refs if (ref.source, ref.object_type) == kind)
    return found


def free_again_on(standing: Standing, days: int, day: Day) -> date | None:
    """The first day on which marketing may write again, in the policy's time zone; None: it may today.

    Whoever is asked is about to reach out: until they have answered, that day is tomorrow at the earliest.
    """
    timezone = day.policy.timezone
    today, free = date.fromisoformat(day.date), list[date]()
    if standing.offered_at is not None:
        offered = local_date(timezone, standing.offered_at) + timedelta(days=days)
        free.append(max(offered, today + timedelta(days=1)))
    worked_from = _worked_from(standing, day)
    if worked_from is not None:
        free.append(local_date(timezone, worked_from) + timedelta(days=days))
    latest = max(free, default=today)
    return latest if latest > today else None


def cleared(shown: Shown) -> dict[str, bool | str | None]:
    """The same fields, saying that marketing need not keep away."""
    return {name: False if isinstance(value, bool) else None for name, value in shown.items()}


def _worked_from(standing: Standing, day: Day) -> datetime | None:
    """Since when the owner works the account; None when nobody does: a queue, who left, or who never said yes."""
    owner = standing.owner
    if owner is None or not day.keeps(owner) or day.roster.is_queue(owner):
        return None
    if standing.acceptance in NOBODY_SAID_YES:
        return None
    return standing.accepted_at or standing.since


def _shown(entry: SuppressionRule, until: date) -> dict[str, bool | str | None]:
    flag: dict[str, bool | str | None] = {entry.flag: True} if entry.flag else {}
    return flag | ({entry.date: until.isoformat()} if entry.date else {})
