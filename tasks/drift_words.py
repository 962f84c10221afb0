"""What people read of drift: the exceptions it leaves them, with the commands that settle them, and the list of events.

Nothing here decides or writes anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ownership.identities import UNKNOWN
from store.drift import DriftEvent
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

DONE = {
    ("reassert", "noted"): "to be written again by the next run",
    ("reassert", "done"): "written again",
    ("hold", "noted"): "to be held by the next run",
    ("hold", "done"): "held for a person",
    ("adopt", "noted"): "to be left to the next decision",
    ("adopt", "done"): "left to the next decision, as the policy accepts edits",
}
"""What was done, by action and state; `stopped` and `overtaken` are alike for every action."""
COUNTED = {
    **{"reassert": "written again", "hold": "held for a person", "adopt": "left to the next decision"},
    **{"stopped": "stopped with the system", "overtaken": "settled by something newer"},
}
STOPPED, OVERTAKEN = "stopped with its system", "settled: it shows its owner again, or something newer came"


def storm_key(target: str) -> str:
    """The `dedup_key` of the exception about a system in which nothing is written over any more."""
    return f"drift_storm:{target}"


def ways_out_of_storm(target: str) -> list[str]:
    return [
        f"steward drift --in {target}",
        f"steward drift release {target} --because WHY, once you know that what is shown there is wrong",
    ]


def held_detail(event: DriftEvent) -> dict[str, Any]:
    """What the exception about a held record says."""
    record = f"{event.target}/{event.remote_id}"
    problem = (
        f"{event.target} shows {event.found_owner or 'nobody'}, the ledger says {event.expected_owner}: {event.because}"
    )
    ways = [
        f"steward drift restore {record} --because WHY, to have {event.expected_owner} shown again",
        "an override or a named account in the policy, to make the change the owner of record",
    ]
    return {"target": event.target, "record": event.remote_id, "problem": problem, "ways_out": ways}


def drift_lines(context: RunContext, target: str | None, limit: int) -> Iterator[str]:
    """The latest events, newest first, two lines each: the record and its owners, then whose hand and what was done."""
    with context.store.transaction(readonly=True) as uow:
        events = uow.drift.recent(limit, target)
        accounts = uow.accounts.get_many({event.account_id for event in events})
        people = {name: _people(uow, name) for name in {event.target for event in events}}
    if not events:
        yield "No system has shown an owner that others wrote."
    roster = context.policy.roster
    for event in events:
        here = people[event.target]
        found = _who(event.found_owner, here, roster.name(event.found_owner or ""))
        account, expected = accounts[event.account_id].name, roster.name(event.expected_owner)
        record = f"{event.target}/{event.remote_id}"
        yield f"{event.detected_at:%Y-%m-%d %H:%M}  {record:<32} {account}: {expected} expected, {found} found"
        by = here.get(event.modified_by or "", event.modified_by or "not said")
        yield f"{'':<18}by {by} ({event.hand}): {event.because}; {what_was_done(event)}"


def what_was_done(event: DriftEvent) -> str:
    if event.state in ("stopped", "overtaken"):
        return STOPPED if event.state == "stopped" else OVERTAKEN
    said = DONE[(event.action, event.state)]
    return f"{said}, as {event.released_by} asked ({event.released_because})" if event.released_by else said


def _people(uow: UnitOfWork, target: str) -> dict[str, str]:
    return {person.external_id: person.name or person.email for person in uow.people.all(target)}


def _who(owner: str | None, people: Mapping[str, str], rep: str) -> str:
    """What people call an owner a record shows."""
    if owner is None:
        return "nobody"
    if owner.startswith(UNKNOWN):
        user = owner.removeprefix(UNKNOWN)
        return f"{people.get(user, user)}, who is not on the roster,"
    return rep
