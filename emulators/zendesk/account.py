"""What one Zendesk account holds: organisations, their custom fields, users, and the jobs that change many at once.

A lookup field holds the id of a user, as text, and Zendesk looks no further than whether that user exists: the filter
of the field "is not used to validate" (Lookup Relationships), so that a suspended agent or a customer is taken. Keys of
`organization_fields` that no field has are dropped without a word (from memory, unverified).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulators.zendesk.errors import ZendeskError, invalid_record, no_such_record, too_many_jobs

MOST_JOBS = 30  # queued or running (Rate limits, "Job limit")
READ_ONLY = frozenset({"id", "url", "created_at", "updated_at"})
SETTABLE = frozenset({"name", "external_id", "domain_names", "details", "notes", "tags", "group_id"})

Row = dict[str, Any]


@dataclass(slots=True)
class Job:
    """A background update of organisations. `results` is None until it ended."""

    id: str
    rows: list[Row]
    due_at: datetime
    status: str = "queued"
    results: list[Row] | None = None
    ended_at: datetime | None = None


class Account:
    """The records of one account by its clock. `job_delay` is how long a job takes."""

    def __init__(self, now: Callable[[], datetime], job_delay: timedelta) -> None:
        self._now, self._job_delay = now, job_delay
        self.organizations: dict[int, Row] = {}
        self.users: dict[int, Row] = {}
        self.fields: dict[str, Row] = {}
        self.jobs: dict[str, Job] = {}
        self.jobs_end = "completed"  # or "failed", "killed": after half of their rows

    def load(self, own: Mapping[str, Any]) -> None:
        self.fields = {field["key"]: dict(field) for field in own["organization_fields"]}
        self.users = {int(user["id"]): dict(user) for user in own["users"]}
        self.organizations = {int(row["id"]): self._whole(row) for row in own["organizations"]}
        self.jobs.clear()

    def update(self, id_: int, changes: Mapping[str, Any], at: datetime | None = None) -> Row:
        """Change one organisation. Raises `ZendeskError` 404 or 422."""
        row = self.organizations.get(id_)
        if row is None:
            raise no_such_record()
        own = {key: self._checked(key, value) for key, value in (changes.get("organization_fields") or {}).items()}
        known = {key: value for key, value in own.items() if key in self.fields}
        plain = {key: value for key, value in changes.items() if key in SETTABLE}
        fields = row["organization_fields"] | known
        fresh = row | plain | {"organization_fields": fields, "updated_at": stamp(at or self._now())}
        self.organizations[id_] = fresh
        return fresh

    def start_job(self, rows: list[Row]) -> Job:
        """Queue an update. Raises `ZendeskError` 429 when thirty are under way."""
        if sum(job.ended_at is None for job in self.jobs.values()) >= MOST_JOBS:
            raise too_many_jobs()
        job = Job(uuid.uuid4().hex, rows, self._now() + self._job_delay)
        self.jobs[job.id] = job
        return job

    def run_due_jobs(self) -> None:
        """Carry out whatever is due by now, each at its own instant."""
        for job in self.jobs.values():
            if job.ended_at is None:
                job.status = "working"
                if job.due_at <= self._now():
                    self._run(job)

    def _run(self, job: Job) -> None:
        whole = self.jobs_end == "completed"
        done = job.rows if whole else job.rows[: len(job.rows) // 2]
        job.results = [self._result(place, row, job.due_at) for place, row in enumerate(done)]
        job.status, job.ended_at = self.jobs_end, job.due_at

    def _result(self, place: int, row: Row, at: datetime) -> Row:
        """A row of a job's results. A failed one carries its place in the request as `id`: so does the answer to
        users/create_or_update_many that a customer posted in Zendesk's community (2021-08)."""
        try:
            self.update(int(row["id"]), row, at)
        except ZendeskError as error:
            body = error.body if isinstance(error.body, dict) else {}
            details = "; ".join(each["description"] for found in (body.get("details") or {}).values() for each in found)
            code = "OrganizationUpdateError" if details else "OrganizationNotFound"
            return {"id": place, "error": code, "details": details or body["description"], "status": "Failed"}
        return {"id": int(row["id"]), "action": "update", "success": True, "status": "Updated"}

    def _checked(self, key: str, value: Any) -> Any:
        field = self.fields.get(key)
        if field is None or field["type"] != "lookup" or value in (None, ""):
            return value or None
        if not str(value).isdecimal() or int(value) not in self.users:
            raise invalid_record(key, f"{field['title']}: {value} is not a valid record")
        return str(value)

    def _whole(self, row: Mapping[str, Any]) -> Row:
        """An organisation with every property Zendesk shows, and every field, empty ones as null."""
        at = row.get("updated_at") or stamp(self._now())
        defaults: Row = {
            "url": f"https://example.zendesk.com/api/v2/organizations/{row['id']}.json",
            "created_at": at, "updated_at": at, "domain_names": [], "details": None, "notes": None, "group_id": None,
            "shared_tickets": False, "shared_comments": False, "tags": [], "external_id": None,
        }  # fmt: skip
        fields = {key: None for key in self.fields} | dict(row.get("organization_fields") or {})
        return {**defaults, **row, "id": int(row["id"]), "organization_fields": fields}


def job_body(job: Job, base: str) -> Row:
    """A job as Zendesk shows it (Job Statuses)."""
    total = len(job.rows)
    ended = job.ended_at is not None
    return {
        "id": job.id,
        "job_type": "Bulk Update Organization",
        "url": f"{base}/api/v2/job_statuses/{job.id}.json",
        "total": total,
        "progress": len(job.results or []) if ended else 0,
        "status": job.status,
        "message": f"{job.status.capitalize()} at {job.ended_at:%Y-%m-%d %H:%M:%S} +0000" if job.ended_at else None,
        "results": job.results,
    }


def stamp(at: datetime) -> str:
    """Zendesk's instants have whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
