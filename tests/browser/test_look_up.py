"""Looking up who owns an account, as people do it: typing, with the keyboard alone, on a phone."""

import re

import pytest
from playwright.sync_api import Route, expect

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import open_store
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.store.business import days, owned_by, record, undecided


@pytest.fixture
def book(web_settings: Settings) -> None:
    """Acme is offered to Dana, Acme Robotics is Tom's, nobody could place Acme Foods."""
    store, now = open_store(web_settings.database_url), utc_now()
    names = {"a1": "Acme", "a2": "Acme Robotics International Holdings", "a3": "Acme Foods", "a4": "Zenith"}
    accounts = [
        Account(
            id_, name, {"domain": f"{name.split()[-1].lower()}.example"}, (Ref("salesforce", "Account", f"001{id_}"),)
        )
        for id_, name in names.items()
    ]
    lead = Account("l1", "Lena Vogt (Acme)", {"domain": "acme.example"}, (), parent_id="a1", kind="lead")
    store.run(lambda uow: uow.accounts.save([*accounts, lead], now))
    record(
        store,
        owned_by("a1", "dana-whitfield", offer_due_by=now + days(1), pushes=()),
        owned_by("a2", "tom-brannigan", pushes=()),
        undecided("a3"),
        now=now,
    )
    store.close()


@pytest.mark.parametrize(("typed", "kept"), [(" robotics", "Acme Robotics"), (" x", "")], ids=["still there", "gone"])
def test_who_goes_on_before_the_answer_is_there_stays_on_their_hit_or_is_back_in_the_search(
    open_as: OpenAs, book: None, typed: str, kept: str
) -> None:
    page = open_as("priya-raman", "/?q=acme")
    robotics, held = page.get_by_role("link", name="Acme Robotics"), list[Route]()
    page.route("**/?q=acme+*", lambda route: held.append(route))
    page.keyboard.press("End")
    with page.expect_request(f"**/?q=acme+{typed.strip()}"):
        page.keyboard.insert_text(typed)
    robotics.focus()
    for route in held:
        route.continue_()
    expect(page).to_have_url(re.compile(typed.strip()))
    expect(robotics if kept else page.get_by_role("searchbox")).to_be_focused()


def test_hits_come_while_one_types_and_the_keyboard_alone_opens_one(open_as: OpenAs, book: None) -> None:
    page = open_as("priya-raman")
    search, hits = page.get_by_role("searchbox"), page.locator("a.hit")
    search.press_sequentially("acme")
    expect(hits).to_have_count(4)
    expect(hits.first).to_contain_text("Belongs to Dana Whitfield provisional until accepted")
    assert page.url.endswith("/?q=acme")
    keep_picture(page, "look-up-found")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(hits.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    search.fill("robotics international")
    expect(hits).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/a2")
    page.keyboard.press("/")
    page.wait_for_url(lambda url: url.endswith("/"))
    search.press_sequentially("nobody knows it")
    expect(page.locator("#found")).to_contain_text("Nothing is called or known as")
    page.route("**/?q=*", lambda route: route.abort())
    search.fill("acme")
    expect(page.locator("#found")).to_contain_text("Steward did not answer")


def test_it_is_readable_on_a_phone(open_as: OpenAs, book: None) -> None:
    phone = open_as("dana-whitfield", "/?q=acme", screen=PHONE, dark=True)
    expect(phone.locator("a.hit")).to_have_count(4)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "look-up-found-phone-dark")
    phone.goto("/?q=dana")
    expect(phone.locator("a.hit")).to_contain_text("See their book")
