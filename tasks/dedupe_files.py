"""Find the records of a file that are one company, without server or database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from ownership.matching.apart import why_apart
from ownership.matching.average_link import Needed
from ownership.matching.clusters import NEEDED, Cluster, Clustering, Edge, Pair, cluster, in_order
from ownership.matching.company import Company
from ownership.matching.filed import Filed
from ownership.matching.model import Model, read_model
from ownership.matching.normal import normalise
from ownership.matching.pairs import in_words, scored_pairs
from ownership.matching.survivor import Held, keep, owner_of_cluster
from tasks.company_rows import CompanyFile
from tasks.verdict_files import NOTHING_SAID, Verdicts

if TYPE_CHECKING:  # polars takes a third of a second to import
    import polars as pl

OUTPUT = ("id", "cluster_id", "score", "evidence")
REVIEW = ("id", "other_id", "score", "evidence")
FLOOR = 0.02
"""Links below this count as none."""
WORTH_A_LOOK = 0.3
"""Pairs from this probability on that were not joined are for a person."""


@dataclass(frozen=True, slots=True)
class Deduped:
    """The companies of a file by record, and the pairs for a person, likeliest first."""

    file: CompanyFile
    found: Clustering
    review: tuple[Edge, ...]
    links: Mapping[Pair, float]
    filed: Filed
    place: Mapping[str, int]
    verdicts: Verdicts

    @property
    def largest(self) -> int:
        """How many records the largest company has."""
        return max((len(each.members) for each in self.found.clusters), default=1)

    def likeness(self, one: str, other: str) -> str:
        """What speaks for and against two records being one company."""
        return ", ".join(in_words(self.filed[self.place[one]], self.filed[self.place[other]]))


@cache
def pair_model() -> Model:
    """The score of pairs that this release ships."""
    return read_model((files("ownership.matching") / "pair_model.json").read_text(encoding="utf-8"))


def dedupe_file(file: CompanyFile, model: Model, verdicts: Verdicts = NOTHING_SAID, needed: Needed = NEEDED) -> Deduped:
    """Cluster the readable rows of a file."""
    filed = Filed(map(normalise, file.readable()))
    place = {id_: number for number, id_ in enumerate(filed.ids)}

    def apart(one: str, other: str) -> str | None:
        return why_apart(filed[place[one]], filed[place[other]])

    edges = [Edge(filed.ids[one], filed.ids[other], score) for one, other, score in scored_pairs(filed, model, FLOOR)]
    found = cluster(edges, verdicts.same, verdicts.split, apart, needed)
    together = found.by_member()
    links = {in_order(edge.one, edge.other): edge.score for edge in edges}
    split = {in_order(*pair) for pair in verdicts.split}
    review = (
        Edge(*pair, score, tuple(filter(None, (apart(*pair),))))
        for pair, score in links.items()
        if score >= WORTH_A_LOOK and pair not in split and not _is_together(together, *pair)
    )
    ordered = tuple(sorted(review, key=lambda edge: (-edge.score, edge.one, edge.other)))
    return Deduped(file, found, ordered, links, filed, place, verdicts)


def _is_together(together: Mapping[str, Cluster], one: str, other: str) -> bool:
    return one in together and together[one] is together.get(other)


def to_table(deduped: Deduped) -> pl.DataFrame:
    """A row for each row of the file, in its order, as the columns `OUTPUT`, all text."""
    import polars as pl

    said = _said_of_members(deduped)
    rows = []
    for number, company in enumerate(deduped.file.companies):
        id_ = deduped.file.ids[number]
        if company is None:
            rows.append((id_, id_, "", f"not compared: {deduped.file.problems[number]}"))
        else:
            rows.append((id_, *said.get(id_, (id_, "1.0000", "no other record is the same company"))))
    return pl.DataFrame(rows, schema=dict.fromkeys(OUTPUT, pl.String), orient="row")


def _said_of_members(deduped: Deduped) -> dict[str, tuple[str, str, str]]:
    """The cells after the id, of every record that is not alone."""
    companies = {company.id: company for company in deduped.file.readable()}
    said: dict[str, tuple[str, str, str]] = {}
    for each in deduped.found.clusters:
        held = [_held(companies[id_], deduped.file.owners) for id_ in each.members]
        kept, owner = keep(held), owner_of_cluster(held)
        for id_ in each.members:
            words = f"as {_closest(deduped, each, id_)}"
            if id_ == kept.survivor:
                words = f"kept of {len(each.members)}: {kept.because}" + (
                    f"; {owner.because}" if owner.conflict else ""
                )
            said[id_] = (kept.survivor, f"{each.weakest:.4f}", words)
    return said


def _held(company: Company, owners: Mapping[str, str]) -> Held:
    owner = owners.get(company.id)
    return Held(company, owner, owner_active=owner is not None)


def _closest(deduped: Deduped, each: Cluster, id_: str) -> str:
    """The record of the cluster with the strongest link to this one, and what they have in common."""
    others = [other for other in each.members if other != id_]
    nearest = min(others, key=lambda other: (-deduped.links.get(in_order(id_, other), 0.0), other))
    confirmed = {in_order(*pair) for pair in deduped.verdicts.same}
    by_people = next((other for other in others if in_order(id_, other) in confirmed), None)
    if by_people:
        return f"{by_people}: a person said so"
    return f"{nearest}: {deduped.likeness(id_, nearest)}"


def review_table(deduped: Deduped) -> pl.DataFrame:
    """The pairs for a person as the columns `REVIEW`, all text, likeliest first."""
    import polars as pl

    rows = (
        (edge.one, edge.other, f"{edge.score:.4f}", "; ".join((*edge.evidence, deduped.likeness(edge.one, edge.other))))
        for edge in deduped.review
    )
    return pl.DataFrame(list(rows), schema=dict.fromkeys(REVIEW, pl.String), orient="row")


def summary_lines(deduped: Deduped) -> Iterator[str]:
    """How many records are how many companies, and what a person has to look at."""
    clusters = deduped.found.clusters
    records, extra = len(deduped.filed), sum(len(each.members) - 1 for each in clusters)
    yield f"{records:,} records of {records - extra:,} companies; {len(clusters):,} with several records"
    yield f"the largest has {deduped.largest}; {len(deduped.review):,} pairs are for review"
    yield from (f"{doubt.kind}: {doubt.because}" for doubt in deduped.found.doubts[:20])
    if len(deduped.found.doubts) > 20:
        yield f"and {len(deduped.found.doubts) - 20} more such"
