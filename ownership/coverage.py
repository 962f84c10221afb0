"""Coverage: how many accounts the map of a policy leaves out. What is wrong with the map is `ownership/lint.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ownership.conditions import days_of, fold_fields, holds
from ownership.model import LEAD, Account
from ownership.policy import Policy
from ownership.territories import path_of, serving


@dataclass(frozen=True, slots=True)
class Coverage:
    """How the map fits `accounts` accounts: those in no territory by country ("unknown" too), and those in one that
    nobody serves by territory. Neither counts those that a supporting role is for, by role, where the policy takes that
    for coverage. Most first."""

    accounts: int
    in_no_territory: Mapping[str, int]
    unserved: Mapping[str, int]
    by_overlay: Mapping[str, int] = field(default_factory=dict)

    @property
    def uncovered(self) -> int:
        """How many accounts nobody covers."""
        return sum(self.in_no_territory.values()) + sum(self.unserved.values())


def coverage(accounts: Iterable[Account], policy: Policy, today: str) -> Coverage:
    """How many of these accounts the map does not place today (ISO date). Leads lie in no map of their own."""
    total, outside, unserved, overlaid = 0, Counter[str](), Counter[str](), Counter[str]()
    policy, days = policy.on(today), days_of(policy.fields)
    for account in accounts:
        if account.kind == LEAD:
            continue
        total += 1
        fields = fold_fields(account.fields, today, days)
        path = path_of(fields, policy)
        if serving(path) is not None:
            continue
        if role := _overlay_of(fields, policy):
            overlaid[role] += 1
        elif path:
            unserved[path[-1].id] += 1
        else:
            outside[str(account.fields.get("country") or "unknown")] += 1
    return Coverage(total, *map(_most_first, (outside, unserved, overlaid)))


def _overlay_of(fields: Mapping[str, Any], policy: Policy) -> str | None:
    """The first supporting role that is for the account, if that counts as coverage."""
    if not policy.overlays_count:
        return None
    return next((entry.role for entry in policy.team if holds(entry.when, fields)), None)


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
