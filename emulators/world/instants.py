"""Instants in each vendor's own notation, and a random instant between two others."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

# The world is frozen here unless a caller asks for another moment: a demo can pass its own `as_of`.
AS_OF = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def between(rng: random.Random, earliest: datetime, latest: datetime) -> datetime:
    """A whole second from `earliest` up to `latest`; `earliest` itself when nothing lies between."""
    return earliest + timedelta(seconds=int(rng.random() * max(0.0, (latest - earliest).total_seconds())))


def salesforce_instant(instant: datetime) -> str:
    """As in `SystemModstamp`: 2026-11-20T09:00:00.000+0000."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def hubspot_instant(instant: datetime) -> str:
    """As in `updatedAt` and `hs_lastmodifieddate`: 2026-11-20T09:00:00.000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def plain_instant(instant: datetime) -> str:
    """RFC 3339 to the second, as a database of our own would hold it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
