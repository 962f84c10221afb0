"""The page “Health” as it is seen: on a desk, in the dark, on a phone."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from config.settings import Settings
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.kpi_book import fill


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    fill(web_settings)
    return web_settings


def test_ops_goes_from_all_figures_to_one_and_to_the_accounts_behind_it(open_as: OpenAs) -> None:
    page = open_as("ops", "/kpis")
    expect(page.get_by_role("heading", name="Monthly review")).to_be_visible()
    keep_picture(page, "health")
    page.get_by_role("link", name="Coverage", exact=True).click()
    expect(page.get_by_role("img", name="Coverage over 90 days")).to_be_visible()
    expect(page.get_by_role("link", name="Download as CSV")).to_be_visible()
    keep_picture(page, "health-coverage")
    page.goto("/kpis/time_to_ownership")
    expect(page.get_by_role("img", name="How long it took")).to_be_visible()
    keep_picture(page, "health-time-to-ownership")
    page.get_by_label("Of", exact=True).select_option("territory:emea")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Europe, 2026-11-26")).to_be_visible()


def test_the_words_of_a_plot_are_whole_and_apart_on_a_phone(open_as: OpenAs) -> None:
    phone = open_as("ops", "/kpis/time_to_ownership", screen={"width": 360, "height": 740})
    expect(phone.locator("svg.plot")).to_have_count(2)
    for plot in phone.locator("svg.plot").all():
        frame, found = plot.bounding_box(), [words.bounding_box() for words in plot.locator("text").all()]
        assert frame is not None
        spans = [(round(box["y"]), box["x"], box["x"] + box["width"]) for box in found if box is not None]
        assert all(frame["x"] <= left and right <= frame["x"] + frame["width"] for _, left, right in spans)
        assert all(right <= left for (y, _, right), (below, left, _) in pairwise(sorted(spans)) if y == below)


def test_a_manager_reads_it_on_a_phone_in_the_dark(open_as: OpenAs) -> None:
    phone = open_as("rachel-stein", "/kpis", screen=PHONE, dark=True)
    expect(phone.get_by_text("Rachel Stein's reports, as of")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "health-phone-dark")
    phone.get_by_role("link", name="Workload balance").click()
    expect(phone.get_by_role("heading", name="What it is made of")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "health-workload-phone-dark")
