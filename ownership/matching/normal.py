"""Bring what a record says of a company to one spelling. Which spellings mean the same company is not decided here.

The cost is bounded for any input: text is cut before anything else is done with it.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from ownership.matching.company import Company, Normal
from ownership.matching.folding import LONGEST_NAME, NOT_WORD, fold, words_of
from ownership.matching.legal_forms import legal_end, legal_start
from ownership.names import country_code, registrable_domain

NORM_VERSION = 3
"""Changes when the same record comes out otherwise: what was normalised before is then normalised again."""

LONGEST_TEXT = 120
ARTICLE = "the"
MOST_SEVERAL = 20
"""Of websites, e-mail addresses and aliases no more than these are looked at."""

_SHARE_CLASS = re.compile(r"(?i)[\s,(-]+(class|series|cl\.?)\s?[a-h]\b\)?\s*$")


def normalise(company: Company) -> Normal:
    """The same company in one spelling; see `Normal`. Never raises: what cannot be read is missing."""
    words, legal = name_words(company.name)
    country = country_code(company.country)
    found = (registrable_domain(said) for said in (*company.websites[:MOST_SEVERAL], *company.emails[:MOST_SEVERAL]))
    return Normal(
        id=company.id,
        words=words,
        legal=legal,
        slug="".join(words),
        alias_words=tuple(dict.fromkeys(w for each in company.aliases[:MOST_SEVERAL] if (w := name_words(each)[0]))),
        domains=tuple(dict.fromkeys(domain for domain in found if domain)),
        phone=_phone(company.phone, country),
        country=country,
        state=place(company.state),
        city=place(company.city),
        street=place(company.street),
        postcode=NOT_WORD.sub("", fold(company.postcode or "")[:16]) or None,
        industry=place(company.industry),
        ids={kind: value.strip().casefold() for kind, value in sorted(company.ids.items()) if value.strip()},
        parent_id=company.parent_id,
    )


@lru_cache(maxsize=200_000)
def name_words(name: str | None) -> tuple[tuple[str, ...], str | None]:
    """A name's words without its legal form and "The", and the legal form as in `Normal`.

    Legal forms stand behind a name, and in some languages in front of it. A name that is nothing but a legal form keeps
    it as its word: it is all there is.
    """
    words = words_of(_SHARE_CLASS.sub("", (name or "")[:LONGEST_NAME]))
    legal: str | None = None
    end = len(words)
    if words[1:] and words[-1] == ARTICLE:  # "Eastern Company, The"
        end -= 1
    while end > 1:
        length, form = legal_end(words, end)
        if not length or length >= end:
            break
        end -= length
        legal = legal or form
    first = 1 if words[0:1] == [ARTICLE] and end > 1 else 0
    length, form = legal_start(words[first:end])
    return tuple(words[first + length : end]), legal or form


@lru_cache(maxsize=100_000)
def place(text: str | None) -> str | None:
    """A city, state, street or industry as folded words."""
    return " ".join(NOT_WORD.split(fold((text or "")[:LONGEST_TEXT]))).strip() or None


def _phone(text: str | None, country: str | None) -> str | None:
    """E.164, or the digits as they stand where the country is unknown; None for what is no number."""
    digits = re.sub(r"\D", "", (text or "")[:40])
    if len(digits) < 5 or len(set(digits)) < 3:  # "000-0000" and the like are nobody's number
        return None
    try:
        parsed = phonenumbers.parse((text or "")[:40], country)
    except phonenumbers.NumberParseException:
        return digits[-15:]
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
