"""Migrations of the tables, run from code: there is no alembic.ini, and no working directory matters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

FOLDER = Path(__file__).parent
_LOCK = 0x57E3A6D  # any fixed number: the advisory lock all processes that migrate one PostgreSQL database take


def is_current(connection: Connection) -> bool:
    """Whether the database is at the newest revision."""
    return MigrationContext.configure(connection).get_current_revision() == _newest()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate up within the connection's transaction. SQLite's write lock is held already by BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    command.upgrade(_config(connection), revision)


def downgrade(connection: Connection, revision: str) -> None:
    """Migrate down within the connection's transaction. "base" drops every table with all that is in it."""
    command.downgrade(_config(connection), revision)


@cache
def _newest() -> str | None:
    # Alembic runs every migration's file to find it, and each run of a flow asks.
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
