"""Every key figure: its name, how it is worked out in one sentence, and what stands behind it. `docs/kpis.md` says the
same; a test holds the two together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

QUIET_DAYS = 14
STABLE_DAYS = 180
ENOUGH = 20
"""Fewer cases than this on one side say nothing about a difference."""
PERIODS = (30, 90, 365)
FORECAST, BOOKED = "forecast_cents", "booked_cents"
"""Fields of an account that a policy may read from a CRM: what was forecast for its last closed quarter, and what came
of it."""


class Unit(StrEnum):
    SHARE = "share"
    HOURS = "hours"
    COUNT = "count"
    MONEY = "money"
    RATE = "rate"
    POINTS = "points"


class Better(StrEnum):
    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


class Behind(StrEnum):
    """What is listed behind a figure."""

    ACCOUNTS = "accounts"
    OFFERS = "offers"
    MOVES = "moves"
    DRIFT = "drift"
    OUTCOMES = "outcomes"


@dataclass(frozen=True, slots=True)
class Kpi:
    """One key figure. `over_period` figures are about what happened in a period, the others about how things stand.
    `n` says what is counted in it, `listed` which of these are listed behind it."""

    id: str
    name: str
    unit: Unit
    better: Better
    how: str
    n: str
    listed: str
    behind: Behind = Behind.ACCOUNTS
    over_period: bool = False


KPIS = (
    Kpi(
        "unassigned",
        "Unassigned accounts",
        Unit.COUNT,
        Better.LESS,
        "Accounts without an owner of record, or whose owner has left the company.",
        "accounts",
        "accounts without an owner who is here",
    ),
    Kpi(
        "overloaded",
        "Overloaded reps",
        Unit.COUNT,
        Better.LESS,
        "Reps who own more accounts than their capacity of the day, which is lower while they ramp up.",
        "reps with a capacity",
        "accounts of reps who are over their capacity",
    ),
    Kpi(
        "no_activity",
        "Accounts without activity",
        Unit.COUNT,
        Better.LESS,
        f"Owned accounts on which nothing happened for more than {QUIET_DAYS} days (or the days after which the policy "
        "has them forfeited), counted from the last activity or from when the owner got them, whichever is later.",
        "owned accounts",
        "owned accounts without activity",
    ),
    Kpi(
        "coverage",
        "Coverage",
        Unit.SHARE,
        Better.MORE,
        "Accounts whose owner of record is here (a rep who has not left, or a queue), as a share of all accounts; with "
        "`coverage.overlays_count` in the policy, one that somebody only supports counts as well.",
        "accounts",
        "accounts that are not covered",
    ),
    Kpi(
        "territory_coverage",
        "Weakest territory",
        Unit.SHARE,
        Better.MORE,
        "The lowest coverage of all territories that hold accounts; accounts outside every territory count as one.",
        "territories with accounts",
        "accounts that are not covered",
    ),
    Kpi(
        "time_to_ownership",
        "Time to ownership",
        Unit.HOURS,
        Better.LESS,
        "The median time from when an account or lead was first seen until an owner accepted it, or it was given to "
        "somebody who need not be asked; beside it the 90th percentile, and the median from the first offer until one "
        "was accepted. Counted are those first seen in the period, and those that still wait are named but not in the "
        "median.",
        "accounts and leads that got an owner",
        "accounts and leads first seen in the period, the newest first",
        over_period=True,
    ),
    Kpi(
        "sla",
        "Answered in time",
        Unit.SHARE,
        Better.MORE,
        "Offers that were accepted or declined by their due time, as a share of all that were answered or ran out in "
        "the period; offers withdrawn for a newer decision do not count.",
        "offers",
        "offers that were not answered in time",
        Behind.OFFERS,
        over_period=True,
    ),
    Kpi(
        "acceptance",
        "Accepted",
        Unit.SHARE,
        Better.MORE,
        "Offers that were accepted, as a share of all that were accepted, declined or ran out in the period.",
        "offers",
        "offers that were declined or ran out",
        Behind.OFFERS,
        over_period=True,
    ),
    Kpi(
        "reassignment",
        "Reassignment rate",
        Unit.RATE,
        Better.LESS,
        "Changes from one owner of record to another in the period, for each owned account, brought to a quarter of "
        "91 days; a first owner is no change. A team is charged with the accounts it lost.",
        "changes of owner",
        "changes of owner in the period",
        Behind.MOVES,
        over_period=True,
    ),
    Kpi(
        "revenue_per_owner",
        "Revenue per owner",
        Unit.MONEY,
        Better.NEITHER,
        "Annual recurring revenue (twelve times `mrr_cents`) of the accounts of reps who are here, divided by the "
        "number of reps who own at least one; in your billing system's currency. Queues are left out.",
        "owned accounts whose revenue is known",
        "owned accounts, the most revenue first",
    ),
    Kpi(
        "workload_balance",
        "Workload balance",
        Unit.RATE,
        Better.LESS,
        "The Gini coefficient of load, which is accounts owned divided by capacity of the day: 0 when all reps are "
        "equally full, near 1 when one has everything. Reps without a capacity are left out.",
        "reps with a capacity",
        "accounts of reps who are over their capacity",
    ),
    Kpi(
        "contact_known",
        "Primary contact known",
        Unit.SHARE,
        Better.MORE,
        "Accounts with a primary contact (`has_primary_contact`), as a share of all accounts.",
        "accounts",
        "accounts without a primary contact",
    ),
    Kpi(
        "consent_known",
        "Consent recorded",
        Unit.SHARE,
        Better.MORE,
        "Accounts and leads of which `consent` is recorded, whether it is yes or no, as a share of all.",
        "accounts and leads",
        "accounts and leads of which nobody knows",
    ),
    Kpi(
        "drift",
        "Owners overwritten outside",
        Unit.COUNT,
        Better.LESS,
        "Owners that others wrote over ours in a connected system and that were found in the period; the bars tell "
        "whose hand it was and what was done.",
        "events",
        "owners written over in the period",
        Behind.DRIFT,
        over_period=True,
    ),
    Kpi(
        "renewal_lift",
        "Renewal lift of stable owners",
        Unit.POINTS,
        Better.MORE,
        f"Of the accounts that renewed or were lost in the period, the share that renewed where the owner had been the "
        f"same for {STABLE_DAYS} days, minus that share where not. A renewal is a renewal day (`renewal_on`) that "
        "moved on while the account pays; a loss is an account that stopped paying or churned. Both are seen by "
        f"comparing one night with the next; with fewer than {ENOUGH} cases on either side nothing is said.",
        "renewals and losses",
        "renewals and losses in the period",
        Behind.OUTCOMES,
        over_period=True,
    ),
    Kpi(
        "expansion_lift",
        "Expansion lift of stable owners",
        Unit.POINTS,
        Better.MORE,
        f"Of the changes of revenue of paying accounts in the period, the share that were increases where the owner "
        f"had been the same for {STABLE_DAYS} days, minus that share where not; seen by comparing one night with the "
        f"next, and with fewer than {ENOUGH} changes on either side nothing is said.",
        "changes of revenue",
        "changes of revenue in the period",
        Behind.OUTCOMES,
        over_period=True,
    ),
    Kpi(
        "forecast_delta",
        "Forecast accuracy of stable owners",
        Unit.POINTS,
        Better.MORE,
        f"Forecast accuracy, 1 minus the sum of misses |`{FORECAST}` − `{BOOKED}`| over the sum of `{BOOKED}`, of "
        f"accounts whose owner has been the same for {STABLE_DAYS} days, minus that of the others; it needs both "
        f"fields on {ENOUGH} accounts of either side.",
        "accounts with a forecast and an outcome",
        "accounts with a forecast and an outcome",
    ),
)
BY_ID = {kpi.id: kpi for kpi in KPIS}
REVIEW = ("unassigned", "overloaded", "no_activity")
"""What leaders look through each month."""
