"""Why an account was decided as it was can always be read again, and what many decisions say alike is kept once."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, create_engine, text

from ownership.model import Candidate, Decision, Step
from store import migrations
from store.engine import Store, open_store
from store.recording import Recording
from tests.store.business import MONDAY, days, know, owned_by, record

PATH = (Step("named", False, "not a named account"), Step("territory", True, "DACH: next in turn"))
CANDIDATES = (Candidate("ann", True, "next in turn"), Candidate("bob", False, "is on leave until 2026-03-06"))


def explained(account_id: str, *path: Step) -> Recording:
    given = owned_by(account_id, "ann")
    return replace(given, decision=replace(given.decision, path=path or PATH, candidates=CANDIDATES))


def decision(store: Store, account_id: str) -> Decision:
    with store.transaction(readonly=True) as uow:
        found = uow.decisions.explanation(account_id)
    assert found is not None
    return found.decision


def texts_kept(url: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        count: int = connection.execute(text("SELECT count(*) FROM explanation")).scalar_one()
    engine.dispose()
    return count


def test_what_decisions_say_alike_is_kept_once(store: Store, store_url: str) -> None:
    know(store, "acme", "zenith", "apex")
    record(store, explained("acme"), explained("zenith"), run="run-1")
    assert texts_kept(store_url) == 2
    record(store, explained("apex", *PATH[1:]), run="run-2", now=MONDAY + days(1))
    assert texts_kept(store_url) == 3
    assert decision(store, "zenith") == explained("zenith").decision
    assert decision(store, "apex").path == PATH[1:]


def test_explanations_from_before_they_were_shared_are_still_there(store: Store, store_url: str) -> None:
    know(store, "acme", "zenith")
    record(store, explained("acme"), owned_by("zenith", "bob"))
    engine = create_engine(store_url)
    with engine.begin() as connection:
        migrations.downgrade(connection, "0002")
        before = as_before(connection)
    with engine.begin() as connection:
        migrations.upgrade(connection)
    assert decision(store, "acme") == explained("acme").decision
    assert decision(store, "zenith").path == ()
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.book_sizes() == {"ann": 1, "bob": 1}
    with engine.begin() as connection:
        migrations.downgrade(connection, "0002")
        assert as_before(connection) == before
    engine.dispose()
    assert before["acme"][0].startswith('[{"because":"not a named account","matched":false,"rule":"named"},')


def as_before(connection: Connection) -> dict[str, tuple[str, str]]:
    rows = connection.execute(text("SELECT account_id, path, candidates FROM decision"))
    return {account_id: (path, candidates) for account_id, path, candidates in rows}


def test_a_database_of_the_version_before_is_brought_up_to_date_on_opening(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        migrations.downgrade(connection, "0001")
    engine.dispose()
    store = open_store(store_url)
    store.migrate()
    know(store, "acme")
    record(store, explained("acme"))
    assert decision(store, "acme") == explained("acme").decision
    store.close()
