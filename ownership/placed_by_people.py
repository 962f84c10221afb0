"""Who may ask for an override or open a dispute in the running system, who may answer, and how both join a policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from ownership.entries import Dispute, Override
from ownership.policy import LEAD_STEPS, STEPS, Policy, Roster

LONGEST_DAYS = 366


class MayNot(ValueError):
    """Somebody may not do this, or what they said cannot stand; the message says why and what to do."""


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


def _check_days(since: str, until: str, today: str) -> None:
    if until < max(since, today):
        raise MayNot(f"It would end on {until}, before it begins. Give a later day")
    if (date.fromisoformat(until) - date.fromisoformat(since)).days > LONGEST_DAYS:
        raise MayNot(f"An override lasts {LONGEST_DAYS} days at most. Give an earlier day, or change the policy")


def check_reason(reason: str) -> None:
    """Raises `MayNot` when no reason is given."""
    if not reason.strip():
        raise MayNot("No reason is given. Say why: whoever looks at the account later will read it")


def check_answer(person: Person, involved: Sequence[str | None], holder: str | None, roster: Roster) -> None:
    """Raises `MayNot` unless this person may answer for an account of `holder`. `involved` are who asked for it and who
    would gain: none of them answers."""
    if person.id in involved:
        raise MayNot("It is your own: you asked for it, or the account would be yours. Somebody else has to answer")
    if person.role == "ops":
        return
    if person.role != "manager" or person.id not in roster.managers_of(holder):
        raise MayNot("Only the manager of who owns the account, or sales operations, may answer")


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
