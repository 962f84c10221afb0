"""What figures are worked out for: the whole company, a manager's reports, a team, a territory with all below it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ownership.model import QUEUE
from ownership.policy import Policy, Roster

COMPANY = "company"


@dataclass(frozen=True, slots=True)
class Scope:
    """Accounts of these `owners` (None: anybody's, and nobody's) in these `territories` (None: all, and none)."""

    key: str
    name: str
    owners: frozenset[str] | None = None
    territories: frozenset[str] | None = None

    def holds(self, owner_id: str | None, territory: str) -> bool:
        return (self.owners is None or owner_id in self.owners) and (
            self.territories is None or territory in self.territories
        )


class UnknownScope(ValueError):
    """Figures are asked for of a team, manager or territory that there is not; the message says which there are."""


def scopes_of(policy: Policy, roster: Roster) -> dict[str, Scope]:
    """Every scope by its key, the company first. Queues are in nobody's team."""
    scopes = [Scope(COMPANY, "Whole company")]
    managers = dict.fromkeys(rep.manager for rep in roster.reps.values() if rep.manager)
    scopes += [
        Scope(reports_key(manager), f"{roster.name(manager)}'s reports", roster.reports_of(manager))
        for manager in managers
    ]
    teams: dict[str, set[str]] = defaultdict(set)
    for rep in roster.reps.values():
        if rep.kind != QUEUE:
            teams[rep.team].add(rep.id)
    scopes += [Scope(f"team:{team}", team, frozenset(members)) for team, members in sorted(teams.items())]
    scopes += [
        Scope(f"territory:{each.id}", each.name, territories=_with_all_below(each.id, policy))
        for each in policy.territories
    ]
    return {scope.key: scope for scope in scopes}


def reports_key(manager: str) -> str:
    return f"reports:{manager}"


def is_of_manager(scope: Scope, manager: str, roster: Roster) -> bool:
    """Whether everybody in it reports to this manager, so that they may see each one's accounts."""
    return scope.owners is not None and scope.owners <= roster.reports_of(manager)


def _with_all_below(territory: str, policy: Policy) -> frozenset[str]:
    found = {territory}
    for each in policy.territories:  # parents come before their children
        if each.parent in found:
            found.add(each.id)
    return frozenset(found)
