"""Logging in, as somebody does it."""

from playwright.sync_api import expect

from tests.browser.conftest import PHONE, OpenAs, keep_picture


def test_somebody_logs_in_and_finds_the_search_on_a_desk_and_on_a_phone(open_as: OpenAs) -> None:
    page = open_as("dana-whitfield")
    expect(page.get_by_role("searchbox")).to_be_focused()
    keep_picture(page, "look-up")
    phone = open_as("rachel-stein", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "look-up-phone-dark")
