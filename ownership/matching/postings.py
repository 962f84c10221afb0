"""Posting lists: which names have which letter triple. Which of these names are near is worked out by the index.

Places are numbers of names in the order they came. Lists are laid down once, by `settle`; what comes later stands
beside.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ownership.matching.grams import GRAMS, Numbers, grams_of, grams_of_all

Places = NDArray[np.int32]
Triples = NDArray[np.uint16]

AT_ONCE = 20_000
"""So many names are taken apart at a time; their numbers within the lot have to fit 16 bits, as triples do."""


class Postings:
    """For each triple the places of the names that have it, ascending, and how many have it now; for each name its
    triples."""

    def __init__(self) -> None:
        self.counts: Numbers = np.zeros(GRAMS, dtype=np.int64)
        self.starts: Numbers = np.zeros(GRAMS + 1, dtype=np.int64)
        self.places: Places = np.empty(0, dtype=np.int32)
        self.triples: Triples = np.empty(0, dtype=np.uint16)
        self.ends: Numbers = np.zeros(1, dtype=np.int64)
        self._later: dict[int, array[int]] = defaultdict(lambda: array("i"))
        self._later_triples: list[Triples] = []
        self._names: list[Sequence[str]] = []
        self._lots: list[tuple[Triples, Triples]] = []

    def gather(self, words: Sequence[str]) -> None:
        """Take in the next name of those that are settled together."""
        self._names.append(words)
        if len(self._names) == AT_ONCE:
            self._take_apart()

    def settle(self) -> None:
        """Lay down the lists of what was gathered."""
        gathered = len(self._lots) * AT_ONCE + len(self._names)
        self._take_apart()
        self.counts = sum((np.bincount(grams, minlength=GRAMS) for grams, _ in self._lots), np.zeros(GRAMS, np.int64))
        self.starts = np.concatenate([[0], np.cumsum(self.counts)])
        self.places = np.empty(self.starts[-1], dtype=np.int32)
        self.triples = np.empty(self.starts[-1], dtype=np.uint16)
        sizes: list[Numbers] = []
        filled, written = self.starts[:-1].copy(), 0
        for number, (grams, names) in enumerate(self._lots):
            here = np.bincount(grams, minlength=GRAMS)
            shift = filled - np.concatenate([[0], np.cumsum(here[:-1])])
            self.places[shift[grams] + np.arange(len(grams))] = names.astype(np.int32) + number * AT_ONCE
            self.triples[written : written + len(grams)] = grams[np.argsort(names, kind="stable")]
            sizes.append(np.bincount(names, minlength=AT_ONCE))
            filled, written = filled + here, written + len(grams)
        self.ends = np.concatenate([[0], np.cumsum(np.concatenate(sizes)[:gathered])])
        self._lots = []

    def add(self, place: int, words: Sequence[str]) -> int:
        """Take a name in after the lists were laid down; how many triples it has."""
        grams = grams_of(words)
        self.counts[grams] += 1
        for gram in grams.tolist():
            self._later[gram].append(place)
        self._later_triples.append(grams.astype(np.uint16))
        return len(grams)

    def leave(self, words: Sequence[str]) -> None:
        """A name is no more: its triples are counted without it. It still stands in the lists."""
        self.counts[grams_of(words)] -= 1

    def with_triple(self, gram: int) -> Places:
        """The places of all names that have this triple, those that left among them."""
        base = self.places[self.starts[gram] : self.starts[gram + 1]]
        later = self._later.get(gram)
        return np.concatenate([base, np.frombuffer(later, dtype=np.int32)]) if later else base

    def triples_at(self, places: Places) -> tuple[Triples, Numbers]:
        """The triples of the names at these places, in the order of `places`, and how many each has."""
        settled = len(self.ends) - 1
        if len(places) and int(places.max()) >= settled:
            each = [self._triples_of(place, settled) for place in places.tolist()]
            return np.concatenate(each), np.array([len(triples) for triples in each])
        first = self.ends[places]
        sizes = self.ends[places + 1] - first
        before = np.cumsum(sizes) - sizes
        return self.triples[np.arange(int(sizes.sum())) + np.repeat(first - before, sizes)], sizes

    def _triples_of(self, place: int, settled: int) -> Triples:
        if place >= settled:
            return self._later_triples[place - settled]
        return self.triples[self.ends[place] : self.ends[place + 1]]

    def _take_apart(self) -> None:
        grams, names = grams_of_all(self._names)
        self._lots.append((grams.astype(np.uint16), names.astype(np.uint16)))
        self._names = []
