"""Deciding a file by columns: the same decisions as account by account, to the last letter, and without asking the
rules again and again about accounts that they cannot tell apart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.policy_files import LoadedPolicy
from ownership.assignment import decide_owner
from ownership.case import Case
from ownership.conditions import Condition, Not, Test, fold_fields, holds
from ownership.day import Day
from ownership.entries import Assign, Pool, Rule, Territory
from ownership.model import Decision, Rep
from ownership.policy import Policy, Roster
from tasks.account_files import BLANKS, without_empty
from tasks.account_rows import to_account
from tasks.bulk import sequence
from tasks.bulk.answers import Answers
from tasks.bulk.fields import fields_of, folded_text
from tests.unit.bulk_comparison import assert_same, in_bulk, one_by_one
from tests.unit.random_files import NOW, World, WorldMaker, frame
from tests.unit.random_policies import CUSTOM

pytestmark = pytest.mark.slow

few = settings(max_examples=15, deadline=None, database=None)
POLICY = Policy(
    "p",
    rules=(Rule("big", Test("employees", "gte", 1000), Assign(pool="east")),),
    territories=(
        Territory("us", "US", Test("country", "is", "us"), pool="west"),
        Territory("rest", "Rest", Not(Test("country", "is", "us")), owner="ann"),
    ),
    pools=(Pool("east", {"ann": 2, "bob": 1}, per_day=40), Pool("west", {"bob": 1, "cid": 1, "dan": 3})),
    policy_hash="p" * 64,
)
ROSTER = Roster(
    {id_: Rep(id_, id_, f"{id_}@x.example", "ae", "t", capacity=90) for id_ in ("ann", "bob", "cid", "dan")}
)
REASONS = {
    *(
        "do_not_route",
        "disputed",
        "shadow_account",
        "missing_data",
        "override",
        "named",
        "registration",
        "parent_owner",
    ),
    *("account_owner", "existing_owner", "handoff_incomplete", "territory", "rule", "queue", "pool", "sticky"),
    *("no_available_rep", "nobody_at_work", "no_rule", "bad_record"),
}
LOADED = LoadedPolicy(POLICY, ROSTER, POLICY.policy_hash, "{}")


def company(count: int, **columns: Iterator[str]) -> World:
    """So many accounts of a few countries and sizes; more columns as they are given."""
    chance = Random(count)
    rows = [
        {
            "id": f"a{chance.randrange(10**6)}",
            "name": f"Company {number}",
            "country": chance.choice(["US", "US", "NO", ""]),
            "employees": str(chance.choice([5, 50, 999, 1000, 4000])),
            **{column: next(cells) for column, cells in columns.items()},
        }
        for number in range(count)
    ]
    return World(frame(rows), None, LOADED)


# --- the same decisions ---


@given(seed=st.integers(0, 2**32), accounts=st.integers(0, 30), leads=st.integers(0, 6))
@few
def test_whatever_policy_and_file_bulk_decides_as_one_by_one_does(seed: int, accounts: int, leads: int) -> None:
    assert_same(WorldMaker(Random(seed)).world(accounts, leads))


@pytest.mark.parametrize("seed", [46, 50])
def test_some_thousand_accounts_are_decided_as_one_by_one(seed: int) -> None:
    assert_same(WorldMaker(Random(seed)).world(1500, 200))


def test_books_and_caps_run_full_in_bulk_as_they_do_one_by_one() -> None:
    chance = Random(3)
    world = company(600, owner=iter(lambda: chance.choice(["", "", "bob", "dan"]), None))
    assert_same(world)
    assert set(in_bulk(world).decisions["reason"]) == {
        "pool",
        "territory",
        "existing_owner",
        "no_available_rep",
        "no_rule",
    }


def test_a_second_run_goes_on_from_the_first() -> None:
    first = company(40)
    assert_same(replace(first, memory=in_bulk(first).memory))


@given(seed=st.integers(0, 2**32), accounts=st.integers(0, 20), leads=st.integers(0, 4))
@few
def test_whatever_is_remembered_bulk_goes_on_as_one_by_one_does(seed: int, accounts: int, leads: int) -> None:
    first = WorldMaker(Random(seed)).world(accounts, leads)
    decided = in_bulk(first)
    owners = decided.decisions["owner_id"]
    both = (first.accounts, 0), (first.leads, first.accounts.height)
    owned = [None if table is None else _owned_by(table, owners.slice(start, table.height)) for table, start in both]
    assert_same(replace(first, accounts=owned[0], leads=owned[1], memory=decided.memory))


def _owned_by(table: pl.DataFrame, owners: pl.Series) -> pl.DataFrame:
    """The table with the owners that were decided, where some were."""
    before = table["owner"] if "owner" in table.columns else owners
    return table.with_columns(owners.zip_with(owners.is_not_null(), before).alias("owner"))


def test_the_comparison_notices_a_bulk_path_that_takes_unknown_for_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: "not in the US" must not claim an account whose country nobody knows."""
    careful = Answers.of

    def careless(self: Answers, condition: Condition) -> pl.Series:
        if isinstance(condition, Not):
            return ~self.of(condition.part).fill_null(False)
        return careful(self, condition)

    world = company(20)
    assert_same(world)
    monkeypatch.setattr(Answers, "of", careless)
    with pytest.raises(AssertionError):
        assert_same(world)


def test_the_random_worlds_have_everything_that_can_be_said_of_an_account() -> None:
    said = set[str]()
    for seed in range(120):
        if said >= REASONS:
            break
        said.update(one_by_one(WorldMaker(Random(seed)).world(30, 8)).decisions["reason"])
    assert said >= REASONS


# --- the pieces ---


@given(seed=st.integers(0, 2**32))
@few
def test_columns_answer_conditions_as_each_account_does(seed: int) -> None:
    maker = WorldMaker(Random(seed))
    world = maker.world(12, 0)
    day = Day.of(world.loaded.policy, world.loaded.roster, NOW)
    fields = fields_of(world.accounts, day)
    readable = (~fields.doubtful).arg_true().to_list()
    rows = [without_empty(row) for row in world.accounts.iter_rows(named=True)]
    folded = {row: fold_fields(to_account(rows[row], CUSTOM).fields, day.date, day.days) for row in readable}
    answers = Answers(fields.columns, world.accounts.height)
    for condition in [maker.condition() for _ in range(12)]:
        said = answers.of(condition)
        assert [said[row] for row in readable] == [holds(condition, folded[row]) for row in readable], str(condition)


@given(texts=st.lists(st.text(), min_size=1))
@few
def test_columns_of_text_are_folded_as_each_text_is(texts: list[str]) -> None:
    folded = [fold_fields({"name": text})["name"] for text in texts]
    assert folded_text(pl.Series(texts, dtype=pl.String)).to_list() == folded


def test_blanks_are_what_python_strips() -> None:
    assert set(BLANKS) == {chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()}


# --- what is asked once ---


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The accounts about which the rules were asked by themselves."""
    ids: list[str] = []

    def noted(case: Case) -> Decision:
        ids.append(case.account.id)
        return decide_owner(case)

    monkeypatch.setattr(sequence, "decide_owner", noted)
    return ids


def test_accounts_that_no_rule_can_tell_apart_are_decided_once(asked: list[str]) -> None:
    """Three ways an account can go, each found full once and each found empty-handed once."""
    in_bulk(company(250))
    assert len(asked) <= 8


def test_what_owners_have_already_is_decided_once_for_each_owner(asked: list[str]) -> None:
    chance = Random(1)
    in_bulk(company(250, owner=iter(lambda: chance.choice(["ann", "bob"]), None)))
    assert len(asked) == 2


def test_subsidiaries_are_decided_with_their_parents_owner_without_asking_the_rules(asked: list[str]) -> None:
    plain = company(250)
    heads = plain.accounts["id"].to_list()[:60]
    chance = Random(2)
    world = company(250, parent_id=iter(lambda: chance.choice(heads), None))
    assert_same(world)
    asked.clear()
    assert in_bulk(world).decisions["reason"].to_list().count("parent_owner") > 200
    assert len(asked) <= 20
