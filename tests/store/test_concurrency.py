"""Writers wait for each other; none sees an error and no number is given twice."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.context import BaseContext

import pytest

from store.engine import Store, open_store
from store.errors import CursorMoved
from tests.store.business import MONDAY, know, owned_by, record

ROUNDS = 4


def take_over(store: Store, worker: int) -> None:
    for number in range(ROUNDS):
        record(
            store,
            owned_by("acme", f"rep-{worker}"),
            owned_by(f"own-{worker}", f"rep-{number}"),
            run=f"{worker}-{number}",
        )


def take_over_in_process(url: str, worker: int) -> None:
    store = open_store(url)
    store.migrate()
    take_over(store, worker)
    store.close()


def clean_processes() -> BaseContext:
    """Processes that share nothing with this one, and import what they need only once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def check(store: Store, workers: int) -> None:
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.verify() is None
        assert uow.ledger.current() == uow.ledger.rebuild_current()
        assert [row.seq for row in uow.ledger.history("own-0")] == list(range(1, ROUNDS + 1))
        assert len(uow.decisions.latest()) == workers + 1
        assert uow.ledger.book_sizes() == Counter(current.owner_id for current in uow.ledger.current().values())


def test_sixteen_threads_write_the_same_account(store: Store) -> None:
    know(store, "acme", *(f"own-{worker}" for worker in range(16)))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda worker: take_over(store, worker), range(16)))
    check(store, 16)


@pytest.mark.slow
def test_eight_processes_write_the_same_account(store: Store, store_url: str) -> None:
    know(store, "acme", *(f"own-{worker}" for worker in range(8)))
    with ProcessPoolExecutor(8, mp_context=clean_processes()) as pool:
        list(pool.map(take_over_in_process, [store_url] * 8, range(8)))
    check(store, 8)


def test_several_processes_may_create_the_tables_at_once(blank_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create_tables, [blank_url] * 4))


def create_tables(url: str) -> None:
    store = open_store(url)
    store.migrate()
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.current() == {}
    store.close()


def test_a_cursor_moves_only_from_where_it_was_read(store: Store) -> None:
    with store.transaction() as uow:
        assert uow.cursors.get("salesforce", "accounts") is None
        moved = uow.cursors.advance("salesforce", "accounts", "t1", "id1", 0, "run-1", MONDAY)
        assert uow.cursors.get("salesforce", "accounts") == moved
        uow.cursors.advance("salesforce", "accounts", "t2", "", moved.generation, "run-1", MONDAY)
    for stale in (0, 1):
        with pytest.raises(CursorMoved), store.transaction() as uow:
            uow.cursors.advance("salesforce", "accounts", "t0", "", stale, "run-2", MONDAY)
