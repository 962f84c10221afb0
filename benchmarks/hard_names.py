"""Two sets of names that nothing else is known of: pairs chosen because they are hard, and subsidiaries' parents.

The companies of the LEI register stand around them, so that words are as rare as they are among companies.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.gold_sets import rows_of
from ownership.matching.company import Company, Normal
from ownership.matching.features import Candidate
from ownership.matching.filed import Filed
from ownership.matching.index import Index
from ownership.matching.matcher import Matcher
from ownership.matching.model import Model
from ownership.matching.normal import normalise
from ownership.matching.parent_names import suggest_parents

ASKED = "asked"


class OnlyOne(Index):
    """An index that leads to one account, if it finds it."""

    def candidates(self, lead: Normal, but: str | None = None) -> list[Candidate]:
        return [each for each in super().candidates(lead, but) if each.id == ASKED]


def hard_pairs(folder: Path, model: Model) -> dict[str, dict[str, int]]:
    """Of the pairs that are one company, and of those that are two: how many are matched, for review, or neither."""
    index = OnlyOne(_register(folder))
    matcher = Matcher(index, model)
    found = {"one company": Counter[str](), "two companies": Counter[str]()}
    for row in rows_of(folder, "nk_org_name_pairs"):
        index.put([normalise(Company(ASKED, row["name1"]))])
        outcome = matcher.match(normalise(Company("lead", row["name2"]))).outcome
        found["one company" if row["is_match"] == "True" else "two companies"][outcome.value] += 1
    return {kind: dict(counts) for kind, counts in found.items()}


def parents_by_name(folder: Path) -> dict[str, float]:
    """How often names alone suggest the right parent of a subsidiary: first of all suggestions, and among the first
    five; and the share of subsidiaries for which they suggest anybody."""
    parent_of: dict[str, set[str]] = {}
    names: dict[str, Company] = {}
    for row in rows_of(folder, "hierarchy_parent_child"):
        child, parent = normalise(Company("", row["child_name"])).slug, normalise(Company("", row["parent_name"])).slug
        if child and parent and child != parent:
            parent_of.setdefault(child, set()).add(parent)
            names[child], names[parent] = Company(child, row["child_name"]), Company(parent, row["parent_name"])
    filed = Filed([*map(normalise, names.values()), *(each for each in _register(folder) if each.slug not in names)])
    ranked: dict[str, list[str]] = {}
    for suggestion in suggest_parents(filed):
        ranked.setdefault(suggestion.child, []).append(suggestion.parent)
    said = [(ranked[child], parents) for child, parents in parent_of.items() if child in ranked]
    return {
        "subsidiaries": len(parent_of),
        "suggested": round(len(said) / len(parent_of), 4),
        "first_is_right": round(sum(some[0] in parents for some, parents in said) / len(parent_of), 4),
        "among_five": round(sum(not parents.isdisjoint(some) for some, parents in said) / len(parent_of), 4),
    }


def _register(folder: Path) -> list[Normal]:
    return [normalise(Company(row["lei"], row["name"])) for row in rows_of(folder, "gleif_names_sample60k")]
