"""Overrides and disputes that people make in the running system: asked for, answered, and seen by every decision."""

from __future__ import annotations

from datetime import timedelta

from config.yaml_files import hint
from ownership.day import hours_later
from ownership.model import Account
from ownership.placed_by_people import (
    MayNot,
    NotThere,
    Person,
    Standing,
    TooLate,
    check_answer,
    check_begins,
    check_reason,
    check_request,
    standing,
)
from ownership.policy import Roster
from store.overrides import APPROVED, Evidence, OpenedDispute, OverrideRequest
from store.statements import new_id
from store.unit_of_work import UnitOfWork
from tasks.assignment import decide_at_once
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account
from tasks.steps import as_task
from tasks.turns import load_turns


def request_override(
    context: RunContext,
    query: str,
    person: Person,
    owner: str,
    reason: str,
    until: str | None = None,
    then: str = "stay",
    since: str | None = None,
) -> OverrideRequest:
    """Ask for an override of the account that `query` finds, from a day on (today without one). Raises `MayNot`."""
    today = context.today()
    since = since or today
    check_begins(since, today)
    check_request(owner, reason, since, until, then, context.policy.roster, today)

    def ask(uow: UnitOfWork) -> OverrideRequest:
        account = _account(uow, query)
        asked = OverrideRequest(
            *(new_id(), account.id, owner, reason.strip(), person.id, context.now(), since, until, then)
        )
        uow.overrides.ask(asked)
        return asked

    return context.store.run(ask)


def answer_override(context: RunContext, override_id: str, person: Person, state: str, because: str) -> str:
    """Answer a request with "approved" or "refused"; what is approved holds at once. Of two who answer, the first
    counts. Raises `MayNot`."""
    check_reason(because)

    def answer(uow: UnitOfWork) -> str:
        asked = request_called(uow, override_id)
        involved = (asked.requested_by, asked.owner_id)
        check_answer(person, involved, holder_of(uow, asked.account_id), context.policy.roster)
        if standing_of(context, asked) is Standing.EXPIRED:
            raise TooLate(f"It was asked for until {asked.until}, which is over. Ask anew for other days")
        if state == APPROVED:
            today = context.today()
            check_request(
                *(asked.owner_id, asked.reason, asked.since, asked.until, asked.afterwards),
                *(context.policy.roster, today),
            )
        if not uow.overrides.decide(override_id, state, person.id, because.strip(), context.now()):
            stands = uow.overrides.get(override_id) or asked
            raise TooLate(f"It is {stands.state} already, by {stands.decided_by}; that stands")
        if state == APPROVED:
            decide_at_once(context, uow, [asked.account_id])
        return f"{context.policy.roster.name(asked.owner_id)}: {state}."

    return context.store.run(answer)


def open_dispute(context: RunContext, query: str, person: Person, reason: str, evidence: str = "") -> OpenedDispute:
    """Claim the account that `query` finds for the rep who says so; nothing moves it until the ruling. Raises
    `MayNot`."""
    check_reason(reason)
    roster = context.policy.roster
    if person.id not in roster.present_on(context.today()) or roster.is_queue(person.id):
        raise MayNot("Only a rep on the roster claims an account for themselves. Ask the rep to do it")

    def open_(uow: UnitOfWork) -> OpenedDispute:
        account = _account(uow, query)
        load_turns(uow, context.policy.policy, lock=True)  # before accounts, as everywhere: it is decided below
        uow.accounts.lock([account.id])
        if holder_of(uow, account.id) == person.id:
            raise MayNot(f"{account.name} is yours already; there is nothing to dispute")
        clock, now = context.policy.policy.dispute_clock, context.now()
        due = hours_later(clock.clock, roster.reps[person.id], now, clock.hours) or now + timedelta(hours=clock.hours)
        opened = OpenedDispute(new_id(), account.id, person.id, reason.strip(), person.id, now, due)
        if not uow.disputes.open(opened):
            raise TooLate(f"{account.name} is disputed already; wait for that ruling")
        if evidence.strip():
            uow.disputes.add_evidence(opened.dispute_id, Evidence(evidence.strip(), person.id, now))
        decide_at_once(context, uow, [account.id])
        return opened

    return context.store.run(open_)


def rule_on_dispute(context: RunContext, dispute_id: str, person: Person, owner: str, because: str) -> str:
    """Say whose the account is: who has it keeps it, or it goes to `owner` by an approved override. Raises `MayNot`."""
    check_reason(because)

    def rule(uow: UnitOfWork) -> str:
        found = dispute_called(uow, dispute_id)
        holder, roster, today = holder_of(uow, found.account_id), context.policy.roster, context.today()
        check_answer(person, (found.opened_by, found.claimed_by, holder, owner), holder, roster)
        check_request(owner, because, today, None, "stay", roster, today)
        if not uow.disputes.end(dispute_id, "ruled", owner, person.id, because.strip(), context.now()):
            raise TooLate("There is a ruling on it already, or it was withdrawn; that stands")
        if owner != holder:
            _override_by_ruling(context, uow, found, owner, person, because.strip())
        decide_at_once(context, uow, [found.account_id])
        return f"It is {roster.name(owner)}'s by the ruling."

    return context.store.run(rule)


def answer_dispute(context: RunContext, dispute_id: str, person: Person, state: str, because: str) -> str:
    """Rule for who claims it ("approved"), or for who has it ("refused"). Raises `MayNot`."""
    with context.store.transaction(readonly=True) as uow:
        found = dispute_called(uow, dispute_id)
        owner = found.claimed_by if state == APPROVED else holder_of(uow, found.account_id)
    if owner is None:
        raise MayNot("Nobody has the account, so that refusing it says nothing. Rule whose it is")
    return rule_on_dispute(context, dispute_id, person, owner, because)


def _override_by_ruling(
    context: RunContext, uow: UnitOfWork, found: OpenedDispute, owner: str, person: Person, because: str
) -> None:
    now = context.now()
    asked = OverrideRequest(
        *(new_id(), found.account_id, owner, because, found.opened_by, now, context.today(), None, "stay"),
        *(APPROVED, person.id, now, f"ruling on dispute {found.dispute_id}"),
    )
    uow.overrides.ask(asked)


def request_called(uow: UnitOfWork, override_id: str) -> OverrideRequest:
    """The request with this id. Raises `NotThere`."""
    if (asked := uow.overrides.get(override_id)) is None:
        raise NotThere(f"There is no request {override_id}. `steward overrides` lists them")
    return asked


def dispute_called(uow: UnitOfWork, dispute_id: str) -> OpenedDispute:
    """The dispute with this id. Raises `NotThere`."""
    if (found := uow.disputes.get(dispute_id)) is None:
        raise NotThere(f"There is no dispute {dispute_id}. `steward overrides` lists them")
    return found


def standing_of(context: RunContext, asked: OverrideRequest) -> Standing:
    """Where an override stands today."""
    return standing(asked.state, asked.since, asked.until, asked.ended_at is not None, context.today())


def _account(uow: UnitOfWork, query: str) -> Account:
    account = find_account(uow, query)
    if account is None:
        raise NotThere(unknown_account(query))
    return account


def holder_of(uow: UnitOfWork, account_id: str) -> str | None:
    """Who owns an account of record."""
    current = uow.ledger.current([account_id]).get(account_id)
    return current.owner_id if current else None


def person_called(who: str, roster: Roster) -> Person:
    """Somebody of the roster by id, a manager when somebody reports to them; or "ops:<address>". Raises `MayNot`."""
    role, _, address = who.partition(":")
    if role == "ops" and address:
        return Person(address, "ops")
    if who not in roster.reps:
        raise MayNot(f"'{who}' is nobody on the roster{hint(who, roster.reps)}. Give an id of it, or ops:<address>")
    return Person(who, "manager" if roster.is_manager(who) else "rep")


def note_overdue_disputes(context: RunContext) -> int:
    """Open an exception for each dispute whose ruling is overdue, and close those of which there is one by now; returns
    how many are overdue."""

    def note(uow: UnitOfWork) -> int:
        now, name = context.now(), context.policy.roster.name
        late = {f"dispute_overdue:{each.dispute_id}": each for each in uow.disputes.open_ones() if each.rule_by <= now}
        for key, each in late.items():
            problem = f"{name(each.claimed_by)} claims it; a ruling was due by {each.rule_by:%Y-%m-%d %H:%M} UTC"
            ways_out = [f"steward dispute rule {each.dispute_id} OWNER --as WHO --reason WHY"]
            detail = {"problem": problem, "ways_out": ways_out}
            uow.exceptions.open("dispute_overdue", key, each.account_id, detail, "warning", context.run_id, now)
        ruled = (item.dedup_key for item in uow.exceptions.open_items("dispute_overdue") if item.dedup_key not in late)
        uow.exceptions.close(list(ruled), "steward", "there is a ruling, or it was withdrawn", now)
        return len(late)

    return context.store.run(note)


note_overdue_disputes_task = as_task(note_overdue_disputes, "acceptance")
