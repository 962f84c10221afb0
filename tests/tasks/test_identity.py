"""What becomes of owners, ids, offers and exceptions when accounts turn out to be one company, or two."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from config.policy_files import LoadedPolicy, load_policy
from ownership.model import Ref
from tasks.explanation import exception_lines, find_account, why_lines
from tasks.history import owner_lines
from tasks.identity_lines import match_lines
from tasks.identity_words import Refused, Word, say_lead, say_same, say_split, withdraw
from tasks.matching import match_accounts, match_changed_accounts
from tasks.rehearsal import Rehearsal, rehearse

OPS = Word("olga", "one sign on the door")
POLICY = {
    "apiVersion": "steward/v1",
    "kind": "Policy",
    "name": "Identity",
    "pools": [{"id": "all", "members": [{"rep": "ann"}, {"rep": "bob"}]}],
    "territories": [{"id": "world", "pool": "all"}],
}
ROSTER = {
    "apiVersion": "steward/v1",
    "kind": "Roster",
    "reps": [
        {"id": id_, "name": id_.title(), "email": f"{id_}@team.example", "role": "ae", "team": "sales"}
        for id_ in ("ann", "bob")
    ],
}


@pytest.fixture
def policy(tmp_path: Path) -> LoadedPolicy:
    for name, document in (("policy", POLICY), ("roster", ROSTER)):
        (tmp_path / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")
    return load_policy(tmp_path)


@pytest.fixture
def company(tmp_path: Path, policy: LoadedPolicy, store_url: str) -> Rehearsal:
    made = rehearse(tmp_path, policy, store_url)
    made.account("salesforce", "1", name="Acorn", website="acorn.com", owner="ann")
    made.account("hubspot", "7", name="Zebra", website="zebra.io", owner="ann")
    made.assign()
    return made


def id_of(company: Rehearsal, source: str, id_: str) -> str:
    with company.context.store.transaction(readonly=True) as uow:
        return company._account_of(uow, source, id_)


def merged(company: Rehearsal) -> tuple[str, str]:
    """The ids of the account that is left and of the one that became part of it."""
    left, gone = id_of(company, "salesforce", "1"), id_of(company, "hubspot", "7")
    say_same(company.context, ["salesforce/1", "hubspot/7"], OPS)
    company.pass_time(hours=1)
    company.assign()
    return left, gone


def test_an_account_that_became_part_of_another_is_found_by_its_old_id_and_keeps_its_past(company: Rehearsal) -> None:
    left, gone = merged(company)
    with company.context.store.transaction(readonly=True) as uow:
        found = find_account(uow, gone)
        history = uow.ledger.history(gone)
        assert found is not None
        assert found.id == left
        assert [(row.event_type, row.owner_id) for row in history] == [("adopted", "ann"), ("merged", None)]
        (event,) = uow.identity.events(gone)
        assert history[-1].decision_id == event.event_id
        assert event.because.startswith("olga said on 2026-11-23")
        assert uow.ledger.verify() is None
        assert uow.ledger.book_sizes() == {"ann": 1}
    assert next(why_lines(company.context, gone)).startswith("Acorn belongs to Ann")


def test_who_owned_an_account_before_it_became_part_of_another_can_still_be_asked(company: Rehearsal) -> None:
    start = company.now[0]
    _, gone = merged(company)
    company.pass_time(hours=1)
    lines = list(owner_lines(company.context, gone, on=start))
    assert lines[0].startswith("Zebra was owned by Ann on 2026-11-23 09:00")
    assert f"  Zebra ({gone}), which is part of it now:" in lines
    assert lines[-1].endswith("nobody: it turned out to be one company with another account, by steward")
    assert next(owner_lines(company.context, gone)).startswith("Acorn was owned by Ann on")


def test_an_id_that_led_to_an_account_follows_it_into_the_next(company: Rehearsal) -> None:
    _, gone = merged(company)
    company.account("hubspot", "8", name="Third", website="third.io", owner="ann")
    company.assign()
    kept = id_of(company, "hubspot", "8")
    say_same(company.context, ["hubspot/8", "salesforce/1"], OPS)
    company.assign()
    with company.context.store.transaction(readonly=True) as uow:
        found = find_account(uow, gone)
        assert found is not None
        assert (found.id, len(found.refs)) == (kept, 3)


def test_what_was_still_to_be_sent_or_answered_for_an_account_ends_when_it_becomes_part_of_another(
    tmp_path: Path, policy: LoadedPolicy
) -> None:
    company = rehearse(tmp_path / "fresh", policy)
    company.account("salesforce", "1", name="Acorn", website="acorn.com", owner="ann")
    company.account("hubspot", "7", name="Zebra", website="zebra.io")
    company.assign()
    _, gone = merged(company)
    with company.context.store.transaction(readonly=True) as uow:
        assert uow.offers.of_account(gone) is None
        assert {row.state for row in uow.outbox.of_account(gone)} == {"superseded"}
        current = uow.ledger.current()
        assert gone not in current
        assert [owner.owner_id for owner in current.values()] == ["ann"]


def test_an_account_that_leaves_another_begins_with_its_owner_and_says_why(company: Rehearsal) -> None:
    left, gone = merged(company)
    withdraw(company.context, ["salesforce/1", "hubspot/7"], OPS)
    company.pass_time(hours=1)
    company.assign()
    assert id_of(company, "hubspot", "7") == gone
    assert company.owner("hubspot", "7") == "ann"
    with company.context.store.transaction(readonly=True) as uow:
        assert [row.event_type for row in uow.ledger.history(gone)] == ["adopted", "merged", "split"]
        assert uow.identity.now_ids([gone]) == {}
        assert uow.ledger.book_sizes() == {"ann": 2}
    lines = list(match_lines(company.context, left))
    assert any(f"hubspot/7 left for {gone}: nothing links them any more." in line for line in lines)


def test_matches_says_why_each_record_is_linked_and_who_said_so(company: Rehearsal) -> None:
    company.account("stripe", "c1", links={"salesforce": "1"}, email="pay@acorn.com")
    merged(company)
    lines = list(match_lines(company.context, "Acorn"))
    assert lines[0].endswith("has 3 records.")
    said = "olga said on 2026-11-23 that salesforce/1 and hubspot/7 are one company (one sign on the door)"
    assert f"  hubspot/7: {said}" in lines
    assert "  stripe/c1: it names the id of salesforce/1; it has the web domain acorn.com, as salesforce/1" in lines


def test_a_word_that_settles_a_doubt_closes_it_with_who_said_it(company: Rehearsal) -> None:
    company.account("salesforce", "1", country="US")
    company.account("stripe", "c1", name="Acorn", email="x@gmail.com", links={"salesforce": "1"})
    company.account("hubspot", "7", country="Germany", links={"salesforce": "1"})
    company.assign()
    with company.context.store.transaction(readonly=True) as uow:
        (item,) = uow.exceptions.open_items("doubtful_match")
    assert item.detail["ways_out"] == ["steward same hubspot/7 salesforce/1", "steward split hubspot/7 salesforce/1"]
    shown = [line.strip() for line in exception_lines(company.context)]
    assert shown[-2:] == item.detail["ways_out"]
    say_split(company.context, ["hubspot/7", "salesforce/1"], Word("olga", "a franchise"))
    company.new_run()
    match_changed_accounts(company.context)
    with company.context.store.transaction(readonly=True) as uow:
        assert uow.exceptions.open_items("doubtful_match") == []
        closed = uow.exceptions.get(item.exception_id)
    assert (closed.state, closed.resolved_by) == ("closed", "olga")
    assert "(a franchise)" in str(closed.resolution)


def test_words_that_cannot_stand_are_refused_and_nothing_is_written(company: Rehearsal) -> None:
    company.account("hubspot", "8", name="Third")
    company.assign()
    say_same(company.context, ["salesforce/1", "hubspot/7", "hubspot/8"], OPS)
    with pytest.raises(Refused, match="Take one of these back first"):
        say_split(company.context, ["hubspot/7", "hubspot/8"], OPS)
    with company.context.store.transaction(readonly=True) as uow:
        assert len(uow.identity.said()) == 2


@pytest.mark.parametrize(
    ("names", "refusal"),
    [
        (["salesforce/1"], "name two records or accounts at least"),
        (["salesforce/1", "salesforce/404"], "salesforce/404 is no record of an account that Steward knows"),
        (["salesforce/1", "nonsense"], "'nonsense' is no account"),
        (["salesforce/1", "salesforce/1"], "are the same record; name two"),
    ],
)
def test_a_slip_of_the_pen_is_refused_with_what_to_write(company: Rehearsal, names: list[str], refusal: str) -> None:
    with pytest.raises(Refused, match=refusal):
        say_same(company.context, names, OPS)


def test_a_lead_belongs_where_the_last_word_puts_it_against_its_domain_and_its_crm(company: Rehearsal) -> None:
    company.lead("salesforce", "L1", name="Jo", email="jo@acorn.com", account_external_id="1")
    company.assign()

    def account() -> str | None:
        with company.context.store.transaction(readonly=True) as uow:
            lead = uow.accounts.get(id_of(company, "salesforce", "L1"))
            return lead.parent_id if lead else "no lead"

    assert account() == id_of(company, "salesforce", "1")
    say_lead(company.context, "salesforce/L1", "hubspot/7", OPS, belongs=True)
    company.assign(changed=True)
    assert account() == id_of(company, "hubspot", "7")
    say_lead(company.context, "salesforce/L1", "hubspot/7", OPS, belongs=False)
    say_lead(company.context, "salesforce/L1", "salesforce/1", OPS, belongs=False)
    company.assign(changed=True)
    assert account() is None


def test_matching_again_with_nothing_new_changes_nothing(company: Rehearsal) -> None:
    merged(company)

    def written() -> Counter[str]:
        with company.context.store.transaction(readonly=True) as uow:
            events = len(uow.identity.events(id_of(company, "hubspot", "7")))
            rows = sum(len(uow.ledger.history(each.id)) for each in uow.accounts.all())
            return Counter(events=events, rows=rows, hashes=hash(tuple(sorted(uow.accounts.hashes().items()))))

    before = written()
    for match in (match_accounts, match_changed_accounts, match_accounts):
        company.new_run()
        match(company.context)
    assert written() == before


def test_what_people_said_is_never_changed_or_removed(company: Rehearsal) -> None:
    say_same(company.context, ["salesforce/1", "hubspot/7"], OPS)
    withdraw(company.context, ["salesforce/1", "hubspot/7"], OPS)
    with company.context.store.transaction(readonly=True) as uow:
        said = uow.identity.said()
    assert {each.one for each in said} == {Ref("salesforce", "Account", "1")}
    assert [each.same for each in said] == [True, None]


def test_the_commands_say_what_they_did(company: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", company.context.settings.database_url)
    monkeypatch.setenv("STEWARD_POLICY_DIR", str(tmp_path))
    run = CliRunner().invoke
    said = run(main, ["same", "salesforce/1", "hubspot/7", "--by", "olga", "--because", "one sign"])
    assert (said.exit_code, said.stdout) == (
        0,
        "salesforce/1 and hubspot/7 are one company. This holds from the next match on.\n",
    )
    assert run(main, ["split", "salesforce/1", "hubspot/404"]).exit_code == 2
    company.assign(changed=True)
    shown = run(main, ["matches", "acorn.com"]).stdout
    assert "hubspot/7: olga said on 2026-11-" in shown


def test_leads_merged_in_their_crm_become_one_and_the_old_id_leads_on(company: Rehearsal) -> None:
    for id_ in ("41", "42"):
        company.lead("hubspot", id_, name=f"Jo {id_}", company="Oak", email=f"jo{id_}@oak.com", country="US")
    company.assign()
    assert id_of(company, "hubspot", "41") != id_of(company, "hubspot", "42")
    company.sources["hubspot"].merge("leads", "41", "42")
    company.assign()
    assert id_of(company, "hubspot", "41") == id_of(company, "hubspot", "42")


def test_an_account_that_was_gone_and_comes_back_undecided_is_an_exception_again(company: Rehearsal) -> None:
    facts = company.sources["usage"]
    facts.put("accounts", "w1", {"name": "Zed", "active_seats": 3}, by="usage")
    company.assign()
    assert company.exceptions()["shadow_account"] == 1
    facts.delete("accounts", "w1")
    company.assign()
    assert "shadow_account" not in company.exceptions()
    facts.put("accounts", "w1", {"name": "Zed", "active_seats": 3}, by="usage")
    company.assign()
    assert company.exceptions()["shadow_account"] == 1
    company.assign()
    assert company.exceptions()["shadow_account"] == 1
