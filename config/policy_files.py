"""Reading `policy.yaml` and `roster.yaml`: what they hold, and that they hold together."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from config.notice_files import read_notice
from config.roster_files import RosterReader
from config.setting_files import CRMS, SettingReader
from config.suppression_files import read_suppression
from config.task_files import read_task
from config.yaml_files import Document, PolicyError, to_plain
from ownership.conditions import ALWAYS, MAX_DEPTH, vocabulary
from ownership.entries import NoticeRule, Pod, SuppressionRule, TaskRule, TeamRole, Territory
from ownership.overlap import Siblings
from ownership.policy import LEAD_STEPS, STEPS, Policy, Roster
from ownership.worktime import holiday_versions

SECTIONS = (
    *("timezone", "fields", "order", "system_of_record", "require", "disputes", "dispute_clock", "overrides", "named"),
    *("registrations", "rules", "pools", "pods", "team", "tasks", "suppression", "territories", "follow_parent"),
    *("pins_bypass_capacity", "pins_bypass_caps", "existing_owner", "leavers", "on_owner_change", "acceptance"),
    *("drift", "coverage", "leads", "identity", "notices", "exceptions"),
)
TERRITORY_KEYS = ("name", "when", "owner", "pool", "skills", "priority", "from", "until", "children")


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


class _PolicyReader(SettingReader):
    def __init__(self, document: Document, roster: Roster) -> None:
        super().__init__(document, roster)
        self.siblings: dict[tuple[str | None, int], tuple[Siblings, list[Territory]]] = {}

    def read(self) -> Policy:
        root = self.document.root
        self.header("Policy")
        self.keys(root, "the policy", ("apiVersion", "kind", "name"), SECTIONS)
        fields = self.fields(root)
        self.known = vocabulary(fields)
        pools, domains, ids = set[str](), set[str](), set[str]()
        self.pools = tuple(self.pool(node, pools) for node in self.mappings(root, "pools", "pools", "a pool"))
        named = self.mappings(root, "named", "named", "a named account")
        rules = self.mappings(root, "rules", "rules", "a rule")
        found: list[Territory] = []
        for node in self.mappings(root, "territories", "territories", "a territory"):
            self._territory(node, None, found, ids, 1)
        leads = self.mapping(root, "leads", "leads")
        pods = self.pods(root)
        team = tuple(map(self.team_role, self.mappings(root, "team", "team", "a role")))
        return Policy(
            name=self.text(root, "name", "the policy"),
            order=self.order(root, STEPS, root),
            requirements=self.requirements(root, "require"),
            disputes=tuple(map(self.dispute, self.mappings(root, "disputes", "disputes", "a dispute"))),
            dispute_clock=self.dispute_clock(root),
            exception_hours=self.exception_hours(root),
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
            suppression=self._suppression(root),
            notices=self._notices(root, pods, team) if "notices" in root else None,
            system_of_record=self.one_of(root, "system_of_record", "the policy", CRMS),
            timezone=self.timezone(root, "the policy"),
            keeping=self.keeping(root),
            leavers_move=self.leavers(root),
            follow_parent=self.follow_parent(root),
            pins_bypass_capacity=self.flag(root, "pins_bypass_capacity", "the policy", True),
            pins_bypass_caps=self.flag(root, "pins_bypass_caps", "the policy", True),
            acceptance=self.acceptance(root),
            drift=self.drift(root),
            on_owner_change=self.on_owner_change(root),
            overlays_count=self.coverage(root),
            conflicting_owners=self.conflicting_owners(root),
            leads=self.leads(leads),
            lead_order=self.order(leads, LEAD_STEPS, root),
            fields=fields,
        )

    def _tasks(self, root: CommentedMap, pods: tuple[Pod, ...], team: tuple[TeamRole, ...]) -> tuple[TaskRule, ...]:
        roles, names = _roles(pods, team), set[str]()
        return tuple(read_task(self, node, roles, names) for node in self.mappings(root, "tasks", "tasks", "a task"))

    def _notices(self, root: CommentedMap, pods: tuple[Pod, ...], team: tuple[TeamRole, ...]) -> tuple[NoticeRule, ...]:
        entries = self.mappings(root, "notices", "notices", "a notice")
        return tuple(read_notice(self, node, _roles(pods, team), self.roster) for node in entries)

    def _suppression(self, root: CommentedMap) -> tuple[SuppressionRule, ...]:
        names, what = set[str](), "suppression"
        return tuple(read_suppression(self, node, names) for node in self.mappings(root, what, what, "an entry"))

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


def _roles(pods: tuple[Pod, ...], team: tuple[TeamRole, ...]) -> set[str]:
    """The supporting roles a policy knows."""
    return {entry.role for entry in team} | {role for pod in pods for role in pod.roles}
