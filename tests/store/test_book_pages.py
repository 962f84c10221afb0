"""A book is read a page at a time, each account and lead of its owner once, whatever they are called."""

from __future__ import annotations

import pytest

from ownership.model import Account
from store.engine import Store
from tests.store.business import MONDAY, days, owned_by, record, salesforce

NAMES = ["Zenith", "acme", "Acme", "ACME", "Ångström", "Acme", "日本電気", "'; drop table", "100%", "", "é", "e\u0301"]
"""One of them twice, some with no letter of ours: which comes first is the database's own affair."""


def put(store: Store, *accounts: Account, owner: str = "ann") -> None:
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))
    record(store, *(owned_by(each.id, owner) for each in accounts))


def named(id_: str, name: str, kind: str = "account", parent: str | None = None) -> Account:
    return Account(id_, name, {}, (salesforce(id_),), parent, kind=kind)


def in_pages(store: Store, owner: str, size: int) -> list[str]:
    """The ids of a book, read as somebody does who always asks for what comes next."""
    seen: list[str] = []
    after: tuple[str, str] | None = None
    with store.transaction(readonly=True) as uow:
        while page := uow.books.page(owner, after, size):
            seen += [entry.account_id for entry in page]
            after = (page[-1].name, page[-1].account_id)
    return seen


@pytest.mark.parametrize("size", [1, 5, 50])
def test_each_is_on_one_page_whatever_the_size_of_a_page(store: Store, size: int) -> None:
    put(store, *(named(f"a{number:02}", name) for number, name in enumerate(NAMES)))
    put(store, named("b", "Of somebody else"), owner="bob")
    seen = in_pages(store, "ann", size)
    assert sorted(seen) == [f"a{number:02}" for number in range(len(NAMES))]
    assert seen == in_pages(store, "ann", 100)


def test_what_is_gone_or_went_to_somebody_else_is_in_it_no_more(store: Store) -> None:
    put(store, named("kept", "Kept"), named("gone", "Gone"), named("given", "Given"), named("lead", "Lead", "lead"))
    store.run(lambda uow: uow.accounts.mark_gone(["gone"], MONDAY))
    record(store, owned_by("given", "bob", offer_due_by=MONDAY + days(1)), run="run-2", now=MONDAY + days(0.5))
    with store.transaction(readonly=True) as uow:
        assert [entry.account_id for entry in uow.books.page("ann", None, 10)] == ["kept", "lead"]
        assert uow.books.sizes("ann") == {"account": 1, "lead": 1}
        (given,) = uow.books.page("bob", None, 10)
        assert (given.name, given.kind, given.acceptance_state) == ("Given", "account", "offered")
        assert given.since == MONDAY + days(0.5)
        assert uow.books.page("nobody", None, 10) == []
        assert uow.books.sizes("nobody") == {}


def test_below_an_account_are_its_live_children_alone_accounts_first(store: Store) -> None:
    put(store, named("top", "Top"), named("z", "Zeta", parent="top"), named("a", "Alpha", parent="top"))
    put(store, named("jo", "Jo", "lead", "top"), named("old", "Old", parent="top"), named("deep", "Deep", parent="z"))
    store.run(lambda uow: uow.accounts.mark_gone(["old"], MONDAY))
    with store.transaction(readonly=True) as uow:
        assert [each.id for each in uow.accounts.below("top")] == ["a", "z", "jo"]
        assert uow.accounts.below("a") == []


def test_owned_outside_only_is_what_a_system_shows_an_owner_of_and_nobody_has_here(store: Store) -> None:
    shown = [
        Account(id_, id_, {}, (salesforce(id_),), None, {salesforce(id_): "ann"}, kind)
        for id_, kind in (("ours", "account"), ("theirs", "account"), ("gone", "account"), ("lead", "lead"))
    ]
    store.run(lambda uow: uow.accounts.save([*shown, named("nobodys", "Nobody's")], MONDAY))
    store.run(lambda uow: uow.accounts.mark_gone(["gone"], MONDAY))
    record(store, owned_by("ours", "bob"))
    with store.transaction(readonly=True) as uow:
        assert [each.id for each in uow.accounts.owned_outside_only()] == ["theirs"]
