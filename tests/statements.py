"""Statements compiled for one test serve the next: a test opens its own database, and with it an engine whose cache is
empty. A fifth of the time of the tests that use the store went into compiling the same statements again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from store import engine


class CompiledByDatabase(dict[Any, Any]):
    """Compiled statements by the name of the database and the statement, whichever engine compiled them first."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_shared(key), compiled)


def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *statement = key
    return dialect.name, *statement


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> None:
    """Every store that is opened in this process uses one cache."""
    cache = CompiledByDatabase()

    def create(*arguments: Any, **options: Any) -> Engine:
        return create_engine(*arguments, execution_options={"compiled_cache": cache}, **options)

    engine.create_engine = create  # type: ignore[attr-defined]
