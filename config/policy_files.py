"""Reading `policy.yaml` and `roster.yaml`: what they hold, and that they hold together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from config.entry_files import EntryReader
from config.roster_files import RosterReader
from config.task_files import read_task
from config.yaml_files import Document, PolicyError, hint, to_plain
from ownership.conditions import ALWAYS, DATES, FIELDS, MAX_DEPTH, Condition, Field, Not, vocabulary
from ownership.entries import Acceptance, DisputeClock, Keeping, Leads, Pod, SlaRule, TaskRule, TeamRole, Territory
from ownership.overlap import Siblings
from ownership.policy import LEAD_STEPS, OPTIONAL_STEPS, STEPS, Policy, Roster
from ownership.worktime import holiday_versions

CRMS = ("salesforce", "hubspot")
CHAIN = ("next_in_line", "manager", "queue")
CLOCKS = ("calendar", "business")
OVER_CAPACITY = ("keep", "move_on")
PLACES = ("salesforce", "salesforce_lead", "hubspot", "hubspot_contact")
KINDS = ("text", "number", "flag", "texts", "date")
SECTIONS = (
    *(
        "timezone",
        "fields",
        "order",
        "system_of_record",
        "require",
        "disputes",
        "dispute_clock",
        "overrides",
        "named",
        "registrations",
    ),
    *("rules", "pools", "pods", "team", "tasks", "territories", "follow_parent", "pins_bypass_capacity"),
    *("existing_owner", "acceptance", "leads"),
)
TERRITORY_KEYS = ("name", "when", "owner", "pool", "skills", "priority", "from", "until", "children")
NEVER: Condition = Not(ALWAYS)


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its roster, its hash, and the text the hash is over."""

    policy: Policy
    roster: Roster
    policy_hash: str
    canonical: str


def load_policy(folder: Path, roster_path: Path | None = None) -> LoadedPolicy:
    """Read `policy.yaml` and `roster.yaml` from a folder; `roster_path` stands in for the second.

    Raises `PolicyError` with every problem found.

    The hash covers both files, and which holidays and time zones are in force where somebody's calendar has some.
    """
    roster_file, policy_file = Document(roster_path or folder / "roster.yaml"), Document(folder / "policy.yaml")
    _stop_at_problems(roster_file, policy_file)
    roster = RosterReader(roster_file).read()
    policy = _PolicyReader(policy_file, roster).read()
    _stop_at_problems(roster_file, policy_file)
    documents = {"policy": to_plain(policy_file.root), "roster": to_plain(roster_file.root)}
    if "calendars" in roster_file.root:
        documents["calendars"] = holiday_versions()
    canonical = json.dumps(documents, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    policy_hash = sha256(canonical.encode()).hexdigest()
    return LoadedPolicy(replace(policy, policy_hash=policy_hash), roster, policy_hash, canonical)


def _stop_at_problems(*documents: Document) -> None:
    problems = [problem for document in documents for problem in document.problems]
    if problems:
        raise PolicyError(problems)


class _PolicyReader(EntryReader):
    def __init__(self, document: Document, roster: Roster) -> None:
        super().__init__(document, roster)
        self.siblings: dict[tuple[str | None, int], tuple[Siblings, list[Territory]]] = {}

    def read(self) -> Policy:
        root = self.document.root
        self.header("Policy")
        self.keys(root, "the policy", ("apiVersion", "kind", "name"), SECTIONS)
        fields = self._fields(root)
        self.known = vocabulary(fields)
        pools, domains, ids = set[str](), set[str](), set[str]()
        self.pools = tuple(self.pool(node, pools) for node in self.mappings(root, "pools", "pools", "a pool"))
        named = self.mappings(root, "named", "named", "a named account")
        rules = self.mappings(root, "rules", "rules", "a rule")
        found: list[Territory] = []
        for node in self.mappings(root, "territories", "territories", "a territory"):
            self._territory(node, None, found, ids, 1)
        leads = self.mapping(root, "leads", "leads")
        pods = self._pods(root)
        team = tuple(map(self.team_role, self.mappings(root, "team", "team", "a role")))
        return Policy(
            name=self.text(root, "name", "the policy"),
            order=self._order(root, STEPS, root),
            requirements=self.requirements(root, "require"),
            disputes=tuple(map(self.dispute, self.mappings(root, "disputes", "disputes", "a dispute"))),
            dispute_clock=self._dispute_clock(root),
            overrides=tuple(map(self.override, self.mappings(root, "overrides", "overrides", "an override"))),
            named=tuple(self.named(node, domains) for node in named),
            registrations=tuple(
                map(self.registration, self.mappings(root, "registrations", "registrations", "a claim"))
            ),
            rules=tuple(self.rule(node, ids) for node in rules),
            territories=tuple(found),
            pools=self.pools,
            pods=pods,
            team=team,
            tasks=self._tasks(root, pods, team),
            system_of_record=self.one_of(root, "system_of_record", "the policy", CRMS),
            timezone=self.timezone(root, "the policy"),
            keeping=self._keeping(root),
            follow_parent=self._follow_parent(root),
            pins_bypass_capacity=self.flag(root, "pins_bypass_capacity", "the policy", True),
            acceptance=self._acceptance(root),
            leads=self._leads(leads),
            lead_order=self._order(leads, LEAD_STEPS, root),
            fields=fields,
        )

    # --- settings ---

    def _fields(self, root: CommentedMap) -> dict[str, Field]:
        """Fields of the company's own, and where those of the product are read that no CRM has by itself."""
        found: dict[str, Field] = {}
        seen: set[str] = set()
        for node in self.mappings(root, "fields", "fields", "a field"):
            self.keys(node, "a field", ("name",), ("kind", "meaning", "from"))
            name = self.text(node, "name", "a field")
            self.once(node, "name", "the field", name, seen)
            what, known = f"field '{name}'", {**FIELDS, **DATES}.get(name)
            if known is None and "kind" not in node:
                self.say(node, None, f"{what} has no 'kind'", f"Give it one of {', '.join(KINDS)}")
            kind = self.one_of(node, "kind", what, KINDS) if known is None or "kind" in node else known.kind
            if known is not None and kind != known.kind:
                self.say(node, "kind", f"{what} is one of Steward's own, of kind {known.kind}", "Leave 'kind' out")
            found[name] = Field(kind, self.text(node, "meaning", name, name), self._places(node, what))  # type: ignore[arg-type]
        return found

    def _places(self, node: CommentedMap, what: str) -> dict[str, str]:
        """What each object of a CRM calls a field."""
        places = self.mapping(node, "from", f"from of {what}")
        self.keys(places, f"from of {what}", (), PLACES)
        return {str(place): self.text(places, place, f"from of {what}") for place in places}

    def _order(self, node: CommentedMap, steps: tuple[str, ...], root: CommentedMap) -> tuple[str, ...]:
        order = self._steps(node, "order", steps)
        for step in steps:
            may_be_missing = step in OPTIONAL_STEPS and not self._wants(step, root)
            may_be_missing |= step == "sticky" and "sticky_days" not in node
            if order.count(step) > 1 or (order.count(step) == 0 and not may_be_missing):
                self.say(node, "order", f"order has '{step}' {order.count(step)} times", "Name each step once")
        if "returned" in order and "override" in order and order.index("returned") < order.index("override"):
            wrong = "order asks 'returned' before 'override', which would end an override at once"
            self.say(node, "order", wrong, "Put 'override' first")
        return order

    def _wants(self, step: str, root: CommentedMap) -> bool:
        """Whether the policy's text has something for an optional step."""
        if step == "returned":
            overrides = self.items(root, "overrides", "overrides")
            return any(isinstance(each, CommentedMap) and "then" in each for each in overrides)
        return OPTIONAL_STEPS[step] in root

    def _steps(self, node: CommentedMap, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        steps = tuple(str(step) for step in self.items(node, key, key)) or known
        for step in steps:
            if step not in known:
                wrong = f"{key} has an unknown step '{step}'{hint(step, known)}"
                self.say(node, key, wrong, f"Steps are {', '.join(known)}")
        return steps

    def _keeping(self, root: CommentedMap) -> Keeping:
        node = self.mapping(root, "existing_owner", "existing_owner")
        what = "existing_owner"
        self.keys(node, what, (), ("forfeit_after_days", "days", "leave_counts", "over_capacity"))
        limit = self.whole(node, "forfeit_after_days", what, 1, 1) if "forfeit_after_days" in node else None
        return Keeping(
            limit,
            self.one_of(node, "days", what, CLOCKS) == "business",
            self.flag(node, "leave_counts", what, False),
            self.one_of(node, "over_capacity", what, OVER_CAPACITY),
        )

    def _dispute_clock(self, root: CommentedMap) -> DisputeClock:
        node, what = self.mapping(root, "dispute_clock", "dispute_clock"), "dispute_clock"
        self.keys(node, what, (), ("hours", "clock"))
        return DisputeClock(self.hours(node, "hours", what, 48, 1), self.one_of(node, "clock", what, CLOCKS))

    def _follow_parent(self, root: CommentedMap) -> Condition:
        if root.get("follow_parent", "all") == "all":
            return ALWAYS
        return NEVER if root["follow_parent"] == "none" else self.condition(root, "follow_parent", "follow_parent")

    def _acceptance(self, root: CommentedMap) -> Acceptance:
        node, what = self.mapping(root, "acceptance", "acceptance"), "acceptance"
        keys = ("hours", "clock", "remind_hours", "chain", "miss_takes_turn", "decline_takes_turn", "by")
        self.keys(node, what, (), keys)
        hours = self.hours(node, "hours", what, 24, 0.1)
        remind = self.hours(node, "remind_hours", what) if "remind_hours" in node else None
        faster = tuple(map(self._sla, self.mappings(node, "by", "by of acceptance", "an SLA")))
        if remind is not None and remind >= hours:
            self.say(node, "remind_hours", f"a reminder after {remind:g} of {hours:g} hours is none", "Make it earlier")
        chain = self._steps(node, "chain", CHAIN)
        if chain[-1] != "queue":
            self.say(node, "chain", "chain does not end in 'queue'", "Add it, or nobody would see what nobody answers")
        return Acceptance(
            hours=hours,
            clock=self.one_of(node, "clock", what, CLOCKS),
            chain=chain,
            remind_hours=remind,
            miss_takes_turn=self.flag(node, "miss_takes_turn", what, True),
            decline_takes_turn=self.flag(node, "decline_takes_turn", what, False),
            faster=faster,
        )

    def _sla(self, node: CommentedMap) -> SlaRule:
        self.keys(node, "an SLA", ("when", "hours"))
        when = self.condition(node, "when", "an SLA") if "when" in node else ALWAYS
        return SlaRule(when, self.hours(node, "hours", "an SLA", 24, 0.1))

    def _leads(self, node: CommentedMap) -> Leads:
        self.keys(node, "leads", (), ("order", "require", "inbound_activity_days", "sticky_days"))
        days = self.whole(node, "inbound_activity_days", "leads", 14)
        return Leads(self.requirements(node, "require"), days, self.whole(node, "sticky_days", "leads", 0))

    def _pods(self, root: CommentedMap) -> tuple[Pod, ...]:
        ids, leads = set[str](), set[str]()
        pods = []
        for node in self.mappings(root, "pods", "pods", "a pod"):
            self.once(node, "id", "the pod", str(node.get("id")), ids)
            pods.append(self.pod(node, leads))
        return tuple(pods)

    def _tasks(self, root: CommentedMap, pods: tuple[Pod, ...], team: tuple[TeamRole, ...]) -> tuple[TaskRule, ...]:
        roles = {entry.role for entry in team} | {role for pod in pods for role in pod.roles}
        names = set[str]()
        return tuple(read_task(self, node, roles, names) for node in self.mappings(root, "tasks", "tasks", "a task"))

    # --- the map ---

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
        to = self.assign(node, what)
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
