"""What keeps two records apart whatever else is alike: identifiers that differ, countries, numbers in names.

Only rules that hold by themselves live here; how alike two records are is scored elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from ownership.matching.company import Normal
from ownership.matching.numbers import numbers_in

IDENTIFIERS = ("lei", "duns", "tax_id")
"""Identifiers a company has one of. Others (a billing customer, a workspace) it may have several of."""


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
    if other.id == one.parent_id or one.id == other.parent_id:
        return "one is the parent of the other"
    return None


def _different(one: Mapping[str, str], other: Mapping[str, str]) -> str | None:
    both = (kind for kind in IDENTIFIERS if one.get(kind) and other.get(kind))
    return next((kind for kind in both if one[kind] != other[kind]), None)


def _spelled(kind: str) -> str:
    return {"lei": "LEIs", "duns": "D-U-N-S numbers"}.get(kind, "tax ids")
