"""What goes with an owner: nobody is lost from a team, and nothing moves that did not belong to the owner before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ownership.transfers import Dependent, Teammate, joined, to_follow, to_put_back

USERS = st.sampled_from("abcdef")
TEAMS = st.lists(st.builds(Teammate, USERS, st.sampled_from(["CSM", "SE", None])), max_size=6)


@given(TEAMS, TEAMS, USERS)
def test_whoever_was_noted_at_any_time_is_there_or_is_put_back_or_owns_it(
    first: list[Teammate], second: list[Teammate], owner: str
) -> None:
    noted = joined(first, second)
    assert {mate.user_id for mate in noted} == {mate.user_id for mate in (*first, *second)}
    back = to_put_back(noted, (), owner)
    assert {mate.user_id for mate in back} == {mate.user_id for mate in noted} - {owner}
    assert to_put_back(noted, back, owner) == (), "once they are back nobody is missing"


@given(TEAMS, TEAMS)
def test_a_role_is_the_one_seen_last(first: list[Teammate], second: list[Teammate]) -> None:
    last = {mate.user_id: mate.role for mate in (*first, *second)}
    assert {mate.user_id: mate.role for mate in joined(first, second)} == last


DEPENDENTS = st.lists(
    st.builds(Dependent, st.sampled_from(["Contact", "Opportunity"]), st.sampled_from("123456"), st.sampled_from("AB"),
              st.one_of(st.none(), USERS)),
    max_size=8,
)  # fmt: skip


@given(
    DEPENDENTS, st.dictionaries(st.sampled_from("AB"), st.sets(USERS)), st.dictionaries(st.sampled_from("AB"), USERS)
)
def test_only_what_the_owner_before_had_there_follows_and_a_second_look_finds_nothing(
    found: list[Dependent], formers: dict[str, set[str]], owners: dict[str, str]
) -> None:
    ours = {("Contact", "1")}
    follow = list(to_follow(found, formers, owners, ours))
    for each, owner in follow:
        assert each.owner_id in formers[each.on]
        assert owner == owners[each.on] != each.owner_id
        assert (each.object_type, each.id) not in ours
    moved = [Dependent(each.object_type, each.id, each.on, owner) for each, owner in follow]
    assert list(to_follow(moved, formers, owners, ours)) == []
