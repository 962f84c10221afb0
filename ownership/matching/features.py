"""What two companies have in common and what speaks against them, as numbers with names.

Each value lies in [-1, 1] and 0 says that nothing is known. Nothing here says which company it is: the same numbers
come out for any two companies that are alike in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from rapidfuzz.distance import OSA, JaroWinkler

from ownership.matching.company import AREA, Normal
from ownership.matching.initials import initials_of
from ownership.matching.numbers import numbers_in

FEATURES = (
    "lead_words",  # share of the lead's words, by weight, that the account's name has
    "account_words",  # and the other way round
    "lead_unmatched",  # the heaviest word of the lead that the account does not have
    "account_unmatched",
    "lead_weight",  # how much the lead's name says at all
    "first_word",  # whether both begin alike
    "grams",  # cosine of the names' letter triples
    "letters",  # edit similarity of the names run together
    "opening",  # Jaro-Winkler of the names: how long they go together from the start
    "same_name",
    "only_one_has_it",  # how few accounts have exactly this name
    "initials",  # one is the initials of the other
    "numbers",
    "legal_form",  # 0.5 another of one class
    "alias",
    "domain",  # 1 the same, 0.5 the same but for the ending, -1 others
    "domain_is_rare",
    "domain_says_name",  # a domain of one is the name of the other
    "domain_words",  # how alike they are
    "phone",
    "ids",  # identifiers given by others: LEI, DUNS, tax number
    "city",
    "postcode",
    "state",
    "country",
    "street",
    "lead_gap",  # how far behind the best other candidate it is in words, and in triples
    "gram_gap",
    "only_candidate",
)
INDEX_OF: Mapping[str, int] = {name: number for number, name in enumerate(FEATURES)}

SOFT = 0.78
"""Words less alike than this are two words."""


class Rarity(Protocol):
    """What the index knows of words and keys over all accounts."""

    def word_weight(self, word: str) -> float:
        """From 0, a word everybody has, to 1, a word nobody else has."""

    def holders(self, kind: str, value: str) -> int:
        """How many accounts have this "domain", "slug" or "phone"."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An account that may be the lead's. `cosine` is that of the letter triples, 0 when it was found by a key alone;
    `keys` are the names of the exact keys they share."""

    id: str
    cosine: float = 0.0
    keys: tuple[str, ...] = ()


def features_of(
    lead: Normal, accounts: Sequence[Normal], candidates: Sequence[Candidate], rarity: Rarity
) -> list[list[float]]:
    """The features of a lead with each of its candidates, in their order. `accounts` are those of `candidates`."""
    rows = [_pair(lead, account, found, rarity) for account, found in zip(accounts, candidates, strict=True)]
    _add_gaps(rows)
    return rows


def _pair(lead: Normal, account: Normal, found: Candidate, rarity: Rarity) -> list[float]:
    alias = _known_alias(lead, account)
    mine, theirs = (alias, alias) if alias else (lead.words, account.words)
    slug, other = "".join(mine), "".join(theirs)
    has_names = bool(slug) and bool(other)
    same = has_names and slug == other
    return [
        *_align(mine, theirs, rarity),
        1.0 if alias else found.cosine,
        OSA.normalized_similarity(slug[:60], other[:60]) if has_names else 0.0,
        JaroWinkler.normalized_similarity(slug[:60], other[:60]) if has_names else 0.0,
        1.0 if same else 0.0,
        1.0 / max(1, rarity.holders("slug", slug) + rarity.holders("alias", slug)) if same else 0.0,
        _initials(lead, account) if has_names else 0.0,
        _numbers(lead.words, account.words),
        _legal_form(lead.legal, account.legal),
        1.0 if alias else 0.0,
        *_domains(lead, account, rarity),
        _agree(lead.phone, account.phone) if not _ends_alike(lead.phone, account.phone) else 1.0,
        _ids(lead, account),
        _likeness(lead.city, account.city),
        _postcode(lead.postcode, account.postcode),
        _state(lead, account),
        _agree(lead.country, account.country),
        _likeness(lead.street, account.street),
        0.0,
        0.0,
        0.0,
    ]


def _known_alias(lead: Normal, account: Normal) -> tuple[str, ...]:
    """A name both are known by though they are called otherwise; empty when there is none, or none is needed."""
    if lead.words == account.words or not (lead.alias_words or account.alias_words):
        return ()
    theirs = {account.words, *account.alias_words}
    return next((name for name in (lead.words, *lead.alias_words) if name and name in theirs), ())


def _align(mine: Sequence[str], theirs: Sequence[str], rarity: Rarity) -> list[float]:
    """Shares of words found both ways, the heaviest unfound ones, what the lead's words weigh, the first words."""
    if not mine or not theirs:
        return [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    weight = rarity.word_weight
    my_weights, their_weights = [weight(word) for word in mine], [weight(word) for word in theirs]
    my_hits, their_hits = _hits(mine, theirs), _hits(theirs, mine)
    return [
        _share(my_weights, my_hits),
        _share(their_weights, their_hits),
        -max(w * (1 - hit) for w, hit in zip(my_weights, my_hits, strict=True)),
        -max(w * (1 - hit) for w, hit in zip(their_weights, their_hits, strict=True)),
        min(1.0, sum(my_weights) / 3),
        _alike(mine[0], theirs[0]) or -1.0,
    ]


def _share(weights: Sequence[float], hits: Sequence[float]) -> float:
    return sum(w * hit for w, hit in zip(weights, hits, strict=True)) / sum(weights)


def _hits(mine: Sequence[str], theirs: Sequence[str]) -> list[float]:
    """How well each of my words is found among theirs; "motoren werke" is "motorenwerke"."""
    known = set(theirs)
    if known.issuperset(mine):
        return [1.0] * len(mine)
    joined = {one + other for one, other in pairwise(theirs)}
    mine_joined = {number for number, pair in enumerate(pairwise(mine)) if "".join(pair) in known}
    return [
        1.0
        if word in known or word in joined or number in mine_joined or number - 1 in mine_joined
        else max(_alike(word, other) for other in theirs)
        for number, word in enumerate(mine)
    ]


def _alike(one: str, other: str) -> float:
    """1 for the same word, less for a typo, a beginning or an abbreviation, 0 for two words."""
    if one == other:
        return 1.0
    return _nearly(one, other) if one < other else _nearly(other, one)


def are_alike(one: str, other: str) -> bool:
    """Whether two words may be one, for a typo, a beginning or an abbreviation."""
    return _alike(one, other) > 0.0


@lru_cache(maxsize=50_000)
def _nearly(one: str, other: str) -> float:
    """How alike two different words are. A lead's words meet the same few words in most of its candidates."""
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if short[0] != long[0]:
        return _typo(short, long)
    if long.startswith(short):
        return 0.95 if len(short) >= 4 else 0.85 if len(short) == 3 else 0.7
    if len(short) >= 2 and short.isalpha() and len(long) - len(short) >= 2 and _is_within(short, long):
        return 0.8 if len(short) >= 3 else 0.6
    return _typo(short, long)


def _typo(short: str, long: str) -> float:
    if len(short) < 4 or short.isdigit() or long.isdigit():
        return 0.0
    likeness = float(OSA.normalized_similarity(short, long, score_cutoff=SOFT))
    return likeness * 0.95


def _is_within(short: str, long: str) -> bool:
    """Whether the letters of one come in the other in the same order: "intl" in "international"."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def _initials(lead: Normal, account: Normal) -> float:
    for one, other in ((lead, account), (account, lead)):
        if len(one.words) == 1 and 2 <= len(one.slug) <= 8 and one.slug in initials_of(other.words):
            return 1.0
    return 0.0


def _numbers(mine: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """Whether numbers in both names are the same: "Fund II" is not "Fund III"."""
    my_numbers, their_numbers = numbers_in(mine), numbers_in(theirs)
    if not my_numbers and not their_numbers:
        return 0.0
    if my_numbers == their_numbers:
        return 1.0
    return -1.0 if my_numbers and their_numbers else -0.5


def _domains(lead: Normal, account: Normal, rarity: Rarity) -> tuple[float, float, float, float]:
    """Whether they share a domain, how few have it, and what the domain of one says of the name of the other."""
    same = next((domain for domain in lead.domains if domain in account.domains), None)
    rare = 1.0 / max(1, rarity.holders("domain", same)) if same else 0.0
    mine, theirs = [label_of(d) for d in lead.domains], [label_of(d) for d in account.domains]
    value = 1.0 if same else 0.0
    if not same and mine and theirs:
        value = 0.5 if not set(mine).isdisjoint(theirs) else -1.0
    pairs = [(label, account.slug) for label in mine] + [(label, lead.slug) for label in theirs]
    said = [(label, slug) for label, slug in pairs if label and slug]
    if not said:
        return value, rare, 0.0, 0.0
    exact = 1.0 if any(label == slug for label, slug in said) else 0.0
    return value, rare, exact, max(_label_likeness(label, slug) for label, slug in said)


def label_of(domain: str) -> str:
    """The name part of a registrable domain, without hyphens: "coca-cola.co.uk" → "cocacola"."""
    return domain.partition(".")[0].replace("-", "")


def _label_likeness(label: str, slug: str) -> float:
    if len(label) >= 4 and slug.startswith(label):
        return 0.9
    return float(JaroWinkler.normalized_similarity(label[:40], slug[:40]))


def _agree(one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return 0.0
    return 1.0 if one == other else -1.0


def _legal_form(one: str | None, other: str | None) -> float:
    """1 the same, 0.5 another of one class ("Inc.", "Corp."), -1 others."""
    if one is None or other is None or one == other:
        return _agree(one, other)
    return 0.5 if one.partition(":")[0] == other.partition(":")[0] else -1.0


def _ids(lead: Normal, account: Normal) -> float:
    both = lead.ids.keys() & account.ids.keys()
    if not both:
        return 0.0
    return 1.0 if any(lead.ids[kind] == account.ids[kind] for kind in both) else -1.0


def _ends_alike(one: str | None, other: str | None) -> bool:
    """The same number, one without its country or area."""
    return one is not None and other is not None and min(len(one), len(other)) >= 7 and one[-7:] == other[-7:]


def _likeness(one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return 0.0
    return 1.0 if one == other else 2.0 * float(OSA.normalized_similarity(one, other)) - 1.0


def _postcode(one: str | None, other: str | None) -> float:
    if one is None or other is None:
        return 0.0
    if one[:AREA] == other[:AREA]:
        return 1.0
    return 0.3 if one[:3] == other[:3] else -1.0


def _state(lead: Normal, account: Normal) -> float:
    if lead.state is None or account.state is None or (len(lead.state) == 2) != (len(account.state) == 2):
        return 0.0
    return 1.0 if lead.state == account.state else -1.0


_WORDS, _GRAMS = INDEX_OF["lead_words"], INDEX_OF["grams"]
_ACCOUNT_WORDS = INDEX_OF["account_words"]


def _add_gaps(rows: list[list[float]]) -> None:
    """Fill in how each compares with the best of the others."""
    names = [(row[_WORDS] + row[_ACCOUNT_WORDS]) / 2 for row in rows]
    grams = [row[_GRAMS] for row in rows]
    alone = 1.0 if len(rows) == 1 else 0.0
    for number, row in enumerate(rows):
        row[-3:] = [_gap(names, number), _gap(grams, number), alone]


def _gap(values: Sequence[float], number: int) -> float:
    others = values[:number] + values[number + 1 :]  # type: ignore[operator]
    return values[number] - max(others, default=0.0)
