"""What nobody accepted, taken on its offer's page, and an offer whose time is over."""

from playwright.sync_api import expect

from config.settings import Settings
from store.engine import open_store
from store.offers import Offer
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.store.business import know, owned_by, record


def test_who_was_asked_in_vain_takes_it_from_the_queue_on_a_phone(open_as: OpenAs, web_settings: Settings) -> None:
    waiting = in_the_queue(web_settings)
    page = open_as("dana-whitfield", f"/offers/{waiting.offer_id}")
    expect(page.get_by_text("Nobody accepted it")).to_be_visible()
    keep_picture(page, "offer-in-the-queue")
    phone = open_as("dana-whitfield", f"/offers/{waiting.offer_id}", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "offer-in-the-queue-phone-dark")
    phone.get_by_role("button", name="Take it for Dana Whitfield").click()
    expect(phone.get_by_role("status")).to_contain_text("is taken for Dana Whitfield")
    page.get_by_role("button", name="Take it for Dana Whitfield").click()
    expect(page.get_by_role("status")).to_contain_text("Too late")
    keep_picture(page, "offer-taken-too-late")


def test_it_is_taken_from_the_book_on_a_phone(open_as: OpenAs, web_settings: Settings) -> None:
    in_the_queue(web_settings)
    keep_picture(open_as("dana-whitfield", "/book"), "book-with-the-queue")
    phone = open_as("dana-whitfield", "/book", screen=PHONE, dark=True)
    expect(phone.get_by_role("heading", name="Nobody accepted them")).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "book-with-the-queue-phone-dark")
    phone.get_by_role("button", name="Take it").click()
    expect(phone.get_by_role("status")).to_contain_text("is taken for Dana Whitfield")
    phone.get_by_role("link", name="My book").click()
    expect(phone.get_by_role("heading", name="Nobody accepted them")).not_to_be_visible()


def in_the_queue(settings: Settings) -> Offer:
    """Acme was offered to Dana Whitfield and ran out, and nobody is left to be asked."""
    store, now = open_store(settings.database_url), utc_now()
    know(store, "acme")
    record(store, owned_by("acme", "dana-whitfield", offer_due_by=now, pushes=()), now=now)
    with store.transaction() as uow:
        offer = uow.offers.of_account("acme")
        assert offer is not None
        uow.offers.answer(offer.offer_id, "expired", "steward", now)
        uow.exceptions.open("unaccepted", "unaccepted:acme", "acme", {}, "warning", "run-1", now)
    store.close()
    return offer
