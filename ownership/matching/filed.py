"""All companies of one file, packed small, and how rare among them a word or a key is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import log
from typing import overload

import numpy as np
from numpy.typing import NDArray

from ownership.matching.company import Normal
from ownership.matching.grams import GRAMS, Numbers, grams_of_all
from ownership.matching.packed import FIELD, pack, unpack

CHUNK = 50_000


class Filed(Sequence[Normal]):
    """The companies, by place. As `Rarity` it speaks of the others beside the one that is asked about."""

    def __init__(self, records: Iterable[Normal]) -> None:
        self.ids: list[str] = []
        self._rows: list[str] = []
        self._words: Counter[str] = Counter()
        self._holders: Counter[str] = Counter()
        for record in records:
            self.ids.append(record.id)
            self._rows.append(pack(record))
            self._words.update(set(record.words))
            self._holders.update(_keys(record))
        self._gram_weights = self._weigh_grams()

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Normal: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Normal]: ...
    def __getitem__(self, place: int | slice) -> Normal | Sequence[Normal]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return unpack(self.ids[place], self._rows[place])

    def __iter__(self) -> Iterator[Normal]:
        return map(unpack, self.ids, self._rows)

    def word_weight(self, word: str) -> float:
        """From near 0, a word in every name, to 1, a word in no other."""
        others = max(0, self._words.get(word, 0) - 1)
        return max(0.05, log((len(self) + 1) / (others + 1)) / log(len(self) + 2))

    def holders(self, kind: str, value: str) -> int:
        """How many others have this "domain", or this "slug" as their name or an alias."""
        return max(0, self._holders.get(f"{kind}\x00{value}", 0) - 1)

    def cosines(self, ones: Numbers, others: Numbers) -> list[float]:
        """The cosine of the letter triples of the names of each pair of places, each weighted by how rare it is."""
        mine, theirs = self._grams(ones.tolist()), self._grams(others.tolist())
        both = np.intersect1d(_as_one(*mine), _as_one(*theirs), assume_unique=True)
        shared = np.bincount(both // GRAMS, self._gram_weights[both % GRAMS], minlength=len(ones))
        norms = np.sqrt(self._norms(*mine, len(ones)) * self._norms(*theirs, len(ones)))
        cosines: list[float] = np.divide(shared, norms, out=np.zeros(len(ones)), where=norms > 0).round(6).tolist()
        return cosines

    def _grams(self, places: Iterable[int]) -> tuple[Numbers, Numbers]:
        return grams_of_all([self._rows[place].partition(FIELD)[0].split() for place in places])

    def _norms(self, grams: Numbers, of_name: Numbers, size: int) -> NDArray[np.float64]:
        return np.bincount(of_name, self._gram_weights[grams], minlength=size).astype(np.float64)

    def _weigh_grams(self) -> NDArray[np.float64]:
        holders = np.zeros(GRAMS, dtype=np.int64)
        for at in range(0, len(self), CHUNK):
            holders += np.bincount(self._grams(range(at, min(at + CHUNK, len(self))))[0], minlength=GRAMS)
        weights: NDArray[np.float64] = (np.log((len(self) + 1) / (holders + 1)) + 1.0) ** 2
        return weights


def _as_one(grams: Numbers, of_name: Numbers) -> Numbers:
    return of_name * GRAMS + grams


def _keys(record: Normal) -> Iterator[str]:
    yield from (f"domain\x00{domain}" for domain in record.domains)
    for slug in {record.slug, *("".join(words) for words in record.alias_words)}:
        if slug:
            yield f"slug\x00{slug}"
