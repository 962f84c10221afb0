"""Of the records of one company: which one is kept, what it takes from the others, and who owns it.

Nothing is merged here: that is a person's or the CRM's step. Which records are one company is decided in
`ownership.matching.clusters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from ownership.matching.company import Company

POLICIES = ("exception", "survivor", "recent_activity")
"""What settles it when the records of one company have different owners: nothing but a person; the owner of the record
that is kept; the owner of the record with the latest activity."""

_SINGLE = ("name", "country", "state", "city", "street", "postcode", "phone", "industry", "parent_id")


@dataclass(frozen=True, slots=True)
class Held:
    """One record of a company, and who owns it: a rep or queue, None for nobody. `created_on` is an ISO date."""

    company: Company
    owner: str | None = None
    owner_active: bool = False
    created_on: str | None = None

    @property
    def id(self) -> str:
        return self.company.id


@dataclass(frozen=True, slots=True)
class Kept:
    """The record that is kept, and why it is that one. `values` are those it would have with its gaps filled;
    `taken_from` says of each single value whose it is: {field: id of the record}."""

    survivor: str
    because: str
    values: Company
    taken_from: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClusterOwner:
    """The owner of the whole company. Where `owner` is None and `conflict` is true, a person has to say who."""

    owner: str | None
    because: str
    conflict: bool = False


def ranked(records: Sequence[Held]) -> list[Held]:
    """The records, the one to keep first.

    A customer, then open opportunities, an owner who is active, the latest activity, the most filled fields, the
    oldest, the lowest id: a total order, so a rerun keeps the same one whatever the order of `records`.
    """
    by_id = sorted(records, key=lambda held: held.id)
    oldest_first = sorted(by_id, key=lambda held: held.created_on or "9999")
    return sorted(oldest_first, key=_standing, reverse=True)


def keep(records: Sequence[Held]) -> Kept:
    """The record to keep of one company, and the values it would have with its gaps filled from the others.

    A gap takes the value of the next in order that has one. Websites, e-mail addresses, other names and identifiers
    are gathered from all; the names of the others become aliases. Raises `ValueError` for no records.
    """
    if not records:
        raise ValueError("a company without records has none to keep")
    order = ranked(records)
    own = {held.id for held in order}
    values: dict[str, Any] = _gathered(order)
    taken_from: dict[str, str] = {}
    for name in _SINGLE:
        given = ((held.id, getattr(held.company, name)) for held in order)
        giver, value = next(((id_, value) for id_, value in given if value and value not in own), ("", None))
        values[name] = value
        if giver:
            taken_from[name] = giver
    values["activity_on"] = max(
        (str(held.company.activity_on) for held in order if held.company.activity_on), default=None
    )
    values["customer"] = any(held.company.customer for held in order)
    values["open_opportunities"] = sum(held.company.open_opportunities for held in order)
    return Kept(order[0].id, _why_first(order), replace(order[0].company, **values), taken_from)


def owner_of_cluster(records: Sequence[Held], policy: str = "exception") -> ClusterOwner:
    """Who owns a company of several records: an owner, or a conflict with the words for a person.

    One owner among the records, or none, is no conflict. `policy` is one of `POLICIES`; raises `ValueError` for
    another. An owner who has left never wins over one who is active.
    """
    if policy not in POLICIES:
        raise ValueError(f"conflicting owners are settled by one of {', '.join(POLICIES)}, not by {policy!r}")
    owned = [held for held in ranked(records) if held.owner]
    able = [held for held in owned if held.owner_active] or owned
    owners = {held.owner for held in able}
    if not owned:
        return ClusterOwner(None, "none of its records has an owner")
    if len(owners) == 1:
        left = "" if len({held.owner for held in owned}) == 1 else " who is active"
        return ClusterOwner(able[0].owner, f"the only owner of its records{left}")
    if policy == "survivor":
        return ClusterOwner(able[0].owner, f"the owner of {able[0].id}, which is kept: {_why_first(able)}")
    latest = _latest(able)
    if policy == "recent_activity" and latest:
        on = latest.company.activity_on
        return ClusterOwner(latest.owner, f"the owner of {latest.id}, which has the latest activity ({on})")
    shown = ", ".join(f"{held.owner} owns {held.id}" for held in sorted(able, key=lambda held: held.id))
    return ClusterOwner(None, f"its records have different owners: {shown}; say which of them keeps it", conflict=True)


def _latest(records: Sequence[Held]) -> Held | None:
    """The record with the latest activity; None where no record has one, or several owners share that day."""
    days = [str(held.company.activity_on) for held in records if held.company.activity_on]
    found = [held for held in records if days and held.company.activity_on == max(days)]
    return found[0] if len({held.owner for held in found}) == 1 else None


_STEPS: tuple[tuple[str, Callable[[Held], int | str]], ...] = (
    ("it is a customer", lambda held: int(held.company.customer)),
    ("it has the most open opportunities", lambda held: held.company.open_opportunities),
    ("its owner is active", lambda held: int(held.owner is not None and held.owner_active)),
    ("it has the latest activity", lambda held: held.company.activity_on or ""),
    ("it has the most fields filled", lambda held: _filled(held.company)),
)


def _standing(held: Held) -> tuple[int | str, ...]:
    return tuple(step(held) for _, step in _STEPS)


def _why_first(order: Sequence[Held]) -> str:
    """What sets the first record before the second."""
    if len(order) == 1:
        return "it is the only one"
    first, second = order[0], order[1]
    ahead = next((words for words, step in _STEPS if step(first) != step(second)), None)
    return ahead or ("it is the oldest" if first.created_on != second.created_on else "it has the lowest id")


def _filled(company: Company) -> int:
    return sum(bool(getattr(company, field.name)) for field in fields(company))


def _gathered(order: Sequence[Held]) -> dict[str, Any]:
    """What several records may each add to: lists without repetition, and identifiers, the first record's first."""
    found: dict[str, Any] = {
        name: tuple(dict.fromkeys(value for held in order for value in getattr(held.company, name)))
        for name in ("websites", "emails")
    }
    names = dict.fromkeys(held.company.name for held in order if held.company.name)
    aliases = dict.fromkeys(alias for held in order for alias in held.company.aliases)
    found["aliases"] = tuple(dict.fromkeys((*list(names)[1:], *(each for each in aliases if each not in names))))
    found["ids"] = {kind: value for held in reversed(order) for kind, value in sorted(held.company.ids.items())}
    return found
