"""What goes with an owner: the team stays, and what the owner before had follows where the policy says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.policy_files import LoadedPolicy, load_policy
from connectors.base import OwnerResult, WriteOutcome
from connectors.errors import RetryLater
from connectors.memory import MemoryTarget
from tasks.push import push_target
from tasks.rehearsal import Rehearsal, rehearse, user_id
from tasks.transfers import finish_transfers

NAMES = ("ann", "bob", "cem", "dee")
POLICY = {
    "apiVersion": "steward/v1",
    "kind": "Policy",
    "name": "Transfers",
    "order": ["do_not_route", "gate", "named", "parent_owner", "existing_owner", "territory"],
    "territories": [{"id": "world", "owner": "bob"}],
    "on_owner_change": {"contacts": "move", "open_opportunities": "move"},
}


def policy(folder: Path, **changes: object) -> LoadedPolicy:
    reps = [
        {"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales"} for id_ in NAMES
    ]
    documents = {
        "policy": {**POLICY, **changes},
        "roster": {"apiVersion": "steward/v1", "kind": "Roster", "reps": reps},
    }
    for name, document in documents.items():
        (folder / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")
    return load_policy(folder)


NAMED = [{"domain": "acorn.com", "owner": "ann"}]


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    """Acorn belongs to Bob; Cem and Dee are on its team; Bob, Cem have contacts and opportunities there."""
    made = rehearse(tmp_path, policy(tmp_path), store_url)
    made.account("salesforce", "001A", name="Acorn", website="acorn.com", owner="bob")
    made.assign()
    made.push()
    hanging = made.targets["salesforce"].hanging
    hanging.team("001A", **{user("cem"): "CSM", user("dee"): "SE"})
    for id_, owner in (("c1", "bob"), ("c2", "bob"), ("c3", "cem")):
        hanging.put("Contact", id_, "001A", user(owner))
    hanging.put("Contact", "c9", "001Z", user("bob"))
    hanging.put("Opportunity", "open", "001A", user("bob"))
    hanging.put("Opportunity", "won", "001A", user("bob"), closed=True)
    hanging.put("Opportunity", "other", "001A", user("dee"))
    yield made
    made.context.store.close()


def user(rep: str) -> str:
    return user_id("salesforce", rep)


def give_to_ann(company: Rehearsal, folder: Path, **changes: object) -> None:
    company.adopt(policy(folder, named=NAMED, **changes))
    company.assign()


def owners(company: Rehearsal) -> dict[str, str | None]:
    return {id_: each.owner_id for (_, id_), each in company.targets["salesforce"].hanging.records.items()}


def team(company: Rehearsal) -> dict[str, str | None]:
    return {mate.user_id: mate.role for mate in company.targets["salesforce"].hanging.teams.get("001A", {}).values()}


def exceptions(company: Rehearsal) -> list[str]:
    with company.context.store.transaction(readonly=True) as uow:
        return sorted(item.kind for item in uow.exceptions.open_items())


MOVED = {"c1": "ann", "c2": "ann", "c3": "cem", "c9": "bob", "open": "ann", "won": "bob", "other": "dee"}


def test_the_team_stays_and_what_the_owner_before_had_follows_and_nothing_else(
    company: Rehearsal, tmp_path: Path
) -> None:
    give_to_ann(company, tmp_path)
    company.push()
    assert company.shown("salesforce", "001A") == "ann"
    assert owners(company) == {id_: user(rep) for id_, rep in MOVED.items()}
    assert team(company) == {user("cem"): "CSM", user("dee"): "SE"}
    assert exceptions(company) == []


def test_a_policy_that_says_nothing_keeps_the_team_and_moves_nothing(company: Rehearsal, tmp_path: Path) -> None:
    before = owners(company)
    give_to_ann(company, tmp_path, on_owner_change={})
    company.push()
    assert company.shown("salesforce", "001A") == "ann"
    assert owners(company) == before
    assert team(company) == {user("cem"): "CSM", user("dee"): "SE"}


def test_a_policy_may_let_the_team_go(company: Rehearsal, tmp_path: Path) -> None:
    give_to_ann(company, tmp_path, on_owner_change={"account_team": "drop"})
    company.push()
    assert team(company) == {}


def test_a_teammate_who_becomes_the_owner_needs_no_place_on_the_team(company: Rehearsal, tmp_path: Path) -> None:
    company.adopt(policy(tmp_path, named=[{"domain": "acorn.com", "owner": "cem"}]))
    company.assign()
    company.push()
    assert team(company) == {user("dee"): "SE"}


def test_finishing_again_moves_nothing_though_somebody_has_given_a_contact_back(
    company: Rehearsal, tmp_path: Path
) -> None:
    give_to_ann(company, tmp_path)
    company.push()
    company.targets["salesforce"].hanging.put("Contact", "c1", "001A", user("bob"))
    company.push()
    assert owners(company)["c1"] == user("bob")


def test_a_teammate_who_left_becomes_an_exception_and_the_others_stay(company: Rehearsal, tmp_path: Path) -> None:
    company.targets["salesforce"].hanging.team("001A", gone="Partner")
    give_to_ann(company, tmp_path)
    company.push()
    assert team(company) == {user("cem"): "CSM", user("dee"): "SE"}
    assert exceptions(company) == ["team_not_kept"]
    assert company.shown("salesforce", "001A") == "ann"


def test_a_refused_contact_harms_only_itself(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = company.targets["salesforce"]
    move = target.move_dependents

    def refusing(changes: list[object]) -> tuple[OwnerResult, ...]:
        refused = OwnerResult("c1", WriteOutcome.REJECTED, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no such luck")
        done = move([each for each in changes if each.remote_id != "c1"])  # type: ignore[attr-defined]
        return (refused, *done)

    monkeypatch.setattr(target, "move_dependents", refusing)
    give_to_ann(company, tmp_path)
    company.push()
    assert owners(company) == {id_: user(rep) for id_, rep in {**MOVED, "c1": "bob"}.items()}
    assert exceptions(company) == ["transfer_rejected"]


def test_what_is_busy_is_tried_again_later_and_only_then(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = tuple(OwnerResult(id_, WriteOutcome.RETRY, "UNABLE_TO_LOCK_ROW", "busy") for id_ in ("c1", "c2", "open"))
    with monkeypatch.context() as patch:
        patch.setattr(company.targets["salesforce"], "move_dependents", lambda _: busy)
        give_to_ann(company, tmp_path)
        company.push()
    assert owners(company)["c1"] == user("bob")
    assert finish_transfers(company.context, "salesforce").records == 0, "it is not due yet"
    company.pass_time(minutes=1)
    assert finish_transfers(company.context, "salesforce").moved == {"Contact": 2, "Opportunity": 1}
    assert owners(company) == {id_: user(rep) for id_, rep in MOVED.items()}


def test_a_system_that_does_not_answer_before_the_write_is_not_written_to(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_to_ann(company, tmp_path)
    company.new_run()
    company.pass_time(seconds=1)

    def away(_: object) -> None:
        raise RetryLater("salesforce", "is away")

    with monkeypatch.context() as patch:
        patch.setattr(company.targets["salesforce"], "read_teams", away)
        with pytest.raises(RetryLater):
            push_target(company.context, "salesforce")
    assert company.shown("salesforce", "001A") == "bob"
    company.pass_time(minutes=1)
    company.push()
    assert team(company) == {user("cem"): "CSM", user("dee"): "SE"}


def lost_answers(target: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next write of owners is done, and nobody hears of it."""
    write, left = target.update_owners, [1]

    def silent(changes: list[object]) -> tuple[OwnerResult, ...]:
        results = write(changes)  # type: ignore[arg-type]
        if not left.pop():
            return results
        left.append(0)
        return tuple(OwnerResult(each.remote_id, WriteOutcome.UNKNOWN, "NO_ANSWER", "") for each in results)

    monkeypatch.setattr(target, "update_owners", silent)


def test_a_team_lost_by_a_write_nobody_heard_of_is_put_back(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_answers(company.targets["salesforce"], monkeypatch)
    give_to_ann(company, tmp_path)
    company.push()
    assert team(company) == {}
    company.pass_time(minutes=5)
    company.push()
    assert team(company) == {user("cem"): "CSM", user("dee"): "SE"}
    assert owners(company) == {id_: user(rep) for id_, rep in MOVED.items()}


def test_a_team_lost_by_a_write_nobody_heard_of_is_put_back_though_somebody_else_owns_it_by_now(
    company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_answers(company.targets["salesforce"], monkeypatch)
    give_to_ann(company, tmp_path)
    company.push()
    company.account("salesforce", "001A", name="Acorn", website="acorn.com", owner="dee")
    company.pass_time(minutes=5)
    company.push()
    assert exceptions(company) == ["owner_drift"]
    assert set(team(company)) == {user("cem"), user("dee")}
