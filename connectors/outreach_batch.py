"""One owner for many accounts in one Outreach batch: begin it, wait for its end, say how many items failed and why.

`POST /batches/actions/accountsAssignOwner` (bulk API page, published OpenAPI). A bulk action without a filter works on
ALL accounts, and the description names two ways to choose, `attributes.ids` and `actionParams[filter]`. Both are sent:
whichever of them Outreach honours, or both, the same accounts are meant, and never all.

Once Outreach has taken a batch, nothing that happens here may look like "not done": all that goes wrong is `Ambiguous`.
Unverified: the names of a batch's states other than "finished" (its `finishedAt` and `canceledAt` are read as well),
how soon a batch begins, and which account a failed item speaks of (the caller reads the owners to know).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.errors import Ambiguous, ConnectorError
from connectors.outreach_api import NAME, OutreachApi, data_of, resource_of

ASSIGN = "/batches/actions/accountsAssignOwner"
LARGEST = 100  # accounts; their ids travel in the address, and proxies cut addresses above 8 kB
FIRST_POLL_S = 0.5
LONGEST_POLL_S = 8.0
WAIT_S = 60.0  # for one batch, all polls together; then its rows are unknown
MOST_REASONS = 100


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """What a batch said at its end: how many items failed, and Outreach's words for it."""

    failures: int
    reason: str


def assign_owner(api: OutreachApi, ids: Sequence[int], owner_id: int) -> BatchEnd:
    """Make `owner_id` the owner of these accounts and wait for the end. `ids` may not be empty (`ValueError`).

    Raises `RecordRejected`, `RetryLater` or `ConnectorStopped` when nothing was done, `Ambiguous` when nobody knows.
    """
    if not ids:
        raise ValueError("a batch without accounts would mean all of them")
    chosen = [("actionParams[filter][id][]", str(id_)) for id_ in ids]
    body = {"data": {"type": "batch", "attributes": {"ids": list(ids), "ownerId": owner_id}}}
    begun = api.send("POST", ASSIGN, body, [("actionParams[skipConfirmation]", "true"), *chosen])
    try:
        return _end(api, resource_of(begun))
    except Ambiguous:
        raise
    except ConnectorError as error:
        raise Ambiguous(NAME, f"a batch was begun, its end is not known: {error.message}", code=error.code) from error


def _end(api: OutreachApi, batch: Mapping[str, Any]) -> BatchEnd:
    waited_s, wait_s = 0.0, FIRST_POLL_S
    while not _ended(batch):
        if waited_s >= WAIT_S:
            raise Ambiguous(NAME, f"batch {batch['id']} is still running", code="BATCH_UNFINISHED")
        api.patience.sleep(wait_s)
        waited_s, wait_s = waited_s + wait_s, min(wait_s * 2, LONGEST_POLL_S)
        batch = resource_of(api.get(f"/batches/{batch['id']}"))
    failures = int(_attributes(batch).get("failures") or 0)
    return BatchEnd(failures, _reason(api, batch["id"]) if failures else "")


def _ended(batch: Mapping[str, Any]) -> bool:
    attributes = _attributes(batch)
    if attributes.get("pending"):
        return bool(attributes.get("canceledAt"))
    return attributes.get("state") == "finished" or bool(attributes.get("finishedAt") or attributes.get("canceledAt"))


def _reason(api: OutreachApi, batch_id: object) -> str:
    """The different words of the failed items."""
    params = [("filter[batchId]", str(batch_id)), ("filter[failed]", "true"), ("page[size]", str(MOST_REASONS))]
    items = data_of(api.get("/batchItems", [*params, ("count", "false")]))
    words = dict.fromkeys(str(_attributes(item).get("info") or "") for item in items)
    return "; ".join(word for word in words if word)[:500] or "Outreach gives no reason"


def _attributes(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = resource.get("attributes")
    return attributes if isinstance(attributes, Mapping) else {}


__all__ = ["LARGEST", "BatchEnd", "assign_owner"]
