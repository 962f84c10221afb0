"""Databases for tests: whoever asks for one runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from store.engine import Store, open_store

BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@event.listens_for(Engine, "connect")
def without_fsync(connection: Any, _record: object) -> None:
    """No power fails here: what a killed process leaves is the same, and a commit costs a tenth."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "steward.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> str:
    """A migrated, empty database."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    shutil.copy(sqlite_template, tmp_path / "steward.db")
    return f"sqlite:///{tmp_path}/steward.db"


@pytest.fixture(params=BOTH)
def new_database(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Callable[[], str]]:
    """Gives a migrated, empty database each time it is called."""
    with ExitStack() as until_the_end:
        if request.param == "postgres":
            server = request.getfixturevalue("postgres_server")
            yield lambda: until_the_end.enter_context(server.database())
            return
        numbers = count()

        def copied() -> str:
            path = tmp_path / f"database-{next(numbers)}.db"
            shutil.copy(sqlite_template, path)
            return f"sqlite:///{path}"

        yield copied


@pytest.fixture(params=BOTH)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("blank_postgres_url")
        return url
    return f"sqlite:///{tmp_path}/not/yet/made/steward.db"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()
