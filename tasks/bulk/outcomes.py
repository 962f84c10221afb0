"""Outcomes: what many decisions say alike, kept once. Until it is written, each decision is one number."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ownership.model import Candidate, Decision, TeamMember
from tasks.account_files import OUTPUT, cells_of, told_json

OWN = ("account_id", "inputs_hash")
"""What no two decisions have in common."""
SHARED = tuple(name for name in OUTPUT if name not in OWN)
OWNER, CANDIDATES, TEAM = (SHARED.index(name) for name in ("owner_id", "candidates", "team"))


class _Texts:
    """Different texts, each with its number."""

    def __init__(self) -> None:
        self._numbers: dict[str | None, int] = {}

    def number(self, text: str | None) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def series(self) -> pl.Series:
        return pl.Series(list(self._numbers), dtype=pl.String)


class Outcomes:
    """The different outcomes so far, each with its number: which texts it has in the columns `SHARED`."""

    def __init__(self) -> None:
        self._texts = [_Texts() for _ in SHARED]
        self._numbers: dict[tuple[int, ...], int] = {}
        self._known: list[tuple[int, ...]] = []
        self._owners: list[str | None] = []

    def number(self, decision: Decision) -> int:
        """The number of what a decision says."""
        cells = (cell for name, cell in zip(OUTPUT, cells_of(decision), strict=True) if name not in OWN)
        texts = tuple(texts.number(cell) for texts, cell in zip(self._texts, cells, strict=True))
        return self._number(texts, decision.owner_id)

    def number_given_to(
        self, owner: str, like: int, candidates: tuple[Candidate, ...], team: tuple[TeamMember, ...]
    ) -> int:
        """The number of an outcome that is `like` another but for whom the account is given to."""
        texts = list(self._known[like])
        for place, cell in ((OWNER, owner), (CANDIDATES, told_json(candidates)), (TEAM, told_json(team))):
            texts[place] = self._texts[place].number(cell)
        return self._number(tuple(texts), owner)

    def _number(self, texts: tuple[int, ...], owner: str | None) -> int:
        number = self._numbers.setdefault(texts, len(self._known))
        if number == len(self._known):
            self._known.append(texts)
            self._owners.append(owner)
        return number

    def owner(self, number: int) -> str | None:
        """Who owns by an outcome, if anybody does."""
        return self._owners[number]

    def columns(self, numbers: pl.Series) -> Sequence[pl.Series]:
        """The columns `SHARED` of decisions with these numbers. Equal texts share their memory."""
        parts = list(zip(*self._known, strict=True)) or [()] * len(SHARED)
        together = zip(SHARED, self._texts, parts, strict=True)
        return [
            texts.series().gather(pl.Series(part, dtype=pl.UInt32).gather(numbers)).alias(name)
            for name, texts, part in together
        ]
