"""An engagement tool follows: its records belong to accounts that others found, and change nothing about those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.linking import CROWD, LARGEST, Alike, Background, Linked, link_records
from ownership.model import AccountRecord, Ref
from ownership.verdicts import Verdict, standing

TOOLS = frozenset({"zendesk", "marketo"})
few = settings(max_examples=120, deadline=None)


def record(source: str, id_: str, name: str | None = None, **more: Any) -> AccountRecord:
    return AccountRecord(source, "Account", id_, name or f"{source} number {id_}", **more)


def ref(source: str, id_: str) -> Ref:
    return Ref(source, "Account", id_)


def new_id(first: Ref) -> str:
    return f"acc-{first.source}-{first.external_id}"


def link(
    records: Sequence[AccountRecord],
    known: Mapping[Ref, str] | None = None,
    said: Sequence[Verdict] = (),
    alike: Sequence[Alike] = (),
) -> Linked:
    background = Background(followers=TOOLS, verdicts=standing(said), alike=tuple(alike))
    return link_records(records, [], known or {}, new_id, {}, background=background)


def groups(linked: Linked) -> set[frozenset[str]]:
    return {frozenset(f"{ref.source}/{ref.external_id}" for ref in account.refs) for account in linked.accounts}


def alone(linked: Linked) -> set[str]:
    return {f"{ref.source}/{ref.external_id}" for each in linked.unmatched for ref in each.refs}


def group(*places: str) -> frozenset[str]:
    return frozenset(places)


def test_a_company_that_only_engagement_tools_know_is_no_account() -> None:
    tools = [record("zendesk", "5", website="acme.com"), record("marketo", "9", website="acme.com")]
    linked = link([record("salesforce", "1"), *tools])
    assert groups(linked) == {group("salesforce/1")}
    assert alone(linked) == {"zendesk/5", "marketo/9"}


def test_an_organisation_that_names_an_id_of_the_crm_is_of_that_account_whatever_its_domain_says() -> None:
    crm = [record("salesforce", "1", website="acme.com"), record("salesforce", "2", website="bolt.com")]
    linked = link([*crm, record("zendesk", "5", website="bolt.com", links={"salesforce": "1"})])
    assert groups(linked) == {group("salesforce/1", "zendesk/5"), group("salesforce/2")}


def test_an_id_that_the_crm_does_not_have_leaves_it_to_the_domain() -> None:
    lost = record("zendesk", "5", website="acme.com", links={"salesforce": "gone"})
    assert groups(link([record("salesforce", "1", website="acme.com"), lost])) == {group("salesforce/1", "zendesk/5")}


def test_an_id_of_an_account_in_another_country_is_for_a_person() -> None:
    linked = link(
        [record("salesforce", "1", country="DE"), record("zendesk", "5", country="US", links={"salesforce": "1"})]
    )
    assert alone(linked) == {"zendesk/5"}
    assert [problem.kind for problem in linked.problems] == ["doubtful_match"]


def test_a_name_counts_in_its_country_only() -> None:
    crm = record("salesforce", "1", "Acme", country="DE")
    assert groups(link([crm, record("zendesk", "5", "ACME", country="DE")])) == {group("salesforce/1", "zendesk/5")}
    assert alone(link([crm, record("zendesk", "5", "ACME", country="US")])) == {"zendesk/5"}


def test_a_domain_of_two_accounts_says_nothing_unless_the_name_chooses_between_them() -> None:
    crm = [
        record("salesforce", "1", "Acme", website="acme.com", country="US"),
        record("salesforce", "2", "Acme Bau", website="acme.com", country="US"),
    ]
    said = [Verdict(ref("salesforce", "1"), ref("salesforce", "2"), False)]
    assert alone(link([*crm, record("zendesk", "5", "Support", website="acme.com")], said=said)) == {"zendesk/5"}
    named = link([*crm, record("zendesk", "5", "Acme", website="acme.com", country="US")], said=said)
    assert groups(named) == {group("salesforce/1", "zendesk/5"), group("salesforce/2")}


def test_a_lead_that_fits_two_accounts_does_not_make_them_one() -> None:
    crm = [record("salesforce", "1", website="acme.com"), record("salesforce", "2", website="bolt.com")]
    linked = link([*crm, record("marketo", "9", website="acme.com", email="ann@bolt.com")])
    assert groups(linked) == {group("salesforce/1"), group("salesforce/2")}
    assert alone(linked) == {"marketo/9"}


def test_an_organisation_that_is_alike_is_linked_and_makes_no_two_accounts_one() -> None:
    crm = [record("salesforce", "1"), record("salesforce", "2")]
    org = ref("zendesk", "5")
    alike = [Alike(ref("salesforce", "1"), org, 0.999), Alike(org, ref("salesforce", "2"), 0.998)]
    linked = link([*crm, record("zendesk", "5")], alike=alike)
    assert groups(linked) == {group("salesforce/1", "zendesk/5"), group("salesforce/2")}


def test_a_lead_abroad_does_not_keep_two_records_of_its_company_apart() -> None:
    crm = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", country="US")]
    abroad = record("marketo", "9", website="acme.com", country="DE")
    linked = link([*crm, abroad], alike=[Alike(ref("salesforce", "1"), ref("hubspot", "7"), 0.999)])
    assert groups(linked) == {group("salesforce/1", "hubspot/7", "marketo/9")}


def test_a_company_has_any_number_of_leads() -> None:
    leads = [record("marketo", str(n), links={"salesforce": "1"}) for n in range(LARGEST + 5)]
    leads += [record("marketo", f"d{n}", website="acme.com") for n in range(CROWD + 5)]
    linked = link([record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com"), *leads])
    assert len(linked.accounts) == 1
    assert len(linked.accounts[0].refs) == 2 + len(leads)
    assert linked.problems == []


def test_a_domain_that_a_crowd_of_crm_records_shares_says_nothing_of_an_organisation_either() -> None:
    crowd = [record("salesforce", str(n), website="reseller.com") for n in range(CROWD + 1)]
    assert alone(link([*crowd, record("zendesk", "5", website="reseller.com")])) == {"zendesk/5"}


def test_what_a_person_says_of_an_organisation_holds() -> None:
    crm = [record("salesforce", "1", website="acme.com"), record("salesforce", "2")]
    org = record("zendesk", "5", website="acme.com")
    same = link([*crm, org], said=[Verdict(ref("salesforce", "2"), ref("zendesk", "5"), True)])
    assert groups(same) == {group("salesforce/1"), group("salesforce/2", "zendesk/5")}
    split = link([*crm, org], said=[Verdict(ref("salesforce", "1"), ref("zendesk", "5"), False)])
    assert alone(split) == {"zendesk/5"}


def test_an_account_stays_what_it_is_when_most_of_its_leads_go_to_another() -> None:
    crm = [record("salesforce", "1"), record("salesforce", "2")]
    leads = [record("marketo", str(n), links={"salesforce": "2"}) for n in range(5)]
    known = {ref("salesforce", "1"): "one", ref("salesforce", "2"): "two"} | {
        ref("marketo", str(n)): "one" for n in range(5)
    }
    linked = link([*crm, *leads], known)
    ids = {
        account.id: {each.external_id for each in account.refs if each.source == "salesforce"}
        for account in linked.accounts
    }
    assert ids == {"one": {"1"}, "two": {"2"}}


def test_an_account_that_left_the_crm_is_none_any_more_though_a_tool_still_lists_it() -> None:
    linked = link([record("zendesk", "5")], {ref("salesforce", "1"): "one", ref("zendesk", "5"): "one"})
    assert linked.accounts == []
    assert alone(linked) == {"zendesk/5"}


SITES = st.sampled_from([None, "acme.com", "bolt.com", "cask.com"])
SAID = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["Acme", "Bolt", "Cask"]),
        "website": SITES,
        "country": st.sampled_from([None, "US", "DE"]),
        "links": st.dictionaries(
            st.sampled_from(["salesforce", "hubspot", "zendesk"]), st.sampled_from("123"), max_size=2
        ),
    }
)
PLACES = [(source, id_) for source in ("salesforce", "hubspot", "marketo", "zendesk") for id_ in "123"]
WORDS = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES), st.booleans()), max_size=2)
PAIRS = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES), st.floats(0.99, 1)), max_size=3)
worlds = st.dictionaries(st.sampled_from(PLACES), SAID, min_size=3)


def records_of(world: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[AccountRecord]:
    return [record(*place, **says) for place, says in world.items()]


def founded(linked: Linked) -> dict[str, frozenset[Ref]]:
    return {account.id: frozenset(r for r in account.refs if r.source not in TOOLS) for account in linked.accounts}


@few
@given(worlds, PAIRS)
def test_accounts_are_the_same_with_and_without_what_engagement_tools_say(
    world: Mapping[tuple[str, str], Mapping[str, Any]], pairs: Sequence[tuple[Any, Any, float]]
) -> None:
    records = records_of(world)
    alike = [Alike(ref(*one), ref(*other), score) for one, other, score in pairs if one != other]
    plain = [each for each in records if each.source not in TOOLS]
    assert founded(link(records, alike=alike)) == founded(link(plain, alike=alike))


@few
@given(worlds, WORDS, st.randoms(use_true_random=False))
def test_every_record_is_of_one_account_or_of_none_whatever_the_order(
    world: Mapping[tuple[str, str], Mapping[str, Any]], words: Sequence[tuple[Any, Any, bool]], random: Any
) -> None:
    records = records_of(world)
    said = [Verdict(ref(*one), ref(*other), same) for one, other, same in words if one != other]
    linked = link(records, said=said)
    places = [each for account in (*linked.accounts, *linked.unmatched) for each in account.refs]
    assert sorted(places) == sorted(ref(each.source, each.external_id) for each in records)
    assert all(any(each.source not in TOOLS for each in account.refs) for account in linked.accounts)
    assert all(each.source in TOOLS for account in linked.unmatched for each in account.refs)
    shuffled = list(records)
    random.shuffle(shuffled)
    assert link(shuffled, said=said) == linked


@few
@given(worlds)
def test_linking_again_changes_nothing(world: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
    records = records_of(world)
    first = link(records)
    known = {each: account.id for account in first.accounts for each in account.refs}
    assert link(records, known) == first
