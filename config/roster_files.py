"""Reading `roster.yaml`: the people and queues who can own, and the calendars they work by."""

from __future__ import annotations

from ruamel.yaml.comments import CommentedMap

from config.yaml_files import Reader, hint
from ownership.model import QUEUE, Period, Ramp, Rep
from ownership.policy import Roster
from ownership.worktime import WEEKDAYS_NINE_TO_FIVE, Calendar, known_holidays, parse_hours

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
REP_KEYS = (
    *("manager", "timezone", "calendar", "capacity", "ramp", "skills"),
    *("leave", "left_on", "external_ids", "active"),
)
Week = tuple[tuple[tuple[int, int], ...], ...]


class RosterReader(Reader):
    """Reads one roster. `calendars` are those it names, still without anybody's time zone and leave."""

    calendars: dict[str, Calendar]

    def read(self) -> Roster:
        root = self.document.root
        self.header("Roster")
        self.keys(root, "the roster", ("apiVersion", "kind", "reps"), ("queues", "calendars"))
        named = set[str]()
        nodes = self.mappings(root, "calendars", "calendars", "a calendar")
        self.calendars = {str(node.get("id")): self._calendar(node, named) for node in nodes}
        ids, emails = set[str](), set[str]()
        people = self.mappings(root, "reps", "reps", "a rep")
        reps = {rep.id: rep for node in people if (rep := self._rep(node, ids, emails))}
        reps |= {
            rep.id: rep
            for node in self.mappings(root, "queues", "queues", "a queue")
            if (rep := self._queue(node, ids, emails))
        }
        for node in people:
            manager = node.get("manager")
            if isinstance(manager, str) and manager and manager not in reps:
                wrong = f"manager '{manager}' is nobody on the roster{hint(manager, reps)}"
                self.say(node, "manager", wrong, "Correct it")
            elif isinstance(manager, str) and manager and reps[manager].kind == QUEUE:
                self.say(node, "manager", f"manager '{manager}' is a queue", "Name somebody who can be asked")
        return Roster(reps)

    def _rep(self, node: CommentedMap, ids: set[str], emails: set[str]) -> Rep:
        self.keys(node, "a rep", ("id", "name", "email", "role", "team"), REP_KEYS)
        id_ = self._named_once(node, "a rep", "the rep", ids, emails)
        leave = tuple(self._leave(each, id_) for each in self.mappings(node, "leave", f"leave of {id_}", "a leave"))
        timezone = self.timezone(node, id_)
        return Rep(
            id=id_,
            name=self.text(node, "name", id_),
            email=self.text(node, "email", id_),
            role=self.text(node, "role", id_),
            team=self.text(node, "team", id_),
            manager=self.text(node, "manager", id_) or None,
            timezone=timezone,
            capacity=self.whole(node, "capacity", id_, 0) if "capacity" in node else None,
            active=self.flag(node, "active", id_, True),
            left_on=self.day(node, "left_on", id_),
            external_ids=self._external_ids(node, id_),
            skills=self.words(node, "skills", id_),
            leave=leave,
            calendar=self._calendar_of(node, id_, timezone, leave),
            ramp=self._ramp(node, id_),
        )

    def _queue(self, node: CommentedMap, ids: set[str], emails: set[str]) -> Rep:
        self.keys(node, "a queue", ("id", "name", "email"), ("external_ids", "team", "active"))
        id_ = self._named_once(node, "a queue", "the rep or queue", ids, emails)
        return Rep(
            id=id_,
            name=self.text(node, "name", id_),
            email=self.text(node, "email", id_),
            role=QUEUE,
            team=self.text(node, "team", id_, QUEUE),
            active=self.flag(node, "active", id_, True),
            external_ids=self._external_ids(node, id_),
            kind=QUEUE,
        )

    def _named_once(self, node: CommentedMap, what: str, seen_as: str, ids: set[str], emails: set[str]) -> str:
        id_ = self.text(node, "id", what)
        self.once(node, "id", seen_as, id_, ids)
        self.once(node, "email", "the e-mail address", self.text(node, "email", id_).casefold(), emails)
        return id_

    def _external_ids(self, node: CommentedMap, id_: str) -> dict[str, str]:
        outside = self.mapping(node, "external_ids", f"external_ids of {id_}")
        return {str(system): self.text(outside, system, f"external_ids of {id_}") for system in outside}

    def _leave(self, node: CommentedMap, what: str) -> Period:
        self.keys(node, f"a leave of {what}", ("from",), ("until",))
        return self.period(node, f"a leave of {what}")

    def _ramp(self, node: CommentedMap, what: str) -> tuple[Ramp, ...]:
        steps = []
        for each in self.mappings(node, "ramp", f"ramp of {what}", "a step of a ramp"):
            self.keys(each, f"ramp of {what}", ("until", "percent"))
            percent = self.whole(each, "percent", f"ramp of {what}", 100)
            if percent > 100:
                self.say(each, "percent", f"ramp of {what} is {percent} percent", "A full share is 100")
            steps.append(Ramp(self.day(each, "until", f"ramp of {what}") or "", percent))
        if [step.until for step in steps] != sorted({step.until for step in steps}):
            self.say(node, "ramp", f"the steps of {what}'s ramp are not in order", "Sort them by 'until'")
        return tuple(steps)

    # --- working time ---

    def _calendar_of(self, node: CommentedMap, id_: str, timezone: str, leave: tuple[Period, ...]) -> Calendar:
        name = self.text(node, "calendar", id_)
        if name and name not in self.calendars:
            wrong = f"calendar of {id_} is '{name}', which there is not{hint(name, self.calendars)}"
            self.say(node, "calendar", wrong, "Add it under calendars")
        shared = self.calendars.get(name, Calendar())
        return Calendar(timezone, shared.week, shared.holidays, shared.closed, shared.open, leave)

    def _calendar(self, node: CommentedMap, seen: set[str]) -> Calendar:
        self.keys(node, "a calendar", ("id",), ("hours", "holidays", "closed", "open"))
        id_ = self.text(node, "id", "a calendar")
        self.once(node, "id", "the calendar", id_, seen)
        what = f"calendar '{id_}'"
        holidays = self.text(node, "holidays", what) or None
        if holidays is not None and not known_holidays(holidays):
            mend = "Write a country, or a country and a part of it, as in DE or US-NY"
            self.say(node, "holidays", f"holidays of {what} is '{holidays}', which we do not know", mend)
            holidays = None
        return Calendar("UTC", self._week(node, what), holidays, self._days(node, "closed"), self._days(node, "open"))

    def _week(self, node: CommentedMap, what: str) -> Week:
        """Hours by weekday; "weekdays" stands for Monday to Friday, a day that is not named is free."""
        if "hours" not in node:
            return WEEKDAYS_NINE_TO_FIVE
        hours = self.mapping(node, "hours", f"hours of {what}")
        self.keys(hours, f"hours of {what}", (), ("weekdays", *WEEKDAYS))
        usual = self._shifts(hours, "weekdays", what)
        week = (
            self._shifts(hours, day, what) if day in hours else usual if number < 5 else ()
            for number, day in enumerate(WEEKDAYS)
        )
        return tuple(week)

    def _shifts(self, hours: CommentedMap, day: str, what: str) -> tuple[tuple[int, int], ...]:
        """ "09:00-17:00", or a list of such; an empty list: not at work."""
        if day not in hours:
            return ()
        said = hours[day] if isinstance(hours[day], list) else [hours[day]]
        shifts = []
        for each in said:
            try:
                shifts.append(parse_hours(str(each)))
            except ValueError as problem:
                self.say(hours, day, f"{day} of {what}: {problem}", 'Write it as "09:00-17:30"')
        return tuple(sorted(shifts))

    def _days(self, node: CommentedMap, key: str) -> frozenset[str]:
        return frozenset(day for place in self.items(node, key, key) if (day := self.iso_day(node, key, place)))
