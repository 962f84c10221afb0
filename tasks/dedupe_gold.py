"""How good the companies found in a file are, against known answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from ownership.matching.clusters import Pair, in_order
from tasks.dedupe_files import Deduped


@dataclass(frozen=True, slots=True)
class PairRates:
    """How good clusters are: over all pairs of records put together, and over all pairs that should be."""

    records: int
    precision: float
    recall: float
    f1: float
    clusters: int
    largest: int
    review_pairs: int
    recall_with_review: float


def rates_of(deduped: Deduped, gold: Mapping[str, str]) -> PairRates:
    """Held against the true company of each record; records without a known one are left out."""
    taken = {
        in_order(*pair)
        for each in deduped.found.clusters
        for pair in combinations([id_ for id_ in each.members if id_ in gold], 2)
    }
    by_company: dict[str, list[str]] = defaultdict(list)
    for id_ in deduped.filed.ids:
        if id_ in gold:
            by_company[gold[id_]].append(id_)
    wanted = sum(len(ids) * (len(ids) - 1) // 2 for ids in by_company.values())
    right = _count_right(taken, gold)
    shown = _count_right({in_order(e.one, e.other) for e in deduped.review if {e.one, e.other} <= gold.keys()}, gold)
    precision, recall = right / max(1, len(taken)), right / max(1, wanted)
    return PairRates(
        records=sum(map(len, by_company.values())),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(1e-9, precision + recall),
        clusters=len(deduped.found.clusters),
        largest=deduped.largest,
        review_pairs=len(deduped.review),
        recall_with_review=(right + shown) / max(1, wanted),
    )


def _count_right(pairs: set[Pair], gold: Mapping[str, str]) -> int:
    return sum(gold[one] == gold[other] for one, other in pairs)


def rate_lines(rates: PairRates) -> Iterator[str]:
    """The figures for people."""
    yield f"records                {rates.records:>10,}"
    yield f"pair precision         {rates.precision:>10.4f}"
    yield f"pair recall            {rates.recall:>10.4f}"
    yield f"pair F1                {rates.f1:>10.4f}"
    yield f"recall with review     {rates.recall_with_review:>10.4f}"
    yield f"clusters               {rates.clusters:>10,}"
    yield f"largest cluster        {rates.largest:>10,}"
    yield f"pairs for review       {rates.review_pairs:>10,}"
