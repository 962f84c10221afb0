"""Acceptance: what becomes of an offer nobody answered in time. Next in line, then the manager, then the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ownership.policy import Policy, Roster
from ownership.rotation import PoolTurns, next_in_turn


@dataclass(frozen=True, slots=True)
class Escalate:
    """Offer the account to `to` next; `level` counts the steps taken along the policy's chain."""

    to: str
    level: int
    because: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """Nobody is left to ask: the account stays with its provisional owner and a person has to look."""

    level: int
    because: str


class NotYours(ValueError):
    """Somebody answers an offer that was not made to them; the message says who may."""


def check_answer(owner_id: str, by: str, roster: Roster) -> None:
    """Only who was asked, or their manager, may answer. Raises `NotYours`."""
    if by not in roster.reps:
        raise NotYours(f"'{by}' is nobody on the roster; give a rep's id")
    if by not in (owner_id, _manager(owner_id, roster)):
        raise NotYours(f"it is offered to {_name(owner_id, roster)}; only they or their manager can answer")


def next_step(
    owner_id: str,
    level: int,
    asked: Sequence[str],
    pool: str | None,
    policy: Policy,
    roster: Roster,
    turns: PoolTurns,
    today: str,
) -> Escalate | ToQueue:
    """What follows when `owner_id` missed an offer at `level` (0: the first one).

    `asked` are all who were asked before, `owner_id` too: nobody is offered again what they missed. `pool` is the
    one the account was given by, None when it was not a turn. Steps of the chain that lead to nobody are skipped.
    """
    policy, present = policy.on(today), roster.present_on(today) - roster.away_on(today).keys()
    for position in range(level, len(policy.acceptance_chain)):
        step = policy.acceptance_chain[position]
        if step == "queue":
            break
        to = (
            _next_in_line(asked, pool, policy, present, turns) if step == "next_in_line" else _manager(owner_id, roster)
        )
        if to is not None and to in present and to not in asked:
            said = "next in line" if step == "next_in_line" else "the manager"
            return Escalate(to, position + 1, f"{_name(owner_id, roster)} did not answer in time; {said} is asked")
    return ToQueue(
        max(level, len(policy.acceptance_chain)),
        f"{_name(owner_id, roster)} did not answer in time and nobody is left to ask",
    )


def _next_in_line(
    asked: Sequence[str], pool: str | None, policy: Policy, present: frozenset[str], turns: PoolTurns
) -> str | None:
    members = next((known.members for known in policy.pools if known.id == pool), {})
    return next_in_turn(turns, members, [rep for rep in members if rep in present and rep not in asked])


def _manager(owner_id: str, roster: Roster) -> str | None:
    rep = roster.reps.get(owner_id)
    return rep.manager if rep else None


def _name(rep_id: str, roster: Roster) -> str:
    rep = roster.reps.get(rep_id)
    return rep.name if rep else rep_id
