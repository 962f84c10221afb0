"""How likely two records of one file are the same company: a score that does not depend on which comes first.

Which pairs are looked at is `ownership.matching.blocks`; which of them are joined, `ownership.matching.clusters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA

from ownership.matching.blocks import Places, pairs_to_compare
from ownership.matching.company import Normal
from ownership.matching.features import INDEX_OF, Candidate, features_of
from ownership.matching.filed import Filed
from ownership.matching.model import Matrix, Model

CHUNK = 20_000
CERTAIN = 0.999
"""Of records that share an identifier a company has one of."""


def scored_pairs(filed: Filed, model: Model, floor: float) -> Iterator[tuple[int, int, float]]:
    """Every pair of places worth a look, the lower first, with its probability, from `floor` on."""
    ones, others = pairs_to_compare(filed, filed.word_weight)
    for at in range(0, len(ones), CHUNK):
        one, other = ones[at : at + CHUNK], others[at : at + CHUNK]
        likely = probabilities(pair_features(filed, one, other), model)
        for n in np.flatnonzero(likely >= floor).tolist():
            yield int(one[n]), int(other[n]), float(likely[n])


def pair_features(filed: Filed, ones: Places, others: Places) -> Matrix:
    """The features of each pair, as if the record that says less were a lead and the other its only candidate."""
    rows = []
    for one, other, cosine in zip(ones.tolist(), others.tolist(), filed.cosines(ones, others), strict=True):
        lead, account = sorted((filed[one], filed[other]), key=_how_much)
        (row,) = features_of(lead, [account], [Candidate(account.id, cosine)], filed)
        rows.append(row)
    return np.array(rows)


def probabilities(features: Matrix, model: Model) -> NDArray[np.float64]:
    """The probability behind each row of features; who shares an identifier is one company."""
    found = model.probabilities(features)
    found[features[:, INDEX_OF["ids"]] == 1.0] = CERTAIN
    return found


def _how_much(record: Normal) -> tuple[object, ...]:
    """A total order of records by what they say, shortest name first, so that the score is the same both ways."""
    said: Sequence[str | None] = (record.phone, record.country, record.state, record.city, record.street)
    return (len(record.slug), record.slug, record.domains, *(each or "" for each in said), record.id)


def in_words(one: Normal, other: Normal) -> tuple[str, ...]:
    """What two records have in common and what differs, in plain words, the strongest first."""
    found = [f"the same {kind}" for kind in ("lei", "duns", "tax_id") if _same(one.ids.get(kind), other.ids.get(kind))]
    shared = next((domain for domain in one.domains if domain in other.domains), None)
    if shared:
        found.append(f"the same web domain {shared}")
    found.append(_names_in_words(one, other))
    places = ("phone", "street", "postcode", "city", "state", "country")
    values = [(name, getattr(one, name), getattr(other, name)) for name in places]
    found += [f"the same {name}" for name, a, b in values if _same(a, b)]
    if one.domains and other.domains and not shared:
        found.append("other web domains")
    found += [f"another {name}" for name, a, b in values if a and b and a != b]
    return tuple(found)


def _names_in_words(one: Normal, other: Normal) -> str:
    if not one.slug or not other.slug:
        return "one has no name"
    if one.slug == other.slug:
        return "the same name"
    if {one.words, *one.alias_words} & {other.words, *other.alias_words}:
        return "a name in common"
    return f"names alike by {OSA.normalized_similarity(one.slug[:60], other.slug[:60]):.0%}"


def _same(one: str | None, other: str | None) -> bool:
    return one is not None and one == other
