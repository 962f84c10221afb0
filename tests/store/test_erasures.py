"""What is erased is gone on both databases, and nothing else is."""

from __future__ import annotations

from store.engine import Store
from store.erasures import ERASED
from store.notifications import NewNotification
from store.people import PersonSeen
from store.staging import RowKey, StagedRow
from tests.store.business import MONDAY, days

JO = RowKey("hubspot", "leads", "7")


def fill(store: Store) -> None:
    def write(uow: object) -> None:
        uow.staging.put(  # type: ignore[attr-defined]
            [
                StagedRow("hubspot", "leads", "7", {"email": "Jö@acme.com", "name": "Jö"}),
                StagedRow("hubspot", "companies", "8", {"contact": "jö@acme.com", "name": "Acme"}),
                StagedRow("hubspot", "leads", "9", {"email": "jo_@acme.com", "name": "Jo"}),
            ],
            "run",
            MONDAY,
        )
        uow.people.put("hubspot", [PersonSeen("1", "Jö", "Jö@acme.com", True)], MONDAY)  # type: ignore[attr-defined]
        notes = [NewNotification(str(n), "a@b.c", "s", (line,)) for n, line in enumerate(["to Jö@ACME.com", "to all"])]
        uow.notifications.add(notes, MONDAY)  # type: ignore[attr-defined]

    store.run(write)


def test_an_address_is_found_in_any_field_and_wildcards_are_letters(store: Store) -> None:
    fill(store)
    with store.transaction(readonly=True) as uow:
        assert [key.external_id for key, _ in uow.erasures.rows_that_mention("jo_@acme.com")] == ["9"]
        assert uow.erasures.rows_that_mention("%") == []


def test_the_persons_rows_go_and_others_lose_only_the_name(store: Store) -> None:
    fill(store)
    corrected = {RowKey("hubspot", "companies", "8"): {"contact": ERASED, "name": "Acme"}}
    erased = store.run(lambda uow: uow.erasures.erase("Jö@acme.com", [JO], corrected, "ops", "asked", MONDAY))
    assert erased.rows == {"source_row": 2, "notification": 1, "person_id": 1}
    with store.transaction(readonly=True) as uow:
        live = {row.external_id: row.fields for row in uow.staging.live()}
        pending = {note.lines for note in uow.notifications.pending()}
        people = uow.people.all("hubspot")
    assert live == {"8": {"contact": ERASED, "name": "Acme"}, "9": {"email": "jo_@acme.com", "name": "Jo"}}
    assert ("to all",) in pending
    assert [(each.name, each.email) for each in people] == [(ERASED, ERASED)]


def test_an_erased_record_is_known_when_it_comes_back_and_may_be_erased_again(store: Store) -> None:
    fill(store)
    for number in range(2):
        now = MONDAY + days(number)
        store.run(lambda uow, now=now: uow.erasures.erase("jö@acme.com", [JO], {}, "ops", "asked", now))
    with store.transaction(readonly=True) as uow:
        assert uow.erasures.came_back([JO, RowKey("hubspot", "leads", "9")]) == {JO}
