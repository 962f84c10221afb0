"""What every connector promises (see `connectors/base.py`), as test classes that a connector joins with fixtures.

A connector's file subclasses `SourcePromises`, `OwnerTargetPromises`, `FieldTargetPromises` and, for a CRM,
`TaskTargetPromises`, and gives a fixture for each kind: a `SourceCase`, `TargetCase` or `FieldCase`, which holds the
connector and the hands of the outside world.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.base import (
    Cursor,
    FieldChange,
    FieldTarget,
    NewTask,
    Notice,
    Notifier,
    ObservedOwner,
    OwnerChange,
    OwnerHistory,
    OwnerResult,
    OwnerTarget,
    RecordState,
    Source,
    SourceRow,
    WriteOutcome,
)
from connectors.errors import BadRecord, ConnectorError, RecordRejected


@dataclass(frozen=True)
class SourceCase:
    """A source that holds exactly `ids` in `stream`, over several pages."""

    source: Source
    stream: str
    ids: Sequence[str]
    unknown_id: str
    change: Callable[[str], None]  # somebody edits this row at the vendor
    delete: Callable[[str], None] | None = None  # None where the vendor does not tell about deletions
    damage: Callable[[str], None] | None = None  # put a value of the wrong kind into this row


@dataclass(frozen=True)
class TargetCase:
    """A target with records of one object type, two active owners and an inactive one."""

    target: OwnerTarget
    object_type: str
    ids: Sequence[str]
    unknown_id: str
    owners: tuple[str, str]
    inactive_owner: str
    human_moves: Callable[[str, str], None]  # a person makes somebody (second) the owner of a record (first)


@dataclass(frozen=True)
class HistoryCase:
    """A target that keeps who set an owner. A person, `by`, makes somebody (second) the owner of a record (first);
    then an integration touches another of its fields."""

    target: OwnerTarget
    object_type: str
    ids: Sequence[str]
    unknown_id: str
    owners: tuple[str, str]
    by: str
    human_moves: Callable[[str, str], None]
    integration_touches: Callable[[str], None]
    forgets: Callable[[], None] | None = None  # history is switched off; None where it cannot be


@dataclass(frozen=True)
class FieldCase:
    """A target with records of one object type, and two fields made for marketing: a flag and a date. `shown` is what
    a record (first) holds in a field (second)."""

    target: FieldTarget
    object_type: str
    ids: Sequence[str]
    unknown_id: str
    flag: str
    date: str
    shown: Callable[[str, str], Any]


@dataclass(frozen=True)
class NotifierCase:
    notifier: Notifier
    known_email: str
    delivered: Callable[[], int]  # messages that people see


def everything(source: Source, stream: str, cursor: Cursor | None = None) -> tuple[list[SourceRow], Cursor | None]:
    """All rows of a pull, and the last cursor."""
    rows: list[SourceRow] = []
    for page in source.pull(stream, cursor):
        rows += page.rows
        cursor = page.cursor
    return rows, cursor


class SourcePromises:
    def test_the_source_can_be_reached(self, case: SourceCase) -> None:
        assert isinstance(case.source, Source)
        case.source.check()

    def test_a_first_pull_gives_every_row_once(self, case: SourceCase) -> None:
        rows, cursor = everything(case.source, case.stream)
        assert sorted(row.id for row in rows if not row.deleted) == sorted(case.ids)
        assert cursor is not None

    def test_pages_add_up_to_what_the_vendor_counted(self, case: SourceCase) -> None:
        pages = list(case.source.pull(case.stream))
        counted = {page.expected for page in pages if page.expected is not None}
        assert not counted or sum(len(page.rows) for page in pages) == max(counted)

    def test_stopping_after_any_page_loses_nothing(self, case: SourceCase) -> None:
        pages = list(case.source.pull(case.stream))
        assert len(pages) > 1, "the case must span several pages"
        for taken in range(1, len(pages)):
            stored = {row.id for page in pages[:taken] for row in page.rows}
            rest, _ = everything(case.source, case.stream, pages[taken - 1].cursor)
            assert stored | {row.id for row in rest} >= set(case.ids)

    def test_a_later_pull_brings_what_changed(self, case: SourceCase) -> None:
        _, cursor = everything(case.source, case.stream)
        changed = case.ids[len(case.ids) // 2]
        case.change(changed)
        rows, _ = everything(case.source, case.stream, cursor)
        assert changed in {row.id for row in rows}

    def test_pulling_twice_from_one_cursor_gives_the_same_rows(self, case: SourceCase) -> None:
        _, cursor = everything(case.source, case.stream)
        case.change(case.ids[0])
        first, _ = everything(case.source, case.stream, cursor)
        second, _ = everything(case.source, case.stream, cursor)
        assert {row.id for row in first} == {row.id for row in second}

    def test_a_pull_with_nothing_new_keeps_its_place(self, case: SourceCase) -> None:
        _, cursor = everything(case.source, case.stream)
        _, again = everything(case.source, case.stream, cursor)
        assert again is not None
        case.change(case.ids[-1])
        rows, _ = everything(case.source, case.stream, again)
        assert case.ids[-1] in {row.id for row in rows}

    def test_a_deleted_row_is_seen_as_deleted(self, case: SourceCase) -> None:
        if case.delete is None:
            pytest.skip("this vendor does not tell about deletions")
        _, cursor = everything(case.source, case.stream)
        case.delete(case.ids[1])
        rows, _ = everything(case.source, case.stream, cursor)
        assert [row.deleted for row in rows if row.id == case.ids[1]] == [True]

    def test_named_rows_come_in_the_order_asked_and_unknown_ones_as_deleted(self, case: SourceCase) -> None:
        asked = [case.ids[2], case.unknown_id, case.ids[0]]
        rows = case.source.pull_rows(case.stream, asked)
        assert [row.id for row in rows] == asked
        assert [row.deleted for row in rows] == [False, True, False]

    def test_rows_are_the_vendors_own_and_can_be_stored_as_json(self, case: SourceCase) -> None:
        rows, _ = everything(case.source, case.stream)
        assert all(json.loads(json.dumps(dict(row.fields))) == row.fields for row in rows)

    def test_every_row_becomes_a_value_of_this_source(self, case: SourceCase) -> None:
        rows, _ = everything(case.source, case.stream)
        values = [value for row in rows if (value := case.source.to_value(row)) is not None]
        assert values
        assert {value.source for value in values} == {case.source.name}

    def test_a_damaged_row_harms_only_itself_and_says_which_field_to_mend(self, case: SourceCase) -> None:
        if case.damage is None:
            pytest.skip("this vendor refuses such values itself")
        case.damage(case.ids[0])
        good, bad = 0, []
        for row in everything(case.source, case.stream)[0]:
            try:
                case.source.to_value(row)
                good += 1
            except BadRecord as error:
                bad.append(error)
        assert good == len(case.ids) - 1
        assert len(bad) == 1
        assert bad[0].mend


def read(case: TargetCase, ids: Sequence[str]) -> tuple[ObservedOwner, ...]:
    return case.target.read_owners(ids, case.object_type)


DUE = datetime(2026, 11, 27, 23, 30, tzinfo=ZoneInfo("America/New_York"))  # in UTC it is the 28th


def a_task(case: TargetCase, *, remote_id: str = "", owner_id: str = "", key: str = "a1") -> NewTask:
    """A task on the first record for the first owner, unless said otherwise."""
    ids = (case.object_type, remote_id or case.ids[0], owner_id or case.owners[0])
    return NewTask(*ids, "Introduce yourself", DUE, key)


class OwnerTargetPromises:
    def test_users_who_left_are_listed_as_inactive(self, case: TargetCase) -> None:
        assert isinstance(case.target, OwnerTarget)
        users = {user.id: user for user in case.target.users()}
        assert all(users[owner].active for owner in case.owners)
        assert not users[case.inactive_owner].active

    def test_owners_are_read_in_the_order_asked_and_unknown_records_are_missing(self, case: TargetCase) -> None:
        asked = [case.ids[1], case.unknown_id, case.ids[0]]
        seen = read(case, asked)
        assert [one.remote_id for one in seen] == asked
        assert [one.state for one in seen] == [RecordState.LIVE, RecordState.MISSING, RecordState.LIVE]

    def test_an_object_the_target_does_not_know_is_refused_before_anything_is_sent(self, case: TargetCase) -> None:
        assert case.target.object_type in case.target.object_types
        changes = [OwnerChange("Invoice", case.ids[0], case.owners[0]), *self._to(case, case.ids[1:2], case.owners[0])]
        before = read(case, case.ids[:2])
        with pytest.raises(ValueError, match="Invoice"):
            case.target.update_owners(changes)
        with pytest.raises(ValueError, match="Invoice"):
            case.target.read_owners(case.ids[:1], "Invoice")
        assert read(case, case.ids[:2]) == before

    def test_written_owners_are_shown(self, case: TargetCase) -> None:
        changes = self._to(case, case.ids, case.owners[0])
        results = case.target.update_owners(changes)
        assert [result.outcome for result in results] == [WriteOutcome.WRITTEN] * len(changes)
        assert {one.owner_id for one in read(case, case.ids)} == {case.owners[0]}

    def test_results_come_in_the_order_of_the_changes(self, case: TargetCase) -> None:
        changes = self._to(case, list(reversed(case.ids)), case.owners[0])
        results = case.target.update_owners(changes)
        assert [result.remote_id for result in results] == [change.remote_id for change in changes]

    def test_one_bad_row_harms_only_itself(self, case: TargetCase) -> None:
        changes = self._to(case, case.ids, case.owners[1])
        at = len(changes) // 2
        changes[at] = OwnerChange(case.object_type, case.ids[at], case.inactive_owner)
        outcomes = [result.outcome for result in case.target.update_owners(changes)]
        assert outcomes.pop(at) is WriteOutcome.REJECTED
        assert set(outcomes) == {WriteOutcome.WRITTEN}

    def test_a_record_that_is_gone_is_rejected_and_the_others_are_written(self, case: TargetCase) -> None:
        changes = self._to(case, [case.ids[0], case.unknown_id, case.ids[1]], case.owners[1])
        outcomes = [result.outcome for result in case.target.update_owners(changes)]
        assert outcomes == [WriteOutcome.WRITTEN, WriteOutcome.REJECTED, WriteOutcome.WRITTEN]

    def test_nothing_to_write_writes_nothing(self, case: TargetCase) -> None:
        assert case.target.update_owners([]) == ()
        assert case.target.read_owners([]) == ()

    def test_a_conditional_write_happens_when_nobody_wrote_in_between(self, case: TargetCase) -> None:
        result = self._write_if_unchanged(case, case.ids[0], case.owners[0])
        assert result.outcome is WriteOutcome.WRITTEN
        assert read(case, case.ids[:1])[0].owner_id == case.owners[0]

    def test_a_persons_edit_in_between_wins_over_a_conditional_write(self, case: TargetCase) -> None:
        version = read(case, case.ids[:1])[0].version
        assert version is not None
        case.human_moves(case.ids[0], case.owners[1])
        change = OwnerChange(case.object_type, case.ids[0], case.owners[0])
        assert case.target.update_owner_if(change, version).outcome is WriteOutcome.MOVED
        assert read(case, case.ids[:1])[0].owner_id == case.owners[1]

    def test_a_conditional_write_to_an_inactive_owner_is_rejected(self, case: TargetCase) -> None:
        assert self._write_if_unchanged(case, case.ids[0], case.inactive_owner).outcome is WriteOutcome.REJECTED

    def _to(self, case: TargetCase, ids: Sequence[str], owner: str) -> list[OwnerChange]:
        return [OwnerChange(case.object_type, id_, owner) for id_ in ids]

    def _write_if_unchanged(self, case: TargetCase, id_: str, owner: str) -> OwnerResult:
        version = read(case, [id_])[0].version
        assert version is not None
        return case.target.update_owner_if(OwnerChange(case.object_type, id_, owner), version)


class OwnerHistoryPromises:
    def test_who_set_the_owner_is_told_though_others_touched_the_record_since(self, history: HistoryCase) -> None:
        assert isinstance(history.target, OwnerHistory)
        id_ = history.ids[0]
        history.human_moves(id_, history.owners[0])
        (moved,) = history.target.read_owners([id_], history.object_type)
        history.integration_touches(id_)
        (shown,) = history.target.read_owners([id_], history.object_type)
        last = history.target.who_set([shown], history.object_type)[id_]
        assert (last.by, last.at) == (history.by, moved.modified_at)

    def test_who_set_the_owner_before_is_not_told_for_who_did_now(self, history: HistoryCase) -> None:
        id_ = history.ids[0]
        history.human_moves(id_, history.owners[0])
        (shown,) = history.target.read_owners([id_], history.object_type)
        written = history.target.update_owners([OwnerChange(history.object_type, id_, history.owners[1])])
        assert written[0].outcome is WriteOutcome.WRITTEN
        assert isinstance(history.target, OwnerHistory)
        (now,) = history.target.read_owners([id_], history.object_type)
        assert history.target.who_set([now], history.object_type)[id_].by != history.by
        assert id_ not in history.target.who_set([shown], history.object_type)

    def test_of_records_nobody_moved_and_of_none_that_is_there_nothing_is_told(self, history: HistoryCase) -> None:
        assert isinstance(history.target, OwnerHistory)
        ids = [*history.ids, history.unknown_id]
        history.human_moves(ids[1], history.owners[0])
        shown = history.target.read_owners(ids, history.object_type)
        assert set(history.target.who_set(shown, history.object_type)) == {ids[1]}

    def test_where_no_history_is_kept_nothing_is_told(self, history: HistoryCase) -> None:
        if history.forgets is None:
            pytest.skip("this vendor always keeps its history")
        assert isinstance(history.target, OwnerHistory)
        history.forgets()
        history.human_moves(history.ids[0], history.owners[0])
        shown = history.target.read_owners(history.ids[:1], history.object_type)
        assert history.target.who_set(shown, history.object_type) == {}


class NotifierPromises:
    def test_a_notice_reaches_its_person(self, case: NotifierCase) -> None:
        case.notifier.check()
        assert case.notifier.notify(self._notice(case.known_email, "offer-1"))
        assert case.delivered() == 1

    def test_the_same_notice_twice_is_seen_once(self, case: NotifierCase) -> None:
        first = case.notifier.notify(self._notice(case.known_email, "offer-1"))
        assert case.notifier.notify(self._notice(case.known_email, "offer-1")) == first
        assert case.delivered() == 1

    def test_a_person_the_vendor_does_not_know_is_rejected(self, case: NotifierCase) -> None:
        with pytest.raises(RecordRejected) as caught:
            case.notifier.notify(self._notice("nobody@elsewhere.example", "offer-2"))
        assert isinstance(caught.value, ConnectorError)
        assert "nobody@elsewhere.example" in str(caught.value)

    def _notice(self, email: str, key: str) -> Notice:
        lines = ("Acme GmbH is yours from today.", "Please accept within 24 hours.")
        return Notice(email, "New account", lines, key, {"Accept": "https://steward.example/a/1"})


class TaskTargetPromises:
    """A target that tasks can be put in. Beside `OwnerTargetPromises`, whose `case` it uses."""

    def test_a_task_gets_an_id_of_its_own_and_is_found_by_its_key(self, case: TargetCase) -> None:
        first = case.target.create_task(a_task(case, key="a1"))
        second = case.target.create_task(a_task(case, key="b2"))
        assert first != second
        assert case.target.find_task(case.object_type, case.ids[0], "a1") == first
        assert case.target.find_task(case.object_type, case.ids[0], "b2") == second

    def test_a_task_nobody_made_is_not_found(self, case: TargetCase) -> None:
        case.target.create_task(a_task(case, key="a1"))
        assert case.target.find_task(case.object_type, case.ids[0], "a2") is None
        assert case.target.find_task(case.object_type, case.ids[1], "a1") is None
        assert case.target.find_task(case.object_type, case.unknown_id, "a1") is None

    def test_a_task_on_a_record_that_is_gone_is_rejected(self, case: TargetCase) -> None:
        with pytest.raises(RecordRejected):
            case.target.create_task(a_task(case, remote_id=case.unknown_id))

    def test_a_task_for_somebody_who_left_is_rejected_with_the_vendors_word(self, case: TargetCase) -> None:
        with pytest.raises(RecordRejected) as caught:
            case.target.create_task(a_task(case, owner_id=case.inactive_owner))
        assert caught.value.message
        assert case.target.find_task(case.object_type, case.ids[0], "a1") is None


class FieldTargetPromises:
    """A target whose records can show marketing something, over several batches."""

    def test_a_flag_and_a_date_are_set_and_set_again_and_cleared_again(self, field_case: FieldCase) -> None:
        for flag, date in ((True, "2026-12-24"), (True, "2026-12-24"), (False, None), (False, None)):
            written = field_case.target.update_fields(self._changes(field_case, flag, date))
            assert [result.outcome for result in written] == [WriteOutcome.WRITTEN] * len(field_case.ids)
            for id_ in field_case.ids:
                assert field_case.shown(id_, field_case.flag) in ((True, "true") if flag else (False, "false"))
                assert field_case.shown(id_, field_case.date) == date

    def test_a_record_that_is_gone_harms_only_itself(self, field_case: FieldCase) -> None:
        good, *rest = self._changes(field_case, True, "2026-12-24")
        results = field_case.target.update_fields([good, replace(good, remote_id=field_case.unknown_id), *rest])
        assert [result.remote_id for result in results] == [good.remote_id, field_case.unknown_id, *field_case.ids[1:]]
        outcomes = [result.outcome for result in results]
        assert outcomes.pop(1) is WriteOutcome.REJECTED
        assert set(outcomes) == {WriteOutcome.WRITTEN}
        assert field_case.shown(field_case.ids[-1], field_case.date) == "2026-12-24"

    def test_a_field_that_is_not_there_is_refused_with_the_vendors_word(self, field_case: FieldCase) -> None:
        few = [replace(each, values={"no_such_field__c": True}) for each in self._changes(field_case, True, None)[:3]]
        for result in field_case.target.update_fields(few):
            assert result.outcome is WriteOutcome.REJECTED
            assert "no_such_field__c" in result.message

    def test_a_field_of_another_type_refuses_the_value(self, field_case: FieldCase) -> None:
        (change,) = self._changes(field_case, True, None)[:1]
        (result,) = field_case.target.update_fields([replace(change, values={field_case.date: "true"})])
        assert result.outcome is WriteOutcome.REJECTED
        assert result.message

    def test_an_object_type_it_does_not_have_is_a_mistake_before_anything_is_sent(self, field_case: FieldCase) -> None:
        changes = self._changes(field_case, True, None)[:1]
        with pytest.raises(ValueError, match="weasel"):
            field_case.target.update_fields([*changes, replace(changes[0], object_type="weasel")])
        assert field_case.shown(field_case.ids[0], field_case.flag) in (None, False, "false")

    def _changes(self, case: FieldCase, flag: bool, date: str | None) -> list[FieldChange]:
        return [FieldChange(case.object_type, id_, {case.flag: flag, case.date: date}) for id_ in case.ids]
