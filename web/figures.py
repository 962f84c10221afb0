"""Whose figures a viewer may see, and where they may see names in them; for pages and API alike.

A manager sees the figures of the company and its territories, and names only where all are their own reports.
"""

from __future__ import annotations

from ownership.kpis.catalogue import BY_ID, PERIODS, Kpi
from ownership.kpis.scopes import COMPANY, Scope, is_of_manager, reports_key, scopes_of
from ownership.policy import Roster
from tasks.kpis import Board, board
from web.access.viewer import Role, Viewer
from web.surroundings import Surroundings


class NotForYou(ValueError):
    """What is asked for is not there, or not for this viewer; `status` says which."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status


def kpi_called(id_: str) -> Kpi:
    """The figure with this id. Raises `NotForYou`."""
    if (kpi := BY_ID.get(id_)) is None:
        raise NotForYou(404, f"There is no such figure. There are {', '.join(BY_ID)}.")
    return kpi


def board_for(here: Surroundings, viewer: Viewer, key: str | None, period: str | None) -> Board:
    """The figures of this scope and period; by default a manager's own reports, the company's for ops, over 90 days.
    Raises `NotForYou`."""
    scopes = scopes_for(here, viewer)
    own = reports_key(viewer.rep_id or "")
    key = key or (own if viewer.role is not Role.OPS and own in scopes else COMPANY)
    if key not in scopes:
        there = key in scopes_of(here.policy.policy, here.policy.roster)
        problem = "These are another manager's people" if there else "There is no such team or territory"
        raise NotForYou(403 if there else 404, f"{problem}. Health lists those you may see.")
    period = period or "90"
    if period not in map(str, PERIODS):
        raise NotForYou(400, f"A period is one of {', '.join(map(str, PERIODS))} days.")
    return board(here.reading(), scopes[key], int(period))


def scopes_for(here: Surroundings, viewer: Viewer) -> dict[str, Scope]:
    """What this viewer may see figures of."""
    loaded = here.policy
    scopes = scopes_of(loaded.policy, loaded.roster)
    return {
        key: scope for key, scope in scopes.items() if scope.owners is None or may_name(viewer, scope, loaded.roster)
    }


def may_name(viewer: Viewer, scope: Scope, roster: Roster) -> bool:
    """Whether the viewer may see who in it has what."""
    if viewer.role is Role.OPS:
        return True
    return viewer.rep_id is not None and is_of_manager(scope, viewer.rep_id, roster)
