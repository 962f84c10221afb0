"""What a viewer is shown of other people's accounts. Pure: a viewer and the roster in, an answer out.

Everybody who is logged in may ask who owns any account, since when, in which team, and why: that is what Steward is
for. The rest of an account (its fields, records, pushes, drift, exceptions, offers) and books are for whom it concerns.
"""

from __future__ import annotations

from ownership.policy import Roster
from web.access.viewer import Role, Viewer


def looks_into(viewer: Viewer, roster: Roster) -> frozenset[str] | None:
    """Whose accounts and offers they see in full: a rep their own, a manager also those of everybody below them in the
    roster, ops all (None)."""
    if viewer.role is Role.OPS:
        return None
    seen = {viewer.rep_id} if viewer.rep_id else set()
    if viewer.role is Role.MANAGER and viewer.rep_id:
        seen |= roster.reports_of(viewer.rep_id)
    return frozenset(seen)


def sees_details(viewer: Viewer, roster: Roster, owner_id: str | None) -> bool:
    """Whether they see all of an account, or the book, of this owner. An account nobody owns is for ops."""
    seen = looks_into(viewer, roster)
    return seen is None or owner_id in seen
