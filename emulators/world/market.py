"""How Northwind Data divides its market: how big a company is, and which team it belongs to.

These tables say who *was* given an account over the years. The policy that decides who owns it now is elsewhere.
"""

from __future__ import annotations

import math
import random

from emulators.world.companies import Company

ENTERPRISE_EMPLOYEES = 1_000
MID_MARKET_EMPLOYEES = 100

# Staff by band of market value: a rough but steady guess, since the public data has no head counts.
EMPLOYEES_BY_SIZE = {
    "mega": (40_000, 250_000),
    "large": (400, 40_000),
    "mid": (220, 980),
    "small": (80, 420),
    "micro": (25, 180),
    "nano": (5, 60),
    "": (30, 600),
}

FINANCIAL_INDUSTRIES = frozenset(
    {
        "Banks",
        "Capital Markets",
        "Consumer Finance",
        "Diversified Financial Services",
        "Diversified Financials",
        "Insurance",
        "Thrifts & Mortgage Finance",
    }
)

# The mid-market team of each country we sell in. A country that is not here has no team: nobody owns it yet.
MID_MARKET_TEAM = {
    country: team
    for team, countries in {
        "mm-canada": ("Canada",),
        "mm-uki": ("United Kingdom", "Ireland"),
        "mm-dach": ("Germany", "Austria", "Switzerland", "Netherlands", "Belgium", "Luxembourg"),
        "mm-south-europe": ("Spain", "Italy", "Portugal", "Greece", "France"),
        "mm-nordics": ("Sweden", "Norway", "Denmark", "Finland", "Iceland"),
        "mm-latam": ("Brazil", "Mexico", "Chile", "Argentina", "Colombia", "Peru"),
        "mm-apac": (
            "Japan",
            "Australia",
            "New Zealand",
            "Singapore",
            "Hong Kong",
            "India",
            "South Korea",
            "Taiwan",
            "Malaysia",
            "Indonesia",
            "Thailand",
        ),
    }.items()
    for country in countries
}
WESTERN_STATES = frozenset(
    ("AK", "AZ", "CA", "CO", "HI", "ID", "KS", "MT", "ND", "NE", "NM", "NV", "OK", "OR", "SD", "TX", "UT", "WA", "WY")
)
ENTERPRISE_TEAM = {
    "mm-us-east": "ent-amer",
    "mm-us-west": "ent-amer",
    "mm-canada": "ent-amer",
    "mm-latam": "ent-amer",
    "mm-uki": "ent-emea",
    "mm-dach": "ent-emea",
    "mm-south-europe": "ent-emea",
    "mm-nordics": "ent-emea",
    "mm-apac": "ent-apac",
}


def employees_of(company: Company) -> int:
    """A head count within the company's size band: the same for the same company in every world."""
    low, high = EMPLOYEES_BY_SIZE[company.size]
    place = random.Random(f"employees:{company.key}").random()
    return round(math.exp(math.log(low) + place * (math.log(high) - math.log(low))))


def segment_of(employees: int) -> str:
    """Enterprise, Mid-Market or SMB, spelled as the CRM's picklist has it."""
    if employees >= ENTERPRISE_EMPLOYEES:
        return "Enterprise"
    return "Mid-Market" if employees >= MID_MARKET_EMPLOYEES else "SMB"


def team_of(company: Company, employees: int) -> str | None:
    """The team a company belongs to; None in a country where we have nobody."""
    region = _region_of(company)
    segment = segment_of(employees)
    if region is None:
        return None
    if segment == "SMB":
        return "smb"
    if company.country == "United States" and company.industry in FINANCIAL_INDUSTRIES:
        return "financials"
    return ENTERPRISE_TEAM[region] if segment == "Enterprise" else region


def _region_of(company: Company) -> str | None:
    if company.country != "United States":
        return MID_MARKET_TEAM.get(company.country)
    return "mm-us-west" if company.state in WESTERN_STATES else "mm-us-east"
