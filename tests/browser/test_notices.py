"""Ops look at what was not delivered, see why, and send it once more."""

from playwright.sync_api import expect

from config.settings import POLICY_DIR, Settings
from store.engine import open_store
from store.notifications import NewNotification
from tasks.context import utc_now
from tests.browser.conftest import PHONE, OpenAs, keep_picture
from tests.policies import read_policy


def test_what_was_refused_says_why_and_is_sent_again_on_a_phone_too(open_as: OpenAs, web_settings: Settings) -> None:
    store, now = open_store(web_settings.database_url), utc_now()
    dana, tom = (read_policy(POLICY_DIR).roster.reps[rep].email for rep in ("dana-whitfield", "tom-brannigan"))
    asked = tuple(f"Acme Rockets {n}: Europe › Mid-market: next in turn in pool mm-dach" for n in range(5))
    messages = [
        NewNotification("k1", dana, "You have {count} to accept", asked),
        NewNotification("k2", tom, "New account", ("Bolt & Söhne: it lies in their territory",), channel="email"),
        NewNotification(
            "k3", "cs@northwind-data.example", "New owner", ("Crate" * 60 + ": Tom has it now",), channel="email"
        ),
    ]
    store.run(lambda uow: uow.notifications.add(messages, now))
    with store.transaction(readonly=True) as uow:
        ids = {each.dedup_key: [each.notification_id] for each in uow.notifications.pending()}
    store.run(lambda uow: [uow.notifications.tell_together(these, key) for key, these in ids.items()])
    store.run(lambda uow: uow.notifications.settle(ids["k1"], "sent", "", now, "D1/1.1"))
    store.run(lambda uow: uow.notifications.settle(ids["k2"], "refused", "email: 550 5.1.1 no such mailbox", now))
    store.run(lambda uow: uow.notifications.put_off(ids["k3"], "email: 451 4.7.1 greylisted", now))
    page = open_as("ops", "/notices")
    keep_picture(page, "notices")
    page.get_by_label("State").select_option("failed")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("no such mailbox")).to_be_visible()
    expect(page.get_by_text("greylisted")).to_have_count(0)
    page.get_by_role("button", name="Try again: New account").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("told again with the next run")
    phone = open_as("ops", "/notices", screen=PHONE, dark=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    keep_picture(phone, "notices-phone-dark")
    store.close()
