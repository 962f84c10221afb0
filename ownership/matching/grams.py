"""Letter triples of names, as numbers, for one name or for a million at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ALPHABET = " abcdefghijklmnopqrstuvwxyz0123456789"
BASE = len(ALPHABET)
GRAMS = BASE**3
"""How many triples there are: each number below it is one."""

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
    pairs = each_once(triples[within] * len(texts) + of_name[:-2][within])
    return pairs // len(texts), pairs % len(texts)


def each_once(numbers: Numbers) -> Numbers:
    """In ascending order, each once. As `np.unique`, which is ten times slower on a million numbers."""
    ordered = np.sort(numbers)
    is_first: NDArray[np.bool_] = np.ones(len(ordered), dtype=bool)
    is_first[1:] = ordered[1:] != ordered[:-1]
    once: Numbers = ordered[is_first]
    return once


def _triples(codes: Numbers) -> Numbers:
    return (codes[:-2] * BASE + codes[1:-1]) * BASE + codes[2:]
