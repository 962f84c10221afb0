"""The team of an account: who fills its supporting roles beside the owner of record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ownership.case import Case
from ownership.entries import TeamRole
from ownership.model import TeamMember
from ownership.rota import gate_of


def team_of(case: Case, owner_id: str) -> tuple[TeamMember, ...]:
    """Every role the policy knows for this account, filled or not, by role.

    A role is filled by the first of its entries that holds and finds somebody, else by the owner's pod. Whoever of a
    pool fills a role already goes on with it.
    """
    found: dict[str, TeamMember] = {}
    for entry, holds in case.day.index.team:
        filled = found.get(entry.role)
        if (filled is None or filled.rep_id is None) and holds(case.fields):
            found[entry.role] = _by_entry(case, entry)
    for member in _by_pod(case, owner_id):
        if member.role not in found or found[member.role].rep_id is None:
            found[member.role] = member
    return tuple(found[role] for role in sorted(found))


def given_by_turns(case: Case, team: Iterable[TeamMember]) -> dict[str, str]:
    """Who fills the roles that a pool gives on this account: they are to go on with it."""
    roles = {entry.role for entry, holds in case.day.index.team if entry.assign.pool and holds(case.fields)}
    return {member.role: member.rep_id for member in team if member.rep_id and member.role in roles}


def _by_entry(case: Case, entry: TeamRole) -> TeamMember:
    if entry.assign.owner:
        return _single(case, entry.role, entry.assign.owner, "the policy names them")
    rota = case.state.rota(str(entry.assign.pool), case.day)
    present = case.state.teams.get(case.account.id, {}).get(entry.role)
    if present is not None and present in rota.pool.members and present in case.present:
        return TeamMember(entry.role, present, "fills it already and is of the pool")
    pick = rota.pick(entry.assign.skills, rule=entry.id)
    because = f"next in turn in pool {rota.pool.id}" if pick.rep else f"nobody in pool {rota.pool.id} is free"
    return TeamMember(entry.role, pick.rep, because)


def _by_pod(case: Case, owner_id: str) -> Iterator[TeamMember]:
    pod = case.day.index.pod_of.get(owner_id)
    if pod is not None:
        for role, rep in pod.roles.items():
            yield _single(case, role, rep, f"is of pod {pod.id}")


def _single(case: Case, role: str, rep_id: str, said: str) -> TeamMember:
    """Somebody who is named for the role; on leave they keep it, as owners do."""
    if rep_id not in case.present:
        return TeamMember(role, None, f"{case.name(rep_id)} {gate_of(case.day, rep_id, (), 0)}")
    return TeamMember(role, rep_id, said)
