"""The index answers the same whatever the order of the accounts, and however they came to be in it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.companies import make_market
from ownership.matching.company import Company, Normal
from ownership.matching.index import CROWD, MOST, Index
from ownership.matching.near_names import SHORTLIST
from ownership.matching.normal import normalise
from ownership.matching.packed import pack, unpack

MARKET = make_market(300, 60, seed=3)
ACCOUNTS = [normalise(each) for each in MARKET.accounts]
LEADS = [normalise(each) for each in MARKET.leads]
FEW = LEADS[:20]


def answers(index: Index) -> list[object]:
    return [index.candidates(lead) for lead in FEW] + [index.word_weight(word) for word in ("bank", "acme", "holding")]


def test_a_company_comes_out_of_the_index_as_it_went_in() -> None:
    odd = normalise(
        Company(
            "x", "A & B", ("a.de", "b.de"), aliases=("C D", "E"), ids={"lei": "5=29"}, parent_id="p", phone="555-0199"
        )
    )
    assert [unpack(each.id, pack(each)) for each in [*ACCOUNTS, odd, Normal("empty")]] == [
        *ACCOUNTS,
        odd,
        Normal("empty"),
    ]


def test_most_leads_find_their_company_among_the_candidates() -> None:
    index = Index(ACCOUNTS)
    wanted = [lead for lead in LEADS if MARKET.gold[lead.id] is not None]
    found = [
        any(MARKET.company_of[each.id] == MARKET.gold[lead.id] for each in index.candidates(lead)) for lead in wanted
    ]
    assert sum(found) / len(found) > 0.95


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 299))
def test_accounts_that_come_go_and_change_one_by_one_leave_the_same_index(chance: random.Random, start: int) -> None:
    first, later = ACCOUNTS[:start], ACCOUNTS[start:]
    wrong = [normalise(Company(each.id, "Something Else", ("else.example",))) for each in chance.sample(ACCOUNTS, 20)]
    index = Index(first)
    index.put(wrong)
    for batch in (later, wrong, ACCOUNTS[:150]):
        shuffled = list(batch)
        chance.shuffle(shuffled)
        index.put(shuffled)
    index.put(ACCOUNTS)
    gone = {each.id for each in chance.sample(ACCOUNTS, 40)}
    index.remove(gone)
    left = [each for each in ACCOUNTS if each.id not in gone]
    chance.shuffle(left)
    assert answers(index) == answers(Index(left))


changes = st.lists(
    st.tuples(st.sampled_from(["put", "rename", "remove"]), st.lists(st.integers(0, 59), max_size=8)), max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes, st.sampled_from([0, 7, 1_000]))
def test_whatever_is_done_to_the_accounts_it_answers_as_one_built_of_what_is_left(
    monkeypatch: pytest.MonkeyPatch, done: list[tuple[str, list[int]]], room: int
) -> None:
    monkeypatch.setattr("ownership.matching.index.LEAST_ROOM", room)  # how much may change before it is built anew
    index, left = Index([]), {}
    for what, numbers in done:
        chosen = [ACCOUNTS[number] for number in numbers]
        if what == "remove":
            index.remove([each.id for each in chosen])
            for each in chosen:
                left.pop(each.id, None)
            continue
        if what == "rename":  # to what the next one is called
            chosen = [replace(ACCOUNTS[number + 1], id=each.id) for number, each in zip(numbers, chosen, strict=True)]
        index.put(chosen)
        left |= {each.id: each for each in chosen}
    assert len(index) == len(left)
    assert {id_: index.get(id_) for id_ in left} == left
    assert answers(index) == answers(Index(left.values()))


def test_names_that_left_take_nobody_elses_place() -> None:
    many = [normalise(Company(f"gone{n}", "Summit Rockets")) for n in range(3 * SHORTLIST)]
    here = [normalise(Company("here", "Summit Rocket Trading")), *ACCOUNTS[:50]]
    index = Index([*here, *many])
    index.remove([each.id for each in many])
    lead = normalise(Company("l", "Summit Rockets"))
    assert index.candidates(lead) == Index(here).candidates(lead)
    assert index.candidates(lead)[0].id == "here"
    with pytest.raises(KeyError):
        index.get("gone1")


def test_of_more_namesakes_than_are_wanted_the_lowest_ids_are_candidates_in_any_order() -> None:
    namesakes = [normalise(Company(f"a{n:04d}", "Summit Rockets", country="US")) for n in range(5 * SHORTLIST)]
    lead = normalise(Company("l", "Summit Rockets"))
    found = [each.id for each in Index(namesakes).candidates(lead)]
    assert found == [f"a{n:04d}" for n in range(MOST)]
    assert found == [each.id for each in Index(reversed(namesakes)).candidates(lead)]


def test_two_accounts_with_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two accounts have the id a1"):
        Index([normalise(Company("a1", "Acme")), normalise(Company("a1", "Other"))])


def test_an_index_that_has_changed_enough_is_built_anew_and_answers_the_same() -> None:
    big = [normalise(each) for each in make_market(1200, 0, seed=9).accounts]
    index = Index(big[:100])
    index.put(big)
    assert len(index) == 1200
    assert answers(index) == answers(Index(big))


def test_a_key_of_a_crowd_leads_to_none_of_it() -> None:
    def crowd(size: int) -> Index:
        return Index(normalise(Company(f"a{n}", f"Firm Number{n}x", ("shared-firm.com",))) for n in range(size))

    lead = normalise(Company("l", None, emails=("jo@shared-firm.com",)))
    assert len(crowd(CROWD).candidates(lead)) == CROWD
    assert crowd(CROWD + 1).candidates(lead) == []
    assert crowd(CROWD + 1).holders("domain", "shared-firm.com") == CROWD + 1


@pytest.mark.parametrize(
    ("lead", "key"),
    [
        (Company("l", "Acme Rockets GmbH"), "slug"),
        (Company("l", "Road Runner Traps"), "alias"),
        (Company("l", emails=("jo@acme.com",)), "domain"),
        (Company("l", emails=("jo@acme.de",)), "stem"),
        (Company("l", phone="+1 212 555 0147"), "phone"),
        (Company("l", emails=("jo@acmerockets.io",)), "label"),
        (Company("l", ids={"lei": "529900T8BM49AURSDO55"}), "id:lei"),
    ],
)
def test_what_both_have_to_the_letter_leads_to_the_account(lead: Company, key: str) -> None:
    acme = Company(
        "a", "Acme Rockets Inc.", ("acme.com",), country="US", phone="(212) 555-0147", aliases=("Road Runner Traps",)
    )
    acme = Company(
        **{name: getattr(acme, name) for name in Company.__slots__} | {"ids": {"lei": "529900t8bm49aursdo55"}}
    )
    (found,) = Index([normalise(acme), normalise(Company("b", "Quite Another"))]).candidates(normalise(lead))
    assert found.id == "a"
    assert key in found.keys


@pytest.mark.parametrize(
    ("lead", "account"),
    [
        (Company("l", "ITA"), Company("a", "International Trade Administration")),
        (Company("l", "International Trade Administration"), Company("a", "ITA")),
        (Company("l", "International Trade Administration"), Company("a", None, ("ita.gov",))),
        (Company("l", emails=("jo@ita.gov",)), Company("a", "International Trade Administration")),
        (Company("l", "BOA"), Company("a", "Bank of Amsterdam")),
    ],
)
def test_initials_lead_to_the_whole_name_and_the_name_to_its_initials(lead: Company, account: Company) -> None:
    (found,) = Index([normalise(account), normalise(Company("b", "Quite Another"))]).candidates(normalise(lead))
    assert (found.id, "initials" in found.keys) == ("a", True)


def test_two_initials_lead_nowhere() -> None:
    index = Index([normalise(Company("a", "International Trade"))])
    assert index.candidates(normalise(Company("l", "IT"))) == []


@pytest.mark.parametrize(
    ("domain", "found"), [("bluemoon.com", True), ("bluemoonheavy.com", True), ("blue.com", False)]
)
def test_a_domain_of_the_first_words_of_a_name_leads_to_it(domain: str, found: bool) -> None:
    index = Index([normalise(Company("a", "Blue Moon Heavy Industries Zrt"))])
    assert bool(index.candidates(normalise(Company("l", emails=(f"jo@{domain}",))))) is found


def test_of_very_many_namesakes_those_of_the_leads_city_or_postcode_are_candidates_too() -> None:
    elsewhere = [Company(f"a{n:03d}", "Summit Rockets", city="Paris", postcode="75001") for n in range(100)]
    nearby = [
        Company("near1", "Summit Rocket", city="Austin"),
        Company("near2", "Summit Rocket", city="Buda", postcode="78701-1234"),
        Company("unknown", "Summit Rocket"),
    ]
    lead = normalise(Company("l", "Summit Rockets", city="Austin", postcode="78701"))
    index = Index(map(normalise, elsewhere))
    index.put(map(normalise, nearby))
    found = {each.id for each in index.candidates(lead)}
    assert found == {*(f"a{n:03d}" for n in range(MOST)), "near1", "near2"}
    assert {each.id for each in Index(map(normalise, [*nearby, *elsewhere])).candidates(lead)} == found
    crowded = index.candidates(replace(lead, city="paris", postcode=None))
    assert len(crowded) == MOST  # the nearest are the nearest of those in Paris as well


def test_an_account_can_be_left_out_and_others_take_its_room() -> None:
    namesakes = [normalise(Company(f"a{n:02d}", f"Summit Rockets {n:02d}")) for n in range(MOST + 1)]
    index, asked = Index(namesakes), namesakes[3]
    assert asked.id in {each.id for each in index.candidates(asked)}
    assert {each.id for each in index.candidates(asked, asked.id)} == {each.id for each in namesakes} - {asked.id}
    assert index.candidates(asked, "nobody") == index.candidates(asked)


@pytest.mark.parametrize("name", ["x" * 400_000, "ab" * 200_000, "‮" + "שלום " * 1000, "GmbH", "", "\x00\x1f|", "𝕬𝖈𝖒𝖊"])
def test_hostile_names_cost_little_and_harm_nobody_else(name: str) -> None:
    index = Index([*ACCOUNTS, normalise(Company("odd", name))])
    index.candidates(normalise(Company("l", name)))
    with_it, without = index.candidates(LEADS[0]), Index(ACCOUNTS).candidates(LEADS[0])
    assert [each.id for each in with_it] == [each.id for each in without]
    assert len(index.get("odd").slug) <= 1200
