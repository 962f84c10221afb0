"""Candidates: who of those an account could go to may take it, and who of them is next."""

from __future__ import annotations

from datetime import date, timedelta

from ownership.case import Case, Verdict
from ownership.model import Candidate
from ownership.policy import Assign, Pool
from ownership.rotation import PoolTurns, take_turn, without_leavers


def assigned(case: Case, assign: Assign, reason: str, rule: str, where: str, whose: str) -> Verdict:
    """The verdict of a rule or territory that gives accounts to `assign`.

    `where` begins the sentence ("Europe › Nordics"), `whose` names the rule or territory to people.
    """
    if assign.owner:
        return _whole_owner(case, assign, reason, rule, where, whose)
    return _from_pool(case, assign, case.day.index.pools[str(assign.pool)], reason, rule, where)


def gate_of(case: Case, rep_id: str, assign: Assign) -> str | None:
    """The first thing that keeps a rep from taking one more account, None when nothing does."""
    if rep_id not in case.present:
        return "is not there"
    if rep_id in case.day.away:
        until = case.day.away[rep_id]
        return f"is on leave until {until}" if until else "is on leave"
    rep = case.day.roster.reps[rep_id]
    if missing := sorted(assign.skills - rep.skills):
        return f"lacks {', '.join(missing)}"
    load = case.state.load.get(rep_id, 0)
    if rep.capacity is not None and load >= rep.capacity:
        return f"owns {load} accounts of {rep.capacity} at most"
    return None


def _cap_of(case: Case, rep_id: str, pool: Pool, turns: PoolTurns) -> str | None:
    if pool.per_day is not None and turns.given(rep_id, case.day.date) >= pool.per_day:
        return f"was given {pool.per_day} today, the most for a day"
    if pool.per_week is not None and turns.given(rep_id, _monday(case.day.date)) >= pool.per_week:
        return f"was given {pool.per_week} this week, the most for a week"
    return None


def _monday(day: str) -> str:
    at = date.fromisoformat(day)
    return (at - timedelta(days=at.weekday())).isoformat()


def _whole_owner(case: Case, assign: Assign, reason: str, rule: str, where: str, whose: str) -> Verdict:
    owner = str(assign.owner)
    gate = None if owner == case.kept_owner else gate_of(case, owner, assign)
    if gate:
        because = f"{where} is {case.name(owner)}'s, who {gate}"
        return Verdict(because, "no_available_rep", None, rule, candidates=(Candidate(owner, False, gate),))
    chosen = (Candidate(owner, True, f"serves {whose}"),)
    return Verdict(f"{where} is {case.name(owner)}'s", reason, owner, rule, candidates=chosen)


def _from_pool(case: Case, assign: Assign, pool: Pool, reason: str, rule: str, where: str) -> Verdict:
    """The pool's next; somebody of the pool who has the account already keeps it and no turn is taken."""
    kept = case.kept_owner
    if kept in pool.members:
        chosen = (Candidate(str(kept), True, "has it already and is of the pool"),)
        because = f"{where}: {case.name(str(kept))} has it and is of its pool"
        return Verdict(because, reason, kept, rule, candidates=chosen)
    turns = without_leavers(case.state.turns.get(pool.id, PoolTurns()), pool.members)
    gates = {rep: gate_of(case, rep, assign) or _cap_of(case, rep, pool, turns) for rep in sorted(pool.members)}
    eligible = [rep for rep, gate in gates.items() if gate is None]
    if not eligible:
        refused = tuple(Candidate(rep, False, str(gate)) for rep, gate in gates.items())
        return Verdict(f"{where}: nobody in pool {pool.id} is free", "no_available_rep", None, rule, candidates=refused)
    if pool.strategy == "least_loaded":
        owner, said, other = _least_loaded(case, pool, eligible), "smallest book", "has a larger book"
    else:
        owner, turns = take_turn(turns, pool.members, eligible)
        said, other = "next in turn", "not their turn"
    case.state.turns[pool.id] = turns.counted(owner, case.day.date)
    candidates = tuple(
        Candidate(rep, rep == owner, gate or (said if rep == owner else other)) for rep, gate in gates.items()
    )
    return Verdict(f"{where}: {said} in pool {pool.id}", "pool", owner, rule, pool.id, candidates)


def _least_loaded(case: Case, pool: Pool, eligible: list[str]) -> str:
    """The smallest book for its weight; ties go to the lowest id. Compared without division."""
    best = eligible[0]
    for rep in eligible[1:]:
        mine, best_load = case.state.load.get(rep, 0), case.state.load.get(best, 0)
        if mine * pool.members[best] < best_load * pool.members[rep]:
            best = rep
    return best
