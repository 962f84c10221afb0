"""Who may ask for an override or open a dispute in the running system, who may answer, and how both join a policy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from ownership.entries import Dispute, Override
from ownership.policy import LEAD_STEPS, STEPS, Policy, Roster
from ownership.refusals import Refusal

LONGEST_DAYS = 366


class MayNot(Refusal):
    """Somebody may not do this, or what they said cannot stand; the message says why and what to do."""


class NotTheirs(MayNot):
    """It is for somebody else to do."""


class TooLate(MayNot):
    """It was answered, ended or is over already, and that stands."""


class NotThere(MayNot):
    """There is nothing with this id."""


class Standing(StrEnum):
    """Where an override stands on a day."""

    WAITS = "waits for approval"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    BEGINS_LATER = "approved, begins later"
    IN_EFFECT = "in effect"
    ENDED = "ended early"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Person:
    """Who acts: their id on the roster, else their address, and their role ("rep", "manager" or "ops")."""

    id: str
    role: str


def check_request(
    owner: str, reason: str, since: str, until: str | None, then: str, roster: Roster, today: str
) -> None:
    """Raises `MayNot` unless an override can be asked for so."""
    rep = roster.reps.get(owner)
    if rep is None or owner not in roster.present_on(max(since, today)):
        known = f"{rep.name} is not with the company then" if rep else f"'{owner}' is nobody on the roster"
        raise MayNot(f"{known}. Name somebody who is there")
    check_reason(reason)
    if until is None and then != "stay":
        raise MayNot("What follows is only said of an override that ends. Say until when, or let it stay")
    if until is not None:
        _check_days(since, until, today)


def check_begins(since: str, today: str) -> None:
    """Raises `MayNot` unless an override that is asked for today can begin on this day."""
    if since < today:
        raise MayNot(f"It would begin on {since}, which is over. Give a later day, or none to begin at once")
    if _days_between(today, since) > LONGEST_DAYS:
        raise MayNot(f"An override begins within {LONGEST_DAYS} days. Give an earlier day, or ask later")


def _check_days(since: str, until: str, today: str) -> None:
    days = _days_between(since, until)
    if until < max(since, today):
        raise MayNot(f"It would end on {until}, before it begins. Give a later day")
    if days > LONGEST_DAYS:
        raise MayNot(f"An override lasts {LONGEST_DAYS} days at most. Give an earlier day, or change the policy")


def _days_between(first: str, last: str) -> int:
    return (_day(last) - _day(first)).days


def _day(text: str) -> date:
    with suppress(ValueError):
        if (day := date.fromisoformat(text)).isoformat() == text:  # it reads "20261231" too
            return day
    raise MayNot(f"'{text}' is no day. Write it as in 2026-12-31")


def standing(state: str, since: str, until: str | None, was_ended: bool, today: str) -> Standing:
    """Where an override stands that is in this state and lasts from `since` to `until`. A request that nobody answered
    by its last day is as much over as an override that has had it."""
    if state in (Standing.REFUSED, Standing.WITHDRAWN):
        return Standing(state)
    if was_ended:
        return Standing.ENDED
    if until is not None and until < today:
        return Standing.EXPIRED
    if state == "requested":
        return Standing.WAITS
    return Standing.BEGINS_LATER if since > today else Standing.IN_EFFECT


def check_reason(reason: str) -> None:
    """Raises `MayNot` when no reason is given."""
    if not reason.strip():
        raise MayNot("No reason is given. Say why: whoever looks at the account later will read it")


def check_answer(person: Person, involved: Sequence[str | None], holder: str | None, roster: Roster) -> None:
    """Raises `MayNot` unless this person may answer for an account of `holder`. `involved` are who asked for it and who
    would gain: none of them answers."""
    if person.id in involved:
        raise NotTheirs("It is your own: you asked for it, or the account would be yours. Somebody else has to answer")
    if person.role == "ops":
        return
    if person.role != "manager" or person.id not in roster.managers_of(holder):
        raise NotTheirs("Only the manager of who owns the account, or sales operations, may answer")


def check_withdrawal(person: Person, asked_by: str) -> None:
    """Raises `NotTheirs` unless this person may take back what `asked_by` asked for or claimed."""
    if person.id != asked_by:
        raise NotTheirs("Only who asked for it takes it back. Who may answer can refuse it")


def check_end(person: Person, approved_by: str | None) -> None:
    """Raises `NotTheirs` unless this person may end an override before its last day."""
    if person.role != "ops" and (person.role != "manager" or person.id != approved_by):
        raise NotTheirs("Only who approved it, or sales operations, may end it")


def check_gain(person: Person, new_owners: Sequence[str | None]) -> None:
    """Raises `NotTheirs` when what this person does would give the account to themselves."""
    if person.id in new_owners:
        raise NotTheirs("It would make the account yours. Somebody else has to do it")


def check_evidence(person: Person, parties: Sequence[str | None], holder: str | None, roster: Roster) -> None:
    """Raises `NotTheirs` unless this person is a party to a dispute, or looks after who has the account."""
    if person.id in parties or person.role == "ops":
        return
    if person.role != "manager" or person.id not in roster.managers_of(holder):
        raise NotTheirs("Only who claims it, who has it, their manager, or sales operations, may add to it")


def joined(policy: Policy, overrides: Sequence[Override], disputes: Sequence[Dispute]) -> Policy:
    """The policy with what people have decided in the running system, which comes before its own entries. A step that
    the text left out, because it had no entries for it, is asked where it is by default."""
    if not overrides and not disputes:
        return policy
    steps = [step for step, entries in (("dispute", disputes), ("override", overrides)) if entries]
    order, lead_order = policy.order, policy.lead_order
    for step in steps:
        order, lead_order = _with_step(order, step, STEPS), _with_step(lead_order, step, LEAD_STEPS)
    return replace(
        policy,
        order=order,
        lead_order=lead_order,
        overrides=(*overrides, *policy.overrides),
        disputes=(*disputes, *policy.disputes),
    )


def _with_step(order: tuple[str, ...], step: str, default: Sequence[str]) -> tuple[str, ...]:
    if step in order:
        return order
    later = set(default[default.index(step) :])
    at = next((place for place, each in enumerate(order) if each in later), len(order))
    return (*order[:at], step, *order[at:])
