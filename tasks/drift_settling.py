"""What people say of drift: that a stopped system may be written to again, and that a held record shall show its owner.

Each word is kept with who said it and why. What follows is done by the same step that the guard takes.
"""

from __future__ import annotations

from collections.abc import Callable

from store.drift import DriftEvent
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.drift import act_on_drift
from tasks.drift_words import storm_key
from tasks.identity_words import Refused, Word


def release_target(context: RunContext, target: str, word: Word) -> str:
    """Have everything acted on that was stopped in a system. Raises `Refused` when nothing was."""
    _check_target(context, target)

    def release(uow: UnitOfWork) -> int:
        closed = uow.exceptions.close([storm_key(target)], word.by, word.because, context.now())
        released = uow.drift.release(target, word.by, word.because, context.now())
        if not closed and not released:
            raise Refused(f"nothing is stopped in {target}")
        return released

    released = context.store.run(release)
    guarded = act_on_drift(context, target)
    return (
        f"{released} events in {target} are released: {guarded.writes} records are written again with the next push, "
        f"{guarded.events.get('hold', 0)} are held for a person."
    )


def restore_record(context: RunContext, record: str, word: Word) -> str:
    """Have the owner of record shown again on a record, system/id, that a person was asked about. Raises `Refused`."""
    target, _, id_ = record.partition("/")
    _check_target(context, target)
    restored = _restore(context, target, word, lambda event: event.remote_id == id_)
    if not restored:
        raise Refused(
            f"the guard holds no record {record}; steward drift lists those it does, the flow guard-drift looks anew"
        )
    return f"{record} shows its owner of record again after the next push."


def restore_changed_by(context: RunContext, user: str, word: Word) -> str:
    """The same for every held record that one user, system/id, changed last. Raises `Refused` when there is none."""
    target, _, id_ = user.partition("/")
    _check_target(context, target)
    restored = _restore(context, target, word, lambda event: event.modified_by == id_)
    if not restored:
        raise Refused(f"the guard holds no record that {user} changed; steward drift lists those it does")
    return f"{restored} records that {user} changed show their owners of record again after the next push."


def _restore(context: RunContext, target: str, word: Word, wanted: Callable[[DriftEvent], bool]) -> int:
    def restore(uow: UnitOfWork) -> int:
        history = uow.drift.of_records(uow.drift.waiting_for_persons(target))
        last = [events[0] for events in history.values()]
        held = [event for event in last if event.waits_for_person and event.state == "done" and wanted(event)]
        for event in held:
            uow.drift.restore(event, word.by, word.because)
        return len(held)

    restored = context.store.run(restore)
    act_on_drift(context, target)
    return restored


def _check_target(context: RunContext, target: str) -> None:
    known = sorted(context.connectors.targets)
    if target not in known:
        raise Refused(f"no system '{target}' is connected; there are: {', '.join(known) or 'none'}")
