"""Verdicts: what a person said of two records, that they are one company or are not. They win over all evidence.

The same holds between a lead's record and an account's: it belongs to that company, or does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ownership.model import Ref


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's word on two records. The first one named is kept when accounts become one."""

    one: Ref
    other: Ref
    same: bool
    by: str = ""
    because: str = ""
    said_at: datetime | None = None

    @property
    def pair(self) -> tuple[Ref, Ref]:
        first, second = sorted((self.one, self.other))
        return first, second


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What holds: of several words on one pair the last."""

    same: tuple[Verdict, ...] = ()
    apart: frozenset[tuple[Ref, Ref]] = field(default_factory=frozenset)

    def are_apart(self, ones: Iterable[Ref], others: Sequence[Ref]) -> bool:
        """Whether somebody said of one of these and one of those that they are two companies."""
        if not self.apart:
            return False
        return any((min(one, other), max(one, other)) in self.apart for one in ones for other in others)

    def kept_first(self, refs: Iterable[Ref]) -> list[Ref]:
        """The records that were named first when somebody said that these are one, the last such word first."""
        wanted = set(refs)
        return [verdict.one for verdict in reversed(self.same) if verdict.one in wanted and verdict.other in wanted]


def standing(said: Iterable[Verdict]) -> Verdicts:
    """What holds of everything that was said, oldest first."""
    last = {verdict.pair: verdict for verdict in said}
    return Verdicts(
        tuple(verdict for verdict in last.values() if verdict.same),
        frozenset(pair for pair, verdict in last.items() if not verdict.same),
    )


def contradiction(new: Verdict, standing_now: Verdicts) -> str:
    """Why a new word cannot stand beside what others said; empty when it can.

    A word on the very same pair takes the place of the one before it, and contradicts nothing.
    """
    others = [verdict for verdict in standing_now.same if verdict.pair != new.pair]
    groups = _groups([*others, new] if new.same else others)
    if not new.same:
        if groups.get(new.one, new.one) == groups.get(new.other, new.other):
            return (
                f"{_name(new.one)} and {_name(new.other)} are one company by what was said of others; split those first"
            )
        return ""
    for one, other in sorted(standing_now.apart - {new.pair}):
        if groups.get(one, one) == groups.get(other, other):
            return f"then {_name(one)} and {_name(other)} would be one, and somebody said that they are not"
    return ""


def _groups(same: Sequence[Verdict]) -> dict[Ref, Ref]:
    """The first record of each group that these words make, by record."""
    leader: dict[Ref, Ref] = {}

    def top(ref: Ref) -> Ref:
        while leader.get(ref, ref) != ref:
            ref = leader[ref]
        return ref

    for verdict in same:
        first, second = sorted((top(verdict.one), top(verdict.other)))
        leader[second] = first
    return {ref: top(ref) for verdict in same for ref in verdict.pair}


def _name(ref: Ref) -> str:
    return f"{ref.source}/{ref.external_id}"
