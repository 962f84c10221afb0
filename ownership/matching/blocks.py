"""Which records of one file are compared at all: those that share a key out of many, strict ones and loose ones.

A key that a crowd shares tells nothing by itself: the crowd is parted by place, and what is still a crowd then is left
alone. So the work grows with the number of records, whatever junk they share. What is found for a single new record is
`ownership.matching.index`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ownership.matching.company import Normal
from ownership.matching.features import label_of
from ownership.matching.grams import each_once

CROWD, LOOSE_CROWD = 30, 30
"""So many records may share a strict key, or a loose one, before it tells nothing."""
END = 8
"""So many letters of a name stay whole at one end when there is one slip of the keyboard in it."""
PHONE_DIGITS = 7
"""So many digits tell a number of one place, whether its country and area are written or not."""
LOOSE = frozenset(["begins", "ends", "two words", "near", "initials"])

Places = NDArray[np.int64]
Key = tuple[str, str]
WordWeight = Callable[[str], float]


def keys_of(record: Normal, word_weight: WordWeight) -> Iterator[Key]:
    """The keys of a record, as kind and value; some come twice."""
    yield from ((f"id:{kind}", value) for kind, value in record.ids.items())
    for domain in record.domains:
        yield "domain", domain
        yield "name", label_of(domain)
    if record.phone:
        yield "phone", record.phone[-PHONE_DIGITS:]
    if record.street:
        yield "street", f"{record.street} {record.city or ''}"
    for words in (record.words, *record.alias_words):
        if words:
            yield "name", "".join(words)
            yield "words", " ".join(sorted(set(words)))
    if record.words:
        yield from _loose_keys(record, sorted(set(record.words), key=lambda word: (-word_weight(word), word)))


def _loose_keys(record: Normal, rarest: Sequence[str]) -> Iterator[Key]:
    words, slug = record.words, record.slug
    if len(slug) >= END:
        yield "begins", slug[:END]
        yield "ends", slug[-END:]
    if len(words) > 1:
        yield "two words", f"{words[0]} {words[1][:3]}"
        yield "rarest words", " ".join(sorted(rarest[:2]))
    for place in (record.area, record.city):
        if place:
            yield "near", f"{slug[:4]} {place}"
            yield "near", f"{rarest[0]} {place}"
            if len(words) > 2 or len(slug) <= len(words[0]) <= END:
                yield "initials", f"{_initials(words)} {place}"


def _initials(words: Sequence[str]) -> str:
    return "".join(word[0] for word in words) if len(words) > 1 else words[0]


def pairs_to_compare(records: Sequence[Normal], word_weight: WordWeight) -> tuple[Places, Places]:
    """The pairs of places of `records` that share a key, the lower place first, in ascending order, each once.

    `records` is read twice.
    """
    strict, loose = _Holders(), _Holders()
    for place, record in enumerate(records):
        for kind, value in dict.fromkeys(keys_of(record, word_weight)):
            (loose if kind in LOOSE else strict).add(place, f"{kind}\x00{value}")
    found, crowds = strict.pairs(CROWD)
    parted = _Holders()
    for place, hashed in crowds:
        record = records[place]
        for near in dict.fromkeys((record.area, record.city, record.phone, record.street)):
            if near:
                parted.add(place, f"{hashed}\x00{near}")
    every = np.concatenate([found, parted.pairs(CROWD)[0], loose.pairs(LOOSE_CROWD)[0]])
    unique = each_once(every)
    return unique >> 32, unique & 0xFFFFFFFF


class _Holders:
    """The places that hold each key, as two long columns of numbers."""

    def __init__(self) -> None:
        self._hashes, self._places = array("Q"), array("q")

    def add(self, place: int, key: str) -> None:
        self._hashes.append(int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little"))
        self._places.append(place)

    def pairs(self, crowd: int) -> tuple[Places, list[tuple[int, int]]]:
        """Every pair of places with a key in common, as one number each; and (place, key) of the keys of crowds."""
        hashes = np.array(self._hashes, dtype=np.uint64)
        order = np.lexsort((np.array(self._places, dtype=np.int64), hashes))
        hashes, places = hashes[order], np.array(self._places, dtype=np.int64)[order]
        starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]])) if len(hashes) else np.array([0])
        sizes = np.diff(np.concatenate([starts, [len(hashes)]]))
        found = [np.empty(0, dtype=np.int64)]
        for size in range(2, crowd + 1):
            together = places[starts[sizes == size][:, None] + np.arange(size)]
            one, other = np.triu_indices(size, 1)
            found.append(((together[:, one] << 32) | together[:, other]).ravel())
        crowded = np.repeat(sizes > crowd, sizes) if len(hashes) else np.zeros(0, dtype=bool)
        return np.concatenate(found), list(zip(places[crowded].tolist(), hashes[crowded].tolist(), strict=True))
