"""Matching: which records are one company, which are not, and what stays the same when records come and go."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownership.linking import CROWD, LARGEST, Alike, Background, Linked, domains_of, link_records
from ownership.model import Account, AccountFact, AccountRecord, Ref
from ownership.names import country_code, name_key, registrable_domain
from ownership.verdicts import Verdict, standing

OBJECT_TYPES = {"salesforce": "Account", "hubspot": "company", "stripe": "customer"}
few = settings(max_examples=80, deadline=None)


def record(source: str, id_: str, name: str | None = None, **more: Any) -> AccountRecord:
    """A record whose name nobody shares, unless one is given."""
    return AccountRecord(source, OBJECT_TYPES[source], id_, name or f"{source} number {id_}", **more)


def ref_of(one: AccountRecord) -> Ref:
    return Ref(one.source, one.object_type, one.external_id)


def new_id(ref: Ref) -> str:
    return f"acc-{ref.source}-{ref.object_type}-{ref.external_id}"


def link(
    records: Sequence[AccountRecord],
    facts: Sequence[AccountFact] = (),
    known: Mapping[Ref, str] | None = None,
    owner_of: Mapping[tuple[str, str], str] | None = None,
) -> Linked:
    return link_records(records, facts, known or {}, new_id, owner_of or {})


def groups(linked: Linked) -> set[frozenset[str]]:
    """The accounts as sets of "source/id"."""
    return {frozenset(f"{ref.source}/{ref.external_id}" for ref in account.refs) for account in linked.accounts}


def group(*places: str) -> frozenset[str]:
    return frozenset(places)


def only(linked: Linked) -> Account:
    assert len(linked.accounts) == 1
    return linked.accounts[0]


def kinds(linked: Linked) -> list[str]:
    return [problem.kind for problem in linked.problems]


# --- what makes records one account ---


def test_an_id_that_one_system_keeps_of_another_makes_one_account_in_either_direction() -> None:
    together = {group("salesforce/1", "stripe/c1")}
    assert groups(link([record("salesforce", "1"), record("stripe", "c1", links={"salesforce": "1"})])) == together
    assert groups(link([record("salesforce", "1", links={"stripe": "c1"}), record("stripe", "c1")])) == together


def test_an_id_of_a_record_nobody_has_makes_nothing() -> None:
    linked = link([record("salesforce", "1"), record("stripe", "c1", links={"salesforce": "9", "hubspot": "1"})])
    assert groups(linked) == {group("salesforce/1"), group("stripe/c1")}
    assert linked.problems == []


def test_the_same_web_domain_makes_one_account_whether_from_website_or_e_mail() -> None:
    records = [
        record("salesforce", "1", website="https://www.acme.co.uk/about"),
        record("stripe", "c1", email="billing@eu.ACME.co.uk"),
    ]
    assert groups(link(records)) == {group("salesforce/1", "stripe/c1")}


def test_the_same_name_in_the_same_country_makes_one_account_whatever_its_spelling() -> None:
    records = [
        record("salesforce", "1", "Müller & Söhne GmbH", country="Deutschland"),
        record("hubspot", "7", "MULLER & SOHNE", country="DE"),
    ]
    assert groups(link(records)) == {group("salesforce/1", "hubspot/7")}


@pytest.mark.parametrize(("here", "there"), [("US", "DE"), ("US", None), (None, None)])
def test_the_same_name_proves_nothing_without_the_same_country(here: str | None, there: str | None) -> None:
    records = [record("salesforce", "1", "Acme", country=here), record("hubspot", "7", "Acme", country=there)]
    assert len(groups(link(records))) == 2


@pytest.mark.parametrize("shared", ["bob@gmail.com", "someone@yahoo.co.uk"])
def test_a_free_mailbox_makes_nobody_one_company(shared: str) -> None:
    assert len(groups(link([record("salesforce", "1", email=shared), record("stripe", "c1", email=shared)]))) == 2


@pytest.mark.parametrize("shared", ["https://www.facebook.com/acme", "acme.myshopify.com", "https://acme.github.io"])
def test_a_page_on_a_shared_host_makes_nobody_one_company(shared: str) -> None:
    assert len(groups(link([record("salesforce", "1", website=shared), record("hubspot", "7", website=shared)]))) == 2


def test_evidence_adds_up_over_several_records() -> None:
    records = [
        record("salesforce", "1", "Acme", website="acme.com"),
        record("hubspot", "7", "Akme", website="acme.com", country="US"),
        record("stripe", "c1", "AKME Inc.", country="USA"),
    ]
    assert groups(link(records)) == {group("salesforce/1", "hubspot/7", "stripe/c1")}


# --- what keeps records apart ---


def test_an_id_kept_by_a_record_in_another_country_is_a_persons_decision() -> None:
    linked = link(
        [record("salesforce", "1", country="US"), record("stripe", "c1", country="DE", links={"salesforce": "1"})]
    )
    assert len(linked.accounts) == 2
    assert kinds(linked) == ["doubtful_match"]
    assert set(linked.problems[0].refs) == {Ref("salesforce", "Account", "1"), Ref("stripe", "customer", "c1")}


def test_one_domain_in_two_countries_is_two_accounts() -> None:
    records = [
        record("salesforce", "1", website="acme.com", country="US"),
        record("hubspot", "7", website="acme.com", country="Germany"),
    ]
    assert len(groups(link(records))) == 2


def test_a_record_without_a_country_does_not_join_two_countries_by_domain() -> None:
    records = [
        record("hubspot", "1", website="acme.com"),
        record("salesforce", "2", website="acme.com", country="US"),
        record("salesforce", "3", website="acme.com", country="DE"),
    ]
    countries = [{r.country for r in records if ref_of(r) in account.refs} for account in link(records).accounts]
    assert not any({"US", "DE"} <= found for found in countries)


def test_a_record_without_a_country_does_not_join_two_countries_by_ids() -> None:
    records = [
        record("salesforce", "1", country="US"),
        record("stripe", "c1", links={"salesforce": "1"}),
        record("hubspot", "7", country="DE", links={"stripe": "c1"}),
    ]
    countries = [{r.country for r in records if ref_of(r) in account.refs} for account in link(records).accounts]
    assert not any({"US", "DE"} <= found for found in countries)


def test_two_records_of_one_country_and_domain_are_one_account_whoever_else_has_the_domain() -> None:
    records = [
        record("hubspot", "1", website="acme.com", country="US"),
        record("hubspot", "2", website="acme.com", country="DE"),
        record("salesforce", "3", website="acme.com", country="DE"),
    ]
    assert groups(link(records)) == {group("hubspot/1"), group("hubspot/2", "salesforce/3")}


# --- families ---


def test_parent_and_subsidiary_on_one_domain_stay_two_accounts() -> None:
    parent = record("salesforce", "1", website="acme.com")
    child = record("salesforce", "2", website="acme.com", parent_external_id="1")
    linked = link([parent, child])
    assert groups(linked) == {group("salesforce/1"), group("salesforce/2")}
    assert {account.id: account.parent_id for account in linked.accounts} == {
        "acc-salesforce-Account-1": None,
        "acc-salesforce-Account-2": "acc-salesforce-Account-1",
    }


def test_two_subsidiaries_on_one_domain_stay_two_accounts() -> None:
    children = [record("salesforce", id_, website="acme.com", parent_external_id="1") for id_ in ("2", "3")]
    assert groups(link(children)) == {group("salesforce/2"), group("salesforce/3")}


def test_each_of_a_family_is_joined_with_its_own_record_in_the_other_crm() -> None:
    records = [
        record("salesforce", "1", "Acme", website="acme.com"),
        record("salesforce", "2", "Acme Labs", website="acme.com", parent_external_id="1"),
        record("hubspot", "7", "Acme", website="acme.com"),
    ]
    assert groups(link(records)) == {group("salesforce/1", "hubspot/7"), group("salesforce/2")}


def test_a_subsidiarys_record_in_the_other_crm_does_not_join_it_with_its_parent() -> None:
    records = [
        record("hubspot", "7", "Acme Labs", website="acme.com"),
        record("salesforce", "1", "Acme", website="acme.com"),
        record("salesforce", "2", "Acme Labs", website="acme.com", parent_external_id="1"),
    ]
    assert not any({"salesforce/1", "salesforce/2"} <= found for found in groups(link(records)))


def test_three_levels_of_a_family_on_one_domain_stay_three_accounts() -> None:
    records = [
        record("salesforce", "1", website="acme.com"),
        record("salesforce", "2", website="acme.com", parent_external_id="1"),
        record("salesforce", "3", website="acme.com", parent_external_id="2"),
    ]
    linked = link(records)
    assert len(linked.accounts) == 3
    assert linked.problems == []


def test_a_parent_that_no_system_lists_is_no_parent() -> None:
    assert only(link([record("salesforce", "1", parent_external_id="9")])).parent_id is None


def test_a_record_whose_parent_is_of_the_same_account_has_no_parent() -> None:
    one = record("salesforce", "1", links={"stripe": "c1"})
    other = record("salesforce", "2", links={"stripe": "c1"}, parent_external_id="1")
    assert only(link([one, other, record("stripe", "c1")])).parent_id is None
    assert only(link([record("salesforce", "1", parent_external_id="1")])).parent_id is None


@pytest.mark.parametrize("length", [2, 3])
def test_accounts_that_are_each_others_parents_become_one_problem_and_lose_their_parents(length: int) -> None:
    circle = [
        record("salesforce", str(number), f"Firm {number}", parent_external_id=str((number + 1) % length))
        for number in range(length)
    ]
    below = record("salesforce", "below", parent_external_id="0")
    linked = link([*circle, below])
    assert kinds(linked) == ["parent_cycle"]
    assert linked.problems[0].refs == tuple(ref_of(one) for one in circle)
    parents = {account.id: account.parent_id for account in linked.accounts}
    assert parents.pop("acc-salesforce-Account-below") == "acc-salesforce-Account-0"
    assert set(parents.values()) == {None}


# --- crowds ---


def test_a_domain_that_a_crowd_shares_links_nobody_and_a_person_is_told() -> None:
    crowd = [record("hubspot", f"{number:02}", website="landlord.com") for number in range(CROWD + 1)]
    linked = link(crowd)
    assert len(linked.accounts) == CROWD + 1
    assert kinds(linked) == ["doubtful_match"]
    assert len(only(link(crowd[:CROWD])).refs) == CROWD


def test_a_name_that_a_crowd_shares_links_nobody() -> None:
    crowd = [record("hubspot", f"{number:02}", "Test", country="US") for number in range(CROWD + 1)]
    assert len(link(crowd).accounts) == CROWD + 1


def test_a_domain_that_would_make_an_account_too_large_is_not_followed_and_a_person_is_told() -> None:
    payers = [record("stripe", f"c{number:02}", links={"salesforce": "1"}) for number in range(LARGEST - 1)]
    linked = link([record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com"), *payers])
    assert sorted(len(account.refs) for account in linked.accounts) == [1, LARGEST]
    assert kinds(linked) == ["doubtful_match"]


def test_ids_that_would_make_an_account_too_large_are_not_followed_and_a_person_is_told() -> None:
    payers = [record("stripe", f"c{number:02}", links={"salesforce": "1"}) for number in range(LARGEST)]
    linked = link([record("salesforce", "1"), *payers])
    assert sorted(len(account.refs) for account in linked.accounts) == [1, LARGEST]
    assert kinds(linked) == ["doubtful_match"]


# --- an account keeps its id ---


def known_from(linked: Linked) -> dict[Ref, str]:
    return {ref: account.id for account in linked.accounts for ref in account.refs}


def test_a_new_account_is_called_after_its_first_record() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com")]
    assert only(link(records)).id == "acc-hubspot-company-7"


def test_an_account_keeps_its_id_when_a_record_joins_or_leaves() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com")]
    first = link(records[:1])
    joined = link(records, known=known_from(first))
    left = link(records[1:], known=known_from(joined))
    assert {only(linked).id for linked in (first, joined, left)} == {"acc-salesforce-Account-1"}


def test_two_accounts_that_become_one_keep_the_lowest_id() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com")]
    known = {ref_of(records[0]): "acc-b", ref_of(records[1]): "acc-a"}
    assert only(link(records, known=known)).id == "acc-a"


def test_an_account_that_falls_apart_becomes_two_accounts_with_two_ids() -> None:
    apart = [record("hubspot", "7", website="bolt.com"), record("salesforce", "1", website="acme.com")]
    known = {ref_of(one): "acc-salesforce-Account-1" for one in apart}
    ids = [account.id for account in link(apart, known=known).accounts]
    assert len(set(ids)) == 2
    assert "acc-salesforce-Account-1" in ids


def test_a_record_that_comes_back_does_not_take_the_id_of_the_account_it_once_began() -> None:
    stayed, returned = record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="bolt.com")
    known = {ref_of(stayed): new_id(ref_of(returned))}
    linked = link([stayed, returned], known=known)
    assert known_from(linked)[ref_of(stayed)] == new_id(ref_of(returned))


# --- what an account says ---


def test_the_system_that_comes_first_is_believed_for_each_field_it_fills() -> None:
    records = [
        record("hubspot", "7", "acme inc", website="acme.com", industry="Software", employees=50, city="Reno"),
        record("salesforce", "1", "Acme", website="acme.com", employees=1200),
    ]
    account = only(link(records))
    assert account.name == "Acme"
    assert {key: account.fields[key] for key in ("name", "employees", "industry", "city", "segment")} == {
        "name": "Acme",
        "employees": 1200,
        "industry": "Software",
        "city": "Reno",
        "segment": "enterprise",
    }
    by_hubspot = link_records(records, [], {}, new_id, {}, precedence=("hubspot", "salesforce"))
    assert only(by_hubspot).name == "acme inc"


@pytest.mark.parametrize(
    ("segment", "employees", "expected"),
    [
        ("Mid-Market", 5, "mid_market"),
        (None, 1000, "enterprise"),
        (None, 999, "mid_market"),
        (None, 100, "mid_market"),
        (None, 99, "smb"),
        (None, 0, "smb"),
        (None, None, None),
    ],
)
def test_the_segment_is_what_the_crm_says_or_else_follows_from_employees(
    segment: str | None, employees: int | None, expected: str | None
) -> None:
    account = only(link([record("salesforce", "1", segment=segment, employees=employees)]))
    assert account.fields.get("segment") == expected


def test_what_no_system_says_is_missing_and_not_empty() -> None:
    account = only(link([AccountRecord("salesforce", "Account", "1", None)]))
    assert account.name == "unnamed account 1"
    assert account.fields["subject"] == "account"
    assert set(account.fields) == {"do_not_route", "has_primary_contact", "in_crm", "paying", "subject"}


def test_one_record_marked_do_not_route_or_with_a_contact_speaks_for_the_account() -> None:
    records = [
        record("salesforce", "1", website="acme.com"),
        record("hubspot", "7", website="acme.com", do_not_route=True, primary_contact="Eve"),
    ]
    fields = only(link(records)).fields
    assert (fields["do_not_route"], fields["has_primary_contact"], fields["in_crm"]) == (True, True, True)


def test_each_crm_record_shows_its_owner_as_a_rep_or_as_somebody_unknown() -> None:
    records = [
        record("salesforce", "1", website="acme.com", owner_external_id="005A"),
        record("salesforce", "2", website="acme.com", owner_external_id="005Z"),
        record("hubspot", "7", website="acme.com"),
    ]
    account = only(link(records, owner_of={("salesforce", "005A"): "ann", ("hubspot", "005Z"): "bob"}))
    assert account.crm_owners == {Ref("salesforce", "Account", "1"): "ann", Ref("salesforce", "Account", "2"): "?005Z"}


def test_an_account_has_all_the_domains_of_its_records_and_the_first_is_the_main_one() -> None:
    one = record("salesforce", "1", website="acme.com", email="x@acme.io")
    assert domains_of(one) == ("acme.com", "acme.io")
    fields = only(link([one, record("hubspot", "7", website="acme.io", email="y@gmail.com")])).fields
    assert (fields["domain"], fields["domains"]) == ("acme.com", ["acme.com", "acme.io"])


# --- facts ---


def fact(id_: str, source: str = "stripe", **more: Any) -> AccountFact:
    about = {key: more.pop(key) for key in ("name", "email", "links") if key in more}
    return AccountFact(source, id_, more, **about)


def test_what_billing_says_of_all_records_of_an_account_is_summed() -> None:
    records = [
        record("salesforce", "1"),
        record("stripe", "c1", links={"salesforce": "1"}),
        record("stripe", "c2", links={"salesforce": "1"}),
    ]
    facts = [fact("c1", mrr_cents=100), fact("c1", mrr_cents=20), fact("c2", mrr_cents=3)]
    assert only(link(records, facts)).fields["mrr_cents"] == 123


@pytest.mark.parametrize(
    ("statuses", "best", "paying"),
    [
        (["canceled", "active", "past_due"], "active", True),
        (["past_due", "trialing"], "trialing", True),
        (["canceled", "past_due"], "past_due", True),
        (["unpaid", "canceled"], "canceled", False),
    ],
)
def test_the_best_status_of_an_accounts_subscriptions_counts(statuses: list[str], best: str, paying: bool) -> None:
    facts = [fact("c1", subscription_status=status) for status in statuses]
    fields = only(link([record("stripe", "c1")], facts)).fields
    assert (fields["subscription_status"], fields["paying"]) == (best, paying)


def test_a_fact_without_a_value_says_nothing() -> None:
    fields = only(link([record("stripe", "c1")], [fact("c1", mrr_cents=None, subscription_status=None)])).fields
    assert "mrr_cents" not in fields
    assert "subscription_status" not in fields


def test_billing_that_speaks_of_a_customer_it_does_not_list_is_a_problem() -> None:
    linked = link([record("stripe", "c1")], [fact("c9", mrr_cents=5), fact("c9", mrr_cents=6)])
    assert kinds(linked) == ["unplaced_fact"]
    assert "mrr_cents" not in only(linked).fields


def test_usage_of_a_workspace_joins_its_customer_by_id_or_domain_and_else_is_an_account_of_its_own() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("stripe", "c1", website="bolt.com")]
    facts = [
        fact("w1", "usage", active_seats=3, email="admin@acme.com"),
        fact("w2", "usage", active_seats=4, links={"stripe": "c1"}),
        fact("w3", "usage", active_seats=5, name="Nobody Knows Ltd"),
    ]
    linked = link(records, facts)
    assert groups(linked) == {group("salesforce/1", "usage/w1"), group("stripe/c1", "usage/w2"), group("usage/w3")}
    seats = {account.name: account.fields["active_seats"] for account in linked.accounts}
    assert seats == {"salesforce number 1": 3, "stripe number c1": 4, "Nobody Knows Ltd": 5}


def test_a_customer_that_is_in_no_crm_says_so() -> None:
    assert only(link([record("stripe", "c1")])).fields["in_crm"] is False
    assert only(link([], [fact("w1", "usage", active_seats=1)])).fields["in_crm"] is False


def test_two_facts_of_one_workspace_are_read_the_same_in_either_order() -> None:
    facts = [fact("w1", "usage", active_seats=1, links={"salesforce": "1"}), fact("w1", "usage", active_seats=2)]
    records = [record("salesforce", "1")]
    assert link(records, facts) == link(records, facts[::-1])


def test_a_fact_is_placed_the_same_when_two_kinds_of_record_have_one_id() -> None:
    records = [record("salesforce", "1"), replace(record("salesforce", "1", "A lead"), object_type="Lead")]
    facts = [fact("1", "salesforce", mrr_cents=5)]
    assert link(records, facts) == link(records[::-1], facts)


# --- whatever the records, in whatever order ---

short_ids = st.sampled_from(["1", "2", "3"])
some_websites = st.sampled_from([None, "acme.com", "https://www.acme.com/x", "bolt.com", "linkedin.com/acme"])
some_emails = st.sampled_from([None, None, "ann@acme.com", "bob@gmail.com"])
some_names = st.sampled_from([None, "Acme", "ACME Inc.", "Acme Labs", "Bolt", "GmbH"])
some_links = st.dictionaries(st.sampled_from(["salesforce", "hubspot", "stripe"]), short_ids, max_size=1)
kinds_of_record = st.sampled_from(
    [("salesforce", "Account"), ("salesforce", "Lead"), ("hubspot", "company"), ("stripe", "customer")]
)


@st.composite
def some_records(draw: st.DrawFn) -> list[AccountRecord]:
    places = draw(st.lists(st.tuples(kinds_of_record, short_ids), max_size=7, unique=True))
    return [
        AccountRecord(
            source,
            object_type,
            id_,
            draw(some_names),
            website=draw(some_websites),
            email=draw(some_emails),
            country=draw(st.sampled_from([None, "US", "Germany"])),
            parent_external_id=draw(st.one_of(st.none(), short_ids)),
            links=draw(some_links),
        )
        for (source, object_type), id_ in places
    ]


@st.composite
def some_facts(draw: st.DrawFn) -> list[AccountFact]:
    return [
        fact(
            draw(short_ids),
            draw(st.sampled_from(["stripe", "usage"])),
            mrr_cents=draw(st.integers(0, 9)),
            name=draw(some_names),
            email=draw(some_emails),
            links=draw(some_links),
        )
        for _ in range(draw(st.integers(0, 3)))
    ]


@few
@given(some_records(), some_facts(), st.randoms(use_true_random=False))
def test_the_accounts_are_the_same_whatever_the_order_of_records_and_facts(
    records: list[AccountRecord], facts: list[AccountFact], random: Any
) -> None:
    shuffled, facts_shuffled = list(records), list(facts)
    random.shuffle(shuffled)
    random.shuffle(facts_shuffled)
    assert link(shuffled, facts_shuffled) == link(records, facts)


@few
@given(some_records(), some_facts())
def test_every_record_is_in_exactly_one_account(records: list[AccountRecord], facts: list[AccountFact]) -> None:
    linked = link(records, facts)
    placed = [ref for account in linked.accounts for ref in account.refs]
    assert len(placed) == len(set(placed))
    assert {ref_of(one) for one in records} <= set(placed)
    ids = [account.id for account in linked.accounts]
    assert ids == sorted(set(ids))


@few
@given(some_records())
def test_no_account_has_records_of_two_countries(records: list[AccountRecord]) -> None:
    by_ref = {ref_of(one): one for one in records}
    for account in link(records).accounts:
        assert len({country_code(by_ref[ref].country) for ref in account.refs} - {None}) <= 1


@few
@given(some_records())
def test_following_parents_always_ends(records: list[AccountRecord]) -> None:
    parents = {account.id: account.parent_id for account in link(records).accounts}
    for start in parents:
        line: list[str] = []
        at: str | None = start
        while at is not None:
            assert at not in line
            line.append(at)
            at = parents[at]


@few
@given(some_records(), some_facts())
def test_no_money_is_lost_or_counted_twice(records: list[AccountRecord], facts: list[AccountFact]) -> None:
    linked = link(records, facts)
    lost = {ref.external_id for problem in linked.problems if problem.kind == "unplaced_fact" for ref in problem.refs}
    placed = [f.values["mrr_cents"] for f in facts if f.source == "usage" or f.external_id not in lost]
    assert sum(account.fields.get("mrr_cents", 0) for account in linked.accounts) == sum(placed)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), min_size=40, max_size=70))
def test_no_chain_of_evidence_makes_an_account_of_more_records_than_a_person_can_check(
    domains: list[tuple[int, int]],
) -> None:
    records = [
        record("hubspot", f"{at:02}", website=f"firm{first}.com", email=f"x@firm{second}.com")
        for at, (first, second) in enumerate(domains)
    ]
    assert max(len(account.refs) for account in link(records).accounts) <= LARGEST


def test_a_chain_of_evidence_that_is_cut_says_where() -> None:
    count = 2 * LARGEST
    chain = [record("hubspot", f"{at:02}", website=f"firm{at}.com", email=f"x@firm{at + 1}.com") for at in range(count)]
    linked = link(chain)
    assert sum(len(account.refs) for account in linked.accounts) == count
    assert max(len(account.refs) for account in linked.accounts) <= LARGEST
    assert len(linked.problems) == len(linked.accounts) - 1


@st.composite
def some_days(draw: st.DrawFn) -> list[list[AccountRecord]]:
    """The same few records on several days: on some days they are not there, or have another website."""
    places = [("hubspot", "1"), ("hubspot", "2"), ("salesforce", "1"), ("stripe", "1")]
    websites = st.sampled_from([None, "acme.com", "bolt.com", "cask.com"])
    return [
        [record(source, id_, website=draw(websites)) for source, id_ in places if draw(st.booleans())]
        for _ in range(draw(st.integers(2, 5)))
    ]


@settings(max_examples=200, deadline=None)
@given(some_days())
def test_an_account_whose_records_stay_together_keeps_its_id_while_others_come_and_go(
    days: list[list[AccountRecord]],
) -> None:
    before: dict[Ref, str] = {}
    for records in days:
        linked = link(records, known=before)
        after = known_from(linked)
        assert len({account.id for account in linked.accounts}) == len(linked.accounts)
        for account in linked.accounts:
            had = {before[ref] for ref in account.refs if ref in before}
            still_there = {ref for ref, id_ in before.items() if id_ in had and ref in after}
            if len(had) == 1 and still_there <= set(account.refs):
                assert {account.id} == had
        before = after


# --- hostile names ---

HOSTILE = {
    "400 kB": "A" * 400_000,
    "400 kB of forms": "GmbH " * 80_000,
    "400 kB of ligatures": "ﷺ" * 130_000,
    "right to left": "\u202eemca\u202c שלום",
    "Arabic": "شركة الاتصالات",
    "only a legal form": "GmbH",
    "two legal forms": "Co., Ltd.",
    "empty": "",
    "blank": " \t\u3000",
    "NUL": "\0",
    "NUL inside": "Acme\0Inc",
    "half a character": "\ud800",
    "only accents": "\u0301\u0302" * 50,
    "only punctuation": "--- *** ---",
    "emoji": "🦄",
    "query": "'; DROP TABLE accounts; --",
    "lines": "Acme\r\nOwner: zoe",
}
GOOD = [
    record("salesforce", "1", "Acme Inc.", website="acme.com", country="US"),
    record("hubspot", "1", "ACME", country="US"),
    record("stripe", "1", "Bolt GmbH", email="pay@bolt.de", country="DE"),
]


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_name_harms_only_its_own_record(kind: str) -> None:
    name = HOSTILE[kind]
    bad = AccountRecord("hubspot", "company", "bad", name, website=name, email=name, country=name, state=name)
    linked = link([*GOOD, bad])
    assert [account for account in linked.accounts if account.id != new_id(ref_of(bad))] == link(GOOD).accounts
    assert linked.problems == []


@pytest.mark.parametrize("kind", ["only a legal form", "two legal forms", "empty", "blank", "NUL", "only punctuation"])
def test_two_records_whose_names_say_nothing_are_not_one_company(kind: str) -> None:
    nameless = [AccountRecord("hubspot", "company", id_, HOSTILE[kind], country="DE") for id_ in ("8", "9")]
    assert len(link(nameless).accounts) == 2


# --- names, domains and countries ---


@pytest.mark.parametrize(
    ("said", "domain"),
    [
        ("https://www.mail.acme.co.uk/x?y#z", "acme.co.uk"),
        ("ann@eu.acme.com", "acme.com"),
        ("  ACME.com.  ", "acme.com"),
        ("http://user:word@acme.com:8080/", "acme.com"),
        ("acme。com", "acme.com"),
        ("https://acme.com/@sales", "acme.com"),
        ("https://acme.com/partners?by=bob@reseller.com", "acme.com"),
        ("https://www.youtube.com/@acme", None),
        ("ann@GMAIL.com", None),
        ("https://sites.google.com/acme", None),
        ("10.0.0.1", None),
        ("http://[::1]/", None),
        ("localhost", None),
        ("com", None),
        ("no website", None),
        ("@", None),
        ("", None),
        (None, None),
    ],
)
def test_a_website_or_e_mail_speaks_for_the_domain_somebody_registered(said: str | None, domain: str | None) -> None:
    assert registrable_domain(said) == domain


def test_an_international_domain_is_the_same_in_either_spelling() -> None:
    assert registrable_domain("https://müller.de") == registrable_domain("https://xn--mller-kva.de")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Germany", "DE"),
        ("DEUTSCHLAND", "DE"),
        ("DEU", "DE"),
        ("ＤＥ", "DE"),
        (" uk ", "GB"),
        ("England", "GB"),
        ("United States of America", "US"),
        ("NO", "NO"),
        ("O\u0308sterreich", "AT"),
        ("Atlantis", None),
        ("\0", None),
        ("X" * 400_000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_known_by_the_ways_people_write_it(said: str | None, code: str | None) -> None:
    assert country_code(said) == code


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ACME, Inc.", "acme"),
        ("Acme GmbH & Co. KG", "acme"),
        ("Société Générale S.A.", "societe generale"),
        ("Ｆｏｏ-Bar", "foo bar"),
        ("A&B Ltd", "a b"),
        ("Straße AG", "strasse"),
        ("3M Company", "3m"),
        ("GmbH", None),
        ("Co., Ltd.", None),
        ("--- ***", None),
        ("", None),
        (None, None),
    ],
)
def test_a_name_is_compared_without_legal_form_case_accents_and_punctuation(name: str | None, key: str | None) -> None:
    assert name_key(name) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [("バート", "ハート"), ("กินดี", "กันดี"), ("ดี", "ดู"), ("की", "का"), ("Acme 1", "Acme 2"), ("Nordsee", "Nordsee Labs")],
)
def test_names_that_differ_in_any_script_are_different_names(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    "form", ["Inc.", "LLC", "L.L.C.", "GmbH", "AG", "S.A.", "Ltd", "Limited", "B.V.", "Oy", "AB", "SpA", "Corp.", "plc"]
)
def test_a_legal_form_makes_no_other_company(form: str) -> None:
    assert name_key(f"Bolt & Nuts {form}") == name_key(f"BOLT & NUTS, {form.upper()}") == "bolt nuts"


def test_a_field_that_the_policy_reads_elsewhere_counts_before_what_the_product_reads() -> None:
    last_touch = datetime(2026, 11, 20, tzinfo=UTC)  # a sequence wrote to them
    here = record("salesforce", "1", "Acme", last_activity_at=last_touch, extra={"activity_on": "2026-10-01"})
    assert only(link([here])).fields["activity_on"] == "2026-10-01"
    assert only(link([record("salesforce", "1", "Acme", last_activity_at=last_touch)])).fields["activity_on"] == (
        "2026-11-20"
    )


# --- which id is kept, and whose account it is ---


def test_of_accounts_that_become_one_the_oldest_keeps_its_id() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com")]
    known = {ref_of(records[0]): "acc-b", ref_of(records[1]): "acc-a"}
    older_b = Background(oldest={"acc-b": 0, "acc-a": 1})
    assert only(link_records(records, [], known, new_id, {}, background=older_b)).id == "acc-b"


def test_an_account_that_falls_apart_leaves_its_id_with_the_larger_part() -> None:
    records = [
        record("hubspot", "7", website="bolt.com"),
        record("salesforce", "1", website="acme.com"),
        record("stripe", "c1", website="acme.com"),
    ]
    linked = link(records, known={ref_of(one): "acc-x" for one in records})
    assert known_from(linked)[ref_of(records[1])] == "acc-x"
    assert known_from(linked)[ref_of(records[0])] != "acc-x"


def test_two_parts_of_one_size_leave_the_id_with_the_record_it_was_called_after() -> None:
    records = [record("hubspot", "7", website="bolt.com"), record("salesforce", "1", website="acme.com")]
    named = new_id(ref_of(records[1]))
    assert known_from(link(records, known={ref_of(one): named for one in records}))[ref_of(records[1])] == named


def test_two_owned_accounts_stay_two_until_somebody_names_the_one_that_is_kept() -> None:
    records = [record("salesforce", "1", website="acme.com"), record("hubspot", "7", website="acme.com")]
    one, other = map(ref_of, records)
    known = {one: "acc-a", other: "acc-b"}
    held = {"acc-a": "ann", "acc-b": "bob"}
    linked = link_records(records, [], known, new_id, {}, background=Background(held=held))
    assert kinds(linked) == ["conflicting_owners"]
    assert len(linked.accounts) == 2
    said = standing([Verdict(other, one, True)])
    settled = link_records(records, [], known, new_id, {}, background=Background(held=held, verdicts=said))
    assert (only(settled).id, settled.problems) == ("acc-b", [])


def test_a_record_that_its_system_merged_away_brings_what_named_it_to_the_one_that_is_left() -> None:
    gone = Ref("salesforce", "Account", "2")
    records = [record("salesforce", "1"), record("stripe", "c1", links={"salesforce": "2"})]
    known = {ref_of(records[0]): "acc-a", gone: "acc-b", ref_of(records[1]): "acc-b"}
    held = {"acc-a": "ann", "acc-b": "bob"}
    background = Background(held=held, merged={gone: ref_of(records[0])})
    linked = link_records(records, [], known, new_id, {}, background=background)
    assert (only(linked).id, linked.problems) == ("acc-a", [])


def test_pairs_that_are_surely_alike_become_one_unless_somebody_or_their_countries_say_otherwise() -> None:
    records = [record("salesforce", "1", country="US"), record("hubspot", "7"), record("stripe", "c1", country="DE")]
    one, other, abroad = map(ref_of, records)
    alike = (Alike(one, other, 0.99), Alike(one, abroad, 0.99))
    linked = link_records(records, [], {}, new_id, {}, background=Background(alike=alike))
    assert groups(linked) == {group("salesforce/1", "hubspot/7"), group("stripe/c1")}
    apart = Background(alike=alike, verdicts=standing([Verdict(one, other, False)]))
    assert len(link_records(records, [], {}, new_id, {}, background=apart).accounts) == 3


# --- parents ---


def test_where_two_systems_name_two_parents_the_first_system_holds_and_a_person_is_told() -> None:
    records = [
        record("salesforce", "1", "Acme Labs", links={"hubspot": "7"}, parent_external_id="2"),
        record("hubspot", "7", "Acme Labs", parent_external_id="8"),
        record("salesforce", "2", "Acme"),
        record("hubspot", "8", "Bolt"),
    ]
    linked = link(records)
    child = next(account for account in linked.accounts if len(account.refs) == 2)
    assert child.parent_id == known_from(linked)[Ref("salesforce", "Account", "2")]
    assert kinds(linked) == ["parent_conflict"]
    assert linked.problems[0].because == (
        "Acme Labs is under Acme by salesforce, and under Bolt by hubspot; the first holds"
    )
