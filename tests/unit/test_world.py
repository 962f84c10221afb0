"""The seeded world: the same on every build, sound in itself, and as messy as `proportions.py` says."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulators.world import build_world, to_json, world_summary, write_usage_db, write_world
from emulators.world.__main__ import main
from emulators.world.companies import load_companies
from emulators.world.hubspot_rows import LONG_NAME_LENGTH, OWNER_NOBODY_KNOWS
from emulators.world.ids import salesforce_checksum
from emulators.world.spellings import COUNTRY_CODES, COUNTRY_VARIANTS

COUNTRY_OF = (
    {country: country for country in {company.country for company in load_companies()}}
    | {code: country for country, code in COUNTRY_CODES.items()}
    | {variant: country for country, variants in COUNTRY_VARIANTS.items() for variant in variants}
)


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return build_world()


@pytest.fixture(scope="module")
def accounts(world: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {account["Id"]: account for account in world["salesforce"]["accounts"]}


@pytest.fixture(scope="module")
def companies(world: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {company["id"]: company["properties"] for company in world["hubspot"]["companies"]}


@pytest.fixture(scope="module")
def customers(world: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {customer["id"]: customer for customer in world["stripe"]["customers"]}


# --- the same on every build ---


def test_two_processes_write_the_same_bytes_whatever_their_hash_seed(tmp_path: Path) -> None:
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for hash_seed, file in zip(("1", "2"), files, strict=True):
        subprocess.run(
            [sys.executable, "-m", "emulators.world", "--out", str(file), "--size", "400"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
    assert files[0].read_bytes() == files[1].read_bytes()


def test_another_seed_makes_another_world() -> None:
    assert to_json(build_world(400, seed=8)) != to_json(build_world(400, seed=9))


def test_what_is_written_is_the_world_that_was_built(tmp_path: Path, world: dict[str, Any]) -> None:
    file = tmp_path / "world.json"
    write_world(file)
    assert json.loads(file.read_text(encoding="utf-8")) == world


def test_no_instant_lies_after_the_moment_the_world_is_frozen_at() -> None:
    as_of = datetime(2026, 3, 1, tzinfo=UTC)
    world = build_world(400, as_of=as_of)
    accounts, companies = world["salesforce"]["accounts"], world["hubspot"]["companies"]
    assert max(account["SystemModstamp"] for account in accounts) < "2026-03-01T00:00:00.000+0000"
    assert max(company["updatedAt"] for company in companies) < "2026-03-01T00:00:00.000Z"
    assert max(row["updated_at"] for row in world["usage"]) < "2026-03-01T00:00:00Z"
    assert max(customer["created"] for customer in world["stripe"]["customers"]) < as_of.timestamp()
    assert all(account["CreatedDate"] <= account["LastModifiedDate"] for account in accounts)


@pytest.mark.parametrize("size", [299, 1_000_000])
def test_a_size_the_file_cannot_give_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="a world has 300 to"):
        build_world(size)


def test_the_smallest_and_the_largest_world_have_every_planted_case() -> None:
    for size in (300, len(load_companies())):
        summary = world_summary(build_world(size))
        assert summary["distinct companies"] == size
        assert all(count > 0 for count in summary.values()), summary


# --- sound in itself ---


def test_every_salesforce_id_has_a_valid_checksum_and_its_objects_prefix(world: dict[str, Any]) -> None:
    prefixes = {
        "users": "005",
        "queues": "00G",
        "accounts": "001",
        "account_team_members": "01M",
        "opportunities": "006",
    }
    for section, prefix in prefixes.items():
        ids = [row["Id"] for row in world["salesforce"][section]]
        assert ids, section
        assert len(set(ids)) == len(ids), section
        for identifier in ids:
            assert identifier.startswith(prefix)
            assert len(identifier) == 18
            assert identifier[15:] == salesforce_checksum(identifier[:15])


@pytest.mark.parametrize(
    ("short", "long"),
    [  # Ids of real orgs, from recorded API traffic.
        ("0012300000bVTph", "0012300000bVTphAAG"),
        ("0034S000005YJVl", "0034S000005YJVlQAO"),
        ("0037e00001WZ30q", "0037e00001WZ30qAAD"),
    ],
)
def test_the_checksum_is_the_one_salesforce_computes(short: str, long: str) -> None:
    assert short + salesforce_checksum(short) == long


def test_every_owner_parent_and_member_exists(world: dict[str, Any], accounts: dict[str, dict[str, Any]]) -> None:
    salesforce = world["salesforce"]
    users = {user["Id"] for user in salesforce["users"]}
    assert {account["OwnerId"] for account in accounts.values()} <= users
    assert {account["LastModifiedById"] for account in accounts.values()} <= users
    assert {account["ParentId"] for account in accounts.values()} - {None} <= accounts.keys()
    for row in salesforce["account_team_members"]:
        assert row["AccountId"] in accounts
        assert row["UserId"] in users
    for deal in salesforce["opportunities"]:
        assert deal["OwnerId"] == accounts[deal["AccountId"]]["OwnerId"]
        assert not deal["IsClosed"]


def test_reps_who_left_still_have_open_deals(world: dict[str, Any]) -> None:
    gone = {user["Id"] for user in world["salesforce"]["users"] if not user["IsActive"]}
    assert gone & {deal["OwnerId"] for deal in world["salesforce"]["opportunities"]}
    assert world["truth"]["integration_user"] not in {d["OwnerId"] for d in world["salesforce"]["opportunities"]}


def test_every_hubspot_owner_and_parent_exists_but_the_planted_one(
    world: dict[str, Any], companies: dict[str, dict[str, Any]]
) -> None:
    owners = {owner["id"] for owner in world["hubspot"]["owners"]} | {""}
    strangers = {i for i, properties in companies.items() if properties["hubspot_owner_id"] not in owners}
    assert strangers == {world["truth"]["malformed"]["unknown_owner"]}
    assert OWNER_NOBODY_KNOWS not in owners
    parents = {properties.get("hs_parent_company_id") for properties in companies.values()} - {None}
    assert parents
    assert parents <= companies.keys()


def test_every_link_points_at_a_record_that_exists(
    world: dict[str, Any],
    accounts: dict[str, dict[str, Any]],
    companies: dict[str, dict[str, Any]],
    customers: dict[str, dict[str, Any]],
) -> None:
    assert {p["salesforceaccountid"] for p in companies.values() if "salesforceaccountid" in p} <= accounts.keys()
    assert {p["stripe_customer_id"] for p in companies.values() if "stripe_customer_id" in p} <= customers.keys()
    assert {a["Billing_Customer_Id__c"] for a in accounts.values()} - {None} <= customers.keys()
    assert {c["metadata"].get("salesforce_account_id") for c in customers.values()} - {None} <= accounts.keys()
    assert {row["stripe_customer_id"] for row in world["usage"]} - {None} <= customers.keys()
    assert {s["customer"] for s in world["stripe"]["subscriptions"]} <= customers.keys()


def test_a_name_fits_into_salesforce_and_hubspot_values_are_strings(
    accounts: dict[str, dict[str, Any]], companies: dict[str, dict[str, Any]]
) -> None:
    assert all(0 < len(account["Name"]) <= 255 for account in accounts.values())
    assert all(isinstance(value, str) for properties in companies.values() for value in properties.values())
    assert all(properties.get("name") for properties in companies.values())


def test_a_subscription_bills_per_seat_in_dollars_for_the_period_on_its_item(world: dict[str, Any]) -> None:
    for subscription in world["stripe"]["subscriptions"]:
        (item,) = subscription["items"]["data"]
        assert item["price"]["currency"] == "usd"
        assert item["price"]["recurring"]["interval"] in {"month", "year"}
        assert item["price"]["unit_amount"] > 0
        assert item["quantity"] > 0
        assert item["current_period_start"] <= datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
        assert item["current_period_end"] > item["current_period_start"]
        assert "current_period_end" not in subscription


def test_the_truth_names_each_record_of_the_tools_once(world: dict[str, Any]) -> None:
    shown = {
        "salesforce": [row["Id"] for row in world["salesforce"]["accounts"]],
        "hubspot": [row["id"] for row in world["hubspot"]["companies"]],
        "stripe": [row["id"] for row in world["stripe"]["customers"]],
        "usage": [row["workspace_id"] for row in world["usage"]],
    }
    for tool, ids in shown.items():
        told = [identifier for company in world["truth"]["companies"] for identifier in company[tool]]
        assert sorted(told) == sorted(ids), tool


# --- as messy as it says ---


def test_the_world_is_as_large_and_as_mixed_as_a_real_companys_tools(world: dict[str, Any]) -> None:
    summary = world_summary(world)
    expected = {
        "distinct companies": 2_250,
        "Salesforce accounts": 1_750,
        "HubSpot companies": 1_300,
        "companies in both CRMs": 780,
        "Salesforce duplicates": 45,
        "duplicates with another active owner": 15,
        "accounts with a parent": 61,
        "accounts nobody was given": 0.12 * 1_750,
        "accounts of reps who left": 0.09 * 1_750,
        "accounts without a country": 0.04 * 1_750,
        "accounts not to be routed": 0.02 * 1_750,
        "companies with another owner in HubSpot": 0.06 * 780,
        "Stripe customers": 520,
        "paying customers in no CRM": 25,
        "usage workspaces": 400,
    }
    for what, about in expected.items():
        assert summary[what] == pytest.approx(about, rel=0.2, abs=1), what


def test_half_of_the_accounts_are_american_and_the_rest_is_spread_over_the_world(
    accounts: dict[str, dict[str, Any]],
) -> None:
    placed = Counter(COUNTRY_OF[a["BillingCountry"]] for a in accounts.values() if a["BillingCountry"])
    assert 0.4 < placed["United States"] / sum(placed.values()) < 0.6
    for country in ("United Kingdom", "Germany", "Sweden", "Spain", "France", "Netherlands", "Japan", "Brazil"):
        assert placed[country] >= 10, country
    assert placed["Turkey"] + placed["Israel"] + placed["South Africa"] > 5, "countries without a team"


def test_countries_are_spelled_by_several_hands(accounts: dict[str, dict[str, Any]]) -> None:
    spelled = Counter(account["BillingCountry"] for account in accounts.values())
    assert spelled["United States"] > spelled["US"] > spelled["U.S.A."] > 0
    assert spelled["DE"]
    assert spelled["Deutschland"] + spelled["GERMANY"]


def test_a_duplicate_is_the_same_company_entered_later_under_another_name(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]]
) -> None:
    for original, duplicate in world["truth"]["duplicates"]:
        first, second = accounts[original], accounts[duplicate]
        assert first["Name"] != second["Name"]
        assert first["CreatedDate"] <= second["CreatedDate"]
        assert first["BillingPostalCode"] == second["BillingPostalCode"]
        assert ([original, duplicate] in world["truth"]["conflicting_duplicates"]) == (
            first["OwnerId"] != second["OwnerId"]
        )


def test_both_owners_of_a_conflicting_duplicate_are_still_here(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]]
) -> None:
    here = {u["Id"] for u in world["salesforce"]["users"] if u["IsActive"]} - {world["truth"]["integration_user"]}
    for pair in world["truth"]["conflicting_duplicates"]:
        assert {accounts[identifier]["OwnerId"] for identifier in pair} <= here


def test_the_account_hierarchy_has_one_cycle_and_it_is_the_planted_one(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]]
) -> None:
    def returns_to_itself(start: str) -> bool:
        seen: list[str] = []
        at: str | None = start
        while at and at not in seen:
            seen.append(at)
            at = accounts[at]["ParentId"]
        return at == start

    assert {i for i in accounts if returns_to_itself(i)} == set(world["truth"]["parent_cycle"])
    assert len(world["truth"]["parent_cycle"]) == 2


def test_half_of_the_shared_companies_carry_the_salesforce_id_and_only_one_id_is_wrong(
    world: dict[str, Any], companies: dict[str, dict[str, Any]]
) -> None:
    both = {c["hubspot"][0]: c["salesforce"] for c in world["truth"]["companies"] if c["salesforce"] and c["hubspot"]}
    linked = {i: p["salesforceaccountid"] for i, p in companies.items() if "salesforceaccountid" in p}
    assert len(linked.keys() & both.keys()) == pytest.approx(len(both) / 2, rel=0.05)
    wrong = [(i, account) for i, account in linked.items() if account not in both.get(i, [])]
    assert wrong == [tuple(world["truth"]["wrong_crosswalk"])]


def test_the_wrong_salesforce_id_is_contradicted_by_the_country(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]], companies: dict[str, dict[str, Any]]
) -> None:
    company, account = world["truth"]["wrong_crosswalk"]
    assert COUNTRY_OF[companies[company]["country"]] != COUNTRY_OF[accounts[account]["BillingCountry"]]


def test_some_shared_companies_have_only_a_name_and_a_place(
    world: dict[str, Any], companies: dict[str, dict[str, Any]]
) -> None:
    bare = world["truth"]["only_name_and_place_in_hubspot"]
    assert len(bare) == pytest.approx(78, abs=2)
    for identifier in bare:
        assert companies[identifier].keys().isdisjoint({"domain", "website", "salesforceaccountid"})


def test_the_two_crms_disagree_about_active_owners_exactly_where_planted(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]], companies: dict[str, dict[str, Any]]
) -> None:
    salesforce_mail = {u["Id"]: u["Email"] for u in world["salesforce"]["users"]}
    here = {o["id"]: o["email"] for o in world["hubspot"]["owners"] if not o["archived"]}
    differing = set()
    for company in world["truth"]["companies"]:
        if company["salesforce"] and company["hubspot"]:
            shown = here.get(companies[company["hubspot"][0]]["hubspot_owner_id"])
            if shown and shown != salesforce_mail[accounts[company["salesforce"][0]]["OwnerId"]]:
                differing.add(company["hubspot"][0])
    assert differing == set(world["truth"]["other_owner_in_hubspot"])


def test_malformed_records_are_in_the_tools(
    world: dict[str, Any], accounts: dict[str, dict[str, Any]], companies: dict[str, dict[str, Any]]
) -> None:
    malformed = world["truth"]["malformed"]
    assert len(companies[malformed["long_name"]]["name"]) == LONG_NAME_LENGTH
    assert companies[malformed["head_count_in_words"]]["numberofemployees"] == "about 50"
    unreadable = accounts[world["truth"]["unreadable_name"]]["Name"]
    assert "\u202e" in unreadable
    assert "\x07" in unreadable
    assert sum(not account["Name"].isprintable() for account in accounts.values()) == 1


def test_a_shadow_customers_mail_domain_is_in_no_crm(
    world: dict[str, Any],
    accounts: dict[str, dict[str, Any]],
    companies: dict[str, dict[str, Any]],
    customers: dict[str, dict[str, Any]],
) -> None:
    known = {p.get("domain") for p in companies.values()} | {
        (account["Website"] or "").removeprefix("www.") for account in accounts.values()
    }
    for identifier in world["truth"]["shadow_customers"]:
        assert customers[identifier]["email"].split("@")[1] not in known
        assert customers[identifier]["metadata"] == {}


def test_workspaces_are_linked_in_every_way_there_is(world: dict[str, Any]) -> None:
    billed = sum(row["stripe_customer_id"] is not None for row in world["usage"])
    free_mail = sum(row["owner_email"].endswith(("@gmail.com", "@outlook.com")) for row in world["usage"])
    assert billed == pytest.approx(220, abs=2)
    assert free_mail > 5
    assert len(world["usage"]) - billed > 150


# --- the shipped file and the command ---


def test_the_shipped_file_is_small_and_its_licence_lies_beside_it() -> None:
    folder = Path(build_world.__code__.co_filename).parent
    assert (folder / "companies.csv.gz").stat().st_size < 400_000
    licence = (folder / "LICENSE-DATA.md").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert f"{len(load_companies()):,} real companies" in licence


def test_every_shipped_subsidiary_has_its_parent_in_the_file() -> None:
    shipped = load_companies()
    keys = [company.key for company in shipped]
    assert len(set(keys)) == len(keys)
    assert {company.parent for company in shipped} - {""} <= set(keys)


def test_the_usage_table_holds_the_usage_rows(tmp_path: Path, world: dict[str, Any]) -> None:
    file = tmp_path / "usage.db"
    file.write_bytes(b"left over from an earlier run")
    write_usage_db(file, world)
    database = sqlite3.connect(file)
    database.row_factory = sqlite3.Row
    rows = [dict(row) for row in database.execute("SELECT * FROM workspace_usage ORDER BY rowid")]
    database.close()
    assert rows == world["usage"]


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--out", str(tmp_path / "w.json"), "--usage-db", str(tmp_path / "u.db"), "--size", "400"])
    assert "    400  distinct companies" in capsys.readouterr().out
    assert (tmp_path / "u.db").exists()


def test_the_command_refuses_an_impossible_size_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "w.json"), "--size", "5"])
    assert "not 5" in capsys.readouterr().err
    assert not (tmp_path / "w.json").exists()
