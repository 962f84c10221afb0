"""What people type, and whom and what they may mean by it."""

from pathlib import Path

import pytest

from ownership.model import Account, Ref
from store.engine import Store
from tasks.erasure import erase_person
from tasks.look_up import LONGEST, as_typed, find_accounts, look_up
from tasks.matching import match_accounts
from tasks.pull import pull_stream
from tasks.rehearsal import Rehearsal, rehearse
from tests.store.business import MONDAY, owned_by, record


def know(store: Store, *accounts: Account) -> None:
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))


def found(store: Store, typed: str) -> list[str]:
    with store.transaction(readonly=True) as uow:
        return [each.id for each in find_accounts(uow, as_typed(typed), 20)]


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Rehearsal:
    """Acme has a lead, Lena Vogt; both are known in Salesforce."""
    made = rehearse(tmp_path, None, store_url)
    made.account("salesforce", "001ACME", name="Acme Robotics", website="acme.com", country="de")
    made.lead("salesforce", "00QLENA", name="Lena Vogt", company="Acme Robotics", email="Lena.Vogt@acme.com")
    made.lead("salesforce", "00QFREE", name="Free Mailer", email="free@gmail.com")
    made.new_run()
    for source, connector in made.context.connectors.sources.items():
        for stream in connector.streams:
            pull_stream(made.context, source, stream)
    match_accounts(made.context)
    return made


def names(company: Rehearsal, typed: str) -> list[str]:
    return [hit.account.name for hit in look_up(company.context, typed).hits]


def test_a_company_and_a_person_are_found_by_whatever_one_knows_of_them(company: Rehearsal) -> None:
    acme, lena, free = "Acme Robotics", "Lena Vogt (Acme Robotics)", "Free Mailer"
    assert {
        typed: names(company, typed)
        for typed in ("acme rob", "001ACME", "  lena.vogt@ACME.com ", "free@gmail.com", "00QLENA", "Vogt Lena")
    } == {
        "acme rob": [acme, lena],
        "001ACME": [acme],
        "  lena.vogt@ACME.com ": [lena],
        "free@gmail.com": [free],
        "00QLENA": [lena],
        "Vogt Lena": [lena],
    }


def test_the_address_of_a_page_or_mailbox_leads_to_the_company_whose_domain_it_is(company: Rehearsal) -> None:
    for typed in ("https://www.acme.com/about?x=1", "somebody.else@mail.acme.com"):
        found = look_up(company.context, typed)
        assert found.domain == "acme.com"
        assert found.hits[0].account.name == "Acme Robotics"
    assert look_up(company.context, "acme.com").domain == ""
    assert names(company, "nobody@gmail.com") == []


def test_a_rep_is_found_by_the_beginnings_of_their_names_in_any_order_or_by_id_or_address(company: Rehearsal) -> None:
    dana = company.context.policy.roster.reps["dana-whitfield"]
    for typed in ("dana whit", "WHITFIELD", "dana-whitfield", "whit da", dana.email.upper()):
        assert [rep.id for rep in look_up(company.context, typed).reps] == [dana.id]
    assert look_up(company.context, "hitfiel").reps == []


def test_a_hit_says_why_from_the_change_that_made_them_owner_and_who_helps(company: Rehearsal) -> None:
    store = company.context.store
    (acme,) = look_up(company.context, "001ACME").hits
    assert (acme.owner, acme.reason, acme.waits) == (None, "", False)
    record(store, owned_by(acme.account.id, "dana-whitfield", pushes=()))
    (acme,) = look_up(company.context, "001ACME").hits
    assert (acme.owner and acme.owner.owner_id, acme.reason) == ("dana-whitfield", "territory")


def test_an_account_that_became_part_of_another_leads_on_to_it(store: Store) -> None:
    know(store, Account("a1", "Acme", {}, (Ref("hubspot", "company", "h1"),)), Account("a2", "Acme Inc", {}, ()))
    store.run(lambda uow: uow.accounts.mark_gone(["a2"], MONDAY))
    store.run(lambda uow: uow.identity.merge_accounts({"a2": "a1"}, MONDAY))
    assert found(store, "a2") == ["a1"]
    assert found(store, "acme inc") == []


def test_who_was_erased_is_found_by_nothing_any_more(company: Rehearsal) -> None:
    erase_person(company.context, "lena.vogt@acme.com", "ops", "she asked")
    assert [names(company, typed) for typed in ("Vogt", "Lena", "00QLENA")] == [[], [], []]
    assert names(company, "lena.vogt@acme.com") == ["Acme Robotics"]  # whose web domain it is


def test_nothing_that_is_typed_breaks_it(company: Rehearsal) -> None:
    for hostile in (
        "\x00",
        "a\x00b@c",
        "\ud800",
        " \t\n",
        "",
        "@",
        "x" * 10_000,
        "%@%",
        "😀" * 300,
        "http://[",
        "a@[::1",
    ):
        found = look_up(company.context, hostile)
        assert not found.hits, hostile
        assert len(found.said) <= LONGEST
