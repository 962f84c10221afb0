"""Taking a way out of an exception: who may, that it is noted with the reason, and that it is done once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.yaml_files import hint
from connectors.errors import ConnectorError
from ownership.exception_kinds import EXPLAIN, SNOOZE, WAYS, Way, kind_of, ways_of
from ownership.placed_by_people import MayNot, Person, check_answer, check_reason
from store.exception_pages import ShownItem
from store.exceptions import Answer, ExceptionItem
from store.statements import new_id
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.identity_words import Refused
from tasks.ways_out import ASKS_FIRST, TAKE, Case, Taken

LONGEST_SNOOZE_DAYS = 90


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of one way out taken of several exceptions: what was said of each that was done, by name, and why each
    of the others was not."""

    done: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def in_words(self) -> str:
        """As a page says it: how many were done and were not, with the first reasons."""
        if len(self.done) == 1 and not self.refused:
            return next(iter(self.done.values()))
        said = [f"{len(self.done)} done."]
        if self.refused:
            why = "; ".join(f"{name}: {because}" for name, because in list(self.refused.items())[:3])
            said.append(f"{len(self.refused)} not: {why}.")
        return " ".join(said)


def resolve(
    context: RunContext, exception_id: str, way_id: str, person: Person, reason: str = "", until: str | None = None
) -> str:
    """Take a way out of one exception and say what came of it; `until` is the day a snoozed one comes back, ISO.

    What it does and that it was taken are one commit. Raises `MayNot`, `Refused` and the connector's error, each with
    the mend; nothing was done then.
    """
    with context.store.transaction(readonly=True) as uow:
        shown = uow.exception_pages.get(exception_id)
    if shown is None:
        raise MayNot(f"There is no exception {exception_id}. `steward exceptions` lists them")
    item = shown.item
    _check_open(item)
    _check_may(person, shown, way_id, reason, context)
    case = Case(context, item, person, reason.strip())
    if way_id in ASKS_FIRST:
        ASKS_FIRST[way_id](case)

    def take_and_note(uow: UnitOfWork) -> str:
        taken = _take(replace(case, context=context.within(uow)), way_id, until)
        _note(case, uow, way_id, taken)
        return taken.said

    return context.store.run(take_and_note)


def resolve_many(
    context: RunContext,
    exception_ids: Iterable[str],
    way_id: str,
    person: Person,
    reason: str = "",
    until: str | None = None,
) -> Resolved:
    """Take the same way out of several, each for itself: what is refused of one holds up no other."""
    found = Resolved()
    for exception_id in dict.fromkeys(exception_ids):
        name = _name(context, exception_id)
        try:
            found.done[name] = resolve(context, exception_id, way_id, person, reason, until)
        except (MayNot, Refused, ConnectorError) as problem:
            found.refused[name] = str(problem).rstrip(".")
    return found


def _name(context: RunContext, exception_id: str) -> str:
    with context.store.transaction(readonly=True) as uow:
        shown = uow.exception_pages.get(exception_id)
    return f"{shown.account_name or shown.item.dedup_key} ({exception_id[-6:]})" if shown else exception_id


def _check_open(item: ExceptionItem) -> None:
    if item.state != "open":
        raise MayNot(f"It is closed already, by {item.resolved_by}: {item.resolution}")


def may_take(person: Person, shown: ShownItem, way_id: str, context: RunContext) -> bool:
    """Whether this person may take this way out, a reason given."""
    try:
        _check_may(person, shown, way_id, "given", context)
    except MayNot:
        return False
    return True


def _check_may(person: Person, shown: ShownItem, way_id: str, reason: str, context: RunContext) -> None:
    kind, ways = shown.item.kind, ways_of(shown.item.kind, shown.item.detail)
    if way_id not in ways:
        raise MayNot(f"'{way_id}' is no way out of {kind}{hint(way_id, ways)}. There are: {', '.join(ways)}")
    way: Way = WAYS[way_id]
    if way.role == "ops" and person.role != "ops":
        raise MayNot("Only sales operations may do this")
    check_answer(person, (), shown.owner_id, context.policy.roster)
    if way.needs_reason:
        check_reason(reason)


def _take(case: Case, way_id: str, until: str | None) -> Taken:
    if way_id == SNOOZE:
        return _snooze(case.context, case.item, until)
    if way_id == EXPLAIN:
        return Taken("It is closed, and stays so.", closes=True)
    return TAKE[way_id](case)


def _snooze(context: RunContext, item: ExceptionItem, until: str | None) -> Taken:
    at = _morning_of(until, context)
    if not context.store.run(lambda uow: uow.exceptions.snooze(item.exception_id, at)):
        raise MayNot("It was closed meanwhile; there is nothing to hide")
    return Taken(f"It is hidden until {until}, and counted all the while.")


def _morning_of(until: str | None, context: RunContext) -> datetime:
    """When that day begins, in the policy's time zone."""
    try:
        day = date.fromisoformat(until or "")
    except ValueError:
        raise MayNot("No day is given. Say until when, as in 2026-12-31") from None
    today = date.fromisoformat(context.today())
    if not today < day <= today + timedelta(days=LONGEST_SNOOZE_DAYS):
        raise MayNot(f"Give a day after today, and within {LONGEST_SNOOZE_DAYS} days")
    return datetime.combine(day, time(), ZoneInfo(context.policy.policy.timezone))


def _note(case: Case, uow: UnitOfWork, way_id: str, taken: Taken) -> None:
    item, person, reason = case.item, case.person, case.reason
    now, label = case.context.now(), WAYS[way_id].label
    words = f"{label}: {reason}" if reason else label
    if taken.closes:
        for_good = way_id == EXPLAIN and kind_of(item.kind).found_again
        if not uow.exceptions.close_one(item.exception_id, person.id, words, now, for_good=for_good):
            _check_unless_ours(uow.exceptions.get(item.exception_id), way_id)
    else:
        uow.exceptions.credit(item.exception_id, person.id, words)
    answer = Answer(new_id(), item.exception_id, way_id, person.id, reason, taken.said, now, case.context.run_id)
    uow.exceptions.note_answer(answer)


def _check_unless_ours(stands: ExceptionItem, way_id: str) -> None:
    """Of two who explain it away at once the first counts; what else was done has been done, and is noted."""
    if way_id == EXPLAIN:
        _check_open(stands)
