"""Clusters of records: what evidence joins, what it never joins, and that people's word wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.matching import clusters
from ownership.matching.average_link import Needed
from ownership.matching.clusters import Apart, Clustering, Edge, Pair, nothing_forbids

HALF = Needed(strongest=0.5, mean=0.5)

RECORDS = [f"r{n}" for n in range(9)]
PAIRS = st.sampled_from(list(combinations(RECORDS, 2)))
SCORES = st.sampled_from([0.1, 0.3, 0.45, 0.5, 0.6, 0.75, 0.8, 0.9, 0.97, 1.0])
EDGES = st.lists(st.builds(lambda pair, score: Edge(*pair, score), PAIRS, SCORES), max_size=24)
SAID = st.lists(PAIRS, max_size=4, unique=True)


def cluster(
    edges: Iterable[Edge],
    same: Sequence[Pair] = (),
    split: Iterable[Pair] = (),
    apart: Apart = nothing_forbids,
    needed: Needed = HALF,
) -> Clustering:
    """Joins from one half on, which random links reach often."""
    return clusters.cluster(edges, same, split, apart, needed)


def groups(found: Clustering) -> list[tuple[str, ...]]:
    return [each.members for each in found.clusters]


def together(found: Clustering, one: str, other: str) -> bool:
    return any(one in members and other in members for members in groups(found))


def contradicted(found: Clustering) -> set[Pair]:
    return {(each.members[0], each.members[1]) for each in found.doubts if each.kind == "contradiction"}


def full(records: list[str], score: float) -> list[Edge]:
    return [Edge(a, b, score) for a, b in combinations(records, 2)]


def test_records_that_all_look_alike_are_one_company() -> None:
    found = cluster([Edge("a", "b", 0.9), Edge("b", "c", 0.8), Edge("a", "c", 0.7), Edge("d", "e", 0.6)])
    assert groups(found) == [("a", "b", "c"), ("d", "e")]
    assert found.clusters[0].weakest == pytest.approx(0.75)
    assert found.clusters[1].weakest == 0.6


def test_one_strong_link_does_not_chain_two_companies_together() -> None:
    edges = [*full(["a", "b", "c"], 0.95), *full(["x", "y", "z"], 0.95), Edge("c", "x", 0.99)]
    assert not together(cluster(edges), "a", "y")


def test_a_bridge_weaker_than_the_families_leaves_them_apart() -> None:
    edges = [*full(["a", "b", "c"], 0.95), *full(["x", "y", "z"], 0.95), Edge("c", "x", 0.9)]
    assert groups(cluster(edges)) == [("a", "b", "c"), ("x", "y", "z")]


def test_a_pair_nobody_compared_counts_as_unlike() -> None:
    assert groups(cluster([Edge("a", "b", 0.9), Edge("b", "c", 0.9)])) == [("a", "b")]
    assert groups(cluster([Edge("a", "b", 0.9), Edge("b", "c", 0.9)], needed=Needed(0.9, 0.45))) == [("a", "b", "c")]


def test_many_weak_links_make_no_company_without_one_that_is_nearly_certain() -> None:
    assert groups(cluster(full(["a", "b", "c"], 0.8), needed=Needed(0.95, 0.7))) == []
    surer = [*full(["a", "b", "c"], 0.8), Edge("a", "b", 0.95), Edge("b", "c", 0.95)]
    assert groups(cluster(surer, needed=Needed(0.95, 0.7))) == [("a", "b", "c")]


def test_what_people_confirmed_stays_together_without_any_likeness() -> None:
    found = cluster([], same=[("a", "b"), ("b", "c")])
    assert groups(found) == [("a", "b", "c")]
    assert found.clusters[0].weakest == 1.0


@pytest.mark.parametrize(("weaker", "together"), [(0.48, False), (0.56, True)])
def test_as_shipped_a_third_record_joins_two_from_a_mean_of_three_quarters_on(weaker: float, together: bool) -> None:
    """One sure link and one weak: a mean of 0.72 is a branch next door, 0.76 the same institution."""
    edges = [Edge("a", "b", 0.99), Edge("b", "c", 0.96), Edge("a", "c", weaker)]
    assert groups(cluster(edges, needed=Needed())) == [("a", "b", "c") if together else ("a", "b")]


def test_what_people_split_stays_apart_whatever_the_evidence() -> None:
    found = cluster([*full(["a", "b"], 0.99), Edge("a", "c", 0.9), Edge("b", "c", 0.8)], split=[("a", "b")])
    assert groups(found) == [("a", "c")]
    assert found.doubts == ()


def test_a_record_that_goes_as_well_with_either_of_two_split_ones_goes_with_neither() -> None:
    assert groups(cluster(full(["a", "b", "c"], 0.99), split=[("a", "b")])) == []
    both = [Edge("c", "d", 0.9), *(Edge(side, x, 0.8) for side in "ab" for x in "cd")]
    assert groups(cluster(both, split=[("a", "b")])) == [("c", "d")]
    four = [*full(["a", "a2"], 0.9), *(Edge(side, "c", 0.8) for side in ("a", "a2", "b"))]
    assert groups(cluster(four, split=[("a", "b"), ("a2", "b")])) == [("a", "a2")]


def test_a_split_holds_for_all_that_is_confirmed_with_either_record() -> None:
    found = cluster([Edge("a", "x", 0.99)], same=[("a", "b"), ("x", "y")], split=[("b", "y")])
    assert groups(found) == [("a", "b"), ("x", "y")]


def test_a_confirmation_against_a_split_is_told_and_changes_nothing() -> None:
    found = cluster([], same=[("a", "b"), ("b", "c")], split=[("a", "c")])
    assert groups(found) == [("a", "b")]
    [doubt] = found.doubts
    assert (doubt.kind, doubt.members) == ("contradiction", ("b", "c"))
    assert "a and c were split" in doubt.because


def test_people_win_over_a_rule_and_it_is_told() -> None:
    def apart(one: str, other: str) -> str | None:
        return "they have different LEIs" if {one, other} == {"a", "b"} else None

    found = cluster([Edge("a", "b", 0.99)], same=[("a", "b")], apart=apart)
    assert groups(found) == [("a", "b")]
    assert "different LEIs" in found.doubts[0].because
    assert groups(cluster([Edge("a", "b", 0.99)], apart=apart)) == []


def test_a_confirmed_pair_that_looks_different_drives_nobody_out() -> None:
    edges = [Edge("a", "c", 0.8), Edge("b", "d", 0.9)]
    assert groups(cluster(edges, same=[("a", "b")])) == [("a", "b", "c", "d")]


def test_a_crowd_is_told_whole_and_not_joined_at_all() -> None:
    crowd = [f"k{n:03}" for n in range(60)]
    found = cluster([*full(crowd, 0.99), Edge("a", "b", 0.9)])
    assert groups(found) == [("a", "b")]
    [doubt] = found.doubts
    assert (doubt.kind, doubt.members) == ("too_large", tuple(crowd))
    assert "60 records" in doubt.because


def test_a_crowd_keeps_what_people_confirmed_in_it() -> None:
    crowd = [f"k{n:03}" for n in range(60)]
    found = cluster(full(crowd, 0.99), same=[("k001", "k002")])
    assert groups(found) == [("k001", "k002")]


def test_a_score_that_is_no_probability_is_refused() -> None:
    for score in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="0 to 1"):
            Edge("a", "b", score)
    with pytest.raises(ValueError, match="above 0"):
        Needed(strongest=0.5, mean=0)


@given(EDGES, SAID, SAID, st.randoms(use_true_random=False))
def test_the_order_of_links_and_splits_changes_nothing(
    edges: list[Edge], same: list[Pair], split: list[Pair], random: Random
) -> None:
    turned = [Edge(e.other, e.one, e.score) if random.random() < 0.5 else e for e in edges]
    random.shuffle(turned)
    shuffled = random.sample(split, len(split))
    assert cluster(turned, same, shuffled) == cluster(edges, same, split)


@given(EDGES, SAID, SAID)
def test_no_split_is_ever_inside_a_cluster(edges: list[Edge], same: list[Pair], split: list[Pair]) -> None:
    found = cluster(edges, same, split)
    assert not any(together(found, *pair) for pair in split)


@given(EDGES, st.sets(PAIRS, max_size=6))
def test_what_a_rule_forbids_is_never_inside_a_cluster(edges: list[Edge], forbidden: set[Pair]) -> None:
    def apart(one: str, other: str) -> str | None:
        return "forbidden" if (min(one, other), max(one, other)) in forbidden else None

    found = cluster(edges, apart=apart)
    assert not any(together(found, *pair) for pair in forbidden)


@given(EDGES, SAID, SAID)
def test_confirmed_records_are_together_unless_that_is_a_contradiction(
    edges: list[Edge], same: list[Pair], split: list[Pair]
) -> None:
    found = cluster(edges, same, split)
    refused = contradicted(found)
    for one, other in same:
        assert together(found, one, other) or (one, other) in refused
    if not split:
        assert not refused


@given(EDGES, SAID, PAIRS)
def test_one_more_confirmation_splits_nobody(edges: list[Edge], same: list[Pair], more: Pair) -> None:
    before, after = cluster(edges, same), cluster(edges, [*same, more])
    for members in groups(before):
        assert all(together(after, members[0], other) for other in members[1:])


@given(EDGES, SAID, st.integers(1, 5))
def test_evidence_alone_never_makes_a_cluster_larger_than_allowed(
    edges: list[Edge], same: list[Pair], largest: int
) -> None:
    alone = cluster(edges, needed=Needed(0.5, 0.5, largest))
    assert all(len(members) <= largest for members in groups(alone))
    told = {member for doubt in alone.doubts for member in doubt.members}
    assert not told & {member for members in groups(alone) for member in members}


@given(EDGES, SAID, SAID, st.data())
def test_losing_a_link_changes_only_what_it_could_reach(
    edges: list[Edge], same: list[Pair], split: list[Pair], data: st.DataObject
) -> None:
    if not edges:
        return
    lost = data.draw(st.sampled_from(edges))
    reach = {lost.one, lost.other}
    links = [(e.one, e.other) for e in edges if e.score >= 0.5] + same
    for _ in RECORDS:
        reach |= {record for pair in links if reach & set(pair) for record in pair}
    before = cluster(edges, same, split)
    after = cluster([e for e in edges if e is not lost], same, split)
    assert [m for m in groups(before) if not reach & set(m)] == [m for m in groups(after) if not reach & set(m)]


@given(EDGES, SAID, SAID)
def test_every_cluster_can_be_made_again_from_its_own_component(
    edges: list[Edge], same: list[Pair], split: list[Pair]
) -> None:
    whole = cluster(edges, same, split)
    again: list[tuple[str, ...]] = []
    left = set(RECORDS)
    while left:
        reach = {min(left)}
        for _ in RECORDS:
            reach |= {r for e in edges if reach & {e.one, e.other} for r in (e.one, e.other)}
            reach |= {r for pair in same if reach & set(pair) for r in pair}
        left -= reach
        part = cluster(
            [e for e in edges if e.one in reach],
            [pair for pair in same if pair[0] in reach],
            [pair for pair in split if reach & set(pair)],
        )
        again += groups(part)
    assert sorted(again) == groups(whole)
