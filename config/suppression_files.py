"""Reading the `suppression` section of `policy.yaml`: what marketing is shown while somebody works an account."""

from __future__ import annotations

import re

from ruamel.yaml.comments import CommentedMap

from config.condition_files import ConditionReader
from ownership.conditions import ALWAYS
from ownership.entries import SuppressionRule

RECORDS = {"salesforce": ("Account", "Lead"), "hubspot": ("company", "contact"), "marketo": ("lead",)}
"""The kinds of record of each system that can show it."""
SUPPRESSION_KEYS = ("flag", "date", "conditions", "from", "until")
OF_ITS_OWN = "__c"  # how the name of a custom field of Salesforce ends
FIELD_NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
MOST_DAYS = 3660  # days: ten years


def read_suppression(reader: ConditionReader, node: CommentedMap, seen: set[str]) -> SuppressionRule:
    """One entry. `seen` are the names of the entries before it."""
    reader.keys(node, "an entry of suppression", ("name", "system", "record", "days"), SUPPRESSION_KEYS)
    name = reader.text(node, "name", "an entry of suppression")
    what = f"suppression '{name}'"
    reader.once(node, "name", "the suppression", name, seen)
    system = reader.one_of(node, "system", what, tuple(RECORDS))
    flag, date = _field(reader, node, "flag", what, system), _field(reader, node, "date", what, system)
    if not flag and not date:
        reader.say(node, None, f"{what} names no field", "Give it a 'flag', a 'date', or both")
    elif flag == date:
        reader.say(node, "date", f"{what} has one field for both, '{flag}'", "Name two fields, or leave one out")
    return SuppressionRule(
        name=name,
        system=system,
        record=reader.one_of(node, "record", what, RECORDS.get(system, ("",))),
        days=_days(reader, node, what),
        flag=flag,
        date=date,
        when=reader.condition(node, "conditions", what) if "conditions" in node else ALWAYS,
        period=reader.period(node, what),
    )


def _field(reader: ConditionReader, node: CommentedMap, key: str, what: str, system: str) -> str:
    """A field made for this. Salesforce says of a name whether the field is one of its own."""
    name = reader.text(node, key, what)
    if name and not re.match(FIELD_NAME, name):
        reader.say(node, key, f"{key} of {what} is '{name}', which names no field", "Write its API or internal name")
    elif name and system == "salesforce" and not name.endswith(OF_ITS_OWN):
        wrong = f"{key} of {what} is '{name}', a standard field of Salesforce"
        reader.say(node, key, wrong, f"Name a custom field, which ends in {OF_ITS_OWN}")
    return name


def _days(reader: ConditionReader, node: CommentedMap, what: str) -> int:
    days = reader.whole(node, "days", what, 1, 1)
    if days > MOST_DAYS:
        reader.say(node, "days", f"days of {what} is {days}", f"Give {MOST_DAYS} days at most")
    return min(days, MOST_DAYS)
