"""Assignment: who should own an account, and why. The rules in their order, each saying why it did or did not decide.

The same account, policy, roster, owners and turns give the same decision; a batch gives what its accounts give one by
one. An account that has an owner who is still there keeps them and takes no turn, so deciding again changes nothing;
only an account that found every book full is placed when room has come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ownership.case import Case, Day, State, Verdict
from ownership.conditions import fold_fields
from ownership.model import Account, Decision, Outcome, Step
from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns
from ownership.rules import RULES


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
    has in all, as `ownership.case.book_sizes` counts them. `today` is an ISO date. Returns one decision for each
    account in the order given, and the pools' turns afterwards.
    """
    return decide_on(Day.of(policy, roster, today), accounts, owners, load, turns)


def decide_on(
    day: Day,
    accounts: Sequence[Account],
    owners: Mapping[str, str],
    load: Mapping[str, int],
    turns: Mapping[str, PoolTurns],
) -> tuple[list[Decision], dict[str, PoolTurns]]:
    """As `decide_owners`, for who decides more than once in a day: making the `Day` costs more than one decision."""
    state = State(dict(owners), dict(load), dict(turns))
    decided: dict[str, Decision] = {}
    for account in family_order(accounts):
        decided[account.id] = decide_owner(Case(account, fold_fields(account.fields), day, state))
    return [decided[account.id] for account in accounts], state.turns


def decide_owner(case: Case) -> Decision:
    """Ask the rules in the policy's order; the first that decides does. Moves `case.state` on accordingly."""
    path: list[Step] = []
    inputs = _inputs_hash(case)
    for name in case.day.steps:
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
    before = case.current if case.current is not None else case.kept_owner
    case.state.owners[case.account.id] = owner_id
    if before == owner_id:
        return
    if before is not None:
        case.state.load[before] = case.state.load.get(before, 0) - 1
    case.state.load[owner_id] = case.state.load.get(owner_id, 0) + 1


def _inputs_hash(case: Case) -> str:
    """What the rules read of this account, as one hash. Turns and loads are state, not input."""
    account = case.account
    read = {
        "account": account.id,
        "records": sorted(f"{ref.source}/{ref.external_id}" for ref in account.refs) if case.policy.overrides else [],
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
