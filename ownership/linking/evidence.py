"""Evidence: why a record is of the same company as others, in words, the strongest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ownership.linking.background import Alike, Background
from ownership.linking.keys import domains_of, name_key_of, words_of
from ownership.model import AccountRecord, Ref
from ownership.verdicts import name_of


def evidence(
    ref: Ref, others: Iterable[Ref], records: Mapping[Ref, AccountRecord], background: Background
) -> list[str]:
    """What links `ref` with the others; empty when nothing does."""
    rest = [other for other in sorted(others) if other != ref]
    said = [
        str(verdict) for verdict in background.verdicts.same if ref in verdict.pair and set(verdict.pair) & set(rest)
    ]
    merged = [
        f"{ref.source} merged {old.external_id} into it"
        for old in sorted(background.merged)
        if background.now(old) == ref
    ]
    found = [words for other in rest if other in records and ref in records for words in _shared(ref, other, records)]
    alike = [words for pair in background.alike if (words := _likely(ref, pair, rest))]
    return [*said, *merged, *found, *alike]


def why_one(
    ones: Iterable[Ref], others: Iterable[Ref], records: Mapping[Ref, AccountRecord], background: Background
) -> str:
    """Why these records and those are one company now, in one sentence."""
    here, there = sorted(ones), sorted(others)
    for old in (*here, *there):
        if old in background.merged and background.now(old) in {*here, *there}:
            return f"{old.source} merged {old.external_id} into {background.now(old).external_id}"
    found = (words for ref in here for words in evidence(ref, there, records, background))
    return next(found, "records of both are linked by others")


def why_two(ones: Iterable[Ref], others: Iterable[Ref], background: Background) -> str:
    """Why these records are no longer of one company with those."""
    here, there = set(ones), set(others)
    for verdict in background.verdicts.split.values():
        if set(verdict.pair) & here and set(verdict.pair) & there:
            return str(verdict)
    return "nothing links them any more"


def _likely(ref: Ref, pair: Alike, rest: Sequence[Ref]) -> str:
    other = pair.other if pair.one == ref else pair.one
    if ref not in (pair.one, pair.other) or other not in rest:
        return ""
    return f"it is {pair.score:.0%} likely the same as {name_of(other)}: {pair.because}"


def _shared(ref: Ref, other: Ref, records: Mapping[Ref, AccountRecord]) -> Iterator[str]:
    mine, theirs, name = records[ref], records[other], name_of(other)
    if mine.links.get(other.source) == other.external_id:
        yield f"it names the id of {name}"
    if theirs.links.get(ref.source) == ref.external_id:
        yield f"{name} names its id"
    for domain in domains_of(mine):
        if domain in domains_of(theirs):
            yield f"it has the web domain {domain}, as {name}"
    key = name_key_of(mine)
    if key and key == name_key_of(theirs):
        yield f"it has {words_of(key)}, as {name}"
