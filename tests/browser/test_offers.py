"""Reps answer offers in a real browser: they accept, decline with a reason, come too late, and tick several at once."""

from datetime import timedelta

from playwright.sync_api import expect

from config.settings import Settings
from store.engine import open_store
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.store.business import know, owned_by, record

DANA, RACHEL = "dana-whitfield", "rachel-stein"


def offered(settings: Settings, *account_ids: str, hours: float = 24) -> list[str]:
    """Offer these accounts to Dana; the offers' ids."""
    store, now = open_store(settings.database_url), utc_now()
    know(store, *account_ids)
    due = now + timedelta(hours=hours)
    record(store, *(owned_by(each, DANA, offer_due_by=due) for each in account_ids), now=now - timedelta(hours=1))
    with store.transaction(readonly=True) as uow:
        made = uow.offers.of_accounts(account_ids)
    store.close()
    return [made[each].offer_id for each in account_ids]


def states(settings: Settings, *offer_ids: str) -> list[str]:
    store = open_store(settings.database_url)
    with store.transaction(readonly=True) as uow:
        found = uow.offers.get_many(offer_ids)
    store.close()
    return [found[each].state for each in offer_ids]


def test_opening_and_running_the_page_changes_nothing_and_accepting_it_does(
    open_as: OpenAs, web_settings: Settings
) -> None:
    (offer,) = offered(web_settings, "acme")
    page = open_as(DANA, f"/offers/{offer}")
    for _ in range(3):  # as what scans mail does: it opens a page and lets it run
        page.reload(wait_until="networkidle")
    assert states(web_settings, offer) == ["offered"]
    keep_picture(page, "offer")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("status")).to_contain_text("is accepted for Dana Whitfield")
    keep_picture(page, "offer-accepted")
    assert states(web_settings, offer) == ["accepted"]
    page.get_by_role("link", name="Name of acme").first.click()
    expect(page.get_by_role("heading", name="Name of acme")).to_be_visible()
    keep_picture(page, "account")


def test_a_rep_declines_on_a_phone_and_has_to_say_why(open_as: OpenAs, web_settings: Settings) -> None:
    (offer,) = offered(web_settings, "acme")
    phone = open_as(DANA, f"/offers/{offer}", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_role("button", name="Decline").click()
    assert states(web_settings, offer) == ["offered"]  # the browser asks for the reason
    phone.get_by_label("Why do you decline it?").fill("They are our partner's")
    keep_picture(phone, "offer-declining-phone-dark")
    phone.get_by_role("button", name="Decline").click()
    expect(phone.get_by_role("status")).to_contain_text("is declined")
    keep_picture(phone, "offer-declined-phone-dark")
    assert states(web_settings, offer) == ["declined"]


def test_whoever_comes_too_late_is_told_whose_it_is(open_as: OpenAs, web_settings: Settings) -> None:
    (offer,) = offered(web_settings, "acme")
    rep, manager = (open_as(who, f"/offers/{offer}") for who in (DANA, RACHEL))
    manager.get_by_role("button", name="Accept").click()
    expect(manager.get_by_role("status")).to_contain_text("is accepted")
    rep.get_by_label("Why do you decline it?").fill("Not mine")
    rep.get_by_role("button", name="Decline").click()
    expect(rep.get_by_role("status")).to_contain_text("Too late")
    expect(rep.get_by_role("status")).to_contain_text("It belongs to Dana Whitfield")
    expect(rep.get_by_role("button", name="Accept")).to_have_count(0)
    keep_picture(rep, "offer-too-late")
    assert states(web_settings, offer) == ["accepted"]


def test_several_offers_are_ticked_and_accepted_in_the_book(open_as: OpenAs, web_settings: Settings) -> None:
    offers = offered(web_settings, "acme", "bolt", "corex")
    phone = open_as(DANA, "/book", screen=PHONE)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for name in ("acme", "corex"):
        phone.get_by_label(f"Accept Name of {name}").check()
    keep_picture(phone, "book-phone")
    phone.get_by_role("button", name="Accept what is ticked").click()
    expect(phone.get_by_role("status")).to_contain_text("2 of 2 accepted")
    assert states(web_settings, *offers) == ["accepted", "offered", "accepted"]
    keep_picture(open_as(DANA, "/book", dark=True), "book-dark")


def test_the_account_page_is_readable_on_a_phone_and_says_why_not(open_as: OpenAs, web_settings: Settings) -> None:
    offered(web_settings, "acme")
    phone = open_as(DANA, "/accounts/acme", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_label("Why not").select_option("chloe-tremblay")
    phone.get_by_role("button", name="Ask").click()
    expect(phone.get_by_text("Not Chloe Tremblay:")).to_be_visible()
    keep_picture(phone, "account-phone-dark")
    lost = open_as(DANA, "/accounts/nowhere")
    expect(lost.get_by_text("Look the account up")).to_be_visible()
    keep_picture(lost, "account-not-there")


def test_an_offer_and_the_page_of_a_colleague_are_readable_on_a_phone_and_on_a_desk_in_the_dark(
    open_as: OpenAs, web_settings: Settings
) -> None:
    (offer,) = offered(web_settings, "acme")
    phone = open_as(DANA, f"/offers/{offer}", screen=PHONE)
    keep_picture(phone, "offer-phone")
    desk = open_as(RACHEL, f"/offers/{offer}", dark=True)
    keep_picture(desk, "offer-dark")
    for page, name in ((phone, "phone"), (desk, "dark")):
        page.goto(f"/people/{DANA}")
        expect(page.get_by_role("link", name="Name of acme")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        keep_picture(page, f"person-{name}")
        answer = page.goto("/accounts/nowhere")
        assert answer is not None
        assert answer.status == 404
        keep_picture(page, f"account-not-there-{name}")
    term = desk.goto(f"/offers/{offer}") and desk.locator("dl.card dt").first.bounding_box()
    value = desk.locator("dl.card dd").first.bounding_box()
    assert term is not None
    assert value is not None
    assert value["y"] == term["y"]  # a term and what it says stand side by side where there is room
