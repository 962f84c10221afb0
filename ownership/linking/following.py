"""Following: to which account belongs a record of a system that founds none, such as an engagement tool.

It belongs to the one account that its evidence names, the strongest first. Where it names none, or several, the record
is of no account. It never makes two accounts one, nor says which of them is which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ownership.linking.background import Background
from ownership.linking.groups import Groups
from ownership.linking.keys import CROWD, domain_keys, name_key_of
from ownership.linking.problems import Problem
from ownership.model import Ref

ByKey = Mapping[str, Sequence[Ref]]
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the records that found accounts can be found: by their ids, the ids they name, their web domains and names.

    `crowds` are as in `Background`.
    """

    places: Mapping[Place, Ref]
    named: Mapping[Place, Sequence[Ref]]
    by_domain: ByKey
    by_name: ByKey
    crowds: Mapping[str, int] | None

    def holders(self, keys: Iterable[str], by_key: ByKey) -> list[Ref]:
        """The records with one of these keys, as far as no crowd shares it."""
        return [ref for key in keys if not self._is_crowd(key, by_key) for ref in by_key.get(key, ())]

    def _is_crowd(self, key: str, by_key: ByKey) -> bool:
        return (len(by_key.get(key, ())) if self.crowds is None else self.crowds.get(key, 0)) > CROWD


def join_followers(groups: Groups, background: Background, by_domain: ByKey, by_name: ByKey) -> list[Problem]:
    """Join whatever follows to the one account it belongs to; returns what a person has to look at."""
    evidence = Evidence(places_of(groups, background), _named(groups), by_domain, by_name, background.crowds)
    problems: list[Problem] = []
    chosen: list[tuple[Ref, Ref]] = []
    for leader, refs in sorted(groups.members.items()):
        if groups.founders[leader]:
            continue
        odd = list(_contradictions(groups, refs, evidence))
        there = None if odd else _account_of(groups, refs, evidence)
        problems += odd
        if there is not None:
            chosen.append((leader, there))
    # Only now, so that nobody is found by way of another follower, whatever the order. Of how many leads a company may
    # have, few were ever spoken of: the others are not held against all those already there.
    spoken = {ref for pair in background.verdicts.split for ref in pair}
    for leader, there in chosen:
        if spoken.isdisjoint(groups.members[leader]) or not groups.forbids(leader, there):
            groups.join(leader, there)
    return problems


def places_of(groups: Groups, background: Background) -> dict[Place, Ref]:
    """The records that found accounts by system and id, also by ids that were merged into theirs."""
    founding = {(ref.source, ref.external_id): ref for ref in sorted(groups.records) if groups.founds(ref)}
    gone = {(old.source, old.external_id): background.now(old) for old in sorted(background.merged)}
    return {place: ref for place, ref in gone.items() if ref in groups.leader and groups.founds(ref)} | founding


def _named(groups: Groups) -> dict[Place, list[Ref]]:
    found: dict[Place, list[Ref]] = defaultdict(list)
    for ref in sorted(groups.records):
        for place in sorted(groups.records[ref].links.items()) if groups.founds(ref) else ():
            found[place].append(ref)
    return found


def _linked(groups: Groups, ref: Ref, evidence: Evidence) -> list[Ref]:
    named = (evidence.places.get(place) for place in sorted(groups.records[ref].links.items()))
    return [*(each for each in named if each), *evidence.named.get((ref.source, ref.external_id), ())]


def _contradictions(groups: Groups, refs: Sequence[Ref], evidence: Evidence) -> Iterator[Problem]:
    for ref in refs:
        for other in _linked(groups, ref, evidence):
            if groups.contradict(ref, other) and not groups.forbids(ref, other):
                because = "one names the other's id, but they are in different countries"
                yield Problem("doubtful_match", tuple(sorted((ref, other))), because)


def _account_of(groups: Groups, refs: Sequence[Ref], evidence: Evidence) -> Ref | None:
    """The leader of the account these belong to: what is weaker only chooses among what is stronger."""
    found: set[Ref] = set()
    for some in _by_strength(groups, refs, evidence):
        found = (found & some) or found or some
        if len(found) == 1:
            return found.pop()
    return None


def _by_strength(groups: Groups, refs: Sequence[Ref], evidence: Evidence) -> Iterator[set[Ref]]:
    def leaders(ref: Ref, others: Iterable[Ref]) -> set[Ref]:
        return {groups.leader[other] for other in others if not groups.forbids(ref, other)}

    def like(ref: Ref, others: Iterable[Ref]) -> set[Ref]:
        return leaders(ref, (other for other in others if not groups.are_apart(ref, other)))

    records = groups.records
    yield {each for ref in refs for each in leaders(ref, _linked(groups, ref, evidence))}
    yield {each for ref in refs for each in like(ref, evidence.holders(domain_keys(records[ref]), evidence.by_domain))}
    names = {ref: name for ref in refs if (name := name_key_of(records[ref]))}
    yield {each for ref, name in names.items() for each in like(ref, evidence.holders([name], evidence.by_name))}
