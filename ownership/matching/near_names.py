"""Near names: which of all names have the most letter triples in common with one, and how near they are.

Names are known by their places, the order in which they came. Whose names they are is the index's affair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from ownership.matching.grams import GRAMS, Numbers
from ownership.matching.postings import Places, Postings
from ownership.matching.texts import Texts

READ = 20_000
"""Of a name's triples the rarest are looked up first, and no more once so many accounts were met: the others are in
too many names to tell."""
SHORTLIST = 200


class NearNames:
    """All names. `alive` says of each place whether its account is still there, `count` how many are."""

    def __init__(self, postings: Postings, ids: Texts, room: int) -> None:
        """`ids` tell which of two places comes first; `room` is how many names may be added."""
        self.postings = postings
        self.count = len(ids)
        self._ids = ids
        sizes = np.concatenate([np.diff(postings.ends), np.ones(room, dtype=np.int64)])
        self.alive = np.ones(len(sizes), dtype=np.uint8)
        self._scales = (1.0 / np.sqrt(np.maximum(1, sizes))).astype(np.float32)  # 0 for who left
        self._sums = np.zeros(len(sizes), dtype=np.float32)
        self._common = np.zeros(GRAMS)

    def add(self, place: int, words: Sequence[str]) -> None:
        self._scales[place] = 1.0 / np.sqrt(max(1, self.postings.add(place, words)))
        self.count += 1

    def leave(self, place: int, words: Sequence[str]) -> None:
        self.postings.leave(words)
        self.alive[place] = 0
        self._scales[place] = 0.0
        self.count -= 1

    def shortlist(self, grams: Numbers) -> Places:
        """The places with the largest sums over the lead's rarest triples, for the length of their names."""
        met: list[Places] = []
        sums = self._sums
        for gram, weight in self._rarest(grams):
            places = self.postings.with_triple(gram)
            sums[places] += weight
            met.append(places)
        if not met:
            return np.empty(0, dtype=np.int32)
        every = np.concatenate(met)
        scores = sums.take(every) * self._scales.take(every)
        sums[every] = 0.0
        wanted = SHORTLIST * len(met)  # a place stands here as often as it was met
        if len(every) > wanted:
            chosen = scores >= np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
            every, scores = every[chosen], scores[chosen]
        once, first = np.unique(every, return_index=True)
        still = scores[first] > 0.0
        return self.highest(once[still], scores[first][still], SHORTLIST, spare=SHORTLIST)

    def _rarest(self, grams: Numbers) -> Iterator[tuple[int, np.float32]]:
        """The lead's rarest triples that any name has, as many as may be looked up, with their weights."""
        counts = self.postings.counts[grams]
        read = 0
        for count, gram in sorted(zip(counts.tolist(), grams.tolist(), strict=True)):
            if count:
                if read and read + count > READ:
                    return
                read += count
                yield gram, np.float32((log((self.count + 1) / (count + 1)) + 1.0) ** 2)

    def highest(self, places: Places, scores: NDArray[np.floating], wanted: int, spare: int = 0) -> Places:
        """The places that score highest, so many at most; of those that tie for the last ones, the lowest ids, or all
        where there is room to spare."""
        if len(places) <= wanted:
            return places
        least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        sure, tied = places[scores > least], places[scores == least]
        if len(sure) + len(tied) > wanted + spare:
            tied = np.array(sorted(tied.tolist(), key=self._ids.__getitem__)[: wanted - len(sure)], dtype=np.int32)
        return np.concatenate([sure, tied])

    def cosines(self, grams: Numbers, places: Places) -> NDArray[np.float64]:
        """The cosines of the lead's triples with those of these accounts' names, each weighted by how rare it is."""
        theirs, sizes = self.postings.triples_at(places)
        of_place = np.repeat(np.arange(len(places)), sizes)
        weights, mine = self._squared_weights(theirs), self._squared_weights(grams)
        self._common[grams] = mine
        shared = np.bincount(of_place, self._common[theirs], minlength=len(places))
        self._common[grams] = 0.0
        norms = np.sqrt(np.bincount(of_place, weights, minlength=len(places)) * mine.sum())
        cosines: NDArray[np.float64] = np.divide(shared, norms, out=np.zeros(len(places)), where=norms > 0)
        return cosines.round(6)

    def _squared_weights(self, grams: NDArray[np.integer]) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = (np.log((self.count + 1) / (self.postings.counts[grams] + 1)) + 1.0) ** 2
        return weights
