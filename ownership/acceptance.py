"""Acceptance: by when an owner has to answer, and who is asked next when they do not, or decline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ownership.conditions import holds
from ownership.day import Day, hours_later
from ownership.model import Account
from ownership.policy import Policy, Roster
from ownership.refusals import Refusal
from ownership.rota import Rota
from ownership.rotation import PoolTurns

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Escalate:
    """Offer the account to `to` next; `level` counts the steps taken along the policy's chain.

    `turns` are the pool's afterwards: whoever is next in line has taken theirs.
    """

    to: str
    level: int
    because: str
    turns: PoolTurns


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Nobody is left to ask: the account stays with its provisional owner and a person has to look."""

    level: int
    because: str
    turns: PoolTurns


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer that came to nothing: who was asked at which level (0: the first one), and, when they declined, why.

    `asked` are all who were asked before, `owner_id` too. `pool` is the one the account was given by, None when it
    was not a turn. `offered_at` is when it was offered, None: just now. `held_because` says why it may be offered to
    nobody at present ("" when it may): it is disputed, say. `skills` are those that whoever gets it needs; `rule` is
    the rule or territory that gave it to the pool.
    """

    owner_id: str
    level: int
    asked: Sequence[str]
    pool: str | None
    declined: str | None = None
    offered_at: datetime | None = None
    held_because: str = ""
    skills: frozenset[str] = frozenset()
    rule: str = ""


class NotYours(Refusal):
    """Somebody answers an offer that was not made to them; the message says who may."""


def is_asked(account: Account, current: str | None, owner_id: str, reason: str, roster: Roster) -> bool:
    """Whether who is given an account is asked to accept it: somebody who did not have it before, by the ledger
    (`current`) or by a CRM. A queue is asked nothing."""
    if reason == "existing_owner" or owner_id in {current, *account.crm_owners.values()}:
        return False
    return not roster.is_queue(owner_id)


def check_answer(owner_id: str, by: str, roster: Roster, day: str) -> None:
    """Only who was asked, or a manager of theirs up the line, may answer, and nobody who has left by `day`.

    Raises `NotYours`.
    """
    if by not in roster.reps:
        raise NotYours(f"'{by}' is nobody on the roster; give a rep's id")
    if by not in roster.present_on(day):
        raise NotYours(f"{roster.name(by)} has left and can answer for nobody")
    if by != owner_id and by not in roster.managers_of(owner_id):
        raise NotYours(f"it is offered to {roster.name(owner_id)}; only they or their manager can answer")


def check_can_have(owner_id: str, roster: Roster, day: str) -> None:
    """Nobody who has left by `day` gets an account, whoever accepts it for them. Raises `NotYours`."""
    if owner_id not in roster.present_on(day):
        raise NotYours(f"{roster.name(owner_id)} has left; decline it, so that somebody else is asked")


def is_over(offered_until: datetime, now: datetime) -> bool:
    """Whether an offer can be answered no more: its time is over at its deadline, neither before it nor with the next
    pass that looks for such offers."""
    return now >= offered_until


def due_by(policy: Policy, roster: Roster, owner_id: str, fields: Mapping[str, Any], now: datetime) -> datetime:
    """The instant at which an offer made to this owner now runs out, in UTC. `fields` are the account's, folded.

    On the business clock only the owner's working time counts; who does not work within a year has a year.
    """
    acceptance = policy.acceptance
    hours = next((sla.hours for sla in acceptance.faster if holds(sla.when, fields)), acceptance.hours)
    return _after(policy, roster, owner_id, now, hours)


def remind_at(policy: Policy, roster: Roster, owner_id: str, offered_at: datetime) -> datetime | None:
    """The instant at which the owner is reminded of an offer, None when the policy reminds nobody."""
    hours = policy.acceptance.remind_hours
    return None if hours is None else _after(policy, roster, owner_id, offered_at, hours)


def _after(policy: Policy, roster: Roster, owner_id: str, at: datetime, hours: float) -> datetime:
    return hours_later(policy.acceptance.clock, roster.reps[owner_id], at, hours) or at + LONGEST


def next_step(
    offered: Offered, day: Day, turns: PoolTurns, load: Mapping[str, int] | None = None
) -> Escalate | ToQueue:
    """What follows when an offer was missed or declined. `turns` are those of the pool the account was given by, `load`
    is how many accounts each rep has.

    Nobody is offered again what they missed, and a queue is asked nothing. Steps of the chain that lead to nobody are
    skipped.
    """
    acceptance, roster = day.policy.acceptance, day.roster
    pool = day.index.pools.get(offered.pool or "")
    rota = Rota(pool, day, turns, load or {}) if pool is not None else None
    costs = acceptance.decline_takes_turn if offered.declined is not None else acceptance.miss_takes_turn
    if rota is not None and not costs and _was_a_turn(offered, acceptance.chain):
        rota.give_back(offered.owner_id, offered.offered_at, offered.rule)
    said = _said(offered, roster)
    if offered.held_because:
        because = f"{said} and nobody else is asked: {offered.held_because}"
        return ToQueue(offered.level, because, rota.turns() if rota else turns)
    for position in range(offered.level, len(acceptance.chain)):
        step = acceptance.chain[position]
        if step == "queue":
            break
        to = _next_in_line(rota, offered) if step == "next_in_line" else _manager_to_ask(offered, day)
        if to is not None:
            who = "next in line" if step == "next_in_line" else "the manager"
            return Escalate(to, position + 1, f"{said}; {who} is asked", rota.turns() if rota else turns)
    level = max(offered.level, len(acceptance.chain))
    return ToQueue(level, f"{said} and nobody is left to ask", rota.turns() if rota else turns)


def _was_a_turn(offered: Offered, chain: Sequence[str]) -> bool:
    """Whether who was asked had been picked by their pool, rather than as somebody's manager."""
    return offered.level == 0 or tuple(chain[offered.level - 1 : offered.level]) == ("next_in_line",)


def _next_in_line(rota: Rota | None, offered: Offered) -> str | None:
    """Who of the pool is next among those who could take it and were not asked; they take their turn."""
    return (
        rota.pick(offered.skills, dict.fromkeys(offered.asked, "was asked already"), offered.rule).rep if rota else None
    )


def _manager_to_ask(offered: Offered, day: Day) -> str | None:
    rep = day.roster.manager_of(offered.owner_id)
    free = rep in day.present and rep not in day.away and rep not in offered.asked
    return rep if free and not day.roster.is_queue(str(rep)) else None


def _said(offered: Offered, roster: Roster) -> str:
    name = roster.name(offered.owner_id)
    if offered.declined is None:
        return f"{name} did not answer in time"
    return f"{name} declined it ({offered.declined})" if offered.declined else f"{name} declined it"
