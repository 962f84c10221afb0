"""Records and values as the org stores them, and what a value must look like to be taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from emulators.salesforce.errors import RowError
from emulators.salesforce.schema import NUMBERS, Field
from emulators.world.ids import salesforce_checksum

Record = dict[str, Any]

_SHAPES = {"date": r"\d{4}-\d\d-\d\d", "email": r"[^@\s]+@[^@\s]+\.[^@\s]+"}


def full_id(text: str) -> str | None:
    """The 18-character form of a 15- or 18-character id; None when it is neither or its checksum is wrong."""
    if not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text):
        return None
    whole = text[:15] + salesforce_checksum(text[:15])
    return whole if len(text) == 15 or whole[15:] == text[15:].upper() else None


def plain_value(field: Field, value: Any) -> Any:
    """The value as this field would hold it. Raises `RowError` where Salesforce does not convert."""
    if field.type == "boolean":
        if value in (True, False, "true", "false"):
            return value in (True, "true")
        raise _bad(field, value)
    if field.type in NUMBERS:
        try:
            return int(value) if field.type == "int" else float(value)
        except (TypeError, ValueError):
            raise _bad(field, value) from None
    if not isinstance(value, str):
        raise _bad(field, value)
    if field.length and len(value) > field.length:
        message = f"{field.name}: data value too large: {value[:80]} (max length={field.length})"
        raise RowError("STRING_TOO_LONG", message, (field.name,))
    if field.type == "email" and not re.fullmatch(_SHAPES["email"], value):
        message = f"{field.name}: invalid email address: {value}"
        raise RowError("INVALID_EMAIL_ADDRESS", message, (field.name,))
    if field.type == "date" and not re.fullmatch(_SHAPES["date"], value):
        raise _bad(field, value)
    return value


def _bad(field: Field, value: Any) -> RowError:
    return RowError("JSON_PARSER_ERROR", f"Cannot deserialize instance of {field.type} from value {value!r}")


def live(records: Iterable[Record]) -> list[Record]:
    """Those not in the recycle bin."""
    return [record for record in records if not record["IsDeleted"]]
