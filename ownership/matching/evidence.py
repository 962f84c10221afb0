"""Evidence: what speaks for and against a pair, in words, and what forbids to match it without a person."""

from __future__ import annotations

from collections.abc import Sequence

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


CROWDED = 0.2
"""A domain that more than five accounts have proves nothing by itself."""

WORDS = {
    "lead_words": "{:.0%} of its name's words are in the account's",
    "account_words": "{:.0%} of the account's words are in its name",
    "lead_unmatched": "a word of its name is not in the account's",
    "account_unmatched": "a word of the account's name is not in its",
    "lead_weight": "how much its name says",
    "first_word": "how the names begin",
    "grams": "the names' letters go together by {:.0%}",
    "letters": "the names are spelled alike by {:.0%}",
    "opening": "the names begin alike by {:.0%}",
    "same_name": "the same name",
    "only_one_has_it": "how few accounts have that name",
    "initials": "one is the other's initials",
    "numbers": "the numbers in the names",
    "legal_form": "the legal forms",
    "alias": "a name it is also known by",
    "domain": "the web domains",
    "domain_is_rare": "how few accounts have that domain",
    "domain_says_name": "the domain is the name",
    "domain_words": "the domain is like the name by {:.0%}",
    "phone": "the phone numbers",
    "ids": "registered identifiers",
    "city": "the cities",
    "postcode": "the postcodes",
    "state": "the states",
    "country": "the countries",
    "street": "the streets",
    "lead_gap": "how the other candidates' words compare",
    "gram_gap": "how the other candidates' letters compare",
    "only_candidate": "whether there are other candidates",
}
AGREEING = frozenset(
    ["numbers", "legal_form", "domain", "phone", "ids", "city", "postcode", "state", "country", "street"]
)


def said(name: str, value: float) -> str:
    """One feature in words."""
    words = WORDS[name].format(abs(value))
    if name not in AGREEING:
        return words
    how = "are the same" if value == 1 else "are alike" if value > 0 else "differ" if value else "are unknown"
    return f"{words} {how}"
