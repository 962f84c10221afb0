"""How many accounts everybody has is counted as it changes, and nobody is given more than they may have."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from config.policy_files import LoadedPolicy
from config.settings import Settings
from connectors.registry import Connectors
from ownership.conditions import ALWAYS
from ownership.entries import Assign, Pool, Rule
from ownership.model import Account, Ref, Rep
from ownership.policy import Policy, Roster
from store.engine import Store
from store.unit_of_work import UnitOfWork
from tasks import assignment
from tasks.assignment import Wanted, assign_accounts
from tasks.context import RunContext
from tests.store.business import MONDAY, know, owned_by, record, undecided

MOST = 11
REPS = ("ann", "bob", "cyd")


def recounted(uow: UnitOfWork) -> dict[str, int]:
    return dict(Counter(current.owner_id for current in uow.ledger.current().values()))


def test_books_are_as_large_as_their_accounts_are_many(store: Store) -> None:
    chance = random.Random(7)
    ids = [f"a{number}" for number in range(20)]
    know(store, *ids)
    for run in range(12):
        some = chance.sample(ids, 6)
        batch = [owned_by(each, chance.choice(REPS)) for each in some[1:]]
        record(store, undecided(some[0], unassign=True), *batch, run=f"run-{run}")
        with store.transaction(readonly=True) as uow:
            assert uow.ledger.book_sizes() == recounted(uow)


def test_an_account_decided_twice_in_one_batch_is_in_one_book(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "ann"), owned_by("acme", "bob"))
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.book_sizes() == {"bob": 1}
        assert [row.owner_id for row in uow.ledger.history("acme")] == ["ann", "bob"]


def test_a_lead_is_in_nobodys_book(store: Store) -> None:
    lead = Account("lead_1", "Ada", {}, (Ref("hubspot", "contacts", "1"),), kind="lead")
    store.run(lambda uow: uow.accounts.save([lead], MONDAY))
    record(store, owned_by("lead_1", "ann"))
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.book_sizes() == {}


def test_two_runs_at_once_fill_no_book_beyond_what_its_owner_may_have(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"a{number:02}" for number in range(60)]
    know(store, *ids)
    monkeypatch.setattr(assignment, "BATCH", 4)
    halves: list[Wanted] = [lambda each: each.id < "a30", lambda each: each.id >= "a30"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda wanted: assign_accounts(a_run(store), wanted), halves))
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.book_sizes() == recounted(uow) == dict.fromkeys(REPS, MOST)
        assert uow.ledger.current().keys() | uow.exceptions.open_accounts() == set(ids)


def test_two_runs_over_the_same_accounts_give_each_of_them_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [f"a{number:02}" for number in range(30)]
    know(store, *ids)
    monkeypatch.setattr(assignment, "BATCH", 4)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: assign_accounts(a_run(store)), range(2)))
    with store.transaction(readonly=True) as uow:
        assert [len(uow.ledger.history(each)) for each in ids] == [1] * 30
        assert uow.ledger.book_sizes() == recounted(uow) == dict.fromkeys(REPS, 10)


def a_run(store: Store) -> RunContext:
    """One pool has everything, and its reps have room for only so much."""
    policy = Policy(
        "p", rules=(Rule("all", ALWAYS, Assign(pool="pool")),), pools=(Pool("pool", dict.fromkeys(REPS, 1)),)
    )
    roster = Roster({rep: Rep(rep, rep, f"{rep}@x.example", "ae", "t", capacity=MOST) for rep in REPS})
    loaded = LoadedPolicy(policy, roster, policy.policy_hash, "{}")
    return RunContext(Settings(_env_file=None), store, Connectors(), loaded)
