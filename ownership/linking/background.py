"""What is known beside the records themselves when they are linked: people's words, owners, what was merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ownership.model import Ref
from ownership.verdicts import Verdicts


def _in_no_use(account_id: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Alike:
    """Two records that are not equal in anything and still are surely one company: how likely, and what says so."""

    one: Ref
    other: Ref
    score: float
    because: str = ""


@dataclass(frozen=True, slots=True)
class Background:
    """What linking knows beside the records.

    `verdicts` are what people said of records, which wins. `held` are the owners of accounts by id: two accounts with
    two owners stay two until somebody settles who keeps the company. `oldest` counts accounts from the first there was.
    `merged` leads from a record that its system merged away to the one that is left. `alike` are pairs found by
    comparing them. `parents` are those that people named, by record. `followers` are the systems whose records belong
    to accounts of others and found none.

    The rest is for linking a part of all records as if they all were there: `crowds` are the keys that too many
    records share, with their number, followers left out (None: counted here); `listing` the systems that list records
    (None: those whose records are here); `in_use` says of an account id whether an account elsewhere has it.
    """

    verdicts: Verdicts = field(default_factory=Verdicts)
    held: Mapping[str, str] = field(default_factory=dict)
    oldest: Mapping[str, int] = field(default_factory=dict)
    merged: Mapping[Ref, Ref] = field(default_factory=dict)
    alike: tuple[Alike, ...] = ()
    parents: Mapping[Ref, Ref] = field(default_factory=dict)
    followers: frozenset[str] = frozenset()
    crowds: Mapping[str, int] | None = None
    listing: frozenset[str] | None = None
    in_use: Callable[[str], bool] = _in_no_use

    def founding(self, refs: Iterable[Ref]) -> list[Ref]:
        """Those of these records that found accounts."""
        return [ref for ref in refs if ref.source not in self.followers]

    def now(self, ref: Ref) -> Ref:
        """The record that is left of this one."""
        seen = {ref}
        while (after := self.merged.get(ref)) is not None and after not in seen:
            seen.add(after)
            ref = after
        return ref


NOTHING_ELSE = Background()
