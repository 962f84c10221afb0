"""Memory: what one run of `steward decide` leaves to the next, and the file it is kept in.

With a server all of this is in its store. How it goes into a decision and comes out of one is `tasks/headless.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ownership.case import LastLead, State
from ownership.day import Day
from ownership.model import Afterwards
from ownership.rotation import PoolTurns
from ownership.sustained import Mark
from tasks.account_files import UnreadableFile, content_of, write_whole


@dataclass(frozen=True, slots=True)
class Lent:
    """An account that `owner` has for a time, and what follows. Void once somebody else has it."""

    owner: str
    afterwards: Afterwards


@dataclass(frozen=True, slots=True)
class Memory:
    """The turns by pool; since when rules have held (`marks`), who of a pool fills a role (`teams`) and who has it for
    a time (`lent`), by account; who got a company's last lead, by web domain (`leads`)."""

    turns: Mapping[str, PoolTurns] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, Mark]] = field(default_factory=dict)
    teams: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    lent: Mapping[str, Lent] = field(default_factory=dict)
    leads: Mapping[str, LastLead] = field(default_factory=dict)

    def after(self, state: State, day: Day) -> Memory:
        """What is to be remembered once a run has left things in `state`.

        Of accounts that were not decided everything stays as it was; of leads only what the policy still asks for.
        """
        had = {id_: holding.afterwards for id_, holding in state.holdings.items()}
        lent = {id_: Lent(state.owners[id_], then) for id_, then in had.items() if then and id_ in state.owners}
        lent |= {id_: each for id_, each in self.lent.items() if id_ not in had}
        oldest = day.now - timedelta(days=day.policy.leads.sticky_days)
        leads = {domain: lead for domain, lead in state.recent.items() if oldest <= lead.at}
        asked = day.policy.leads.sticky_days > 0
        return Memory(state.turns, state.marks, state.teams, lent, leads if asked else {})


def read_memory(path: Path) -> Memory:
    """What `write_memory` left; nothing when there is no such file yet. Raises `UnreadableFile` for anything else."""
    if not path.exists():
        return Memory()
    try:
        sections = json.loads(content_of(path))
        read = {name: _READ[name](said) for name, said in sections.items()}
        return Memory(**read)
    except UnreadableFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        mend = "Bring back the last good one, or remove it to start anew"
        raise UnreadableFile(path, "does not hold what a run leaves to the next", mend) from None


def write_memory(memory: Memory, path: Path) -> None:
    """Write it whole or not at all. Raises `UnreadableFile` when it cannot be written."""
    sections = {name: _sorted(written) for name, write in _WRITE.items() if (written := write(getattr(memory, name)))}
    text = json.dumps(sections, indent=1) + "\n"
    write_whole(path, lambda file: file.write(text.encode()))


def _sorted(section: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(section.items()))


def _marks_read(said: Any) -> dict[str, dict[str, Mark]]:
    return {
        str(account): {str(rule): Mark(str(since), bool(on)) for rule, (since, on) in held.items()}
        for account, held in said.items()
    }


def _marks_written(marks: Mapping[str, Mapping[str, Mark]]) -> dict[str, Any]:
    return {
        account: {rule: [mark.since, mark.on] for rule, mark in sorted(held.items())}
        for account, held in marks.items()
        if held
    }


def _leads_read(said: Any) -> dict[str, LastLead]:
    leads = {str(domain): LastLead(str(rep), datetime.fromisoformat(at)) for domain, (rep, at) in said.items()}
    if any(lead.at.tzinfo is None for lead in leads.values()):
        raise ValueError("an instant without a time zone")
    return leads


def _lent_read(said: Any) -> dict[str, Lent]:
    return {
        str(account): Lent(str(owner), Afterwards(None if back_to is None else str(back_to)))
        for account, (owner, back_to) in said.items()
    }


_READ: Mapping[str, Callable[[Any], Any]] = {
    "turns": lambda said: {str(pool): PoolTurns.from_json(state) for pool, state in said.items()},
    "marks": _marks_read,
    "teams": lambda said: {
        str(account): {str(role): str(rep) for role, rep in team.items()} for account, team in said.items()
    },
    "lent": _lent_read,
    "leads": _leads_read,
}
_WRITE: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "turns": lambda turns: {pool: state.to_json() for pool, state in turns.items()},
    "marks": _marks_written,
    "teams": lambda teams: {account: _sorted(team) for account, team in teams.items()},
    "lent": lambda lent: {account: [each.owner, each.afterwards.returns_to] for account, each in lent.items()},
    "leads": lambda leads: {domain: [lead.rep, lead.at.isoformat()] for domain, lead in leads.items()},
}
