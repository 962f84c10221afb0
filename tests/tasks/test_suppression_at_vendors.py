"""Suppression flags through the real clients, at the emulated vendors: shown, quiet, refused for one kind, dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.settings import POLICY_DIR
from emulators.world import build_world
from tests.northwind import Northwind, northwind

pytestmark = pytest.mark.slow

SHIPPED = (POLICY_DIR / "policy.yaml").read_text()
FIELDS = {
    "hubspot": ("human_outreach_in_progress", "do_not_market_until"),
    "salesforce": ("Human_Outreach_In_Progress__c", "Do_Not_Market_Until__c"),
}
SECTION = """
suppression:
  - {name: c, system: hubspot, record: company, flag: human_outreach_in_progress, date: do_not_market_until, days: 14}
  - {name: p, system: hubspot, record: contact, flag: human_outreach_in_progress, date: do_not_market_until, days: 3}
  - {name: a, system: salesforce, record: Account, flag: Human_Outreach_In_Progress__c, days: 14}
  - {name: l, system: salesforce, record: Lead, flag: No_Such_Field__c, days: 14}
"""


def flagged(company: Northwind, vendor: str, table: str) -> int:
    """How many records show the flag, by the vendor's own tables."""
    records = company.vendors.vendors[vendor].snapshot()[table].values()
    return sum(record.get(FIELDS[vendor][0]) in (True, "true") for record in records)


def dated(company: Northwind, vendor: str, table: str) -> int:
    return sum(
        bool(record.get(FIELDS[vendor][1])) for record in company.vendors.vendors[vendor].snapshot()[table].values()
    )


def adopt(company: Northwind, folder: Path, text: str) -> None:
    (folder / "policy.yaml").write_text(text)
    (folder / "roster.yaml").write_text((POLICY_DIR / "roster.yaml").read_text())
    company.settings = company.settings.model_copy(update={"policy_dir": folder})


def test_what_is_worked_is_shown_once_and_cleared_when_the_policy_drops_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    with northwind(build_world(300), tmp_path) as company:
        adopt(company, policy, SHIPPED + SECTION)
        company.assign()
        company.push()
        companies, contacts = flagged(company, "hubspot", "companies"), flagged(company, "hubspot", "contacts")
        assert min(companies, contacts, flagged(company, "salesforce", "Account")) > 0
        assert (dated(company, "hubspot", "companies"), dated(company, "hubspot", "contacts")) == (companies, contacts)
        assert dated(company, "salesforce", "Account") == 0
        assert all("/Lead/" in key for key in company.exceptions()["suppression_rejected"])
        before = len(company.vendors.journal.entries())
        company.push()
        assert len(company.vendors.journal.entries()) == before
        adopt(company, policy, SHIPPED)
        company.push()
        for vendor, table in (("hubspot", "companies"), ("hubspot", "contacts"), ("salesforce", "Account")):
            assert (flagged(company, vendor, table), dated(company, vendor, table)) == (0, 0)
        assert "suppression_rejected" not in company.exceptions()
