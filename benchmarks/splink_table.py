"""Records as Splink compares them, normalised as Steward normalises them: the same start for both."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ownership.matching.company import Company
from ownership.matching.normal import normalise

PLACES = ("phone", "street", "city", "postcode", "country")


def splink_table(companies: Iterable[Company]) -> Any:
    """An Arrow table of these records. From here on Splink, which tells of each of its steps, is silent."""
    import pyarrow as pa

    logging.disable(logging.WARNING)
    return pa.Table.from_pylist([_row(company) for company in companies])


def _row(company: Company) -> dict[str, str | None]:
    each = normalise(company)
    return {
        "unique_id": each.id,
        "name": " ".join(each.words) or None,
        "slug": each.slug or None,
        "first": each.words[0] if each.words else None,
        "prefix": each.slug[:6] or None,
        "domain": each.domains[0] if each.domains else None,
        **{name: getattr(each, name) for name in PLACES},
    }
