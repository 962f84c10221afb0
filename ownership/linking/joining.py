"""Joining: which records become one group, by what people said, ids, domains, names, and likeness, in this order.

Followers are joined to what the others have become by then; see `ownership/linking/following.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ownership.linking.background import Background
from ownership.linking.following import join_followers, places_of
from ownership.linking.groups import LARGEST, Groups
from ownership.linking.keys import CROWD, domain_keys, name_key_of, words_of
from ownership.linking.problems import Problem
from ownership.model import Ref

SHOWN = 10
"""Of a crowd no more records than these are named to a person."""


def join_all(groups: Groups, background: Background) -> list[Problem]:
    """Join what belongs together; returns what a person has to look at."""
    problems = [*_join_by_word(groups, background), *_join_by_link(groups, background)]
    by_domain, by_name = _by_keys(groups)
    for keys in (by_domain, by_name):
        for key, refs in sorted(keys.items()):
            problems.extend(_join_by_key(key, refs, groups, background.crowds))
    problems += join_followers(groups, background, by_domain, by_name)
    return [*problems, *_join_alike(groups, background)]


def _join_by_word(groups: Groups, background: Background) -> Iterator[Problem]:
    """What people said is one is one, however large it becomes and whoever owns it."""
    for verdict in background.verdicts.same:
        one, other = verdict.pair
        if one not in groups.leader or other not in groups.leader:
            continue
        if groups.forbids(one, other) and not groups.are_one(one, other):
            because = "they were said to be one company, and others of theirs to be two; take one of these words back"
            yield Problem("doubtful_match", (one, other), because)
        else:
            groups.join(one, other, most=len(groups.leader))


def _join_by_link(groups: Groups, background: Background) -> Iterator[Problem]:
    """Records of which one names the other's id, also one that was merged into the other since."""
    places = places_of(groups, background)
    for ref in filter(groups.founds, sorted(groups.records)):
        for place in sorted(groups.records[ref].links.items()):
            other = places.get(place)
            if other is None or groups.forbids(ref, other):
                continue
            if problem := _two_owners(ref, other, groups) or _join_linked(ref, other, groups):
                yield problem


def _join_linked(ref: Ref, other: Ref, groups: Groups) -> Problem | None:
    because = ""
    if groups.contradict(ref, other):
        because = "one names the other's id, but they are in different countries"
    elif not groups.join(ref, other):
        because = f"one names the other's id, but together they would be more than {LARGEST} records"
    return Problem("doubtful_match", tuple(sorted((ref, other))), because) if because else None


def _join_by_key(key: str, refs: Sequence[Ref], groups: Groups, crowds: Mapping[str, int] | None) -> Iterator[Problem]:
    count = len(refs) if crowds is None else crowds.get(key, 0)
    if count > CROWD:
        if crowds is None:
            yield crowd_problem(key, count, refs)
        return
    for position, ref in enumerate(refs):
        for earlier in refs[:position]:
            if groups.are_one(earlier, ref) or groups.forbids(earlier, ref) or groups.are_apart(earlier, ref):
                continue
            if problem := _two_owners(earlier, ref, groups):
                yield problem
            elif not groups.join(earlier, ref):
                because = f"joining them by {words_of(key)} would make an account of more than {LARGEST} records"
                yield Problem("doubtful_match", (earlier, ref), because)


def _join_alike(groups: Groups, background: Background) -> Iterator[Problem]:
    for pair in sorted(background.alike, key=lambda each: (-each.score, each.one, each.other)):
        one, other = pair.one, pair.other
        if one not in groups.leader or other not in groups.leader or groups.are_one(one, other):
            continue
        if groups.forbids(one, other) or groups.are_apart(one, other) or _by_follower(one, other, groups):
            continue
        if problem := _two_owners(one, other, groups):
            yield problem
        elif not groups.join(one, other):
            because = f"they are alike, but together they would be more than {LARGEST} records"
            yield Problem("doubtful_match", tuple(sorted((one, other))), because)


def _by_follower(one: Ref, other: Ref, groups: Groups) -> bool:
    """Whether two accounts would be one for what a follower of one of them is like."""
    both_founded = all(groups.founders[groups.leader[ref]] for ref in (one, other))
    return both_founded and not (groups.founds(one) and groups.founds(other))


def crowd_problem(key: str, count: int, refs: Iterable[Ref]) -> Problem:
    """So many records share a key that it says nothing of any of them."""
    shown = tuple(sorted(refs, key=lambda ref: (ref.source, ref.external_id))[:SHOWN])
    return Problem("doubtful_match", shown, f"{count} records share {words_of(key)}; that proves nothing", key)


def _two_owners(one: Ref, other: Ref, groups: Groups) -> Problem | None:
    owners = groups.owners(one, other)
    if len(owners) < 2 or groups.are_one(one, other):
        return None
    who = " and ".join(f"{owner} ({ref.source}/{ref.external_id})" for owner, ref in sorted(owners.items()))
    because = f"they look like one company, and two own it: {who}; say who keeps it by naming their record first"
    return Problem("conflicting_owners", tuple(sorted((one, other))), because)


def _by_keys(groups: Groups) -> tuple[dict[str, list[Ref]], dict[str, list[Ref]]]:
    """The records that found accounts by each of their web domains, and by their names."""
    by_domain: dict[str, list[Ref]] = defaultdict(list)
    by_name: dict[str, list[Ref]] = defaultdict(list)
    for ref in filter(groups.founds, sorted(groups.records)):
        record = groups.records[ref]
        for key in domain_keys(record):
            by_domain[key].append(ref)
        if name := name_key_of(record):
            by_name[name].append(ref)
    return by_domain, by_name
