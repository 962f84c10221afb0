"""Kinds of exception: what each means, who has to act on it and by when, and the ways out of it.

`docs/exceptions.md` has the same table; a test keeps both alike. What a way out does is `tasks/ways_out.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ownership.policy import Roster

DUE_HOURS = 48


class Acts(StrEnum):
    """Who has to act. A manager's exception of an account that nobody with a manager owns is for sales operations."""

    OPS = "sales operations"
    MANAGER = "the owner's manager"
    STEWARD = "the data steward"


@dataclass(frozen=True, slots=True)
class Way:
    """One way out. `does` completes "This …"; `role` is who may take it, "manager" or "ops", who may all."""

    label: str
    does: str
    needs_reason: bool = True
    role: str = "manager"


@dataclass(frozen=True, slots=True)
class Kind:
    """What an exception of this kind means, in words that follow its account's name. `for_a_rep` says that giving the
    account to somebody settles it; `found_again` that every run finds it anew until it is mended."""

    words: str
    acts: Acts
    ways: tuple[str, ...] = ()
    due_hours: int = DUE_HOURS
    for_a_rep: bool = False
    found_again: bool = True


SNOOZE, EXPLAIN = "snooze", "explain"
WAYS: Mapping[str, Way] = {
    "decide": Way("Decide again", "asks the rules anew, with what is known now", needs_reason=False),
    "retry": Way("Try again", "compares the records anew and sends what is missing with the next push", False),
    "retry-task": Way("Try again", "makes the task with the next push, if it still matters", needs_reason=False),
    "restore": Way("Restore our owner", "has the owner of record shown again with the next push"),
    "keep-theirs": Way("Keep theirs", "asks for an override to the owner the record shows; somebody else approves it"),
    "release": Way("Release the system", "has everything acted on that was stopped in the system", role="ops"),
    "resume": Way("Write again", "has the system written to again at once", needs_reason=False, role="ops"),
    "same": Way("They are the same", "says that both are one company, or that the lead belongs there", role="ops"),
    "different": Way("They are different", "says that they are not, whatever the evidence", role="ops"),
    "keep-first": Way("One company, first owner", "says that both are one company and keeps the first", role="ops"),
    "keep-second": Way("One company, second owner", "says that both are one company and keeps the second", role="ops"),
    "read": Way("Read again", "reads the record anew from its system", needs_reason=False, role="ops"),
    EXPLAIN: Way("Explain away", "closes it; while it stays as it is, no run opens it again"),
    SNOOZE: Way("Snooze", "hides it until a day; it is counted all the while"),
}

OF_TWO = ("same", "different", "keep-first", "keep-second")

_UNDECIDED = ("decide",)
_PUSH = ("retry",)
KINDS: Mapping[str, Kind] = {
    "missing_data": Kind("lacks the data every account needs", Acts.STEWARD, _UNDECIDED, for_a_rep=True),
    "no_rule": Kind("lies in no territory anybody covers", Acts.OPS, _UNDECIDED, for_a_rep=True),
    "do_not_route": Kind("must not be given to anybody", Acts.OPS, ("decide", EXPLAIN)),
    "shadow_account": Kind("pays or uses the product, and is in no CRM", Acts.STEWARD, ("decide", EXPLAIN)),
    "no_available_rep": Kind("nobody who may take it is free", Acts.OPS, _UNDECIDED, for_a_rep=True),
    "handoff_incomplete": Kind("cannot be handed over yet", Acts.MANAGER, _UNDECIDED, for_a_rep=True),
    "disputed": Kind("is claimed by somebody else", Acts.MANAGER),
    "nobody_at_work": Kind("nobody who may take it is at work soon", Acts.OPS, _UNDECIDED, for_a_rep=True),
    "unaccepted": Kind("nobody accepted it in time", Acts.MANAGER, (EXPLAIN,), 24, for_a_rep=True, found_again=False),
    "dispute_overdue": Kind("a claim waits for its ruling past its time", Acts.MANAGER, due_hours=24),
    "doubtful_match": Kind("may or may not be the same company", Acts.STEWARD, ("same", "different", EXPLAIN)),
    "conflicting_owners": Kind(
        "two reps who are both here have one company",
        Acts.OPS,
        ("keep-first", "keep-second", "different", "decide"),
        for_a_rep=True,
    ),
    "parent_cycle": Kind("accounts that are each other's parents", Acts.STEWARD, (EXPLAIN,)),
    "parent_conflict": Kind("systems name different parents", Acts.STEWARD, (EXPLAIN,)),
    "unplaced_fact": Kind("a system speaks of a company it does not list", Acts.STEWARD, (EXPLAIN,)),
    "bad_record": Kind("a record that cannot be read", Acts.STEWARD, ("read", EXPLAIN)),
    "erased_record": Kind("a person who was erased here is still in a system", Acts.STEWARD),
    "owner_drift": Kind("somebody changed the owner in a CRM", Acts.MANAGER, ("restore", "keep-theirs"), 24),
    "drift_storm": Kind("too many owners changed at once in a CRM", Acts.OPS, ("release",), 4),
    "owner_has_no_user": Kind("its owner has no active user in a CRM", Acts.OPS, _PUSH),
    "owner_differs": Kind("a CRM shows another owner, and nothing says why", Acts.OPS, _PUSH),
    "push_rejected": Kind("a CRM refused the owner", Acts.OPS, _PUSH),
    "record_gone": Kind("its record is gone from a CRM", Acts.OPS, _PUSH),
    "target_stopped": Kind("a system nothing can be written to until somebody acts", Acts.OPS, ("resume",), 4),
    "task_has_no_user": Kind("who should get a task has no active user in a CRM", Acts.OPS, ("retry-task",)),
    "task_rejected": Kind("a CRM refused a task", Acts.OPS, ("retry-task", EXPLAIN), found_again=False),
    "team_not_kept": Kind(
        "somebody could not be put back on an account's team", Acts.MANAGER, (EXPLAIN,), found_again=False
    ),
    "transfer_rejected": Kind(
        "a CRM refused to give a contact or opportunity to the new owner", Acts.OPS, (EXPLAIN,), found_again=False
    ),
    "suppression_rejected": Kind("a system refused what marketing is to be shown", Acts.OPS, (EXPLAIN,)),
}


def kind_of(kind: str) -> Kind:
    """What is known of a kind; of one a later release made and this one does not know, only that ops look at it."""
    return KINDS.get(kind) or Kind(kind.replace("_", " "), Acts.OPS)


def ways_of(kind: str, detail: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the ways out of an exception of this kind, the likeliest first. Anything can be snoozed; what is said
    of two records is a way out where it is about two."""
    is_of_two = len(detail.get("records", ())) == 2
    return tuple(way for way in (*kind_of(kind).ways, SNOOZE) if is_of_two or way not in OF_TWO)


def due_by(kind: str, first_seen_at: datetime, hours: Mapping[str, float]) -> datetime:
    """By when somebody should have acted; `hours` are those the policy gives, by kind."""
    return first_seen_at + timedelta(hours=hours.get(kind, kind_of(kind).due_hours))


def said_of(detail: Mapping[str, Any]) -> str:
    """What is known of an exception, as one sentence or several."""
    said = detail.get("problem") or detail.get("because") or ""
    return "; ".join(map(str, said)) if isinstance(said, Sequence) and not isinstance(said, str) else str(said)


def who_acts(kind: str, account_owner: str | None, roster: Roster) -> tuple[Acts, str | None]:
    """Who has to act, and which manager of the roster that is, if it is one."""
    acts = kind_of(kind).acts
    if acts is not Acts.MANAGER:
        return acts, None
    manager = roster.manager_of(account_owner)
    return (acts, manager) if manager else (Acts.OPS, None)
