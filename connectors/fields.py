"""Reading one field of a vendor's row, strictly: a value of the wrong kind is a `BadRecord` that names the field.

Vendors let people store nearly anything; a guess made here would become a wrong owner further down.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from connectors.base import SourceRow
from connectors.errors import BadRecord

LONGEST_TEXT = 4_000  # characters; the longest CRM field we read is 255, so this is damage rather than data
LARGEST_COUNT = 10**15
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class RowReader:
    """Typed access to the fields of one row. Every method raises `BadRecord` on a value of the wrong kind."""

    def __init__(self, row: SourceRow, fields: Mapping[str, Any] | None = None) -> None:
        self._row = row
        self._fields = row.fields if fields is None else fields

    def text(self, field: str) -> str | None:
        """A stripped string, None when missing or empty."""
        value = self._fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.bad(field, f"holds {type(value).__name__} where text belongs")
        if len(value) > LONGEST_TEXT:
            raise self.bad(field, f"is {len(value):,} characters long, more than {LONGEST_TEXT:,}")
        if "\0" in value:
            raise self.bad(field, "holds a NUL character, which no database stores")
        return value.strip() or None

    def count(self, field: str) -> int | None:
        """A whole number that is not negative. Vendors send 12, 12.0, "12" and "12.0"; text is refused."""
        value = self._fields.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.bad(field, f"holds {type(value).__name__} where a number belongs")
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise self.bad(field, f"holds {str(value)[:40]!r} where a number belongs") from None
        if not math.isfinite(number) or number != int(number) or not 0 <= number <= LARGEST_COUNT:
            raise self.bad(field, f"holds {str(value)[:40]!r} where a whole number of 0 or more belongs")
        return int(number)

    def number(self, field: str) -> int | float | None:
        """Any finite number; text that is none is refused."""
        value = self._fields.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            number = float(value) if not isinstance(value, bool) else math.nan
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or abs(number) > LARGEST_COUNT:
            raise self.bad(field, f"holds {str(value)[:40]!r} where a number belongs")
        return int(number) if number.is_integer() else number

    def flag(self, field: str) -> bool:
        """True or false; vendors that only know strings send "true" and "false". Missing means false."""
        return self.flag_if_known(field) or False

    def flag_if_known(self, field: str) -> bool | None:
        """`flag` where missing means that nobody has said."""
        value = self._fields.get(field)
        if value is None or value == "":
            return None
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return value.strip().lower() == "true"
        raise self.bad(field, f"holds {str(value)[:40]!r} where true or false belongs")

    def instant(self, field: str) -> datetime | None:
        """An instant with its offset, from ISO 8601 text, a date, or epoch milliseconds as text."""
        value = self._fields.get(field)
        if value is None or value == "":
            return None
        parsed = to_instant(value)
        if parsed is None:
            raise self.bad(field, f"holds {str(value)[:40]!r} where a date belongs")
        return parsed

    def bad(self, field: str, problem: str) -> BadRecord:
        """The error for this row, with the mend."""
        row = self._row
        return BadRecord(
            row.source,
            f"{row.stream} {row.id}: {field} {problem}",
            code="BAD_FIELD",
            mend=f"Correct {field} of {row.id} in {row.source}, then pull again",
        )


def to_instant(value: object) -> datetime | None:
    """The instant that `value` writes, in UTC; None when it writes none. A time without offset is UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, str):
        return None
    try:
        if value.isdigit() and len(value) >= 12:
            return datetime.fromtimestamp(int(value) / 1000, UTC)
        parsed = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def to_links(**ids: str | None) -> dict[str, str]:
    """Ids of the same company in other systems, without the unknown ones; Salesforce's in the form its API gives."""
    return {source: whole_id(id_) if source == "salesforce" else id_ for source, id_ in ids.items() if id_}


def whole_id(id_: str) -> str:
    """A Salesforce id of 15 characters, as people copy it from an address or a report, with the three that follow from
    its capitals. Anything else stays as it is."""
    if len(id_) != 15 or not (id_.isascii() and id_.isalnum()):
        return id_
    blocks = (id_[start : start + 5] for start in (0, 5, 10))
    return id_ + "".join(_SUFFIX[sum(char.isupper() << place for place, char in enumerate(block))] for block in blocks)


__all__ = ["RowReader", "to_instant", "to_links"]
