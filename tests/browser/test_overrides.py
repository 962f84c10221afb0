"""Asking for an override and approving it, as people do it."""

import pytest
from playwright.sync_api import expect

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import open_store
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.store.business import owned_by, record


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """Acme is Dana's."""
    store = open_store(web_settings.database_url)
    fields = {"domains": ["acme.example"], "country": "us", "employees": 9}
    acme = Account("a1", "Acme", fields, (Ref("salesforce", "Account", "001"),))
    store.run(lambda uow: uow.accounts.save([acme], utc_now()))
    record(store, owned_by("a1", "dana-whitfield"), now=utc_now())
    store.close()
    return web_settings


def test_a_rep_asks_and_cannot_approve_their_manager_does_on_a_phone_and_ends_it(open_as: OpenAs) -> None:
    page = open_as("dana-whitfield", "/overrides")
    page.fill("#account", "Acme")
    page.select_option("#owner", "priya-raman")
    page.fill("#reason", "They know her from the last project")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("status")).to_contain_text("waits for approval")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    keep_picture(page, "overrides")
    phone = open_as("rachel-stein", "/overrides", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_label("Why").fill("Agreed with both")
    keep_picture(phone, "overrides-phone-dark")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("status")).to_contain_text("approved")
    expect(phone.get_by_text("It is Priya Raman's now")).to_be_visible()
    phone.get_by_text("End it now").click()
    phone.get_by_label("Why it ends now").fill("She is leaving the team")
    keep_picture(phone, "overrides-approved-phone-dark")
    phone.get_by_role("button", name="End it").click()
    expect(phone.get_by_text("ended early")).to_be_visible()
    keep_picture(phone, "overrides-ended-phone-dark")


def test_a_claim_waits_for_its_ruling_and_both_sides_add_to_it(open_as: OpenAs) -> None:
    page = open_as("priya-raman", "/disputes")
    page.fill("#account", "Acme")
    page.fill("#reason", "I called them first")
    page.fill("#evidence", "https://crm.example/calls/4711")
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_text("a ruling is due by")).to_be_visible()
    other = open_as("dana-whitfield", "/disputes", screen=PHONE)
    other.get_by_label("Add evidence").fill("They wrote to me in January")
    other.get_by_role("button", name="Add", exact=True).click()
    expect(other.get_by_text("They wrote to me in January")).to_be_visible()
    assert other.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(other, "disputes-phone")
    manager = open_as("rachel-stein", "/disputes")
    expect(manager.get_by_role("link", name="https://crm.example/calls/4711")).to_be_visible()
    keep_picture(manager, "disputes")
    manager.get_by_label("Why", exact=True).fill("The call is on record")
    manager.get_by_role("button", name="Rule").click()
    expect(manager.get_by_text("says Rachel Stein")).to_be_visible()
    keep_picture(manager, "disputes-ruled")
