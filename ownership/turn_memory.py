"""A turn memory while a batch is decided: whose turn it is among the members of a pool, and who takes it.

Most pools have one memory. One with `memory: rule` has one for each rule that gives accounts to it. Who could take an
account at all, and the caps, are the pool's: see `ownership/rota.py`. The turns themselves are `ownership/rotation.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ownership.rotation import PoolTurns, charge_turn, give_back, next_in_turn, without_leavers
from ownership.turn_queue import Standing, TurnQueue, standing


class TurnMemory:
    """Begins at `turns`. `absent` members are on leave and may be owed up to `owed_most` turns for it."""

    __slots__ = ("_absent", "_owed_most", "_queue", "_queue_of", "_turns", "_weights")

    def __init__(self, turns: PoolTurns, weights: Mapping[str, int], absent: Sequence[str], owed_most: int) -> None:
        self._turns = without_leavers(turns, weights)
        self._weights, self._absent, self._owed_most = weights, absent, owed_most
        self._queue: TurnQueue | None = None
        self._queue_of: tuple[str, ...] = ()

    def take(self, eligible: tuple[str, ...]) -> str:
        """Whose turn it is among those who are eligible; they take it."""
        if self._queue is None or (self._queue_of is not eligible and self._queue_of != eligible):
            self._queue = TurnQueue.of(self.turns(), self._weights, eligible, self._absent, self._owed_most)
            self._queue_of = eligible
        return self._queue.take()

    def next(self, eligible: tuple[str, ...]) -> str | None:
        """Whose turn it is, without taking it."""
        return next_in_turn(self.turns(), self._weights, eligible, self._owed_most)

    def charge(self, rep: str, eligible: Iterable[str]) -> None:
        """A rep uses a turn that was not given to them by turns."""
        self._turns = charge_turn(self.turns(), self._weights, eligible, rep, self._absent, self._owed_most)

    def give_back(self, rep: str, eligible: Iterable[str]) -> None:
        """A rep gets back a turn they had."""
        self._turns = give_back(self.turns(), self._weights, eligible, rep, None, self._absent, self._owed_most)

    def standing(self, eligible: Iterable[str]) -> list[Standing]:
        """Where every member stands, whose turn comes first first."""
        return standing(self.turns(), self._weights, eligible, self._owed_most)

    def turns(self) -> PoolTurns:
        """The turns as they are now."""
        if self._queue is not None:
            self._turns = self._queue.state()
            self._queue = None
        return self._turns
