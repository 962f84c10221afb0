"""Territories: the way down the tree, who goes first among siblings, and who serves."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.conditions import ALWAYS, AnyOf, Condition, Not, Test, fold_fields, holds
from ownership.entries import Territory
from ownership.model import Account
from ownership.policy import Policy
from ownership.territories import path_of, serving, territories_of


def country_is(code: str) -> Condition:
    return Test("country", "is", code)


def segment_is(segment: str) -> Condition:
    return Test("segment", "is", segment)


AMER = Territory("amer", "Americas", AnyOf((country_is("us"), country_is("ca"))))
US = Territory("us", "United States", country_is("us"), parent="amer", pool="us")
US_SMB = Territory("us-smb", "US small business", segment_is("smb"), parent="us", owner="ann")
CANADA = Territory("ca", "Canada", country_is("ca"), parent="amer")
EMEA = Territory("emea", "Europe", country_is("de"), owner="bob")
TREE = (AMER, US, US_SMB, CANADA, EMEA)


def way(territories: tuple[Territory, ...], **fields: Any) -> list[str]:
    return [territory.id for territory in path_of(fold_fields(fields), Policy("p", territories=territories))]


def server(**fields: Any) -> str | None:
    territory = serving(path_of(fold_fields(fields), Policy("p", territories=TREE)))
    return territory.id if territory else None


def test_an_account_goes_down_to_the_most_specific_territory_that_holds() -> None:
    assert way(TREE, country="US", segment="smb") == ["amer", "us", "us-smb"]


def test_an_account_stops_where_no_child_holds() -> None:
    assert way(TREE, country="US", segment="enterprise") == ["amer", "us"]


def test_a_child_is_not_reached_when_its_parent_does_not_hold() -> None:
    assert way(TREE, country="DE", segment="smb") == ["emea"]


def test_an_account_in_no_territory_has_no_way_down() -> None:
    assert way(TREE, country="JP") == []
    assert way((), country="US") == []


def test_an_account_whose_country_nobody_knows_is_in_no_territory_that_asks_for_one() -> None:
    assert way((*TREE, Territory("row", "Rest of the world", Not(country_is("us")))), segment="smb") == []


def test_the_sibling_with_the_highest_priority_goes_first_wherever_it_is_listed() -> None:
    banks = Territory("banks", "Banks", Test("industry", "is", "banks"), parent="us", owner="vic", priority=10)
    for tree in ((*TREE, banks), (banks, *TREE)):
        assert way(tree, country="US", segment="smb", industry="Banks") == ["amer", "us", "banks"]
        assert way(tree, country="US", segment="smb", industry="Retail") == ["amer", "us", "us-smb"]


def test_a_negative_priority_is_a_last_resort_among_siblings() -> None:
    rest = Territory("rest", "Everything else", ALWAYS, priority=-1)
    assert way((rest, EMEA), country="DE") == ["emea"]
    assert way((rest, EMEA), country="JP") == ["rest"]


def test_priority_orders_siblings_and_not_whole_branches() -> None:
    deep = Territory("deep", "Deep", ALWAYS, parent="emea", priority=99)
    assert way((AMER, EMEA, deep), country="US") == ["amer"]


def test_of_two_siblings_that_hold_with_the_same_priority_the_lowest_id_goes_first() -> None:
    one, other = Territory("a", "A"), Territory("b", "B")
    assert way((one, other)) == way((other, one)) == ["a"]


def test_the_most_specific_territory_with_an_owner_or_a_pool_serves() -> None:
    assert server(country="US", segment="smb") == "us-smb"
    assert server(country="US", segment="enterprise") == "us"
    assert server(country="DE") == "emea"


def test_a_territory_without_owner_or_pool_is_served_by_the_one_above_it() -> None:
    bare = Territory("texas", "Texas", Test("state", "is", "tx"), parent="us")
    path = path_of(fold_fields({"country": "US", "state": "TX"}), Policy("p", territories=(*TREE, bare)))
    assert path[-1] == bare
    assert serving(path) == US


def test_a_branch_that_nobody_serves_is_served_by_nobody() -> None:
    assert server(country="CA") is None
    assert serving(()) is None


def test_the_territories_of_an_account_are_named_from_the_root_down() -> None:
    account = Account("a1", "Acme", {"country": " us", "segment": "SMB"})
    assert territories_of(account, Policy("p", territories=TREE)) == ("amer", "us", "us-smb")


# --- random trees ---


@st.composite
def trees(draw: st.DrawFn) -> tuple[Territory, ...]:
    """Territories whose parents are among those before them, in any order."""
    count = draw(st.integers(0, 8))
    found = []
    for number in range(count):
        parent = draw(st.sampled_from([None, *[territory.id for territory in found]]))
        when = draw(st.sampled_from([ALWAYS, country_is("us"), country_is("de"), segment_is("smb")]))
        owner = draw(st.sampled_from([None, "ann"]))
        found.append(Territory(f"t{number}", f"T{number}", when, parent, owner, priority=draw(st.integers(0, 1))))
    return tuple(draw(st.permutations(found)))


some_fields = st.fixed_dictionaries(
    {}, optional={"country": st.sampled_from(["us", "de"]), "segment": st.sampled_from(["smb", "enterprise"])}
)


@settings(max_examples=100, deadline=None)
@given(trees(), some_fields)
def test_every_territory_on_the_way_holds_and_lies_below_the_one_before(
    tree: tuple[Territory, ...], fields: Mapping[str, Any]
) -> None:
    path = path_of(fields, Policy("p", territories=tree))
    assert [territory.parent for territory in path] == [None, *[territory.id for territory in path]][: len(path)]
    assert all(holds(territory.when, fields) for territory in path)
    below = [territory for territory in tree if territory.parent == (path[-1].id if path else None)]
    assert not any(holds(territory.when, fields) for territory in below)


@settings(max_examples=100, deadline=None)
@given(trees(), some_fields, st.randoms(use_true_random=False))
def test_the_order_in_which_territories_are_listed_does_not_matter(
    tree: tuple[Territory, ...], fields: Mapping[str, Any], random: Any
) -> None:
    listed = list(tree)
    random.shuffle(listed)
    assert path_of(fields, Policy("p", territories=tuple(listed))) == path_of(fields, Policy("p", territories=tree))
