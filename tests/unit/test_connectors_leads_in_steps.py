"""Leads through the steps that pull and push: read and written beside accounts, and never taken for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base import ObservedOwner, OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import RetryLater
from connectors.memory import MemoryTarget
from store.inbox import ChangeNote
from store.unit_of_work import UnitOfWork
from tasks.pull import inbox_of, pull_records, pull_stream
from tasks.push import push_target
from tasks.rehearsal import Rehearsal, rehearse, user_id

US_SMB = {"country": "US", "state": "NY", "employees": 20}
ID = "77"  # of a company and of a contact: HubSpot counts each object for itself


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Rehearsal]:
    founded = rehearse(tmp_path)
    yield founded
    founded.context.store.close()


class Watched:
    """A target's calls, as they came in."""

    def __init__(self, target: MemoryTarget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[tuple[str | None, int]] = []
        self.writes: list[int] = []
        read, write = target.read_owners, target.update_owners

        def read_owners(ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
            self.reads.append((object_type, len(ids)))
            return read(ids, object_type)

        def update_owners(changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
            self.writes.append(len(changes))
            return write(changes)

        monkeypatch.setattr(target, "read_owners", read_owners)
        monkeypatch.setattr(target, "update_owners", update_owners)


def two_of_one_id(company: Rehearsal) -> None:
    company.account("hubspot", ID, name="Acme", owner=None, **US_SMB)
    company.lead("hubspot", ID, name="Ada Lovelace", email="ada@engines.example", owner=None, consent=True, **US_SMB)
    company.assign()


def owner_of(company: Rehearsal, kind: str) -> str:
    """Whom the ledger says: of the account or of the lead under the one id."""
    with company.context.store.transaction(readonly=True) as uow:
        (subject,) = [each for each in uow.accounts.all() if each.kind == kind]
        return uow.ledger.current([subject.id])[subject.id].owner_id


def shown(company: Rehearsal, object_type: str) -> str | None:
    return company.targets["hubspot"].read_owners([ID], object_type)[0].owner_id


def states(company: Rehearsal) -> dict[str, int]:
    company.new_run()
    return dict(push_target(company.context, "hubspot").states)


def test_an_account_and_a_lead_of_one_id_are_each_written_in_one_read_of_each_kind_and_one_write(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_of_one_id(company)
    watched = Watched(company.targets["hubspot"], monkeypatch)
    assert states(company) == {"confirmed": 2}
    assert sorted(watched.reads, key=str) == [("companies", 1), ("contact", 1)]
    assert watched.writes == [2]
    assert shown(company, "companies") == user_id("hubspot", owner_of(company, "account"))
    assert shown(company, "contact") == user_id("hubspot", owner_of(company, "lead"))


def test_a_persons_edit_of_the_lead_holds_the_lead_and_not_the_account_of_that_id(company: Rehearsal) -> None:
    two_of_one_id(company)
    company.lead("hubspot", ID, owner="dana-whitfield")
    assert states(company) == {"confirmed": 1, "rejected": 1}
    assert shown(company, "contact") == user_id("hubspot", "dana-whitfield")
    assert shown(company, "companies") == user_id("hubspot", owner_of(company, "account"))
    assert company.exceptions().get("owner_drift") == 1


def test_a_lead_whose_write_got_no_answer_is_read_before_anything_else_and_not_written_twice(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_of_one_id(company)
    target, write = company.targets["hubspot"], company.targets["hubspot"].update_owners

    def silent_about_leads(changes: Sequence[OwnerChange]) -> tuple[OwnerResult, ...]:
        return tuple(
            OwnerResult(change.remote_id, WriteOutcome.UNKNOWN) if change.object_type == "contact" else result
            for change, result in zip(changes, write(changes), strict=True)
        )

    with monkeypatch.context() as patch:
        patch.setattr(target, "update_owners", silent_about_leads)
        assert states(company) == {"confirmed": 1, "unknown": 1}
    company.pass_time(minutes=5)
    watched = Watched(target, monkeypatch)
    assert states(company) == {"confirmed": 1}
    assert (watched.reads, watched.writes) == ([("contact", 1)], [])
    assert len(target.written) == 2


def test_when_leads_cannot_be_read_nothing_is_written_and_everything_is_put_back(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_of_one_id(company)
    target, read = company.targets["hubspot"], company.targets["hubspot"].read_owners

    def busy(ids: Sequence[str], object_type: str | None = None) -> tuple[ObservedOwner, ...]:
        if object_type == "contact":
            raise RetryLater("hubspot", "busy")
        return read(ids, object_type)

    with monkeypatch.context() as patch:
        patch.setattr(target, "read_owners", busy)
        with pytest.raises(RetryLater):
            states(company)
    assert target.written == []
    company.pass_time(minutes=5)
    assert states(company) == {"confirmed": 2}


def test_a_kind_of_record_the_system_has_no_owners_of_is_refused_and_harms_no_other_row(
    company: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_of_one_id(company)
    monkeypatch.setattr(company.targets["hubspot"], "object_types", ("companies",))
    assert states(company) == {"confirmed": 1, "rejected": 1}
    assert [change.object_type for change in company.targets["hubspot"].written] == ["companies"]
    assert company.exceptions().get("push_rejected") == 1


# --- pulling ---


def tell(company: Rehearsal, *external_ids: str) -> None:
    """What the vendor's webhooks leave behind, a moment ago."""
    at = company.now[0] - timedelta(seconds=1)

    def write(uow: UnitOfWork) -> None:
        for external_id in external_ids:
            stream, _, id_ = external_id.rpartition("/")
            uow.inbox.add(inbox_of("hubspot", stream), [ChangeNote(f"e-{external_id}", id_, at, "{}")], at)

    company.context.store.run(write)


def waiting(company: Rehearsal) -> tuple[int, int]:
    """Events about accounts and about leads whose record has not been read since."""
    with company.context.store.transaction(readonly=True) as uow:
        return uow.inbox.waiting("hubspot"), uow.inbox.waiting("hubspot/leads")


def test_reading_one_stream_settles_no_event_about_the_other(company: Rehearsal) -> None:
    tell(company, ID, f"leads/{ID}")
    assert waiting(company) == (1, 1)
    pull_stream(company.context, "hubspot", "accounts")
    assert waiting(company) == (0, 1)
    pull_stream(company.context, "hubspot", "leads")
    assert waiting(company) == (0, 0)


def test_named_records_are_read_from_the_stream_they_belong_to(company: Rehearsal) -> None:
    company.account("hubspot", ID, name="Acme")
    company.lead("hubspot", ID, name="Ada Lovelace")
    company.lead("hubspot", "78", name="Grace Hopper")
    tell(company, ID, f"leads/{ID}", "leads/78")
    company.new_run()
    pulled = pull_records(company.context, "hubspot", [ID, f"leads/{ID}", "leads/78"])
    assert (pulled.rows, pulled.new, pulled.stream) == (3, 3, "accounts+leads")
    with company.context.store.transaction(readonly=True) as uow:
        names = {(row.stream, row.external_id): row.fields["name"] for row in uow.staging.live("hubspot")}
    assert names == {("accounts", ID): "Acme", ("leads", ID): "Ada Lovelace", ("leads", "78"): "Grace Hopper"}
    assert waiting(company) == (0, 0)


def test_an_event_about_one_lead_is_not_settled_by_reading_another(company: Rehearsal) -> None:
    company.lead("hubspot", ID, name="Ada Lovelace")
    tell(company, f"leads/{ID}", "leads/78")
    company.new_run()
    pull_records(company.context, "hubspot", [f"leads/{ID}"])
    assert waiting(company) == (0, 1)


def test_a_slash_in_an_id_of_a_source_without_such_a_stream_is_part_of_the_id(company: Rehearsal) -> None:
    company.sources["usage"].put("accounts", "eu/77", {"active_seats": 3})
    company.new_run()
    assert pull_records(company.context, "usage", ["eu/77"]).new == 1
