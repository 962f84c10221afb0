"""Even who may rewrite the whole database cannot change what was sealed without its showing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, create_engine, select, text, update

from ownership.model import Decision, Outcome, Step
from store.engine import Store
from store.ledger import FIRST_PREV_HASH, chain_hash
from store.recording import Recording
from store.seals import BrokenSeal, Seal
from store.tables import assignment_ledger, decision
from tests.store.business import MONDAY, days, know, owned_by, record

KEY = "a key kept elsewhere"


def two_sealed_days(store: Store) -> list[Seal]:
    know(store, "acme", "zenith")
    for number, owner in enumerate(["bo", "cy"]):
        record(
            store, owned_by("acme", owner), owned_by("zenith", owner), run=f"run-{number}", now=MONDAY + days(number)
        )
        assert seal(store, MONDAY + days(number + 0.5)) is not None
    with store.transaction(readonly=True) as uow:
        return uow.seals.all()


def seal(store: Store, now: object, key: str = KEY) -> Seal | None:
    return store.run(lambda uow: uow.seals.add(key, "run-seal", now))  # type: ignore[arg-type]


def broken(store: Store, key: str = KEY, roots: list[tuple[int, str]] | None = None) -> BrokenSeal | None:
    with store.transaction(readonly=True) as uow:
        return uow.seals.verify(key, roots or [])


def as_administrator(url: str, *statements: object) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE assignment_ledger DISABLE TRIGGER USER"))
        else:
            connection.execute(text("DROP TRIGGER IF EXISTS assignment_ledger_no_update"))
            connection.execute(text("DROP TRIGGER IF EXISTS assignment_ledger_no_delete"))
        for statement in statements:
            statement(connection) if callable(statement) else connection.execute(text(str(statement)))
    engine.dispose()


def rewrite_history(connection: Connection) -> None:
    """Make Eve the first owner of Acme, and work out every hash of the chain anew."""
    columns = assignment_ledger.c
    prev = FIRST_PREV_HASH
    for row in connection.execute(
        select(assignment_ledger).where(columns.account_id == "acme").order_by(columns.seq)
    ).all():
        new = dict(row._mapping) | {"prev_hash": prev}
        new |= {"owner_id": "eve"} if row.seq == 1 else {"prev_owner_id": "eve"}
        prev = new["row_hash"] = chain_hash(new)
        connection.execute(update(assignment_ledger).where(columns.ledger_id == row.ledger_id).values(new))


def test_each_seal_covers_what_was_recorded_since_the_one_before(store: Store) -> None:
    seals = two_sealed_days(store)
    assert [(each.seal_no, each.ledger_rows, each.decisions) for each in seals] == [(1, 2, 2), (2, 2, 2)]
    assert broken(store) is None
    assert broken(store, roots=[(each.seal_no, each.root) for each in seals]) is None


def test_what_was_recorded_within_the_last_hour_waits_for_the_next_seal(store: Store) -> None:
    know(store, "acme")
    record(store, owned_by("acme", "bo"), now=MONDAY)
    assert seal(store, MONDAY + timedelta(minutes=30)) is None
    sealed = seal(store, MONDAY + timedelta(minutes=90))
    assert sealed is not None
    assert sealed.ledger_rows == 1
    assert seal(store, MONDAY + timedelta(minutes=120)) is None


def test_a_history_written_anew_with_all_its_hashes_holds_as_a_chain_but_not_as_sealed(
    store: Store, store_url: str
) -> None:
    two_sealed_days(store)
    as_administrator(store_url, rewrite_history)
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.verify() is None, "the control: the chain alone does not show it"
    found = broken(store)
    assert found is not None
    assert str(found) == "seal 1, up to 2026-03-02 20:00 UTC: what it covers was altered"


def test_seals_written_anew_too_do_not_have_the_root_that_was_kept_elsewhere(store: Store, store_url: str) -> None:
    kept = [(each.seal_no, each.root) for each in two_sealed_days(store)]
    as_administrator(store_url, rewrite_history, "DELETE FROM ledger_seal")
    assert seal(store, MONDAY + days(2), key="") is not None
    assert broken(store) is None, "the control: without the root that was kept, it holds"
    found = broken(store, roots=kept[:1])
    assert found is not None
    assert found.problem == "its root is not the one that was kept elsewhere"
    missing = broken(store, roots=kept[1:])
    assert missing is not None
    assert missing.problem == "it was kept elsewhere and is missing here"


def test_seals_made_without_the_key_do_not_bear_its_signature(store: Store, store_url: str) -> None:
    two_sealed_days(store)
    as_administrator(store_url, rewrite_history, "DELETE FROM ledger_seal")
    assert seal(store, MONDAY + days(2), key="a guess") is not None
    found = broken(store)
    assert found is not None
    assert found.problem == "its signature was made with another key"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE decision SET reason = 'named' WHERE account_id = 'acme'", "what it covers was altered"),
        (
            "DELETE FROM assignment_ledger WHERE account_id = 'zenith'",
            "2 ledger rows and 2 decisions were sealed, 1 and 2 are there",
        ),
        ("DELETE FROM ledger_seal WHERE seal_no = 1", "seal 1 is missing"),
    ],
)
def test_whatever_is_changed_or_taken_away_shows(store: Store, store_url: str, statement: str, problem: str) -> None:
    two_sealed_days(store)
    as_administrator(store_url, statement)
    found = broken(store)
    assert found is not None
    assert found.problem == problem


def test_a_row_slipped_in_with_an_old_date_shows(store: Store) -> None:
    two_sealed_days(store)
    know(store, "late")
    record(store, owned_by("late", "eve"), run="run-late", now=MONDAY)
    found = broken(store)
    assert found is not None
    assert found.problem == "2 ledger rows and 2 decisions were sealed, 3 and 3 are there"


def test_a_sentence_of_an_explanation_that_was_changed_shows(store: Store, store_url: str) -> None:
    know(store, "acme")
    path = (Step("territory", True, "it lies in EMEA"),)
    made = Decision("acme", Outcome.OWNER, "territory", "emea", "bo", path=path, policy_hash="p1", inputs_hash="in")
    record(store, Recording(made, {}))
    with store.transaction(readonly=True) as uow:
        assert uow.seals.altered_texts() == []
    as_administrator(store_url, "UPDATE explanation SET said = replace(said, 'EMEA', 'APAC')")
    with store.transaction(readonly=True) as uow:
        assert len(uow.seals.altered_texts()) == 1


def test_a_decision_holds_everything_a_seal_is_made_of() -> None:
    """A column added to decisions later is either sealed or known to be left out."""
    from store.seals import _DECIDED

    assert {column.name for column in decision.columns} - set(_DECIDED) == {"idem_key", "run_id", "recorded_at"}
