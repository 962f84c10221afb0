"""Bring what a record says of a company to one spelling. Which spellings mean the same company is not decided here.

The cost is bounded for any input: text is cut before anything else is done with it.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache

import phonenumbers
from anyascii import anyascii
from cleanco.termdata import terms_by_type
from rapidfuzz.distance import OSA

from ownership.matching.company import Company, Normal
from ownership.names import country_code, registrable_domain

NORM_VERSION = 2
"""Changes when the same record comes out otherwise: what was normalised before is then normalised again."""

LONGEST_NAME = 300
LONGEST_TEXT = 120
MOST_WORDS = 24
ARTICLE = "the"
MOST_SEVERAL = 20
"""Of websites, e-mail addresses and aliases no more than these are looked at."""

_NOT_WORD = re.compile(r"[^a-z0-9]+")
_SHARE_CLASS = re.compile(r"(?i)[\s,(-]+(class|series|cl\.?)\s?[a-h]\b\)?\s*$")
_APOSTROPHES = re.compile(r"(?<=[a-z0-9])['`’](?=[a-z0-9])")
_INITIALS = re.compile(r"\b(?:[a-z0-9] ){1,}[a-z0-9]\b")


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
        postcode=_NOT_WORD.sub("", _fold(company.postcode or "")[:16]) or None,
        industry=place(company.industry),
        ids={kind: value.strip().casefold() for kind, value in sorted(company.ids.items()) if value.strip()},
        parent_id=company.parent_id,
    )


@lru_cache(maxsize=200_000)
def name_words(name: str | None) -> tuple[tuple[str, ...], str | None]:
    """A name's words without its legal form and "The" before them, and the legal form as in `Normal`.

    A name that is nothing but a legal form keeps it as its word: it is all there is.
    """
    words = _words(_SHARE_CLASS.sub("", (name or "")[:LONGEST_NAME]))
    legal: str | None = None
    end = len(words)
    while end > 1:
        length, form = _legal_end(words, end)
        if not length or length >= end:
            break
        end -= length
        legal = legal or form
    first = 1 if words[0:1] == [ARTICLE] and end > 1 else 0
    return tuple(words[first:end]), legal


@lru_cache(maxsize=100_000)
def place(text: str | None) -> str | None:
    """A city, state, street or industry as folded words."""
    return " ".join(_NOT_WORD.split(_fold((text or "")[:LONGEST_TEXT]))).strip() or None


def _words(name: str) -> list[str]:
    folded = _APOSTROPHES.sub("", _fold(name[:LONGEST_NAME]).replace("&", " and "))
    spaced = _NOT_WORD.sub(" ", folded).strip()
    return _INITIALS.sub(lambda found: found[0].replace(" ", ""), spaced).split()[:MOST_WORDS]


def _fold(text: str) -> str:
    """Lower-case ASCII; other scripts as they are read aloud."""
    if "Ã" in text:  # UTF-8 that was read as Latin-1, once or twice
        for _ in range(2):
            with suppress(UnicodeError):
                text = text.encode("cp1252").decode("utf-8")
    return (text if text.isascii() else anyascii(text)).lower()[: 4 * LONGEST_NAME]


def _legal_end(words: list[str], end: int) -> tuple[int, str | None]:
    """How many words before `end` are a legal form, the longest one counts, and which."""
    for length in range(min(_LONGEST_FORM, end - 1), 0, -1):
        if form := _LEGAL_FORMS.get(tuple(words[end - length : end])):
            return length, form
    form = _misspelt_form(words[end - 1])
    return (1, form) if form else (0, None)


def _misspelt_form(word: str) -> str | None:
    """The legal form a word is with one slip of the keyboard in it: "Corproation"."""
    if len(word) < _SHORTEST_MISSPELT:
        return None
    near = (form for form in OFTEN_MISSPELT if OSA.distance(word, form, score_cutoff=1) <= 1)
    return next((_LEGAL_FORMS[(form,)] for form in near), None)


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


OFTEN_MISSPELT = ("corporation", "incorporated", "company", "limited", "aktiengesellschaft", "kommanditgesellschaft")
"""Shorter legal forms are one letter away from ordinary words."""

MORE_FORMS = {
    "Aktiengesellschaft": "Corporation",
    "Kabushiki Kaisha": "Corporation",
    "KK": "Corporation",
    "Kommanditgesellschaft": "Limited Partnership",
    "GmbH & Co. Kommanditgesellschaft": "Limited Partnership",
    "Incorporation": "Corporation",
    "Public Limited Company": "Public Limited",
    "Public Company Limited": "Public Limited",
    "Private Limited": "Private Company",
    "PLC": "Public Limited",
    "Pvt Ltd": "Private Company",
    "Pvt Limited": "Private Company",
    "Pty Ltd": "Private Company",
    "Pty Limited": "Private Company",
    "Co Ltd": "Limited",
    "Co Limited": "Limited",
    "Company Limited": "Limited",
    "Gesellschaft mit beschränkter Haftung": "Limited",
    "Société Anonyme": "Corporation",
    "Sociedad Anónima": "Corporation",
    "Societa per Azioni": "Corporation",
    "Naamloze Vennootschap": "Corporation",
    "Aktiebolag": "Corporation",
    "Sdn Bhd": "Private Company",
}
"""Forms in full, and pairs of them, which the library does not list."""


SHORT_FORMS = {
    "aktiengesellschaft": "ag",
    "co ltd": "ltd",
    "company": "co",
    "company limited": "ltd",
    "corporation": "corp",
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gmbh and co kommanditgesellschaft": "gmbh and co kg",
    "incorporated": "inc",
    "incorporation": "inc",
    "kabushiki kaisha": "kk",
    "kommanditgesellschaft": "kg",
    "limited": "ltd",
    "co limited": "ltd",
    "pty limited": "pty ltd",
    "pvt limited": "pvt ltd",
    "private limited": "pvt ltd",
    "public limited company": "plc",
    "sociedad anonima": "sa",
    "societe anonyme": "sa",
    "societa per azioni": "spa",
}
"""One form in several spellings."""


def _legal_forms() -> dict[tuple[str, ...], str]:
    """Every legal form of the library, as words of ours, with its class and its short spelling."""
    forms: dict[tuple[str, ...], str] = {}
    for kind, terms in sorted(terms_by_type.items()):
        for term in terms:
            words = tuple(_words(term))
            if words and words != ("and",):
                forms.setdefault(words, kind)
    forms |= {tuple(_words(form)): kind for form, kind in MORE_FORMS.items()}
    said = {words: " ".join(words) for words in forms}
    return {words: f"{kind}: {SHORT_FORMS.get(said[words], said[words])}" for words, kind in forms.items()}


_LEGAL_FORMS = _legal_forms()
_LONGEST_FORM = max(map(len, _LEGAL_FORMS))
_SHORTEST_MISSPELT = min(map(len, OFTEN_MISSPELT)) - 1
