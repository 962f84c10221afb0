"""Overrides and disputes on the page: who sees and does what there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import Store, open_store
from store.overrides import OpenedDispute, OverrideRequest
from store.statements import new_id
from tasks.context import utc_now
from tests.store.business import owned_by, record
from tests.web.conftest import LogIn, form_token
from web.pages.overrides import PAGE


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    """Acme is Dana's."""
    opened = open_store(web_settings.database_url)
    fields = {"domains": ["acme.example"], "country": "us", "employees": 9}
    acme = Account("a1", "Acme", fields, (Ref("salesforce", "Account", "001"),))
    opened.run(lambda uow: uow.accounts.save([acme], utc_now()))
    record(opened, owned_by("a1", "dana-whitfield"), now=utc_now())
    yield opened
    opened.close()


def send(logged_in: LogIn, who: str, path: str, **said: str) -> int:
    """What a form that this person sends is answered with."""
    client = logged_in(who)
    return client.post(path, data={**said, "form_token": form_token(client)}).status_code


def asked(store: Store) -> Any:
    with store.transaction(readonly=True) as uow:
        return uow.overrides.recent()[0]


def owner(store: Store) -> str:
    with store.transaction(readonly=True) as uow:
        return uow.ledger.current(["a1"])["a1"].owner_id


def test_a_rep_asks_cannot_approve_and_ops_approves_so_that_the_owner_changes(logged_in: LogIn, store: Store) -> None:
    said = {"account": "Acme", "owner": "priya-raman", "reason": "they know her"}
    assert send(logged_in, "dana-whitfield", "/overrides", **said) == 303
    path, answer = f"/overrides/{asked(store).override_id}", {"answer": "approved", "because": "agreed"}
    assert "Approve" not in logged_in("dana-whitfield").get("/overrides").text
    assert send(logged_in, "dana-whitfield", path, **answer) == 403
    ops = logged_in("ops")
    assert "Approve" in ops.get("/overrides").text
    assert ops.get("/disputes").status_code == 200
    assert send(logged_in, "ops", path, **answer) == 303
    assert owner(store) == "priya-raman"
    assert "in effect" in logged_in("priya-raman").get("/overrides").text
    assert "they know her" not in logged_in("tom-brannigan").get("/overrides").text


def test_what_is_sent_past_the_page_is_refused_as_the_page_would(logged_in: LogIn, store: Store) -> None:
    tomorrow = (utc_now() + timedelta(days=1)).date().isoformat()
    said = {"account": "Acme", "owner": "priya-raman", "reason": "cover", "since": tomorrow}
    send(logged_in, "dana-whitfield", "/overrides", **said)
    path = f"/overrides/{asked(store).override_id}"
    assert asked(store).since == tomorrow
    assert "Take it back" not in logged_in("ops").get("/overrides").text
    send(logged_in, "ops", f"{path}/withdraw")
    assert asked(store).state == "requested", "it is not theirs to take back"
    send(logged_in, "rachel-stein", path, answer="approved", because="agreed")
    assert "begins later" in logged_in("dana-whitfield").get("/overrides").text
    assert send(logged_in, "dana-whitfield", f"{path}/end", because="no") == 403
    assert "End it now" not in logged_in("priya-raman").get("/overrides").text
    send(logged_in, "rachel-stein", f"{path}/end", because="not needed")
    assert (asked(store).ended_by, owner(store)) == ("rachel-stein", "dana-whitfield")


def test_nobody_is_offered_as_an_owner_who_has_left(logged_in: LogIn) -> None:
    page = logged_in("dana-whitfield").get("/overrides").text
    assert ('value="priya-raman"' in page, 'value="gary-sutton"' in page) == (True, False)


def test_what_waits_is_reached_however_many_came_later(logged_in: LogIn, store: Store) -> None:
    now = utc_now()
    people = ("dana-whitfield", now, now.date().isoformat())
    asked = [OverrideRequest(new_id(), "a1", "priya-raman", f"reason {number}.", *people) for number in range(PAGE + 1)]
    claims = [
        OpenedDispute(f"{number:04}", "a1", "priya-raman", f"claim {number}.", "priya-raman", now, now, "withdrawn")
        for number in range(PAGE + 1)
    ]
    with store.transaction() as uow:
        for request, claimed in zip(asked, claims, strict=True):
            uow.overrides.ask(request)
            uow.disputes.open(claimed)
    ops = logged_in("ops")
    for path, first in (("/overrides", "reason 0."), ("/disputes", "claim 0.")):
        page = ops.get(path).text
        assert first not in page
        older = ops.get(page.split('rel="next" href="')[1].split('"')[0]).text
        assert (first in older, "Older ones" in older) == (True, False)


def test_a_request_taken_back_and_a_claim_with_its_evidence_are_shown_to_who_is_part_of_them(
    logged_in: LogIn, store: Store
) -> None:
    send(logged_in, "dana-whitfield", "/overrides", account="Acme", owner="priya-raman", reason="they know her")
    send(logged_in, "dana-whitfield", f"/overrides/{asked(store).override_id}/withdraw")
    assert "withdrawn" in logged_in("dana-whitfield").get("/overrides").text
    send(logged_in, "priya-raman", "/disputes", account="Acme", reason="I called first")
    with store.transaction(readonly=True) as uow:
        (opened,) = uow.disputes.open_ones()
    path = f"/disputes/{opened.dispute_id}"
    send(logged_in, "dana-whitfield", f"{path}/evidence", said="javascript:alert(1)")
    send(logged_in, "tom-brannigan", f"{path}/evidence", said="not mine to say")
    seen = logged_in("rachel-stein").get("/disputes").text
    assert "javascript:alert(1)" in seen
    assert 'href="javascript' not in seen
    assert "not mine to say" not in seen
    send(logged_in, "rachel-stein", f"{path}/withdraw")
    assert "a ruling is due" in logged_in("rachel-stein").get("/disputes").text
    send(logged_in, "priya-raman", f"{path}/withdraw")
    assert "withdrawn" in logged_in("dana-whitfield").get("/disputes").text
    assert "I called first" not in logged_in("tom-brannigan").get("/disputes").text
