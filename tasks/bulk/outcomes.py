"""Outcomes: what many decisions say alike, kept once. Until it is written, each decision is one number."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ownership.model import Decision
from tasks.account_files import OUTPUT, cells_of

OWN = ("account_id", "inputs_hash")
"""What no two decisions have in common."""
SHARED = tuple(name for name in OUTPUT if name not in OWN)


class _Texts:
    """Different texts, each with its number."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {}

    def number(self, text: str | None) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def series(self) -> pl.Series:
        return pl.Series(list(self._numbers), dtype=pl.String)


class Outcomes:
    """The different outcomes so far, each with its number."""

    def __init__(self) -> None:
        self._texts = [_Texts() for _ in SHARED]
        self._numbers: dict[tuple[int, ...], int] = {}
        self._owners: list[str | None] = []

    def number(self, decision: Decision) -> int:
        """The number of what this decision says, apart from `OWN`."""
        cells = [cell for name, cell in zip(OUTPUT, cells_of(decision), strict=True) if name not in OWN]
        outcome = tuple(texts.number(cell) for texts, cell in zip(self._texts, cells, strict=True))
        number = self._numbers.setdefault(outcome, len(self._numbers))
        if number == len(self._owners):
            self._owners.append(decision.owner_id)
        return number

    def owner(self, number: int) -> str | None:
        """Who owns by an outcome, if anybody does."""
        return self._owners[number]

    def columns(self, numbers: pl.Series) -> Sequence[pl.Series]:
        """The columns `SHARED` of decisions with these numbers. Equal texts share their memory."""
        parts = list(zip(*self._numbers, strict=True)) or [()] * len(SHARED)
        together = zip(SHARED, self._texts, parts, strict=True)
        return [
            texts.series().gather(pl.Series(part, dtype=pl.UInt32).gather(numbers)).alias(name)
            for name, texts, part in together
        ]
