"""Reading scenario files: what a revenue team writes to protect its rules, as steps (format: docs/scenarios.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from config.yaml_files import Document, PolicyError, Reader, hint, line_of, to_plain

ACTIONS: Mapping[str, tuple[str, ...] | None] = {
    "record": ("in", "id"),
    "import": ("in", "id"),
    "lead": ("in", "id"),
    "delete": ("in", "id"),
    "run": None,
    "rerun": None,
    "preview": None,
    "wait": None,
    "accept": ("account", "as"),
    "decline": ("account", "as"),
    "outage": ("of",),
    "merge": ("in", "id", "into"),
    "same": ("keep", "other"),
    "split": ("one", "other"),
    "withdraw": ("one", "other"),
    "match_lead": ("lead", "account"),
    "parent": ("of", "is"),
    "change_policy": (),
    "change_roster": (),
    "expect": (),
}
"""What a step can do, with the keys it needs; None: it takes a single word."""
BY_NAME = (
    *("owners", "shown", "reasons", "because", "team", "history", "records"),
    *("exceptions", "notices", "never_told", "books", "next"),
)
EXPECTATIONS = (*BY_NAME, "told", "tasks", "moves", "writes", "uncovered")
"""What can be expected. Under those of `BY_NAME` stands a mapping, under "told" and "tasks" a list, under the others a
number."""
TASK_EXPECTED = (("on", "for"), ("subject", "due"))
"""What is said of an expected task: always, and where it matters."""
RUNS = ("assign", "changed", "push", "escalate", "everything")
CRMS = ("salesforce", "hubspot")
SYSTEMS = (*CRMS, "stripe", "usage")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens or is expected. `arguments` is the plain value under the action; `line` counts from 1."""

    action: str
    arguments: Any
    line: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: at `start`, under the policy of `policy_dir` (None: the configured one), these steps in order.

    `covers` are the names of what it protects, from a list its authors keep.
    """

    name: str
    file: str
    start: datetime
    policy_dir: Path | None
    policy: Mapping[str, Any] | None
    roster: Mapping[str, Any] | None
    steps: tuple[Step, ...]
    covers: tuple[str, ...] = ()


def load_scenarios(path: Path) -> list[Scenario]:
    """Every scenario of a file, or of all .yaml files below a folder, in order. Raises `PolicyError`."""
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise PolicyError([f"{path}: holds no .yaml file. Name a scenario file, or a folder with some"])
    found: list[Scenario] = []
    problems: list[str] = []
    for file in files:
        document = Document(file)
        if not document.problems:
            found += _ScenarioReader(document).read()
        problems += document.problems
    if problems:
        raise PolicyError(problems)
    return found


def to_duration(text: str) -> timedelta | None:
    """ "90m", "25h" or "2d" as a duration, None when it is none."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", text)
    return timedelta(**{UNITS[match[2]]: float(match[1])}) if match else None


def to_instant(text: str) -> datetime | None:
    """ "2026-12-01T09:00:00Z" as an instant, in UTC when it names no offset; None when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class _ScenarioReader(Reader):
    def read(self) -> list[Scenario]:
        root = self.document.root
        self.header("Scenarios")
        self.keys(root, "the file", ("apiVersion", "kind", "scenarios"), ("policy", "roster", "start"))
        nodes = self.mappings(root, "scenarios", "scenarios", "a scenario")
        return [self._scenario(root, node) for node in nodes]

    def _scenario(self, root: CommentedMap, node: CommentedMap) -> Scenario:
        self.keys(node, "a scenario", ("name", "steps"), ("start", "covers"))
        name = self.text(node, "name", "a scenario")
        policy, roster = root.get("policy"), root.get("roster")
        return Scenario(
            name=name,
            file=self.document.path.name,
            start=self._instant(node if "start" in node else root),
            policy_dir=(self.document.path.parent / policy).resolve() if isinstance(policy, str) else None,
            policy=to_plain(policy) if isinstance(policy, CommentedMap) else None,
            roster=to_plain(roster) if isinstance(roster, CommentedMap) else None,
            steps=tuple(step for each in self.mappings(node, "steps", "steps", "a step") for step in self._step(each)),
            covers=tuple(sorted(self.words(node, "covers", f"'{name}'"))),
        )

    def _instant(self, node: CommentedMap) -> datetime:
        text = self.text(node, "start", "the file", "2026-11-23T09:00:00Z")
        at = to_instant(text)
        if at is None:
            self.say(node, "start", f"start is '{text}', which is no instant", 'Write it as "2026-11-23T09:00:00Z"')
        return at or datetime.now(UTC)

    def _step(self, node: CommentedMap) -> list[Step]:
        if len(node) != 1:
            self.say(node, None, f"a step does {len(node)} things", "Give each action a step of its own")
            return []
        action = str(next(iter(node)))
        if action not in ACTIONS:
            wrong = f"there is no action '{action}'{hint(action, ACTIONS)}"
            self.say(node, action, wrong, f"Actions are {', '.join(ACTIONS)}")
            return []
        self._check(node, action)
        return [Step(action, to_plain(node[action]), line_of(node, action) + 1)]

    def _check(self, node: CommentedMap, action: str) -> None:
        required = ACTIONS[action]
        if required is None:
            self._check_word(node, action)
            return
        inner = self.mapping(node, action, action)
        for key in required:
            if key not in inner:
                self.say(node, action, f"{action} has no '{key}'", f"Add '{key}'")
            elif not isinstance(inner[key], str):
                self.say(inner, key, f"{key} of {action} is {inner[key]!r}, not text", "Put it in quotes")
        for key in {"in", "of"} & set(inner) if action != "parent" else ():
            self._one_of(inner, key, CRMS if action == "lead" else SYSTEMS)
        if action == "import":
            self.whole(inner, "count", "import", 0, 1)
        if action == "expect":
            for key in inner:
                self._check_expectation(inner, str(key))

    def _check_word(self, node: CommentedMap, action: str) -> None:
        if action == "run":
            self._one_of(node, "run", RUNS)
        elif action in ("rerun", "preview"):
            self.text(node, action, "a step")
        elif to_duration(str(node[action])) is None and to_instant(str(node[action])) is None:
            mend = 'Write it as 90m, 25h or 2d, or as "2026-12-01T09:00:00Z"'
            self.say(node, action, f"wait is {node[action]!r}", mend)

    def _one_of(self, node: CommentedMap, key: str, known: tuple[str, ...]) -> None:
        if node[key] not in known:
            wrong = f"{key} is {node[key]!r}{hint(str(node[key]), known)}"
            self.say(node, key, wrong, f"It is one of {', '.join(known)}")

    def _check_expectation(self, node: CommentedMap, key: str) -> None:
        if key not in EXPECTATIONS:
            wrong = f"nothing can be expected of '{key}'{hint(key, EXPECTATIONS)}"
            self.say(node, key, wrong, f"Expect one of {', '.join(EXPECTATIONS)}")
        elif key in BY_NAME:
            self.mapping(node, key, f"what is expected of {key}")
        elif key == "told":
            self.items(node, key, "what is expected of told")
        elif key == "tasks":
            for task in self.mappings(node, key, "what is expected of tasks", "an expected task"):
                self._check_task(task)
        else:
            self.whole(node, key, "expect", 0)

    def _check_task(self, node: CommentedMap) -> None:
        what = "an expected task"
        self.keys(node, what, *TASK_EXPECTED)
        for key in (key for keys in TASK_EXPECTED for key in keys):
            self.text(node, key, what)
        if "on" in node and str(node["on"]).partition("/")[0] not in CRMS:
            self.say(node, "on", f"on of {what} is '{node['on']}'", "Write the CRM and the record, as salesforce/001A")
        if "due" in node and to_instant(str(node["due"])) is None:
            self.say(node, "due", f"due of {what} is '{node['due']}'", 'Write it as "2026-11-24T09:00:00Z"')
