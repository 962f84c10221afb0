"""Which account may be above another, by their names: suggestions for a person, never links.

Most subsidiaries are not called after their parent, and many companies share a word: names find few parents, and say so
by a score. Parents that count come from the sources of `ownership.matching.hierarchy`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ownership.matching.company import Normal
from ownership.matching.filed import Filed

CROWD = 200
"""A word that is the rarest one of more names leads to no suggestion."""
MOST = 5
LEAST = 0.3


@dataclass(frozen=True, slots=True)
class ParentSuggestion:
    """An account that may be above another. `score`, from 0 to 1, orders suggestions and is no probability."""

    child: str
    parent: str
    score: float
    because: str


def suggest_parents(filed: Filed, most: int = MOST, least: float = LEAST) -> Iterator[ParentSuggestion]:
    """For each account that names no parent, the likeliest ones, best first; ties by the parent's id.

    The rarest word of a parent's name comes in the child's; the same name is a duplicate, and no parent.
    """
    led_to: dict[str, list[int]] = defaultdict(list)
    for place, record in enumerate(filed):
        if record.words:
            led_to[max(record.words, key=lambda word: (filed.word_weight(word), word))].append(place)
    for child in filed:
        if child.parent_id or not child.words:
            continue
        near = (places for word in dict.fromkeys(child.words) if len(places := led_to.get(word, ())) <= CROWD)
        others = (filed[place] for place in chain.from_iterable(near) if filed.ids[place] != child.id)
        scored = sorted(
            ((-_score(child, other, filed), other.id, other) for other in others), key=lambda found: found[:2]
        )
        for minus_score, id_, parent in scored[:most]:
            if -minus_score >= least:
                shared = " ".join(word for word in parent.words if word in child.words)
                yield ParentSuggestion(child.id, id_, round(-minus_score, 4), f"both are called '{shared}'")


def _score(child: Normal, parent: Normal, filed: Filed) -> float:
    """How much of the parent's name the child's has, by weight; more where both begin alike or share a domain."""
    if parent.slug == child.slug or not parent.words or parent.parent_id == child.id:
        return 0.0
    found = _share(parent.words, child.words, filed)
    begins = 1.0 if parent.words[0] == child.words[0] else 0.7
    shorter = 1.0 if len(parent.words) < len(child.words) else 0.8
    domain = 1.0 if set(parent.domains) & set(child.domains) else 0.9
    return found * begins * shorter * domain


def _share(words: Sequence[str], among: Sequence[str], filed: Filed) -> float:
    weights = {word: filed.word_weight(word) for word in words}
    return sum(weight for word, weight in weights.items() if word in among) / sum(weights.values())
