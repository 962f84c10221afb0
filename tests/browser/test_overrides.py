"""Asking for an override and approving it, as people do it."""

from playwright.sync_api import expect

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import open_store
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture


def test_a_rep_asks_and_ops_approves_on_a_phone_and_a_claim_waits_for_its_ruling(
    open_as: OpenAs, web_settings: Settings
) -> None:
    store = open_store(web_settings.database_url)
    fields = {"domains": ["acme.example"], "country": "us", "employees": 9}
    acme = Account("a1", "Acme", fields, (Ref("salesforce", "Account", "001"),))
    store.run(lambda uow: uow.accounts.save([acme], utc_now()))
    page = open_as("dana-whitfield", "/overrides")
    page.fill("#account", "Acme")
    page.select_option("#owner", "priya-raman")
    page.fill("#reason", "They know her from the last project")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("status")).to_contain_text("waits for approval")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    keep_picture(page, "overrides")
    phone = open_as("ops", "/overrides", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_label("Why").fill("Agreed with both")
    keep_picture(phone, "overrides-phone-dark")
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("status")).to_contain_text("approved")
    page.goto("/disputes")
    page.fill("#account", "Acme")
    page.fill("#reason", "I called them first")
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_text("a ruling is due by")).to_be_visible()
    keep_picture(page, "disputes")
    store.close()
