"""One spelling for every JSON value, so that equal values have equal hashes on every machine and database.

ASCII only: a NUL or half a surrogate pair in a vendor's text stays an escape, which every database can hold.
Instants and dates come back as what they were, as `{"$instant": …}` and `{"$date": …}`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any


def to_json(value: Any) -> str:
    """Canonical JSON text: sorted keys, no spaces. Raises `TypeError` for what is no value, `ValueError` for a naive
    instant."""
    return _encode(value)


def from_json(text: str) -> Any:
    """The value `to_json` wrote; tuples and sets come back as lists."""
    return json.loads(text, object_hook=_from_plain) if '"$' in text else json.loads(text)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON, as 64 hex digits."""
    return sha256(to_json(value).encode("ascii")).hexdigest()


def to_instant(moment: datetime) -> str:
    """Fixed-width UTC text, which sorts as time does: 2026-03-01T12:00:00.000000Z. Refuses a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; every instant in the store is UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:_INSTANT_WIDTH] + "Z"


def from_instant(text: str) -> datetime:
    """The instant `to_instant` wrote. Raises `ValueError` for any other text."""
    if len(text) != _INSTANT_WIDTH + 1 or text[-1] != "Z":
        raise ValueError(f"'{text}' is no instant of the store")
    return datetime.fromisoformat(text)


_INSTANT_WIDTH = len("2026-03-01T12:00:00.000000")


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$instant": to_instant(value)}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


# Made once: `json.dumps` makes another encoder for every value that is not plain ASCII with default settings.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_to_plain).encode


def _from_plain(value: dict[str, Any]) -> Any:
    if len(value) != 1:
        return value
    try:
        if "$instant" in value:
            return from_instant(value["$instant"])
        if "$date" in value:
            return date.fromisoformat(value["$date"])
    except (TypeError, ValueError):
        return value  # a vendor's own field that happens to be called this
    return value
