"""Public holidays by country and part of it, from the library `holidays`, and the versions that say so."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache
from importlib.metadata import version

import holidays


@lru_cache(maxsize=1024)
def known_holidays(code: str) -> bool:
    """Whether there are holidays for "DE" or "US-NY": a country, optionally with a part of it, in the library's words.

    The library would also take its own class names and stock exchanges for a country, so we ask its list first.
    """
    country, dash, part = code.partition("-")
    if country not in _countries() or (dash and not part):
        return False
    try:
        holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        return False
    return True


@cache
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries())


@lru_cache(maxsize=2048)
def holiday_dates(code: str, year: int) -> frozenset[date]:
    """The public holidays that fall into this year, and the days they are observed on when that is another.

    None are known for years far ahead, and for some countries (Sri Lanka) for little more than the current one: the
    library then warns. Raises ValueError for a code that is not known.
    """
    if not known_holidays(code):
        raise ValueError(f"'{code}' is no country whose holidays are known; they look like 'DE' or 'US-NY'")
    country, _, part = code.partition("-")
    # The library fills years in as they are asked for, unless told the year and not to.
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year, expand=False))


def holiday_versions() -> dict[str, str]:
    """Which holidays and time zones are in force. Both change several times a year, some holidays days ahead."""
    return {package: version(package) for package in ("holidays", "tzdata")}
