"""The look-up page: what it says of each hit, to whom, and that nothing typed becomes markup."""

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import open_store
from tasks.context import utc_now
from tests.store.business import days, know, owned_by, record, undecided
from tests.web.conftest import LogIn


@pytest.fixture
def book(web_settings: Settings) -> Settings:
    """Acme is offered to Dana, Bolt is Tom's with an SDR, Crate waits for a person, Delta was never decided."""
    store, now = open_store(web_settings.database_url), utc_now()
    know(store, "acme", "bolt", "crate", "delta")
    lead = Account("lena", "Lena <b>Vogt</b>", {"domain": "acme.example"}, (), parent_id="acme", kind="lead")
    store.run(lambda uow: uow.accounts.save([lead], now))
    record(
        store,
        owned_by("acme", "dana-whitfield", offer_due_by=now + days(1), pushes=()),
        owned_by("bolt", "tom-brannigan", pushes=()),
        undecided("crate"),
        now=now,
    )
    store.close()
    return web_settings


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("acme.example", ["/accounts/acme", "Dana Whitfield", "provisional until accepted", "lies in their territory"]),
        ("001-bolt", ["/accounts/bolt", "Tom Brannigan", "since"]),
        ("crate", ["Nobody owns it", "waits for a person"]),
        ("delta", ["Nobody owns it", "the next run of assign-owners decides"]),
        ("lena", ["lead</span>", ", part of Name of acme", "Lena &lt;b&gt;Vogt"]),
        ("dana", ["/people/dana-whitfield", "See their book"]),
        ("nothing like it", ["Nothing is called or known as", "web domain as in acme.com"]),
        ("<script>alert(1)</script>", ["Nothing is called", "&lt;script&gt;alert"]),
        ("\x00", ["Type a part of a company"]),
    ],
)
def test_every_rep_sees_whose_it_is_and_why_or_what_to_do(
    book: Settings, logged_in: LogIn, typed: str, said: list[str]
) -> None:
    page = logged_in("priya-raman").get("/", params={"q": typed}).text
    assert [words for words in said if words not in page] == []
    assert "<script>alert" not in page


def test_many_hits_ask_for_more_words(web_settings: Settings, logged_in: LogIn) -> None:
    store = open_store(web_settings.database_url)
    many = [Account(f"a{n}", f"Acme {n}", {}, (Ref("hubspot", "company", f"h{n}"),)) for n in range(21)]
    store.run(lambda uow: uow.accounts.save(many, utc_now()))
    store.close()
    page = logged_in("priya-raman").get("/", params={"q": "acme"}).text
    assert page.count('class="card hit"') == 20
    assert "These are the 20 best" in page


def test_who_is_not_logged_in_is_asked_to_and_led_back_to_what_they_looked_up(visitor: TestClient) -> None:
    answer = visitor.get("/", params={"q": "acme"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2F%3Fq%3Dacme")
