"""What was told to whom is seen by ops, and by managers of their people; what did not get through can be sent again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.settings import POLICY_DIR, Settings
from store.engine import Store, open_store
from store.notifications import NewNotification, Notification
from tasks.context import utc_now
from tests.policies import read_policy
from tests.web.conftest import LogIn, form_token

DANA, TOM, MANAGER = "dana-whitfield", "tom-brannigan", "rachel-stein"
SUCCESS = "cs@northwind-data.example"


def address(rep: str) -> str:
    return read_policy(POLICY_DIR).roster.reps[rep].email


@pytest.fixture
def store(web_settings: Settings) -> Iterator[Store]:
    """Dana was told in Slack, Tom's mail was refused, that to customer success is put off."""
    opened = open_store(web_settings.database_url)
    tell(opened, NewNotification("k1", address(DANA), "You have {count} to accept", ("Acme: your turn",)))
    tell(opened, NewNotification("k2", address(TOM), "New account", ("<b>Bolt</b>: your turn",), channel="email"))
    tell(opened, NewNotification("k3", SUCCESS, "New owner", ("Crate: Tom has it now",), channel="email"))
    dana, tom, success = queued(opened)
    now = utc_now()
    opened.run(lambda uow: uow.notifications.settle([dana.notification_id], "sent", "", now, "D1/1.1"))
    opened.run(lambda uow: uow.notifications.settle([tom.notification_id], "refused", "550 no such mailbox", now))
    opened.run(lambda uow: uow.notifications.put_off([success.notification_id], "451 Greylisted", now))
    yield opened
    opened.close()


def tell(store: Store, message: NewNotification) -> None:
    store.run(lambda uow: uow.notifications.add([message], utc_now()))
    (new,) = [each for each in queued(store) if each.dedup_key == message.dedup_key]
    store.run(lambda uow: uow.notifications.tell_together([new.notification_id], message.dedup_key))


def queued(store: Store) -> list[Notification]:
    with store.transaction(readonly=True) as uow:
        return uow.notifications.pending()


def test_ops_see_what_got_through_and_what_did_not_with_the_vendors_word(logged_in: LogIn, store: Store) -> None:
    page = logged_in("ops").get("/notices").text
    assert "You have 1 account to accept" in page
    assert "550 no such mailbox" in page
    assert "451 Greylisted" in page
    assert "&lt;b&gt;Bolt&lt;/b&gt;" in page
    failed = logged_in("ops").get("/notices?state=failed&channel=email").text
    assert "no such mailbox" in failed
    assert "Greylisted" not in failed


def test_a_manager_sees_what_their_people_were_told_and_a_rep_nothing(logged_in: LogIn, store: Store) -> None:
    reports = read_policy(POLICY_DIR).roster.reports_of(MANAGER)
    assert DANA in reports
    assert TOM not in reports
    page = logged_in(MANAGER).get("/notices").text
    assert "Acme: your turn" in page
    assert "Bolt" not in page
    assert "Crate" not in page
    assert logged_in(DANA).get("/notices").status_code == 403


def test_what_failed_is_sent_again_from_the_page_and_by_nobody_whom_it_is_not_shown(
    logged_in: LogIn, store: Store
) -> None:
    with store.transaction(readonly=True) as uow:
        (failed, _) = sorted(uow.notifications.not_delivered(), key=lambda each: each.dedup_key)
    again = f"/notices/{failed.notification_id}/again"
    manager = logged_in(MANAGER)
    assert manager.post(again, data={"form_token": form_token(manager)}).status_code == 404
    assert manager.post("/notices/again", data={"form_token": form_token(manager)}).status_code == 403
    assert failed.dedup_key not in {each.dedup_key for each in queued(store)}
    ops = logged_in("ops")
    assert ops.post(again, data={"form_token": form_token(ops)}).status_code == 303
    assert "is told again with the next run" in ops.get("/notices").text
    assert failed.dedup_key in {each.dedup_key for each in queued(store)}
    ops.post(again, data={"form_token": form_token(ops)})
    assert "Nothing was changed: it is waiting by now" in ops.get("/notices").text


def test_everything_that_failed_is_sent_again_at_once_and_reading_changes_nothing(
    logged_in: LogIn, store: Store
) -> None:
    ops, before = logged_in("ops"), queued(store)
    ops.get("/notices?state=failed")
    ops.get("/notices?before=%00&state=nonsense")
    assert queued(store) == before
    ops.post("/notices/again", data={"form_token": form_token(ops)})
    assert {(each.dedup_key, each.not_before) for each in queued(store)} == {("k2", None), ("k3", None)}


def test_a_page_goes_on_where_the_one_before_ended_and_an_empty_one_says_what_to_do(
    logged_in: LogIn, web_settings: Settings
) -> None:
    ops = logged_in("ops")
    assert "Nobody was told anything yet" in ops.get("/notices").text
    assert "Show all notices" in ops.get("/notices?state=failed").text
    store = open_store(web_settings.database_url)
    many = [NewNotification(f"m{n}", SUCCESS, "News", (f"News {n:03}.",)) for n in range(70)]
    store.run(lambda uow: uow.notifications.add(many, utc_now()))
    first = ops.get("/notices").text
    (older,) = [part.split('"')[0] for part in first.split('href="')[1:] if part.startswith("/notices?before=")]
    second = ops.get(older).text
    seen = [n for n in range(70) if f"News {n:03}." in first], [n for n in range(70) if f"News {n:03}." in second]
    assert seen == (list(range(20, 70)), list(range(20)))
    assert "Slack is not connected: set STEWARD_SLACK_TOKEN" in first
    store.close()
