"""Builds the seeded world: five tools of one company, Northwind Data, that agree as little as real ones do.

`truth` in the result says which records are the same company and where each planted case is. Only tests and
measurements may look there; the emulators serve the vendors' sections alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from emulators.world import hubspot_rows, lead_rows, salesforce_rows, stripe_rows, usage_rows
from emulators.world.companies import load_companies
from emulators.world.ids import (
    ORGANIZATION_ID,
    hubspot_company_id,
    hubspot_contact_id,
    slack_user_id,
    workspace_id,
)
from emulators.world.inbound import Inbound, settle_inbound
from emulators.world.instants import AS_OF, plain_instant
from emulators.world.people import Person, load_people
from emulators.world.proportions import WORLD_SIZE
from emulators.world.standings import Standing, settle_standings

World = dict[str, Any]

# Made up, and the same in every world: the emulators ask for exactly these, as a vendor would.
SALESFORCE_ACCESS = {
    "domain": "northwind.my",
    "organization_id": ORGANIZATION_ID,
    "client_id": "northwind-demo-client",
    "client_secret": "northwind-demo-client-secret",
}
HUBSPOT_ACCESS = {
    "portal_id": 24_681_012,
    "token": "northwind-demo-hubspot-token",
    "webhook_secret": "northwind-demo-hubspot-webhook-secret",
}
STRIPE_KEY = "sk_test_northwind_demo"
SLACK_ACCESS = {
    "token": "xoxb-northwind-demo",
    "team_id": "T07NORTHWND",
    "app_id": "A0BOTSTEWARD",
    "signing_secret": "northwind-slack-signing-secret",
}


def build_world(size: int | None = None, seed: int = 7, as_of: datetime = AS_OF) -> World:
    """The world of `size` companies (about 2,250 when None) as of `as_of`: a JSON-able dict, equal for equal arguments.

    Raises `ValueError` for a size that is too small for the planted cases or more than the shipped file holds.
    """
    people = load_people()
    standings = settle_standings(load_companies(), people, WORLD_SIZE if size is None else size, seed, as_of)
    inbound = settle_inbound(standings, people, seed, as_of)
    salesforce, salesforce_truth = _salesforce(standings, people, inbound, seed, as_of)
    hubspot, hubspot_truth = _hubspot(standings, people, inbound, seed, as_of)
    usage = usage_rows.workspace_rows(standings, as_of, seed)
    return {
        "as_of": plain_instant(as_of),
        "seed": seed,
        "salesforce": salesforce,
        "hubspot": hubspot,
        "stripe": {
            "key": STRIPE_KEY,
            "customers": stripe_rows.customer_rows(standings, seed),
            "subscriptions": stripe_rows.subscription_rows(standings, as_of, seed),
        },
        "slack": {**SLACK_ACCESS, "users": _slack_users(people)},
        "usage": usage,
        "truth": {
            **salesforce_truth,
            **hubspot_truth,
            "companies": _same_company(standings, salesforce_truth["duplicates"], usage),
            "leads": [_lead_truth(person) for person in inbound],
            "shadow_customers": [stripe_rows.customer_id(s.number) for s in standings if s.is_shadow],
        },
    }


def write_world(path: Path, size: int | None = None, seed: int = 7, as_of: datetime = AS_OF) -> World:
    """Build a world, write it as UTF-8 JSON (the same bytes for the same arguments) and return it."""
    world = build_world(size, seed, as_of)
    path.write_bytes(to_json(world).encode("utf-8"))
    return world


def write_usage_db(path: Path, world: Mapping[str, Any] | None = None) -> None:
    """Write the usage rows of `world` (the default one when None) to a new SQLite file, table `workspace_usage`."""
    usage_rows.write_usage_db((build_world() if world is None else world)["usage"], path)


def to_json(world: Mapping[str, Any]) -> str:
    return json.dumps(world, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def world_summary(world: Mapping[str, Any]) -> dict[str, int]:
    """Counts for people: what is in the tools and what is wrong with it."""
    salesforce, hubspot, truth = world["salesforce"], world["hubspot"], world["truth"]
    inactive = {user["Id"] for user in salesforce["users"] if not user["IsActive"]}
    accounts = salesforce["accounts"]
    return {
        "distinct companies": len(truth["companies"]),
        "Salesforce accounts": len(accounts),
        "HubSpot companies": len(hubspot["companies"]),
        "companies in both CRMs": sum(1 for c in truth["companies"] if c["salesforce"] and c["hubspot"]),
        "Salesforce duplicates": len(truth["duplicates"]),
        "duplicates with another active owner": len(truth["conflicting_duplicates"]),
        "accounts with a parent": sum(1 for account in accounts if account["ParentId"]),
        "accounts nobody was given": sum(1 for a in accounts if a["OwnerId"] == truth["integration_user"]),
        "accounts of reps who left": sum(1 for account in accounts if account["OwnerId"] in inactive),
        "accounts without a country": sum(1 for account in accounts if not account["BillingCountry"]),
        "accounts not to be routed": sum(1 for account in accounts if account["Do_Not_Route__c"]),
        "companies with another owner in HubSpot": len(truth["other_owner_in_hubspot"]),
        "open opportunities": len(salesforce["opportunities"]),
        "Salesforce leads": len(salesforce["leads"]),
        "HubSpot contacts": len(hubspot["contacts"]),
        "inbound people": len(truth["leads"]),
        "inbound people of a company in a CRM": sum(1 for lead in truth["leads"] if lead["company"]),
        "leads of reps who left": sum(1 for lead in salesforce["leads"] if lead["OwnerId"] in inactive),
        "Stripe customers": len(world["stripe"]["customers"]),
        "Stripe subscriptions": len(world["stripe"]["subscriptions"]),
        "paying customers in no CRM": len(truth["shadow_customers"]),
        "usage workspaces": len(world["usage"]),
        "people": len(world["slack"]["users"]),
    }


def _salesforce(
    standings: Sequence[Standing], people: Sequence[Person], inbound: Sequence[Inbound], seed: int, as_of: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The Salesforce section, and the truth about what was planted in it."""
    integration = next(person for person in people if not person.human)
    accounts = salesforce_rows.account_rows(standings, integration, seed)
    cycle = salesforce_rows.plant_parent_cycle(accounts)
    duplicates, pairs, conflicting = salesforce_rows.duplicate_rows(standings, accounts, people, len(standings), seed)
    spared = salesforce_rows.spared_ids(pairs, cycle)
    unreadable = salesforce_rows.plant_unreadable_name(accounts, spared, seed)
    accounts += duplicates
    sellers = frozenset(salesforce_rows.user_id(person) for person in people if person.human)
    queues = salesforce_rows.queue_rows(as_of)
    section = {
        **SALESFORCE_ACCESS,
        "users": salesforce_rows.user_rows(people, as_of),
        "queues": queues,
        "accounts": accounts,
        "leads": lead_rows.lead_rows(inbound, integration, queues[0]["Id"], seed),
        "lead_rule_owner": queues[0]["Id"],
        "account_team_members": salesforce_rows.team_member_rows(accounts, people, seed),
        "contacts": [],
        "opportunities": salesforce_rows.opportunity_rows(accounts, sellers, as_of, seed),
    }
    return section, {
        "integration_user": salesforce_rows.user_id(integration),
        "duplicates": [list(pair) for pair in pairs],
        "conflicting_duplicates": [list(pair) for pair in conflicting],
        "parent_cycle": cycle,
        "unreadable_name": unreadable,
    }


def _hubspot(
    standings: Sequence[Standing], people: Sequence[Person], inbound: Sequence[Inbound], seed: int, as_of: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The HubSpot section, and the truth about what was planted in it."""
    disagreements = hubspot_rows.Disagreements(standings, seed)
    companies = hubspot_rows.company_rows(standings, people, disagreements, seed)
    wrong_crosswalk = hubspot_rows.plant_wrong_crosswalk(companies, standings, seed)
    malformed = hubspot_rows.plant_malformed(companies, standings, seed)
    section = {
        **HUBSPOT_ACCESS,
        "owners": hubspot_rows.owner_rows(people, as_of),
        "companies": companies,
        "contacts": lead_rows.contact_rows(inbound, standings, seed, as_of),
    }
    return section, {
        "wrong_crosswalk": list(wrong_crosswalk),
        "malformed": malformed,
        "other_owner_in_hubspot": _hubspot_ids(disagreements.other_owner),
        "only_name_and_place_in_hubspot": _hubspot_ids(disagreements.without_domain),
    }


def _lead_truth(person: Inbound) -> dict[str, Any]:
    """Which records are this person, and which company theirs is; `told_by` is all that tells it."""
    return {
        "salesforce": [lead_rows.lead_id(person.number)] if person.in_salesforce else [],
        "hubspot": [hubspot_contact_id(person.number)] if person.in_hubspot else [],
        "company": person.standing.company.key if person.standing else None,
        "told_by": person.told_by,
        "converted": person.converted,
    }


def _hubspot_ids(numbers: Iterable[int]) -> list[str]:
    return [hubspot_company_id(number) for number in sorted(numbers)]


def _slack_users(people: Sequence[Person]) -> list[dict[str, Any]]:
    """Everyone but the integration user; Slack calls those who left deleted."""
    return [
        {
            "id": slack_user_id(person.number),
            "name": person.email.split("@", 1)[0],
            "real_name": person.name,
            "profile": {"email": person.email},
            "deleted": not person.active,
        }
        for person in people
        if person.human
    ]


def _same_company(
    standings: Sequence[Standing], duplicates: Sequence[Sequence[str]], usage: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """For each company, the ids it has in every tool: what a perfect matcher would find."""
    second = {original: duplicate for original, duplicate in duplicates}
    workspaces = {row["workspace_id"] for row in usage}
    companies = []
    for standing in standings:
        account = salesforce_rows.account_id(standing.number)
        accounts = [account, *([second[account]] if account in second else [])]
        workspace = workspace_id(standing.number)
        companies.append(
            {
                "key": standing.company.key,
                "salesforce": accounts if standing.in_salesforce else [],
                "hubspot": [hubspot_company_id(standing.number)] if standing.in_hubspot else [],
                "stripe": [stripe_rows.customer_id(standing.number)] if standing.pays else [],
                "usage": [workspace] if workspace in workspaces else [],
            }
        )
    return companies
