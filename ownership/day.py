"""A policy and a roster at one instant. Made once, then asked for every account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from ownership.conditions import Days, days_of
from ownership.index import PolicyIndex
from ownership.model import LEAD, Rep
from ownership.policy import Policy, Roster
from ownership.worktime import Calendar, add_work_time, local_day, next_open


@dataclass(frozen=True)
class Day:
    """What holds at `now`. `date` (ISO) is the day in the policy's time zone.

    `present` are those who are with the company, `away` those of them who are on leave, with their last day of it.
    """

    now: datetime
    date: str
    policy: Policy
    roster: Roster
    present: frozenset[str]
    away: Mapping[str, str]

    @staticmethod
    def of(policy: Policy, roster: Roster, now: datetime) -> Day:
        date = local_day(policy.timezone, now)
        return Day(now, date, policy.on(date), roster, roster.present_on(date), roster.away_on(date))

    @cached_property
    def index(self) -> PolicyIndex:
        return PolicyIndex(self.policy)

    @cached_property
    def days(self) -> Days:
        """The number fields that follow from dates."""
        return days_of(self.policy.fields)

    @cached_property
    def _steps(self) -> Mapping[bool, tuple[str, ...]]:
        return {False: self.policy.asked, True: self.policy.asked_of_leads}

    def steps(self, kind: str) -> tuple[str, ...]:
        """The steps that have anything to say about accounts, or about leads."""
        return self._steps[kind == LEAD]

    def name(self, rep_id: str) -> str:
        return self.roster.name(rep_id)

    def starts_work(self, rep: Rep, within_hours: float) -> datetime | None:
        """When the rep is at work next: `now` if they are, None when not within these hours."""
        return next_open(calendar_of(rep), self.now, timedelta(hours=within_hours))


def hours_later(clock: str, rep: Rep, at: datetime, hours: float) -> datetime | None:
    """The instant so many hours after `at`: of all of them ("calendar"), or of those the rep works ("business"; None
    when they do not work that long within a year)."""
    span = timedelta(hours=hours)
    return at + span if clock == "calendar" else add_work_time(calendar_of(rep), at, span)


def calendar_of(rep: Rep) -> Calendar:
    """When a rep works: as the roster says, else nine to five in their time zone; not on leave."""
    return rep.calendar or Calendar(rep.timezone, leave=rep.leave)
