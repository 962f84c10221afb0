"""How the same company, country or site is spelled by different hands."""

from __future__ import annotations

import random

LEGAL_FORMS = (
    (", Inc.", (" Inc", ", Incorporated", " Corporation", "")),
    (" Inc.", (", Inc", " Incorporated", " Corporation", "")),
    (" Corporation", (" Corp.", " Corp", ", Inc.")),
    (" Corp.", (" Corporation", " Corp")),
    (" Company Limited", (" Co Ltd", " Company Ltd.")),
    (" Co., Ltd.", (" Co Ltd", " Company Limited")),
    (" Limited", (" Ltd", " Ltd.")),
    (" Ltd.", (" Limited", " Ltd")),
    (" plc", (" PLC", " P.L.C.", "")),
    (" S.A.", (" SA", "")),
    (" S.p.A.", (" SpA", " SPA")),
    (" N.V.", (" NV", "")),
    (" AG", (" Aktiengesellschaft", "")),
    (" Holdings", (" Holding", " Hldgs")),
)

COUNTRY_CODES = {
    "United States": "US",
    "United Kingdom": "GB",
    "Germany": "DE",
    "Canada": "CA",
    "Australia": "AU",
    "France": "FR",
    "Italy": "IT",
    "Japan": "JP",
    "Sweden": "SE",
    "Brazil": "BR",
    "India": "IN",
    "Spain": "ES",
    "Switzerland": "CH",
    "Singapore": "SG",
    "Netherlands": "NL",
    "Norway": "NO",
    "Belgium": "BE",
    "Mexico": "MX",
    "Finland": "FI",
    "Denmark": "DK",
    "Ireland": "IE",
    "Austria": "AT",
}
COUNTRY_VARIANTS = {
    "United States": ("USA", "U.S.A.", "United States of America", "Usa"),
    "United Kingdom": ("UK", "Great Britain", "England"),
    "Germany": ("Deutschland", "GERMANY"),
    "Brazil": ("Brasil",),
    "Spain": ("España",),
    "Switzerland": ("Schweiz", "Suisse"),
    "Netherlands": ("The Netherlands", "Holland"),
    "Italy": ("Italia",),
    "Sweden": ("Sverige",),
    "South Korea": ("Korea, Republic of",),
    "Czech Republic": ("Czechia",),
    "Turkey": ("Türkiye",),
}
STATE_NAMES = {
    "CA": "California",
    "NY": "New York",
    "TX": "Texas",
    "MA": "Massachusetts",
    "FL": "Florida",
    "PA": "Pennsylvania",
    "IL": "Illinois",
    "NJ": "New Jersey",
    "CO": "Colorado",
    "NC": "North Carolina",
    "WA": "Washington",
    "CT": "Connecticut",
    "OH": "Ohio",
    "GA": "Georgia",
}
CALLING_CODES = {
    "United States": 1,
    "Canada": 1,
    "United Kingdom": 44,
    "Germany": 49,
    "Australia": 61,
    "France": 33,
    "Italy": 39,
    "Japan": 81,
    "Sweden": 46,
    "Brazil": 55,
    "India": 91,
    "Spain": 34,
    "Switzerland": 41,
    "Singapore": 65,
    "Netherlands": 31,
    "Norway": 47,
    "Belgium": 32,
    "Mexico": 52,
    "Finland": 358,
    "South Korea": 82,
    "Denmark": 45,
    "Ireland": 353,
    "Hong Kong": 852,
    "New Zealand": 64,
    "Chile": 56,
    "Austria": 43,
    "Greece": 30,
    "Taiwan": 886,
    "Israel": 972,
    "Turkey": 90,
    "China": 86,
    "Argentina": 54,
    "South Africa": 27,
    "Luxembourg": 352,
    "Portugal": 351,
    "Indonesia": 62,
    "Thailand": 66,
    "Malaysia": 60,
    "Saudi Arabia": 966,
    "Czech Republic": 420,
    "Poland": 48,
    "Colombia": 57,
    "Peru": 51,
    "Estonia": 372,
    "Iceland": 354,
}
NORTH_AMERICAN_AREAS = {"United States": (212, 312, 415, 617, 713, 404), "Canada": (416, 514, 604, 403)}


def other_name(rng: random.Random, name: str) -> str:
    """The name as somebody else would have typed it; never the same string."""
    for form, others in LEGAL_FORMS:
        if name.endswith(form):
            return name.removesuffix(form) + rng.choice(others)
    return rng.choice((name.upper() if name.upper() != name else name.title(), f"{name} Group", f"{name} (HQ)"))


def billing_name(rng: random.Random, name: str) -> str:
    """The name as it stands on an invoice: capitals and no legal form, half of the time."""
    if rng.random() < 0.5:
        return name
    for form, _ in LEGAL_FORMS:
        name = name.removesuffix(form)
    return name.upper()


def other_website(rng: random.Random, domain: str) -> str:
    """The same site with a scheme, a path, capitals or a sub-domain."""
    return rng.choice(
        (
            domain,
            f"www.{domain}",
            f"https://www.{domain}/",
            f"http://{domain}/en/home",
            f"WWW.{domain.upper()}",
            f"https://shop.{domain}",
            f"careers.{domain}",
        )
    )


def spelled_country(rng: random.Random, country: str, code_share: float, variant_share: float) -> str:
    """A country as its English name, or now and then as a code or the way a person wrote it."""
    draw = rng.random()
    if draw < code_share:
        return COUNTRY_CODES.get(country, country)
    if draw < code_share + variant_share:
        return rng.choice(COUNTRY_VARIANTS.get(country, (country,)))
    return country


def phone_number(rng: random.Random, country: str) -> str:
    """A number nobody has: 555-01xx is set aside for fiction in North America; elsewhere the exchange is 0000."""
    code = CALLING_CODES[country]
    if code == 1:
        return f"({rng.choice(NORTH_AMERICAN_AREAS[country])}) 555-01{rng.randrange(100):02d}"
    return f"+{code} {rng.randrange(2, 10)} 0000 {rng.randrange(10_000):04d}"
