"""Bulk API 2.0: query jobs and ingest (update) jobs, which take a few looks to finish.

Wire formats: Bulk API 2.0 and Bulk API Developer Guide. No recording of failed rows is public: those rest on the guide.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulators.exchange import Reply
from emulators.salesforce.errors import ApiError, RowError, not_found
from emulators.salesforce.org import Org
from emulators.salesforce.schema import Kind, find_kind
from emulators.salesforce.selection import Selection
from emulators.salesforce.soql import instant_text, parse_soql
from emulators.salesforce.values import Record
from emulators.world.ids import salesforce_id

MAX_UPLOAD = 150_000_000  # bytes of a job
DEFAULT_PAGE = 50_000
RUNNING = ("UploadComplete", "InProgress")


@dataclass(slots=True)
class _Job:
    """`looks` counts the times its state was asked for since it began to run."""

    id: str
    operation: str
    kind: Kind
    shown: dict[str, Any]
    state: str = "Open"
    looks: int = 0
    selection: Selection | None = None
    found: list[Record] = field(default_factory=list)
    upload: bytes | None = None
    columns: list[str] = field(default_factory=list)
    done: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)


class BulkJobs:
    """All jobs of the org. A job is finished at its `polls`th look after it was given in."""

    def __init__(self, org: Org, now: Callable[[], datetime], by: Callable[[], str], polls: int) -> None:
        self._org, self._now, self._by, self._polls = org, now, by, polls
        self._jobs: dict[str, _Job] = {}

    def create_query(self, body: dict[str, Any], version: str) -> Reply:
        """POST jobs/query. The query is checked at once and run when the job is."""
        operation = body.get("operation")
        if operation not in ("query", "queryAll"):
            raise _bad_job(f"operation {operation!r} is not supported")
        query = parse_soql(str(body.get("query", "")))
        if not query.paths or query.offset:
            raise _bad_job("COUNT() and OFFSET are not supported in bulk queries")
        selection = Selection(self._org, query)
        job = self._open(operation, selection.kind, version)
        job.selection, job.state = selection, "UploadComplete"
        return Reply(200, self._show(job))

    def query_state(self, job_id: str) -> Reply:
        """GET jobs/query/{id}: each look brings the job on."""
        job = self._job(job_id, query=True)
        if job.state in RUNNING:
            self._look(job, self._run_query)
        return Reply(200, {**self._show(job), "jobType": "V2Query", "numberRecordsProcessed": len(job.found)} | _RAN)

    def query_results(self, job_id: str, locator: str, max_records: str) -> Reply:
        """GET jobs/query/{id}/results: CSV, the next page's locator in Sforce-Locator, "null" after the last."""
        job = self._job(job_id, query=True)
        if job.state != "JobComplete" or job.selection is None:
            raise _bad_job(f"results are not available: the job is {job.state}")
        start = _offset(locator, len(job.found))
        size = int(max_records) if max_records.isdigit() and int(max_records) else DEFAULT_PAGE
        rows = job.found[start : start + size]
        following = str(start + size) if start + size < len(job.found) else "null"
        cells = [[_cell(value, f.type) for f, value in job.selection.cells(row)] for row in rows]
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(rows))}
        return _csv_reply([job.selection.columns(), *cells], headers)

    def create_ingest(self, body: dict[str, Any], version: str) -> Reply:
        """POST jobs/ingest, for updates."""
        kind = find_kind(str(body.get("object", "")))
        if kind is None or body.get("operation") != "update":
            raise _bad_job("only updates of the org's own objects are supported")
        job = self._open("update", kind, version)
        extra = {"contentUrl": f"services/data/{version}/jobs/ingest/{job.id}/batches"}
        job.shown |= extra
        return Reply(200, self._show(job))

    def upload(self, job_id: str, data: bytes) -> Reply:
        """PUT jobs/ingest/{id}/batches: once, while the job is open."""
        job = self._job(job_id, query=False)
        if job.state != "Open" or job.upload is not None:
            raise _bad_job(f"data cannot be uploaded: the job is {job.state}")
        if len(data) > MAX_UPLOAD:
            raise ApiError(413, "REQUEST_TOO_LARGE", "a job takes at most 150 MB")
        job.upload = data
        return Reply(201, None)

    def close_ingest(self, job_id: str, body: dict[str, Any]) -> Reply:
        """PATCH jobs/ingest/{id} with {"state": "UploadComplete" | "Aborted"}."""
        job = self._job(job_id, query=False)
        wanted = body.get("state")
        if job.state != "Open" or wanted not in ("UploadComplete", "Aborted"):
            raise _bad_job(f"the job is {job.state} and cannot become {wanted}")
        job.state = str(wanted)
        return Reply(200, self._show(job))

    def ingest_state(self, job_id: str) -> Reply:
        job = self._job(job_id, query=False)
        if job.state in RUNNING:
            self._look(job, self._run_update)
        counts = {"numberRecordsProcessed": len(job.done) + len(job.failed), "numberRecordsFailed": len(job.failed)}
        return Reply(200, {**self._show(job), "jobType": "V2Ingest"} | counts | _RAN)

    def ingest_results(self, job_id: str, which: str) -> Reply:
        """GET jobs/ingest/{id}/successfulResults, failedResults or unprocessedrecords."""
        job = self._job(job_id, query=False)
        if which == "successfulResults":
            return _csv_reply([["sf__Id", "sf__Created", *job.columns], *job.done])
        if which == "failedResults":
            return _csv_reply([["sf__Id", "sf__Error", *job.columns], *job.failed])
        waiting = job.state in ("Aborted", "Failed") and job.upload
        return _csv_reply(_read_csv(job.upload) if waiting and job.upload else [job.columns])

    def _open(self, operation: str, kind: Kind, version: str) -> _Job:
        number = len(self._jobs) + 1
        now = instant_text(self._now())
        shown = {
            "operation": operation,
            "object": kind.name,
            "createdById": self._by(),
            "createdDate": now,
            "systemModstamp": now,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(version.removeprefix("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        job = _Job(salesforce_id("750", number), operation, kind, shown)
        self._jobs[job.id] = job
        return job

    def _job(self, job_id: str, *, query: bool) -> _Job:
        job = self._jobs.get(job_id)
        if job is None or (job.selection is not None) != query:
            raise not_found()
        return job

    def _show(self, job: _Job) -> dict[str, Any]:
        return {"id": job.id, **job.shown, "state": job.state}

    def _look(self, job: _Job, run: Callable[[_Job], None]) -> None:
        job.looks += 1
        if job.looks < self._polls:
            job.state = "InProgress"
            return
        job.state = "JobComplete"
        run(job)

    def _run_query(self, job: _Job) -> None:
        """The result is fixed when the job runs, whatever is written while its pages are fetched."""
        if job.selection is not None:
            found = job.selection.run(include_deleted=job.operation == "queryAll")
            job.found = [dict(record) for record in found]

    def _run_update(self, job: _Job) -> None:
        table = _read_csv(job.upload or b"")
        if not table:
            job.state = "Failed"
            job.shown["errorMessage"] = "InvalidBatch : Failed to parse CSV header"
            return
        job.columns = table[0]
        if any(job.kind.field(name) is None for name in job.columns):
            job.state = "Failed"
            job.shown["errorMessage"] = "InvalidBatch : Field name not found"
            return
        for row in table[1:]:
            self._update_row(job, row)

    def _update_row(self, job: _Job, row: list[str]) -> None:
        """An empty cell leaves the field alone; #N/A makes it null."""
        cells = {name: value for name, value in zip(job.columns, row, strict=False) if value != ""}
        record_id = next((cells.pop(name) for name in tuple(cells) if name.lower() == "id"), "")
        fields = {name: None if value == "#N/A" else value for name, value in cells.items()}
        try:
            if not record_id:
                raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
            written = self._org.update(job.kind, record_id, fields, self._by())
        except RowError as error:
            shown = record_id if error.code != "MISSING_ARGUMENT" else ""
            job.failed.append([shown, f"{error.code}:{error.message}:{' '.join(error.fields) or '--'}", *row])
            return
        job.done.append([written["Id"], "false", *row])


_RAN = {"retries": 0, "totalProcessingTime": 0}


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "datetime":
        return str(value).replace("+0000", "Z")
    return str(value)


def _csv_reply(rows: list[list[str]], headers: dict[str, str] | None = None) -> Reply:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return Reply(200, text.getvalue().encode(), {"Content-Type": "text/csv", **(headers or {})}, rows=len(rows) - 1)


def _read_csv(data: bytes) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(data.decode("utf-8"), newline="")) if row]


def _offset(locator: str, rows: int) -> int:
    if not locator:
        return 0
    if not locator.isdigit() or int(locator) >= rows:
        raise ApiError(400, "INVALIDJOB", f"invalid locator: {locator}")
    return int(locator)


def _bad_job(message: str) -> ApiError:
    return ApiError(400, "INVALIDJOB", message)
