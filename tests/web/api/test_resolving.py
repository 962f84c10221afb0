"""Taking a way out of an exception by the API: by the same rules as on the page, once for each Idempotency-Key."""

from datetime import timedelta

from store.engine import Store
from tasks.context import utc_now
from tests.web.api.conftest import Ask


def of_kind(store: Store, kind: str) -> str:
    (item,) = store.run(lambda uow: uow.exceptions.open_items(kind))
    return item.exception_id


def test_a_manager_snoozes_what_is_of_their_people_once_for_each_key(as_: Ask, store: Store) -> None:
    id_, day = of_kind(store, "owner_drift"), (utc_now() + timedelta(days=5)).date().isoformat()
    client, said = as_("manager"), {"way": "snooze", "reason": "she is away", "until": day}
    for _ in range(2):
        answer = client.post(f"/exceptions/{id_}/resolve", json=said, headers={"Idempotency-Key": "k1"})
        assert (answer.status_code, answer.json()["state"]) == (200, "open")
    (kept,) = store.run(lambda uow: uow.exceptions.answers([id_]))
    assert (kept.way, kept.said_by, kept.because) == ("snooze", "rachel-stein", "she is away")
    shown = next(each for each in client.get("/exceptions").json()["exceptions"] if each["id"] == id_)
    assert (shown["ways"], shown["snoozed_until"][:10]) == (["restore", "keep-theirs", "snooze"], day)


def test_what_may_not_be_done_changes_nothing_and_says_why(as_: Ask, store: Store) -> None:
    id_, url = of_kind(store, "owner_drift"), "/exceptions/{}/resolve"
    ops = as_("ops")
    assert "No reason is given" in ops.post(url.format(id_), json={"way": "restore"}).json()["detail"]
    assert "is no way out" in ops.post(url.format(id_), json={"way": "fly", "reason": "x"}).json()["detail"]
    assert ops.post(url.format(id_), json={"reason": "x"}).status_code == 422
    assert ops.post(url.format("none"), json={"way": "snooze", "reason": "x"}).status_code == 404
    said = {"way": "restore", "reason": "x"}
    assert as_("manager", "peter-novak").post(url.format(id_), json=said).status_code == 404  # not of their people
    assert as_("rep").post(url.format(id_), json=said).status_code == 403
    assert store.run(lambda uow: uow.exceptions.answers([id_])) == []
