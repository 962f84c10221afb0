"""Killed anywhere between noting a team and putting it back, the account ends with its new owner and its whole team.

The control beside it notes the team after the write, and must be caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.policy_files import LoadedPolicy, load_policy
from store.engine import Store
from tasks import push
from tasks.rehearsal import Rehearsal, rehearse, user_id
from tests.faults.test_killed_anywhere import Killed, Steps

pytestmark = pytest.mark.slow
CALLS = ("read_owners", "update_owners", "read_teams", "add_teammates", "dependents", "move_dependents")
TEAM = {user_id("salesforce", "cem"): "CSM", user_id("salesforce", "dee"): "SE"}
Control = Callable[[pytest.MonkeyPatch], None]


def policy(folder: Path, owner: str) -> LoadedPolicy:
    folder.mkdir(exist_ok=True)
    kinds = {"apiVersion": "steward/v1"}
    reps = [
        {"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales"}
        for id_ in ("ann", "bob", "cem", "dee")
    ]
    rules = {
        "name": "Killed",
        "order": ["do_not_route", "gate", "named", "parent_owner", "existing_owner", "territory"],
        "named": [{"domain": "acorn.com", "owner": owner}],
        "on_owner_change": {"contacts": "move", "open_opportunities": "move"},
    }
    for name, document in (("policy", {"kind": "Policy", **rules}), ("roster", {"kind": "Roster", "reps": reps})):
        (folder / f"{name}.yaml").write_text(json.dumps({**kinds, **document}), encoding="utf-8")
    return load_policy(folder)


def ready(folder: Path, url: str) -> Rehearsal:
    """Acorn belongs to Bob and has a team; Ann is to own it, and nothing of that is pushed."""
    company = rehearse(folder, policy(folder, "bob"), url)
    company.account("salesforce", "001A", name="Acorn", website="acorn.com", owner="bob")
    company.assign()
    company.push()
    hanging = company.targets["salesforce"].hanging
    hanging.team("001A", **TEAM)
    hanging.put("Contact", "c1", "001A", user_id("salesforce", "bob"))
    hanging.put("Opportunity", "o1", "001A", user_id("salesforce", "bob"))
    company.adopt(policy(folder, "ann"))
    company.assign()
    return company


def ends(company: Rehearsal) -> dict[str, Any]:
    hanging = company.targets["salesforce"].hanging
    with company.context.store.transaction(readonly=True) as uow:
        exceptions = [item.kind for item in uow.exceptions.open_items()]
    return {
        "owner": company.shown("salesforce", "001A"),
        "team": {mate.user_id: mate.role for mate in hanging.teams.get("001A", {}).values()},
        "hanging": {id_: each.owner_id for (_, id_), each in hanging.records.items()},
        "exceptions": exceptions,
    }


ANN = user_id("salesforce", "ann")
WHOLE = {"owner": "ann", "team": TEAM, "hanging": {"c1": ANN, "o1": ANN}, "exceptions": []}


def kill_everywhere(
    folder: Path, url_of: Callable[[], str], control: Control | None = None
) -> Iterator[dict[str, Any]]:
    """What there is after a push killed at each place it can die at and then started again."""
    for die_at in range(1, 200):
        company, steps = ready(folder / str(die_at), url_of()), Steps(die_at)
        with pytest.MonkeyPatch.context() as patch:
            if control:
                control(patch)
            with pytest.MonkeyPatch.context() as dying:
                dying.setattr(Store, "run", steps.around(Store.run))
                for call in CALLS:
                    target = company.targets["salesforce"]
                    dying.setattr(target, call, steps.around(getattr(target, call)))
                try:
                    company.push()
                except Killed:
                    survived = False
                else:
                    survived = True
            if not survived:
                company.push()
                yield ends(company)
        company.context.store.close()
        if survived:
            return


def noted_after_the_write(patch: pytest.MonkeyPatch) -> None:
    """The order that loses teams: write first, and note who was on the team when that is done."""
    noting, writing = push.note_before_write, push._write
    late: list[Any] = []
    patch.setattr(push, "note_before_write", lambda *what: late.append(what))

    def written(*what: Any) -> Any:
        verdicts = writing(*what)
        while late:
            noting(*late.pop())
        return verdicts

    patch.setattr(push, "_write", written)


def test_killed_anywhere_the_account_ends_with_its_new_owner_and_its_whole_team(
    tmp_path: Path, new_database: Callable[[], str]
) -> None:
    found = list(kill_everywhere(tmp_path, new_database))
    assert len(found) > 15
    assert [each for each in found if each != WHOLE] == []


def test_control_a_team_noted_after_the_write_is_lost(tmp_path: Path, new_database: Callable[[], str]) -> None:
    assert any(each["team"] != TEAM for each in kill_everywhere(tmp_path, new_database, noted_after_the_write))
