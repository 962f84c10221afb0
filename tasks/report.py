"""What a run shows people in the Prefect UI: progress, what changed and why, and a failure that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from connectors.errors import ConnectorError
from ownership.identities import UNKNOWN
from ownership.plan import OwnerMove
from store.seals import Seal
from tasks.assignment import Assigned
from tasks.audit import Completeness, TargetTruth
from tasks.context import RunContext
from tasks.drift import Guarded
from tasks.drift_words import COUNTED

ROWS_SHOWN = 500


class PushIncomplete(RuntimeError):
    """At least one system could not be told. Its changes wait in the outbox and go out with the next push."""


class ScanIncomplete(RuntimeError):
    """At least one system could not be read. Accounts with records there are left to the next scan."""


def report_progress(key: str, steps: int) -> Callable[[str], None]:
    """A progress bar in the UI; call the result once after each of `steps` steps."""
    artifact_id = create_progress_artifact(progress=0.0, key=f"{key}-progress", description="started")
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        update_progress_artifact(artifact_id=artifact_id, progress=100.0 * done / steps, description=what)  # type: ignore[arg-type]

    return step


def report_moves(context: RunContext, key: str, assigned: Assigned, title: str = "Changed") -> None:
    """A table of what changed and why; the first 500 rows, with the whole number above it."""
    names = _names(context)
    rows = [_as_row(names, move) for move in assigned.moves[:ROWS_SHOWN]]
    more = f", {ROWS_SHOWN} shown" if len(assigned.moves) > ROWS_SHOWN else ""
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(assigned.by_reason.items()))
    description = (
        f"{title}: {len(assigned.moves)} of {assigned.looked_at} accounts{more}. Decided by: {reasons or 'nothing'}."
    )
    create_table_artifact(table=rows, key=key.replace("_", "-").lower(), description=description)
    print(description)


def report_audit(
    context: RunContext,
    completeness: Completeness,
    truths: Sequence[TargetTruth],
    broken_at: str | None,
    seal: Seal | None,
) -> None:
    """The audit's findings as a page."""
    lines = [
        f"- Pulled {completeness.pulled} records = {completeness.linked} decided "
        f"+ {completeness.excepted_rows} excepted + {completeness.unmatched} that only engagement tools know",
        f"- {completeness.accounts} accounts: {completeness.owned} owned, {completeness.waiting} with an exception, "
        f"{len(completeness.without_either)} with neither",
    ]
    lines += [
        f"- {truth.target} shows the ledger's owner on {truth.agree} of {truth.records} records; "
        f"{truth.explained} are known to differ, {len(truth.unexplained)} were found now"
        for truth in truths
    ]
    lines.append("- Ledger verified" if broken_at is None else f"- **Ledger altered at {broken_at}**")
    if seal:
        lines.append(f"- Sealed {seal.ledger_rows} ledger rows; keep elsewhere: seal {seal.seal_no}, root {seal.root}")
    create_markdown_artifact(markdown="## Audit\n" + "\n".join(lines), key="audit")
    print("\n".join(lines))


def report_drift(context: RunContext, guarded: Sequence[Guarded]) -> None:
    """What the guard did, by system; only when it did anything. The events themselves: `steward drift`."""
    lines = [
        f"- {each.target}: " + ", ".join(f"{count} {COUNTED[what]}" for what, count in each.events.items())
        for each in guarded
        if each.events
    ]
    if lines:
        create_markdown_artifact(markdown="## Drift\n" + "\n".join(lines), key="drift")
    print("\n".join(lines) or "Nobody wrote over an owner of ours.")


def finish(context: RunContext, **results: Any) -> dict[str, object]:
    """Turn the steps' results into plain counts, keep them with the run, and return them."""
    context.counts = {name: _plain(value) for name, value in results.items()}
    return {"run_id": context.run_id, **context.counts}


def fail_with_the_mend(pushed: Mapping[str, Any]) -> None:
    """Raise `PushIncomplete` naming each system that failed and what to do about it."""
    if said := _failures(pushed, "Nothing is lost: the changes wait in the outbox and go out with the next push."):
        raise PushIncomplete(said)


def fail_unless_all_read(found: Mapping[str, Any]) -> None:
    """Raise `ScanIncomplete` naming each system that failed and what to do about it."""
    if said := _failures(found, "The next scan looks at the accounts that have records there."):
        raise ScanIncomplete(said)


def _failures(results: Mapping[str, Any], mend: str) -> str:
    """What failed, in one sentence for each system, and what follows; "" when nothing did."""
    failed = [result for result in results.values() if isinstance(result, BaseException)]
    if not failed:
        return ""
    unknown = any(not isinstance(error, ConnectorError) for error in failed)
    said = f"{'; '.join(map(str, failed))}. {mend}"
    return said + (" This failure has no known mend: see the task's log." if unknown else "")


def _names(context: RunContext) -> dict[str | None, str]:
    """What people call each owner: reps of the roster, and users of the CRMs who are not on it."""
    names: dict[str | None, str] = {None: "nobody"}
    with context.store.transaction(readonly=True) as uow:
        for target in context.connectors.targets:
            for person in uow.people.all(target):
                names[UNKNOWN + person.external_id] = f"{person.name} (not on the roster)"
    return names | {rep.id: rep.name for rep in context.policy.roster.reps.values()}


def _as_row(names: Mapping[str | None, str], move: OwnerMove) -> dict[str, Any]:
    return {
        "account": move.name,
        "from": names.get(move.before, move.before),
        "to": names.get(move.after, move.after),
        "rule": move.rule,
        "why": move.because,
        "id": move.account_id,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Assigned):
        return _plain({**asdict(value), "moves": len(value.moves), "offers": len(value.offers)})
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, BaseException):
        return {"failed": str(value)}
    return value
