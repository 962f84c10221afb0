"""Trace what an outside record shows back to the push, the ledger row, the decision, the policy and the run.

Read from the store, or with `live` from the system itself. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base import RecordState
from ownership.explain import REASON_WORDS, RULE_WORDS
from ownership.identities import Identities
from ownership.model import Account, Ref
from store.decisions import Explanation
from store.ledger import LedgerRow
from store.lineage import Sent
from store.runs import Run
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.explanation import find_account, unknown_account
from tasks.identities import load_identities

Names = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a record shows: a rep id, "?<vendor user id>" for somebody who is not on the roster, None for nobody."""

    owner: str | None
    read_at: datetime | None
    modified_by: str | None = None
    state: RecordState = RecordState.LIVE


@dataclass(frozen=True, slots=True)
class Trace:
    """One record, and what lies behind the owner it shows.

    `sent` is the push that put that owner there; None when we never did, and then `last_sent` says what we sent last.
    `ledger`, `decision` and `runs` (by run id) belong to the push, or to the account's owner of record where the
    record showed it without one.
    """

    account: Account
    ref: Ref
    shown: Shown
    owner: str | None
    sent: Sent | None = None
    last_sent: Sent | None = None
    ledger: LedgerRow | None = None
    decision: Explanation | None = None
    policy_kept: bool = False
    runs: Mapping[str, Run] | None = None


def trace_records(context: RunContext, query: str, live: bool = False) -> list[Trace]:
    """One trace for each CRM record of the account that `query` finds, or for the one record it names.

    Raises `LookupError` when it finds none; with `live`, what the connector raises when a system does not answer.
    """
    with context.store.transaction(readonly=True) as uow:
        source, _, external_id = query.partition("/")
        account = find_account(uow, external_id if source in context.connectors.targets else query)
        if account is None:
            raise LookupError(unknown_account(query))
        identities = load_identities(context, uow)
    refs = [ref for ref in account.refs if ref.source in context.connectors.targets]
    wanted = [ref for ref in refs if f"{ref.source}/{ref.external_id}" == query or ref.external_id == query]
    chosen = wanted or refs
    seen = _read_now(context, identities, chosen) if live else {}  # no transaction waits for a vendor
    with context.store.transaction(readonly=True) as uow:
        shown = seen or _read_last(uow, account, chosen)
        sent, history = uow.lineage.sent(account.id), uow.ledger.history(account.id)
        return [
            _trace(uow, account, ref, shown[ref], [each for each in sent if each.ref == ref], history) for ref in chosen
        ]


def _read_now(context: RunContext, identities: Identities, refs: Iterable[Ref]) -> dict[Ref, Shown]:
    found = {}
    for ref in refs:
        (seen,) = context.connectors.targets[ref.source].read_owners([ref.external_id], ref.object_type)
        owner = identities.label(ref.source, seen.owner_id)
        found[ref] = Shown(owner, context.now(), seen.modified_by, seen.state)
    return found


def _read_last(uow: UnitOfWork, account: Account, refs: Iterable[Ref]) -> dict[Ref, Shown]:
    """What was read or written last; what was pulled, for records never read on their own."""
    known = uow.remote.get(refs)
    return {
        ref: Shown(known[ref].observed_owner, known[ref].observed_at, known[ref].modified_by)
        if ref in known
        else Shown(account.crm_owners.get(ref), None)
        for ref in refs
    }


def _trace(
    uow: UnitOfWork, account: Account, ref: Ref, shown: Shown, sent: Sequence[Sent], history: Sequence[LedgerRow]
) -> Trace:
    head = history[-1] if history else None
    owner = head.owner_id if head else None
    ours = [each for each in sent if each.state == "confirmed" and each.desired_owner == shown.owner]
    push, last = (ours[-1] if ours else None), (sent[-1] if sent else None)
    row = head if head and owner == shown.owner else None
    if push:
        row = next((each for each in history if each.ledger_id == push.ledger_id), None)
    if row is None:
        return Trace(account, ref, shown, owner, last_sent=last)
    decision = uow.decisions.get(row.decision_id)
    run_ids = {row.run_id, *((push.run_id, *(each.run_id for each in push.attempts)) if push else ())}
    runs = {run_id: run for run_id in sorted(run_ids) if (run := uow.runs.get(run_id))}
    kept = decision is not None and uow.policies.get(decision.decision.policy_hash) is not None
    return Trace(account, ref, shown, owner, push, last, row, decision, kept, runs)


def lineage_lines(context: RunContext, query: str, live: bool = False) -> Iterator[str]:
    """The traces in words, line by line."""
    name = context.policy.roster.name
    for trace in trace_records(context, query, live):
        ref, shown = trace.ref, trace.shown
        when = f", read {_at(shown.read_at)}" if shown.read_at else ", as pulled"
        by = f", last modified by {shown.modified_by}" if shown.modified_by else ""
        state = f" ({shown.state.value})" if shown.state is not RecordState.LIVE else ""
        yield f"{ref.source} {ref.object_type} {ref.external_id}{state} of {trace.account.name}"
        yield f"  shows     {who(name, shown.owner)}{when}{by}"
        if trace.ledger is None:
            yield from _foreign(name, trace)
        else:
            yield from _behind(name, trace, trace.ledger)


def _foreign(name: Names, trace: Trace) -> Iterator[str]:
    yield f"  not ours  the owner of record is {who(name, trace.owner)}; Steward did not write what is shown"
    if trace.last_sent:
        last = trace.last_sent
        yield f"  last sent {who(name, last.desired_owner)}, {last.state}, {_at(last.done_at or last.recorded_at)}"


def _behind(name: Names, trace: Trace, row: LedgerRow) -> Iterator[str]:
    if trace.sent is None:
        yield "  sent      never: the record showed this owner when it was decided"
    else:
        yield from _push(trace.sent)
    before = f" after {who(name, row.prev_owner_id)}" if row.prev_owner_id else ""
    yield (
        f"  ledger    #{row.seq} {row.event_type}: {who(name, row.owner_id)}{before}, from {_at(row.valid_from)}, "
        f"by {row.actor}, row {row.ledger_id}"
    )
    if trace.decision:
        made = trace.decision.decision
        reason = REASON_WORDS.get(made.reason, made.reason)
        yield f"  decision  {reason} ({RULE_WORDS.get(made.rule, made.rule)}), id {trace.decision.decision_id}"
        yield f"  policy    {made.policy_hash}{'' if trace.policy_kept else ', whose text is not kept'}"
        erased = "" if trace.decision.snapshot is not None else ", erased"
        yield f"  inputs    {made.inputs_hash}{erased}"
    for run in (trace.runs or {}).values():
        flow_run = f", flow run {run.flow_run_id}" if run.flow_run_id else ""
        yield f"  run       {run.flow} by {run.trigger}, {_at(run.started_at)}, run {run.run_id}{flow_run}"


def _push(sent: Sent) -> Iterator[str]:
    yield f"  queued    {_at(sent.recorded_at)}, outbox row {sent.outbox_id}"
    for attempt in sent.attempts:
        said = " ".join(part for part in (attempt.outcome, attempt.code, attempt.message) if part)
        yield f"  attempt   {attempt.fence}: {said}, {_at(attempt.ended_at)}"


def who(name: Names, owner: str | None) -> str:
    """The name of whom a record shows (see `Shown`)."""
    if owner is None:
        return "nobody"
    return f"a user who is not on the roster ({owner[1:]})" if owner.startswith("?") else name(owner)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
