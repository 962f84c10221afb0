"""What keeps two records apart whatever else is alike: identifiers that differ, countries, numbers in names.

Only rules that hold by themselves live here; how alike two records are is scored elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from ownership.matching.company import Normal
from ownership.matching.core_words import core_words
from ownership.matching.features import are_alike
from ownership.matching.numbers import numbers_in

IDENTIFIERS = ("lei", "duns", "tax_id")
"""Identifiers a company has one of. Others (a billing customer, a workspace) it may have several of."""

FUNDS = frozenset(["fund", "funds", "trust", "portfolio", "etf"])
"""What a name says of which every word counts."""


def why_apart(one: Normal, other: Normal) -> str | None:
    """Why two records can never be one company by evidence; None when nothing forbids it. Symmetric."""
    shared = [kind for kind in IDENTIFIERS if one.ids.get(kind) and one.ids.get(kind) == other.ids.get(kind)]
    if different := _different(one.ids, other.ids):
        return f"they have different {_spelled(different)}"
    if one.country and other.country and one.country != other.country and not shared:
        return f"they are in different countries ({', '.join(sorted((one.country, other.country)))})"
    numbers = sorted(" ".join(sorted(numbers_in(each.words))) for each in (one, other))
    if all(numbers) and numbers[0] != numbers[1]:
        return f"the numbers in their names differ ({', '.join(numbers)})"
    if not shared and _are_other_funds(one.words, other.words):
        return "one is a fund or trust of another name"
    if other.id == one.parent_id or one.id == other.parent_id:
        return "one is the parent of the other"
    return None


def _are_other_funds(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one is a fund and a word of either name is not in the other.

    Funds of one manager share address and telephone, with each other and with the manager, and most of their names:
    "Invesco Municipal Income Trust", "Invesco Value Municipal Income Trust".
    """
    if FUNDS.isdisjoint(one) and FUNDS.isdisjoint(other):
        return False
    return bool(one and other) and not (_all_found(one, other) and _all_found(other, one))


def _all_found(words: tuple[str, ...], among: tuple[str, ...]) -> bool:
    """Numbers are no words here: they have a rule of their own."""
    wanted, there = core_words(words) - numbers_in(words), core_words(among)
    return all(any(are_alike(word, other) for other in there) for word in wanted)


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    both = (kind for kind in IDENTIFIERS if one.get(kind) and other.get(kind))
    return next((kind for kind in both if one[kind] != other[kind]), None)


def _spelled(kind: str) -> str:
    return {"lei": "LEIs", "duns": "D-U-N-S numbers"}.get(kind, "tax ids")
