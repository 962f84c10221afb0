"""Migrations, and what is said when the database cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from store import migrations
from store.engine import Store, open_store
from store.errors import StoreUnavailable
from store.tables import metadata
from tests.store.business import MONDAY, know


def test_the_migrations_give_the_tables_the_code_expects(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        ours = {"include_name": lambda name, kind, within: "trigram" not in (name or "")}
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), metadata) == []
    engine.dispose()


def test_the_tables_can_be_taken_down_and_put_up_again(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        migrations.downgrade(connection, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    with engine.begin() as connection:
        migrations.upgrade(connection)
        assert migrations.is_current(connection)
    engine.dispose()


def test_a_readonly_transaction_refuses_to_write(store: Store) -> None:
    with pytest.raises(DBAPIError), store.transaction(readonly=True) as uow:
        uow.policies.put("p1", "{}", MONDAY)
    know(store, "acme")  # the connection is usable for writing again


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/steward/steward.db",
        "postgresql://nobody@127.0.0.1:1/none",
        "sqlite://",
        "mysql://x/y",
        "nonsense",
    ],
)
def test_a_database_that_cannot_be_used_says_what_to_mend(url: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"STEWARD_DATABASE_URL|sqlite:///"):
        open_store(url)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "steward.db").write_text("this is a spreadsheet, not a database. " * 100)
    with pytest.raises(StoreUnavailable, match="STEWARD_DATABASE_URL"):
        open_store(f"sqlite:///{tmp_path}/steward.db")
