"""Names suggest a parent only where the parent's own name is in the child's, and never a namesake or a sibling."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from ownership.matching.company import Company
from ownership.matching.filed import Filed
from ownership.matching.normal import normalise
from ownership.matching.parent_names import CROWD, MOST, suggest_parents

OTHERS = [f"{word} Partners" for word in ("Birch", "Cedar", "Dorn", "Elm", "Fir")]


def suggested(*names: str, known: Mapping[str, str] = MappingProxyType({})) -> dict[str, list[str]]:
    """The suggestions for each name, with other companies around; `known` are parents by their child."""
    companies = [Company(name, name, parent_id=known.get(name)) for name in (*names, *OTHERS)]
    found: dict[str, list[str]] = {}
    for each in suggest_parents(Filed(map(normalise, companies))):
        assert 0 < each.score <= 1
        found.setdefault(each.child, []).append(each.parent)
    return {child: found.get(child, []) for child in names}


def test_a_subsidiary_called_after_its_parent_is_suggested_it() -> None:
    found = suggested("Nordwind", "Nordwind Leasing", "Nordwind Real Estate")
    assert found == {"Nordwind": [], "Nordwind Leasing": ["Nordwind"], "Nordwind Real Estate": ["Nordwind"]}


def test_siblings_are_not_suggested_each_other() -> None:
    assert suggested("Nordwind Leasing", "Nordwind Estates") == {"Nordwind Leasing": [], "Nordwind Estates": []}


def test_a_namesake_is_a_duplicate_and_no_parent() -> None:
    assert suggested("Nordwind GmbH", "Nordwind AG") == {"Nordwind GmbH": [], "Nordwind AG": []}


def test_who_has_a_parent_is_suggested_none() -> None:
    names = ("Nordwind", "Nordwind Leasing")
    assert suggested(*names)["Nordwind Leasing"] == ["Nordwind"]
    assert suggested(*names, known={"Nordwind Leasing": "Birch Partners"})["Nordwind Leasing"] == []


def test_the_parent_with_whose_name_the_childs_begins_is_suggested_first() -> None:
    found = suggested("Leasing Nordwind", "Nordwind", "Nordwind Energy Leasing")
    assert found["Nordwind Energy Leasing"] == ["Nordwind", "Leasing Nordwind"]


@pytest.mark.parametrize(("namesakes", "suggestions"), [(MOST + 3, MOST), (CROWD + 1, 0)])
def test_of_many_possible_parents_a_few_are_suggested_and_of_a_crowd_none(namesakes: int, suggestions: int) -> None:
    crowd = [Company(f"n{number:03d}", "Nordwind") for number in range(namesakes)]
    child = Company("child", "Nordwind Leasing")
    found = [each.parent for each in suggest_parents(Filed(map(normalise, [*crowd, child]))) if each.child == "child"]
    assert found == [f"n{number:03d}" for number in range(suggestions)]
