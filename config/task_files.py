"""Reading the `tasks` section of `policy.yaml`: for whom a task is made when something happens, and what it says."""

from __future__ import annotations

from collections.abc import Collection
from string import Formatter

from ruamel.yaml.comments import CommentedMap

from config.condition_files import ConditionReader
from config.yaml_files import hint
from ownership.conditions import ALWAYS
from ownership.crm_tasks import EVENTS, LONGEST_SUBJECT, PLACEHOLDERS, ROLE
from ownership.entries import TaskRule

FOR = ("owner", "manager")
SYSTEMS = ("salesforce", "hubspot")
CLOCKS = ("calendar", "business")
TASK_KEYS = ("clock", "conditions", "systems", "from", "until")


def read_task(reader: ConditionReader, node: CommentedMap, roles: Collection[str], seen: set[str]) -> TaskRule:
    """One entry. `roles` are the supporting roles the policy knows, `seen` the names of the entries before it."""
    reader.keys(node, "a task", ("name", "when", "for", "subject", "due_in_hours"), TASK_KEYS)
    name = reader.text(node, "name", "a task")
    what = f"task '{name}'"
    reader.once(node, "name", "the task", name, seen)
    return TaskRule(
        name=name,
        event=reader.one_of(node, "when", what, EVENTS),
        to=_to(reader, node, what, roles),
        subject=_subject(reader, node, what),
        due_in_hours=reader.hours(node, "due_in_hours", what),
        clock=reader.one_of(node, "clock", what, CLOCKS),
        when=reader.condition(node, "conditions", what) if "conditions" in node else ALWAYS,
        systems=_systems(reader, node, what),
        period=reader.period(node, what),
    )


def _to(reader: ConditionReader, node: CommentedMap, what: str, roles: Collection[str]) -> str:
    to = reader.text(node, "for", what)
    known = (*FOR, *(f"{ROLE}{role}" for role in sorted(roles)))
    if to and to not in known:
        wrong = f"{what} is for '{to}'{hint(to, known)}"
        mend = f"It is for one of {', '.join(known)}; roles are those of 'team' and 'pods'"
        reader.say(node, "for", wrong, mend)
    return to


def _subject(reader: ConditionReader, node: CommentedMap, what: str) -> str:
    subject = reader.text(node, "subject", what)
    if len(subject) > LONGEST_SUBJECT:
        reader.say(node, "subject", f"the subject of {what} has {len(subject)} characters", "Use 255 at most")
    try:
        names = [tuple(part[1:]) for part in Formatter().parse(subject) if part[1] is not None]
    except ValueError:
        names = [("{", "", None)]
    for name in names:
        if name not in [(known, "", None) for known in PLACEHOLDERS]:
            mend = "Write {account}, {owner} or {previous}, and a brace that is meant as one twice"
            reader.say(node, "subject", f"the subject of {what} has the placeholder '{name[0]}'", mend)
            return ""
    return subject


def _systems(reader: ConditionReader, node: CommentedMap, what: str) -> frozenset[str]:
    systems = reader.words(node, "systems", what)
    for system in sorted(systems - {*SYSTEMS}):
        wrong = f"{what} names the system '{system}'{hint(system, SYSTEMS)}"
        reader.say(node, "systems", wrong, f"Systems with tasks are {', '.join(SYSTEMS)}")
    return systems
