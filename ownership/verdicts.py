"""Verdicts: what a person said of two records, that they are one company or are not. They win over all evidence.

The same holds between a lead's record and an account's: it belongs to that company, or does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ownership.model import Ref

Pair = tuple[Ref, Ref]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's word on two records. The first one named is kept when accounts become one.

    `same` None takes back what was said of the pair: the evidence decides again.
    """

    one: Ref
    other: Ref
    same: bool | None
    by: str = ""
    because: str = ""
    said_at: datetime | None = None

    @property
    def pair(self) -> Pair:
        first, second = sorted((self.one, self.other))
        return first, second

    def __str__(self) -> str:
        on = f" on {self.said_at:%Y-%m-%d}" if self.said_at else ""
        what = "are one company" if self.same else "are two companies"
        why = f" ({self.because})" if self.because else ""
        return f"{self.by or 'somebody'} said{on} that {name_of(self.one)} and {name_of(self.other)} {what}{why}"


@dataclass(frozen=True, slots=True)
class SaidParent:
    """One person's word on which company is above another; `holds` False takes it back."""

    child: Ref
    parent: Ref
    holds: bool
    by: str = ""
    because: str = ""
    said_at: datetime | None = None


def said_parents(said: Iterable[SaidParent], merged: Mapping[Ref, Ref] | None = None) -> dict[Ref, Ref]:
    """The parent that the last word on each record names, oldest word first; `merged` as for `standing`."""
    now = merged or {}
    last = {now.get(each.child, each.child): each for each in said}
    return {child: now.get(each.parent, each.parent) for child, each in last.items() if each.holds}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What holds: of several words on one pair the last."""

    same: tuple[Verdict, ...] = ()
    split: Mapping[Pair, Verdict] = field(default_factory=dict)

    def are_apart(self, ones: Iterable[Ref], others: Sequence[Ref]) -> bool:
        """Whether somebody said of one of these and one of those that they are two companies."""
        if not self.split:
            return False
        return any((min(one, other), max(one, other)) in self.split for one in ones for other in others)

    def kept_first(self, refs: Iterable[Ref]) -> list[Ref]:
        """The records that were named first when somebody said that these are one, the last such word first."""
        wanted = set(refs)
        return [verdict.one for verdict in reversed(self.same) if verdict.one in wanted and verdict.other in wanted]

    def on(self, refs: Iterable[Ref]) -> list[Verdict]:
        """What was said of two of these records, or of one of them and another."""
        wanted = set(refs)
        return [each for each in (*self.same, *self.split.values()) if {each.one, each.other} & wanted]


def standing(said: Iterable[Verdict], merged: Mapping[Ref, Ref] | None = None) -> Verdicts:
    """What holds of everything that was said, oldest first. `merged` leads from records that are gone to those that
    are left: what was said of the former holds for the latter."""
    last: dict[Pair, Verdict] = {}
    for verdict in said:
        now = _of_what_is_left(verdict, merged) if merged else verdict
        if now.one != now.other:
            last.pop(now.pair, None)
            last[now.pair] = now
    return Verdicts(
        tuple(verdict for verdict in last.values() if verdict.same),
        {pair: verdict for pair, verdict in last.items() if verdict.same is False},
    )


def _of_what_is_left(verdict: Verdict, merged: Mapping[Ref, Ref]) -> Verdict:
    return replace(verdict, one=merged.get(verdict.one, verdict.one), other=merged.get(verdict.other, verdict.other))


def contradiction(new: Verdict, now: Verdicts) -> str:
    """Why a new word cannot stand beside what others said, and what to take back; empty when it can.

    A word on the very same pair takes the place of the one before it, and contradicts nothing.
    """
    others = [verdict for verdict in now.same if verdict.pair != new.pair]
    if new.same is False:
        chain = _chain(new.one, new.other, others)
        return _refusal(f"{name_of(new.one)} and {name_of(new.other)} cannot be two companies", chain) if chain else ""
    if new.same is None:
        return ""
    for pair, verdict in sorted(now.split.items()):
        chain = _chain(*pair, [*others, new]) if pair != new.pair else []
        if chain:
            said = [each for each in chain if each is not new]
            return _refusal(f"{name_of(new.one)} and {name_of(new.other)} cannot be one company", [verdict, *said])
    return ""


def _refusal(what: str, said: Sequence[Verdict]) -> str:
    first = said[0]
    word = "same" if first.same else "split"
    back = f"steward {word} --withdraw {name_of(first.one)} {name_of(first.other)}"
    return f"{what}: {', and '.join(map(str, said))}. Take one of these back first, as in: {back}"


def _chain(start: Ref, end: Ref, same: Iterable[Verdict]) -> list[Verdict]:
    """The words that make these two one company, one record to the next; empty when none do."""
    beside: dict[Ref, list[Verdict]] = {}
    for verdict in same:
        for ref in verdict.pair:
            beside.setdefault(ref, []).append(verdict)
    came: dict[Ref, list[Verdict]] = {start: []}
    line = [start]
    for at in line:
        for verdict in beside.get(at, ()):
            beyond = verdict.other if verdict.one == at else verdict.one
            if beyond not in came:
                came[beyond] = [*came[at], verdict]
                line.append(beyond)
    return came.get(end, [])


def name_of(ref: Ref) -> str:
    """A record as people write it."""
    return f"{ref.source}/{ref.external_id}"
