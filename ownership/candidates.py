"""Candidates: to whom a rule or territory gives an account, and why not to the others."""

from __future__ import annotations

from ownership.case import Case, Verdict
from ownership.entries import Assign
from ownership.model import Candidate
from ownership.rota import gate_of


def assigned(case: Case, assign: Assign, reason: str, rule: str, where: str, whose: str) -> Verdict:
    """The verdict of a rule or territory that gives accounts to `assign`.

    `where` begins the sentence ("Europe › Nordics"), `whose` names the rule or territory to people.
    """
    if settled := settled_before(case, where, rule):
        return settled
    if assign.owner:
        return _whole_owner(case, assign, reason, rule, where, whose)
    return _from_pool(case, assign, reason, rule, where)


def settled_before(case: Case, said: str, rule: str) -> Verdict | None:
    """What this rule's choice has come to already, if anything: somebody is being asked, or nobody of those who were
    accepted it. The rule would choose again, and take another turn for it."""
    if case.asked is not None and case.asked.rule == rule:
        because = f"{said}; {case.name(case.asked.owner)} is asked to accept it"
        return Verdict(because, case.asked.reason, case.asked.owner, rule, case.asked.turn)
    if case.went_on_from(rule):
        owner = str(case.current)
        because = f"{said}; it is {case.name(owner)}'s, since nobody who was asked before accepted it"
        return Verdict(because, "escalated", owner, rule, afterwards=case.lent)
    return None


def _whole_owner(case: Case, assign: Assign, reason: str, rule: str, where: str, whose: str) -> Verdict:
    owner = str(assign.owner)
    gate = None if owner == case.kept_owner else _gate(case, owner, assign)
    if gate:
        because = f"{where} is {case.name(owner)}'s, who {gate}"
        return Verdict(because, "no_available_rep", None, rule, candidates=(Candidate(owner, False, gate),))
    chosen = (Candidate(owner, True, f"serves {whose}"),)
    if case.day.roster.is_queue(owner):
        return Verdict(f"{where} is worked by {case.name(owner)}", "queue", owner, rule, candidates=chosen)
    return Verdict(f"{where} is {case.name(owner)}'s", reason, owner, rule, candidates=chosen)


def _gate(case: Case, owner: str, assign: Assign) -> str | None:
    lost = _lost_by(case)
    return lost.get(owner) or gate_of(case.day, owner, assign.skills, case.state.load.get(owner, 0))


def _lost_by(case: Case) -> dict[str, str]:
    """Who has the account and is not given it again at once, and why: who forfeited it, but not who was lent it."""
    if case.lost_because and case.holder is not None and case.lent is None:
        return {case.holder: case.lost_because}
    return {}


def _from_pool(case: Case, assign: Assign, reason: str, rule: str, where: str) -> Verdict:
    """The pool's next; somebody of the pool who has the account already keeps it and no turn is taken, unless the
    pool says that this uses one."""
    rota = case.state.rota(str(assign.pool), case.day)
    pool, kept = rota.pool, case.kept_owner
    if kept is not None and kept in pool.members and not case.too_many_for(kept):
        chosen = (Candidate(kept, True, "has it already and is of the pool"),)
        because = f"{where}: {case.name(kept)} has it and is of its pool"
        if pool.existing_owner_takes_turn and case.current is None:
            rota.charge(kept, rule)
            because += ", which takes a turn"
        return Verdict(because, reason, kept, rule, candidates=chosen)
    pick = rota.pick(assign.skills, _lost_by(case), rule)
    if pick.rep is None:
        because, code = f"{where}: nobody in pool {pool.id} is free", "no_available_rep"
        if any("at work" in candidate.because for candidate in pick.candidates):
            because, code = f"{where}: nobody in pool {pool.id} is at work in time", "nobody_at_work"
        return Verdict(because, code, None, rule, candidates=pick.candidates)
    own = "next in its own turns" if pool.memory == "rule" else "next in turn"
    said = "smallest book" if pool.strategy == "least_loaded" else own
    return Verdict(f"{where}: {said} in pool {pool.id}", "pool", pick.rep, rule, pool.id, pick.candidates)
