"""Zendesk's background jobs: many organisations in one call, whose end has to be looked for.

All jobs of a write are queued first and then followed together, one look for all of them, so that a thousand changes
wait once and not ten times. From the moment a job is queued nothing about its rows may be called undone: whatever goes
wrong after that leaves them UNKNOWN. That show_many holds the results of each job, as showing one does, is the vendor's
schema and unverified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.errors import Ambiguous, ConnectorError
from connectors.zendesk_api import NAME, ZendeskApi, rows_of

BUDGET_S = 90.0  # of following; a push that holds its changes for two minutes is done by then
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 10.0
ENDS = frozenset({"completed", "failed", "killed"})


class Jobs:
    """The jobs of one write. `queue` each batch, then `settle` their results."""

    def __init__(self, api: ZendeskApi) -> None:
        self._api = api
        self._queued: dict[str, Sequence[OwnerChange]] = {}

    def queue(self, batch: Sequence[OwnerChange], rows: Sequence[Mapping[str, Any]]) -> list[OwnerResult]:
        """Start a job for `batch`; until it is settled each row is UNKNOWN, with the job's id as its code. Raises what
        the call raises."""
        body = self._api.put("organizations/update_many.json", {"organizations": list(rows)})
        job = body.get("job_status")
        if not isinstance(job, Mapping) or not job.get("id"):
            raise Ambiguous(NAME, "an answer has no job_status", code="BAD_ANSWER")
        self._queued[str(job["id"])] = batch
        text = "the job was queued; its end is not known"
        return [OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, str(job["id"]), text) for change in batch]

    def settle(self, results: Sequence[OwnerResult]) -> list[OwnerResult]:
        """`results` with what became of the rows of each job that ended within the budget."""
        told = {
            (id_, result.remote_id): result
            for id_, job in self._ended().items()
            for result in to_results(self._queued[id_], job)
        }
        return [told.get((result.code, result.remote_id), result) for result in results]

    def _ended(self) -> dict[str, Mapping[str, Any]]:
        ended: dict[str, Mapping[str, Any]] = {}
        waited_s, wait_s = 0.0, FIRST_WAIT_S
        while len(ended) < len(self._queued) and waited_s < BUDGET_S:
            self._api.patience.sleep(wait_s)
            waited_s, wait_s = waited_s + wait_s, min(wait_s * 2, LONGEST_WAIT_S)
            try:
                jobs = self._look([id_ for id_ in self._queued if id_ not in ended])
            except ConnectorError:
                break
            ended.update({str(job.get("id")): job for job in jobs if job.get("status") in ENDS})
        return {id_: job for id_, job in ended.items() if id_ in self._queued}

    def _look(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        return rows_of(self._api.get("job_statuses/show_many.json", ids=",".join(ids)), "job_statuses")


def to_results(batch: Sequence[OwnerChange], job: Mapping[str, Any]) -> list[OwnerResult]:
    """The results of a job that ended, matched by id. A failed row may carry its place in the batch instead, as `index`
    or even as `id`; Zendesk's own ids are far above 100. A row that is not mentioned is UNKNOWN."""
    places = {change.remote_id: place for place, change in enumerate(batch)}
    told: dict[int, OwnerResult] = {}
    results = job.get("results")
    for each in results if isinstance(results, list) else []:
        place = places.get(str(each.get("id")), each.get("index", each.get("id")))
        if isinstance(place, int) and 0 <= place < len(batch):
            told[place] = _to_result(batch[place], each)
    text = f"job {job.get('id')} {job.get('status')} without a word on this row"
    return [
        told.get(place) or OwnerResult(change.remote_id, WriteOutcome.UNKNOWN, "NOT_MENTIONED", text)
        for place, change in enumerate(batch)
    ]


def _to_result(change: OwnerChange, each: Mapping[str, Any]) -> OwnerResult:
    if each.get("success") or each.get("status") == "Updated":
        return OwnerResult(change.remote_id, WriteOutcome.WRITTEN)
    code, details = str(each.get("error") or each.get("status") or "FAILED"), str(each.get("details") or "")
    return OwnerResult(change.remote_id, WriteOutcome.REJECTED, code, details)


__all__ = ["BUDGET_S", "Jobs", "to_results"]
