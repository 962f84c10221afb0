"""Legal forms: which words at the end or in front of a name say only that it is a company, and what kind."""

from __future__ import annotations

from collections.abc import Sequence

from cleanco.termdata import terms_by_type
from rapidfuzz.distance import OSA

from ownership.matching.folding import words_of

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


def legal_end(words: Sequence[str], end: int) -> tuple[int, str | None]:
    """How many words before `end` are a legal form, the longest one counts, and which."""
    for length in range(min(_LONGEST_FORM, end - 1), 0, -1):
        if form := _LEGAL_FORMS.get(tuple(words[end - length : end])):
            return length, form
    form = _misspelt_form(words[end - 1])
    return (1, form) if form else (0, None)


def legal_start(words: Sequence[str]) -> tuple[int, str | None]:
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


def _legal_forms() -> dict[tuple[str, ...], str]:
    """Every legal form of the library, as words of ours, with its class and its short spelling."""
    forms: dict[tuple[str, ...], str] = {}
    for kind, terms in sorted(terms_by_type.items()):
        for term in terms:
            words = tuple(words_of(term))
            if words and words != ("and",):
                forms.setdefault(words, kind)
    forms |= {tuple(words_of(form)): kind for form, kind in MORE_FORMS.items()}
    said = {words: " ".join(words) for words in forms}
    return {words: f"{kind}: {SHORT_FORMS.get(said[words], said[words])}" for words, kind in forms.items()}


_LEGAL_FORMS = _legal_forms()
_IN_FRONT = frozenset(tuple(words_of(form)) for form in IN_FRONT)
_LONGEST_FORM = max(map(len, _LEGAL_FORMS))
_SHORTEST_MISSPELT = min(map(len, OFTEN_MISSPELT)) - 1
