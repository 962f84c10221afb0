"""The ledger cannot be changed unnoticed, and answers for any day as known on any other."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from store.canonical import to_instant
from store.engine import Store
from tests.store.business import MONDAY, days, know, owned_by, record


def three_owners(store: Store) -> None:
    know(store, "acme", "zenith")
    for number, owner in enumerate(["bo", "cy", "dee"]):
        batch = [owned_by("acme", owner), owned_by("zenith", owner)]
        record(store, *batch, run=f"run-{number}", now=MONDAY + days(number))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE assignment_ledger SET owner_id = 'x'", "DELETE FROM assignment_ledger", "TRUNCATE assignment_ledger"],
)
def test_the_ledger_refuses_to_be_changed(store: Store, store_url: str, statement: str) -> None:
    three_owners(store)
    if store_url.startswith("sqlite") and statement.startswith("TRUNCATE"):
        statement = "DELETE FROM assignment_ledger WHERE seq = 1"  # SQLite's way to empty a table
    engine = create_engine(store_url)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE assignment_ledger SET owner_id='eve' WHERE account_id='zenith' AND seq=2", ("zenith", 2)),
        ("DELETE FROM assignment_ledger WHERE account_id='acme' AND seq=2", ("acme", 2)),
        ("DELETE FROM assignment_ledger WHERE account_id='acme' AND seq=3", ("acme", 3)),
        ("DELETE FROM assignment_ledger WHERE account_id='acme'", ("acme", 1)),
        ("UPDATE ownership_current SET owner_id='eve' WHERE account_id='zenith'", ("zenith", 3)),
    ],
)
def test_verification_names_the_first_position_that_is_not_as_written(
    store: Store, store_url: str, statement: str, broken_at: tuple[str, int]
) -> None:
    three_owners(store)
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.verify() is None
    tamper(store_url, statement)
    with store.transaction(readonly=True) as uow:
        broken = uow.ledger.verify()
    assert broken is not None
    assert (broken.account_id, broken.seq) == broken_at


def tamper(url: str, statement: str) -> None:
    """Change the ledger as a database administrator could."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE assignment_ledger DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER assignment_ledger_no_update"))
            connection.execute(text("DROP TRIGGER assignment_ledger_no_delete"))
        connection.execute(text(statement))
    engine.dispose()


def test_who_owned_it_then_as_we_knew_it_then(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"), run="run-1", now=MONDAY)
    record(store, owned_by("acme", "cy"), run="run-2", now=MONDAY + days(10))
    backdated = owned_by("acme", "dee", valid_from=MONDAY + days(5))
    record(store, backdated, run="run-3", now=MONDAY + days(12))

    def owner(as_of: datetime, known_at: datetime) -> str | None:
        with store.transaction(readonly=True) as uow:
            row = uow.ledger.as_of("acme", as_of, known_at)
        return row.owner_id if row else None

    assert owner(MONDAY - days(1), MONDAY + days(99)) is None
    assert owner(MONDAY + days(6), MONDAY + days(11)) == "bo"
    assert owner(MONDAY + days(6), MONDAY + days(12)) == "dee"
    assert owner(MONDAY + days(11), MONDAY + days(11)) == "cy"
    assert owner(MONDAY + days(11), MONDAY + days(12)) == "dee"


def test_an_instant_without_a_time_zone_is_refused(store: Store) -> None:
    know(store, "acme")
    naive = MONDAY.replace(tzinfo=None)
    with pytest.raises(Exception, match="has no time zone"):
        record(store, owned_by("acme", "bo"), now=naive)
    with pytest.raises(ValueError, match="has no time zone"):
        to_instant(naive)
