"""What is written in bulk comes back as it was, on both databases."""

from __future__ import annotations

from datetime import timedelta, timezone
from uuid import RFC_4122, UUID

from ownership.model import Account, Ref
from store.engine import Store
from store.exceptions import NewException
from store.people import PersonSeen
from store.staging import StagedRow
from store.statements import new_id
from tests.store.business import MONDAY, days

WILD = 'O\'Brien & "Sons" \\ 100% {x}, $1 ?\t\r\n\u2028 Zażółć 🎉'


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(7, RFC_4122)}


def test_whatever_a_vendor_writes_is_kept_to_the_letter(store: Store) -> None:
    fields = {
        "text": WILD,
        "nul": "a\x00b",
        "half": "\ud83d",
        "list": [WILD, None, True],
        "number": 1.5e300,
        "none": None,
    }
    account = Account("a1", WILD, fields, (Ref("hubspot", "companies", WILD),), "parent", {})
    store.run(lambda uow: uow.accounts.save([account], MONDAY))
    with store.transaction(readonly=True) as uow:
        assert uow.accounts.get("a1") == account
        assert uow.accounts.by_refs(account.refs) == {account.refs[0]: "a1"}
        assert list(uow.accounts.get_many([WILD, "a1"])) == ["a1"]


def test_what_no_database_holds_is_marked_in_text_for_people(store: Store) -> None:
    store.run(lambda uow: uow.people.put("hubspot", [PersonSeen("1", "a\x00b\ud83d", "x@x.example", False)], MONDAY))
    with store.transaction(readonly=True) as uow:
        (person,) = uow.people.all("hubspot")
    assert (person.name, person.active) == ("a\ufffdb?", False)


def test_an_instant_is_the_same_instant_whatever_its_time_zone(store: Store) -> None:
    winter, later = timezone(timedelta(hours=-5)), MONDAY + timedelta(microseconds=1)
    rows = [StagedRow("hubspot", "s", "1", {}, MONDAY.astimezone(winter)), StagedRow("hubspot", "s", "2", {}, later)]
    store.run(lambda uow: uow.staging.put([*rows, StagedRow("hubspot", "s", "3", {})], "run-1", MONDAY))
    with store.transaction(readonly=True) as uow:
        assert [row.modified_at for row in uow.staging.live()] == [MONDAY, later, None]


def test_an_exception_found_again_and_again_is_one_item(store: Store) -> None:
    def found(key: str, said: str) -> NewException:
        return NewException("no_rule", key, None, {"said": said}, "warning")

    store.run(lambda uow: uow.exceptions.open_many([found("a", "1"), found("b", "1")], "run-1", MONDAY))
    store.run(lambda uow: uow.exceptions.open_many([found("a", "2"), found("c", "1")], "run-2", MONDAY + days(1)))
    with store.transaction() as uow:
        items = {item.dedup_key: item for item in uow.exceptions.open_items()}
        assert {key: (item.times_seen, item.detail["said"]) for key, item in items.items()} == {
            "a": (2, "2"),
            "b": (1, "1"),
            "c": (1, "1"),
        }
        assert (items["a"].first_seen_at, items["a"].last_seen_at) == (MONDAY, MONDAY + days(1))
        assert uow.exceptions.close(["a", "nothing"], "ann", "done", MONDAY) == 1
        uow.exceptions.open_many([found("a", "3")], "run-3", MONDAY + days(2))
        assert [item.times_seen for item in uow.exceptions.open_items() if item.dedup_key == "a"] == [1]
