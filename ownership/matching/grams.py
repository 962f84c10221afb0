"""Letter triples of names, as numbers, for one name or for a million at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789"
BASE = len(ALPHABET)
GRAMS = BASE**3
"""How many triples there are: each number below it is one."""

AT_ONCE = 50_000
Numbers = NDArray[np.int64]

_CODE = np.zeros(256, dtype=np.int64)
for _number, _letter in enumerate(ALPHABET):
    _CODE[ord(_letter)] = _number


def text_of(words: Sequence[str]) -> str:
    """What the triples of a name are taken from: its words with a space on each side."""
    return f" {' '.join(words)} " if words else ""


def grams_of(words: Sequence[str]) -> Numbers:
    """The name's triples, each once, in ascending order."""
    text = text_of(words)
    if len(text) < 3:
        return np.empty(0, dtype=np.int64)
    codes = _CODE[np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)]
    return np.unique(_triples(codes))


def grams_of_all(names: Sequence[Sequence[str]]) -> tuple[Numbers, Numbers]:
    """The triples of many names: (triple, number of the name) pairs in ascending order, each once."""
    texts = [text_of(words) for words in names]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    raw = np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)
    of_name = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
    if len(raw) < 3:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    triples = _triples(_CODE[raw])
    within = of_name[:-2] == of_name[2:]
    pairs = np.unique(triples[within] * len(texts) + of_name[:-2][within])
    return pairs // len(texts), pairs % len(texts)


def _triples(codes: Numbers) -> Numbers:
    return (codes[:-2] * BASE + codes[1:-1]) * BASE + codes[2:]


class Triples:
    """The triples of names that come one after the other, worked out many at a time."""

    def __init__(self) -> None:
        self._names: list[Sequence[str]] = []
        self._count = 0
        self._grams: list[NDArray[np.int32]] = []
        self._places: list[NDArray[np.int32]] = []

    def gather(self, words: Sequence[str]) -> None:
        """Take the next name in."""
        self._names.append(words)
        if len(self._names) == AT_ONCE:
            self._work_out()

    def sorted(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """All triples in ascending order, and the number of the name each is of, ascending too within a triple."""
        self._work_out()
        grams, places = np.concatenate(self._grams), np.concatenate(self._places)
        self._grams, self._places = [], []
        order = np.argsort(grams, kind="stable")
        return grams[order], places[order]

    def _work_out(self) -> None:
        grams, places = grams_of_all(self._names)
        by_place = np.argsort(places, kind="stable")
        self._grams.append(grams[by_place].astype(np.int32))
        self._places.append((places[by_place] + self._count).astype(np.int32))
        self._count += len(self._names)
        self._names = []
