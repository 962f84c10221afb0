"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC as UTC_ZONE
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from store.canonical import from_instant, from_json, to_instant, to_json


class UTC(TypeDecorator[datetime]):
    """An instant: timestamptz on PostgreSQL, fixed-width text on SQLite. Refuses naive datetimes with ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = to_instant(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return from_instant(value) if isinstance(value, str) else value.astimezone(UTC_ZONE)


class JsonText(TypeDecorator[Any]):
    """Canonical JSON kept as text. JSONB would refuse NUL, reorder keys and reformat numbers: no byte may change."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else from_json(value)


class Words(TypeDecorator[str]):
    """Text from outside for people to read. What PostgreSQL cannot hold (NUL, half a surrogate pair) becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else readable(value)


def speller(column: Column[Any]) -> Callable[[Any], Any] | None:
    """What turns a value of the column into what both databases read in its place; None: the value itself does."""
    return _SPELLERS.get(type(column.type))


def readable(text: str) -> str:
    """Text as PostgreSQL can hold it: what it cannot becomes U+FFFD."""
    if text.isascii() and "\x00" not in text:  # nearly all text is
        return text
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


_SPELLERS: dict[type[TypeEngine[Any]], Callable[[Any], Any]] = {UTC: to_instant, JsonText: to_json, Words: readable}
