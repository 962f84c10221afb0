"""A policy and a roster at one instant. Made once, then asked for every account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from ownership.conditions import Days, days_of
from ownership.index import PolicyIndex
from ownership.model import LEAD, Rep
from ownership.policy import Policy, Roster
from ownership.worktime import Calendar, add_work_time, day_start, end_of_next_business_day, local_day, next_open


@dataclass(frozen=True)
class Day:
    """What holds at `now`. `date` (ISO) is the day in the policy's time zone.

    `present` are those who are with the company, `away` those of them who are on leave, with their last day of it.
    `leaving` have left and keep until the given instant what they have, to hand it over; they are given nothing.
    """

    now: datetime
    date: str
    policy: Policy
    roster: Roster
    present: frozenset[str]
    away: Mapping[str, str]
    leaving: Mapping[str, datetime]

    @staticmethod
    def of(policy: Policy, roster: Roster, now: datetime) -> Day:
        date = local_day(policy.timezone, now)
        leaving = _leaving(roster, date, now) if policy.leavers_move == "next_business_day" else {}
        return Day(now, date, policy.on(date), roster, roster.present_on(date), roster.away_on(date), leaving)

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

    def keeps(self, rep_id: str | None) -> bool:
        """Whether what this owner of record has is theirs still."""
        return rep_id in self.present or rep_id in self.leaving

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


def _leaving(roster: Roster, date: str, now: datetime) -> dict[str, datetime]:
    left = [rep for rep in roster.reps.values() if rep.active and rep.left_on is not None and rep.left_on < date]
    return {rep.id: until for rep in left if (until := handed_over_by(rep)) is not None and now < until}


def handed_over_by(rep: Rep) -> datetime | None:
    """The end of the next business day after the last day of who has left, by the calendar of their region; None when
    that has no such day within a year."""
    calendar = replace(calendar_of(rep), leave=())
    return end_of_next_business_day(calendar, day_start(calendar.timezone, str(rep.left_on)))


def calendar_of(rep: Rep) -> Calendar:
    """When a rep works: as the roster says, else nine to five in their time zone; not on leave."""
    return rep.calendar or Calendar(rep.timezone, leave=rep.leave)
