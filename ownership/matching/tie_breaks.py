"""Tie-breaks: which of several accounts of one company, or of one family, a lead belongs to.

One fixed order, so that a preview, a route and a report give the same answer, whatever order the accounts came in.
"""

from __future__ import annotations

from dataclasses import dataclass

from ownership.matching.company import Normal


@dataclass(frozen=True, slots=True)
class Preference:
    """What makes one account the first to ask for. `activity_on` is an ISO date, empty when unknown."""

    customer: bool = False
    open_opportunity: bool = False
    activity_on: str = ""

    def key(self, lead: Normal, account: Normal) -> tuple[object, ...]:
        """Sorts accounts, the preferred first: a customer, an open opportunity, latest activity, where the lead is."""
        return (
            not self.customer,
            not self.open_opportunity,
            _newest_first(self.activity_on),
            account.country is None or lead.country is None or account.country != lead.country,
        )

    def over(self, other: Preference, lead: Normal, account: Normal, lost: Normal) -> str:
        """Why this one comes before the other."""
        mine, theirs = self.key(lead, account), other.key(lead, lost)
        for reason, one, two in zip(_REASONS, mine, theirs, strict=True):
            if one != two:
                return f"of one company or family with it; {reason}"
        return "of one company or family with it, and less alike or with the higher id"


_REASONS = (
    "the other is a customer",
    "the other has an open opportunity",
    "the other was active later",
    "the other is in the lead's country",
)


def _newest_first(date: str) -> str:
    """A date's digits turned around, so that the latest sorts first; none comes last."""
    return date.translate(_TURNED) or "~"


_TURNED = str.maketrans("0123456789", "9876543210")


def are_family(one: Normal, other: Normal) -> bool:
    """Whether two accounts are one company or belong together: parent and child, siblings, one domain, or one name
    and place."""
    if one.id == other.id:
        return True
    if one.parent_id == other.id or other.parent_id == one.id:
        return True
    if one.parent_id is not None and one.parent_id == other.parent_id:
        return True
    if not set(one.domains).isdisjoint(other.domains):
        return True
    near = one.country == other.country or None in (one.country, other.country)
    apart = bool(one.domains and other.domains)
    return bool(one.slug) and one.slug == other.slug and near and not apart
