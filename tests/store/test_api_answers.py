"""Answers kept by key, and lists read a page at a time, on both databases."""

from datetime import timedelta

from store.api_tokens import ApiToken
from store.engine import Store
from tests.store.business import MONDAY, know, owned_by, record, undecided

TOKEN = ApiToken("t1", "0" * 64, "a test", "ops", None, MONDAY, "tests", MONDAY + timedelta(days=1))


def test_a_key_is_taken_once_and_its_answer_kept_for_a_day(store: Store) -> None:
    store.run(lambda uow: uow.api_tokens.add(TOKEN))

    def take(key: str, after: timedelta = timedelta()) -> tuple[int | None, object] | None:
        kept = store.run(lambda uow: uow.api_answers.take("t1", key, "hash", MONDAY + after))
        return (kept.status, kept.body) if kept else None

    assert take("one") is None
    assert take("one", timedelta(seconds=59)) == (None, None)
    store.run(lambda uow: uow.api_answers.keep("t1", "one", 200, '{"a": 1}'))
    assert take("one", timedelta(hours=23)) == (200, '{"a": 1}')
    assert take("one", timedelta(hours=24)) is None


def test_a_request_that_was_killed_may_be_sent_again_after_a_minute(store: Store) -> None:
    store.run(lambda uow: uow.api_tokens.add(TOKEN))
    for after, expected in ((0, True), (59, False), (60, True)):
        now = MONDAY + timedelta(seconds=after)
        kept = store.run(lambda uow, now=now: uow.api_answers.take("t1", "one", "hash", now))  # type: ignore[misc]
        assert (kept is None) is expected


def test_a_book_is_read_a_page_at_a_time_by_name(store: Store) -> None:
    ids = ["d", "b", "a", "c", "e"]
    know(store, *ids, "foreign")
    record(store, *(owned_by(each, "dana") for each in ids), owned_by("foreign", "tom"))
    seen: list[str] = []
    after = None
    while page := store.run(lambda uow, after=after: uow.listings.book("dana", after, 2)):  # type: ignore[misc]
        seen += [entry.account_id for entry in page]
        after = page[-1].account_id
    assert seen == ["a", "b", "c", "d", "e"]
    store.run(lambda uow: uow.accounts.mark_gone(["c"], MONDAY))
    assert [entry.account_id for entry in store.run(lambda uow: uow.listings.book("dana", "b", 9))] == ["d", "e"]
    assert store.run(lambda uow: uow.listings.book("dana", "never-was", 9)) == []


def test_offers_and_exceptions_are_those_of_the_owners_asked_for(store: Store) -> None:
    know(store, "a", "b", "c", "d")
    due = MONDAY + timedelta(hours=8)
    record(store, *(owned_by(each, who, offer_due_by=due) for each, who in (("a", "dana"), ("b", "tom"))))
    record(store, undecided("c"), run="run-2")

    def offers(state: str | None, owners: set[str] | None, after: str | None = None) -> list[str]:
        return [each.account_id for each in store.run(lambda uow: uow.listings.offers(state, owners, after, 9))]

    assert sorted(offers(None, None)) == ["a", "b"]
    assert offers("offered", {"dana"}) == ["a"]
    assert offers("accepted", {"dana"}) == offers(None, set()) == []
    first = store.run(lambda uow: uow.listings.offers(None, None, None, 1))[0]
    assert offers(None, None, first.offer_id) == [({"a", "b"} - {first.account_id}).pop()]

    store.run(lambda uow: uow.exceptions.open("owner_drift", "k", "a", {}, "warning", "run-1", MONDAY))

    def exceptions(owners: set[str] | None) -> list[str | None]:
        return [each.account_id for each in store.run(lambda uow: uow.listings.exceptions(None, owners, None, 9))]

    assert sorted(exceptions(None), key=str) == ["a", "c"]
    assert exceptions({"dana"}) == ["a"]
    assert exceptions({"tom"}) == []
    assert store.run(lambda uow: uow.listings.drift(None, {"dana"}, None, 9)) == []
