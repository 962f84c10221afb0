"""What must hold when the storm is over, checked on the store, the CRM and what the watch saw. See `judge`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from store.exceptions import RECORD_KINDS, record_key
from store.tables import assignment_ledger, exception_item, outbox, push_attempt
from store.unit_of_work import UnitOfWork
from tasks.audit import audit_target
from tasks.drift import act_on_drift, note_differences
from tasks.drift_scan import find_differences
from tests.simulation.company import CRM, REFS, Company

QUIET_LIMIT_S = 6 * 3600.0
RECONCILES = 3


@dataclass
class Verdict:
    """One seed: broken promises, gaps the protocol heals, what was injected, and a trace to compare runs by."""

    seed: int
    violations: list[str]
    gaps: Counter[str]
    faults: Counter[str]
    hours: float
    trace: list[tuple[float, str, str]] = field(repr=False, default_factory=list)


def judge(company: Company, seed: int) -> Verdict:
    """Let the weather clear, wait until nothing is left to do, reconcile, and look at everything."""
    clock, watch = company.clock, company.watch
    clock.stormy = False
    company.read_all_since = clock.seconds
    if not clock.run_until(lambda: _is_quiet(company), QUIET_LIMIT_S):
        watch.violates("work is left that nobody finishes")
    for _ in range(RECONCILES):
        if not _reconcile(company):
            break
        clock.run_until(lambda: _is_quiet(company), QUIET_LIMIT_S)
    clock.stop()
    audit_target(company.context("audit"), CRM)
    with company.store.transaction(readonly=True) as work:
        _check_ledger(company, work)
        _check_outbox(company, work)
        _check_remote(company, work)
    _check_order(company)
    watch.violations += clock.broken
    return Verdict(seed, watch.violations, watch.gaps, clock.faults, clock.seconds / 3600, clock.trace)


def _is_quiet(company: Company) -> bool:
    """The clerk has read everything, no row waits, and no write is under way; or a worker broke, and none ever will."""
    if company.clock.broken:
        return True
    if company.target.landing or company.read_all_since is not None:
        return False
    with company.store.transaction(readonly=True) as work:
        return not work.outbox.waiting(CRM)


def _reconcile(company: Company) -> bool:
    """What flow guard-drift does; whether it had anything written again."""
    context = company.context(f"reconcile-{company.clock.seconds:.0f}")
    note_differences(context, [find_differences(context, CRM, None)])
    written = act_on_drift(context, CRM).writes
    company.watch.gaps["an older owner of ours was shown until the reconcile"] += written
    return written > 0


def _check_ledger(company: Company, work: UnitOfWork) -> None:
    """I1, I2, I10: nothing asked for is lost, no seq missing, the chain as written, current owners as the ledger's."""
    heads = work.ledger.current()
    for account_id, rep in company.wanted.items():
        if account_id not in heads or heads[account_id].owner_id != rep:
            company.watch.violates(f"{rep} was asked for on {account_id} and is not the owner of record")
    if broken := work.ledger.verify():
        company.watch.violates(f"the ledger's chain is broken: {broken}")
    if work.ledger.rebuild_current() != heads:
        company.watch.violates("current owners are not what the ledger says")


def _check_outbox(company: Company, work: UnitOfWork) -> None:
    """I2, I7: each owner has a row for each record, each row an end, each refusal an exception, each word a lease."""
    connection, watch = work._connection, company.watch
    rows = connection.execute(select(outbox)).all()
    told = {(row.account_id, row.seq) for row in rows}
    for entry in connection.execute(select(assignment_ledger.c.account_id, assignment_ledger.c.seq)):
        if tuple(entry) not in told:
            watch.violates(f"owner {entry.seq} of {entry.account_id} was recorded and nobody was to be told")
    excepted = set(connection.execute(select(exception_item.c.dedup_key)).scalars())
    for row in rows:
        if row.state not in ("confirmed", "superseded", "rejected"):
            watch.violates(f"a row for {row.remote_id} ended as {row.state}")
        if row.state == "rejected" and _keys(row.remote_id).isdisjoint(excepted):
            watch.violates(f"a row for {row.remote_id} was given up without an exception")
    for attempt in connection.execute(select(push_attempt)):
        at = (attempt.ended_at - company.clock.now()).total_seconds() + company.clock.seconds
        fences = [fence for fence, claimed_at in watch.claims[attempt.outbox_id] if claimed_at <= at + 1e-6]
        if attempt.fence != max(fences, default=0):
            watch.violates(f"the word of claim {attempt.fence} counted after claim {max(fences, default=0)}")


def _check_remote(company: Company, work: UnitOfWork) -> None:
    """I3: every record shows the owner of record, or an exception says why, and it was not our doing."""
    heads, known = work.ledger.current(), {item.dedup_key for item in work.exceptions.open_items()}
    held = {key for key in known if not key.startswith("owner_differs")}
    for ref in REFS:
        account_id = ref.external_id
        if account_id not in heads or _shown(company, account_id) == heads[account_id].owner_id:
            continue
        if _keys(account_id).isdisjoint(known):
            company.watch.violates(f"{account_id} shows {_shown(company, account_id)} and nobody knows")
        row = company.crm.stored("accounts", account_id)
        if row and row.modified_by == "steward" and _keys(account_id).isdisjoint(held):
            company.watch.violates(f"{account_id} shows {_shown(company, account_id)}, and we wrote it")


def _check_order(company: Company) -> None:
    """I4: which of our writes to one record went back to an older owner, and whether the later sender could know."""
    newest: dict[str, tuple[int, float]] = {}
    for write in sorted(company.target.writes, key=lambda each: each.done_at):
        seq, sent_at = newest.get(write.remote_id, (0, 0.0))
        if write.seq >= seq:
            newest[write.remote_id] = write.seq, write.sent_at
            continue
        in_time = write.sent_at < sent_at
        what = "an older owner landed late" if in_time else "an older owner was sent after a newer"
        company.watch.cannot_be(what, write.on_condition)


def _keys(account_id: str) -> set[str]:
    return {record_key(kind, CRM, "Account", account_id) for kind in RECORD_KINDS}


def _shown(company: Company, account_id: str) -> str | None:
    row = company.crm.stored("accounts", account_id)
    owner = row.fields.get("owner_external_id") if row else None
    return str(owner).removeprefix("u-") if owner else None
