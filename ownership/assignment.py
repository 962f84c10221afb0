"""Assignment: who should own an account, and why. The rules in their order, each saying why it did or did not decide.

The same account, policy, roster, owners and turns give the same decision; a batch gives what its accounts give one by
one. An account that has an owner who is still there keeps them and takes no turn, so deciding again changes nothing;
only an account that found every book full is placed when room has come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeVar

from ownership.acceptance import is_asked
from ownership.candidates import settled_before
from ownership.case import Case, Holding, LastLead, State, Verdict, Waiting
from ownership.day import Day
from ownership.entries import by_id
from ownership.model import ACCOUNT, LEAD, Account, Decision, Outcome, Step, TeamMember
from ownership.policy import Policy, Roster
from ownership.rules import RULES
from ownership.team import given_by_turns, team_of

K = TypeVar("K")
PLACED_BY_HAND = ("override", "named", "crm_edit")


def decide_owners(
    accounts: Sequence[Account], policy: Policy, roster: Roster, state: State, now: datetime
) -> tuple[list[Decision], State]:
    """Decide these accounts and leads: accounts first, parents before children and then by id, whatever order they
    come in.

    `state` is how things stand before (`ownership.case.State`); owners of record are those of these accounts and of
    their parents, and books are counted as `ownership.case.book_sizes` does. Returns one decision for each account in
    the order given, and the state afterwards; the one given is not changed.
    """
    return decide_on(Day.of(policy, roster, now), accounts, state)


def decide_on(day: Day, accounts: Sequence[Account], state: State) -> tuple[list[Decision], State]:
    """As `decide_owners`, for who decides more than once: making the `Day` costs more than one decision."""
    state = state.copy()
    decided: dict[str, Decision] = {}
    for account in family_order(accounts):
        decided[account.id] = decide_owner(Case.of(account, day, state))
    state.settle_turns()
    return [decided[account.id] for account in accounts], state


def decide_owner(case: Case) -> Decision:
    """Ask the rules in the policy's order; the first that decides does. Moves `case.state` on accordingly."""
    path: list[Step] = []
    inputs = _inputs_hash(case)
    for name in case.day.steps(case.account.kind):
        verdict = RULES[name](case)
        if verdict.owner_id is not None and verdict.owner_id != case.current:
            verdict = _unless_settled(case, verdict, verdict.rule or name)
        path.append(_step(name, verdict.reason is not None, verdict.because))
        if verdict.reason is not None:
            return _conclude(case, verdict, verdict.rule or name, path, inputs)
    because = f"no rule of the policy places this {case.account.kind}"
    path.append(_step("catch_all", True, because))
    return _conclude(case, Verdict(because, "no_rule"), "catch_all", path, inputs)


def _unless_settled(case: Case, verdict: Verdict, rule: str) -> Verdict:
    """The verdict, or what the rule's earlier choice has come to, unless it names who is asked already."""
    if case.asked is not None and case.asked.owner == verdict.owner_id:
        return verdict
    return settled_before(case, verdict.because, rule) or verdict


@lru_cache(maxsize=10_000)
def _step(rule: str, matched: bool, because: str) -> Step:
    """Most accounts are told most of the same things."""
    return Step(rule, matched, because)


def family_order(accounts: Sequence[Account]) -> list[Account]:
    """Accounts before leads, parents before children, then by id. A cycle of parents is cut at its lowest id."""
    by_id = {account.id: account for account in accounts}
    parents = {account.id: account.parent_id for account in accounts if account.parent_id in by_id}
    ids = sorted(by_id, key=lambda id_: (by_id[id_].kind == LEAD, id_))
    return [by_id[id_] for id_ in parents_first(ids, parents)]


def parents_first(entries: Iterable[K], parent_of: Mapping[K, K]) -> list[K]:
    """The entries in their order, save that each comes after its parent. A cycle is cut at the first that is met."""
    ordered: list[K] = []
    seen: set[K] = set()
    for entry in entries:
        line: list[K] = []
        at: K | None = entry
        while at is not None and at not in seen:
            seen.add(at)
            line.append(at)
            at = parent_of.get(at)
        ordered.extend(reversed(line))
    return ordered


def _conclude(case: Case, verdict: Verdict, rule: str, path: Sequence[Step], inputs_hash: str) -> Decision:
    owner, meanwhile = verdict.owner_id, _meanwhile(case, verdict)
    if owner is not None:
        _move(case, owner, meanwhile or owner, verdict)
        _wait(case, verdict, rule, waits=meanwhile is not None)
    if case.marks or case.account.id in case.state.marks:
        case.state.marks[case.account.id] = dict(case.marks)
    return Decision(
        account_id=case.account.id,
        outcome=Outcome.OWNER if owner else Outcome.EXCEPTION,
        reason=verdict.reason or "",
        rule=rule,
        owner_id=owner,
        path=tuple(path),
        candidates=verdict.candidates,
        turn=verdict.turn,
        policy_hash=case.policy.policy_hash,
        inputs_hash=inputs_hash,
        team=_team(case, meanwhile or owner) if owner else (),
        afterwards=verdict.afterwards,
        meanwhile=meanwhile,
    )


def _team(case: Case, owner_id: str) -> tuple[TeamMember, ...]:
    if not (case.policy.team or case.policy.pods):
        return ()
    team = team_of(case, owner_id)
    if by_turns := given_by_turns(case, team):
        case.state.teams[case.account.id] = by_turns
    else:
        case.state.teams.pop(case.account.id, None)
    return team


def _meanwhile(case: Case, verdict: Verdict) -> str | None:
    """Whose the account is until who is given it has accepted it; None when it is theirs at once.

    What somebody is given for a time is theirs at once: the time is running.
    """
    acceptance, owner = case.policy.acceptance, verdict.owner_id
    if acceptance.meanwhile == "offered" or owner is None or verdict.afterwards is not None:
        return None
    if not is_asked(case.account, case.current, owner, verdict.reason or "", case.day.roster):
        return None
    had = case.current if case.day.keeps(case.current) else case.holder
    meanwhile = had if acceptance.meanwhile == "previous" else acceptance.queue
    return None if meanwhile == owner else meanwhile


def _move(case: Case, owner_id: str, of_record: str, verdict: Verdict) -> None:
    """Books are counted as they are once `owner_id` has accepted it; until then `of_record` owns it."""
    state, account = case.state, case.account
    before = case.current if case.current is not None else case.holder
    was_for = case.waiting.owner if case.waiting is not None else before
    if was_for != owner_id:
        if verdict.reason in PLACED_BY_HAND:
            _charge_pools(case, owner_id)
        if not case.is_lead:
            _count(state, was_for, owner_id)
    if case.is_lead and case.current != of_record:  # who has had one for long is no reason to give them the next
        given = LastLead(of_record, case.day.now)
        state.recent.update(dict.fromkeys(case.fields.get("domains") or (), given))
    state.owners[account.id] = of_record
    _hold(case, before != of_record, verdict, of_record != owner_id)


def _wait(case: Case, verdict: Verdict, rule: str, waits: bool) -> None:
    if waits:
        asked = Waiting(str(verdict.owner_id), rule, str(verdict.reason), verdict.turn)
        case.state.waiting[case.account.id] = asked
    else:
        case.state.waiting.pop(case.account.id, None)


def _count(state: State, before: str | None, after: str) -> None:
    if before is not None:
        state.count(before, -1)
    state.count(after, 1)


def _hold(case: Case, moves: bool, verdict: Verdict, waits: bool) -> None:
    """How the owner of record has the account from now on. Nothing of that changes while somebody else is asked."""
    holding = case.state.holdings.get(case.account.id)
    if not moves and holding is not None and (waits or holding.afterwards == verdict.afterwards):
        return
    stays = holding if holding is not None and not moves else None
    case.state.holdings[case.account.id] = Holding(
        since=stays.since if stays else case.day.date,
        afterwards=verdict.afterwards,
        went_on_from=stays.went_on_from if stays else "",
        by_edit=verdict.reason == "crm_edit",
    )


def _charge_pools(case: Case, owner_id: str) -> None:
    """Placed by hand: the pools that say so count it as a turn."""
    for pool in case.day.index.charging_pools:
        if owner_id in pool.members:
            case.state.rota(pool.id, case.day).charge(owner_id)


def _inputs_hash(case: Case) -> str:
    """What the rules read of this account, as one hash. Turns and loads are state, not input."""
    account, state = case.account, case.state
    read: dict[str, Any] = {
        "account": account.id,
        "fields": {name: _plain(value) for name, value in case.fields.items()},
        "owner": case.current,
    }
    if account.parent_id:
        read["parent"] = [account.parent_id, state.owners.get(account.parent_id)]
    if account.crm_owners:
        shown = ((ref.source, ref.object_type, ref.external_id, owner) for ref, owner in account.crm_owners.items())
        read["shown"] = sorted(shown)
    if case.policy.overrides or case.policy.disputes:
        read["records"] = sorted(f"{ref.source}/{ref.external_id}" for ref in account.refs)
        read |= _said_by_people(case)
    if account.kind != ACCOUNT:
        read["kind"] = account.kind
    holding = state.holdings.get(account.id)
    if holding is not None and (holding.afterwards or case.policy.keeping.forfeit_after_days is not None):
        read["holding"] = [holding.since, holding.afterwards.returns_to if holding.afterwards else None]
    if holding is not None and holding.went_on_from:
        read["went_on_from"] = holding.went_on_from
    if case.policy.drift.human_edit == "accept" and (account.id in state.edits or case.holding.by_edit):
        edit = state.edits.get(account.id)
        read["edited"] = [edit.owner, edit.source] if edit else case.current
    if case.waiting is not None:
        read["asked"] = [case.waiting.owner, case.waiting.rule]
    if case.marks:
        read["marks"] = {rule: [mark.since, mark.on] for rule, mark in case.marks.items()}
    return sha256(_canonical(read).encode()).hexdigest()


def _said_by_people(case: Case) -> dict[str, Any]:
    """What people have decided of it in the running system; the hash of the policy's text does not tell of it."""
    key, index = by_id(case.account.id), case.day.index
    overrides = [[each.owner, each.reason, each.period.until, each.then] for each in index.overrides.get(key, ())]
    disputes = [[each.claimed_by, each.reason] for each in index.disputes.get(key, ())]
    return {"said": [overrides, disputes]} if overrides or disputes else {}


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
