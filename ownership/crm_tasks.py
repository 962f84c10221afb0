"""Tasks in the CRMs: which ones follow when something happens to an account or lead, by the policy's `tasks`.

Creating them is `tasks/crm_tasks.py`; keeping them until then is `store/crm_tasks.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ownership.conditions import fold_fields, holds
from ownership.day import Day, hours_later
from ownership.entries import TaskRule
from ownership.identities import UNKNOWN
from ownership.local_time import zone
from ownership.model import LEAD, Account, Decision, Ref
from ownership.plan import OwnerMove
from ownership.worktime import LONGEST_WAIT

OWNER_CHANGED, LEAD_ASSIGNED = "owner_changed", "lead_assigned"
ACCEPTED, ESCALATED, HANDOFF = "accepted", "escalated", "handoff_incomplete"
EVENTS = (OWNER_CHANGED, LEAD_ASSIGNED, ACCEPTED, ESCALATED, HANDOFF)
"""What a task can follow from. `handoff_incomplete` is the exception of that name."""
PLACEHOLDERS = ("account", "owner", "previous")
ROLE = "role:"
LONGEST_SUBJECT = 255  # characters, the shorter of the CRMs' limits


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to an account: who owns it from now on, who did before, who fills its other roles.

    Of an escalation, `owner` is who is asked now and `previous` who was asked before. `occasion` tells things apart
    that happen more than once while the account belongs to the same owner: the offer that was answered.
    """

    event: str
    account: Account
    owner: str | None
    previous: str | None = None
    team: Mapping[str, str] = field(default_factory=dict)
    occasion: str = ""


@dataclass(frozen=True, slots=True)
class TaskWanted:
    """One task on one record for a rep. `due_at` is in the time zone of who gets it, so that its date is theirs."""

    name: str
    event: str
    ref: Ref
    assignee: str
    subject: str
    due_at: datetime
    occasion: str = ""


def happening_of(account: Account, decision: Decision, move: OwnerMove | None, held: str | None) -> Happening | None:
    """What a new decision comes to, if anything. `move` is the change of owner it asks for, `held` who has the account
    until then."""
    if decision.reason == HANDOFF:
        return Happening(HANDOFF, account, held, None, filled_roles(decision))
    return change_of_owner(account, decision, move) if move else None


def change_of_owner(account: Account, decision: Decision, move: OwnerMove) -> Happening:
    """An account or lead gets another owner of record."""
    event = LEAD_ASSIGNED if account.kind == LEAD else OWNER_CHANGED
    return Happening(event, account, move.after, move.before, filled_roles(decision))


def filled_roles(decision: Decision) -> dict[str, str]:
    """Who fills which supporting role by a decision; roles nobody fills are left out."""
    return {member.role: member.rep_id for member in decision.team if member.rep_id is not None}


def tasks_after(happened: Happening, day: Day, systems: Collection[str]) -> Iterator[TaskWanted]:
    """The tasks that follow, one for each of `systems` that holds the account and that the policy names.

    Nobody gets a task who is not there: a role nobody fills, a rep without a manager, somebody who left. A queue gets
    none either, as nobody would look at it.
    """
    entries = [entry for entry in day.policy.tasks if entry.event == happened.event]
    if not entries:
        return
    fields = fold_fields(happened.account.fields, day.date, day.days)
    for entry in entries:
        assignee = _assignee(entry, happened, day)
        if assignee is not None and holds(entry.when, fields):
            for ref in _records(happened.account, systems, entry.systems):
                due = _due_at(entry, assignee, day)
                subject = _subject(entry, happened, day)
                yield TaskWanted(entry.name, entry.event, ref, assignee, subject, due, happened.occasion)


def _assignee(entry: TaskRule, happened: Happening, day: Day) -> str | None:
    if entry.to == "owner":
        rep = happened.owner
    elif entry.to == "manager":
        # Who did not answer may have been passed over for their own manager, whose manager is not the one to look.
        asked = happened.previous if happened.event == ESCALATED else happened.owner
        rep = day.roster.manager_of(asked)
    else:
        rep = happened.team.get(entry.to.removeprefix(ROLE))
    return rep if rep in day.present and not day.roster.is_queue(str(rep)) else None


def _records(account: Account, systems: Collection[str], named: frozenset[str]) -> list[Ref]:
    """The account's record in each of the systems; of several in one, the first."""
    first: dict[str, Ref] = {}
    for ref in sorted(account.refs):
        if ref.source in systems and (not named or ref.source in named):
            first.setdefault(ref.source, ref)
    return list(first.values())


def _subject(entry: TaskRule, happened: Happening, day: Day) -> str:
    names = (happened.account.name, _name(day, happened.owner), _name(day, happened.previous))
    said = entry.subject.format(**dict(zip(PLACEHOLDERS, names, strict=True)))
    return said if len(said) <= LONGEST_SUBJECT else said[: LONGEST_SUBJECT - 1] + "…"


def _name(day: Day, rep: str | None) -> str:
    if rep is None:
        return "nobody"
    return "somebody who is not on the roster" if rep.startswith(UNKNOWN) else day.name(rep)


def _due_at(entry: TaskRule, assignee: str, day: Day) -> datetime:
    rep = day.roster.reps[assignee]
    due = hours_later(entry.clock, rep, day.now, entry.due_in_hours) or day.now + LONGEST_WAIT
    return due.astimezone(zone(rep.timezone))
