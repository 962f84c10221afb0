"""Every request is noted, with who asked and whether it was refused, and ops read it."""

import threading
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from config.settings import Settings
from store.access_log import Access
from store.engine import Store, open_store
from store.errors import StoreBusy
from tasks.accesses import forget_old_accesses
from tasks.context import open_context, utc_now
from tests.store.business import know
from tests.web.conftest import LogIn, form_token
from web.access.journal import Journal

Kept = Callable[[], list[tuple[str, str, str, str | None, str]]]


@pytest.fixture
def kept(visitor: TestClient) -> Kept:
    """The log, the oldest first: who, role, route, object, outcome."""

    def read() -> list[tuple[str, str, str, str | None, str]]:
        here = visitor.app.state.surroundings  # type: ignore[attr-defined]
        here.journal.write()
        with here.store.transaction(readonly=True) as uow:
            rows = uow.access_log.recent(None, None, None, 100)
        return [(each.who, each.role, each.route, each.object_id, each.outcome) for each in reversed(rows)]

    return read


def test_what_is_allowed_and_what_is_refused_is_noted_with_the_object_and_never_the_query(
    visitor: TestClient, logged_in: LogIn, kept: Kept
) -> None:
    visitor.get("/offers/o-1")
    visitor.post("/offers/o-1/accept")
    dana = logged_in("dana-whitfield")
    token = form_token(dana)
    dana.get("/?q=secret-prospect")
    dana.get("/tokens")
    dana.get("/book?rep=tom-brannigan")
    dana.get("/book?rep=not%20on%20the%20roster")
    dana.post("/offers/o-2/decline", data={"form_token": "forged", "reason": "secret-reason"})
    dana.post("/offers/o-2/decline", data={"form_token": token, "reason": ""})
    assert kept() == [
        ("", "nobody", "show_offer", "o-1", "refused"),
        ("", "nobody", "accept", "o-1", "refused"),
        ("dana-whitfield", "rep", "show_found", None, "allowed"),
        ("dana-whitfield", "rep", "show_found", None, "allowed"),
        ("dana-whitfield", "rep", "token_list", None, "refused"),
        ("dana-whitfield", "rep", "book", "tom-brannigan", "refused"),
        ("dana-whitfield", "rep", "book", None, "refused"),
        ("dana-whitfield", "rep", "decline", "o-2", "refused"),
        ("dana-whitfield", "rep", "decline", "o-2", "allowed"),
    ]


def test_ops_read_who_looked_at_an_account_and_nobody_else_may(
    web_settings: Settings, logged_in: LogIn, visitor: TestClient
) -> None:
    store = open_store(web_settings.database_url)
    know(store, "acme")
    note = Access(utc_now(), "dana-whitfield", "rep", "account", "acme", "allowed")
    store.run(lambda uow: uow.access_log.add([note, Access(utc_now(), "", "nobody", "account", "x", "refused")]))
    store.close()
    ops = logged_in("ops")
    shown = ops.get("/access?about=Name of acme").text
    assert "Dana Whitfield" in shown
    assert "About Name of acme, with its offers" in shown
    assert "nobody" in ops.get("/access?who=nobody").text
    assert ops.get("/access?who=Dana Whitfield").text.count("<tr>") == 2
    assert ops.get("/access?who=dana.whitfield@northwind-data.example").text.count("<tr>") == 2
    assert "Nothing is kept of this" in ops.get("/access?who=Tom Brannigan").text
    assert 'href="/access"' in ops.get("/").text
    for other in ("dana-whitfield", "rachel-stein"):
        client = logged_in(other)
        assert client.get("/access").status_code == 403
        assert 'href="/access"' not in client.get("/").text


def test_a_long_log_is_read_a_page_at_a_time(web_settings: Settings, logged_in: LogIn) -> None:
    store = open_store(web_settings.database_url)
    rows = [Access(utc_now(), "tom-brannigan", "rep", f"page_{number}", None, "allowed") for number in range(130)]
    store.run(lambda uow: uow.access_log.add(rows))
    store.close()
    first = logged_in("ops").get("/access?who=tom-brannigan").text
    assert ("page 129" in first, "page 29<" in first) == (True, False)
    earlier = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = logged_in("ops").get(earlier).text
    assert ("page 29<" in second, "page 30<" in second, "Earlier ones" in second) == (True, False, False)


def test_nothing_noted_is_lost_when_the_database_is_busy_or_the_application_stops(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.access.journal.RETRY_S", 0.0)
    journal, refused, run = Journal(store), threading.Event(), store.run

    def busy_once(work: object) -> object:
        if not refused.is_set():
            refused.set()
            raise StoreBusy("busy")
        return run(work)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "run", busy_once)
    journal.note(Access(utc_now(), "dana", "rep", "first", None, "allowed"))
    assert refused.wait(10)
    for number in range(500):
        journal.note(Access(utc_now(), "dana", "rep", f"page-{number}", None, "allowed"))
    journal.close()
    with store.transaction(readonly=True) as uow:
        assert len(uow.access_log.recent(None, None, None, 1000)) == 501


def test_the_audit_forgets_what_is_older_than_the_settings_keep(web_settings: Settings) -> None:
    context = open_context(web_settings.model_copy(update={"access_log_days": 30}))
    now = utc_now()
    old, new = (Access(now.replace(year=year), "dana", "rep", "book", None, "allowed") for year in (2001, now.year))
    context.store.run(lambda uow: uow.access_log.add([old, new]))
    assert forget_old_accesses(context) == 1
    context.store.close()
