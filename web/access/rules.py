"""Who is let in with which role, and what a viewer is shown of other people's accounts. Pure: what is known of
somebody and the roster in, an answer out.

Everybody who is logged in may ask who owns any account, since when, in which team, and why: that is what Steward is
for. The rest of an account (its fields, records, pushes, drift, exceptions, offers) and books are for whom it concerns.
"""

from __future__ import annotations

from collections.abc import Collection

from ownership.policy import Roster
from web.access.viewer import Role, Viewer


def role_of(roster: Roster, today: str, email: str, given: Collection[Role] = ()) -> Role | None:
    """With which role somebody is let in, None: not at all. `given` are the roles their groups give them.

    Whoever is on the roster is a rep, and a manager while somebody reports to them. Somebody who has left is not let in
    whatever their groups say, and nobody is a queue.
    """
    rep_id = roster.with_address(email)
    roles = set(given)
    if rep_id is not None:
        if rep_id not in roster.present_on(today) or roster.is_queue(rep_id):
            return None
        roles.add(Role.MANAGER if roster.is_manager(rep_id) else Role.REP)
    return max(roles, key=list(Role).index, default=None)


def looks_into(viewer: Viewer, roster: Roster) -> frozenset[str] | None:
    """Whose accounts and offers they see in full: a rep their own, a manager also those of everybody below them in the
    roster, ops all (None)."""
    if viewer.role is Role.OPS:
        return None
    seen = {viewer.rep_id} if viewer.rep_id else set()
    if viewer.role is Role.MANAGER and viewer.rep_id:
        seen |= roster.reports_of(viewer.rep_id)
    return frozenset(seen)


def may_answer(viewer: Viewer, roster: Roster, asked_id: str) -> bool:
    """Whether they may answer an offer made to this rep: their own, or as a manager above them. Ops answer none."""
    return viewer.rep_id in (asked_id, *roster.managers_of(asked_id))


def looks_after(viewer: Viewer, roster: Roster) -> frozenset[str] | None:
    """Whose accounts' exceptions they see and settle: a manager those of everybody below them, not their own; all
    (None) for ops."""
    seen = looks_into(viewer, roster)
    return None if seen is None else seen - {viewer.rep_id or ""}


def sees_details(viewer: Viewer, roster: Roster, owner_id: str | None) -> bool:
    """Whether they see all of an account, or the book, of this owner. An account nobody owns is for ops."""
    seen = looks_into(viewer, roster)
    return seen is None or owner_id in seen
