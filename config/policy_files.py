"""Reading the policy and roster files: everything wrong with them is found at once and named by file and line.

YAML 1.2, so that `NO` is Norway and not false. Aliases, duplicate keys, unknown keys and ids that are not text are
refused: a policy either loads whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import AliasToken

from ownership.conditions import ALWAYS, FIELDS, MAX_DEPTH, OPERATORS, All, AnyOf, Condition, Not, Test, fold
from ownership.model import Rep
from ownership.policy import STEPS, NamedAccount, Policy, Pool, Requirement, Roster, Territory

MAX_BYTES = 2_000_000


class PolicyError(ValueError):
    """The files cannot be used. `problems` are lines of "file:line: what is wrong. What to do"."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the policy does not load:\n  " + "\n  ".join(self.problems))


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with its roster, its hash, and the text the hash is over."""

    policy: Policy
    roster: Roster
    policy_hash: str
    canonical: str


def load_policy(folder: Path) -> LoadedPolicy:
    """Read `policy.yaml` and `roster.yaml` from a folder. Raises `PolicyError` with every problem found."""
    roster_file, policy_file = _Document(folder / "roster.yaml"), _Document(folder / "policy.yaml")
    problems = roster_file.problems + policy_file.problems
    if problems:
        raise PolicyError(problems)
    roster = _read_roster(roster_file)
    policy = _PolicyReader(policy_file, roster).read()
    problems = roster_file.problems + policy_file.problems
    if problems:
        raise PolicyError(problems)
    documents = {"policy": _plain(policy_file.root), "roster": _plain(roster_file.root)}
    canonical = json.dumps(documents, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    policy_hash = sha256(canonical.encode()).hexdigest()
    return LoadedPolicy(replace(policy, policy_hash=policy_hash), roster, policy_hash, canonical)


class _Document:
    """One YAML file with the problems found in it so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[str] = []
        self.root: Any = CommentedMap()
        try:
            raw = path.read_bytes()
            text = raw.decode("utf-8")
        except OSError as problem:
            self.problems.append(f"{path.name}: cannot be read ({problem.strerror}). Put it into {path.parent}")
            return
        except UnicodeDecodeError:
            self.problems.append(f"{path.name}: is not UTF-8 text. Save it as UTF-8")
            return
        if len(raw) > MAX_BYTES:
            self.problems.append(f"{path.name}: is larger than {MAX_BYTES:,} bytes. Split off what is no policy")
            return
        self._parse(text)

    def _parse(self, text: str) -> None:
        yaml = YAML(typ="rt", pure=True)
        try:
            for token in yaml.scan(text):
                if isinstance(token, AliasToken):
                    self.say(token.start_mark.line, "uses a YAML alias", "Write the value out")
                    return
            self.root = YAML(typ="rt", pure=True).load(text)
        except DuplicateKeyError as problem:
            line = problem.problem_mark.line if problem.problem_mark else 0
            self.say(line, "has the same key twice", "Keep one of them")
        except MarkedYAMLError as problem:
            line = problem.problem_mark.line if problem.problem_mark else 0
            self.say(line, f"is no YAML: {problem.problem}", "Correct the line")
        except (YAMLError, RecursionError, ValueError) as problem:
            self.problems.append(f"{self.path.name}: is no YAML we can read ({type(problem).__name__}). Correct it")
        if not self.problems and not isinstance(self.root, CommentedMap):
            self.say(0, "is not a mapping", "Start it with apiVersion: steward/v1")

    def say(self, line: int, wrong: str, mend: str) -> None:
        self.problems.append(f"{self.path.name}:{line + 1}: {wrong}. {mend}")


def _line(node: Any, key: Any = None) -> int:
    """Zero-based line of a node, or of one of its keys."""
    position = getattr(node, "lc", None)
    if position is None:
        return 0
    if key is not None and position.data and key in position.data:
        return int(position.data[key][0])
    return int(position.line or 0)


class _Reader:
    """Typed access to mappings that notes what is wrong instead of raising."""

    def __init__(self, document: _Document) -> None:
        self.document = document

    def say(self, node: Any, key: Any, wrong: str, mend: str) -> None:
        self.document.say(_line(node, key), wrong, mend)

    def keys(self, node: Any, what: str, required: Iterable[str], optional: Iterable[str] = ()) -> bool:
        """Check a mapping's keys; False when it is no mapping at all."""
        if not isinstance(node, CommentedMap):
            self.say(node, None, f"{what} is not a mapping", "Write it as key: value lines")
            return False
        known = [*required, *optional]
        for key in node:
            if key not in known:
                self.say(
                    node,
                    key,
                    f"{what} has an unknown key '{key}'{_hint(str(key), known)}",
                    f"It takes {', '.join(known)}",
                )
        for key in required:
            if key not in node:
                self.say(node, None, f"{what} has no '{key}'", f"Add '{key}'")
        return True

    def text(self, node: CommentedMap, key: str, what: str, default: str = "") -> str:
        value = node.get(key, default)
        if isinstance(value, str):
            return str(value)
        if value is not None:
            self.say(node, key, f"{key} of {what} is {value!r}, not text", "Put it in quotes")
        return default

    def whole(self, node: CommentedMap, key: str, what: str, default: int, least: int = 0) -> int:
        value = node.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return int(value)
        self.say(node, key, f"{key} of {what} is {value!r}", f"Give a whole number of at least {least}")
        return default

    def items(self, node: Any, key: str, what: str) -> list[Any]:
        value = node.get(key) if isinstance(node, CommentedMap) else None
        if value is None:
            return []
        if isinstance(value, CommentedSeq):
            return list(value)
        self.say(node, key, f"{what} is not a list", "Start each entry with a dash")
        return []

    def unique(self, node: Any, what: str, id_: str, seen: set[str]) -> None:
        if id_ in seen:
            self.say(node, "id", f"{what} '{id_}' is there twice", "Rename or remove one of them")
        seen.add(id_)


def _read_roster(document: _Document) -> Roster:
    read, reps, seen = _Reader(document), {}, set[str]()
    read.keys(document.root, "the roster", ("apiVersion", "kind", "reps"))
    optional = ("manager", "timezone", "capacity", "left_on", "external_ids", "active")
    for node in read.items(document.root, "reps", "reps"):
        if not read.keys(node, "a rep", ("id", "name", "email", "role", "team"), optional):
            continue
        id_ = read.text(node, "id", "a rep")
        read.unique(node, "the rep", id_, seen)
        reps[id_] = Rep(
            id=id_,
            name=read.text(node, "name", id_),
            email=read.text(node, "email", id_),
            role=read.text(node, "role", id_),
            team=read.text(node, "team", id_),
            manager=read.text(node, "manager", id_) or None,
            timezone=read.text(node, "timezone", id_, "UTC"),
            capacity=read.whole(node, "capacity", id_, 0) if "capacity" in node else None,
            active=bool(node.get("active", True)),
            left_on=read.text(node, "left_on", id_) or None,
            external_ids={str(k): str(v) for k, v in (node.get("external_ids") or {}).items()},
        )
    for node in read.items(document.root, "reps", "reps"):
        manager = node.get("manager") if isinstance(node, CommentedMap) else None
        if manager is not None and manager not in reps:
            read.say(
                node, "manager", f"manager '{manager}' is nobody on the roster{_hint(str(manager), reps)}", "Correct it"
            )
    return Roster(reps)


class _PolicyReader(_Reader):
    def __init__(self, document: _Document, roster: Roster) -> None:
        super().__init__(document)
        self.roster = roster
        self.pools: list[Pool] = []

    def read(self) -> Policy:
        root = self.document.root
        required = ("apiVersion", "kind", "name")
        optional = ("order", "system_of_record", "require", "named", "pools", "territories", "acceptance")
        self.keys(root, "the policy", required, optional)
        self.pools = [pool for node in self.items(root, "pools", "pools") if (pool := self._pool(node))]
        acceptance = root.get("acceptance") or CommentedMap()
        self.keys(acceptance, "acceptance", (), ("hours", "chain"))
        return Policy(
            name=self.text(root, "name", "the policy"),
            order=self._order(root),
            requirements=tuple(r for node in self.items(root, "require", "require") if (r := self._requirement(node))),
            named=tuple(n for node in self.items(root, "named", "named") if (n := self._named(node))),
            territories=self._territories(root),
            pools=tuple(self.pools),
            system_of_record=self.text(root, "system_of_record", "the policy", "salesforce"),
            acceptance_hours=self.whole(acceptance, "hours", "acceptance", 24, 1),
            acceptance_chain=self._chain(acceptance),
        )

    def _order(self, root: CommentedMap) -> tuple[str, ...]:
        order = tuple(str(step) for step in self.items(root, "order", "order")) or STEPS
        for step in order:
            if step not in STEPS:
                self.say(
                    root,
                    "order",
                    f"order has an unknown step '{step}'{_hint(step, STEPS)}",
                    f"Steps are {', '.join(STEPS)}",
                )
        for step in STEPS:
            if order.count(step) != 1:
                self.say(root, "order", f"order has '{step}' {order.count(step)} times", "Name each step once")
        return order

    def _chain(self, node: CommentedMap) -> tuple[str, ...]:
        steps = ("next_in_line", "manager", "queue")
        chain = tuple(str(step) for step in self.items(node, "chain", "chain")) or steps
        for step in chain:
            if step not in steps:
                self.say(
                    node,
                    "chain",
                    f"chain has an unknown step '{step}'{_hint(step, steps)}",
                    f"Steps are {', '.join(steps)}",
                )
        if chain[-1] != "queue":
            self.say(node, "chain", "chain does not end in 'queue'", "Add it, or nobody would see what nobody answers")
        return chain

    def _requirement(self, node: Any) -> Requirement | None:
        if not self.keys(node, "a requirement", ("name", "when", "mend")):
            return None
        name = self.text(node, "name", "a requirement")
        return Requirement(name, self.condition(node, "when", f"requirement '{name}'"), self.text(node, "mend", name))

    def _named(self, node: Any) -> NamedAccount | None:
        if not self.keys(node, "a named account", ("domain", "owner"), ("note",)):
            return None
        domain = self.text(node, "domain", "a named account").casefold()
        self._rep(node, "owner", f"named account '{domain}'")
        return NamedAccount(domain, self.text(node, "owner", domain), self.text(node, "note", domain))

    def _pool(self, node: Any) -> Pool | None:
        if not self.keys(node, "a pool", ("id", "members")):
            return None
        id_ = self.text(node, "id", "a pool")
        self.unique(node, "the pool", id_, {pool.id for pool in self.pools})
        members: dict[str, int] = {}
        for member in self.items(node, "members", f"members of pool '{id_}'"):
            if self.keys(member, f"a member of pool '{id_}'", ("rep",), ("weight",)):
                self._rep(member, "rep", f"pool '{id_}'")
                members[self.text(member, "rep", id_)] = self.whole(member, "weight", f"pool '{id_}'", 1, 1)
        if not any((rep := self.roster.reps.get(member)) and rep.active and not rep.left_on for member in members):
            self.say(node, "members", f"pool '{id_}' has nobody who is still there", "Add a member or remove the pool")
        return Pool(id_, members)

    def _territories(self, root: CommentedMap) -> tuple[Territory, ...]:
        found: list[Territory] = []
        seen: set[str] = set()
        for node in self.items(root, "territories", "territories"):
            self._territory(node, None, found, seen, 1)
        return tuple(found)

    def _territory(self, node: Any, parent: str | None, found: list[Territory], seen: set[str], depth: int) -> None:
        if depth > MAX_DEPTH:
            self.say(node, None, f"territories are nested more than {MAX_DEPTH} deep", "Flatten them")
            return
        if not self.keys(node, "a territory", ("id",), ("name", "when", "owner", "pool", "priority", "children")):
            return
        id_ = self.text(node, "id", "a territory")
        self.unique(node, "the territory", id_, seen)
        pool, owner = self.text(node, "pool", id_) or None, self.text(node, "owner", id_) or None
        if owner:
            self._rep(node, "owner", f"territory '{id_}'")
        if pool and pool not in {known.id for known in self.pools}:
            known = [known.id for known in self.pools]
            self.say(
                node,
                "pool",
                f"territory '{id_}' names pool '{pool}', which there is not{_hint(pool, known)}",
                "Add the pool",
            )
        if pool and owner:
            self.say(node, "pool", f"territory '{id_}' has both an owner and a pool", "Keep one of them")
        when = self.condition(node, "when", f"territory '{id_}'") if "when" in node else ALWAYS
        priority = self.whole(node, "priority", id_, 0, -1000)
        for sibling in found:
            if sibling.parent == parent and sibling.priority == priority and not _disjoint(sibling.when, when):
                wrong = f"territories '{sibling.id}' and '{id_}' can both hold and have the same priority"
                self.say(
                    node, "id", wrong, "Give one of them a higher priority, or a condition that rules the other out"
                )
        found.append(Territory(id_, self.text(node, "name", id_, id_), when, parent, owner, pool, priority))
        for child in self.items(node, "children", f"children of '{id_}'"):
            self._territory(child, id_, found, seen, depth + 1)

    def _rep(self, node: CommentedMap, key: str, what: str) -> None:
        rep = node.get(key)
        known = self.roster.reps.get(rep) if isinstance(rep, str) else None
        if known is None:
            self.say(
                node,
                key,
                f"{what} names '{rep}', who is nobody on the roster{_hint(str(rep), self.roster.reps)}",
                "Correct it",
            )
        elif not known.active or known.left_on:
            self.say(node, key, f"{what} names {known.name}, who has left", "Name somebody who is there")

    # --- conditions ---

    def condition(self, node: CommentedMap, key: str, what: str, depth: int = 1) -> Condition:
        """Read the condition under `key`."""
        return self._condition(node.get(key), node, key, what, depth)

    def _condition(self, value: Any, at: Any, key: Any, what: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            self.say(at, key, f"the condition of {what} is nested more than {MAX_DEPTH} deep", "Simplify it")
            return ALWAYS
        if not isinstance(value, CommentedMap) or not value:
            self.say(
                at, key, f"the condition of {what} is empty or no mapping", "Write it as 'field: {operator: value}'"
            )
            return ALWAYS
        parts = [self._part(value, name, what, depth) for name in value]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self, node: CommentedMap, name: Any, what: str, depth: int) -> Condition:
        if name in ("all", "any"):
            items = self.items(node, name, f"'{name}' of {what}")
            if not items:
                self.say(node, name, f"'{name}' of {what} has no parts", "List at least one condition under it")
            parts = tuple(self._condition(item, node, name, what, depth + 1) for item in items)
            return All(parts) if name == "all" else AnyOf(parts)
        if name == "not":
            return Not(self._condition(node[name], node, name, what, depth + 1))
        if name not in FIELDS:
            mend = f"Fields are {', '.join(FIELDS)}"
            self.say(node, name, f"{what} asks for an unknown field '{name}'{_hint(str(name), FIELDS)}", mend)
            return ALWAYS
        return self._tests(node, str(name), what)

    def _tests(self, node: CommentedMap, field: str, what: str) -> Condition:
        asked = node[field]
        if not isinstance(asked, CommentedMap):
            operator = "in" if isinstance(asked, CommentedSeq) else "is"
            return self._test(node, field, field, operator, asked, what)
        if not asked:
            self.say(node, field, f"{what} asks nothing of '{field}'", "Add an operator such as 'is' or 'in'")
            return ALWAYS
        tests = tuple(self._test(asked, operator, field, str(operator), asked[operator], what) for operator in asked)
        return tests[0] if len(tests) == 1 else All(tests)

    def _test(self, node: Any, key: Any, field: str, operator: str, operand: Any, what: str) -> Condition:
        kind = FIELDS[field].kind
        if operator not in OPERATORS or kind not in OPERATORS[operator]:
            fitting = [name for name, kinds in OPERATORS.items() if kind in kinds]
            wrong = f"{what} asks '{field}' with '{operator}'{_hint(operator, fitting)}"
            self.say(node, key, wrong, f"A {kind} field takes {', '.join(fitting)}")
            return ALWAYS
        if operator in ("is_missing", "is_present"):
            return Test(field, operator, True)
        if operator == "in":
            values = list(operand) if isinstance(operand, CommentedSeq) else []
            if not values:
                self.say(node, key, f"'in' for '{field}' of {what} has no values", "List at least one")
            return Test(field, "in", frozenset(self._operand(node, key, kind, value, what) for value in values))
        return Test(field, operator, self._operand(node, key, kind, operand, what))

    def _operand(self, node: Any, key: Any, kind: str, value: Any, what: str) -> Any:
        if kind in ("text", "texts") and isinstance(value, str):
            return fold(value)
        if kind == "flag" and isinstance(value, bool):
            return value
        if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            return value
        mend = {"flag": "Write true or false", "number": "Write a number"}.get(kind, "Put it in quotes")
        self.say(node, key, f"{what} compares a {'text' if kind == 'texts' else kind} field with {value!r}", mend)
        return "" if kind in ("text", "texts") else 0


def _disjoint(one: Condition, other: Condition) -> bool:
    """True when two conditions can be seen never to hold together: one field would need values they do not share."""
    first, second = _demands(one), _demands(other)
    return any(field in second and not _meet(first[field], second[field]) for field in first)


_Range = tuple[frozenset[Any] | None, float, float]


def _demands(condition: Condition) -> dict[str, _Range]:
    """What a conjunction demands of each field: a set of values, or a half-open range of numbers."""
    tests = condition.parts if isinstance(condition, All) else (condition,)
    found: dict[str, _Range] = {}
    for test in tests:
        if isinstance(test, All):
            inner = _demands(test)
        elif isinstance(test, Test):
            inner = {test.field: _demand(test)}
        else:
            inner = {}
        for field, demand in inner.items():
            found[field] = _narrow(found[field], demand) if field in found else demand
    return found


def _demand(test: Test) -> _Range:
    infinity = float("inf")
    steps: dict[str, Callable[[], _Range]] = {
        "is": lambda: (frozenset({test.operand}), -infinity, infinity),
        "in": lambda: (test.operand, -infinity, infinity),
        "is_missing": lambda: (frozenset(), -infinity, infinity),
        "gte": lambda: (None, test.operand, infinity),
        "gt": lambda: (None, test.operand + 1e-9, infinity),
        "lt": lambda: (None, -infinity, test.operand),
        "lte": lambda: (None, -infinity, test.operand + 1e-9),
    }
    return steps.get(test.operator, lambda: (None, -infinity, infinity))()


def _narrow(one: _Range, other: _Range) -> _Range:
    values = one[0] if other[0] is None else other[0] if one[0] is None else one[0] & other[0]
    return values, max(one[1], other[1]), min(one[2], other[2])


def _meet(one: _Range, other: _Range) -> bool:
    values, low, high = _narrow(one, other)
    if values is None:
        return low < high
    return any(not isinstance(value, int | float) or low <= value < high for value in values)


def _hint(word: str, known: Iterable[str] | Mapping[str, Any]) -> str:
    close = get_close_matches(word, [str(name) for name in known], 1)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, bool) or node is None:
        return node
    if isinstance(node, int):
        return int(node)
    return float(node) if isinstance(node, float) else str(node)
