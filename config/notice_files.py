"""Reading the `notices` section of `policy.yaml`: who is told of what, and over which channel."""

from __future__ import annotations

import re
from collections.abc import Collection

from ruamel.yaml.comments import CommentedMap

from config.condition_files import ConditionReader
from config.yaml_files import hint
from ownership.conditions import ALWAYS
from ownership.crm_tasks import ROLE
from ownership.entries import NoticeRule
from ownership.notices import CHANNELS, EVENTS, MANAGER, OWNER
from ownership.policy import Roster

NOTICE_KEYS = ("channels", "conditions", "from", "until")
ADDRESS = r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"
WHOM = rf"^({ROLE}.+|[^@:]+|{ADDRESS})$"


def read_notice(reader: ConditionReader, node: CommentedMap, roles: Collection[str], roster: Roster) -> NoticeRule:
    """One entry. `roles` are the supporting roles the policy knows."""
    reader.keys(node, "a notice", ("when", "tell"), NOTICE_KEYS)
    event = reader.one_of(node, "when", "a notice", EVENTS)
    what = f"a notice of {event}"
    return NoticeRule(
        event=event,
        to=_whom(reader, node, what, roles, roster),
        channels=_channels(reader, node, what),
        when=reader.condition(node, "conditions", what) if "conditions" in node else ALWAYS,
        period=reader.period(node, what),
    )


def _whom(reader: ConditionReader, node: CommentedMap, what: str, roles: Collection[str], roster: Roster) -> str:
    to = reader.text(node, "tell", what)
    if "@" in to:
        if not re.fullmatch(ADDRESS, to):
            reader.say(node, "tell", f"{what} goes to '{to}', which is no e-mail address", "Write it as cs@acme.com")
        return to
    known = (OWNER, MANAGER, *(f"{ROLE}{role}" for role in sorted(roles)), *roster.reps)
    if to and to not in known:
        mend = "Tell owner, manager, a role of 'team' or 'pods' as role:sdr, a rep by id, or an e-mail address"
        reader.say(node, "tell", f"{what} goes to '{to}', who is nobody{hint(to, known)}", mend)
    elif roster.is_queue(to):
        reader.say(node, "tell", f"{what} goes to {roster.name(to)}, a queue, which nobody reads", "Name a person")
    return to


def _channels(reader: ConditionReader, node: CommentedMap, what: str) -> tuple[str, ...]:
    if "channels" not in node:
        return (CHANNELS[0],)
    named = reader.words(node, "channels", what)
    if not named:
        reader.say(node, "channels", f"{what} goes over no channel", "Name one, or leave out the whole entry")
    for channel in sorted(named - {*CHANNELS}):
        wrong = f"{what} goes over '{channel}'{hint(channel, CHANNELS)}"
        reader.say(node, "channels", wrong, f"There are {', '.join(CHANNELS)}")
    return tuple(channel for channel in CHANNELS if channel in named)
