"""Counterfactuals: the decision as it would be if something were different, and what would give an account to a rep.

Nothing is guessed: each answer is the engine deciding once more, on a changed account, policy, roster or owner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ownership.assignment import decide_owners
from ownership.case import State
from ownership.conditions import (
    FIELDS,
    All,
    AnyOf,
    Condition,
    Days,
    Field,
    Not,
    Test,
    days_of,
    fold_fields,
    holds,
    vocabulary,
)
from ownership.entries import Assign, NamedAccount, Override, Territory
from ownership.linking import LIVE_STATUSES, SEGMENT_FLOORS
from ownership.model import Account, Decision, Rep, Step
from ownership.names import country_code
from ownership.policy import Policy, Roster
from ownership.territories import path_of, serving
from ownership.worktime import local_day

FLAGS = {"true": True, "yes": True, "false": False, "no": False}
NEAREST = {"gt": 1, "lt": -1}
"""How far from the operand the next whole number lies that passes the test."""

KINDS = (
    "field",
    "pool",
    "named",
    "capacity",
    "skill",
    "parent",
    "presence",
    "existing_owner",
    "override",
    "territory",
)
"""What a change can touch, from the smallest."""


class NoSuchValue(ValueError):
    """A field or a value no account can have; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One account, and everything its decision rests on, at one moment.

    `state` as `decide_owners` takes it.
    """

    account: Account
    policy: Policy
    roster: Roster
    state: State
    now: datetime

    def decide(self) -> Decision:
        """The decision if this account were decided next. The turn it may take is not kept."""
        decisions, _ = decide_owners([self.account], self.policy, self.roster, self.state, self.now)
        return decisions[0]

    @property
    def today(self) -> str:
        """The day in the policy's time zone, as an ISO date."""
        return local_day(self.policy.timezone, self.now)

    @property
    def fields(self) -> dict[str, Any]:
        """The account's fields as conditions read them today."""
        return fold_fields(self.account.fields, self.today, days_of(self.policy.fields))

    @property
    def path(self) -> tuple[Territory, ...]:
        """The territories the account lies in, from the root down."""
        return path_of(self.fields, self.policy.on(self.today))

    @property
    def places(self) -> list[Assign]:
        """To whom the rules that hold and the map would give the account."""
        fields, policy = self.fields, self.policy.on(self.today)
        server = serving(path_of(fields, policy))
        assigns = [rule.assign for rule in policy.rules if holds(rule.when, fields)]
        return assigns + ([server.assign] if server else [])


@dataclass(frozen=True, slots=True)
class Change:
    """One difference that selects a rep. `then` is the situation with it and `decision` what the engine made of it.

    `kind` says what is touched, one of `KINDS`.
    """

    kind: str
    what: str
    then: Situation
    decision: Decision


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a rep is not given an account. `gate` None: they are. `changes` are verified, smallest first."""

    decision: Decision
    step: Step
    gate: str | None
    changes: tuple[Change, ...] = ()


# --- what if ---


def what_if(situation: Situation, fields: Mapping[str, Any]) -> Situation:
    """The situation with some of the account's fields different; None makes one unknown.

    What is worked out from other fields follows them: the segment from employees (unless the CRM says another one),
    the web domains from the main one and the other way round, paying from the subscription.
    """
    before = situation.account.fields
    fields = {name: value for name, value in fields.items() if value != before.get(name)}
    changed = {**fields, **_followers(before, fields, days_of(situation.policy.fields))}
    after = {name: value for name, value in {**before, **changed}.items() if value is not None}
    return replace(situation, account=replace(situation.account, fields=after))


def to_value(field: str, text: str, known: Mapping[str, Field] = FIELDS) -> Any:
    """What a person typed as a value of this field; nothing typed means unknown. Raises `NoSuchValue`."""
    if field not in known:
        raise NoSuchValue(f"there is no field '{field}'; fields are {', '.join(known)}")
    text, kind = text.strip(), known[field].kind
    if not text:
        return None
    if kind == "number":
        return _to_number(field, text)
    if kind == "flag":
        if text.casefold() not in FLAGS:
            raise NoSuchValue(f"{field} is true or false, not '{text}'")
        return FLAGS[text.casefold()]
    if kind == "texts":
        return [item.strip() for item in text.split(",") if item.strip()]
    if field == "segment":
        return text.casefold().replace("-", "_").replace(" ", "_")
    if field == "country":
        code = country_code(text)
        if code is None:
            raise NoSuchValue(f"'{text}' is no country; write its ISO 3166 code of two letters")
        return code
    return text


def _to_number(field: str, text: str) -> int | float:
    try:
        number = float(text)
    except ValueError:
        raise NoSuchValue(f"{field} is a number, not '{text}'") from None
    if number - number != 0:  # infinite, or not a number at all
        raise NoSuchValue(f"{field} is a number, not '{text}'")
    return int(number) if number.is_integer() else number


def _followers(before: Mapping[str, Any], changed: Mapping[str, Any], days: Days) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "employees" in changed and before.get("segment") == _segment(before.get("employees")):
        found["segment"] = _segment(changed["employees"])
    if "domain" in changed:
        main = changed["domain"]
        others = [domain for domain in before.get("domains") or () if domain not in (before.get("domain"), main)]
        found["domains"] = ([main] if main else []) + others or None
    elif "domains" in changed:
        found["domain"] = next(iter(changed["domains"] or ()), None)
    for name in changed.keys() & days.keys():  # a number that is typed counts, whatever the date it followed from
        found[days[name][0]] = None
    if "subscription_status" in changed:
        found["paying"] = changed["subscription_status"] in LIVE_STATUSES
    return {name: value for name, value in found.items() if name not in changed}


def _segment(employees: Any) -> str | None:
    if employees is None:
        return None
    return next((segment for segment, floor in SEGMENT_FLOORS if employees >= floor), None)


# --- why not ---


def why_not(situation: Situation, rep_id: str) -> WhyNot:
    """Why this rep is not who the account is given to, and which single changes would select them."""
    decision = situation.decide()
    step = decision.path[-1]
    if decision.owner_id == rep_id:
        return WhyNot(decision, step, None)
    gate = _first_gate(situation, decision, step, rep_id)
    rep = situation.roster.reps.get(rep_id)
    return WhyNot(decision, step, gate, tuple(_verified(situation, rep)) if rep else ())


def _verified(situation: Situation, rep: Rep) -> Iterator[Change]:
    """The changes that do select the rep; of several edits of one field, the nearest."""
    told: set[tuple[str, str]] = set()
    for kind, subject, what, then in _candidates(situation, rep):
        if (kind, subject) in told:
            continue
        decision = then.decide()
        if decision.owner_id == rep.id:
            told.add((kind, subject))
            yield Change(kind, what, then, decision)


def _first_gate(situation: Situation, decision: Decision, step: Step, rep_id: str) -> str:
    rep = situation.roster.reps.get(rep_id)
    if rep is None:
        return "is not on the roster"
    if rep_id not in situation.roster.present_on(situation.today):
        return f"left on {rep.left_on}" if rep.left_on and rep.left_on < situation.today else "is not active"
    considered = {candidate.rep_id: candidate.because for candidate in decision.candidates}
    if rep_id in considered:
        return considered[rep_id]
    if not any(asked.rule == "territory" for asked in decision.path):
        return f"another step decided before the territory was asked: {step.because}"
    return _outside(situation)


def _outside(situation: Situation) -> str:
    """Why the map does not lead to somebody who was not even considered."""
    path = situation.path
    if not path:
        return "the account lies in no territory"
    server = serving(path)
    if server is None:
        return f"the account lies in {path[-1].name}, which nobody serves"
    if server.pool:
        return f"is not in pool {server.pool}, which serves {server.name}"
    return f"{server.name} belongs to {situation.roster.name(str(server.owner))}"


# --- candidate changes, from the smallest: (kind, what it touches, in words, the situation with it) ---

Candidates = Iterator[tuple[str, str, str, Situation]]


def _candidates(situation: Situation, rep: Rep) -> Candidates:
    """One account's data first, then rules about one account or one rep, then what moves many accounts."""
    yield from _field_edits(situation)
    yield from _pool_to_join(situation, rep)
    yield from _naming(situation, rep)
    yield from _room(situation, rep)
    yield from _skills(situation, rep)
    yield from _parent_given(situation, rep)
    yield from _presence(situation, rep)
    yield from _without_existing_owner(situation)
    yield from _overriding(situation, rep)
    yield from _territory_given(situation, rep)


def _field_edits(situation: Situation) -> Candidates:
    """A field filled in, else one changed, to a value the map or a requirement asks for; the nearest number first."""
    fields, known = situation.fields, list(vocabulary(situation.policy.fields))
    edits = [
        (field in fields, known.index(field), _distance(fields.get(field), value), str(value), field, value)
        for field, value in _asked_values(situation.policy.on(situation.today))
        if fields.get(field) != value
    ]
    for *_, field, value in sorted(edits, key=lambda edit: edit[:4]):
        was = f" instead of {shown(field, fields[field])}" if field in fields else ", which nobody filled in"
        what = f"{field} {shown(field, value)}{was}"
        yield "field", field, what, what_if(situation, {field: value})


def _asked_values(policy: Policy) -> set[tuple[str, Any]]:
    asked = {("do_not_route", False), ("in_crm", True)}
    conditions = [territory.when for territory in policy.territories] + [rule.when for rule in policy.rules]
    conditions += [need.when for need in (*policy.requirements, *policy.leads.requirements)]
    conditions += [need.when for rule in policy.rules for need in rule.handoff]
    return asked | {found for condition in conditions for found in _values_in(condition)}


def _values_in(condition: Condition) -> Iterator[tuple[str, Any]]:
    match condition:
        case All() | AnyOf():
            for part in condition.parts:
                yield from _values_in(part)
        case Not():
            return  # says what an account must not be, and so no value to give it
        case Test(field=field, operator="in", operand=operand):
            yield from ((field, value) for value in operand)
        case Test(field=field, operator="is_missing"):
            yield field, None
        case Test(field=field, operator=operator, operand=operand) if operator not in ("is_present", "contains"):
            yield field, operand + NEAREST[operator] if operator in NEAREST else operand


def _distance(before: Any, after: Any) -> float:
    both = isinstance(before, int | float) and isinstance(after, int | float)
    return abs(after - before) if both else 0


def shown(field: str, value: Any) -> str:
    """A field's value as people write it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(sorted(map(str, value)))
    return str(value).upper() if field == "country" else str(value)


def _pool_to_join(situation: Situation, rep: Rep) -> Candidates:
    asked = {place.pool for place in situation.places}
    members = {pool.id: pool.members for pool in situation.policy.on(situation.today).pools}
    for pool in situation.policy.pools:
        if pool.id in asked and rep.id not in members[pool.id]:
            periods = {who: period for who, period in pool.member_periods.items() if who != rep.id}
            joined = replace(pool, members={**pool.members, rep.id: 1}, member_periods=periods)
            pools = tuple(joined if known.id == pool.id else known for known in situation.policy.pools)
            what = f"{rep.name} joins pool {pool.id} with weight 1"
            yield "pool", pool.id, what, replace(situation, policy=replace(situation.policy, pools=pools))


def _naming(situation: Situation, rep: Rep) -> Candidates:
    """The account named for the rep, in the entry that names it already or in a new first one."""
    fields, named = situation.fields, situation.policy.named
    domains = sorted(fields.get("domains") or (), key=lambda domain: (domain != fields.get("domain"), domain))
    for position, entry in enumerate(named):
        if entry.domain in domains and entry.owner != rep.id and entry.period.holds_on(situation.today):
            entries = (*named[:position], replace(entry, owner=rep.id), *named[position + 1 :])
            what = f"named account {entry.domain} is {rep.name}'s instead of {situation.roster.name(entry.owner)}'s"
            yield "named", "", what, replace(situation, policy=replace(situation.policy, named=entries))
    new = [domain for domain in domains if domain not in {entry.domain for entry in named}]
    for domain in new:
        entries = (NamedAccount(domain, rep.id), *named)
        what = f"a named account, first in the list: {domain} for {rep.name}"
        yield "named", "", what, replace(situation, policy=replace(situation.policy, named=entries))


def _room(situation: Situation, rep: Rep) -> Candidates:
    load, percent = situation.state.load.get(rep.id, 0), rep.percent_on(situation.today)
    room = rep.capacity_on(situation.today)
    if room is not None and room <= load and percent:
        needed = -((load + 1) * 100 // -percent)  # of which a rep who still ramps up has only their percentage
        what = f"capacity {needed} for {rep.name} instead of {rep.capacity}"
        yield "capacity", rep.id, what, _with_rep(situation, replace(rep, capacity=needed))


def _skills(situation: Situation, rep: Rep) -> Candidates:
    for place in situation.places:
        if missing := sorted(place.skills - rep.skills):
            able = replace(rep, skills=rep.skills | place.skills)
            yield "skill", rep.id, f"{rep.name} has the skill {' and '.join(missing)}", _with_rep(situation, able)


def _overriding(situation: Situation, rep: Rep) -> Candidates:
    """An approved override, before any other; by the account's first record, which every account has."""
    for ref in sorted(situation.account.refs)[:1]:
        made = Override(f"{ref.source}/{ref.external_id}", rep.id, "", "", "")
        policy = replace(situation.policy, overrides=(made, *situation.policy.overrides))
        yield "override", "", f"an approved override: {made.account} for {rep.name}", replace(situation, policy=policy)


def _parent_given(situation: Situation, rep: Rep) -> Candidates:
    parent = situation.account.parent_id
    if parent is not None and situation.state.owners.get(parent) != rep.id:
        state = situation.state.copy()
        state.owners[parent] = rep.id
        yield "parent", parent, f"its parent account is {rep.name}'s", replace(situation, state=state)


def _presence(situation: Situation, rep: Rep) -> Candidates:
    if rep.id not in situation.roster.present_on(situation.today):
        back = replace(rep, active=True, left_on=None)
        yield "presence", rep.id, f"{rep.name} is back", _with_rep(situation, back)
    elif rep.id in situation.roster.away_on(situation.today):
        yield "presence", rep.id, f"{rep.name} is back from leave", _with_rep(situation, replace(rep, leave=()))


def _with_rep(situation: Situation, rep: Rep) -> Situation:
    return replace(situation, roster=Roster({**situation.roster.reps, rep.id: rep}))


def _without_existing_owner(situation: Situation) -> Candidates:
    policy = situation.policy
    order, lead_order = (
        tuple(step for step in steps if step != "existing_owner") for steps in (policy.order, policy.lead_order)
    )
    if (order, lead_order) != (policy.order, policy.lead_order) and situation.path:
        what = f"a rerun of territory {situation.path[-1].id}, where the present owner is no reason to stay"
        without = replace(policy, order=order, lead_order=lead_order)
        yield "existing_owner", "", what, replace(situation, policy=without)


def _territory_given(situation: Situation, rep: Rep) -> Candidates:
    path = situation.path
    place = serving(path) or (path[-1] if path else None)
    if place is not None and place.owner != rep.id:
        given = replace(place, owner=rep.id, pool=None)
        territories = tuple(given if known.id == place.id else known for known in situation.policy.territories)
        what = f"territory {place.id} is {rep.name}'s alone"
        yield "territory", place.id, what, replace(situation, policy=replace(situation.policy, territories=territories))
