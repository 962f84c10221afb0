"""Assignment: who should own an account, and why. The rules in their order, each saying why it did or did not decide.

The same account, policy, roster, owners and turns give the same decision; a batch gives what its accounts give one by
one. An account that has an owner who is still there keeps them and takes no turn, so deciding again changes nothing;
only an account that found every book full is placed when room has come.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ownership.conditions import fold_fields, holds
from ownership.identities import UNKNOWN
from ownership.model import Account, Candidate, Decision, Outcome, Step
from ownership.policy import Policy, Pool, Roster, Territory
from ownership.rotation import PoolTurns, take_turn, without_leavers
from ownership.territories import path_of, serving


@dataclass(slots=True)
class State:
    """What a batch knows beside the accounts themselves, and moves on as it decides.

    `owners`: owner of record by account; `load`: accounts each rep owns; `turns`: by pool.
    """

    owners: dict[str, str]
    load: dict[str, int]
    turns: dict[str, PoolTurns]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule said. `reason` None: it did not decide, and the next rule is asked."""

    because: str
    reason: str | None = None
    owner_id: str | None = None
    rule: str = ""
    turn: str | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One account under decision, with what every rule may look at."""

    account: Account
    fields: Mapping[str, Any]
    policy: Policy
    roster: Roster
    present: frozenset[str]
    state: State

    @property
    def current(self) -> str | None:
        return self.state.owners.get(self.account.id)

    def name(self, rep_id: str) -> str:
        rep = self.roster.reps.get(rep_id)
        return rep.name if rep else rep_id


Rule = Callable[[Case], Verdict]


def decide_owners(
    accounts: Sequence[Account],
    policy: Policy,
    roster: Roster,
    owners: Mapping[str, str],
    load: Mapping[str, int],
    turns: Mapping[str, PoolTurns],
    today: str,
) -> tuple[list[Decision], dict[str, PoolTurns]]:
    """Decide these accounts, parents before children and then by id, whatever order they come in.

    `owners` are today's owners of record of these accounts and of their parents; `load` is how many accounts each rep
    owns in all. `today` is an ISO date. Returns one decision for each account in the order given, and the pools'
    turns afterwards.
    """
    state = State(dict(owners), dict(load), dict(turns))
    present = roster.present_on(today)
    decided: dict[str, Decision] = {}
    for account in family_order(accounts):
        case = Case(account, fold_fields(account.fields), policy, roster, present, state)
        decided[account.id] = decide_owner(case)
    return [decided[account.id] for account in accounts], state.turns


def decide_owner(case: Case) -> Decision:
    """Ask the rules in the policy's order; the first that decides does. Moves `case.state` on accordingly."""
    path: list[Step] = []
    inputs = _inputs_hash(case)
    for name in case.policy.order:
        verdict = RULES[name](case)
        path.append(Step(name, verdict.reason is not None, verdict.because))
        if verdict.reason is not None:
            return _conclude(case, verdict, verdict.rule or name, path, inputs)
    because = "no rule of the policy places this account"
    path.append(Step("catch_all", True, because))
    return _conclude(case, Verdict(because, "no_rule"), "catch_all", path, inputs)


def family_order(accounts: Sequence[Account]) -> list[Account]:
    """Parents before children, then by id. A cycle of parents is cut at its lowest id."""
    by_id = {account.id: account for account in accounts}
    ordered: list[Account] = []
    seen: set[str] = set()
    for account_id in sorted(by_id):
        line: list[Account] = []
        at: Account | None = by_id[account_id]
        while at is not None and at.id not in seen:
            seen.add(at.id)
            line.append(at)
            at = by_id.get(at.parent_id) if at.parent_id else None
        ordered.extend(reversed(line))
    return ordered


def _conclude(case: Case, verdict: Verdict, rule: str, path: Sequence[Step], inputs_hash: str) -> Decision:
    if verdict.owner_id is not None:
        _move(case, verdict.owner_id)
    return Decision(
        account_id=case.account.id,
        outcome=Outcome.OWNER if verdict.owner_id else Outcome.EXCEPTION,
        reason=verdict.reason or "",
        rule=rule,
        owner_id=verdict.owner_id,
        path=tuple(path),
        candidates=verdict.candidates,
        turn=verdict.turn,
        policy_hash=case.policy.policy_hash,
        inputs_hash=inputs_hash,
    )


def _move(case: Case, owner_id: str) -> None:
    before = case.current
    if before == owner_id:
        return
    if before is not None:
        case.state.load[before] -= 1
    case.state.load[owner_id] = case.state.load.get(owner_id, 0) + 1
    case.state.owners[case.account.id] = owner_id


# --- the rules, in the default order ---


def _do_not_route(case: Case) -> Verdict:
    if case.fields.get("do_not_route"):
        return Verdict("the account is marked do-not-route", "do_not_route")
    return Verdict("not marked do-not-route")


def _gate(case: Case) -> Verdict:
    """Minimum data. Somebody who owns the account already is not taken away from it for a missing field.

    A customer that is in no CRM has no record that could show an owner: it is missing there before anything else.
    """
    if not case.fields.get("in_crm", True):
        because = "a paying or active customer that is in no CRM; create it there or link it"
        return Verdict(because, "shadow_account")
    missing = [need for need in case.policy.requirements if not holds(need.when, case.fields)]
    if not missing:
        return Verdict("has the data every account needs")
    said = "; ".join(f"{need.name} is missing: {need.mend}" for need in missing)
    if _kept_owner(case) is not None:
        return Verdict(f"{said} (it has an owner already)")
    return Verdict(said, "missing_data", rule=missing[0].name)


def _named(case: Case) -> Verdict:
    domains = case.fields.get("domains") or frozenset()
    said = "not a named account"
    for named in case.policy.named:
        if named.domain in domains:
            if named.owner in case.present:
                because = f"{named.domain} is a named account of {case.name(named.owner)}"
                return Verdict(because, "named", named.owner, f"named/{named.domain}")
            said = f"{named.domain} is named for {case.name(named.owner)}, who is not there"
    return Verdict(said)


def _parent_owner(case: Case) -> Verdict:
    parent = case.account.parent_id
    owner = case.state.owners.get(parent) if parent else None
    if parent is None:
        return Verdict("has no parent account")
    if owner is None or owner not in case.present:
        return Verdict("its parent account has no owner who is there")
    return Verdict(f"its parent account belongs to {case.name(owner)}", "parent_owner", owner)


def _existing_owner(case: Case) -> Verdict:
    rivals = _rivals(case)
    if case.current in case.present:
        owner = str(case.current)
        return Verdict(f"{case.name(owner)} owns it already", "existing_owner", owner)
    if len(rivals) > 1:
        names = " and ".join(case.name(rep) for rep in rivals)
        because = f"{case.policy.system_of_record} shows {names} on records of the same company"
        return Verdict(because, "conflicting_owners", candidates=_rival_candidates(rivals))
    owner_in_crm = _kept_owner(case)
    if owner_in_crm is None:
        return Verdict(_why_not_kept(case))
    others = sorted({rep for rep in case.account.crm_owners.values() if rep in case.present} - {owner_in_crm})
    said = f"; another CRM shows {', '.join(map(case.name, others))}" if others else ""
    return Verdict(f"{case.name(owner_in_crm)} owns it in the CRM{said}", "existing_owner", owner_in_crm)


def _territory(case: Case) -> Verdict:
    path = path_of(case.fields, case.policy)
    territory = serving(path)
    if territory is None:
        where = f"lies in {path[-1].name}, which nobody serves" if path else "lies in no territory"
        return Verdict(where)
    where = " › ".join(node.name for node in path)
    if territory.owner:
        return _single(case, territory, where)
    pool = next(pool for pool in case.policy.pools if pool.id == territory.pool)
    return _turn(case, territory, pool, where)


RULES: Mapping[str, Rule] = {
    "do_not_route": _do_not_route,
    "gate": _gate,
    "named": _named,
    "parent_owner": _parent_owner,
    "existing_owner": _existing_owner,
    "territory": _territory,
}


# --- what the rules share ---


def _rivals(case: Case) -> list[str]:
    """Different owners who are there, on records of this account in the CRM of record."""
    shown = {owner for ref, owner in case.account.crm_owners.items() if ref.source == case.policy.system_of_record}
    return sorted(shown & case.present)


def _kept_owner(case: Case) -> str | None:
    """Who has the account and is still there: by the ledger, else by the CRM of record, else by another CRM."""
    if case.current in case.present:
        return case.current
    shown = sorted(
        case.account.crm_owners.items(), key=lambda item: (item[0].source != case.policy.system_of_record, item[0])
    )
    return next((owner for _, owner in shown if owner in case.present), None)


def _why_not_kept(case: Case) -> str:
    if case.current is not None:
        return f"{case.name(case.current)} owned it and is not there any more"
    shown = sorted(set(case.account.crm_owners.values()))
    if not shown:
        return "nobody owns it"
    known = [case.name(owner) for owner in shown if not owner.startswith(UNKNOWN)]
    if known:
        return f"{', '.join(known)} is shown as owner and is not there any more"
    return "is shown with an owner who is nobody on the roster"


def _rival_candidates(rivals: Sequence[str]) -> tuple[Candidate, ...]:
    return tuple(Candidate(rep, False, "one of several owners the CRM shows") for rep in rivals)


def _gate_of(case: Case, rep_id: str) -> str | None:
    """The first thing that keeps a rep from taking one more account, None when nothing does."""
    if rep_id not in case.present:
        return "is not there"
    capacity = case.roster.reps[rep_id].capacity
    if capacity is not None and case.state.load.get(rep_id, 0) >= capacity:
        return f"owns {case.state.load.get(rep_id, 0)} accounts of {capacity} at most"
    return None


def _single(case: Case, territory: Territory, where: str) -> Verdict:
    owner = str(territory.owner)
    gate = None if owner == _kept_owner(case) else _gate_of(case, owner)
    if gate:
        because = f"{where} is {case.name(owner)}'s, who {gate}"
        return Verdict(because, "no_available_rep", None, territory.id, candidates=(Candidate(owner, False, gate),))
    chosen = (Candidate(owner, True, f"serves {territory.name}"),)
    return Verdict(f"{where} is {case.name(owner)}'s", "territory", owner, territory.id, candidates=chosen)


def _turn(case: Case, territory: Territory, pool: Pool, where: str) -> Verdict:
    """The pool's next turn; somebody of the pool who has the account already keeps it and no turn is taken."""
    gates = {rep: _gate_of(case, rep) for rep in sorted(pool.members)}
    kept = _kept_owner(case)
    if kept in pool.members:
        chosen = (Candidate(str(kept), True, "has it already and is of the pool"),)
        because = f"{where}: {case.name(str(kept))} has it and is of its pool"
        return Verdict(because, "territory", kept, territory.id, candidates=chosen)
    eligible = [rep for rep, gate in gates.items() if gate is None]
    if not eligible:
        refused = tuple(Candidate(rep, False, str(gate)) for rep, gate in gates.items())
        return Verdict(
            f"{where}: nobody in pool {pool.id} is free", "no_available_rep", None, territory.id, candidates=refused
        )
    turns = without_leavers(case.state.turns.get(pool.id, PoolTurns()), pool.members)
    owner, case.state.turns[pool.id] = take_turn(turns, pool.members, eligible)
    candidates = tuple(
        Candidate(rep, rep == owner, gate or ("next in turn" if rep == owner else "not their turn"))
        for rep, gate in gates.items()
    )
    because = f"{where}: next in turn in pool {pool.id}"
    return Verdict(because, "pool", owner, territory.id, pool.id, candidates)


def _inputs_hash(case: Case) -> str:
    """What the rules read of this account, as one hash. Turns and loads are state, not input."""
    account = case.account
    read = {
        "account": account.id,
        "fields": {name: _plain(value) for name, value in sorted(case.fields.items())},
        "shown": sorted(
            [ref.source, ref.object_type, ref.external_id, owner] for ref, owner in account.crm_owners.items()
        ),
        "owner": case.current,
        "parent": account.parent_id,
        "parent_owner": case.state.owners.get(account.parent_id) if account.parent_id else None,
    }
    return sha256(json.dumps(read, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
