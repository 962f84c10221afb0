"""Many turns of one pool in a row, and who stands where in it.

`TurnQueue` picks exactly whom `take_turn` would, turn after turn, as long as the same members are eligible and absent
with the same weights, without looking at every member at every turn. The rule itself is in `ownership/rotation.py`.

After n turns, a member who began with credit c, gains s a turn and has taken x turns has the credit n*s - (x*TURN - c).
A whole turn falls due to them when that reaches TURN. As n moves all alike, only who is picked changes place in the
order of those moments, so heaps do: one of those who are owed something, by when their turn falls due, one of the
others, by when they will be owed something. Members who gain the same stay in one heap of their own, where one order
serves for both, and only the first of each takes part in the other two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace

from ownership.owed_turns import TURN, Gains, bank_after, gains_of
from ownership.rotation import ROUNDING, PoolTurns, take_turn

# Two fractions of whole numbers with denominators up to TURN are equal or at least 2^-80 apart: as multiples of 2^-80,
# rounded down, they keep their order and their ties.
EXACT = 80
NEVER = -1  # no turn has this number
LOOK_AHEAD = 10_000  # turns


class TurnQueue:
    """The coming turns of a pool. One costs O(log members); when nobody is owed any, O(different weights)."""

    def __init__(
        self, turns: PoolTurns, weights: Mapping[str, int], members: list[str], absent: list[str], owed_most: int
    ) -> None:
        self._weights, self._members, self._absent, self._owed_most = weights, members, absent, owed_most
        self._begin(turns)

    @staticmethod
    def of(
        turns: PoolTurns,
        weights: Mapping[str, int],
        eligible: Iterable[str],
        absent: Iterable[str] = (),
        owed_most: int = 0,
    ) -> TurnQueue:
        """The queue that begins at `turns`; the arguments are those of `take_turn`.

        Raises `ValueError` when nobody is eligible.
        """
        members = sorted({rep for rep in eligible if weights.get(rep, 0) > 0})
        if not members:
            raise ValueError("nobody in the pool is eligible")
        return TurnQueue(turns, dict(weights), members, list(absent), owed_most)

    def _begin(self, turns: PoolTurns) -> None:
        """Start from `turns`, with gains that stay the same up to the turn `_last`."""
        self._base = turns
        self._gains = gains_of(turns.bank, self._weights, self._members, self._absent, self._owed_most)
        self._last = _steady_until(turns, self._gains, self._owed_most)
        self._turn: int = 0
        alike: dict[int, list[tuple[int, int]]] = {}
        for rank, rep in enumerate(self._members):
            alike.setdefault(self._gains.credit[rep], []).append((-turns.credit.get(rep, 0), rank))
        self._shares = list(alike)
        self._queues = list(alike.values())  # of (x*TURN - c, rank by id)
        for queue in self._queues:
            heapify(queue)
        self._waiting = [(1, number) for number in range(len(self._queues))]  # turn to look again; number of the queue
        self._due: list[tuple[int, int, int]] = []  # when due, in 2^-80 turns; rank; number of the queue

    def take(self) -> str:
        """The member whose turn it is, who takes it."""
        if self._turn == self._last:
            return self._take_with_other_gains()
        self._turn = turn = self._turn + 1
        waiting = self._waiting
        while waiting and waiting[0][0] <= turn:
            self._wake(turn)
        if not self._due:
            return self._take_when_none_is_owed(turn)
        number = heappop(self._due)[2]
        queue = self._queues[number]
        short, rank = queue[0]
        heapreplace(queue, (short + TURN, rank))
        heappush(waiting, ((queue[0][0] + ROUNDING) // self._shares[number] + 1, number))
        return self._members[rank]

    def state(self) -> PoolTurns:
        """What repeated `take_turn` would have left behind. Days and hours are not counted: that is the caller's."""
        if not self._turn:
            return self._base
        credit, taken = dict(self._base.credit), dict(self._base.taken)
        for share, queue in zip(self._shares, self._queues, strict=True):
            for short, rank in queue:
                rep = self._members[rank]
                if count := (short + credit.get(rep, 0)) // TURN:
                    taken[rep] = taken.get(rep, 0) + count
                credit[rep] = self._turn * share - short
        bank = bank_after(self._base.bank, self._gains, self._owed_most, self._turn)
        return PoolTurns(credit, taken, self._base.days, bank)

    def _take_with_other_gains(self) -> str:
        """The turn at which somebody's bank has run out, or any turn of a pool in which somebody gains nothing."""
        turns = self.state()
        if self._last:
            self._begin(turns)
            return self.take()
        chosen, turns = take_turn(turns, self._weights, self._members, self._absent, self._owed_most)
        self._begin(turns)
        return chosen

    def _wake(self, turn: int) -> None:
        """Move the queue that has waited longest to those that are due, if its first is owed something by now."""
        number = heappop(self._waiting)[1]
        short, rank = self._queues[number][0]
        share = self._shares[number]
        owed_at = (short + ROUNDING) // share + 1
        if owed_at > turn:  # somebody was picked from this queue while nobody was owed anything
            heappush(self._waiting, (owed_at, number))
        else:
            heappush(self._due, (((short + TURN) << EXACT) // share, rank, number))

    def _take_when_none_is_owed(self, turn: int) -> str:
        """Who has most credit, though not above nothing; ties go to the lowest id. Their queue waits as before."""
        firsts = zip(self._shares, self._queues, strict=True)
        _, rank, queue = min((queue[0][0] - turn * share, queue[0][1], queue) for share, queue in firsts)
        heapreplace(queue, (queue[0][0] + TURN, rank))
        return self._members[rank]


def _steady_until(turns: PoolTurns, gains: Gains, owed_most: int) -> int:
    """The last turn, counted from one, with these gains; 0 when somebody gains nothing, which heaps cannot order."""
    if not min(gains.credit.values()):
        return 0
    lasts = [min(turns.bank[rep], owed_most * TURN) // -gain for rep, gain in gains.bank.items() if gain < 0]
    return min(lasts, default=NEVER)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a member stands in a pool, in turns.

    `turns_ahead` of their fair share (negative: behind); `next_in` 1 for who is next, None for who is not eligible or
    not due within the next 10,000 turns; `saved` on leave and not yet paid.
    """

    rep: str
    turns_ahead: float
    next_in: int | None
    saved: float = 0.0


def standing(
    turns: PoolTurns, weights: Mapping[str, int], eligible: Iterable[str], owed_most: int = 0
) -> list[Standing]:
    """Where every member stands, whose turn comes first first; members with no turn to come are last, by id.

    The coming turns are those of the same members with the same weights, all of them taken.
    """
    next_in = _next_turns(turns, weights, [rep for rep in eligible if weights.get(rep, 0) > 0], owed_most)
    members = [
        Standing(rep, -turns.credit.get(rep, 0) / TURN, next_in.get(rep), turns.bank.get(rep, 0) / TURN)
        for rep in sorted(weights)
        if weights[rep] > 0
    ]
    return sorted(members, key=lambda member: member.next_in or LOOK_AHEAD + 1)


def _next_turns(turns: PoolTurns, weights: Mapping[str, int], eligible: list[str], owed_most: int) -> dict[str, int]:
    missing, next_in = set(eligible), dict[str, int]()
    if not missing:
        return next_in
    queue = TurnQueue.of(turns, weights, missing, (), owed_most)
    for number in range(1, LOOK_AHEAD + 1):
        rep = queue.take()
        if rep in missing:
            missing.remove(rep)
            next_in[rep] = number
        if not missing:
            break
    return next_in
