"""Evidence: what speaks for and against a pair, in words, and what forbids to match it without a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ownership.matching.features import INDEX_OF


def veto_on(features: Sequence[float]) -> str:
    """Why a pair is never matched without a person, whatever its probability; empty when nothing stands against it."""
    if features[INDEX_OF["numbers"]] == -1.0:
        return "the numbers in the names differ"
    if features[INDEX_OF["ids"]] == -1.0:
        return "they have different registered identifiers"
    named = features[INDEX_OF["lead_words"]] > 0 or features[INDEX_OF["domain_words"]] > 0
    if features[INDEX_OF["domain_is_rare"]] and features[INDEX_OF["domain_is_rare"]] < CROWDED and not named:
        return "only a domain that many accounts share speaks for it"
    return ""


def veto_by_name(features: Sequence[float]) -> str:
    """Why a pair that nothing but the names speaks for is not matched without a person; empty when nothing is.

    "Brookfield Asset Management Ltd." was split off from what "Brookfield Asset Management Inc." is called now.
    """
    if features[INDEX_OF["legal_form"]] not in (0.0, 1.0):
        return "nothing but the name speaks for it, and the legal forms differ"
    return ""


CROWDED = 0.2
"""A domain that more than five accounts have proves nothing by itself."""

COMPARED = {
    "first_word": "first words of the names",
    "numbers": "numbers in the names",
    "legal_form": "legal forms",
    "domain": "web domains",
    "phone": "phone numbers",
    "ids": "registered identifiers",
    "city": "cities",
    "postcode": "postcodes",
    "state": "states",
    "country": "countries",
    "street": "streets",
}
SHARES = {
    "lead_words": "{:.0%} of the lead's name is found in the account's",
    "account_words": "{:.0%} of the account's name is found in the lead's",
    "grams": "{:.0%} of the names' letter triples go together",
    "letters": "the names are spelled {:.0%} alike",
    "opening": "the names begin {:.0%} alike",
    "domain_words": "a domain is {:.0%} like the other's name",
}
FACTS = {
    "same_name": "the names are the same",
    "initials": "one name is the other's initials",
    "alias": "a name it is also known by is the same",
    "domain_says_name": "a domain of one is the name of the other",
}
MISSING = {
    "lead_unmatched": "a word of the lead's name is not in the account's",
    "account_unmatched": "a word of the account's name is not in the lead's",
}
HELD = {"only_one_has_it": "the name they share", "domain_is_rare": "the web domain they share"}
_OWN = tuple(INDEX_OF[name] for name in ("ids", "domain", "phone"))  # what one company has and another has not
_COMPARED = tuple(INDEX_OF[name] for name in (*COMPARED, "lead_words", "account_words", "alias"))
# How much a name says at all and how the other candidates compare are part of the score, and tell a reader nothing.


def sentences_on(features: Sequence[float], adds: Iterable[tuple[str, float]], most: int = 6) -> tuple[str, ...]:
    """What speaks "for:" and "against:" a pair. `adds` is what each feature adds to the log-odds, strongest first.

    What is unknown is not said, nor a likeness that lowers the score or a difference that raises it: to a reader that
    is no reason.
    """
    said = (_sentence(name, features[INDEX_OF[name]], added) for name, added in adds)
    return tuple(sentence for sentence in said if sentence)[:most]


def is_outdone(rival: Sequence[float], best: Sequence[float]) -> bool:
    """Whether a lead's own identifier, web domain or phone is one candidate's and not its rival's, and the rival is
    not more alike in anything else.

    "acme.com" and "acme.de" are companies of one name: for a lead from acme.com that is no question.
    """
    owned = any(best[number] == 1.0 > rival[number] for number in _OWN)
    return owned and all(rival[number] <= best[number] for number in _COMPARED)


def _sentence(name: str, value: float, added: float) -> str:
    words = _for(name, value) if added > 0 else _against(name, value)
    return f"{'for' if added > 0 else 'against'}: {words}" if words else ""


def _for(name: str, value: float) -> str:
    if value <= 0:
        return ""
    if name in COMPARED:
        return f"the {COMPARED[name]} are {'the same' if value == 1 else 'alike'}"
    if name in HELD:
        return f"{'no other account has' if value == 1 else 'few accounts have'} {HELD[name]}"
    return SHARES[name].format(value) if name in SHARES else FACTS.get(name, "")


def _against(name: str, value: float) -> str:
    if name in SHARES:
        return f"only {SHARES[name].format(value)}" if 0 < value < 1 else ""
    if name in HELD:
        return f"{1 / value:.0f} accounts have {HELD[name]}" if 0 < value < 1 else ""
    if value >= 0:
        return ""
    return f"the {COMPARED[name]} differ" if name in COMPARED else MISSING.get(name, "")
