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

NORM_VERSION = 3
"""Changes when the same record comes out otherwise: what was normalised before is then normalised again."""

LONGEST_NAME = 300
LONGEST_TEXT = 120
MOST_WORDS = 24
ARTICLE = "the"
ORDINALS = {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth"}
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
    """A name's words without its legal form and "The", and the legal form as in `Normal`.

    Legal forms are looked for behind the name, and those that some languages put there in front of it.

    A name that is nothing but a legal form keeps it as its word: it is all there is.
    """
    words = _words(_SHARE_CLASS.sub("", (name or "")[:LONGEST_NAME]))
    legal: str | None = None
    end = len(words)
    if words[1:] and words[-1] == ARTICLE:  # "Eastern Company, The"
        end -= 1
    while end > 1:
        length, form = _legal_end(words, end)
        if not length or length >= end:
            break
        end -= length
        legal = legal or form
    first = 1 if words[0:1] == [ARTICLE] and end > 1 else 0
    length, form = _legal_start(words[first:end])
    return tuple(words[first + length : end]), legal or form


@lru_cache(maxsize=100_000)
def place(text: str | None) -> str | None:
    """A city, state, street or industry as folded words."""
    return " ".join(_NOT_WORD.split(_fold((text or "")[:LONGEST_TEXT]))).strip() or None


def _words(name: str) -> list[str]:
    folded = _APOSTROPHES.sub("", _fold(name[:LONGEST_NAME]).replace("&", " and "))
    spaced = _NOT_WORD.sub(" ", folded).strip()
    words = _INITIALS.sub(lambda found: found[0].replace(" ", ""), spaced).split()[:MOST_WORDS]
    return [ORDINALS.get(word, word) for word in words]


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


def _legal_start(words: list[str]) -> tuple[int, str | None]:
    """How many words in front are a legal form, the longest one counts, and which; a name is left in any case."""
    for length in range(min(_LONGEST_FORM, len(words) - 1), 0, -1):
        if (form := tuple(words[:length])) in _IN_FRONT:
            return length, _LEGAL_FORMS[form]
    return 0, None


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
    "Limited Liability Company": "Limited Liability Company",
    "Limited Liability Co": "Limited Liability Company",
    "Limited Liability Partnership": "Limited Liability Partnership",
    "Limited Partnership": "Limited Partnership",
    "Joint Stock Company": "Corporation",
    "JSC": "Corporation",
    "Open Joint Stock Company": "Corporation",
    "OJSC": "Corporation",
    "Public Joint Stock Company": "Corporation",
    "PJSC": "Corporation",
    "PAO": "Corporation",
    "Closed Joint Stock Company": "Corporation",
    "CJSC": "Corporation",
    "ZAO": "Corporation",
    "Общество с ограниченной ответственностью": "Limited Liability Company",
    "Акционерное общество": "Corporation",
    "Открытое акционерное общество": "Corporation",
    "Публичное акционерное общество": "Corporation",
    "Закрытое акционерное общество": "Corporation",
}
"""Forms in full, and pairs of them, which the library does not list."""


IN_FRONT = (
    *("LLC", "Limited Liability Company", "OOO", "Общество с ограниченной ответственностью"),
    *("JSC", "Joint Stock Company", "Акционерное общество"),
    *("OJSC", "Open Joint Stock Company", "OAO", "Открытое акционерное общество"),
    *("PJSC", "Public Joint Stock Company", "PAO", "Публичное акционерное общество"),
    *("CJSC", "Closed Joint Stock Company", "ZAO", "Закрытое акционерное общество"),
)
"""Forms that stand in front of a name, as in Russian; not those that are somebody's initials as well (AO, AS, PT)."""

SHORT_FORMS = {
    "aktiengesellschaft": "ag",
    "aktsionernoe obshchestvo": "jsc",
    "closed joint stock company": "cjsc",
    "co ltd": "ltd",
    "company": "co",
    "company limited": "ltd",
    "corporation": "corp",
    "gesellschaft mit beschrankter haftung": "gmbh",
    "gmbh and co kommanditgesellschaft": "gmbh and co kg",
    "incorporated": "inc",
    "incorporation": "inc",
    "kabushiki kaisha": "kk",
    "joint stock company": "jsc",
    "kommanditgesellschaft": "kg",
    "limited": "ltd",
    "limited liability co": "llc",
    "limited liability company": "llc",
    "limited liability partnership": "llp",
    "limited partnership": "lp",
    "co limited": "ltd",
    "oao": "ojsc",
    "obshchestvo s ogranichennoy otvetstvennostyu": "llc",
    "ooo": "llc",
    "open joint stock company": "ojsc",
    "otkrytoe aktsionernoe obshchestvo": "ojsc",
    "pao": "pjsc",
    "pty limited": "pty ltd",
    "public joint stock company": "pjsc",
    "publichnoe aktsionernoe obshchestvo": "pjsc",
    "pvt limited": "pvt ltd",
    "private limited": "pvt ltd",
    "public limited company": "plc",
    "sociedad anonima": "sa",
    "societe anonyme": "sa",
    "societa per azioni": "spa",
    "zakrytoe aktsionernoe obshchestvo": "cjsc",
    "zao": "cjsc",
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
_IN_FRONT = frozenset(tuple(_words(form)) for form in IN_FRONT)
_LONGEST_FORM = max(map(len, _LEGAL_FORMS))
_SHORTEST_MISSPELT = min(map(len, OFTEN_MISSPELT)) - 1
