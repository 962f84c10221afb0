"""Levers: on what the decision of a situation still depends, when everything about the accounts is known.

The first account of a situation is decided by `ownership.assignment.decide_owner`, and so is each for which something
new has come up. What that decision said is kept, and said again of the next account as long as the same holds: a pool
names the next of its members, a rep has room for one more. A lever moves the books and turns on as a decision does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

from ownership.case import Case, State
from ownership.day import Day
from ownership.entries import Assign
from ownership.model import Candidate, Decision
from ownership.rota import Pick, Rota, gate_of
from ownership.team import team_of
from tasks.bulk.outcomes import Outcomes
from tasks.bulk.reading import Reading
from tasks.bulk.situations import Situation


class Lever(Protocol):
    def take(self, row: int) -> int | None:
        """The number of the outcome of the account in a row, or None when it has to be decided and learnt."""

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        """What was decided when `take` had just said None."""


def levers_of(situations: Iterable[Situation], reading: Reading, outcomes: Outcomes) -> list[Lever | None]:
    """What each situation depends on; None when it is decided alike every time and moves nothing."""
    known: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    found: list[Lever | None] = []
    for situation in situations:
        lever = _lever_of(situation, reading.day, reading.state, outcomes)
        if situation.follows is not None:
            lever = _OwnerOfParent(situation.owner, known[situation.follows], lever or _Settled(), reading)
        found.append(lever)
    return found


def _lever_of(situation: Situation, day: Day, state: State, outcomes: Outcomes) -> Lever | None:
    """What it depends on apart from its parent."""
    owner, assign = situation.owner, situation.assign
    if situation.step == "existing_owner" and owner is not None:
        return _RoomToKeep(owner, day, state) if _may_lose(owner, day) else None
    if assign is None or not (assign.owner or assign.pool):
        return None
    if owner is not None:
        return None if _stays(situation, day) else _Anew()
    if assign.pool:
        return _NextOfPool(state.rota(assign.pool, day), assign.skills, situation.rule, state, outcomes)
    return _RoomForOneMore(str(assign.owner), assign.skills, day, state)


def _may_lose(owner: str, day: Day) -> bool:
    """Whether the policy takes accounts from somebody who has too many, and they could have."""
    return day.policy.keeping.over_capacity == "move_on" and day.roster.reps[owner].capacity_on(day.date) is not None


def _stays(situation: Situation, day: Day) -> bool:
    """Whether a rule or territory leaves an account with who has it, however large their book is."""
    owner, assign = str(situation.owner), situation.assign or Assign()
    if day.roster.is_queue(owner):
        return owner == assign.owner and day.roster.reps[owner].capacity is None
    if assign.pool:
        return owner in day.index.pools[assign.pool].members and not _may_lose(owner, day)
    return owner == assign.owner


class _Settled:
    """Decided alike every time."""

    def __init__(self) -> None:
        self._outcome: int | None = None

    def take(self, row: int) -> int | None:
        return self._outcome

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        self._outcome = outcome


class _OwnerOfParent:
    """The owner of its parent gets it; where there is none who is there, it depends on what it does without a parent.

    What is `known` of each owner holds for all who are told the same up to there.
    """

    def __init__(self, owner: str | None, known: dict[str, int], otherwise: Lever, reading: Reading) -> None:
        self._owner, self._known, self._otherwise, self._reading = owner, known, otherwise, reading
        self._goes_to: str | None = None

    def take(self, row: int) -> int | None:
        state = self._reading.state
        to = self._goes_to = state.owners.get(self._reading.parents[row])
        if to is None or to not in self._reading.day.present:
            self._goes_to = None
            return self._otherwise.take(row)
        outcome = self._known.get(to)
        if outcome is not None and to != self._owner:
            if self._owner is not None:
                state.count(self._owner, -1)
            state.count(to, 1)
        return outcome

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        if self._goes_to is None:
            self._otherwise.learn(case, decision, outcome)
        else:
            self._known[self._goes_to] = outcome


class _Anew:
    """An account that moves from one owner to another is decided by itself."""

    def take(self, row: int) -> int | None:
        return None

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        pass


class _RoomToKeep:
    """Who has it keeps it as long as they have not too many."""

    def __init__(self, owner: str, day: Day, state: State) -> None:
        self._owner, self._load = owner, state.load
        self._most = day.roster.reps[owner].capacity_on(day.date) or 0
        self._kept: int | None = None
        self._keeps = False

    def take(self, row: int) -> int | None:
        self._keeps = self._load.get(self._owner, 0) <= self._most
        return self._kept if self._keeps else None

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        if self._keeps:
            self._kept = outcome


class _RoomForOneMore:
    """One owner gets it, unless something keeps them from taking one more."""

    def __init__(self, owner: str, skills: frozenset[str], day: Day, state: State) -> None:
        self._owner, self._skills, self._day, self._state = owner, skills, day, state
        self._known: dict[str | None, int] = {}
        self._gate: str | None = None

    def take(self, row: int) -> int | None:
        self._gate = gate_of(self._day, self._owner, self._skills, self._state.load.get(self._owner, 0))
        outcome = self._known.get(self._gate)
        if outcome is not None and self._gate is None:
            self._state.count(self._owner, 1)
        return outcome

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        self._known[self._gate] = outcome


class _NextOfPool:
    """The next of a pool gets it. What is said of its members depends on who that is, and on nothing else."""

    def __init__(self, rota: Rota, skills: frozenset[str], rule: str, state: State, outcomes: Outcomes) -> None:
        self._rota, self._skills, self._rule, self._state, self._outcomes = rota, skills, rule, state, outcomes
        self._known: dict[int, int] = {}  # by the candidates' identity: comparing them would cost more than picking
        self._said: list[tuple[Candidate, ...]] = []  # keeps their identities from being given to others
        self._taken: tuple[Case, int] | None = None

    def take(self, row: int) -> int | None:
        if self._taken is None and None in self._rota.gates(self._skills).values():
            return None
        pick = self._rota.pick(self._skills, rule=self._rule)
        outcome = self._known.get(id(pick.candidates))
        if pick.rep is None or self._taken is None:
            return outcome
        self._state.count(pick.rep, 1)
        return self._given_to(pick, *self._taken) if outcome is None else outcome

    def learn(self, case: Case, decision: Decision, outcome: int) -> None:
        if decision.turn is not None:
            self._taken = case, outcome
        self._keep(decision.candidates, outcome)

    def _given_to(self, pick: Pick, case: Case, taken: int) -> int:
        owner = str(pick.rep)
        team = team_of(case, owner) if case.policy.team or case.policy.pods else ()
        return self._keep(pick.candidates, self._outcomes.number_given_to(owner, taken, pick.candidates, team))

    def _keep(self, candidates: tuple[Candidate, ...], outcome: int) -> int:
        self._said.append(candidates)
        self._known[id(candidates)] = outcome
        return outcome
