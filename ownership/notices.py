"""Notices: who is told of what, and over which channel, by the policy's `notices`.

Sending them is `tasks/notices.py`; keeping them until then is `store/notifications.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ownership.crm_tasks import ROLE
from ownership.entries import NoticeRule
from ownership.policy import Policy, Roster

NEW_OWNER, ASKED, REMINDED, UNACCEPTED = "new_owner", "asked", "reminded", "unaccepted"
FORFEITURE, EXCEPTION = "forfeiture_warning", "exception"
EVENTS = (NEW_OWNER, ASKED, REMINDED, UNACCEPTED, FORFEITURE, EXCEPTION)
"""What somebody can be told of: an account is theirs, they are asked for it, their answer is missing, nobody accepted
what they were asked for, they are about to lose it for want of activity, a person has to look at it."""
CHANNELS = ("slack", "email")
OWNER, MANAGER = "owner", "manager"

TOLD_BY_DEFAULT = tuple(NoticeRule(event, OWNER) for event in EVENTS if event != EXCEPTION)
"""What holds where a policy has no `notices`: owners are told in Slack."""

SUBJECTS: Mapping[str, tuple[str, str]] = {
    NEW_OWNER: ("You now own {count}", "{count} got a new owner"),
    ASKED: ("You are asked to take over {count}", "Somebody is asked to take over {count}"),
    REMINDED: ("You are still to answer for {count}", "Somebody is still to answer for {count}"),
    UNACCEPTED: ("You can still take {count}", "Nobody accepted {count}"),
    FORFEITURE: ("You are about to lose {count}", "Somebody is about to lose {count}"),
    EXCEPTION: ("A person has to look at {count} of yours", "A person has to look at {count}"),
}
"""What a message is called for the owner, and for everybody else. `{count}` is "1 account" or "3 accounts"; the
words around it fit both."""


def rules_for(policy: Policy, event: str) -> list[NoticeRule]:
    """The policy's entries about this event."""
    rules = TOLD_BY_DEFAULT if policy.notices is None else policy.notices
    return [rule for rule in rules if rule.event == event]


def addressee(to: str, owner: str | None, team: Mapping[str, str], roster: Roster) -> str | None:
    """Who is meant by an entry's `tell`: a rep's id, or the address that stands there. None when that is nobody, or a
    list that nobody reads."""
    if "@" in to:
        return to
    if to == OWNER:
        rep = owner
    elif to == MANAGER:
        rep = roster.manager_of(owner)
    elif to.startswith(ROLE):
        rep = team.get(to.removeprefix(ROLE))
    else:
        rep = to
    known = roster.reps.get(rep or "")
    return known.id if known and not roster.is_queue(known.id) else None


def may_answer(to: str) -> bool:
    """Whether who is meant by an entry's `tell` may answer an offer: who was asked, or their manager."""
    return to in (OWNER, MANAGER)
