"""The ids of accounts, which stay what they are while records come and go.

An account that falls apart leaves its id with the larger part; accounts that become one keep the oldest one's, unless a
person, or the system that merged two records, says which is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count

from ownership.linking.background import Background
from ownership.linking.groups import Groups
from ownership.model import Ref

NewId = Callable[[Ref], str]


def account_ids(groups: Groups, known: Mapping[Ref, str], new_id: NewId, background: Background) -> dict[Ref, str]:
    """One id for each group that has founders, by its leader. `known` are the ids the records had."""
    had = _heirs(groups, known, new_id, background)
    ids = {leader: _kept(groups.members[leader], some, known, background) for leader, some in had.items()}
    taken = {*known.values()}
    for leader in sorted(leader for leader in groups.members.keys() - ids.keys() if groups.founders[leader]):
        names = map(new_id, _names_for(filter(groups.founds, groups.members[leader])))
        ids[leader] = next(name for name in names if name not in taken and not background.in_use(name))
        taken.add(ids[leader])
    return ids


def _heirs(groups: Groups, known: Mapping[Ref, str], new_id: NewId, background: Background) -> dict[Ref, list[str]]:
    """The ids each group may keep: each id goes to the group with the most of its records; of several to the one with
    the record it was called after, then to the first."""
    parts: dict[str, Counter[Ref]] = defaultdict(Counter)
    first: dict[str, set[Ref]] = defaultdict(set)
    for ref, id_ in known.items():
        if not groups.founds(ref):
            continue  # an account does not go where its leads or tickets go
        leader = groups.leader.get(background.now(ref))
        if leader is not None:
            parts[id_][leader] += 1
            if new_id(ref) == id_:
                first[id_].add(leader)
    found: dict[Ref, list[str]] = defaultdict(list)
    for id_, counts in parts.items():
        found[min(counts, key=lambda leader: (-counts[leader], leader not in first[id_], leader))].append(id_)
    return found


def _kept(refs: Iterable[Ref], ids: list[str], known: Mapping[Ref, str], background: Background) -> str:
    """Which of several ids a group keeps."""
    members = list(refs)
    left = {background.now(old) for old in background.merged if known.get(old) in ids}
    named = (*background.verdicts.kept_first(members), *sorted(ref for ref in members if ref in left))
    preferred = next((known[ref] for ref in named if known.get(ref) in ids), None)
    oldest = background.oldest
    return preferred or min(ids, key=lambda id_: (oldest.get(id_, len(oldest)), id_))


def _names_for(refs: Iterable[Ref]) -> Iterator[Ref]:
    """The records an account can be called after; when other accounts have all those names, numbered ones."""
    ordered = sorted(refs)
    yield from ordered
    for number in count(2):
        yield Ref(ordered[0].source, ordered[0].object_type, f"{ordered[0].external_id}#{number}")
