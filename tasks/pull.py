"""Pull: copy what an outside system says into staged rows, page by page, with the cursor in the same commit.

A row that cannot be read becomes an exception of its own and stays staged; the others go on.

A change event names a record of a source's first stream by its id, one of another stream by "<stream>/<id>". What it
told us lies in the inbox under `inbox_of(source, stream)`, so that reading one stream settles nothing of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from connectors.base import Cursor, Page, Source, SourceRow
from connectors.errors import BadRecord
from store.cursors import StoredCursor
from store.people import PersonSeen
from store.staging import RowKey, StagedRow
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.steps import as_task


@dataclass(frozen=True, slots=True)
class Pulled:
    """Rows of one stream: how many came, and how many were new, changed, the same, or unreadable."""

    source: str
    stream: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    problems: int = 0

    def plus(self, new: int, changed: int, same: int, problems: int) -> Pulled:
        return Pulled(
            self.source,
            self.stream,
            self.rows + new + changed + same,
            self.new + new,
            self.changed + changed,
            self.same + same,
            self.problems + problems,
        )


def inbox_of(source: str, stream: str = "") -> str:
    """Under which name the inbox keeps events about records of a stream; `stream` is empty for the first one."""
    return f"{source}/{stream}" if stream else source


def pull_stream(context: RunContext, source: str, stream: str) -> Pulled:
    """Pull everything changed since the stored cursor.

    Each page and its cursor are one commit, so a run killed anywhere repeats at most one page.
    Raises `RetryLater`, `SchemaChanged`, `ConnectorStopped`, `CursorMoved` (another run pulls the same stream).
    """
    connector = context.connectors.sources[source]
    started_at = context.now()
    stored = _stored_cursor(context, source, stream)
    done = Pulled(source, stream)
    for page in connector.pull(stream, _to_cursor(stored)):
        done = _store_page(context, connector, page, stored, done)
        if page.cursor is not None:
            stored = _stored_cursor(context, source, stream)
    inbox = inbox_of(source, _beside_first(connector, stream))
    context.store.run(lambda uow: uow.inbox.note_read(inbox, started_at, context.now()))
    return done


def pull_records(context: RunContext, source: str, external_ids: Sequence[str]) -> Pulled:
    """Read these records now, whatever the cursor says: a change event named them (see the module on how).

    The event's own payload is never used: it may be late, repeated or out of order.
    """
    connector = context.connectors.sources[source]
    wanted = _by_stream(connector, external_ids)
    done = Pulled(source, "+".join(wanted))
    for stream, ids in wanted.items():
        started_at, inbox = context.now(), inbox_of(source, _beside_first(connector, stream))
        page = Page(connector.pull_rows(stream, ids), None)
        done = _store_page(context, connector, page, None, done)
        context.store.run(partial(_note_read, context, inbox, started_at, ids))
    return done


def _note_read(context: RunContext, inbox: str, started_at: datetime, ids: Sequence[str], uow: UnitOfWork) -> None:
    uow.inbox.note_read(inbox, started_at, context.now(), ids)


def _by_stream(connector: Source, external_ids: Sequence[str]) -> dict[str, list[str]]:
    """The ids under the stream each belongs to."""
    found: dict[str, list[str]] = {}
    for external_id in external_ids:
        stream, _, id_ = external_id.partition("/")
        if stream not in connector.streams[1:]:
            stream, id_ = connector.streams[0], external_id
        found.setdefault(stream, []).append(id_)
    return found


def _beside_first(connector: Source, stream: str) -> str:
    return "" if stream == connector.streams[0] else stream


def pull_people(context: RunContext, target: str) -> int:
    """Learn every user of a system, so that e-mail addresses become owner ids. Returns how many there are."""
    users = context.connectors.targets[target].users()
    people = [PersonSeen(user.id, user.name, user.email, user.active, user.kind) for user in users]
    context.store.run(lambda uow: uow.people.put(target, people, context.now()))
    return len(people)


def _stored_cursor(context: RunContext, source: str, stream: str) -> StoredCursor | None:
    with context.store.transaction(readonly=True) as uow:
        return uow.cursors.get(source, _place(context, source, stream))


def _place(context: RunContext, source: str, stream: str) -> str:
    """Under what a stream's cursor is kept. With other fields a stream is pulled anew."""
    return stream + context.connectors.sources[source].shape


def _to_cursor(stored: StoredCursor | None) -> Cursor | None:
    return Cursor(stored.high_water, stored.tie_break) if stored else None


def _store_page(
    context: RunContext, connector: Source, page: Page, stored: StoredCursor | None, done: Pulled
) -> Pulled:
    problems = {row.id: problem for row in page.rows if (problem := _problem_of(connector, row))}

    def write(uow: UnitOfWork) -> Pulled:
        now = context.now()
        rows = _without_erased(uow, context, page.rows, now)
        staged = [_to_staged(row, problems.get(row.id)) for row in rows]
        summary = uow.staging.put(staged, context.run_id, now)
        _note_problems(uow, context, rows, problems, now)
        if page.cursor is not None:
            generation = stored.generation if stored else 0
            uow.cursors.advance(
                done.source,
                _place(context, done.source, done.stream),
                page.cursor.high_water,
                page.cursor.tie_break,
                generation,
                context.run_id,
                now,
            )
        return done.plus(summary.new, summary.changed, summary.same, len(problems))

    return context.store.run(write)


def _without_erased(uow: UnitOfWork, context: RunContext, rows: Sequence[SourceRow], now: datetime) -> list[SourceRow]:
    """The rows without those of people who were erased here; that the system still has one needs a person."""
    keys = {RowKey(row.source, row.stream, row.id): row for row in rows}
    back = uow.erasures.came_back(keys)
    for key in sorted(back, key=str):
        name = f"erased_record:{key.source}/{key.stream}/{key.external_id}"
        if keys[key].deleted:
            uow.exceptions.close([name], "steward", "it was erased there too", now)
            continue
        problem = f"{key.source} still has a person who was erased here; erase the record there, too"
        detail = {"source": key.source, "record": key.external_id, "problem": problem}
        uow.exceptions.open("erased_record", name, None, detail, "warning", context.run_id, now)
    return [row for key, row in keys.items() if key not in back]


def _to_staged(row: SourceRow, problem: str | None) -> StagedRow:
    return StagedRow(
        source=row.source,
        stream=row.stream,
        external_id=row.id,
        fields=row.fields,
        modified_at=row.modified_at,
        deleted=row.deleted,
        problem=problem,
        merged_into=row.merged_into,
    )


def _problem_of(connector: Source, row: SourceRow) -> str | None:
    if row.deleted:
        return None
    try:
        connector.to_value(row)
    except BadRecord as bad:
        return str(bad)
    return None


def _note_problems(
    uow: UnitOfWork, context: RunContext, rows: Sequence[SourceRow], problems: Mapping[str, str], now: datetime
) -> None:
    readable = [_bad_record_key(row) for row in rows if row.id not in problems]
    uow.exceptions.close(readable, by="steward", resolution="the record can be read again", now=now)
    for row in rows:
        if row.id in problems:
            detail = {"source": row.source, "stream": row.stream, "record": row.id, "problem": problems[row.id]}
            uow.exceptions.open("bad_record", _bad_record_key(row), None, detail, "warning", context.run_id, now)


def _bad_record_key(row: SourceRow) -> str:
    return f"bad_record:{row.source}/{row.stream}/{row.id}"


pull_stream_task = as_task(pull_stream, "pull", "pull {source} {stream}")
pull_records_task = as_task(pull_records, "pull")
pull_people_task = as_task(pull_people, "pull", "pull people of {target}")
