"""Fair turns: who of a pool is next, in exact integers.

The rule is Tijdeman's (The chairman assignment problem, Discrete Mathematics 32, 1980) in its on-line form, EEVDF
(Stoica et al.): each turn gives every eligible member credit in proportion to their weight and takes one whole turn
from the one who is chosen. With steady weights nobody is ever a full turn away from their fair share, which the
weighted round robins in common use do not promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

TURN = 2**40
DAYS_KEPT = 6  # before today: enough for a week's cap
# Shares are rounded down to whole units: less than this is owed to nobody, or a turn would come one full turn early.
ROUNDING = 2**20


@dataclass(frozen=True, slots=True)
class PoolTurns:
    """What each member is owed, in 2^-40 turns (positive: waits for one), and how many they have taken.

    The credits of all members always sum to zero. `days` counts what each was given on the last days, by ISO date.
    """

    credit: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def given(self, rep: str, since: str) -> int:
        """How many a member was given from the day `since` on."""
        return sum(count for day, count in self.days.get(rep, {}).items() if day >= since)

    def to_json(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "credit": dict(sorted(self.credit.items())),
            "taken": dict(sorted(self.taken.items())),
        }
        if self.days:
            state["days"] = {rep: dict(sorted(days.items())) for rep, days in sorted(self.days.items())}
        return state

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> PoolTurns:
        return PoolTurns(
            {str(rep): int(credit) for rep, credit in state["credit"].items()},
            {str(rep): int(count) for rep, count in state["taken"].items()},
            {str(rep): {str(day): int(n) for day, n in days.items()} for rep, days in state.get("days", {}).items()},
        )

    def counted(self, rep: str, day: str) -> PoolTurns:
        """The state after `rep` was given one more on `day`; of theirs, days a week back and more are forgotten."""
        oldest = (date.fromisoformat(day) - timedelta(days=DAYS_KEPT)).isoformat()
        mine = {each: count for each, count in self.days.get(rep, {}).items() if each >= oldest}
        mine[day] = mine.get(day, 0) + 1
        return PoolTurns(self.credit, self.taken, {**self.days, rep: mine})


def next_in_turn(turns: PoolTurns, weights: Mapping[str, int], eligible: Iterable[str]) -> str | None:
    """Whose turn it is, without taking it; None when nobody is eligible."""
    shares = _shares(weights, eligible)
    return _pick(_accrued(turns, shares), shares) if shares else None


def take_turn(turns: PoolTurns, weights: Mapping[str, int], eligible: Iterable[str]) -> tuple[str, PoolTurns]:
    """The next member and the state after their turn. Members who are not eligible neither gain nor lose.

    `weights` are positive whole numbers. Raises `ValueError` when nobody is eligible.
    """
    shares = _shares(weights, eligible)
    if not shares:
        raise ValueError("nobody in the pool is eligible")
    credit = _accrued(turns, shares)
    chosen = _pick(credit, shares)
    credit[chosen] -= TURN
    taken = {**turns.taken, chosen: turns.taken.get(chosen, 0) + 1}
    return chosen, PoolTurns(credit, taken, turns.days)


def without_leavers(turns: PoolTurns, members: Iterable[str]) -> PoolTurns:
    """The state after a roster edit: what leavers were owed or owed is spread over those who stay, to the unit."""
    staying = sorted(set(members))
    leavers = sorted(set(turns.credit) - set(staying))
    if not leavers or not staying:
        return turns
    left_over = sum(turns.credit[rep] for rep in leavers)
    each, rest = divmod(left_over, len(staying))
    credit = {
        rep: turns.credit.get(rep, 0) + each + (1 if position < rest else 0) for position, rep in enumerate(staying)
    }
    taken = {rep: turns.taken[rep] for rep in staying if rep in turns.taken}
    return PoolTurns(credit, taken, {rep: turns.days[rep] for rep in staying if rep in turns.days})


def _shares(weights: Mapping[str, int], eligible: Iterable[str]) -> dict[str, int]:
    """Each eligible member's part of one turn; what division leaves over goes to the lowest ids."""
    members = sorted({rep for rep in eligible if weights.get(rep, 0) > 0})
    total = sum(weights[rep] for rep in members)
    shares = {rep: TURN * weights[rep] // total for rep in members}
    for rep in members[: TURN - sum(shares.values())]:
        shares[rep] += 1
    return shares


def _accrued(turns: PoolTurns, shares: Mapping[str, int]) -> dict[str, int]:
    credit = dict(turns.credit)
    for rep, share in shares.items():
        credit[rep] = credit.get(rep, 0) + share
    return credit


def _pick(credit: Mapping[str, int], shares: Mapping[str, int]) -> str:
    """Of those who are owed something, the one whose whole turn falls due first; ties go to the lowest id."""
    owed = [rep for rep in sorted(shares) if credit[rep] > ROUNDING]
    if not owed:
        return min(sorted(shares), key=lambda rep: -credit[rep])
    # (TURN - credit) / share compared without division: a/b < c/d  <=>  a*d < c*b for positive b, d.
    best = owed[0]
    for rep in owed[1:]:
        if (TURN - credit[rep]) * shares[best] < (TURN - credit[best]) * shares[rep]:
            best = rep
    return best
