"""A rota: one pool while a batch is decided. Who of it may take an account now, who is next, and why not the others.

What keeps a rep from taking one more account is looked up once and again only when their book or their turns change;
deciding a million accounts asks it a million times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from ownership.entries import Pool
from ownership.local_time import zone
from ownership.model import Candidate
from ownership.rotation import PoolTurns, without_leavers
from ownership.turn_memory import TurnMemory
from ownership.turn_queue import Standing

if TYPE_CHECKING:
    from ownership.day import Day

NO_SKILLS: frozenset[str] = frozenset()
POOLED = ""  # the memory of a pool that has one for all rules


class Pick:
    """What a rota says to one account: the rep it goes to (None: nobody is free) and everybody who was looked at."""

    __slots__ = ("candidates", "rep")

    def __init__(self, rep: str | None, candidates: tuple[Candidate, ...]) -> None:
        self.rep = rep
        self.candidates = candidates


class Rota:
    """`load` is the batch's own count of books, read whenever it is needed.

    `rule` is the id of the rule or territory on whose behalf somebody asks; it makes a difference in pools that
    remember their turns for each.
    """

    def __init__(self, pool: Pool, day: Day, turns: PoolTurns, load: Mapping[str, int]) -> None:
        self.pool = pool
        self.is_changed = False
        self._day = day
        self._load = load
        self._turns = without_leavers(turns, pool.members)  # as they were; of the days, as they are
        self._weights = {rep: weight * _percent(day, rep) for rep, weight in pool.members.items()}
        self._absent = [rep for rep in pool.members if rep in day.away and rep in day.present]
        self._caps = _Caps(pool, day.now)
        self._given: Counter[str] = Counter()
        self._room: dict[str, int] = {}
        self._views: dict[frozenset[str], _View] = {}
        self._memories: dict[str, TurnMemory] = {}

    def pick(
        self, skills: frozenset[str] = NO_SKILLS, besides: Mapping[str, str] | None = None, rule: str = ""
    ) -> Pick:
        """Give one account: take the turn and count it. `besides` are reps who may not have this one, and why."""
        view = self._view(skills)
        if besides and not besides.keys().isdisjoint(view.gates):
            view = _View({rep: besides.get(rep) or gate for rep, gate in view.gates.items()})
        if not view.eligible:
            return Pick(None, view.refused())
        if self.pool.strategy == "least_loaded":
            rep = self._least_loaded(view)
        else:
            rep = self._memory(rule).take(view.eligible)
        self._count(rep)
        return Pick(rep, view.candidates(rep, self.pool.strategy))

    def next(self, skills: frozenset[str] = NO_SKILLS, rule: str = "") -> str | None:
        """Who would be given the next account, without giving it."""
        view = self._view(skills)
        if not view.eligible or self.pool.strategy == "least_loaded":
            return self._least_loaded(view) if view.eligible else None
        return self._memory(rule).next(view.eligible)

    def standing(self, rule: str = "") -> list[Standing]:
        """Where every member stands, whose turn comes first first."""
        return self._memory(rule).standing(self._view(NO_SKILLS).eligible)

    def taken(self, rep: str, rule: str = "") -> int:
        """How many turns a member has taken."""
        return self._memory(rule).turns().taken.get(rep, 0)

    def capped(self, rep: str) -> str | None:
        """The cap of the pool that a member has reached, None when none."""
        return self._caps.gate(rep, self._turns, self._given[rep])

    def charge(self, rep: str, rule: str = "") -> None:
        """A rep of the pool got an account without its turn, and the pool says that this uses one.

        Who takes no turns yet has none to use; their caps count it.
        """
        if self._weights[rep] > 0:
            self._memory(rule).charge(rep, {*self._view(NO_SKILLS).eligible, rep})
        self._count(rep)

    def give_back(self, rep: str, given_at: datetime | None = None, rule: str = "") -> None:
        """A rep declined what their turn had given them, and the pool's policy says that this costs none.

        `given_at` is when they had that turn, which their caps counted then; None: just now.
        """
        if rep in self.pool.members:
            self._memory(rule).give_back(rep, {*self._view(NO_SKILLS).eligible, rep})
            key = self._caps.key if given_at is None else _Caps(self.pool, given_at).key
            self._turns = self._turns.uncounted(rep, key)
            self.is_changed = True
            self.look_again(rep)

    def look_again(self, rep: str) -> None:
        """The rep's book or turns have changed by one."""
        room = self._room.get(rep, 0) - 1
        if room > 0:  # not even as many more could have reached a limit
            self._room[rep] = room
        elif rep in self.pool.members:
            self._room[rep] = self._room_of(rep)
            for skills, view in self._views.items():
                view.set(rep, self._gate(rep, skills))

    def gates(self, skills: frozenset[str] = NO_SKILLS) -> Mapping[str, str | None]:
        """What keeps each member from taking one more account; None when nothing does."""
        return self._view(skills).gates

    def turns(self) -> PoolTurns:
        """The pool's turns as they are now."""
        days = self._turns
        for rep, count in sorted(self._given.items()):
            days = days.counted(rep, self._caps.key, count)
        now = {rule: memory.turns() for rule, memory in self._memories.items()}
        pool = now.pop(POOLED, self._turns)
        rules = {**self._turns.rules, **{rule: turns for rule, turns in now.items() if turns != PoolTurns()}}
        return PoolTurns(pool.credit, pool.taken, days.days, pool.bank, rules)

    def _memory(self, rule: str) -> TurnMemory:
        name = rule if self.pool.memory == "rule" else POOLED
        memory = self._memories.get(name)
        if memory is None:
            turns = self._turns.rules.get(name, PoolTurns()) if name else replace(self._turns, days={}, rules={})
            memory = TurnMemory(turns, self._weights, self._absent, self.pool.owed_most)
            self._memories[name] = memory
        return memory

    def _view(self, skills: frozenset[str]) -> _View:
        view = self._views.get(skills)
        if view is None:
            gates = {rep: self._gate(rep, skills) for rep in sorted(self.pool.members)}
            view = self._views[skills] = _View(gates)
        return view

    def _count(self, rep: str) -> None:
        self.is_changed = True
        self._given[rep] += 1
        if self._caps.any:
            self.look_again(rep)

    def _least_loaded(self, view: _View) -> str:
        """The smallest book for its weight; ties go to the lowest id. Compared without division."""
        load, weights = self._load, self._weights
        best = view.eligible[0]
        for rep in view.eligible[1:]:
            if load.get(rep, 0) * weights[best] < load.get(best, 0) * weights[rep]:
                best = rep
        return best

    def _room_of(self, rep: str) -> int:
        """How many accounts more would reach a limit of the rep's book or turns; 0 when one is reached."""
        known = self._day.roster.reps.get(rep)
        capacity = known.capacity_on(self._day.date) if known else None
        room = self._caps.room(rep, self._turns, self._given[rep])
        return room if capacity is None else max(min(room, capacity - self._load.get(rep, 0)), 0)

    def _gate(self, rep: str, skills: frozenset[str]) -> str | None:
        if gate := gate_of(self._day, rep, skills, self._load.get(rep, 0)):
            return gate
        if self._weights[rep] == 0:
            return "takes no turns yet"
        hours = self.pool.within_hours
        if hours is not None and self._day.starts_work(self._day.roster.reps[rep], hours) is None:
            return "is not at work" if hours == 0 else f"is not at work within {hours:g} hours"
        return self._caps.gate(rep, self._turns, self._given[rep])


class _View:
    """The pool as accounts that ask for certain skills see it."""

    def __init__(self, gates: dict[str, str | None]) -> None:
        self.gates = gates
        self.eligible: tuple[str, ...] = ()
        self._told: dict[str, tuple[Candidate, ...]] = {}
        self._settle()

    def set(self, rep: str, gate: str | None) -> None:
        if self.gates[rep] != gate:
            self.gates[rep] = gate
            self._settle()

    def refused(self) -> tuple[Candidate, ...]:
        told = self._told.get("")
        if told is None:
            told = self._told[""] = tuple(_candidate(rep, False, str(gate)) for rep, gate in self.gates.items())
        return told

    def candidates(self, chosen: str, strategy: str) -> tuple[Candidate, ...]:
        told = self._told.get(chosen)
        if told is None:
            said = {"least_loaded": ("smallest book", "has a larger book")}.get(strategy, TURN_WORDS)
            told = self._told[chosen] = tuple(
                _candidate(rep, rep == chosen, gate or said[rep != chosen]) for rep, gate in self.gates.items()
            )
        return told

    def _settle(self) -> None:
        self.eligible = tuple(rep for rep, gate in self.gates.items() if gate is None)
        self._told.clear()


@lru_cache(maxsize=100_000)
def _candidate(rep: str, chosen: bool, because: str) -> Candidate:
    """Most of a pool is told the same at most turns."""
    return Candidate(rep, chosen, because)


TURN_WORDS = ("next in turn", "not their turn")


class _Caps:
    """A pool's caps at one instant: from when on what was given counts.

    By hour, day and week that is in the pool's own time zone. The last 24 hours are the same everywhere: they are
    counted by the minute in UTC, where no hour comes twice.
    """

    def __init__(self, pool: Pool, now: datetime) -> None:
        local = now.astimezone(zone(pool.timezone))
        day = local.date()
        if pool.rolling:
            self.key = _minute(now)
            since = {name: _minute(now - timedelta(hours=hours)) for name, hours in ROLLING.items()}
        else:
            self.key = day.isoformat() if pool.per_hour is None else f"{local:%Y-%m-%dT%H}"
            monday = day - timedelta(days=day.weekday())
            since = {"hour": self.key, "day": day.isoformat(), "week": monday.isoformat()}
        caps = {"hour": pool.per_hour, "day": pool.per_day, "week": pool.per_week}
        self._caps = [(name, most, since[name]) for name, most in caps.items() if most is not None]
        self._rolling = pool.rolling
        self.any = bool(self._caps)

    def room(self, rep: str, turns: PoolTurns, just_given: int) -> int:
        """How many more reach the first cap, 0 when one is reached."""
        left = (most - turns.given(rep, since) - just_given for _, most, since in self._caps)
        return max(min(left, default=NO_LIMIT), 0)

    def gate(self, rep: str, turns: PoolTurns, just_given: int) -> str | None:
        for name, most, since in self._caps:
            if turns.given(rep, since) + just_given >= most:
                when = ROLLING_WINDOWS[name] if self._rolling else WINDOWS[name]
                return f"was given {most} {when}, the most for {'an' if name == 'hour' else 'a'} {name}"
        return None


NO_LIMIT = 2**62
ROLLING = {"hour": 1, "day": 24, "week": 168}
ROLLING_WINDOWS = {"hour": "in the last hour", "day": "in the last 24 hours", "week": "in the last 168 hours"}
WINDOWS = {"hour": "this hour", "day": "today", "week": "this week"}


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}"


def _percent(day: Day, rep: str) -> int:
    known = day.roster.reps.get(rep)
    return known.percent_on(day.date) if known else 100


def gate_of(day: Day, rep_id: str, skills: Iterable[str], load: int) -> str | None:
    """The first thing that keeps anybody from taking one more account, None when nothing does."""
    if rep_id not in day.present:
        return "is not there"
    if rep_id in day.away:
        until = day.away[rep_id]
        return f"is on leave until {until}" if until else "is on leave"
    rep = day.roster.reps[rep_id]
    if missing := sorted(set(skills) - rep.skills):
        return f"lacks {', '.join(missing)}"
    return full_because(rep.capacity_on(day.date), load)


def full_because(capacity: int | None, load: int) -> str | None:
    """Why one more account would be too many for who owns `load` of them, None when it would not."""
    return f"owns {load} accounts of {capacity} at most" if capacity is not None and load >= capacity else None


__all__ = ["Pick", "Rota", "full_because", "gate_of"]
