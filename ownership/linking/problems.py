"""What linking hands to a person, and all it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from ownership.model import Account, Ref

PROBLEM_KINDS = ("doubtful_match", "conflicting_owners", "parent_cycle", "parent_conflict", "unplaced_fact")


@dataclass(frozen=True, slots=True)
class Problem:
    """Records that could not be placed without doubt. `kind` is one of `PROBLEM_KINDS`.

    `about` tells problems of one kind apart, the same from run to run; empty: the records do.
    """

    kind: str
    refs: tuple[Ref, ...]
    because: str
    about: str = ""

    @property
    def key(self) -> str:
        """What an exception about it is known by."""
        return f"{self.kind}:" + (
            self.about or ",".join(f"{ref.source}/{ref.external_id}" for ref in sorted(self.refs))
        )


@dataclass(frozen=True, slots=True)
class Linked:
    """All accounts, by id, and what a person has to look at.

    `unmatched` are companies that only followers know: they would be accounts if those founded any.
    """

    accounts: list[Account]
    problems: list[Problem]
    unmatched: list[Account] = field(default_factory=list)
