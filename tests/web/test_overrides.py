"""Asking for an override on the page, and who can answer it there."""

from config.settings import Settings
from ownership.model import Account, Ref
from store.engine import open_store
from tasks.context import utc_now
from tests.web.conftest import LogIn, form_token


def test_a_rep_asks_cannot_approve_and_ops_approves_so_that_the_owner_changes(
    logged_in: LogIn, web_settings: Settings
) -> None:
    store = open_store(web_settings.database_url)
    acme = Account(
        "a1",
        "Acme",
        {"domains": ["acme.example"], "country": "us", "employees": 9},
        (Ref("salesforce", "Account", "001"),),
    )
    store.run(lambda uow: uow.accounts.save([acme], utc_now()))
    rep = logged_in("dana-whitfield")
    said = {"form_token": form_token(rep), "account": "Acme", "owner": "priya-raman", "reason": "they know her"}
    assert rep.post("/overrides", data=said).status_code == 303
    with store.transaction(readonly=True) as uow:
        (asked,) = uow.overrides.recent()
    answer = {"answer": "approved", "because": "agreed"}
    path = f"/overrides/{asked.override_id}"
    assert "Approve" not in rep.get("/overrides").text
    assert rep.post(path, data={**answer, "form_token": form_token(rep)}).status_code == 403
    ops = logged_in("ops")
    assert "Approve" in ops.get("/overrides").text
    assert ops.get("/disputes").status_code == 200
    assert ops.post(path, data={**answer, "form_token": form_token(ops)}).status_code == 303
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.current(["a1"])["a1"].owner_id == "priya-raman"
    assert "approved" in logged_in("priya-raman").get("/overrides").text
    assert "they know her" not in logged_in("tom-brannigan").get("/overrides").text
    store.close()
