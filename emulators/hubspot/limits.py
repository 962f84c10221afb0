"""HubSpot's rate limits: a rolling ten-second window and a day for everything, and five a second for search.

Published for a privately distributed app on Professional and Enterprise: 190 calls in 10 s, 625,000 (Professional) or
1,000,000 (Enterprise) a day; search has 5 a second for the whole account and does not count towards the ten seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from emulators.hubspot.errors import secondly_limit, window_limit
from emulators.windows import Window


@dataclass(frozen=True, slots=True)
class Limits:
    """How many calls in how long. A test may shorten the windows; the defaults are the vendor's."""

    burst: int = 190
    burst_window: timedelta = timedelta(seconds=10)
    search: int = 5
    search_window: timedelta = timedelta(seconds=1)
    daily: int = 1_000_000


class Meter:
    """The limits of one account, kept by its clock."""

    def __init__(self, limits: Limits, now: Callable[[], datetime]) -> None:
        self._limits, self._now = limits, now
        self._burst = Window(limits.burst, limits.burst_window)
        self._search = Window(limits.search, limits.search_window)
        self._day, self._today = now().date(), 0

    def count(self, *, search: bool) -> None:
        """Raises `HubSpotError` 429 when the call is over a limit."""
        at = self._now()
        if at.date() != self._day:
            self._day, self._today = at.date(), 0
        if self._today >= self._limits.daily:
            raise window_limit("DAILY")
        if search and not self._search.take(at):
            raise secondly_limit()
        if not search and not self._burst.take(at):
            raise window_limit("TEN_SECONDLY_ROLLING")
        self._today += 1

    def headers(self, *, search: bool) -> dict[str, str]:
        """The headers a call carries; search shows the day only, as recorded."""
        daily = {
            "X-HubSpot-RateLimit-Daily": str(self._limits.daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(self._limits.daily - self._today),
        }
        if search:
            return daily
        return daily | {
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self._limits.burst_window.total_seconds() * 1000)),
            "X-HubSpot-RateLimit-Max": str(self._limits.burst),
            "X-HubSpot-RateLimit-Remaining": str(self._burst.remaining),
        }
