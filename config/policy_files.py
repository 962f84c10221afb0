"""Reading `policy.yaml` and `roster.yaml`: what they hold, and that they hold together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from zoneinfo import available_timezones

from ruamel.yaml.comments import CommentedMap

from config.condition_files import ConditionReader
from config.yaml_files import Document, PolicyError, Reader, hint, to_plain
from ownership.conditions import ALWAYS, MAX_DEPTH
from ownership.model import Period, Rep
from ownership.overlap import Siblings
from ownership.policy import (
    OPTIONAL_STEPS,
    STEPS,
    Assign,
    NamedAccount,
    Override,
    Policy,
    Pool,
    Registration,
    Requirement,
    Roster,
    Rule,
    Territory,
)

CRMS = ("salesforce", "hubspot")
CHAIN = ("next_in_line", "manager", "queue")
STRATEGIES = ("turns", "least_loaded")
SECTIONS = (
    *("order", "system_of_record", "require", "overrides", "named", "registrations", "rules"),
    *("pools", "territories", "acceptance"),
)
TERRITORY_KEYS = ("name", "when", "owner", "pool", "skills", "priority", "from", "until", "children")


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its roster, its hash, and the text the hash is over."""

    policy: Policy
    roster: Roster
    policy_hash: str
    canonical: str


def load_policy(folder: Path) -> LoadedPolicy:
    """Read `policy.yaml` and `roster.yaml` from a folder. Raises `PolicyError` with every problem found."""
    roster_file, policy_file = Document(folder / "roster.yaml"), Document(folder / "policy.yaml")
    _stop_at_problems(roster_file, policy_file)
    roster = _RosterReader(roster_file).read()
    policy = _PolicyReader(policy_file, roster).read()
    _stop_at_problems(roster_file, policy_file)
    documents = {"policy": to_plain(policy_file.root), "roster": to_plain(roster_file.root)}
    canonical = json.dumps(documents, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    policy_hash = sha256(canonical.encode()).hexdigest()
    return LoadedPolicy(replace(policy, policy_hash=policy_hash), roster, policy_hash, canonical)


def _stop_at_problems(*documents: Document) -> None:
    problems = [problem for document in documents for problem in document.problems]
    if problems:
        raise PolicyError(problems)


class _RosterReader(Reader):
    def read(self) -> Roster:
        root = self.document.root
        self.header("Roster")
        self.keys(root, "the roster", ("apiVersion", "kind", "reps"))
        nodes = self.mappings(root, "reps", "reps", "a rep")
        ids, emails = set[str](), set[str]()
        reps = {rep.id: rep for node in nodes if (rep := self._rep(node, ids, emails))}
        for node in nodes:
            manager = node.get("manager")
            if isinstance(manager, str) and manager and manager not in reps:
                wrong = f"manager '{manager}' is nobody on the roster{hint(manager, reps)}"
                self.say(node, "manager", wrong, "Correct it")
        return Roster(reps)

    def _rep(self, node: CommentedMap, ids: set[str], emails: set[str]) -> Rep:
        optional = ("manager", "timezone", "capacity", "skills", "leave", "left_on", "external_ids", "active")
        self.keys(node, "a rep", ("id", "name", "email", "role", "team"), optional)
        id_ = self.text(node, "id", "a rep")
        self.once(node, "id", "the rep", id_, ids)
        self.once(node, "email", "the e-mail address", self.text(node, "email", id_).casefold(), emails)
        outside = self.mapping(node, "external_ids", f"external_ids of {id_}")
        return Rep(
            id=id_,
            name=self.text(node, "name", id_),
            email=self.text(node, "email", id_),
            role=self.text(node, "role", id_),
            team=self.text(node, "team", id_),
            manager=self.text(node, "manager", id_) or None,
            timezone=self._timezone(node, id_),
            capacity=self.whole(node, "capacity", id_, 0) if "capacity" in node else None,
            active=self.flag(node, "active", id_, True),
            left_on=self.day(node, "left_on", id_),
            external_ids={str(system): self.text(outside, system, f"external_ids of {id_}") for system in outside},
            skills=self.words(node, "skills", id_),
            leave=tuple(self._leave(each, id_) for each in self.mappings(node, "leave", f"leave of {id_}", "a leave")),
        )

    def _leave(self, node: CommentedMap, what: str) -> Period:
        self.keys(node, f"a leave of {what}", ("from",), ("until",))
        return self.period(node, f"a leave of {what}")

    def _timezone(self, node: CommentedMap, what: str) -> str:
        name = self.text(node, "timezone", what, "UTC")
        if name not in available_timezones():
            wrong = f"timezone of {what} is '{name}'{hint(name, available_timezones())}"
            self.say(node, "timezone", wrong, "Write an IANA name such as Europe/Berlin")
        return name


class _PolicyReader(ConditionReader):
    def __init__(self, document: Document, roster: Roster) -> None:
        super().__init__(document)
        self.roster = roster
        self.pools: tuple[Pool, ...] = ()
        self.siblings: dict[tuple[str | None, int], tuple[Siblings, list[Territory]]] = {}

    def read(self) -> Policy:
        root = self.document.root
        self.header("Policy")
        self.keys(root, "the policy", ("apiVersion", "kind", "name"), SECTIONS)
        pools, domains, ids = set[str](), set[str](), set[str]()
        self.pools = tuple(self._pool(node, pools) for node in self.mappings(root, "pools", "pools", "a pool"))
        acceptance = self.mapping(root, "acceptance", "acceptance")
        self.keys(acceptance, "acceptance", (), ("hours", "chain"))
        named = self.mappings(root, "named", "named", "a named account")
        requirements = self.mappings(root, "require", "require", "a requirement")
        rules = self.mappings(root, "rules", "rules", "a rule")
        found: list[Territory] = []
        for node in self.mappings(root, "territories", "territories", "a territory"):
            self._territory(node, None, found, ids, 1)
        return Policy(
            name=self.text(root, "name", "the policy"),
            order=self._order(root),
            requirements=tuple(map(self._requirement, requirements)),
            overrides=tuple(map(self._override, self.mappings(root, "overrides", "overrides", "an override"))),
            named=tuple(self._named(node, domains) for node in named),
            registrations=tuple(
                map(self._registration, self.mappings(root, "registrations", "registrations", "a claim"))
            ),
            rules=tuple(self._rule(node, ids) for node in rules),
            territories=tuple(found),
            pools=self.pools,
            system_of_record=self._system_of_record(root),
            acceptance_hours=self.whole(acceptance, "hours", "acceptance", 24, 1),
            acceptance_chain=self._chain(acceptance),
        )

    def _system_of_record(self, root: CommentedMap) -> str:
        crm = self.text(root, "system_of_record", "the policy", CRMS[0])
        if crm not in CRMS:
            wrong = f"system_of_record is '{crm}'{hint(crm, CRMS)}"
            self.say(root, "system_of_record", wrong, f"It is one of {', '.join(CRMS)}")
        return crm

    def _steps(self, node: CommentedMap, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        steps = tuple(str(step) for step in self.items(node, key, key)) or known
        for step in steps:
            if step not in known:
                wrong = f"{key} has an unknown step '{step}'{hint(step, known)}"
                self.say(node, key, wrong, f"Steps are {', '.join(known)}")
        return steps

    def _order(self, root: CommentedMap) -> tuple[str, ...]:
        order = self._steps(root, "order", STEPS)
        for step in STEPS:
            may_be_missing = step in OPTIONAL_STEPS and OPTIONAL_STEPS[step] not in root
            if order.count(step) > 1 or (order.count(step) == 0 and not may_be_missing):
                self.say(root, "order", f"order has '{step}' {order.count(step)} times", "Name each step once")
        return order

    def _chain(self, node: CommentedMap) -> tuple[str, ...]:
        chain = self._steps(node, "chain", CHAIN)
        if chain[-1] != "queue":
            self.say(node, "chain", "chain does not end in 'queue'", "Add it, or nobody would see what nobody answers")
        return chain

    def _requirement(self, node: CommentedMap) -> Requirement:
        self.keys(node, "a requirement", ("name", "when", "mend"))
        name = self.text(node, "name", "a requirement")
        when = self.condition(node, "when", f"requirement '{name}'") if "when" in node else ALWAYS
        return Requirement(name, when, self.text(node, "mend", name))

    def _named(self, node: CommentedMap, seen: set[str]) -> NamedAccount:
        self.keys(node, "a named account", ("domain", "owner"), ("note", "from", "until"))
        domain = self.text(node, "domain", "a named account").casefold()
        self.once(node, "domain", "the named account", domain, seen)
        owner = self._owner(node, "owner", f"named account '{domain}'")
        return NamedAccount(domain, owner, self.text(node, "note", domain), self.period(node, domain))

    def _override(self, node: CommentedMap) -> Override:
        self.keys(node, "an override", ("account", "owner", "reason", "requested_by", "approved_by"), ("from", "until"))
        account = self.text(node, "account", "an override")
        what = f"the override of {account}"
        asked, approved = self._person(node, "requested_by", what), self._person(node, "approved_by", what)
        if asked and asked == approved:
            self.say(node, "approved_by", f"{what} is approved by who asked for it", "Have somebody else approve it")
        owner = self._owner(node, "owner", what)
        account = account if "/" in account else account.casefold()
        return Override(account, owner, self.text(node, "reason", what), asked, approved, self.period(node, what))

    def _registration(self, node: CommentedMap) -> Registration:
        self.keys(node, "a claim", ("domain", "rep", "from", "until"))
        domain = self.text(node, "domain", "a claim").casefold()
        what = f"the claim to {domain}"
        return Registration(domain, self._owner(node, "rep", what), self.period(node, what))

    def _rule(self, node: CommentedMap, seen: set[str]) -> Rule:
        self.keys(node, "a rule", ("id", "when", "assign"), ("name", "from", "until"))
        id_ = self.text(node, "id", "a rule")
        what = f"rule '{id_}'"
        self.once(node, "id", "the rule or territory", id_, seen)
        when = self.condition(node, "when", what) if "when" in node else ALWAYS
        assign = self.mapping(node, "assign", f"assign of {what}") if node.get("assign") != "keep" else CommentedMap()
        self.keys(assign, f"assign of {what}", (), ("owner", "pool", "skills"))
        if "assign" in node and node["assign"] != "keep" and not {"owner", "pool"} & set(assign):
            self.say(node, "assign", f"{what} assigns to nobody", "Give an owner or a pool, or write assign: keep")
        return Rule(id_, when, self._assign(assign, what), self.text(node, "name", id_), self.period(node, what))

    def _assign(self, node: CommentedMap, what: str) -> Assign:
        owner = self._owner(node, "owner", what) if "owner" in node else None
        pool = self._pool_of(node, what) if "pool" in node else None
        if pool and owner:
            self.say(node, "pool", f"{what} has both an owner and a pool", "Keep one of them")
        return Assign(owner, pool, self.words(node, "skills", what))

    def _person(self, node: CommentedMap, key: str, what: str) -> str:
        """Somebody on the roster, here or not: history keeps who asked and who approved."""
        rep = self.text(node, key, what)
        if rep and rep not in self.roster.reps:
            wrong = f"{key} of {what} is '{rep}', who is nobody on the roster{hint(rep, self.roster.reps)}"
            self.say(node, key, wrong, "Correct it")
        return rep

    def _pool(self, node: CommentedMap, seen: set[str]) -> Pool:
        self.keys(node, "a pool", ("id", "members"), ("strategy", "per_day", "per_week"))
        id_ = self.text(node, "id", "a pool")
        self.once(node, "id", "the pool", id_, seen)
        members: dict[str, int] = {}
        periods: dict[str, Period] = {}
        known: set[str] = set()
        what = f"pool '{id_}'"
        for member in self.mappings(node, "members", f"members of {what}", f"a member of {what}"):
            self.keys(member, f"a member of {what}", ("rep",), ("weight", "from", "until"))
            rep = self._owner(member, "rep", what)
            self.once(member, "rep", f"{what}: the member", rep, known)
            members[rep] = self.whole(member, "weight", what, 1, 1)
            if {"from", "until"} & set(member):
                periods[rep] = self.period(member, f"{rep} in {what}")
        if not any(self._is_here(member) for member in members):
            self.say(node, "members", f"{what} has nobody who is still there", "Add a member or remove the pool")
        strategy = self.text(node, "strategy", what, STRATEGIES[0])
        if strategy not in STRATEGIES:
            wrong = f"strategy of {what} is '{strategy}'{hint(strategy, STRATEGIES)}"
            self.say(node, "strategy", wrong, f"It is one of {', '.join(STRATEGIES)}")
        per_day, per_week = (
            self.whole(node, cap, what, 1, 1) if cap in node else None for cap in ("per_day", "per_week")
        )
        return Pool(id_, members, strategy, per_day, per_week, periods)

    def _territory(
        self, node: CommentedMap, parent: str | None, found: list[Territory], seen: set[str], depth: int
    ) -> None:
        if depth > MAX_DEPTH:
            self.say(node, None, f"territories are nested more than {MAX_DEPTH} deep", "Flatten them")
            return
        self.keys(node, "a territory", ("id",), TERRITORY_KEYS)
        id_ = self.text(node, "id", "a territory")
        what = f"territory '{id_}'"
        self.once(node, "id", "the territory", id_, seen)
        to = self._assign(node, what)
        when = self.condition(node, "when", what) if "when" in node else ALWAYS
        priority = self.whole(node, "priority", id_, 0, -1000)
        name, period = self.text(node, "name", id_, id_), self.period(node, what)
        territory = Territory(id_, name, when, parent, to.owner, to.pool, priority, to.skills, period)
        self._beside(node, territory)
        found.append(territory)
        for child in self.mappings(node, "children", f"children of '{id_}'", "a territory"):
            self._territory(child, id_, found, seen, depth + 1)

    def _beside(self, node: CommentedMap, territory: Territory) -> None:
        """Two siblings of one priority that can both hold would be told apart by nothing anybody wrote."""
        siblings, territories = self.siblings.setdefault((territory.parent, territory.priority), (Siblings(), []))
        for number in siblings.add(territory.when):
            sibling = territories[number]
            if sibling.id != territory.id and sibling.period.meets(territory.period):
                wrong = f"territories '{sibling.id}' and '{territory.id}' can both hold and have the same priority"
                mend = "Give one of them a higher priority, or a condition that rules the other out"
                self.say(node, "id", wrong, mend)
        territories.append(territory)

    def _pool_of(self, node: CommentedMap, what: str) -> str:
        pool, known = self.text(node, "pool", what), [pool.id for pool in self.pools]
        if pool and pool not in known:
            self.say(node, "pool", f"{what} names pool '{pool}', which there is not{hint(pool, known)}", "Add the pool")
        return pool

    def _owner(self, node: CommentedMap, key: str, what: str) -> str:
        """A rep who is there."""
        rep = self.text(node, key, what)
        known = self.roster.reps.get(rep)
        if rep and known is None:
            wrong = f"{what} names '{rep}', who is nobody on the roster{hint(rep, self.roster.reps)}"
            self.say(node, key, wrong, "Correct it")
        elif known is not None and not self._is_here(rep):
            self.say(node, key, f"{what} names {known.name}, who has left", "Name somebody who is there")
        return rep

    def _is_here(self, rep_id: str) -> bool:
        rep = self.roster.reps.get(rep_id)
        return rep is not None and rep.active and not rep.left_on
