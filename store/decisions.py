"""Decisions: what was decided for each account, on what inputs, and every step that led there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import Candidate, Decision, Outcome, Step, TeamMember
from store.canonical import to_json
from store.statements import select_in
from store.tables import OWNER_ROLE, decision, input_snapshot, latest_decision
from store.types import Written


@dataclass(frozen=True, slots=True)
class LastDecision:
    """What was decided last for an account; enough to tell whether a new decision says anything new."""

    decision_id: str
    inputs_hash: str
    policy_hash: str
    outcome: str
    owner_id: str | None
    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the inputs it was made from (None once they were erased)."""

    decision_id: str
    decision: Decision
    snapshot: Mapping[str, Any] | None
    run_id: str
    recorded_at: datetime


class Decisions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def latest(self, account_ids: Iterable[str] | None = None) -> dict[str, LastDecision]:
        """The last decision of each account that has one."""
        statement = (
            select(decision)
            .join(latest_decision, latest_decision.c.decision_id == decision.c.decision_id)
            .where(latest_decision.c.role == OWNER_ROLE)
        )
        rows = select_in(self._connection, statement, latest_decision.c.account_id, account_ids)
        return {row.account_id: _to_last(row) for row in rows}

    def explanation(self, account_id: str) -> Explanation | None:
        """The last decision in full, None for an account never decided."""
        row = self._connection.execute(
            _EXPLAINED.join(latest_decision, latest_decision.c.decision_id == decision.c.decision_id).where(
                latest_decision.c.account_id == account_id, latest_decision.c.role == OWNER_ROLE
            )
        ).first()
        return _to_explanation(row) if row else None


_EXPLAINED = select(decision, input_snapshot.c.payload).outerjoin_from(
    decision, input_snapshot, input_snapshot.c.inputs_hash == decision.c.inputs_hash
)


class Explanations:
    """Paths and candidates as JSON. Most decisions of a batch share most of theirs, as the very same values: each is
    known by its identity and written out once, while the batch that holds it lasts."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def columns(self, made: Decision) -> dict[str, Any]:
        """The columns of `decision` that come from the decision itself."""
        return {
            "account_id": made.account_id,
            "role": OWNER_ROLE,
            "outcome": made.outcome.value,
            "owner_id": made.owner_id,
            "reason": made.reason,
            "rule": made.rule,
            "turn": made.turn,
            "policy_hash": made.policy_hash,
            "inputs_hash": made.inputs_hash,
            "path": Written(f"[{','.join(map(self._one, made.path))}]"),
            "candidates": self._all(made.candidates),
            "team": self._all(made.team) if made.team else None,
        }

    def _all(self, values: tuple[Candidate, ...] | tuple[TeamMember, ...]) -> Written:
        text = self._texts.get(id(values))
        if text is None:
            text = self._texts[id(values)] = to_json([_plain(value) for value in values])
        return Written(text)

    def _one(self, step: Step) -> str:
        text = self._texts.get(id(step))
        if text is None:
            text = self._texts[id(step)] = to_json(_plain(step))
        return text


def _plain(value: Step | Candidate | TeamMember) -> dict[str, Any]:
    # Not `dataclasses.asdict`, which copies deeply and takes ten times as long.
    return {name: getattr(value, name) for name in value.__slots__}


def _to_decision(row: Row[Any]) -> Decision:
    return Decision(
        account_id=row.account_id,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        rule=row.rule,
        owner_id=row.owner_id,
        path=tuple(Step(**step) for step in row.path),
        candidates=tuple(Candidate(**candidate) for candidate in row.candidates),
        turn=row.turn,
        policy_hash=row.policy_hash,
        inputs_hash=row.inputs_hash,
        team=tuple(TeamMember(**member) for member in row.team or ()),
    )


def _to_explanation(row: Row[Any]) -> Explanation:
    return Explanation(row.decision_id, _to_decision(row), row.payload, row.run_id, row.recorded_at)


def _to_last(row: Row[Any]) -> LastDecision:
    return LastDecision(
        row.decision_id, row.inputs_hash, row.policy_hash, row.outcome, row.owner_id, row.reason, row.rule
    )
