"""Companies may be called anything: in one word as long as a line, from right to left, or as if they were markup. No
page grows wider than the screen for it."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from config.settings import Settings
from ownership.model import Account
from ownership.placed_by_people import Person
from store.engine import open_store
from store.exceptions import NewException
from store.notifications import NewNotification
from tasks.context import recorded_run, utc_now
from tasks.kpis import take_kpis
from tasks.placed_by_people import open_dispute, request_override
from tests.browser.conftest import DESK, OpenAs, keep_picture
from tests.store.business import owned_by, record, salesforce

NARROW = {"width": 360, "height": 740}
NAMES = {
    "long": 2 * "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "arab": "شركة النور للتجارة (2) - مساهمة!",
    "wide": 30 * "株式会社",
    "odd": '<b>Acme</b> & "Sons" \u202emoc.elgoog',
}
DANA, MARCUS = "dana-whitfield", "marcus-oyelaran"
PAGES = (
    *("/?q=Donau", "/accounts/long", "/accounts/arab", "/people/dana-whitfield", "/book?rep=dana-whitfield"),
    *("/overrides", "/disputes", "/exceptions?kind=owner_drift", "/notices", "/tokens", "/access"),
    *("/kpis", "/kpis/coverage", "/kpis/time_to_ownership"),
)


@pytest.fixture
def web_settings(web_settings: Settings) -> Settings:
    """All of them are offered to Dana, asked for, claimed, changed outside, and told of."""
    store, now = open_store(web_settings.database_url), utc_now()
    accounts = [Account(id_, name, {"note": name}, (salesforce(9 * id_),)) for id_, name in NAMES.items()]
    store.run(lambda uow: uow.accounts.save(accounts, now))
    record(store, *(owned_by(id_, DANA, offer_due_by=now + timedelta(hours=5)) for id_ in NAMES), now=now)
    found = [
        NewException("owner_drift", f"owner_drift:salesforce/Account/{id_}", id_, {"problem": name}, "error")
        for id_, name in NAMES.items()
    ]
    told = [NewNotification(id_, "d@steward.example", name, (name,)) for id_, name in NAMES.items()]
    store.run(lambda uow: (uow.exceptions.open_many(found, "run-1", now), uow.notifications.add(told, now)))
    store.close()
    with recorded_run("the world", trigger="test", settings=web_settings) as context:
        for id_, name in NAMES.items():
            request_override(context, id_, Person(DANA, "rep"), MARCUS, name, None, "stay")
            open_dispute(context, id_, Person(MARCUS, "rep"), name, f"https://crm.example/{99 * 'a'}")
        take_kpis(context)
    return web_settings


def overflow(page: Page) -> int:
    """By how many pixels the page, or a table in it, is wider than what it is shown in."""
    return page.evaluate(  # type: ignore[no-any-return]
        "Math.max(...[document.documentElement, ...document.querySelectorAll('.wide')]"
        ".map(each => each.scrollWidth - each.clientWidth))"
    )


@pytest.mark.parametrize(("screen", "name"), [(NARROW, "phone"), (DESK, "desk")])
def test_no_name_makes_a_page_wider_than_the_screen(open_as: OpenAs, screen: dict[str, int], name: str) -> None:
    page = open_as("ops", "/", screen=screen)
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert overflow(page) <= 0, path
        keep_picture(page, f"any-name-{name}-{path.strip('/').partition('?')[0].replace('/', '-') or 'look-up'}")
