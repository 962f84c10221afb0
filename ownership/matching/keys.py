"""Exact keys: what two records of one company often have in common to the letter, and who holds which."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ownership.matching.company import Normal
from ownership.matching.features import label_of
from ownership.matching.initials import initials_of

SHORTEST_LABEL = 3
FEWEST_INITIALS = 3
"""Two letters are the initials of far too many names."""
PHONE_DIGITS = 8
"""So many digits from the end tell a number: what stands before them is written or left out."""


def keys_of(account: Normal) -> Iterator[tuple[str, str]]:
    """The keys an account is found under, by kind."""
    if account.slug:
        yield "slug", account.slug
    for words in account.alias_words:
        yield "alias", "".join(words)
    for count in (2, 3):
        if len(account.words) > count:
            yield "beginning", "".join(account.words[:count])
    for letters in _initials_of(account):
        yield "initials", letters
    for domain in account.domains:
        yield "domain", domain
        if len(label := label_of(domain)) >= SHORTEST_LABEL:
            yield "label", label
    if account.phone:
        yield "phone", account.phone[-PHONE_DIGITS:]
    for kind, value in account.ids.items():
        yield f"id:{kind}", value


def wanted_by(lead: Normal) -> Iterator[tuple[str, str, str]]:
    """The keys to look for: what the evidence is called, and the key's kind and value."""
    for kind, value in lead.ids.items():
        yield f"id:{kind}", f"id:{kind}", value
    for domain in lead.domains:
        yield "domain", "domain", domain
        if len(label := label_of(domain)) >= SHORTEST_LABEL:
            yield "stem", "label", label
            yield "label", "slug", label
            yield "label", "beginning", label
            yield "initials", "initials", label
    if lead.phone:
        yield "phone", "phone", lead.phone[-PHONE_DIGITS:]
    for words in (lead.words, *lead.alias_words):
        if slug := "".join(words):
            yield "slug" if words is lead.words else "alias", "slug", slug
            yield "alias", "alias", slug
            yield "label", "label", slug
    if len(lead.words) == 1:
        yield "initials", "initials", lead.slug
    for letters in _initials_of(lead):
        yield "initials", "slug", letters
        yield "initials", "label", letters


def _initials_of(company: Normal) -> Iterator[str]:
    return (letters for letters in initials_of(company.words) if len(letters) >= FEWEST_INITIALS)


class Keys:
    """Which places hold which key. Sorted once by `settle`; what comes later is kept beside until then."""

    def __init__(self) -> None:
        self.hashes: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self.of_hash: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._new_hashes, self._new_places = array("Q"), array("i")
        self._later: dict[int, array[int]] = defaultdict(lambda: array("i"))

    def gather(self, place: int, keys: Iterable[tuple[str, str]]) -> None:
        """Take keys in that can be looked up once they are settled."""
        for kind, value in keys:
            self._new_hashes.append(_hash(kind, value))
            self._new_places.append(place)

    def settle(self) -> None:
        """Sort what was gathered."""
        hashes = np.frombuffer(self._new_hashes, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        self.hashes = hashes[order]
        self.of_hash = np.frombuffer(self._new_places, dtype=np.int32)[order]
        self._new_hashes, self._new_places = array("Q"), array("i")

    def add(self, place: int, keys: Iterable[tuple[str, str]]) -> None:
        """Take keys in that can be looked up at once."""
        for kind, value in keys:
            self._later[_hash(kind, value)].append(place)

    def places(self, kind: str, value: str) -> NDArray[np.int32]:
        """Every place that was given this key, whether it still holds or not."""
        wanted = _hash(kind, value)
        key = np.uint64(wanted)
        first, last = self.hashes.searchsorted(key, "left"), self.hashes.searchsorted(key, "right")
        base = self.of_hash[first:last]
        later = self._later.get(wanted)
        return np.concatenate([base, np.frombuffer(later, dtype=np.int32)]) if later else base

    def sharing(self) -> Iterator[tuple[int, int]]:
        """Of each key that several places were given and that is settled, these places, two by two."""
        for at in np.flatnonzero(self.hashes[1:] == self.hashes[:-1]).tolist():
            yield int(self.of_hash[at]), int(self.of_hash[at + 1])


class Counts:
    """How many accounts have a word now. Words are kept by their hashes."""

    def __init__(self) -> None:
        self.hashes: NDArray[np.uint64] = np.empty(0, dtype=np.uint64)
        self.counts: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._more: Counter[str] = Counter()

    def add(self, words: Iterable[str]) -> None:
        self._more.update(set(words))

    def leave(self, words: Iterable[str]) -> None:
        self._more.subtract(set(words))

    def settle(self) -> None:
        """Move what was counted from nothing into arrays."""
        hashes = np.fromiter((_hash("word", word) for word in self._more), np.uint64, len(self._more))
        order = np.argsort(hashes)
        self.hashes = hashes[order]
        self.counts = np.fromiter(self._more.values(), np.int32, len(self._more))[order]
        self._more = Counter()

    def __getitem__(self, word: str) -> int:
        key = np.uint64(_hash("word", word))
        at = int(self.hashes.searchsorted(key))
        base = int(self.counts[at]) if at < len(self.hashes) and self.hashes[at] == key else 0
        return base + self._more[word]


def _hash(kind: str, value: str) -> int:
    said = f"{kind}\x00{value}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "little")
