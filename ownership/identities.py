"""Who is who: one rep, one user id in each outside system, found by e-mail address unless the roster says it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ownership.model import Rep

UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class OutsidePerson:
    """A user of one system, as that system lists them."""

    source: str
    external_id: str
    email: str
    active: bool


@dataclass(frozen=True, slots=True)
class Identities:
    """Both directions: whose a vendor user id is, and under which active user id a rep is written.

    `user_of` is by system and rep. `inactive_in` are the systems where a rep has users, and none of them is active.
    """

    rep_of: Mapping[tuple[str, str], str]
    user_of: Mapping[tuple[str, str], str]
    inactive_in: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def label(self, source: str, external_id: str | None) -> str | None:
        """As the function `label`."""
        return label(self.rep_of, source, external_id)

    def reachable(self, rep_id: str) -> frozenset[str]:
        """The systems in which this rep can be made an owner: none at all while they are inactive in one of them.

        Who never had a user somewhere may still own accounts elsewhere; who has been deactivated is about to go, and
        one system would show an owner the others refuse.
        """
        if rep_id in self.inactive_in:
            return frozenset()
        return frozenset(source for source, rep in self.user_of if rep == rep_id)

    def unreachable_because(self, rep_id: str, source: str) -> str:
        """Why this rep cannot be made an owner in this system, and what to do. "" when they can."""
        if inactive := self.inactive_in.get(rep_id):
            systems = " and ".join(sorted(inactive))
            return f"{rep_id} is inactive in {systems}, so nothing is written anywhere; reactivate them, or reassign"
        if (source, rep_id) not in self.user_of:
            return f"{rep_id} has no active user in {source}; add or reactivate the user, or reassign"
        return ""


def label(rep_of: Mapping[tuple[str, str], str], source: str, external_id: str | None) -> str | None:
    """A rep id, "?<vendor user id>" for somebody who is not on the roster, None for nobody."""
    return rep_of.get((source, external_id), UNKNOWN + external_id) if external_id else None


def identify(reps: Iterable[Rep], people: Iterable[OutsidePerson]) -> Identities:
    """Match users with reps. An id on the roster wins over an e-mail address; of several users the lowest id."""
    by_email = {rep.email.casefold(): rep.id for rep in sorted(reps, key=lambda rep: rep.id, reverse=True)}
    by_id = {(source, user): rep.id for rep in reps for source, user in rep.external_ids.items()}
    rep_of: dict[tuple[str, str], str] = {}
    user_of: dict[tuple[str, str], str] = {}
    seen_in: defaultdict[str, set[str]] = defaultdict(set)
    for person in sorted(people, key=lambda p: (p.source, p.external_id)):
        key = (person.source, person.external_id)
        rep = by_id.get(key) or by_email.get(person.email.casefold())
        if rep is None:
            continue
        rep_of[key] = rep
        seen_in[rep].add(person.source)
        if person.active and (key in by_id or (person.source, rep) not in user_of):
            user_of[(person.source, rep)] = person.external_id
    asleep = {rep: frozenset(s for s in sources if (s, rep) not in user_of) for rep, sources in seen_in.items()}
    return Identities(rep_of, user_of, {rep: sources for rep, sources in asleep.items() if sources})
