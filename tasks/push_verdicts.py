"""What becomes of one claimed row: the next state, and the exception a person needs to see. No I/O.

docs/push.md lists every verdict with what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.base import ObservedOwner, OwnerResult, RecordState, WriteOutcome
from connectors.errors import RetryLater
from ownership.identities import Identities
from store.outbox import OutboxRow

MAX_ATTEMPTS = 6
FIRST_WAIT_S = 20.0
LONGEST_WAIT_S = 3600.0
MENDS = {
    "INACTIVE_OWNER_OR_USER": "Reactivate the user in Salesforce, or say in the roster that they left",
    "OP_WITH_INVALID_USER_TYPE_EXCEPTION": "Give the owner a licence that may own this record, or reassign it",
    "TRANSFER_REQUIRES_READ": "Give the new owner read access to the object in Salesforce (profile or permission set)",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Let the integration user edit and transfer all records of this object",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Let the integration user edit the records this one hangs on",
    "ENTITY_IS_DELETED": "Nothing: the next pull sees that the record is gone, or follows what it was merged into",
    "CANNOT_UPDATE_CONVERTED_LEAD": "Nothing: the lead was converted, and the next pull sees it",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "Fill in what the validation rule asks for, or exempt the integration user",
    "DUPLICATES_DETECTED": "Merge the duplicates in Salesforce, or let the rule's alert pass for the integration user",
    "UNABLE_TO_LOCK_ROW": "Find what keeps writing this record or its parent account; the next change is sent again",
}
"""What a person can do about a row that a vendor refuses for good, by its code; others speak for themselves."""

# A vendor may still do a write up to a minute after we stopped waiting for its answer. Until this has passed the row is
# not read, and nothing newer is written to its record: the newer owner would be overwritten by the older one.
SETTLE_S = 90.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one claimed row: its next state, and the exception a person needs to see, if any."""

    row: OutboxRow
    state: str
    outcome: str
    code: str = ""
    message: str = ""
    observed: str | None = None
    exception: str | None = None
    wait_s: float | None = None


def unknown_type(row: OutboxRow) -> Verdict:
    message = f"{row.target} shows no owners of a {row.object_type}; nothing was written"
    return Verdict(row, "rejected", "no_such_type", "OBJECT_TYPE", message, exception="push_rejected")


def judge_before_write(
    row: OutboxRow, seen: ObservedOwner, ours: frozenset[str], identities: Identities
) -> Verdict | None:
    """Compare what the record shows with what we want and what we expected. None: go on and write."""
    shown = identities.label(row.target, seen.owner_id)
    if seen.state is not RecordState.LIVE:
        message = f"the record is {seen.state.value} in {row.target}; nothing was written"
        return Verdict(row, "rejected", "gone", seen.state.value, message, shown, "record_gone")
    if shown == row.desired_owner:
        return Verdict(row, "confirmed", "already_shown", observed=shown)
    if shown != row.expected_remote_owner and shown not in ours:
        message = f"{row.target} shows {shown or 'nobody'}, expected {row.expected_remote_owner or 'nobody'}"
        return Verdict(row, "rejected", "moved", "OWNER_MOVED", message, shown, "owner_drift")
    if message := identities.unreachable_because(row.desired_owner, row.target):
        return Verdict(row, "rejected", "no_user", "NO_USER", message, shown, "owner_has_no_user")
    return None


def judge_result(row: OutboxRow, result: OwnerResult) -> Verdict:
    said = (result.outcome.value, result.code, result.message)
    match result.outcome:
        case WriteOutcome.WRITTEN:
            return Verdict(row, "confirmed", *said, observed=row.desired_owner)
        case WriteOutcome.UNKNOWN:
            return Verdict(row, "unknown", *said, wait_s=max(SETTLE_S, _wait(row)))
        case WriteOutcome.RETRY if row.attempts + 1 < MAX_ATTEMPTS:
            return Verdict(row, "pending", *said, wait_s=_wait(row))
        case WriteOutcome.MOVED if row.attempts + 1 < MAX_ATTEMPTS:
            # Read and judged again at once; who moves it again and again makes us wait.
            return Verdict(row, "pending", *said, wait_s=_wait(row) if row.attempts else 0.0)
        case WriteOutcome.MOVED:
            return Verdict(row, "rejected", *said, exception="owner_drift")
        case _:
            return Verdict(row, "rejected", *said, exception="push_rejected")


def put_back(row: OutboxRow, problem: Exception) -> Verdict:
    """The system as a whole did not answer: nothing was written and no attempt is counted against the row."""
    state = "unknown" if row.state == "unknown" else "pending"
    asked = problem.retry_after_s if isinstance(problem, RetryLater) else None
    return Verdict(row, state, "put_back", type(problem).__name__, str(problem), wait_s=max(FIRST_WAIT_S, asked or 0.0))


def _wait(row: OutboxRow) -> float:
    return float(min(FIRST_WAIT_S * 2**row.attempts, LONGEST_WAIT_S))
