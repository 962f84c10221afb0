"""Ways out of exceptions on real steps and a real database: what each does, who may take it, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from click.testing import CliRunner

from cli.exceptions import exceptions as list_exceptions
from connectors.base import OwnerResult, WriteOutcome
from connectors.errors import ConnectorStopped
from ownership.exception_kinds import EXPLAIN, KINDS, SNOOZE, WAYS, Acts, kind_of, who_acts
from ownership.placed_by_people import MayNot, Person
from store.exception_pages import Wanted
from store.exceptions import ExceptionItem
from tasks.acceptance import escalate_due
from tasks.breaker import note_failure, state_of
from tasks.drift import act_on_drift, note_differences
from tasks.drift_scan import find_differences
from tasks.matching import match_changed_accounts
from tasks.placed_by_people import answer_override, open_dispute, request_override
from tasks.pull import pull_records
from tasks.rehearsal import Rehearsal, rehearse, user_id
from tasks.resolving import resolve, resolve_many
from tasks.ways_out import TAKE

OPS, OTHER_OPS = Person("ops@steward.example", "ops"), Person("second@steward.example", "ops")
PETER, CARMEN = Person("peter-novak", "manager"), Person("carmen-ortiz", "manager")
CALIFORNIA = {"country": "US", "state": "CA", "employees": 300}


@pytest.fixture
def company(tmp_path: Path, store_url: str) -> Iterator[Rehearsal]:
    """Acme is Grace's in Salesforce, whose manager is Peter."""
    founded = rehearse(tmp_path, database_url=store_url)
    founded.account("salesforce", "001A", name="Acme", website="acme.com", owner="grace-liu", **CALIFORNIA)
    founded.assign()
    founded.push()
    yield founded
    founded.context.store.close()


def only(company: Rehearsal, kind: str) -> ExceptionItem:
    with company.context.store.transaction(readonly=True) as uow:
        (item,) = uow.exceptions.open_items(kind)
    return item


def again(company: Rehearsal, item: ExceptionItem) -> ExceptionItem:
    with company.context.store.transaction(readonly=True) as uow:
        return uow.exceptions.get(item.exception_id)


def edited_by_diego(company: Rehearsal) -> ExceptionItem:
    """A person gives Acme's record to Diego; the guard holds it."""
    company.pass_time(minutes=10)
    company.account("salesforce", "001A", owner="diego-marin")
    company.assign()
    found = [find_differences(company.context, target, None) for target in company.targets]
    note_differences(company.context, found)
    act_on_drift(company.context, "salesforce")
    return only(company, "owner_drift")


def many_ask_for_something_else(company: Rehearsal) -> None:
    """More than a page of requests, about another company."""
    company.account("salesforce", "001B", name="Maple", website="maple.example", owner="grace-liu", **CALIFORNIA)
    company.assign()
    for _ in range(201):
        request_override(company.context, "Maple", PETER, "diego-marin", "they met")


def test_every_way_out_of_every_kind_can_be_taken() -> None:
    for name, kind in KINDS.items():
        assert set(kind.ways) <= WAYS.keys(), name
    assert TAKE.keys() | {SNOOZE, EXPLAIN} == WAYS.keys()


def test_an_account_that_lacks_data_is_decided_again_once_it_has_it(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", website="bolt.com")
    company.assign()
    item = only(company, "missing_data")
    assert "still leave it to a person" in resolve(company.context, item.exception_id, "decide", OPS)
    company.account("salesforce", "001B", **CALIFORNIA)
    pull_records(company.context, "salesforce", ["001B"])
    match_changed_accounts(company.context)
    assert "It is " in resolve(company.context, item.exception_id, "decide", OPS)
    assert company.owner("salesforce", "001B") is not None
    closed = again(company, item)
    assert (closed.state, closed.resolved_by, closed.resolution) == ("closed", OPS.id, "Decide again")


def test_an_edit_in_the_crm_is_taken_back_and_the_record_shows_our_owner_again(company: Rehearsal) -> None:
    item = edited_by_diego(company)
    with pytest.raises(MayNot, match="No reason"):
        resolve(company.context, item.exception_id, "restore", PETER)
    resolve(company.context, item.exception_id, "restore", PETER, "he clicked the wrong line")
    company.push()
    company.assign()
    assert company.shown("salesforce", "001A") == "grace-liu"
    assert "owner_drift" not in company.exceptions()


def test_an_edit_in_the_crm_is_kept_by_an_override_that_somebody_else_approves(company: Rehearsal) -> None:
    item = edited_by_diego(company)
    resolve(company.context, item.exception_id, "keep-theirs", PETER, "they agreed to swap")
    many_ask_for_something_else(company)
    with pytest.raises(MayNot, match="asked for already"):
        resolve(company.context, item.exception_id, "keep-theirs", OPS, "they agreed to swap")
    with company.context.store.transaction(readonly=True) as uow:
        (asked,) = uow.overrides.about([str(item.account_id)])
    with pytest.raises(MayNot, match="your own"):
        answer_override(company.context, asked.override_id, PETER, "approved", "fine")
    answer_override(company.context, asked.override_id, OPS, "approved", "fine")
    company.assign()
    assert company.owner("salesforce", "001A") == "diego-marin"
    assert "owner_drift" not in company.exceptions()


def test_what_a_crm_refused_is_sent_again_with_the_next_push(company: Rehearsal) -> None:
    target = company.targets["salesforce"]
    with pytest.MonkeyPatch.context() as patch:
        no = WriteOutcome.REJECTED
        patch.setattr(target, "update_owners", lambda cs: tuple(OwnerResult(c.remote_id, no, "NO") for c in cs))
        patch.setattr(target, "update_owner_if", lambda c, version: OwnerResult(c.remote_id, no, "NO"))
        company.account("salesforce", "001B", name="Bolt", website="bolt.com", **CALIFORNIA)
        company.assign()
        company.push()
    item = only(company, "push_rejected")
    assert "next push" in resolve(company.context, item.exception_id, "retry", OPS)
    company.push()
    company.assign()
    assert company.shown("salesforce", "001B") == company.owner("salesforce", "001B")
    assert again(company, item).state == "closed"


def test_a_system_that_was_stopped_is_written_to_again_and_who_said_so_is_named(company: Rehearsal) -> None:
    note_failure(company.context, "salesforce", ConnectorStopped("salesforce", "the key is revoked", mend="Renew it"))
    item = only(company, "target_stopped")
    with pytest.raises(MayNot, match="sales operations"):
        resolve(company.context, item.exception_id, "resume", PETER)
    resolve(company.context, item.exception_id, "resume", OPS)
    assert not state_of(company.context, "salesforce").stopped
    assert again(company, item).resolved_by == OPS.id


def test_a_doubtful_match_is_settled_by_a_word_that_the_next_match_keeps(company: Rehearsal) -> None:
    company.account("stripe", "c1", name="Acme", email="x@gmail.com", links={"salesforce": "001A"})
    company.account("hubspot", "7", name="Acme", country="Germany", links={"salesforce": "001A"})
    company.assign()
    item = only(company, "doubtful_match")
    resolve(company.context, item.exception_id, "different", OPS, "a franchise")
    assert (again(company, item).resolved_by, again(company, item).resolution) == (
        OPS.id,
        "They are different: a franchise",
    )
    company.assign()
    assert "doubtful_match" not in company.exceptions()


@pytest.mark.parametrize(("way", "kept"), [("keep-first", 0), ("keep-second", 1)])
def test_of_two_owners_of_one_company_the_one_that_is_chosen_keeps_it(company: Rehearsal, way: str, kept: int) -> None:
    company.account("hubspot", "7", name="Other", owner="diego-marin", **CALIFORNIA)
    company.assign()
    company.account("hubspot", "7", name="Acme", website="acme.com", links={"salesforce": "001A"})
    company.assign()
    item = only(company, "conflicting_owners")
    source, id_ = item.detail["records"][kept].split("/")
    wanted = company.owner(source, id_)
    resolve(company.context, item.exception_id, way, OPS, "one sign on the door")
    company.assign()
    assert company.records("salesforce", "001A") == ["hubspot/7", "salesforce/001A"]
    assert company.owner("salesforce", "001A") == wanted
    assert "conflicting_owners" not in company.exceptions()


def test_what_is_explained_away_stays_closed_until_it_was_settled_and_comes_back(company: Rehearsal) -> None:
    company.account("stripe", "c1", name="Zeta", email="pay@zeta.com", active=True)
    company.assign()
    item = only(company, "shadow_account")
    resolve(company.context, item.exception_id, EXPLAIN, OPS, "our own test account")
    for _ in range(2):
        company.assign()
        assert "shadow_account" not in company.exceptions()
    with company.context.store.transaction(readonly=True) as uow:
        assert item.account_id in uow.exceptions.open_accounts()  # the audit still knows why nobody owns it
    company.account("salesforce", "001Z", name="Zeta", website="zeta.com", **CALIFORNIA)
    company.assign()
    company.sources["salesforce"].delete("accounts", "001Z")
    company.assign()
    assert company.exceptions().get("shadow_account") == 1


def test_a_snoozed_exception_is_hidden_until_its_day_and_counted_all_the_while(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", website="bolt.com")
    company.assign()
    item = only(company, "missing_data")
    for day in ("", "yesterday", "2026-11-23", "2027-11-23"):
        with pytest.raises(MayNot):
            resolve(company.context, item.exception_id, SNOOZE, OPS, "they are on holiday", day)
    resolve(company.context, item.exception_id, SNOOZE, OPS, "they are on holiday", "2026-11-26")
    company.assign()
    shown, asleep = looked_at(company, Wanted()), looked_at(company, Wanted(asleep=True))
    assert (shown, asleep, company.exceptions()["missing_data"]) == ([], [item.exception_id], 1)
    company.pass_time(days=3)
    assert looked_at(company, Wanted()) == [item.exception_id]


def test_what_a_manager_should_act_on_falls_to_ops_where_the_owner_has_none(company: Rehearsal) -> None:
    item = edited_by_diego(company)
    for managed, found in (({"grace-liu"}, []), ({"jade-thompson"}, [item.exception_id]), ((), [item.exception_id])):
        wanted = Wanted({"no_rule"}, fallen={"owner_drift"}, managed=managed)
        assert looked_at(company, wanted) == found
    assert looked_at(company, Wanted({"owner_drift"}, owners={"grace-liu"})) == [item.exception_id]
    with company.context.store.transaction(readonly=True) as uow:
        assert uow.exception_pages.counts({"grace-liu"}, company.context.now())["owner_drift"].open == 1
        assert uow.exception_pages.counts({"jade-thompson"}, company.context.now()) == {}


def looked_at(company: Rehearsal, wanted: Wanted) -> list[str]:
    with company.context.store.transaction(readonly=True) as uow:
        return [each.item.exception_id for each in uow.exception_pages.page(wanted, None, 10, company.context.now())]


def test_only_the_manager_of_the_owner_or_ops_settles_it_and_it_is_settled_once(company: Rehearsal) -> None:
    item = edited_by_diego(company)
    for person in (Person("grace-liu", "rep"), Person("diego-marin", "rep"), CARMEN, Person("peter-novak", "rep")):
        with pytest.raises(MayNot, match="Only the manager"):
            resolve(company.context, item.exception_id, "restore", person, "because")
    resolve(company.context, item.exception_id, "restore", PETER, "a slip")
    company.push()
    company.assign()
    with pytest.raises(MayNot, match="closed already, by steward"):
        resolve(company.context, item.exception_id, "restore", OPS, "a slip")
    with pytest.raises(MayNot, match="There is no exception"):
        resolve(company.context, "none", "restore", OPS, "a slip")
    with company.context.store.transaction(readonly=True) as uow:
        (kept,) = uow.exceptions.answers([item.exception_id])
    assert (kept.way, kept.said_by, kept.because) == ("restore", "peter-novak", "a slip")


def test_several_are_settled_at_once_and_each_that_was_not_says_why(company: Rehearsal) -> None:
    for number in range(3):
        company.account("stripe", f"c{number}", name=f"Firm {number}", email=f"pay@firm{number}.com", active=True)
    company.assign()
    with company.context.store.transaction(readonly=True) as uow:
        ids = [item.exception_id for item in uow.exceptions.open_items("shadow_account")]
    resolve(company.context, ids[0], EXPLAIN, OPS, "a test account")
    came = resolve_many(company.context, [*ids, *ids, "none"], EXPLAIN, OTHER_OPS, "test accounts all")
    assert (len(came.done), len(came.refused)) == (2, 2)
    assert came.in_words().startswith("2 done. 2 not: Firm ")
    assert f"closed already, by {OPS.id}: Explain away: a test account" in came.in_words()


def test_a_claim_past_its_ruling_is_for_who_rules_and_has_no_way_around_it(company: Rehearsal) -> None:
    open_dispute(company.context, "Acme", Person("diego-marin", "rep"), "met them first")
    assert kind_of("dispute_overdue").ways == ()
    assert who_acts("dispute_overdue", "grace-liu", company.context.policy.roster) == (Acts.MANAGER, "peter-novak")
    assert who_acts("dispute_overdue", None, company.context.policy.roster) == (Acts.OPS, None)
    assert who_acts("a_kind_of_tomorrow", "grace-liu", company.context.policy.roster) == (Acts.OPS, None)


def test_the_command_lists_each_with_its_id_age_who_acts_and_the_ways_out(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = edited_by_diego(company)
    company.pass_time(days=2)
    monkeypatch.setattr("tasks.context.open_context", lambda *_: company.context)
    said = CliRunner().invoke(list_exceptions, ["--kind", "owner_drift"]).output
    assert f"steward resolve {item.exception_id} restore|keep-theirs|snooze" in said
    assert "open for 2 days, for Peter Novak by 2026-11-24 09:10 UTC, overdue" in said
    assert user_id("salesforce", "diego-marin") in said or "diego-marin" in said


def test_a_record_is_read_again_once_its_system_holds_what_can_be_read(company: Rehearsal) -> None:
    company.account("salesforce", "001B", name="Bolt", website="bolt.com", employees="many", country="US")
    company.assign()
    item = only(company, "bad_record")
    assert "still cannot be read" in resolve(company.context, item.exception_id, "read", OPS)
    company.account("salesforce", "001B", employees=12)
    assert "can be read now" in resolve(company.context, item.exception_id, "read", OPS)
    assert again(company, item).resolved_by == OPS.id
    company.assign()
    assert company.owner("salesforce", "001B") is not None


def test_what_nobody_accepted_is_given_to_a_rep_by_an_override_and_closed_with_it(company: Rehearsal) -> None:
    company.account("salesforce", "001F", name="Firma", owner=None, country="Germany", employees=300)
    company.assign()
    for _ in range(4):
        company.pass_time(hours=25)
        company.new_run()
        escalate_due(company.context)
    item = only(company, "unaccepted")
    assert kind_of(item.kind).for_a_rep
    asked = request_override(company.context, str(item.account_id), PETER, "jonas-keller", "he knows them")
    answer_override(company.context, asked.override_id, OPS, "approved", "agreed")
    assert company.owner("salesforce", "001F") == "jonas-keller"
    company.assign()
    assert "unaccepted" not in company.exceptions()


def test_of_two_who_explain_it_away_at_once_the_first_counts(company: Rehearsal) -> None:
    company.account("stripe", "c1", name="Zeta", email="pay@zeta.com", active=True)
    company.assign()
    item, at_once = only(company, "shadow_account"), Barrier(2)

    def explain(person: Person) -> str:
        at_once.wait()
        return resolve_many(company.context, [item.exception_id], EXPLAIN, person, f"says {person.id}").in_words()

    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(explain, (OPS, OTHER_OPS)), key=len)
    with company.context.store.transaction(readonly=True) as uow:
        (kept,) = uow.exceptions.answers([item.exception_id])
    assert said[0] == "It is closed, and stays so."
    assert f"closed already, by {kept.said_by}" in said[1]
    assert again(company, item).resolved_by == kept.said_by
