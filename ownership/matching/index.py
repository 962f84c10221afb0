"""The index of all accounts: which few of them may be a lead's company.

Two ways lead to a candidate: an exact key that both have, and names with many letter triples in common. What it answers
depends on the accounts in it alone, never on the order in which they came, or on how many came one by one: counts are
kept exact, and weights follow from them when a question is asked.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from ownership.matching.company import Normal
from ownership.matching.features import Candidate
from ownership.matching.grams import GRAMS, Numbers, Triples, grams_of, grams_of_all
from ownership.matching.keys import Keys, keys_of, wanted_by
from ownership.matching.packed import FIELD, pack, unpack

CROWD = 30
"""A key that more accounts hold leads to none of them."""
MOST = 10
"""So many candidates at most by their names."""
NEAREST = 0.3
"""Names whose triples have a smaller cosine are not alike."""
READ = 20_000
"""Of a name's triples the rarest are looked up first, and no more once so many accounts were met: the others are in
too many names to tell."""
SHORTLIST = 40
WEIGHTS_KEPT = 100_000
FOLD = 0.2
"""When this share of all places is new or left behind, everything is built anew."""


class Index:
    """All accounts. `candidates` and `get` answer; `put` and `remove` keep it up to date.

    Raises `ValueError` when it is given two accounts with one id.
    """

    def __init__(self, accounts: Iterable[Normal]) -> None:
        self._build(accounts)

    def __len__(self) -> int:
        return self._count

    def get(self, id_: str) -> Normal:
        """The account. Raises `KeyError`."""
        return unpack(id_, self._rows[self._place[id_]])

    def put(self, accounts: Iterable[Normal]) -> None:
        """Add accounts, or change those whose ids are there."""
        for account in accounts:
            self._leave(account.id)
            self._append(account)
        self._fold()

    def remove(self, ids: Iterable[str]) -> None:
        """Take accounts out; ids that are not there are passed over."""
        for id_ in ids:
            self._leave(id_)
        self._fold()

    def word_weight(self, word: str) -> float:
        """From near 0, a word in every name, to 1, a word in none."""
        weight = self._weights.get(word)
        if weight is None:
            rarity = log((self._count + 1) / (self._words.get(word, 0) + 1)) / log(self._count + 2)
            weight = self._weights[word] = max(0.05, rarity)
            if len(self._weights) > WEIGHTS_KEPT:
                self._weights.clear()
        return weight

    def holders(self, kind: str, value: str) -> int:
        """How many accounts hold this key; see `ownership.matching.keys`."""
        return sum(self._alive[place] for place in self._keys.places(kind, value))

    def candidates(self, lead: Normal) -> list[Candidate]:
        """The accounts that may be the lead's, best names first; the account itself, by its id, is none."""
        shared = self._by_key(lead)
        grams = grams_of(lead.words)
        cosines = self._by_name(grams)
        shared.pop(lead.id, None)
        cosines.pop(lead.id, None)
        cosines |= self._cosines(grams, [self._place[id_] for id_ in sorted(shared) if id_ not in cosines])
        ranked = sorted(cosines.items(), key=lambda item: (-item[1], item[0]))
        return [Candidate(id_, cosine, tuple(sorted(shared.get(id_, ())))) for id_, cosine in ranked]

    # --- building ---

    def _build(self, accounts: Iterable[Normal]) -> None:
        """Take accounts in one after the other, so that no more than their packed rows is ever held."""
        self._ids: list[str] = []
        self._rows: list[str] = []
        self._place: dict[str, int] = {}
        self._keys = Keys()
        self._words: Counter[str] = Counter()
        triples = Triples()
        for account in accounts:
            if account.id in self._place:
                raise ValueError(f"two accounts have the id {account.id}")
            place = self._place[account.id] = len(self._ids)
            self._ids.append(account.id)
            self._rows.append(pack(account))
            self._keys.gather(place, keys_of(account))
            self._words.update(set(account.words))
            triples.gather(account.words)
        self._keys.settle()
        self._count = len(self._ids)
        self._alive = bytearray(b"\x01" * self._count)
        grams, self._postings = triples.sorted()
        self._df: Numbers = np.bincount(grams, minlength=GRAMS)
        self._starts: Numbers = np.concatenate([[0], np.cumsum(self._df)])
        self._lengths = array("i", np.bincount(self._postings, minlength=self._count).astype(np.int32).tobytes())
        self._later: dict[int, list[int]] = defaultdict(list)
        self._common = np.zeros(GRAMS)
        self._changed = 0
        self._reset()

    def _reset(self) -> None:
        self._weights: dict[str, float] = {}
        self._sums = np.zeros(len(self._ids), dtype=np.float32)
        self._roots = np.sqrt(np.maximum(1, np.frombuffer(self._lengths, dtype=np.int32).astype(np.float32)))

    def _append(self, account: Normal) -> None:
        place = len(self._ids)
        self._ids.append(account.id)
        self._rows.append(pack(account))
        self._place[account.id] = place
        self._alive.append(1)
        self._keys.add(place, keys_of(account))
        self._words.update(set(account.words))
        grams = grams_of(account.words)
        self._df[grams] += 1
        for gram in grams.tolist():
            self._later[gram].append(place)
        self._lengths.append(len(grams))
        self._count += 1
        self._changed += 1

    def _leave(self, id_: str) -> None:
        place = self._place.pop(id_, None)
        if place is None:
            return
        account = unpack(id_, self._rows[place])
        self._alive[place] = 0
        self._words.subtract(set(account.words))
        self._df[grams_of(account.words)] -= 1
        self._count -= 1
        self._changed += 1

    def _fold(self) -> None:
        if self._changed > max(1000, FOLD * len(self._ids)):
            self._build([self.get(id_) for id_ in self._place])
        else:
            self._reset()

    # --- asking ---

    def _by_key(self, lead: Normal) -> dict[str, set[str]]:
        """The accounts that share a key with the lead, with the names of the keys."""
        found: dict[str, set[str]] = defaultdict(set)
        for evidence, kind, value in wanted_by(lead):
            holding = [place for place in self._keys.places(kind, value) if self._alive[place]]
            if len(holding) <= CROWD:
                for place in holding:
                    found[self._ids[place]].add(evidence)
        return found

    def _by_name(self, grams: Numbers) -> dict[str, float]:
        """The accounts with the most alike names, with their cosines."""
        found = self._cosines(grams, self._shortlist(grams))
        best = sorted((item for item in found.items() if item[1] >= NEAREST), key=lambda item: (-item[1], item[0]))
        return dict(best[:MOST])

    def _shortlist(self, grams: Numbers) -> list[int]:
        """The places with the largest sums over the lead's rarest triples, for the length of their names."""
        met: list[NDArray[np.int32]] = []
        read = 0
        for gram, count in sorted(zip(grams.tolist(), self._df[grams].tolist(), strict=True), key=_rarest_first):
            if not count:
                continue
            if read and read + count > READ:
                break
            read += count
            places = self._places_with(gram)
            self._sums[places] += np.float32(self._idf(count) ** 2)
            met.append(places)
        if not met:
            return []
        every = np.concatenate(met)
        scores = self._sums[every] / self._roots[every]
        self._sums[every] = 0.0
        return self._best(every, scores, SHORTLIST * len(met))

    def _best(self, places: NDArray[np.int32], scores: NDArray[np.floating], wanted: int) -> list[int]:
        """The best places that still hold; where the last of them ties with others, the lowest ids. `wanted` allows
        for places that were met by several triples and stand here as often."""
        if len(places) > wanted:
            least = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
            chosen = scores >= least
            places, scores = places[chosen], scores[chosen]
        found = dict(zip(places.tolist(), scores.tolist(), strict=True))
        order = sorted((-score, self._ids[place], place) for place, score in found.items() if self._alive[place])
        return [place for _, _, place in order[:SHORTLIST]]

    def _places_with(self, gram: int) -> NDArray[np.int32]:
        base = self._postings[self._starts[gram] : self._starts[gram + 1]]
        later = self._later.get(gram)
        return np.concatenate([base, np.array(later, dtype=np.int32)]) if later else base

    def _idf(self, count: int) -> float:
        return log((self._count + 1) / (count + 1)) + 1.0

    def _cosines(self, grams: Numbers, places: Sequence[int]) -> dict[str, float]:
        """The cosines of the lead's triples with those of these accounts' names, each weighted by how rare it is."""
        if not places or not len(grams):
            return {self._ids[place]: 0.0 for place in places}
        theirs, of_place = grams_of_all([self._rows[place].partition(FIELD)[0].split() for place in places])
        weights = self._squared_weights(theirs)
        self._common[grams] = 1.0
        shared = np.bincount(of_place, weights * self._common[theirs], minlength=len(places))
        self._common[grams] = 0.0
        norms = np.sqrt(np.bincount(of_place, weights, minlength=len(places)) * self._squared_weights(grams).sum())
        cosines = np.divide(shared, norms, out=np.zeros(len(places)), where=norms > 0)
        return {self._ids[place]: round(cosine, 6) for place, cosine in zip(places, cosines.tolist(), strict=True)}

    def _squared_weights(self, grams: Numbers) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = (np.log((self._count + 1) / (self._df[grams] + 1)) + 1.0) ** 2
        return weights


def _rarest_first(gram_and_count: tuple[int, int]) -> tuple[int, int]:
    gram, count = gram_and_count
    return (count, gram)
