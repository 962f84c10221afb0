"""JSON Schema (draft 2020-12) of the files people write, made from the loader's own tables.

For editors, and for whoever checks a file without Steward. A schema sees shapes: that a name is on the roster, that two
territories overlap, or that a period ends before it begins is for the loader (`config/policy_files.py`) alone, and so
are the names of fields in the conditions of a policy that has fields of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.condition_files import LARGEST
from config.entry_files import AFTER_LEAVE, MEMORY, OWED_MOST, POOL_KEYS, STRATEGIES, THEN
from config.notice_files import NOTICE_KEYS, WHOM
from config.policy_files import SECTIONS, TERRITORY_KEYS
from config.roster_files import REP_KEYS, WEEKDAYS
from config.scenario_files import ACTIONS, BY_NAME, EXPECTATIONS, RUNS, SYSTEMS, TASK_EXPECTED
from config.scenario_files import CRMS as LEAD_SYSTEMS
from config.setting_files import (
    ACCEPTANCE_KEYS,
    ACCOUNT_TEAM,
    ACCOUNTS_MOVE,
    CHAIN,
    CLOCKS,
    CRMS,
    DRIFT_KEYS,
    FOLLOW,
    HUMAN_EDIT,
    KINDS,
    MEANWHILE,
    OVER_CAPACITY,
    PLACES,
    TRANSFER_KEYS,
)
from config.suppression_files import FIELD_NAME, MOST_DAYS, OF_ITS_OWN, RECORDS, SUPPRESSION_KEYS
from config.task_files import FOR, TASK_KEYS
from config.task_files import SYSTEMS as TASK_SYSTEMS
from config.yaml_files import API_VERSION
from ownership.conditions import DATES, FIELDS, OPERATORS
from ownership.crm_tasks import EVENTS, LONGEST_SUBJECT, PLACEHOLDERS, ROLE
from ownership.exception_kinds import KINDS as EXCEPTION_KINDS
from ownership.matching.survivor import POLICIES as CONFLICTS
from ownership.notices import CHANNELS
from ownership.notices import EVENTS as NOTICE_EVENTS
from ownership.policy import ACCEPTANCE, DISPUTE_CLOCK, DRIFT, LEAD_STEPS, LEADS, OPTIONAL_STEPS, STEPS

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = ("policy", "roster", "scenarios")
DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
INSTANT = r"^\d{4}-\d{2}-\d{2}([T ].+)?$"
WAIT = rf"^\d+(\.\d+)?[mhd]$|{INSTANT}"
SHIFT = r"^\s*([01]?\d|2[0-3]):[0-5]\d\s*[-–]\s*(([01]?\d|2[0-3]):[0-5]\d|24:00)\s*$"
OUTSIDE_USER = r"@|^[^/]+/.+$"
FOR_WHOM = rf"^({'|'.join(FOR)}|{ROLE}.+)$"
SUBJECT = rf"^([^{{}}]|\{{\{{|\}}\}}|\{{({'|'.join(PLACEHOLDERS)})\}})*$"
HOLIDAYS = r"^[A-Z]{2,3}(-.+)?$"


def schema_of(name: str) -> Schema:
    """The schema of one of `SCHEMAS`: policy.yaml, roster.yaml, or a scenario file. Raises `KeyError` for others."""
    root = {"$schema": DIALECT, "title": f"Steward {name}", **_object(name)}
    everything = {**{part: _object(part) for part in OBJECTS}, **_condition_parts()}
    return {**root, "$defs": _used_by(root, everything)}


def schema_text(name: str) -> str:
    """`schema_of` as the text of its file."""
    return json.dumps(schema_of(name), indent=1, ensure_ascii=False) + "\n"


def _used_by(root: Schema, parts: Mapping[str, Schema]) -> dict[str, Schema]:
    """The parts that a schema refers to, and those that these refer to."""
    used: dict[str, Schema] = {}
    waiting = [*_references(root)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = parts[name]
            waiting += _references(parts[name])
    return dict(sorted(used.items()))


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _references(each)


# --- the forms that values have ---


def _object(name: str) -> Schema:
    """A mapping that takes the keys its row of `OBJECTS` names and no other.

    A key that the loader takes and nobody has described in `KEYS` is a `KeyError`.
    """
    required, optional, rules = OBJECTS[name]
    keys = {key: KEYS.get(f"{name}.{key}") or KEYS[key] for key in (*required, *optional)}
    return {"type": "object", "required": [*required], "properties": keys, "additionalProperties": False, **rules}


def _text(said: str, **more: Any) -> Schema:
    return {"description": said, "type": "string", "minLength": 1, **more}


def _choice(said: str, words: Iterable[str]) -> Schema:
    """One of some words, the first when the key is left out."""
    known = [*words]
    return {"description": said, "enum": known, "default": known[0]}


def _flag(said: str, default: bool) -> Schema:
    return {"description": said, "type": "boolean", "default": default}


def _whole(said: str, least: int = 0, **more: Any) -> Schema:
    return {"description": said, "type": "integer", "minimum": least, "maximum": LARGEST, **more}


def _hours(said: str, least: float = 0, **more: Any) -> Schema:
    return {"description": said, "type": "number", "minimum": least, "maximum": 8784, **more}


def _day(said: str) -> Schema:
    return _text(f'{said}; a date in quotes, as in "2026-12-31"', pattern=DAY)


def _part(name: str, said: str = "") -> Schema:
    return {**({"description": said} if said else {}), "$ref": f"#/$defs/{name}"}


def _list(said: str, each: str | Schema, **more: Any) -> Schema:
    """A list, of parts when `each` is a name."""
    return {"description": said, "type": "array", "items": _part(each) if isinstance(each, str) else each, **more}


def _by_name(said: str, each: Schema) -> Schema:
    """A mapping whose keys are people's own."""
    return {"description": said, "type": "object", "additionalProperties": each}


def _order(said: str, steps: tuple[str, ...]) -> Schema:
    """Each step once; one that may be missing is asked for where there is something for it."""
    needed = (step for step in steps if step not in OPTIONAL_STEPS and step != "sticky")
    return _list(said, {"enum": [*steps]}, uniqueItems=True, default=[*steps], **_with(*needed))


def _with(*words: str) -> Schema:
    """Unless a list is empty, which stands for the usual one, it has these words."""
    return {"if": {"minItems": 1}, "then": {"allOf": [{"contains": {"const": word}} for word in words]}}


def _with_step(step: str) -> Schema:
    return {"properties": {"order": _with(step)}}


def _in_every_order(step: str) -> Schema:
    """The orders for accounts and for leads have this step."""
    return {"properties": {**_with_step(step)["properties"], "leads": _with_step(step)}}


def _accepting_edits() -> Schema:
    accepting = {"required": ["human_edit"], "properties": {"human_edit": {"const": HUMAN_EDIT[1]}}}
    return {"required": ["drift"], "properties": {"drift": accepting}}


def _shifts() -> Schema:
    hours = {"type": "string", "pattern": SHIFT}
    return {"description": "09:00-17:30, or a list of such", "anyOf": [hours, {"type": "array", "items": hours}]}


def _outside_user() -> Schema:
    return _text('As "salesforce/<user id>", or an e-mail address', pattern=OUTSIDE_USER)


# --- conditions ---


def _condition_parts() -> dict[str, Schema]:
    some = _list("", "condition", minItems=1)
    joined = {
        "all": {**some, "description": "Every one of these holds"},
        "any": {**some, "description": "At least one of these holds"},
        "not": _part("condition", "This does not hold, and is not unknown"),
    }
    asked = {name: _part(f"{field.kind}_test", field.meaning) for name, field in FIELDS.items()}
    known, places = _part("known_condition"), {"items": _part("known_territory")}
    tests = {f"{kind}_test": _test(kind) for kind in KINDS if kind != "date"}
    return {
        "condition": {
            "type": "object",
            "minProperties": 1,
            "properties": {**asked, **joined},
            "additionalProperties": {"anyOf": [_part(name) for name in tests]},
        },
        "known_condition": {
            "propertyNames": {"enum": [*asked, *joined]},
            "properties": {"all": {"items": known}, "any": {"items": known}, "not": known},
        },
        "known_territory": {"properties": {"when": known, "children": places}},
        **tests,
    }


def _test(kind: str) -> Schema:
    """What may be asked of a field of this kind: a value, a list of values, or operators."""
    number: Schema = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
    value = {"number": number, "flag": {"type": "boolean"}}.get(kind, {"type": "string"})
    some = {"type": "array", "items": value, "minItems": 1}
    special: dict[str, Schema] = {"in": some, "is_missing": {"const": True}, "is_present": {"const": True}}
    operators = {name: special.get(name, value) for name, kinds in OPERATORS.items() if kind in kinds}
    tests = {"type": "object", "minProperties": 1, "properties": operators, "additionalProperties": False}
    return {"anyOf": [*([value] if "is" in operators else []), *([some] if "in" in operators else []), tests]}


def _only_known_fields() -> Schema:
    """Every condition of the policy asks only for the product's fields."""
    known = _part("known_condition")
    needs = {"items": {"properties": {"when": known}}}
    rules = {"items": {"properties": {"when": known, "stays_while": known, "handoff": needs}}}
    tasks = {"items": {"properties": {"conditions": known}}}
    lists = {"require": needs, "team": needs, "tasks": tasks, "suppression": tasks, "notices": tasks, "rules": rules}
    lists["territories"] = {"items": _part("known_territory")}
    settings = {"acceptance": {"properties": {"by": needs}}, "leads": {"properties": {"require": needs}}}
    return {"properties": {**lists, **settings, "follow_parent": {"if": {"type": "object"}, "then": known}}}


# --- every key, with what an editor says of it; "object.key" where a key means something of its own there ---

KEYS: Mapping[str, Schema] = {
    "apiVersion": {"description": "The version of the file's form", "const": API_VERSION},
    **{f"{name}.kind": {"description": "What the file is", "const": name.title()} for name in SCHEMAS},
    "id": _text("What the other entries and the ledger call it; never reuse one"),
    "name": _text("As people read it"),
    "when": _part("condition", "For what; all its fields must hold, a value means is, a list means in"),
    "from": _day("First day on which this holds"),
    "until": _day("Last day on which this holds"),
    "account": _text("A web domain, or a record as salesforce/001…"),
    "domain": _text("The company's registrable web domain, as in acme.com"),
    "owner": _text("Id of a rep or queue of the roster"),
    "rep": _text("Id of a rep of the roster"),
    "pool": _text("Id of a pool"),
    "skills": _list("Skills a rep must have, or has", _text("Such as a language or a product")),
    "reason": _text("Why"),
    "timezone": _text("An IANA time zone, as in Europe/Berlin", default="UTC"),
    # policy.yaml: settings
    "order": _order("The steps for accounts; the first that decides, does", STEPS),
    "system_of_record": _choice("The CRM whose owner counts when two differ", CRMS),
    "follow_parent": {
        **{"description": "Which accounts follow their parent's owner: all, none, or those for which this holds"},
        **{"anyOf": [{"enum": ["all", "none"]}, _part("condition")], "default": "all"},
    },
    "pins_bypass_capacity": _flag("A named account goes to its rep though their book is full", True),
    "pins_bypass_caps": _flag("A named account goes to its rep though they have reached a cap of a pool", True),
    "existing_owner": _part("existing_owner", "When an owner does not keep an account"),
    "forfeit_after_days": _whole("Lost after more than so many days without activity", 1),
    "days": _choice("Which days count: all, or those the owner works", CLOCKS),
    "leave_counts": _flag("Days of leave count as days without activity", False),
    "warn_days_before": _whole("So many days before they lose it the owner is told; 0: they are not", default=3),
    "over_capacity": _choice("Whether a book that is too full gives accounts away", OVER_CAPACITY),
    "identity": _part("identity", "How accounts that are one company are dealt with"),
    "conflicting_owners": _choice("What settles it when two owned accounts are one company", CONFLICTS),
    "leavers": _part("leavers", "When the accounts of who has left move on"),
    "accounts_move": _choice("The day after their last, or by the end of their next business day", ACCOUNTS_MOVE),
    "drift": _part("drift", "What becomes of an owner that others have written in a CRM"),
    "human_edit": _choice("A person's edit is held for somebody, or accepted as an override", HUMAN_EDIT),
    "integrations": _list("Users under whom integrations write owners", _outside_user()),
    "steward_users": _list("Users under whom Steward itself writes", _outside_user()),
    "stop_percent": _whole(
        "Nothing is written over in a system once more of its records than so many percent were changed in a day",
        1,
        maximum=100,
        default=DRIFT.stop_percent,
    ),
    "stop_at_least": _whole("Fewer changed records stop nothing", 1, default=DRIFT.stop_at_least),
    "most_reasserts": _whole("How often one record is written over", default=DRIFT.most_reasserts),
    "reassert_days": _whole("Within so many days", 1, default=DRIFT.reassert_days),
    "on_owner_change": _part("on_owner_change", "What goes with an owner in a CRM"),
    "account_team": _choice("The account's team stays, or goes where the CRM drops it", ACCOUNT_TEAM),
    "on_owner_change.contacts": _choice("Contacts the owner before had there", FOLLOW),
    "open_opportunities": _choice("Open opportunities the owner before had there", FOLLOW),
    "coverage": _part("coverage", "What counts as covered"),
    "overlays_count": _flag("An account that only a supporting role is for counts as covered", False),
    "acceptance": _part("acceptance", "How long an owner has to accept, and who is asked next"),
    "hours": _hours("Hours to accept", 0.005, default=ACCEPTANCE.hours),
    "clock": _choice("Whether every hour counts, or those the owner works", CLOCKS),
    "chain": _list(
        "Who is asked next, in order; ends in queue", {"enum": [*CHAIN]}, default=[*CHAIN], **_with(CHAIN[-1])
    ),
    "remind_hours": _hours("Hours after which the owner is reminded; fewer than hours"),
    "miss_takes_turn": _flag("Who misses an offer has used their turn", ACCEPTANCE.miss_takes_turn),
    "decline_takes_turn": _flag("Who declines an offer has used their turn", ACCEPTANCE.decline_takes_turn),
    "acceptance.meanwhile": {
        **{"description": "Whose an account is until somebody has accepted it: who is asked, who had it, or a queue"},
        **{"anyOf": [{"enum": [*MEANWHILE]}, _part("meanwhile")], "default": MEANWHILE[0]},
    },
    "meanwhile.queue": _text("Id of a queue of the roster"),
    "by": _list("Other hours for some accounts; the first that holds counts", "sla"),
    "leads": _part("leads", "How leads are routed"),
    "leads.order": _order("The steps for leads; the first that decides, does", LEAD_STEPS),
    "inbound_activity_days": _whole(
        "An account's owner gets its leads while it was active in so many days", default=LEADS.inbound_activity_days
    ),
    "sticky_days": _whole("Leads of one company within so many days go to one rep; 0: not asked", default=0),
    # policy.yaml: entries
    "fields": _list("Fields of the company's own, beside those of the product", "field"),
    "field.name": _text("What conditions call it; one of the product's own only says where it is read"),
    "field.kind": {"description": "What it holds; of a date, conditions ask the days", "enum": [*KINDS]},
    "meaning": _text("What it says, for people"),
    "field.from": _part("places", "Where it is read: the vendor's own name, by the CRM's object"),
    "salesforce": _text("API name of a field of Account"),
    "salesforce_lead": _text("API name of a field of Lead"),
    "hubspot": _text("Internal name of a property of companies"),
    "hubspot_contact": _text("Internal name of a property of contacts"),
    "require": _list("Data that must be there", "requirement"),
    "mend": _text("What a person should do when it is missing"),
    "disputes": _list("Accounts that stay as they are until there is a ruling", "dispute"),
    "dispute_clock": _part("dispute_clock", "By when a dispute needs a ruling"),
    "dispute_clock.hours": _hours("Hours from the beginning of its first day", 1, default=DISPUTE_CLOCK.hours),
    "dispute_clock.clock": _choice("Whether every hour counts, or those whoever claims it works", CLOCKS),
    "exceptions": _part("exceptions", "By when people have to act on what needs one"),
    "exceptions.due_hours": _part("due_hours", "Hours from when it was first seen, by kind"),
    **{f"due_hours.{id_}": _hours(kind.words, 1, default=kind.due_hours) for id_, kind in EXCEPTION_KINDS.items()},
    "claimed_by": _text("Id of who claims it"),
    "overrides": _list("Human decisions against the model", "override"),
    "requested_by": _text("Id of who asked for it"),
    "approved_by": _text("Id of who approved it: somebody else"),
    "then": _choice("What follows when it has ended; all but stay need until", THEN),
    "named": _list("Accounts placed by hand", "named_account"),
    "note": _text("A note for people"),
    "registrations": _list("Claims of reps to companies; the earliest counts", "registration"),
    "rules": _list("Asked in order; the first that holds and finds somebody decides", "rule"),
    "assign": _part("assign", "By whom it is filled"),
    "rule.assign": {"description": "To whom; keep: whoever has it", "anyOf": [{"const": "keep"}, _part("assign")]},
    "for_days": _whole("Applies once its condition has held for so many days", default=0),
    "stays_while": _part("condition", "Once it applies, it goes on while this holds"),
    "handoff": _list("What must be there before the account leaves the rep who has it", "requirement"),
    "territories": _list("The map, a tree", "territory"),
    "priority": _whole("Among siblings that hold, the highest wins", -1000, default=0),
    "children": _list("Narrower territories within this one", "territory"),
    "pools": _list("Reps who take turns", "pool"),
    "members": _list("Who takes turns", "member", minItems=1),
    "weight": _whole("Turns compared with those of the others", 1, default=1),
    "strategy": _choice("Exact turns, or the smallest book for its weight", STRATEGIES),
    "per_hour": _whole("The most one member is given in an hour", 1),
    "per_day": _whole("The most one member is given in a day", 1),
    "per_week": _whole("The most one member is given in a week from Monday", 1),
    "rolling": _flag("Caps count the last 1, 24 and 168 hours", False),
    "within_hours": _hours("Only members who are at work within so many hours; 0: now"),
    "after_leave": _choice("Whether turns missed on leave are made up for", AFTER_LEAVE),
    "owed_most": _whole("The most turns that are owed to one member", 1, default=OWED_MOST),
    "existing_owner_takes_turn": _flag("Keeping an account that a CRM shows as theirs uses a turn", False),
    "manual_takes_turn": _flag("An account placed by hand uses a turn", False),
    "memory": _choice("Whether all rules take the same turns, or each has turns of its own", MEMORY),
    "pods": _list("People who work accounts together", "pod"),
    "lead": _text("Id of who owns the accounts"),
    "roles": {
        **_by_name("Who fills which supporting role, by role", _text("Id of a rep or queue")),
        "propertyNames": {"not": {"const": "owner"}},
    },
    "policy.team": _list("Who fills the supporting roles of an account", "role"),
    "policy.tasks": _list("Tasks in the CRMs when something happens to an account or lead", "task"),
    "task.name": _text("What the task is called here; it is part of what keeps it from being made twice"),
    "task.when": {"description": "What has to happen", "enum": [*EVENTS]},
    "for": _text("Who gets it: owner, manager, or a role of the team as role:sdr", pattern=FOR_WHOM),
    "subject": _text("What it says", pattern=SUBJECT, maxLength=LONGEST_SUBJECT),
    "due_in_hours": _hours("Hours until it is due"),
    "task.clock": _choice("Whether every hour counts, or those whoever gets it works", CLOCKS),
    "conditions": _part("condition", "For which accounts and leads; all its fields must hold"),
    "systems": _list("The CRMs it is put into; all that hold the account when left out", {"enum": [*TASK_SYSTEMS]}),
    "suppression": _list("What marketing is shown while somebody is asked or works an account or lead", "suppressed"),
    "suppressed.name": _text("What the entry is called"),
    "system": {"description": "Where it is shown", "enum": [*RECORDS]},
    "record": _text("The kind of record there, as the system calls it"),
    "flag": _text("The field that is true meanwhile: a checkbox", pattern=FIELD_NAME),
    "date": _text("The field with the day on which marketing may write again: a date", pattern=FIELD_NAME),
    "suppressed.days": _whole("Days from when whoever works it was asked, accepted, or got it", 1, maximum=MOST_DAYS),
    "notices": _list("Who is told of what; owners are told in Slack when left out", "notice"),
    "notice.when": {"description": "What has to happen", "enum": [*NOTICE_EVENTS]},
    "tell": _text("Who: owner, manager, a role of the team as role:sdr, a rep's id, or an address", pattern=WHOM),
    "channels": _list(
        "How; in Slack when left out", {"enum": [*CHANNELS]}, minItems=1, uniqueItems=True, default=[CHANNELS[0]]
    ),
    "role.role": _text("What the role is called", **{"not": {"const": "owner"}}),
    # roster.yaml
    "reps": _list("The people who can own", "rep"),
    "queues": _list("Lists that people work through together, and that can own", "queue"),
    "calendars": _list("When people work", "calendar"),
    "email": _text("Finds their user in every outside system"),
    "role": _text("ae, csm, sdr, manager, …"),
    "team": _text("Shown in explanations"),
    "manager": _text("Id of who is asked when an offer is missed"),
    "calendar": _text("Id of a calendar; without one, Monday to Friday from nine to five"),
    "capacity": _whole("Accounts they can own; without it, any number"),
    "ramp": _list("Smaller shares until they are up to speed, by date", "ramp_step"),
    "percent": _whole("Of a full share of turns and of their capacity", maximum=100),
    "leave": _list("When they take no turns; they keep what they have", "leave_period"),
    "left_on": _day("Their last day"),
    "external_ids": _by_name("User ids by system, where one knows another e-mail address", _text("The id, in quotes")),
    "active": _flag("false keeps them from owning anything for now", True),
    "calendar.hours": _part("week", "Hours by day; a day that is not named is free"),
    **{day: _shifts() for day in ("weekdays", *WEEKDAYS)},
    "holidays": _text("Whose public holidays are free, as in DE or US-NY", pattern=HOLIDAYS),
    "closed": _list("Further days that are free", _day("A day")),
    "open": _list("Holidays that are worked nonetheless", _day("A day")),
    # scenario files
    "scenarios": _list("The stories", "scenario"),
    "scenario.name": _text("What must hold, as a sentence"),
    "steps": _list("What happens, and what is expected", "step"),
    "start": _text("When the stories begin", pattern=INSTANT, default="2026-11-23T09:00:00Z"),
    "policy": {
        **{"description": "A folder, seen from this file, or the whole of policy.yaml"},
        **{"if": {"type": "object"}, "then": _part("policy"), "else": {"type": "string"}},
    },
    "roster": _part("roster", "The whole of roster.yaml"),
    "covers": _list("Names of what it protects", _text("A name of your own")),
    **{f"expectations.{each}": {"type": "object"} for each in BY_NAME},
    "told": _list("Everybody who has been told something", _text("Id of a rep")),
    "expectations.tasks": _list("All tasks that were made since the start, in whichever order", "expected_task"),
    "expected_task.on": _text("The record, as salesforce/001A", pattern=r"^(salesforce|hubspot)/.+$"),
    "expected_task.for": _text("Id of who gets it"),
    "expected_task.subject": _text("What it says, whole"),
    "due": _text("When it is due", pattern=INSTANT),
    "moves": _whole("Owner changes in the last run"),
    "writes": _whole("Owners written to the CRMs since the last expectation"),
    "uncovered": _whole("Accounts that nobody covers, as steward lint counts them"),
}


def _action(name: str, needed: tuple[str, ...] | None) -> Schema:
    """What stands under an action of a scenario. Beyond what the loader asks for, it is free."""
    if name == "expect":
        return _part("expectations", "What must be so by now")
    if needed is None:
        words: dict[str, Schema] = {"run": {"enum": [*RUNS]}, "wait": {"type": "string", "pattern": WAIT}}
        return words.get(name, {"type": "string", "minLength": 1})
    systems = {"enum": [*(LEAD_SYSTEMS if name == "lead" else SYSTEMS)]}
    keys = {key: systems if key in ("in", "of") and name != "parent" else {"type": "string"} for key in needed}
    if name == "import":
        keys["count"] = _whole("How many", 1)
    return {"type": "object", "required": [*needed], "properties": keys}


KEYS = {**KEYS, **{f"step.{name}": _action(name, needed) for name, needed in ACTIONS.items()}}


# --- every mapping: the keys it must have, those it may have, and what its keys ask of each other ---

PERIOD = ("from", "until")
ASSIGN = ("owner", "pool", "skills")
ENDS = {"required": ["then"], "not": {"properties": {"then": {"const": THEN[0]}}}}
KINDLESS = {"if": {"properties": {"name": {"enum": [*FIELDS, *DATES]}}}, "else": {"required": ["kind"]}}
BY_HAND = {
    "not": {
        "required": ["memory"],
        "properties": {"memory": {"const": MEMORY[1]}, "manual_takes_turn": {"const": True}},
    }
}
OWING = {"required": ["after_leave"], "properties": {"after_leave": {"const": AFTER_LEAVE[1]}}}
NEEDED = {section: step for step, section in OPTIONAL_STEPS.items() if step != "returned"}
"""Steps an order must have where the policy has the section; `returned` only where an override ends in something."""
POLICY_RULES = {
    "dependentSchemas": {section: _in_every_order(step) for section, step in NEEDED.items()},
    "if": {"required": ["fields"]},
    "else": _only_known_fields(),
    "allOf": [{"if": _accepting_edits(), "then": _in_every_order("override")}],
}
SOME_FIELD = {"anyOf": [{"required": ["flag"]}, {"required": ["date"]}]}
OWN_FIELDS = {
    "if": {"properties": {"system": {"const": "salesforce"}}},
    "then": {"properties": {key: {"pattern": f"{OF_ITS_OWN}$"} for key in ("flag", "date")}},
}


def _records_of(system: str, kinds: Iterable[str]) -> Schema:
    of_it = {"properties": {"system": {"const": system}}}
    return {"if": of_it, "then": {"properties": {"record": {"enum": [*kinds]}}}}


OBJECTS: Mapping[str, tuple[Iterable[str], Iterable[str], Schema]] = {
    "policy": (("apiVersion", "kind", "name"), SECTIONS, POLICY_RULES),
    "field": (("name",), ("kind", "meaning", "from"), KINDLESS),
    "places": ((), PLACES, {}),
    "requirement": (("name", "when", "mend"), (), {}),
    "dispute": (("account", "claimed_by", "reason"), PERIOD, {}),
    "dispute_clock": ((), ("hours", "clock"), {}),
    "exceptions": ((), ("due_hours",), {}),
    "due_hours": ((), tuple(EXCEPTION_KINDS), {}),
    "override": (
        ("account", "owner", "reason", "requested_by", "approved_by"),
        (*PERIOD, "then"),
        {"if": ENDS, "then": {"required": ["until"]}},
    ),
    "named_account": (("domain", "owner"), ("note", *PERIOD), {}),
    "registration": (("domain", "rep", *PERIOD), (), {}),
    "rule": (("id", "when", "assign"), ("name", *PERIOD, "for_days", "stays_while", "handoff"), {}),
    "assign": ((), ASSIGN, {"oneOf": [{"required": ["owner"]}, {"required": ["pool"]}]}),
    "territory": (("id",), TERRITORY_KEYS, {"not": {"required": ["owner", "pool"]}}),
    "pool": (("id", "members"), POOL_KEYS, {"dependentSchemas": {"owed_most": OWING, "manual_takes_turn": BY_HAND}}),
    "member": (("rep",), ("weight", *PERIOD), {}),
    "pod": (("id", "lead", "roles"), (), {}),
    "role": (("role", "assign"), ("when", *PERIOD), {}),
    "identity": ((), ("conflicting_owners",), {}),
    "task": (("name", "when", "for", "subject", "due_in_hours"), TASK_KEYS, {}),
    "notice": (("when", "tell"), NOTICE_KEYS, {}),
    "suppressed": (
        ("name", "system", "record", "days"),
        SUPPRESSION_KEYS,
        {
            "allOf": [*(_records_of(system, kinds) for system, kinds in RECORDS.items()), OWN_FIELDS, SOME_FIELD],
        },
    ),
    "existing_owner": ((), ("forfeit_after_days", "days", "leave_counts", "over_capacity", "warn_days_before"), {}),
    "leavers": ((), ("accounts_move",), {}),
    "drift": ((), DRIFT_KEYS, {}),
    "on_owner_change": ((), TRANSFER_KEYS, {}),
    "coverage": ((), ("overlays_count",), {}),
    "acceptance": ((), ACCEPTANCE_KEYS, {}),
    "meanwhile": (("queue",), (), {}),
    "sla": (("when", "hours"), (), {}),
    "leads": (
        *((), ("order", "require", "inbound_activity_days", "sticky_days")),
        {"dependentSchemas": {"sticky_days": _with_step("sticky")}},
    ),
    "roster": (("apiVersion", "kind", "reps"), ("queues", "calendars"), {}),
    "rep": (("id", "name", "email", "role", "team"), REP_KEYS, {}),
    "queue": (("id", "name", "email"), ("external_ids", "team", "active"), {}),
    "leave_period": (("from",), ("until",), {}),
    "ramp_step": (("until", "percent"), (), {}),
    "calendar": (("id",), ("hours", "holidays", "closed", "open"), {}),
    "week": ((), ("weekdays", *WEEKDAYS), {}),
    "scenarios": (("apiVersion", "kind", "scenarios"), ("policy", "roster", "start"), {}),
    "scenario": (("name", "steps"), ("start", "covers"), {}),
    "step": ((), ACTIONS, {"minProperties": 1, "maxProperties": 1}),
    "expectations": ((), EXPECTATIONS, {}),
    "expected_task": (*TASK_EXPECTED, {}),
}
