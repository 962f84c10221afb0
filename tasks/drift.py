"""Drift: find the records that show another owner than the ledger, write that down, then do what the rules say.

Three steps, each of which may be killed and run again. Finding reads and writes nothing. Noting keeps every difference
with the ruling on it, once. Acting makes outbox rows and exceptions, in the same commit as the word that it was done.
The rules are `ownership/drift.py`; what a person is told and says is `tasks/drift_words.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from ownership.drift import Action, Difference, Hand, rule_on, stopped_because
from ownership.model import Ref
from store.drift import DriftEvent, NewDrift
from store.exceptions import NewException, record_key
from store.sent import Sent
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.drift_scan import DRIFT, Found, Seen
from tasks.drift_words import held_detail, storm_key, ways_out_of_storm
from tasks.steps import as_task

ACT_ON = 1000
STORM = "drift_storm"
A_DAY = timedelta(days=1)
BY_PERSONS = (Hand.PERSON, Hand.MACHINE)


@dataclass(frozen=True, slots=True)
class Guarded:
    """What became of one system's events: how many were written over, held for a person, left to be adopted, stopped
    because too much differs, or overtaken by something newer."""

    target: str
    events: Mapping[str, int] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        return self.events.get(Action.REASSERT, 0)


def note_differences(context: RunContext, found: Sequence[Found]) -> int:
    """Keep each difference with the ruling on it, before anything is done about any; returns how many were new.

    Give what all systems showed. An account with a record in a system that could not be read waits for the next scan:
    what looks like an integration's doing here may be a person's there.
    """
    return context.store.run(partial(_note, context, found=found))


def act_on_drift(context: RunContext, target: str) -> Guarded:
    """Do what was ruled on everything noted in `target`, what a killed run had left behind too."""
    events: Counter[str] = Counter()
    while done := context.store.run(partial(_act, context, target=target)):
        events.update(done)
    return Guarded(target, dict(sorted(events.items())))


# --- note ---


def _note(context: RunContext, uow: UnitOfWork, *, found: Sequence[Found]) -> int:
    now = context.now()
    uow.drift.overtake([ref for each in found for ref in each.back], now)
    unread = set(context.connectors.targets) - {each.target for each in found}
    seen = _still_so(uow, [seen for each in found for seen in each.differing], unread)
    history = uow.drift.of_records([each.ref for each in seen])
    seen = [each for each in seen if not _is_asked_already(each, history.get(each.ref, ()))]
    differences = _to_differences(context, uow, seen, history)
    rulings = rule_on(differences, context.policy.policy.drift)
    new = [
        NewDrift(
            *(each.ref.source, each.ref.object_type, each.ref.external_id, _version(each)),
            *(each.owner.ledger_id, each.account_id, each.owner.owner_id, each.shown),
            *(each.observed.modified_by, each.observed.modified_at),
            *(ruling.hand.value, ruling.action.value, ruling.because),
        )
        for each, ruling in zip(seen, rulings, strict=True)
    ]
    return uow.drift.add(new, context.run_id, now)


def _still_so(uow: UnitOfWork, seen: Sequence[Seen], unread: set[str]) -> list[Seen]:
    """Without those that something was decided, written or confirmed of while they were read, and without accounts
    that are in no system any more, as converted leads."""
    accounts = {account.id: account for account in uow.accounts.live({each.account_id for each in seen})}
    owners = uow.ledger.current(accounts)
    known = uow.remote.get(each.ref for each in seen)
    waiting = {target: uow.outbox.waiting(target) for target in {each.ref.source for each in seen}}

    def holds(each: Seen) -> bool:
        account = accounts.get(each.account_id)
        before, after = each.known, known.get(each.ref)
        return (
            account is not None
            and each.ref in account.refs
            and unread.isdisjoint(ref.source for ref in account.refs)
            and each.account_id in owners
            and owners[each.account_id].ledger_id == each.owner.ledger_id
            and (before and before.confirmed_at) == (after and after.confirmed_at)
            and each.ref.external_id not in waiting[each.ref.source]
        )

    return [each for each in seen if holds(each)]


def _is_asked_already(seen: Seen, history: Sequence[DriftEvent]) -> bool:
    """Whether somebody has been asked about just this: who touches other fields of the record since then, an
    integration perhaps, has not set its owner."""
    last = history[0] if history else None
    return (
        last is not None
        and last.waits_for_person
        and (last.found_owner, last.ledger_id) == (seen.shown, seen.owner.ledger_id)
    )


def _to_differences(
    context: RunContext, uow: UnitOfWork, seen: Sequence[Seen], history: Mapping[Ref, Sequence[DriftEvent]]
) -> list[Difference]:
    lately = context.now() - timedelta(days=context.policy.policy.drift.reassert_days)
    sent = uow.drift.sent_to(each.ref for each in seen)
    emails = {target: _emails(uow, target) for target in {each.ref.source for each in seen}}
    accounts = {each.account_id for each in seen}
    former, by_persons = uow.ledger.owners_ever(accounts), uow.drift.set_by_persons(accounts, BY_PERSONS)
    found = []
    for each in seen:
        past, ours, by = history.get(each.ref, ()), sent.get(each.ref, Sent()), each.observed.modified_by
        found.append(
            Difference(
                *(each.account_id, each.ref, each.owner.owner_id, each.shown),
                unanswered=ours.unanswered,
                former=former[each.account_id] | ours.owners | ours.before,
                modified_by=by,
                modifier_email=emails[each.ref.source].get(by or ""),
                modified_at=each.observed.modified_at,
                reasserted=sum(event.counts_as_reassert_since(lately) for event in past),
                is_held=bool(past and past[0].waits_for_person) or (each.account_id, each.shown) in by_persons,
            )
        )
    return found


def _emails(uow: UnitOfWork, target: str) -> dict[str, str]:
    return {person.external_id: person.email for person in uow.people.all(target)}


def _version(seen: Seen) -> str:
    """What tells this change of the record from the next one; where the system has no versions, there is one change
    for each time we proved the record to show its owner."""
    if seen.observed.version is not None:
        return seen.observed.version
    at = seen.known.confirmed_at if seen.known else None
    return f"{seen.shown} after {at.isoformat() if at else 'nothing'}"


# --- act ---


def _act(context: RunContext, uow: UnitOfWork, *, target: str) -> dict[str, int]:
    """Act on the next events of a system; returns what was done how often, nothing when there were none."""
    now, events = context.now(), uow.drift.unsettled(target, ACT_ON)
    if not events:
        return {}
    is_stopped = _is_stopped(context, uow, target)
    going_on = [each for each in events if not is_stopped or each.released_by is not None]
    stopped = [each for each in events if is_stopped and each.released_by is None]
    uow.drift.settle([each.drift_id for each in stopped], "stopped", now)
    uow.exceptions.close(map(_key, stopped), "steward", f"told of by {storm_key(target)}", now)
    latest = {each.ref: each for each in reversed(going_on)}
    again = uow.drift.write_again(_of(latest, Action.REASSERT), context.run_id, now)
    asked = _of(latest, Action.HOLD)
    uow.exceptions.open_many([_to_exception(each) for each in asked], context.run_id, now)
    done = {*again, *(each.drift_id for each in (*asked, *_of(latest, Action.ADOPT)))}
    uow.drift.settle(done, "done", now)
    uow.drift.settle([each.drift_id for each in going_on if each.drift_id not in done], "overtaken", now)
    counts = Counter(str(each.action) for each in going_on if each.drift_id in done)
    return dict(counts + Counter(stopped=len(stopped), overtaken=len(going_on) - len(done)))


def _of(latest: Mapping[Ref, DriftEvent], action: Action) -> list[DriftEvent]:
    return [each for each in latest.values() if each.action == action]


def _is_stopped(context: RunContext, uow: UnitOfWork, target: str) -> bool:
    """Whether nothing is written over in a system: it has been stopped and nobody has released it, or too many records
    were changed within a day, which is then said once for all of them."""
    now, key = context.now(), storm_key(target)
    changed, records = uow.drift.changed_since(target, now - A_DAY), uow.remote.confirmed_count(target)
    because = stopped_because(target, changed, records, context.policy.policy.drift)
    if because is None:
        return bool(uow.exceptions.open_among([key]))
    detail = {"target": target, "problem": because, "ways_out": ways_out_of_storm(target)}
    uow.exceptions.open(STORM, key, None, detail, "error", context.run_id, now)
    return True


def _to_exception(event: DriftEvent) -> NewException:
    return NewException(DRIFT, _key(event), event.account_id, held_detail(event), "error")


def _key(event: DriftEvent) -> str:
    return record_key(DRIFT, event.target, event.object_type, event.remote_id)


note_differences_task = as_task(note_differences, "drift")
act_on_drift_task = as_task(act_on_drift, "drift", "act on drift in {target}")
