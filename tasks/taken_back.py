"""What people take back or end early: requests, overrides that hold, claims; and what they add to an open dispute."""

from __future__ import annotations

from ownership.placed_by_people import (
    Person,
    Standing,
    TooLate,
    check_end,
    check_evidence,
    check_gain,
    check_reason,
    check_withdrawal,
)
from store.overrides import WITHDRAWN, Evidence
from store.unit_of_work import UnitOfWork
from tasks.assignment import decide_at_once
from tasks.context import RunContext
from tasks.placed_by_people import dispute_called, holder_of, request_called, standing_of


def withdraw_override(context: RunContext, override_id: str, person: Person, because: str = "") -> str:
    """Take back a request that nobody has answered, by who asked. Raises `MayNot`."""

    def withdraw(uow: UnitOfWork) -> str:
        check_withdrawal(person, request_called(uow, override_id).requested_by)
        if not uow.overrides.decide(override_id, WITHDRAWN, person.id, because.strip(), context.now()):
            stands = request_called(uow, override_id)
            raise TooLate(f"It is {stands.state} already, by {stands.decided_by}; that stands")
        return "It is withdrawn."

    return context.store.run(withdraw)


def end_override(context: RunContext, override_id: str, person: Person, because: str) -> str:
    """End an override before its last day, or before it has begun; the account is decided without it at once, and what
    was promised to follow its last day follows now. Raises `MayNot`."""
    check_reason(because)

    def end(uow: UnitOfWork) -> str:
        asked = request_called(uow, override_id)
        check_end(person, asked.decided_by)
        stands = standing_of(context, asked)
        ended = stands in (Standing.IN_EFFECT, Standing.BEGINS_LATER) and uow.overrides.end(
            override_id, person.id, because.strip(), context.now()
        )
        if not ended:
            raise TooLate(f"There is nothing to end: it is {standing_of(context, request_called(uow, override_id))}")
        done = decide_at_once(context, uow, [asked.account_id])
        check_gain(person, [move.after for move in (*done.moves, *done.offers)])
        holder = holder_of(uow, asked.account_id)
        return f"It is ended; the account is {context.policy.roster.name(holder)}'s." if holder else "It is ended."

    return context.store.run(end)


def withdraw_dispute(context: RunContext, dispute_id: str, person: Person, because: str = "") -> str:
    """Take back a claim that has no ruling, by who made it; the account is decided again at once. Raises `MayNot`."""

    def withdraw(uow: UnitOfWork) -> str:
        found = dispute_called(uow, dispute_id)
        check_withdrawal(person, found.opened_by)
        if not uow.disputes.end(dispute_id, WITHDRAWN, None, person.id, because.strip(), context.now()):
            raise TooLate("There is a ruling on it already, or it was withdrawn; that stands")
        decide_at_once(context, uow, [found.account_id])
        return "The claim is withdrawn."

    return context.store.run(withdraw)


def add_evidence(context: RunContext, dispute_id: str, person: Person, said: str) -> str:
    """Add a link or a sentence to an open dispute, for either side or whoever looks after it. Raises `MayNot`."""
    check_reason(said)

    def add(uow: UnitOfWork) -> str:
        found = dispute_called(uow, dispute_id)
        holder = holder_of(uow, found.account_id)
        check_evidence(person, (found.opened_by, found.claimed_by, holder), holder, context.policy.roster)
        if not uow.disputes.add_evidence(dispute_id, Evidence(said.strip(), person.id, context.now())):
            raise TooLate("The dispute is over, and nothing is added to it. Ask for an override if that is not right")
        return "It is added to the dispute."

    return context.store.run(add)
