"""What one turn gives to whom: shares of credit, and the banks in which absent members save what they miss.

Only sums over plain mappings; who is picked, and the state of a pool, is `ownership/rotation.py`.

A bank is kept apart from the credit because credit that piles up over a leave is paid out in one burst of accounts in a
row. Paid from a bank, by a weight half as large again, the same turns come back one at a time among everybody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TURN = 2**40  # the unit of credits, shares and banks is 2^-40 turns
BOOSTED, PLAIN = 3, 2  # while they are owed turns, a member's weight counts 3/2


@dataclass(frozen=True, slots=True)
class Gains:
    """What one turn adds, in 2^-40 turns.

    `credit` goes to those who could take the turn and sums to exactly one TURN. `bank` is what absent members save
    (positive) and what members who are back are paid out of their bank within their share of the credit (negative).
    """

    credit: Mapping[str, int]
    bank: Mapping[str, int]


def gains_of(
    bank: Mapping[str, int], weights: Mapping[str, int], eligible: Iterable[str], absent: Iterable[str], owed_most: int
) -> Gains:
    """What one turn gives when `eligible` can take it and `absent` are on leave; who is in both can take it.

    Without a positive `owed_most` nobody saves and nobody is paid. Empty when nobody is eligible.
    """
    here = _weights_of(weights, eligible)
    plain = split(TURN, here)
    if owed_most <= 0 or not here:
        return Gains(plain, {})
    together = {**_weights_of(weights, absent), **here}
    saved = {rep: part for rep, part in split(TURN, together).items() if rep not in here} if together != here else {}
    owed = {rep: min(bank[rep], owed_most * TURN) for rep in here if bank.get(rep, 0) > 0}
    if not owed:
        return Gains(plain, saved)
    credit, paid = _boosted(plain, here, owed)
    return Gains(credit, {**saved, **{rep: -part for rep, part in paid.items()}})


def bank_after(bank: Mapping[str, int], gains: Gains, owed_most: int, times: int = 1) -> dict[str, int]:
    """The banks after `times` turns of these gains, never above the most that is owed and never below nothing."""
    most = max(owed_most, 0) * TURN
    after = {rep: min(bank.get(rep, 0), most) + times * gains.bank.get(rep, 0) for rep in {*bank, *gains.bank}}
    return {rep: min(saved, most) for rep, saved in sorted(after.items()) if min(saved, most) > 0}


def gains_before(
    bank: Mapping[str, int], weights: Mapping[str, int], eligible: Iterable[str], absent: Iterable[str], owed_most: int
) -> Gains:
    """The gains of the turn that left these banks behind.

    Exact unless a bank was used up or became full in that very turn, which its remains do not show.
    """
    was_enough = {rep: owed_most * TURN for rep in bank}
    return gains_of(was_enough, weights, eligible, absent, owed_most)


def split(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`amount` in whole units in proportion to positive weights; what division leaves over goes to the lowest ids."""
    total = sum(weights.values())
    parts = {rep: amount * weights[rep] // total for rep in sorted(weights)}
    for rep in list(parts)[: amount - sum(parts.values())]:
        parts[rep] += 1
    return parts


def _weights_of(weights: Mapping[str, int], reps: Iterable[str]) -> dict[str, int]:
    return {rep: weights[rep] for rep in reps if weights.get(rep, 0) > 0}


def _boosted(
    plain: Mapping[str, int], weights: Mapping[str, int], owed: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """The shares while `owed` are paid, and how much of each bank that spends.

    The last payment is only what is left in the bank; what the boost would have given beyond it stays with those who
    are owed nothing. Where everybody is owed, nobody can be paid: the shares are the plain ones.
    """
    shares = split(TURN, {rep: weight * (BOOSTED if rep in owed else PLAIN) for rep, weight in weights.items()})
    paid, too_much = {}, 0
    for rep, saved in owed.items():
        extra = max(shares[rep] - plain[rep], 0)  # rounding can make it less than nothing, which is not paid in
        paid[rep] = min(extra, saved)
        shares[rep] -= extra - paid[rep]
        too_much += extra - paid[rep]
    if too_much:
        others = {rep: weight for rep, weight in weights.items() if rep not in owed}
        for rep, part in split(too_much, others).items():
            shares[rep] += part
    return shares, paid
