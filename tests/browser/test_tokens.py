"""The page of the API's tokens, as ops see it."""

import pytest
from playwright.sync_api import expect

from config.settings import Settings
from tasks.context import open_context
from tasks.tokens import make_token, revoke_token
from tests.browser.conftest import PHONE, OpenAs, keep_picture


@pytest.fixture(autouse=True)
def _tokens(web_settings: Settings) -> None:
    context = open_context(web_settings)
    old = make_token(context, "old dashboard", "ops", None, 30, "ops@steward.example")
    revoke_token(context, old.split("_")[1], "ops@steward.example")
    make_token(context, "nightly report", "ops", None, 90, "deploy")
    make_token(context, "Dana's dialler", "rep", "dana-whitfield", 30, "deploy")
    context.store.close()


def test_ops_revoke_a_token_after_they_were_asked_whether_they_mean_it(open_as: OpenAs) -> None:
    page = open_as("ops", "/tokens")
    row = page.get_by_role("row", name="Dana's dialler")
    expect(row).to_contain_text("Dana Whitfield")
    keep_picture(page, "tokens")
    page.once("dialog", lambda dialog: dialog.dismiss())
    row.get_by_role("button", name="Revoke").click()
    expect(row.get_by_role("button", name="Revoke")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("Dana's dialler is revoked")
    expect(page.get_by_role("row", name="Dana's dialler").get_by_role("button")).to_have_count(0)
    phone = open_as("ops", "/tokens", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "tokens-phone-dark")
