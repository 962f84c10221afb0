"""The log of accesses: by person, by account with all that is about it, by page, and for some time only."""

from datetime import timedelta

from store.access_log import ALLOWED, REFUSED, Access
from store.engine import Store
from tests.store.business import MONDAY, days, know, owned_by, record


def access(who: str, object_id: str | None, *, after: float = 0, outcome: str = ALLOWED) -> Access:
    return Access(MONDAY + days(after), who, "rep" if who else "nobody", "account", object_id, outcome)


def test_accesses_are_found_by_person_and_by_account_with_its_offers_the_newest_first(store: Store) -> None:
    know(store, "acme", "bolt")
    record(store, owned_by("acme", "dana", offer_due_by=MONDAY + timedelta(hours=8)))
    offer = store.run(lambda uow: uow.offers.of_account("acme"))
    assert offer is not None
    rows = [
        access("dana", "acme"),
        access("tom", offer.offer_id, outcome=REFUSED),
        access("", "bolt\x00"),
        access("tom", None),
    ]
    store.run(lambda uow: uow.access_log.add(rows))

    def found(who: str | None, about: str | None, before: str | None = None, limit: int = 10) -> list[str]:
        with store.transaction(readonly=True) as uow:
            return [each.access_id for each in uow.access_log.recent(who, about, before, limit)]

    dana, tom, nobody, last = (each.access_id for each in rows)
    assert found(None, None) == [last, nobody, tom, dana]
    assert found("tom", None) == [last, tom]
    assert found(None, "acme") == [tom, dana]
    assert found("tom", "acme") == [tom]
    assert found("", None) == [nobody]
    assert found(None, None, limit=2) == [last, nobody]
    assert found(None, None, before=nobody) == [tom, dana]


def test_what_is_older_than_the_days_it_is_kept_is_forgotten(store: Store) -> None:
    rows = [access("dana", "a"), access("dana", "b", after=1)]
    store.run(lambda uow: uow.access_log.add(rows))
    assert store.run(lambda uow: uow.access_log.forget(MONDAY + days(1))) == 1
    with store.transaction(readonly=True) as uow:
        assert [each.object_id for each in uow.access_log.recent(None, None, None, 10)] == ["b"]
