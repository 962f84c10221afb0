"""Finding accounts: what people type comes first when it is the whole of a name or web domain."""

from ownership.model import Account, Ref
from store.engine import Store
from tests.store.business import MONDAY


def know(store: Store, *accounts: Account) -> None:
    store.run(lambda uow: uow.accounts.save(accounts, MONDAY))


def found(store: Store, text: str) -> list[str]:
    with store.transaction(readonly=True) as uow:
        return [account.id for account in uow.accounts.find(text)]


def company(id_: str, name: str, *domains: str) -> Account:
    return Account(id_, name, {"domains": list(domains)}, (Ref("hubspot", "companies", f"h-{id_}"),))


def test_a_whole_domain_or_name_comes_before_one_that_only_contains_it(store: Store) -> None:
    know(
        store,
        company("a1", "Grupo Televisa", "televisa.com"),
        company("a2", "Visa Inc.", "visa.com", "visa.de"),
        company("a3", "Visagistics", "visagistics.com"),
    )
    assert found(store, "visa.com") == ["a2", "a1"]
    assert found(store, "Visa.DE") == ["a2"]
    assert found(store, "visa") == ["a2", "a3", "a1"]
    assert found(store, "grupo televisa") == ["a1"]


def test_an_id_of_ours_or_of_a_crm_finds_its_account_first(store: Store) -> None:
    know(store, company("a1", "Contains h-a2"), company("a2", "Other"))
    assert found(store, "h-a2") == ["a2", "a1"]
    assert found(store, "a1") == ["a1"]


def test_what_looks_like_a_pattern_is_only_text(store: Store) -> None:
    know(store, company("a1", "100% Pure"), company("a2", "100 Pure"), company("a3", "A_B"), company("a4", "AxB"))
    assert found(store, "100%") == ["a1"]
    assert found(store, "a_b") == ["a3"]
    assert found(store, "\\") == []


def test_only_accounts_that_changed_since_are_read_again(store: Store) -> None:
    know(store, company("a1", "Acme"), company("a2", "Zenith"))
    with store.transaction(readonly=True) as uow:
        read, hashes = list(uow.accounts.all()), uow.accounts.hashes()
    know(store, company("a1", "Acme"), company("a2", "Zenith Two"))
    with store.transaction(readonly=True) as uow:
        same, changed = uow.accounts.renewed(read, hashes)
    assert same is read[0]
    assert changed == company("a2", "Zenith Two")
