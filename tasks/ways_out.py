"""What each way out of an exception does, in the transaction that notes it. Who may take it, and the note itself, is
`tasks/resolving.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ownership.exception_kinds import kind_of
from ownership.identities import UNKNOWN
from ownership.model import Ref
from ownership.placed_by_people import MayNot, Person
from store.exceptions import ExceptionItem
from store.outbox import WAITING
from store.overrides import REQUESTED
from store.unit_of_work import UnitOfWork
from tasks.assignment import decide_at_once
from tasks.breaker import resume
from tasks.context import RunContext
from tasks.drift_settling import release_target, restore_record
from tasks.identity_problems import LEAD_DOUBT
from tasks.identity_words import Word, say_lead, say_same, say_split
from tasks.placed_by_people import request_override
from tasks.pull import pull_records


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a way out. `closes`: the exception is settled by it, whether or not a run has seen that yet."""

    said: str
    closes: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One exception, and who takes a way out of it for which reason."""

    context: RunContext
    item: ExceptionItem
    person: Person
    reason: str

    @property
    def word(self) -> Word:
        return Word(self.person.id, self.reason)

    @property
    def target(self) -> str:
        return str(self.item.detail.get("target", ""))

    @property
    def account_id(self) -> str:
        if self.item.account_id is None:
            raise MayNot("It is about no account. Mend what it names, and the next run closes it")
        return self.item.account_id

    @property
    def record(self) -> Ref:
        """The outside record that its key names."""
        source, object_type, external_id = self.item.dedup_key.partition(":")[2].split("/", 2)
        return Ref(source, object_type, external_id)


def _decide(case: Case) -> Taken:
    def decide(uow: UnitOfWork) -> str:
        decide_at_once(case.context, uow, [case.account_id])
        item = uow.exceptions.get(case.item.exception_id)
        if item.state == "open":
            return f"The rules still leave it to a person: it {kind_of(item.kind).words}."
        owner = uow.ledger.current([case.account_id]).get(case.account_id)
        return f"It is {case.context.policy.roster.name(owner.owner_id)}'s now." if owner else "It is settled."

    return Taken(case.context.store.run(decide))


def _retry(case: Case) -> Taken:
    def retry(uow: UnitOfWork) -> str:
        decide_at_once(case.context, uow, [case.account_id])
        if any(row.state in WAITING for row in uow.outbox.of_account(case.account_id)):
            return "It is sent with the next push."
        item = uow.exceptions.get(case.item.exception_id)
        return f"Nothing can be sent yet: {item.detail.get('problem', 'the record shows what it should')}."

    return Taken(case.context.store.run(retry))


def _retry_task(case: Case) -> Taken:
    kind, _, key = case.item.dedup_key.partition(":")
    if not case.context.store.run(lambda uow: uow.crm_tasks.try_again(key, case.context.now())):
        raise MayNot("The task is made already, or pointless by now. Explain it away")
    return Taken("It is made with the next push.", closes=kind == "task_rejected")


def _restore(case: Case) -> Taken:
    record = case.record
    return Taken(restore_record(case.context, f"{record.source}/{record.external_id}", case.word))


def _keep_theirs(case: Case) -> Taken:
    with case.context.store.transaction(readonly=True) as uow:
        found = _shown_on(uow, case)
        asked = uow.overrides.about([case.account_id])
    if found is None or found.startswith(UNKNOWN):
        who = "nobody" if found is None else "somebody who is not on the roster"
        raise MayNot(f"The record shows {who}. Restore our owner, or ask for an override to a rep")
    if any(each.state == REQUESTED and each.owner_id == found for each in asked):
        raise MayNot("That override is asked for already. It waits for approval on the page Overrides")
    request_override(case.context, case.account_id, case.person, found, case.reason)
    return Taken(f"An override to {case.context.policy.roster.name(found)} waits for approval by somebody else.")


def _shown_on(uow: UnitOfWork, case: Case) -> str | None:
    """Whom the record shows: as the guard saw it, else as it was pulled."""
    events = uow.drift.of_records([case.record]).get(case.record)
    if events:
        return events[0].found_owner
    account = uow.accounts.get(case.account_id)
    return account.crm_owners.get(case.record) if account else None


def _release(case: Case) -> Taken:
    return Taken(release_target(case.context, case.target, case.word))


def _resume(case: Case) -> Taken:
    resume(case.context, case.target, case.person.id)
    return Taken(f"{case.target} is written to again, with the next push.")


def _same(case: Case) -> Taken:
    one, other = _two_records(case)
    if _is_of_lead(case.item):
        return Taken(say_lead(case.context, one, other, case.word, belongs=True), closes=True)
    return Taken(say_same(case.context, [one, other], case.word), closes=True)


def _same_second(case: Case) -> Taken:
    one, other = _two_records(case)
    return Taken(say_same(case.context, [other, one], case.word), closes=True)


def _different(case: Case) -> Taken:
    one, other = _two_records(case)
    if _is_of_lead(case.item):
        return Taken(say_lead(case.context, one, other, case.word, belongs=False), closes=True)
    return Taken(say_split(case.context, [one, other], case.word), closes=True)


def _two_records(case: Case) -> tuple[str, str]:
    records = [str(each) for each in case.item.detail.get("records", ())]
    if len(records) != 2:
        raise MayNot(f"It is about {len(records)} records. Say which are one company with `steward same RECORD RECORD`")
    return records[0], records[1]


def _is_of_lead(item: ExceptionItem) -> bool:
    return item.dedup_key.startswith(f"{item.kind}:{LEAD_DOUBT} ")


def _read_anew(case: Case) -> None:
    """Ask the system for the record that cannot be read. It is kept whatever becomes of the rest, as with any pull."""
    record = case.record
    source = case.context.connectors.sources.get(record.source)
    if source is None:
        raise MayNot(f"{record.source} is not connected any more. Explain it away")
    is_first = record.object_type == source.streams[0]
    id_ = record.external_id if is_first else f"{record.object_type}/{record.external_id}"
    pull_records(case.context, record.source, [id_])


def _read(case: Case) -> Taken:
    with case.context.store.transaction(readonly=True) as uow:
        item = uow.exceptions.get(case.item.exception_id)
    if item.state == "open":
        return Taken(f"It still cannot be read: {item.detail.get('problem', '')}")
    return Taken("It can be read now; the next run takes it in.")


ASKS_FIRST: Mapping[str, Callable[[Case], None]] = {"read": _read_anew}
"""What a way has to ask a system before: no transaction is open while a vendor is."""
TAKE: Mapping[str, Callable[[Case], Taken]] = {
    "decide": _decide,
    "retry": _retry,
    "retry-task": _retry_task,
    "restore": _restore,
    "keep-theirs": _keep_theirs,
    "release": _release,
    "resume": _resume,
    "same": _same,
    "different": _different,
    "keep-first": _same,
    "keep-second": _same_second,
    "read": _read,
}
"""By the id of the way. Snoozing and explaining away change nothing but the exception, and are done where it is."""
