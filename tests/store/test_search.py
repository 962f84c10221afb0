"""Looking accounts up: what people type finds them by any part of a name or domain, and nothing typed breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import text

from ownership.model import Account, Ref
from store.engine import Store
from store.search import lines_of, to_line
from tests.store.business import MONDAY, days

NAMES = some.text(max_size=30) | some.sampled_from(
    ["Müller GmbH", "Visa Inc.", "A", "100% Pure", '"quoted"', "東京電力"]
)


def company(id_: str, name: str, *domains: str, kind: str = "account") -> Account:
    return Account(id_, name, {"domains": list(domains)}, (Ref("hubspot", "company", f"h-{id_}"),), kind=kind)


def know(store: Store, *accounts: Account) -> None:
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))


def found(store: Store, said: str, limit: int = 20) -> list[str]:
    with store.transaction(readonly=True) as uow:
        return [account.id for account in uow.accounts.find(said, limit)]


def lines(store: Store) -> set[tuple[str, str]]:
    with store.transaction(readonly=True) as uow:
        return {(row[0], row[1]) for row in uow._connection.execute(text("SELECT account_id, line FROM search_line"))}


def test_words_are_found_in_any_order_whatever_case_and_accents(store: Store) -> None:
    know(
        store,
        company("a1", "Inês Ferreira (Lagoa Robotics)", kind="lead"),
        company("a2", "Müller & Söhne GmbH", "mueller.de"),
    )
    assert found(store, "robotics lagoa") == ["a1"]
    assert found(store, "INES ferreira") == ["a1"]
    assert found(store, "sohne muller") == ["a2"]
    assert found(store, "eller.d") == ["a2"]
    assert found(store, "robotics gmbh") == []


def test_one_or_two_letters_find_what_begins_so(store: Store) -> None:
    know(store, company("a1", "3M"), company("a2", "O2"), company("a3", "Telefonica O2"), company("a4", "O"))
    assert found(store, "o") == ["a4", "a2"]
    assert found(store, "o2") == ["a2"]


def test_there_are_no_more_than_were_asked_for_and_the_best_are_kept(store: Store) -> None:
    know(store, *(company(f"a{n}", f"Acme {n:03}", f"acme{n:03}.com") for n in range(300)), company("b", "acme"))
    assert found(store, "acme", 5) == ["b", "a0", "a1", "a2", "a3"]


def test_an_account_is_found_by_what_it_is_called_now_and_not_when_it_is_gone(store: Store) -> None:
    know(store, company("a1", "Facebook", "facebook.com"))
    know(store, company("a1", "Meta Platforms", "meta.com", "facebook.com"))
    assert (found(store, "face"), found(store, "platf")) == (["a1"], ["a1"])
    know(store, company("a1", "Meta Platforms", "meta.com"))
    assert found(store, "face") == []
    store.run(lambda uow: uow.accounts.mark_gone(["a1"], MONDAY + days(1)))
    assert found(store, "meta") == []
    know(store, company("a1", "Meta Platforms", "meta.com"))
    assert found(store, "meta") == ["a1"]


@pytest.mark.parametrize(
    "hostile",
    [
        *(
            "%",
            "_",
            "\\",
            "'",
            '"',
            '" OR "',
            "NEAR(a b)",
            "a* OR b*",
            "line:acme",
            "-acme",
            "(",
            ")",
            "^acme",
            "{acme}",
        ),
        *(
            "acme AND",
            "NOT",
            "\x00",
            "\ud800",
            "\N{RIGHT-TO-LEFT OVERRIDE}emca",
            "🦄",
            "🦄🦄🦄",
            "é" * 500,
            "a" * 10_000,
        ),
        *(" " * 50, "x " * 3_000, "\n", "'; DROP TABLE account; --", "\U0010ffff" * 4),
    ],
)
def test_nothing_that_is_typed_breaks_it_or_finds_what_does_not_hold_it(store: Store, hostile: str) -> None:
    know(store, company("a1", "Acme", "acme.com"), company("a2", "Zenith"))
    assert found(store, hostile) == []
    know(store, company("evil", f"x{hostile}y"))
    assert set(found(store, hostile)) <= {"evil"}
    assert found(store, "acme") == ["a1"] if "acme" not in to_line(hostile) else ["a1", "evil"]


def test_a_name_of_any_length_costs_a_line_of_two_hundred_characters(store: Store) -> None:
    know(store, company("a1", "Long " + "x" * 400_000))
    assert found(store, "long xx") == ["a1"]
    assert {len(line) for _, line in lines(store)} == {200}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    some.lists(
        some.tuples(some.sampled_from(["a1", "a2", "a3"]), NAMES, some.lists(NAMES, max_size=2), some.booleans()),
        max_size=8,
    )
)
def test_what_is_kept_is_what_the_accounts_say_whatever_happened_to_them(
    store: Store, happened: list[tuple[str, str, list[str], bool]]
) -> None:
    said: dict[str, Account] = {}
    for id_, name, domains, gone in happened:
        know(store, company(id_, name, *domains))
        said[id_] = company(id_, name, *domains)
        if gone:
            store.run(lambda uow, id_=id_: uow.accounts.mark_gone([id_], MONDAY))  # type: ignore[misc]
            del said[id_]
    with store.transaction(readonly=True) as uow:
        there: dict[str, Any] = {account.id: account for account in uow.accounts.all()}
    assert lines(store) == {(id_, line) for id_, account in there.items() for line in lines_of(account)}


def test_without_an_index_of_trigrams_parts_are_found_too(store: Store) -> None:
    """As on a PostgreSQL where pg_trgm may not be made."""
    know(store, company("a1", "Grupo Televisa", "televisa.com"), company("a2", "Visa"))
    with store._engine.begin() as connection:
        if connection.dialect.name != "postgresql":
            pytest.skip("SQLite has its index always")
        connection.execute(text("DROP INDEX ix_search_line_trigram"))
    assert found(store, "visa") == ["a2", "a1"]
