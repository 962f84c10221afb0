"""docs/acceptance.md draws what the code does: the states of an offer, what ends it, and what answers come to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ownership.entries import Acceptance
from store.engine import Store
from store.offers import ANSWERS, OFFERED
from tests.store.business import MONDAY, days, know, owned_by, record

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/acceptance.md").read_text()
OFFER, ACCOUNT = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", DOC, re.S)


def arrows(diagram: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^ +(\S+) --> ([^\s:]+)", diagram, re.M))


def test_the_diagram_has_every_state_of_an_offer_and_no_other() -> None:
    assert {state for arrow in arrows(OFFER) for state in arrow} - {"[*]"} == {OFFERED, *ANSWERS}


@pytest.mark.parametrize("before", [OFFERED, *ANSWERS])
def test_an_offer_goes_where_an_arrow_leads_and_nowhere_else(store: Store, before: str) -> None:
    leads = {after for state, after in arrows(OFFER) if state == before} - {"[*]"}
    reached = set()
    for number, after in enumerate(ANSWERS):
        account_id = f"acme-{number}"
        know(store, account_id)
        record(store, owned_by(account_id, "bo", offer_due_by=MONDAY + days(1)), run=account_id)
        with store.transaction() as uow:
            offer = uow.offers.of_account(account_id)
            assert offer is not None
            if before != OFFERED:
                assert uow.offers.answer(offer.offer_id, before, "bo", MONDAY)
            if uow.offers.answer(offer.offer_id, after, "cy", MONDAY):
                reached.add(after)
    assert reached == leads


def test_the_way_of_an_account_is_the_chain_of_a_policy_that_says_nothing() -> None:
    way = [step for step in re.findall(r"--> (\S+): missed or declined", ACCOUNT)]
    assert way == list(Acceptance().chain)


def test_what_an_answer_comes_to_is_told_in_full() -> None:
    code = "".join((ROOT / "tasks" / f"{name}.py").read_text() for name in ("acceptance", "unaccepted"))
    told = re.findall(r"^\| `(\w+)` \|", DOC, re.M)
    assert sorted(told) == sorted(set(re.findall(r'Answered\(\s*"(\w+)"', code)))
