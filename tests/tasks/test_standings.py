"""Who is next in a pool, and by how much: what people read of the turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.rehearsal import Rehearsal, rehearse
from tasks.standings import turn_lines


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    made = rehearse(tmp_path)
    yield made
    made.context.store.close()


def test_before_anybody_took_a_turn_everybody_is_exactly_at_their_share(company: Rehearsal) -> None:
    lines = list(turn_lines(company.context, "mm-us-west"))
    assert lines[0] == "Pool mm-us-west takes turns; 2 members."
    assert lines[1].split() == ["1", "Diego", "Marín", "exactly", "at", "their", "share,", "0", "taken"]


def test_who_has_taken_a_turn_is_ahead_and_comes_after_the_others(company: Rehearsal) -> None:
    company.account("salesforce", "001A", name="Alpha", country="US", state="CA", employees=300)
    company.assign()
    lines = list(turn_lines(company.context, "mm-us-west"))
    assert lines[1].split()[1:] == ["Grace", "Liu", "0.50", "turns", "behind,", "0", "taken"]
    assert lines[2].split()[1:] == ["Diego", "Marín", "0.50", "turns", "ahead,", "1", "taken"]


def test_asking_takes_no_turn(company: Rehearsal) -> None:
    assert list(turn_lines(company.context, "smb")) == list(turn_lines(company.context, "smb"))


def test_a_pool_there_is_not_is_told_with_the_nearest(company: Rehearsal) -> None:
    (line,) = turn_lines(company.context, "mm-us-wst")
    assert line.startswith("There is no pool 'mm-us-wst' (did you mean 'mm-us-west'?). Pools: ent-amer, ")


def test_a_pool_that_remembers_turns_by_rule_shows_those_of_each(company: Rehearsal) -> None:
    loaded = company.context.policy
    pools = tuple(replace(pool, memory="rule") for pool in loaded.policy.pools)
    company.adopt(replace(loaded, policy=replace(loaded.policy, pools=pools)))
    company.account("salesforce", "001A", name="Alpha", country="US", state="CA", employees=300)
    company.assign()
    lines = list(turn_lines(company.context, "mm-us-west"))
    assert [line for line in lines if line.startswith("For ")] == ["For mm-us-west:"]
    assert lines[2].split()[1:] == ["Grace", "Liu", "0.50", "turns", "behind,", "0", "taken"]
