"""Fair turns: who of a pool is next, in exact integers.

The rule is Tijdeman's (The chairman assignment problem, Discrete Mathematics 32, 1980) in its on-line form, EEVDF
(Stoica et al.): each turn gives every eligible member credit in proportion to their weight and takes one whole turn
from the one who is chosen. With steady weights nobody is ever a full turn away from their fair share, which the
weighted round robins in common use do not promise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from ownership.owed_turns import TURN, bank_after, gains_before, gains_of

DAYS_KEPT = 7  # before the newest: a rolling week begins in the midst of the seventh
# Shares are rounded down to whole units: less than this is owed to nobody, or a turn would come one full turn early.
ROUNDING = 2**20


@dataclass(frozen=True, slots=True)
class PoolTurns:
    """What each member is owed, in 2^-40 turns (positive: waits for one), and how many they have taken.

    The credits of all members always sum to zero. `days` counts what each was given lately, by ISO date ("2026-11-25")
    or by hour ("2026-11-25T14"), whichever the caller counts by. `bank` is what members missed on leave and are still
    to be paid, in 2^-40 turns, in pools that owe it to them. `rules` are the turns by rule, in pools that remember them
    for each; their days are counted here.
    """

    credit: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    bank: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, PoolTurns] = field(default_factory=dict)

    def given(self, rep: str, since: str) -> int:
        """How many a member was given from the day or hour `since` on."""
        return sum(count for key, count in self.days.get(rep, {}).items() if key >= since)

    def to_json(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "credit": dict(sorted(self.credit.items())),
            "taken": dict(sorted(self.taken.items())),
        }
        if self.days:
            state["days"] = {rep: dict(sorted(days.items())) for rep, days in sorted(self.days.items())}
        if self.bank:
            state["bank"] = dict(sorted(self.bank.items()))
        if self.rules:
            state["rules"] = {rule: turns.to_json() for rule, turns in sorted(self.rules.items())}
        return state

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> PoolTurns:
        return PoolTurns(
            {str(rep): int(credit) for rep, credit in state["credit"].items()},
            {str(rep): int(count) for rep, count in state["taken"].items()},
            {str(rep): {str(day): int(n) for day, n in days.items()} for rep, days in state.get("days", {}).items()},
            {str(rep): int(saved) for rep, saved in state.get("bank", {}).items()},
            {str(rule): PoolTurns.from_json(turns) for rule, turns in state.get("rules", {}).items()},
        )

    def counted(self, rep: str, key: str, times: int = 1) -> PoolTurns:
        """The state after `rep` was given one more, or so many, on the day or in the hour `key`.

        Of theirs, what is more than seven days before the day of `key` is forgotten.
        """
        oldest = (date.fromisoformat(key[:10]) - timedelta(days=DAYS_KEPT)).isoformat()
        mine = {each: count for each, count in self.days.get(rep, {}).items() if each >= oldest}
        mine[key] = mine.get(key, 0) + times
        return replace(self, days={**self.days, rep: mine})

    def uncounted(self, rep: str, key: str) -> PoolTurns:
        """The state as if `rep` had been given one fewer on the day or in the hour `key`; never fewer than none."""
        mine = {each: count - (each == key) for each, count in self.days.get(rep, {}).items()}
        mine = {each: count for each, count in mine.items() if count > 0}
        others = {each: days for each, days in self.days.items() if each != rep}
        return replace(self, days={**others, rep: mine} if mine else others)


def next_in_turn(
    turns: PoolTurns, weights: Mapping[str, int], eligible: Iterable[str], owed_most: int = 0
) -> str | None:
    """Whose turn it is, without taking it; None when nobody is eligible."""
    shares = gains_of(turns.bank, weights, eligible, (), owed_most).credit
    return _pick(_accrued(turns, shares), shares) if shares else None


def take_turn(
    turns: PoolTurns,
    weights: Mapping[str, int],
    eligible: Iterable[str],
    absent: Iterable[str] = (),
    owed_most: int = 0,
) -> tuple[str, PoolTurns]:
    """The next member and the state after their turn. Members who are not eligible neither gain nor lose credit.

    With `owed_most` turns above zero, members on leave (`absent`) save the share of this turn that they would have had,
    up to `owed_most` turns each. Back among the eligible, their weight counts half as much again until what they saved
    is paid. With zero nobody is owed anything, and what was saved under another policy is dropped.

    `weights` are positive whole numbers. Raises `ValueError` when nobody is eligible.
    """
    gains = gains_of(turns.bank, weights, eligible, absent, owed_most)
    if not gains.credit:
        raise ValueError("nobody in the pool is eligible")
    credit = _accrued(turns, gains.credit)
    chosen = _pick(credit, gains.credit)
    return chosen, _paid(turns, credit, chosen, bank_after(turns.bank, gains, owed_most))


def charge_turn(
    turns: PoolTurns,
    weights: Mapping[str, int],
    eligible: Iterable[str],
    rep: str,
    absent: Iterable[str] = (),
    owed_most: int = 0,
) -> PoolTurns:
    """The state after `rep` got an account of the pool without being picked: by hand, or because they had it already.

    Everybody who could have taken it gains as from any turn and `rep` pays for it, so that `credit` still is what each
    is short of their fair share of all accounts counted, the charged ones included. `rep` gains too, even when they
    were not eligible (on leave, over a cap): they did take part in this turn. Charges alone can put somebody more than
    a turn ahead; no pick ever does. With steady members they are passed over until all are within one turn again, and
    meanwhile nobody is further behind than those who were charged are ahead together.

    Raises `ValueError` when `rep` is no member of the pool.
    """
    if weights.get(rep, 0) <= 0:
        raise ValueError(f"{rep} is no member of the pool")
    gains = gains_of(turns.bank, weights, {*eligible, rep}, absent, owed_most)
    return _paid(turns, _accrued(turns, gains.credit), rep, bank_after(turns.bank, gains, owed_most))


def give_back(
    turns: PoolTurns,
    weights: Mapping[str, int],
    eligible: Iterable[str],
    rep: str,
    key: str | None = None,
    absent: Iterable[str] = (),
    owed_most: int = 0,
) -> PoolTurns:
    """The state as if `rep` had not had one of their turns, for a decline that costs none.

    What was gained from the turn is taken back and `rep` gets theirs back, so that `credit` still is what each is short
    of their fair share of the accounts that count; who gives back three at once is three turns short. Given the
    members and weights of the turn itself, it is undone to the unit, whatever was taken in between (for a bank, see
    `gains_before`). `key` is the day or hour that counted it, if any did.

    A turn that the state does not know is not given back: its member left the pool, and that settled it.
    """
    if key:
        turns = turns.uncounted(rep, key)
    if weights.get(rep, 0) <= 0 or not turns.taken.get(rep, 0):
        return turns
    gains = gains_before(turns.bank, weights, {*eligible, rep}, absent, owed_most)
    credit = _accrued(turns, gains.credit, times=-1)
    return _paid(turns, credit, rep, bank_after(turns.bank, gains, owed_most, times=-1), times=-1)


def without_leavers(turns: PoolTurns, members: Iterable[str]) -> PoolTurns:
    """The state after a roster edit: what leavers were owed or owed is spread over those who stay, to the unit.

    What they saved on leave goes with them.
    """
    staying = sorted(set(members))
    leavers = sorted({*turns.credit, *turns.bank} - set(staying))
    if not leavers or not staying:
        return turns
    left_over = sum(turns.credit.get(rep, 0) for rep in leavers)
    each, rest = divmod(left_over, len(staying))
    credit = {
        rep: turns.credit.get(rep, 0) + each + (1 if position < rest else 0) for position, rep in enumerate(staying)
    }
    taken = {rep: turns.taken[rep] for rep in staying if rep in turns.taken}
    days = {rep: turns.days[rep] for rep in staying if rep in turns.days}
    bank = {rep: turns.bank[rep] for rep in staying if rep in turns.bank}
    return replace(turns, credit=credit, taken=taken, days=days, bank=bank)


def _accrued(turns: PoolTurns, shares: Mapping[str, int], times: int = 1) -> dict[str, int]:
    credit = dict(turns.credit)
    for rep, share in shares.items():
        credit[rep] = credit.get(rep, 0) + times * share
    return credit


def _paid(turns: PoolTurns, credit: dict[str, int], rep: str, bank: Mapping[str, int], times: int = 1) -> PoolTurns:
    """The state after `rep` pays for `times` turns out of `credit`, which is changed."""
    credit[rep] -= times * TURN
    taken = {**turns.taken, rep: turns.taken.get(rep, 0) + times}
    if not taken[rep]:
        del taken[rep]
    return PoolTurns(credit, taken, turns.days, bank)


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
