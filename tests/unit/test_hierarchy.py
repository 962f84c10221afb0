"""Who is above whom: sources in order, what contradicts itself, and the families that come of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.matching.hierarchy import DEEPEST, SOURCES, ParentEdge, build_hierarchy, cycles_in

NODES = [f"a{n}" for n in range(7)]
EDGES = st.lists(
    st.builds(
        ParentEdge,
        st.sampled_from(NODES),
        st.sampled_from(NODES),
        st.sampled_from(["person", "crm", "registry"]),
        st.booleans(),
    ),
    max_size=14,
)


def crm(child: str, parent: str) -> ParentEdge:
    return ParentEdge(child, parent, "crm")


def kinds(edges: list[ParentEdge]) -> list[str]:
    return [problem.kind for problem in build_hierarchy(edges).problems]


def test_a_family_is_walked_to_its_top_from_any_member() -> None:
    tree = build_hierarchy([crm("plant", "de"), crm("de", "holding"), crm("fr", "holding")])
    assert tree.parent_of("plant") == "de"
    assert tree.ultimate_of("plant") == tree.ultimate_of("holding") == "holding"
    assert tree.children_of("holding") == ("de", "fr")
    assert (tree.ultimate_of("alone"), tree.problems) == ("alone", ())


def test_the_domestic_ultimate_is_the_highest_at_home() -> None:
    tree = build_hierarchy([crm("plant", "de"), crm("de", "holding")])
    countries = {"plant": "DE", "de": "DE", "holding": "LU"}
    assert tree.domestic_ultimate_of("plant", countries) == "de"
    assert tree.domestic_ultimate_of("holding", countries) == "holding"
    assert tree.domestic_ultimate_of("plant", {}) == "plant"


def test_a_stronger_source_wins_and_the_others_fill_in() -> None:
    edges = [ParentEdge("a", "x", "registry"), ParentEdge("a", "y", "person"), ParentEdge("b", "x", "registry")]
    tree = build_hierarchy(edges)
    assert (tree.parent_of("a"), tree.parent_of("b")) == ("y", "x")
    assert tree.above["a"].source == "person"


def test_sources_that_name_different_families_are_told_and_the_stronger_holds() -> None:
    tree = build_hierarchy([crm("a", "y"), ParentEdge("a", "x", "registry")])
    assert tree.parent_of("a") == "y"
    [problem] = tree.problems
    assert (problem.kind, problem.accounts) == ("parent_dispute", ("a", "y", "x"))
    assert problem.because == "a is under y by crm, and under x by registry; the first holds"


def test_a_source_that_names_the_grandparent_agrees() -> None:
    assert kinds([crm("a", "y"), crm("y", "x"), ParentEdge("a", "x", "registry")]) == []
    assert kinds([crm("a", "x"), ParentEdge("a", "y", "registry"), ParentEdge("y", "x", "registry")]) == []


def test_two_parents_by_one_source_count_as_none_and_another_source_may_say() -> None:
    edges = [crm("a", "x"), crm("a", "y"), ParentEdge("a", "z", "registry")]
    tree = build_hierarchy(edges)
    assert tree.parent_of("a") == "z"
    [conflict] = tree.problems
    assert (conflict.kind, conflict.accounts) == ("parent_conflict", ("a", "x", "y"))


def test_a_circle_gives_its_accounts_no_parent_and_leaves_the_rest() -> None:
    tree = build_hierarchy([crm("a", "b"), crm("b", "c"), crm("c", "b"), crm("d", "c")])
    assert {each: tree.parent_of(each) for each in "abcd"} == {"a": "b", "b": None, "c": None, "d": "c"}
    [circle] = tree.problems
    assert (circle.kind, circle.accounts) == ("parent_cycle", ("b", "c"))


def test_a_circle_across_sources_loses_only_what_the_weaker_one_said() -> None:
    tree = build_hierarchy([ParentEdge("a", "b", "person"), crm("b", "a"), ParentEdge("b", "top", "registry")])
    assert (tree.parent_of("a"), tree.parent_of("b")) == ("b", "top")
    assert [problem.kind for problem in tree.problems] == ["parent_cycle"]


def test_an_account_named_as_its_own_parent_has_none() -> None:
    assert kinds([crm("a", "a")]) == []
    assert build_hierarchy([crm("a", "a")]).parent_of("a") is None


def ultimate(child: str, parent: str) -> ParentEdge:
    return ParentEdge(child, parent, "registry", ultimate=True)


def test_an_ultimate_parent_goes_above_what_the_direct_ones_lead_to() -> None:
    direct = [ParentEdge("a", "mid", "registry")]
    tree = build_hierarchy([*direct, ultimate("a", "top"), ultimate("b", "top")])
    assert (tree.parent_of("a"), tree.parent_of("mid"), tree.parent_of("b")) == ("mid", "top", "top")
    assert {tree.ultimate_of(each) for each in ("a", "b", "mid", "top")} == {"top"}


def test_an_ultimate_parent_that_the_line_already_has_adds_nothing() -> None:
    direct = [ParentEdge("a", "mid", "crm"), ParentEdge("mid", "top", "registry")]
    assert build_hierarchy([*direct, ultimate("a", "top")]) == build_hierarchy(direct)
    below = build_hierarchy([*direct, ultimate("top", "a")])
    assert below.ultimate_of("a") == "top"


def test_two_ultimate_parents_of_one_line_are_told() -> None:
    tree = build_hierarchy([ParentEdge("a", "mid", "crm"), ultimate("a", "top"), ultimate("mid", "summit")])
    assert tree.ultimate_of("a") == "mid"
    assert tree.problems[0].kind == "parent_conflict"
    assert tree.problems[0].because == "registry gives mid several tops of its family: summit, top; keep one of them"
    divided = build_hierarchy([ParentEdge("a", "mid", "crm"), ultimate("a", "mid"), ultimate("mid", "summit")])
    assert divided.ultimate_of("a") == "mid"
    assert kinds([ParentEdge("a", "mid", "crm"), ultimate("a", "mid")]) == []


def test_an_edge_holds_from_its_first_day_until_the_day_before_its_last() -> None:
    sold = [
        ParentEdge("a", "old", "registry", valid_to="2026-07-01"),
        ParentEdge("a", "new", "registry", valid_from="2026-07-01"),
    ]
    assert build_hierarchy(sold, "2026-06-30").parent_of("a") == "old"
    assert build_hierarchy(sold, "2026-07-01").parent_of("a") == "new"


def test_no_line_is_deeper_than_a_company_can_be() -> None:
    tree = build_hierarchy([crm(f"n{n:03}", f"n{n + 1:03}") for n in range(50)])
    assert max(len(tree.line_of(f"n{n:03}")) for n in range(51)) == DEEPEST + 1
    assert {problem.kind for problem in tree.problems} == {"parent_depth"}


def test_an_unknown_source_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'gossip' is no source of parents; write one of person"):
        build_hierarchy([ParentEdge("a", "b", "gossip")])


@given(EDGES, st.randoms(use_true_random=False))
def test_the_order_of_the_edges_changes_nothing(edges: list[ParentEdge], random: object) -> None:
    shuffled = list(edges)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert build_hierarchy(shuffled) == build_hierarchy(edges)


@given(EDGES)
def test_there_is_never_a_circle_and_every_family_has_one_top(edges: list[ParentEdge]) -> None:
    tree = build_hierarchy(edges)
    assert list(cycles_in({child: edge.parent for child, edge in tree.above.items()})) == []
    for node in NODES:
        assert {tree.ultimate_of(each) for each in tree.line_of(node)} == {tree.ultimate_of(node)}


@given(EDGES)
def test_what_a_source_says_alone_and_without_doubt_is_never_lost(edges: list[ParentEdge]) -> None:
    tree = build_hierarchy(edges)
    in_doubt = {account for problem in tree.problems for account in problem.accounts}
    for edge in edges:
        if not edge.ultimate and edge.child != edge.parent and edge.child not in in_doubt:
            assert tree.parent_of(edge.child) is not None


@given(EDGES)
def test_a_weaker_source_never_changes_what_a_stronger_one_gave(edges: list[ParentEdge]) -> None:
    strong = [edge for edge in edges if edge.source == SOURCES[0] and not edge.ultimate]
    direct = [edge for edge in edges if not edge.ultimate]
    before, after = build_hierarchy(strong), build_hierarchy(direct)
    assert {child: edge.parent for child, edge in before.above.items()}.items() <= {
        child: edge.parent for child, edge in after.above.items()
    }.items()
