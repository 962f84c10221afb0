"""Decisions: what was decided for each account, on what inputs, and every step that led there.

Most decisions say what others have said already: the steps taken, and the candidates looked at, are kept once each,
under the hash of their text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.engine import Row

from ownership.model import Candidate, Decision, Outcome, Step, TeamMember
from store.canonical import from_json, to_json
from store.statements import insert_new, select_in
from store.tables import OWNER_ROLE, decision, explanation, input_snapshot, latest_decision


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
    turn: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the inputs it was made from (None once they were erased)."""

    decision_id: str
    decision: Decision
    snapshot: Mapping[str, Any] | None
    run_id: str
    recorded_at: datetime


_LAST = (
    *(decision.c.account_id, decision.c.decision_id, decision.c.inputs_hash, decision.c.policy_hash),
    *(decision.c.outcome, decision.c.owner_id, decision.c.reason, decision.c.rule, decision.c.turn),
)


class Decisions:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def latest(
        self, account_ids: Iterable[str] | None = None, reasons: Collection[str] = ()
    ) -> dict[str, LastDecision]:
        """The last decision of each account that has one; with `reasons`, of those made for one of them."""
        columns = decision.c
        statement = (
            select(*_LAST)
            .join(latest_decision, latest_decision.c.decision_id == columns.decision_id)
            .where(latest_decision.c.role == OWNER_ROLE)
        )
        if reasons:
            statement = statement.where(columns.reason.in_(reasons))
        rows = select_in(self._connection, statement, latest_decision.c.account_id, account_ids)
        return {account_id: LastDecision(*last) for account_id, *last in rows}

    def placing(self, account_id: str, owner_id: str) -> LastDecision | None:
        """The last decision that gave this account to this owner."""
        columns = decision.c
        row = self._connection.execute(
            select(*_LAST)
            .where(columns.account_id == account_id, columns.owner_id == owner_id)
            .order_by(columns.recorded_at.desc(), columns.decision_id.desc())
            .limit(1)
        ).first()
        return LastDecision(*row[1:]) if row else None

    def explanation(self, account_id: str) -> Explanation | None:
        """The last decision in full, None for an account never decided."""
        return self.explanations([account_id]).get(account_id)

    def explanations(self, account_ids: Iterable[str]) -> dict[str, Explanation]:
        """The last decision of each of these accounts that has one, in full."""
        statement = _EXPLAINED.join(latest_decision, latest_decision.c.decision_id == decision.c.decision_id).where(
            latest_decision.c.role == OWNER_ROLE
        )
        rows = select_in(self._connection, statement, latest_decision.c.account_id, account_ids)
        return {row.account_id: _to_explanation(row) for row in rows}

    def get(self, decision_id: str) -> Explanation | None:
        """One decision in full, the account's last or not; None for an id that is not there."""
        row = self._connection.execute(_EXPLAINED.where(decision.c.decision_id == decision_id)).first()
        return _to_explanation(row) if row else None


class Said:
    """What a batch of decisions says, each text once. The decisions must outlive it: parts are told by identity."""

    def __init__(self) -> None:
        self._hashes: dict[tuple[int, ...], str] = {}
        self._texts: dict[str, str] = {}

    def hash_of(self, parts: Sequence[Step | Candidate], values_of: Callable[[Any], tuple[Any, ...]]) -> str:
        """Under what hash these steps or candidates are kept."""
        key = tuple(map(id, parts))
        known = self._hashes.get(key)
        if known is None:
            text = to_json([values_of(part) for part in parts])
            known = self._hashes[key] = sha256(text.encode("ascii")).hexdigest()
            self._texts[known] = text
        return known

    def save(self, connection: Connection) -> None:
        """Keep what was never said before."""
        stored = select_in(
            connection, select(explanation.c.explanation_hash), explanation.c.explanation_hash, self._texts
        )
        for row in stored:
            del self._texts[row.explanation_hash]
        # In one order everywhere, so that two writers of the same texts wait for each other instead of deadlocking.
        rows = [{"explanation_hash": key, "said": text} for key, text in sorted(self._texts.items())]
        insert_new(connection, explanation, rows, unique=("explanation_hash",))


_STEP, _CANDIDATE = attrgetter("rule", "matched", "because"), attrgetter("rep_id", "chosen", "because")
_PATH, _CANDIDATES = explanation.alias("said_path"), explanation.alias("said_candidates")
_EXPLAINED = (
    select(
        decision,
        input_snapshot.c.payload,
        _PATH.c.said.label("path"),
        _CANDIDATES.c.said.label("candidates"),
    )
    .join_from(decision, _PATH, _PATH.c.explanation_hash == decision.c.path_hash)
    .join(_CANDIDATES, _CANDIDATES.c.explanation_hash == decision.c.candidates_hash)
    .outerjoin(input_snapshot, input_snapshot.c.inputs_hash == decision.c.inputs_hash)
)


def to_columns(made: Decision, said: Said) -> dict[str, Any]:
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
        "path_hash": said.hash_of(made.path, _STEP),
        "candidates_hash": said.hash_of(made.candidates, _CANDIDATE),
        "team": [{"role": m.role, "rep_id": m.rep_id, "because": m.because} for m in made.team] or None,
    }


def _to_decision(row: Row[Any]) -> Decision:
    return Decision(
        account_id=row.account_id,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        rule=row.rule,
        owner_id=row.owner_id,
        path=tuple(Step(*step) for step in from_json(row.path)),
        candidates=tuple(Candidate(*candidate) for candidate in from_json(row.candidates)),
        turn=row.turn,
        policy_hash=row.policy_hash,
        inputs_hash=row.inputs_hash,
        team=tuple(TeamMember(**member) for member in row.team or ()),
    )


def _to_explanation(row: Row[Any]) -> Explanation:
    return Explanation(row.decision_id, _to_decision(row), row.payload, row.run_id, row.recorded_at)
