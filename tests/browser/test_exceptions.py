"""What needs a person, as managers and ops settle it: one by one, several at once, and on a phone."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import Store, open_store
from store.exceptions import NewException
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.store.business import owned_by, record


def test_ops_settle_one_exception_then_two_at_once_and_see_what_came_of_it(
    open_as: OpenAs, web_settings: Settings
) -> None:
    store = open_store(web_settings.database_url)
    fill(store)
    page = open_as("ops", "/exceptions")
    expect(page.get_by_role("article")).to_have_count(5)
    keep_picture(page, "exceptions")
    page.get_by_role("link", name="shadow account 3").click()
    first = page.get_by_role("article").first
    first.get_by_text("Ways out").click()
    first.get_by_role("button", name="Explain away").click()
    assert first.get_by_label("Why").evaluate("field => !field.validity.valid")  # no reason, nothing is sent
    first.get_by_label("Why").fill("Our own test account")
    keep_picture(page, "exceptions-one")
    first.get_by_role("button", name="Explain away").click()
    expect(page.get_by_role("status")).to_have_text("It is closed, and stays so.")
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_text("Do the same with several").click()
    page.get_by_label("Tick all").check()
    page.locator("#bulk").get_by_label("Why").fill("Test accounts, all of them")
    keep_picture(page, "exceptions-bulk")
    page.locator("#bulk").get_by_role("button", name="Explain away").click()
    expect(page.get_by_role("status")).to_have_text("2 done.")
    expect(page.get_by_text("Nothing is like this.")).to_be_visible()
    store.close()


def test_a_manager_sees_those_of_their_reports_on_a_phone_in_the_dark(open_as: OpenAs, web_settings: Settings) -> None:
    store = open_store(web_settings.database_url)
    fill(store)
    phone = open_as("rachel-stein", "/exceptions", screen=PHONE, dark=True)
    expect(phone.get_by_role("article")).to_have_count(1)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.get_by_text("Ways out").click()
    keep_picture(phone, "exceptions-phone-dark")
    snooze(phone)
    expect(phone.get_by_text("1 open, 1 of them snoozed")).to_be_visible()
    phone.get_by_role("link", name="Show what is snoozed").click()
    expect(phone.get_by_text("because She is away")).to_be_visible()
    keep_picture(phone, "exceptions-snoozed")
    store.close()


def snooze(page: Page) -> None:
    page.get_by_label("Why").fill("She is away")
    page.get_by_role("button", name="Snooze").click()


def fill(store: Store) -> None:
    """Three companies that only pay, one that lacks data, and one of Dana's that somebody gave to Tom."""
    names = {"z1": "Zeta Trading", "z2": "Zeta Test", "z3": "Zeta Sandbox", "b1": "Bolt & Sons", "a1": "Acme"}
    accounts = [Account(id_, name, {}, (Ref("salesforce", "Account", f"001-{id_}"),)) for id_, name in names.items()]
    now = utc_now()
    store.run(lambda uow: uow.accounts.save(accounts, now))
    record(store, owned_by("a1", "dana-whitfield"))
    pays = {"because": ["it pays, by Stripe", "no record of a CRM is linked to it"]}
    shows = {"target": "salesforce", "record": "001-a1", "problem": "salesforce shows Tom Brannigan, we say Dana"}
    found = [
        *(NewException("shadow_account", f"undecided:{id_}", id_, pays, "warning") for id_ in ("z1", "z2", "z3")),
        NewException("missing_data", "undecided:b1", "b1", {"because": "it has no country"}, "warning"),
        NewException("owner_drift", "owner_drift:salesforce/Account/001-a1", "a1", shows, "error"),
    ]
    store.run(lambda uow: uow.exceptions.open_many(found, "run-1", now - timedelta(hours=30)))
