"""Rules that remember: those that apply once their condition has held for some days, or go on until another fails.

A threshold alone makes accounts flap between owners; "25 seats for two weeks, until fewer than 15" does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ownership.conditions import holds
from ownership.entries import Rule


@dataclass(frozen=True, slots=True)
class Mark:
    """Since which day (ISO) a rule's condition has held without a break that was seen, and whether the rule is on."""

    since: str
    on: bool


def marks_on(
    rules: Iterable[Rule], fields: Mapping[str, Any], before: Mapping[str, Mark], today: str
) -> dict[str, Mark]:
    """The marks of one account today. `before` are those of the last time it was looked at."""
    after: dict[str, Mark] = {}
    for rule in rules:
        mark = before.get(rule.id)
        if mark is not None and mark.on and rule.stays_while is not None and holds(rule.stays_while, fields):
            after[rule.id] = mark
        elif holds(rule.when, fields):
            since = mark.since if mark is not None else today
            after[rule.id] = Mark(since, days_held(Mark(since, False), today) >= rule.for_days)
    return after


def days_held(mark: Mark, today: str) -> int:
    """For how many days a condition has held."""
    return (date.fromisoformat(today) - date.fromisoformat(mark.since)).days
