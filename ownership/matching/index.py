"""The index of all accounts: which few of them may be a lead's company.

Two ways lead to a candidate: an exact key that both have, and names with many letter triples in common. What it answers
depends on the accounts in it alone, never on the order in which they came, or on how many came one by one: counts are
kept exact, and weights follow from them when a question is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from math import log

import numpy as np

from ownership.matching.company import Normal
from ownership.matching.features import Candidate
from ownership.matching.grams import grams_of
from ownership.matching.keys import Counts, Keys, keys_of, wanted_by
from ownership.matching.near_names import NearNames
from ownership.matching.packed import pack, unpack
from ownership.matching.postings import Postings
from ownership.matching.texts import Texts
from ownership.matching.whereabouts import Whereabouts

CROWD = 30
"""A key that more accounts hold leads to none of them."""
MOST = 10
"""So many candidates at most by their names alone."""
NEAR_BY = 5
"""So many more by their names and the lead's city or postcode."""
NEAREST = 0.3
"""Names whose triples have a smaller cosine are not alike."""
WEIGHTS_KEPT = 100_000
ANSWERS_KEPT = 20_000
FOLD = 0.2
LEAST_ROOM = 1_000
"""When this share of all accounts, or so many, would be new or left behind, everything is built anew."""


class Index:
    """All accounts. `candidates` and `get` answer; `put` and `remove` keep it up to date.

    Raises `ValueError` when it is given two accounts with one id.
    """

    def __init__(self, accounts: Iterable[Normal]) -> None:
        self._build(accounts)

    def __len__(self) -> int:
        return self._near.count

    def get(self, id_: str) -> Normal:
        """The account. Raises `KeyError`."""
        place = self._answered.get(id_)
        if place is None or not self._near.alive[place]:
            place = self._place_of(id_)
        if place is None:
            raise KeyError(id_)
        return unpack(id_, self._rows[place])

    def put(self, accounts: Iterable[Normal]) -> None:
        """Add accounts, or change those whose ids are there."""
        new = {each.id: each for each in accounts}
        if self._changed + 2 * len(new) > self._room:
            self._build(chain(self._all_but(new), new.values()))
            return
        for account in new.values():
            self._leave(account.id)
            self._append(account)
        self._weights.clear()

    def remove(self, ids: Iterable[str]) -> None:
        """Take accounts out; ids that are not there are passed over."""
        gone = set(ids)
        if self._changed + len(gone) > self._room:
            self._build(self._all_but(gone))
            return
        for id_ in gone:
            self._leave(id_)
        self._weights.clear()

    def word_weight(self, word: str) -> float:
        """From near 0, a word in every name, to 1, a word in none."""
        weight = self._weights.get(word)
        if weight is None:
            if len(self._weights) >= WEIGHTS_KEPT:
                self._weights.clear()
            rarity = log((self._near.count + 1) / (self._words[word] + 1)) / log(self._near.count + 2)
            weight = self._weights[word] = max(0.05, rarity)
        return weight

    def holders(self, kind: str, value: str) -> int:
        """How many accounts hold this key; see `ownership.matching.keys`."""
        return int(self._near.alive[self._keys.places(kind, value)].sum(dtype=np.int64))

    def candidates(self, lead: Normal, but: str | None = None) -> list[Candidate]:
        """The accounts that may be the lead's, best names first. The account `but` is none: that is how an account's
        own candidates are found. A lead's id is its own, and may be some account's too."""
        shared = self._by_key(lead)
        grams = grams_of(lead.words)
        near = self._near.shortlist(grams)
        places = np.concatenate([near, np.array(sorted(shared.keys() - set(near.tolist())), dtype=np.int32)])
        cosines = self._near.cosines(grams, places)
        alike = np.flatnonzero(cosines[: len(near)] >= NEAREST)
        own = None if but is None else self._place_of(but)
        if own is not None:
            alike = alike[near[alike] != own]
        near_by = alike[self._where.shared(lead, near[alike])]
        names = {
            *self._near.highest(near[alike], cosines[alike], MOST).tolist(),
            *self._near.highest(near[near_by], cosines[near_by], NEAR_BY).tolist(),
        }
        cosine_of = dict(zip(places.tolist(), cosines.tolist(), strict=True))
        found = sorted((-cosine_of[place], self._ids[place], place) for place in (shared.keys() | names) - {own})
        self._remember({id_: place for _, id_, place in found})
        return [Candidate(id_, -less, tuple(sorted(shared.get(place, ())))) for less, id_, place in found]

    # --- building ---

    def _build(self, accounts: Iterable[Normal]) -> None:
        """Take accounts in one after the other, so that no more than their packed rows is ever held."""
        ids, by_id, rows, keys, words, postings = Texts(), Keys(), Texts(), Keys(), Counts(), Postings()
        where = Whereabouts()
        for place, account in enumerate(accounts):
            ids.append(account.id)
            rows.append(pack(account))
            by_id.gather(place, [("", account.id)])
            keys.gather(place, keys_of(account))
            words.add(account.words)
            postings.gather(account.words)
            where.append(account)
        for part in (ids, by_id, rows, keys, words, postings):
            part.settle()
        for one, other in by_id.sharing():
            if ids[one] == ids[other]:
                raise ValueError(f"two accounts have the id {ids[one]}")
        self._take(ids, by_id, rows, keys, words, postings, where)

    def _take(
        self, ids: Texts, by_id: Keys, rows: Texts, keys: Keys, words: Counts, postings: Postings, where: Whereabouts
    ) -> None:
        self._ids, self._by_id, self._rows, self._keys, self._words = ids, by_id, rows, keys, words
        self._where = where
        self._changed = 0
        self._room = max(LEAST_ROOM, int(FOLD * len(ids)))
        self._near = NearNames(postings, ids, self._room)
        self._weights: dict[str, float] = {}
        self._answered: dict[str, int] = {}

    def _place_of(self, id_: str) -> int | None:
        for place in self._by_id.places("", id_).tolist():
            if self._near.alive[place] and self._ids[place] == id_:
                return int(place)
        return None

    def _all_but(self, ids: Container[str]) -> Iterator[Normal]:
        for place in np.flatnonzero(self._near.alive[: len(self._ids)]).tolist():
            if (id_ := self._ids[place]) not in ids:
                yield unpack(id_, self._rows[place])

    def _append(self, account: Normal) -> None:
        place = len(self._ids)
        self._ids.append(account.id)
        self._rows.append(pack(account))
        self._by_id.add(place, [("", account.id)])
        self._keys.add(place, keys_of(account))
        self._words.add(account.words)
        self._near.add(place, account.words)
        self._where.append(account)
        self._changed += 1

    def _leave(self, id_: str) -> None:
        place = self._place_of(id_)
        if place is None:
            return
        account = unpack(id_, self._rows[place])
        self._words.leave(account.words)
        self._near.leave(place, account.words)
        self._changed += 1

    # --- asking ---

    def _remember(self, answered: Mapping[str, int]) -> None:
        """Where accounts are that were found: whoever asks for candidates asks for these accounts next."""
        if len(self._answered) > ANSWERS_KEPT:
            self._answered.clear()
        self._answered |= answered

    def _by_key(self, lead: Normal) -> dict[int, set[str]]:
        """The accounts that share a key with the lead, with the names of the keys."""
        found: dict[int, set[str]] = defaultdict(set)
        for evidence, kind, value in wanted_by(lead):
            places = self._keys.places(kind, value)
            if len(places):
                holding = places[self._near.alive[places] > 0]
                if len(holding) <= CROWD:
                    for place in holding.tolist():
                        found[place].add(evidence)
        return found
