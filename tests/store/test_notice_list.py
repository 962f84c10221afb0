"""Notifications as people look through them, put off, and sent once more, on both databases."""

from datetime import timedelta

from store.engine import Store
from store.notifications import NewNotification
from tests.store.business import MONDAY

DANA, TOM = "dana@n.example", "tom@n.example"


def ids(store: Store) -> dict[str, str]:
    with store.transaction(readonly=True) as uow:
        return {each.dedup_key: each.notification_id for each in uow.notice_list.page(None, None, None, None, 100)}


def test_the_newest_come_first_and_are_found_by_whom_they_are_for_state_and_channel(store: Store) -> None:
    told = [(DANA, "slack"), (TOM, "email"), (DANA, "email"), (TOM, "slack")]
    messages = [NewNotification(f"k{n}", to, "News", (), channel=by) for n, (to, by) in enumerate(told)]
    store.run(lambda uow: uow.notifications.add(messages, MONDAY))
    of = ids(store)
    store.run(lambda uow: uow.notifications.settle([of["k1"]], "refused", "550 \x00", MONDAY))
    store.run(lambda uow: uow.notifications.settle([of["k2"]], "sent", "", MONDAY))

    def found(emails: list[str] | None, state: str | None = None, channel: str | None = None) -> list[str]:
        with store.transaction(readonly=True) as uow:
            return [each.dedup_key for each in uow.notice_list.page(emails, state, channel, None, 10)]

    assert found(None) == ["k3", "k2", "k1", "k0"]
    assert found([DANA]) == ["k2", "k0"]
    assert found([TOM], "refused") == ["k1"]
    assert found(None, "pending", "slack") == ["k3", "k0"]
    assert found([]) == []
    with store.transaction(readonly=True) as uow:
        assert [each.dedup_key for each in uow.notice_list.page(None, None, None, of["k2"], 1)] == ["k1"]
        assert uow.notice_list.not_delivered(None) == {"pending": 2, "refused": 1}
        assert uow.notice_list.not_delivered([DANA]) == {"pending": 1, "refused": 0}
        assert uow.notice_list.get("nonsense") is None


def test_what_is_put_off_is_not_pending_before_its_time_and_is_sent_again_with_its_whole_message(store: Store) -> None:
    messages = [NewNotification(key, TOM, "News", (), channel="email") for key in ("a", "b", "c")]
    store.run(lambda uow: uow.notifications.add(messages, MONDAY))
    of, later = ids(store), MONDAY + timedelta(minutes=5)
    store.run(lambda uow: uow.notifications.tell_together([of["a"], of["b"]], "a"))
    store.run(lambda uow: uow.notifications.tell_together([of["c"]], "c"))
    store.run(lambda uow: uow.notifications.put_off([of["a"], of["b"]], "451", later))
    store.run(lambda uow: uow.notifications.put_off([of["c"]], "421", None))

    def pending(seconds: float) -> list[tuple[str, int]]:
        with store.transaction(readonly=True) as uow:
            found = uow.notifications.pending(["email"], later + timedelta(seconds=seconds))
        return [(each.dedup_key, each.attempts) for each in found]

    assert pending(-1) == [("c", 0)]
    assert pending(0) == [("a", 1), ("b", 1), ("c", 0)]
    assert store.run(lambda uow: uow.notifications.try_again("a")) == 2
    assert pending(-1) == [("a", 0), ("b", 0), ("c", 0)]
    assert store.run(lambda uow: uow.notifications.try_again()) == 0
