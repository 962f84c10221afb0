"""Reading the entries of `policy.yaml`: pools, rules, overrides and the like, each checked against the roster."""

from __future__ import annotations

from ruamel.yaml.comments import CommentedMap

from config.condition_files import ConditionReader
from config.yaml_files import Document, hint
from ownership.conditions import ALWAYS
from ownership.entries import (
    Assign,
    Dispute,
    NamedAccount,
    Override,
    Pod,
    Pool,
    Registration,
    Requirement,
    Rule,
    TeamRole,
)
from ownership.model import QUEUE, Period
from ownership.policy import Roster

STRATEGIES = ("turns", "least_loaded")
THEN = ("stay", "return", "rules")
CAPS = ("per_hour", "per_day", "per_week")
POOL_KEYS = (
    *("strategy", *CAPS, "rolling", "timezone", "within_hours"),
    *("after_leave", "owed_most", "existing_owner_takes_turn", "manual_takes_turn", "memory"),
)
MEMORY = ("pool", "rule")
AFTER_LEAVE = ("no_flood", "owed_turns")
OWED_MOST = 10


class EntryReader(ConditionReader):
    """Reads what the sections of a policy list. `pools` are those read so far."""

    def __init__(self, document: Document, roster: Roster) -> None:
        super().__init__(document)
        self.roster = roster
        self.pools: tuple[Pool, ...] = ()

    def requirement(self, node: CommentedMap) -> Requirement:
        self.keys(node, "a requirement", ("name", "when", "mend"))
        name = self.text(node, "name", "a requirement")
        when = self.condition(node, "when", f"requirement '{name}'") if "when" in node else ALWAYS
        return Requirement(name, when, self.text(node, "mend", name))

    def requirements(self, node: CommentedMap, key: str) -> tuple[Requirement, ...]:
        return tuple(map(self.requirement, self.mappings(node, key, key, "a requirement")))

    def dispute(self, node: CommentedMap) -> Dispute:
        self.keys(node, "a dispute", ("account", "claimed_by", "reason"), ("from", "until"))
        account = self._account(node, "a dispute")
        what = f"the dispute over {account}"
        claimed_by = self.person(node, "claimed_by", what)
        return Dispute(account, claimed_by, self.text(node, "reason", what), self.period(node, what))

    def override(self, node: CommentedMap) -> Override:
        required = ("account", "owner", "reason", "requested_by", "approved_by")
        self.keys(node, "an override", required, ("from", "until", "then"))
        account = self._account(node, "an override")
        what = f"the override of {account}"
        asked, approved = self.person(node, "requested_by", what), self.person(node, "approved_by", what)
        if asked and asked == approved:
            self.say(node, "approved_by", f"{what} is approved by who asked for it", "Have somebody else approve it")
        owner, then = self.owner(node, "owner", what), self.one_of(node, "then", what, THEN)
        if then != "stay" and "until" not in node:
            self.say(node, "then", f"{what} never ends", "Add 'until', or leave 'then' out")
        reason, period = self.text(node, "reason", what), self.period(node, what)
        return Override(account, owner, reason, asked, approved, period, then)

    def _account(self, node: CommentedMap, what: str) -> str:
        account = self.text(node, "account", what)
        return account if "/" in account else account.casefold()

    def named(self, node: CommentedMap, seen: set[str]) -> NamedAccount:
        self.keys(node, "a named account", ("domain", "owner"), ("note", "from", "until"))
        domain = self.text(node, "domain", "a named account").casefold()
        self.once(node, "domain", "the named account", domain, seen)
        owner = self.owner(node, "owner", f"named account '{domain}'")
        return NamedAccount(domain, owner, self.text(node, "note", domain), self.period(node, domain))

    def registration(self, node: CommentedMap) -> Registration:
        self.keys(node, "a claim", ("domain", "rep", "from", "until"))
        domain = self.text(node, "domain", "a claim").casefold()
        what = f"the claim to {domain}"
        return Registration(domain, self.owner(node, "rep", what), self.period(node, what))

    def rule(self, node: CommentedMap, seen: set[str]) -> Rule:
        optional = ("name", "from", "until", "for_days", "stays_while", "handoff")
        self.keys(node, "a rule", ("id", "when", "assign"), optional)
        id_ = self.text(node, "id", "a rule")
        what = f"rule '{id_}'"
        self.once(node, "id", "the rule or territory", id_, seen)
        when = self.condition(node, "when", what) if "when" in node else ALWAYS
        assign = self.mapping(node, "assign", f"assign of {what}") if node.get("assign") != "keep" else CommentedMap()
        self.keys(assign, f"assign of {what}", (), ("owner", "pool", "skills"))
        if "assign" in node and node["assign"] != "keep" and not {"owner", "pool"} & set(assign):
            self.say(node, "assign", f"{what} assigns to nobody", "Give an owner or a pool, or write assign: keep")
        return Rule(
            id_,
            when,
            self.assign(assign, what),
            self.text(node, "name", id_),
            self.period(node, what),
            self.whole(node, "for_days", what, 0),
            self.condition(node, "stays_while", f"stays_while of {what}") if "stays_while" in node else None,
            self.requirements(node, "handoff"),
        )

    def assign(self, node: CommentedMap, what: str) -> Assign:
        owner = self.owner(node, "owner", what) if "owner" in node else None
        pool = self._pool_of(node, what) if "pool" in node else None
        if pool and owner:
            self.say(node, "pool", f"{what} has both an owner and a pool", "Keep one of them")
        return Assign(owner, pool, self.words(node, "skills", what))

    def team_role(self, node: CommentedMap) -> TeamRole:
        self.keys(node, "a role", ("role", "assign"), ("when", "from", "until"))
        role = self.text(node, "role", "a role")
        what = f"role '{role}'"
        assign = self.mapping(node, "assign", f"assign of {what}")
        self.keys(assign, f"assign of {what}", (), ("owner", "pool", "skills"))
        if "assign" in node and not {"owner", "pool"} & set(assign):
            self.say(node, "assign", f"{what} is filled by nobody", "Give an owner or a pool")
        if role == "owner":
            self.say(node, "role", "the owner is no supporting role", "Give it another name, or use rules")
        when = self.condition(node, "when", what) if "when" in node else ALWAYS
        return TeamRole(role, self.assign(assign, what), when, self.period(node, what))

    def pod(self, node: CommentedMap, leads: set[str]) -> Pod:
        self.keys(node, "a pod", ("id", "lead", "roles"))
        id_ = self.text(node, "id", "a pod")
        what = f"pod '{id_}'"
        lead = self.owner(node, "lead", what)
        self.once(node, "lead", "the lead of a pod", lead, leads)
        roles = self.mapping(node, "roles", f"roles of {what}")
        if "owner" in roles:
            self.say(roles, "owner", "the owner is no supporting role", "The lead of the pod is the owner; remove it")
        return Pod(id_, lead, {str(role): self.owner(roles, role, what) for role in sorted(roles, key=str)})

    def pool(self, node: CommentedMap, seen: set[str]) -> Pool:
        self.keys(node, "a pool", ("id", "members"), POOL_KEYS)
        id_ = self.text(node, "id", "a pool")
        self.once(node, "id", "the pool", id_, seen)
        what = f"pool '{id_}'"
        members, periods = self._members(node, what)
        caps = {cap: self.whole(node, cap, what, 1, 1) if cap in node else None for cap in CAPS}
        by_hand, memory = self.flag(node, "manual_takes_turn", what, False), self.one_of(node, "memory", what, MEMORY)
        if by_hand and memory == "rule":
            wrong = f"{what} remembers turns by rule, and an account placed by hand is of no rule"
            self.say(node, "manual_takes_turn", wrong, "Remove it, or write memory: pool")
        return Pool(
            id_,
            members,
            self.one_of(node, "strategy", what, STRATEGIES),
            caps["per_day"],
            caps["per_week"],
            periods,
            caps["per_hour"],
            self.flag(node, "rolling", what, False),
            self.timezone(node, what),
            self.hours(node, "within_hours", what) if "within_hours" in node else None,
            self._owed_most(node, what),
            self.flag(node, "existing_owner_takes_turn", what, False),
            by_hand,
            memory,
        )

    def _members(self, node: CommentedMap, what: str) -> tuple[dict[str, int], dict[str, Period]]:
        members: dict[str, int] = {}
        periods: dict[str, Period] = {}
        known: set[str] = set()
        for member in self.mappings(node, "members", f"members of {what}", f"a member of {what}"):
            self.keys(member, f"a member of {what}", ("rep",), ("weight", "from", "until"))
            rep = self.owner(member, "rep", what)
            self.once(member, "rep", f"{what}: the member", rep, known)
            if rep in self.roster.reps and self.roster.reps[rep].kind == QUEUE:
                self.say(
                    member, "rep", f"{what} has the queue '{rep}' as a member", "A queue takes no turns; remove it"
                )
            members[rep] = self.whole(member, "weight", what, 1, 1)
            if {"from", "until"} & set(member):
                periods[rep] = self.period(member, f"{rep} in {what}")
        if not members:
            self.say(node, "members", f"{what} has no members", "Add a member or remove the pool")
        return members, periods

    def _owed_most(self, node: CommentedMap, what: str) -> int:
        after_leave = self.one_of(node, "after_leave", what, AFTER_LEAVE)
        if after_leave == "owed_turns":
            return self.whole(node, "owed_most", what, OWED_MOST, 1)
        if "owed_most" in node:
            self.say(node, "owed_most", f"{what} owes nobody turns", "Write after_leave: owed_turns, or remove it")
        return 0

    def _pool_of(self, node: CommentedMap, what: str) -> str:
        pool, known = self.text(node, "pool", what), [pool.id for pool in self.pools]
        if pool and pool not in known:
            self.say(node, "pool", f"{what} names pool '{pool}', which there is not{hint(pool, known)}", "Add the pool")
        return pool

    def person(self, node: CommentedMap, key: str, what: str) -> str:
        """Somebody on the roster, here or not: history keeps who asked and who approved."""
        rep = self.text(node, key, what)
        if rep and rep not in self.roster.reps:
            wrong = f"{key} of {what} is '{rep}', who is nobody on the roster{hint(rep, self.roster.reps)}"
            self.say(node, key, wrong, "Correct it")
        return rep

    def owner(self, node: CommentedMap, key: str, what: str) -> str:
        """A rep or queue that is active. Whether they have left by some day is a question of the day: see lint."""
        rep = self.text(node, key, what)
        known = self.roster.reps.get(rep)
        if rep and known is None:
            wrong = f"{what} names '{rep}', who is nobody on the roster{hint(rep, self.roster.reps)}"
            self.say(node, key, wrong, "Correct it")
        elif known is not None and not known.active:
            self.say(node, key, f"{what} names {known.name}, who is not active", "Name somebody who is there")
        return rep
