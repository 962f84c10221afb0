"""What people said of records: the last word on a pair holds, and words that contradict each other are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.linking import Background, link_records
from ownership.model import AccountRecord, Ref
from ownership.verdicts import Verdict, contradiction, standing

REFS = [Ref("salesforce", "Account", str(number)) for number in range(5)]
A, B, C, D, _ = REFS
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)

words = st.lists(
    st.builds(Verdict, st.sampled_from(REFS), st.sampled_from(REFS), st.sampled_from([True, False, None])).filter(
        lambda verdict: verdict.one != verdict.other
    ),
    max_size=12,
)


def same(one: Ref, other: Ref) -> Verdict:
    return Verdict(one, other, True, "Ann", "one sign on the door", MONDAY)


def split(one: Ref, other: Ref) -> Verdict:
    return Verdict(one, other, False, "Bob", "", MONDAY)


def taken(said: list[Verdict]) -> list[Verdict]:
    """What is written down of all that: what contradicts what holds is refused."""
    kept: list[Verdict] = []
    for verdict in said:
        if not contradiction(verdict, standing(kept)):
            kept.append(verdict)
    return kept


def test_the_last_word_on_a_pair_holds_in_either_order_of_the_two() -> None:
    now = standing([same(A, B), split(B, A)])
    assert (now.same, now.are_apart([A], [B])) == ((), True)
    now = standing([split(B, A), same(A, B)])
    assert (len(now.same), now.are_apart([A], [B])) == (1, False)


def test_a_word_that_is_taken_back_leaves_the_evidence_to_decide() -> None:
    now = standing([split(A, B), Verdict(A, B, None)])
    assert now.same == ()
    assert not now.are_apart([A], [B])


def test_a_split_of_what_others_made_one_is_refused_with_who_said_so_and_what_to_take_back() -> None:
    refusal = contradiction(split(A, C), standing([same(A, B), same(B, C)]))
    assert refusal == (
        "salesforce/0 and salesforce/2 cannot be two companies: Ann said on 2026-11-23 that salesforce/0 and "
        "salesforce/1 are one company (one sign on the door), and Ann said on 2026-11-23 that salesforce/1 and "
        "salesforce/2 are one company (one sign on the door). Take one of these back first, as in: "
        "steward same --withdraw salesforce/0 salesforce/1"
    )


def test_joining_what_others_split_is_refused_with_the_split() -> None:
    refusal = contradiction(same(A, B), standing([split(A, C), same(B, C)]))
    assert "Bob said on 2026-11-23 that salesforce/0 and salesforce/2 are two companies" in refusal
    assert refusal.endswith("steward split --withdraw salesforce/0 salesforce/2")


def test_the_opposite_word_on_the_same_pair_is_a_change_of_mind_and_not_refused() -> None:
    assert contradiction(split(A, B), standing([same(A, B)])) == ""
    assert contradiction(same(A, B), standing([split(A, B)])) == ""


def test_what_was_said_of_a_record_holds_for_the_one_it_was_merged_into() -> None:
    now = standing([split(A, B)], {A: C})
    assert now.are_apart([C], [B])
    assert standing([same(A, B)], {A: B}).same == ()


def records(domain: str | None) -> list[AccountRecord]:
    return [AccountRecord(ref.source, ref.object_type, ref.external_id, None, website=domain) for ref in REFS]


@pytest.mark.parametrize("domain", ["acme.com", None])
@given(said=words)
def test_whatever_was_said_and_written_down_is_so_whatever_the_evidence(
    domain: str | None, said: list[Verdict]
) -> None:
    now = standing(taken(said))
    linked = link_records(records(domain), [], {}, str, {}, background=Background(verdicts=now))
    account = {ref: each.id for each in linked.accounts for ref in each.refs}
    assert all(account[verdict.one] == account[verdict.other] for verdict in now.same)
    assert all(account[one] != account[other] for one, other in now.split)


@given(said=words, first=st.sampled_from([None, "acme.com"]), then=st.sampled_from([None, "acme.com"]))
def test_a_rerun_with_more_evidence_keeps_what_was_said(
    said: list[Verdict], first: str | None, then: str | None
) -> None:
    now = standing(taken(said))
    known = {
        ref: each.id
        for each in link_records(records(first), [], {}, str, {}, background=Background(verdicts=now)).accounts
        for ref in each.refs
    }
    again = link_records(records(then), [], known, str, {}, background=Background(verdicts=now))
    account = {ref: each.id for each in again.accounts for ref in each.refs}
    for one, other in combinations(REFS, 2):
        pair = (min(one, other), max(one, other))
        if pair in now.split:
            assert account[one] != account[other]
        if any(verdict.pair == pair for verdict in now.same):
            assert account[one] == account[other]
