"""Outreach's rate limit: 10,000 calls an hour for one user, told in three headers of every answer.

Retry-After is published as an alias of X-RateLimit-Reset, which clients read as epoch seconds: both hold that here.
Unverified on real traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from emulators.outreach.errors import too_many

WINDOW = timedelta(hours=1)


class Meter:
    """Counts the calls of fixed windows, kept by the organisation's clock."""

    def __init__(self, limit: int, now: Callable[[], datetime]) -> None:
        self._limit, self._now = limit, now
        self._ends, self._taken = now() + WINDOW, 0

    def count(self) -> None:
        """Raises `OutreachError` 429 when the hour is used up."""
        if self._now() >= self._ends:
            self._ends, self._taken = self._now() + WINDOW, 0
        if self._taken >= self._limit:
            error = too_many(self._limit, self._ends)
            error.headers["Retry-After"] = self._reset
            raise error
        self._taken += 1

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Remaining": str(self._limit - self._taken),
            "X-RateLimit-Reset": self._reset,
        }

    @property
    def _reset(self) -> str:
        return str(round(self._ends.timestamp() + 0.5))
