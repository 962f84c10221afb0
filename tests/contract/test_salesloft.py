"""Salesloft keeps every promise, over TLS and through the gateway; and what its own ways would break."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.base import OwnerChange, RecordState, WriteOutcome
from connectors.errors import ConnectorStopped, RetryLater, SchemaChanged
from connectors.salesloft import SalesloftConnector
from connectors.salesloft_api import COSTS, SalesloftApi, cost_of
from emulators.faults import Fault
from emulators.salesloft.app import POINTS_A_MINUTE
from ownership.model import AccountRecord
from tests.contract.promises import OwnerTargetPromises, SourceCase, SourcePromises, TargetCase, everything
from tests.contract.served import Served, serve

IDS = [str(53_000_000 + n) for n in range(230)]
OWNERS = ("46818", "46819")
GONE = "46820"
AWAY = "46821"  # of a group that is not visible to everybody


def account(n: int, id_: str, at: str | None = None) -> dict[str, Any]:
    at = at or f"2026-11-20T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.252532-05:00"
    return {
        "id": int(id_), "name": f"Company {n}", "domain": f"c{n}.example", "crm_id": f"001{n:015}", "country": "US",
        "crm_object_type": "account", "owner_id": OWNERS[1], "created_at": at, "updated_at": at, "size": "51-200",
    }  # fmt: skip


def user(id_: str, active: bool = True, hidden: bool = False) -> dict[str, Any]:
    mail = f"u{id_}@northwind-data.example"
    return {"id": int(id_), "name": f"U {id_}", "email": mail, "active": active, "hidden": hidden}


def world(*more: dict[str, Any]) -> dict[str, Any]:
    own = {
        "client_id": "steward", "client_secret": "s3",
        "users": [*map(user, OWNERS), user(GONE, active=False), user(AWAY, hidden=True)],
        "accounts": [*(account(n, id_) for n, id_ in enumerate(IDS)), *more],
    }  # fmt: skip
    return {"salesloft": own}


class Team:
    def __init__(self, served: Served) -> None:
        self.served = served
        self.connector = self.connect()

    def connect(self, secret: str = "s3", timeout_s: float = 5, costs: tuple[int, float] = COSTS) -> SalesloftConnector:
        served = self.served
        api = SalesloftApi(
            "steward", secret, egress=served.egress, patience=served.patience, timeout_s=timeout_s,
            costs=served.bucket(*costs),
        )  # fmt: skip
        return SalesloftConnector(api)

    def edit(self, **command: Any) -> None:
        self.served.wait(1)
        self.served.vendor.edit(command)

    def order(self, operation: str, kind: str, nth: int = 1, **params: Any) -> None:
        self.served.faults.install(Fault("salesloft", operation, kind, nth=nth, params=params))

    def calls(self, operation: str) -> int:
        return self.served.journal.count("salesloft", operation)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    with serve("salesloft", world(), tmp_path) as served:
        yield Team(served)


class TestSalesloftSource(SourcePromises):
    @pytest.fixture
    def case(self, team: Team) -> SourceCase:
        return SourceCase(
            team.connector,
            "accounts",
            IDS,
            "1",
            change=lambda id_: team.edit(id=id_, set={"city": "Ulm"}),
            delete=lambda id_: team.edit(id=id_, set={"archived": True}),
            damage=lambda id_: team.edit(action="store", id=id_, field="name", value=5),
        )


class TestSalesloftTarget(OwnerTargetPromises):
    @pytest.fixture
    def case(self, team: Team) -> TargetCase:
        def human_moves(id_: str, owner: str) -> None:
            team.edit(id=id_, set={"owner_id": owner})

        return TargetCase(team.connector, "account", IDS[:12], "1", OWNERS, GONE, human_moves)


def to(owner: str, *ids: str) -> list[OwnerChange]:
    return [OwnerChange("account", id_, owner) for id_ in ids]


def outcomes(team: Team, changes: list[OwnerChange]) -> list[WriteOutcome]:
    return [result.outcome for result in team.connector.update_owners(changes)]


def test_an_account_names_its_account_in_the_crm(team: Team) -> None:
    (row,) = team.connector.pull_rows("accounts", IDS[:1])
    value = team.connector.to_value(row)
    assert isinstance(value, AccountRecord)
    assert (value.links, value.owner_external_id) == ({"salesforce": "001000000000000000"}, OWNERS[1])
    assert (value.website, value.country, value.employees) == ("c0.example", "US", None)


def test_a_pull_asks_for_no_page_but_the_first_and_for_no_account_twice_more_than_it_must(team: Team) -> None:
    rows, _ = everything(team.connector, "accounts")
    assert len(rows) == len(IDS)
    assert team.calls("list_accounts") == 3
    queries = [entry.query for entry in team.served.journal.entries("salesloft") if entry.operation == "list_accounts"]
    assert all("page=1" in query.split("&") for query in queries)


def test_accounts_that_change_while_they_are_pulled_are_not_passed_over(team: Team) -> None:
    seen = set()
    for number, page in enumerate(team.connector.pull("accounts")):
        seen |= {row.id for row in page.rows}
        team.edit(id=IDS[number], set={"city": "Ulm"})
    assert seen == set(IDS)


def test_an_import_that_gave_hundreds_one_instant_is_pulled_whole(tmp_path: Path) -> None:
    at = "2026-11-21T00:00:00.000000-05:00"
    imported = [str(54_000_000 + n) for n in range(250)]
    with serve("salesloft", world(*(account(n, id_, at) for n, id_ in enumerate(imported))), tmp_path) as served:
        team = Team(served)
        pages = list(team.connector.pull("accounts"))
        assert sorted(row.id for page in pages for row in page.rows) == sorted([*IDS, *imported])
        team.edit(id=imported[0], set={"city": "Ulm"})
        rows, _ = everything(team.connector, "accounts", pages[-1].cursor)
        assert imported[0] in {row.id for row in rows}


def test_an_account_that_is_archived_is_shown_as_deleted_and_one_that_is_gone_as_missing(team: Team) -> None:
    team.edit(id=IDS[0], set={"archived": True})
    team.edit(action="delete", id=IDS[1])
    assert [seen.state for seen in team.connector.read_owners(IDS[:3])] == [
        RecordState.DELETED,
        RecordState.MISSING,
        RecordState.LIVE,
    ]


def test_owners_of_another_group_are_listed_and_can_be_given_accounts(team: Team) -> None:
    assert {user.id for user in team.connector.users()} == {*OWNERS, GONE, AWAY}
    assert outcomes(team, to(AWAY, IDS[0])) == [WriteOutcome.WRITTEN]


def test_ten_owners_are_ten_calls_and_one_look_at_whom_they_go_to(team: Team) -> None:
    assert set(outcomes(team, to(OWNERS[0], *IDS[:10]))) == {WriteOutcome.WRITTEN}
    assert (team.calls("update_account"), team.calls("list_users")) == (10, 1)


def test_a_hundred_owners_are_read_in_one_call(team: Team) -> None:
    assert {seen.owner_id for seen in team.connector.read_owners(IDS[:100])} == {OWNERS[1]}
    assert team.calls("list_accounts") == 1


def test_the_budget_of_a_minute_is_shared_with_other_integrations(team: Team) -> None:
    assert COSTS[0] * 2 == POINTS_A_MINUTE
    began = team.served.at
    team.connect(costs=(8, 60.0)).update_owners(to(OWNERS[0], *IDS[:20]))
    assert (team.served.at - began).total_seconds() >= 120  # 21 points at 8 a minute
    assert {entry.status for entry in team.served.journal.entries("salesloft")} == {200}


def test_a_team_whose_points_are_used_up_is_waited_for_until_the_next_minute(tmp_path: Path) -> None:
    with serve("salesloft", world(), tmp_path, points_a_minute=8) as served:
        team = Team(served)
        assert set(outcomes(team, to(OWNERS[0], *IDS[:12]))) == {WriteOutcome.WRITTEN}
        assert 429 in {entry.status for entry in served.journal.entries("salesloft")}


@pytest.mark.parametrize(("number", "cost"), [(1, 1), (100, 1), (101, 3), (151, 8), (251, 10), (501, 30)])
def test_a_deep_page_costs_more(number: int, cost: int) -> None:
    assert cost_of(number) == cost


def test_a_write_without_an_answer_is_unknown_and_the_others_go_on(team: Team) -> None:
    team.order("update_account", "reset", nth=2, after_commit=True)
    found = outcomes(team, to(OWNERS[0], *IDS[:3]))
    assert found == [WriteOutcome.WRITTEN, WriteOutcome.UNKNOWN, WriteOutcome.WRITTEN]
    assert team.calls("update_account") == 3


def test_a_token_that_ran_out_is_fetched_anew_and_nothing_is_lost(team: Team) -> None:
    team.connector.check()
    team.order("update_account", "expire_token", nth=2)
    assert set(outcomes(team, to(OWNERS[0], *IDS[:3]))) == {WriteOutcome.WRITTEN}
    assert team.calls("token") == 2


def test_a_wrong_secret_names_the_settings(team: Team) -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_SALESLOFT_CLIENT_SECRET"):
        team.connect(secret="wrong").check()


def test_an_application_without_a_scope_is_told_which_it_needs(tmp_path: Path) -> None:
    with (
        serve("salesloft", world(), tmp_path, scopes=frozenset({"accounts:read"})) as served,
        pytest.raises(ConnectorStopped, match="accounts:write"),
    ):
        Team(served).connector.check()


def test_a_vendor_that_is_away_is_given_back_after_a_while(team: Team) -> None:
    for nth in range(1, 10):
        team.order("list_accounts", "status", nth=nth, status=503)
    with pytest.raises(RetryLater):
        team.connector.check()


def test_a_filter_that_is_passed_over_is_noticed(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulators.salesloft.team._has_id", lambda row, query: True)
    with pytest.raises(SchemaChanged, match="not asked for"):
        team.connector.read_owners(IDS[:2])
    _, cursor = everything(team.connector, "accounts")
    monkeypatch.setattr("emulators.salesloft.team._is_wanted", lambda row, query: True)
    with pytest.raises(SchemaChanged, match="before the date"):
        everything(team.connector, "accounts", cursor)
