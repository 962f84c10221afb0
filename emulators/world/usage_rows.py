"""Product usage as the world shows it: one row for each workspace, as a warehouse table would have it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from emulators.world import proportions as share
from emulators.world.ids import workspace_id
from emulators.world.instants import between, plain_instant
from emulators.world.standings import Standing, pick
from emulators.world.stripe_rows import customer_id

Row = dict[str, Any]

FREE_MAIL_DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "proton.me", "gmx.de")
SEATS_BY_SEGMENT = {"Enterprise": (20, 800), "Mid-Market": (4, 110), "SMB": (1, 20)}

_TABLE = """
CREATE TABLE workspace_usage (
    workspace_id TEXT PRIMARY KEY,
    workspace_name TEXT NOT NULL,
    owner_email TEXT,
    stripe_customer_id TEXT,
    active_seats INTEGER NOT NULL,
    last_seen_at TEXT,
    updated_at TEXT NOT NULL
)
"""
_INSERT = """
INSERT INTO workspace_usage
VALUES (:workspace_id, :workspace_name, :owner_email, :stripe_customer_id, :active_seats, :last_seen_at, :updated_at)
"""


def workspace_rows(standings: Sequence[Standing], as_of: datetime, seed: int) -> list[Row]:
    """Workspaces that carry a Stripe customer, that show only an address, and that nobody in a CRM knows."""
    rng = random.Random(f"{seed}:usage")
    size = len(standings)
    payers = [s.number for s in standings if s.pays and s.in_a_crm]
    others = [s.number for s in standings if not s.pays and s.in_a_crm]
    by_stripe = pick(rng, payers, share.count(share.USAGE_BY_STRIPE_SHARE, size))
    by_email = pick(rng, others, share.count(share.USAGE_BY_EMAIL_SHARE, size))
    free_mail = pick(rng, set(others) - by_email, share.count(share.USAGE_FREE_MAIL_SHARE, size))
    shadow = pick(rng, (s.number for s in standings if s.is_shadow), share.count(share.USAGE_SHADOW_SHARE, size))
    using = by_stripe | by_email | free_mail | shadow
    return [
        _workspace(rng, standing, as_of, billed=standing.number in by_stripe, free_mail=standing.number in free_mail)
        for standing in standings
        if standing.number in using
    ]


def write_usage_db(rows: Sequence[Row], path: Path) -> None:
    """Write the rows to a new SQLite file with one table, `workspace_usage`; an older file at `path` is replaced."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    try:
        with database:
            database.execute(_TABLE)
            database.executemany(_INSERT, rows)
    finally:
        database.close()


def _workspace(rng: random.Random, standing: Standing, as_of: datetime, *, billed: bool, free_mail: bool) -> Row:
    company = standing.company
    label = company.domain.split(".", 1)[0]
    low, high = SEATS_BY_SEGMENT[standing.segment]
    seen_at = between(rng, as_of - timedelta(days=120), as_of)
    address = f"{label}.team@{rng.choice(FREE_MAIL_DOMAINS)}" if free_mail else f"admin@{company.domain}"
    return {
        "workspace_id": workspace_id(standing.number),
        "workspace_name": rng.choice((company.name, label, f"{label}-prod")),
        "owner_email": address,
        "stripe_customer_id": customer_id(standing.number) if billed else None,
        "active_seats": rng.randrange(low, high),
        "last_seen_at": plain_instant(seen_at),
        "updated_at": plain_instant(between(rng, seen_at, as_of)),
    }
