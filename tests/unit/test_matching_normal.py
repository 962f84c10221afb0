"""Different spellings of one company come to the same, and different companies do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownership.matching.company import Company
from ownership.matching.folding import LONGEST_NAME
from ownership.matching.normal import normalise
from ownership.matching.numbers import numbers_in


def slug(name: str) -> str:
    return normalise(Company("x", name)).slug


@pytest.mark.parametrize(
    "names",
    [
        ("Müller & Söhne GmbH", "Muller and Sohne", "MÜLLER & SÖHNE GMBH & CO. KG"),
        ("I.B.M. Corp.", "IBM", "i b m corporation"),
        ("Siemens Aktiengesellschaft", "Siemens AG", "SIEMENS"),
        ("Toyota Co., Ltd.", "Toyota Company Limited", "Toyota"),
        ("O'Reilly Media, Inc", "OReilly Media", "O’Reilly Media Inc."),
        ("3 M Company", "3M"),
        ("Coinbase Global, Inc. Class A", "Coinbase Global"),
        ("UniversitÃ¤t Bern", "Universität Bern", "Universitat Bern"),
        ("The Eastern Company", "Eastern Co.", "Eastern", "Eastern Company, The"),
        ("Stripe LLC", "Stripe Limited Liability Company", "LIMITED LIABILITY COMPANY STRIPE", "Stripe"),
        ("OAO Gazprom", "Open Joint Stock Company Gazprom", "Gazprom JSC", "ПАО «Газпром»", "Газпром"),
        ("Acme Limited Partnership", "Acme L.P.", "Acme LLP"),
        ("1st Source Bank", "First Source Bank", "FIRST-SOURCE BANK"),
        ("Mentec Corproation", "Mentec Corporaton", "Mentec Limted", "Mentec Corp."),
    ],
)
def test_spellings_of_one_company_come_to_the_same(names: tuple[str, ...]) -> None:
    assert len({slug(name) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fund II", "Fund III"),
        ("Acme East", "Acme West"),
        ("Holdings", "Holding"),
        ("AG", "GmbH"),
        ("A. O. Smith", "Smith"),
    ],
)
def test_different_companies_stay_different(one: str, other: str) -> None:
    assert slug(one) != slug(other)


def test_a_name_that_is_only_a_legal_form_keeps_it() -> None:
    assert normalise(Company("x", "GmbH")).words == ("gmbh",)
    assert normalise(Company("x", "JSC")).words == ("jsc",)
    assert normalise(Company("x", "OOO LLC")).words == ("ooo",)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Acme Incorporated", "Corporation: inc"),
        ("Acme, Inc.", "Corporation: inc"),
        ("Acme Corproation", "Corporation: corp"),
        ("Acme Co., Ltd.", "Limited: ltd"),
        ("Acme GmbH & Co. Kommanditgesellschaft", "Limited Partnership: gmbh and co kg"),
        ("Общество с ограниченной ответственностью Acme", "Limited Liability Company: llc"),
        ("ООО Acme", "Limited Liability Company: llc"),
        ("ZAO Acme", "Corporation: cjsc"),
        ("Acme, Closed Joint-Stock Company", "Corporation: cjsc"),
        ("Acme Limited Partnership", "Limited Partnership: lp"),
        ("Acme", None),
    ],
)
def test_a_legal_form_is_one_however_it_is_spelled(name: str, form: str | None) -> None:
    assert normalise(Company("x", name)).legal == form


def test_a_word_that_only_resembles_a_short_legal_form_stays() -> None:
    assert normalise(Company("x", "Acme Lid")).words == ("acme", "lid")
    assert normalise(Company("x", "The Limited")).words == ("the",)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("Churchill Acquisition Corp. I", {"i"}),
        ("Churchill Acquisition Corp. V", {"v"}),
        ("V Acquisition", set()),
        ("V", set()),
        ("Fund 007", {"7"}),
    ],
)
def test_a_letter_that_ends_a_name_may_be_a_number(name: str, numbers: set[str]) -> None:
    assert numbers_in(normalise(Company("x", name)).words) == numbers


def test_free_disposable_and_shared_domains_say_nothing_of_a_company() -> None:
    found = normalise(
        Company(
            "x", websites=("https://www.facebook.com/acme", "www.acme.co.uk"), emails=("a@gmail.com", "b@mail.acme.de")
        )
    )
    assert found.domains == ("acme.co.uk", "acme.de")


@pytest.mark.parametrize(
    ("phone", "country", "wanted"),
    [
        ("(212) 555-0147", "US", "+12125550147"),
        ("+49 30 901820", None, "+4930901820"),
        ("000-0000000", "US", None),
        ("12", "US", None),
        ("n/a", None, None),
        (None, "US", None),
    ],
)
def test_phones_are_one_spelling_and_placeholders_none(
    phone: str | None, country: str | None, wanted: str | None
) -> None:
    assert normalise(Company("x", phone=phone, country=country)).phone == wanted


@given(st.builds(Company, st.just("x"), st.text(), st.tuples(st.text()), st.tuples(st.text()), *[st.text()] * 6))
def test_any_record_is_normalised_without_complaint_and_bounded(company: Company) -> None:
    found = normalise(company)
    assert found.slug.isascii()
    assert len(found.slug) <= 4 * LONGEST_NAME
    assert found == normalise(company)
