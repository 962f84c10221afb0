"""Recording: a batch of decisions and everything that follows from them, in the caller's transaction.

Decision and inputs, ledger row and current owner, outbox rows, offer and exception are one commit or none. A killed
run leaves whole batches; repeating a batch under the same run id writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ownership.model import Decision, Outcome
from store.accounts import Accounts
from store.canonical import digest
from store.exceptions import Exceptions, NewException
from store.offers import Offers
from store.outbox import WAITING
from store.planning import Head, Plan, afterwards_json
from store.statements import insert, insert_new, is_among, select_in, upsert
from store.tables import (
    OWNER_ROLE,
    assignment_ledger,
    book_size,
    decision,
    input_snapshot,
    latest_decision,
    outbox,
    ownership_current,
)


@dataclass(frozen=True, slots=True)
class PushWanted:
    """This outside record must show the account's owner; until then it is expected to show `expected_owner`."""

    source: str
    object_type: str
    external_id: str
    expected_owner: str | None


@dataclass(frozen=True, slots=True)
class Recording:
    """One decision with all it asks for.

    `offer_due_by` asks the new owner to accept by then, whether the account is theirs already or only once they do (the
    decision says which). An exception leaves the account's present owner in place unless `unassign`. `valid_from`
    None: from now on. `remind_at` reminds the new owner of the offer then.
    """

    decision: Decision
    snapshot: Mapping[str, Any]
    pushes: tuple[PushWanted, ...] = ()
    offer_due_by: datetime | None = None
    actor: str = "policy"
    event_type: str = "assigned"
    unassign: bool = False
    escalation_level: int = 0
    severity: str = "warning"
    valid_from: datetime | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """Decisions written, owners changed, outbox rows made, offers opened, exceptions opened, repeats left alone."""

    decided: int = 0
    changed: int = 0
    pushed: int = 0
    offered: int = 0
    excepted: int = 0
    repeated: int = 0


class Recorder:
    """Writes one batch. The accounts' rows stay locked until the transaction ends, so that `seq` has no gaps."""

    def __init__(self, connection: Connection, run_id: str, now: datetime) -> None:
        self._connection = connection
        self._run_id = run_id
        self._now = now

    def record(self, batch: Sequence[Recording]) -> RecordSummary:
        account_ids = {each.decision.account_id for each in batch}
        kinds = Accounts(self._connection).lock(account_ids)
        heads, lent = self._read_heads(account_ids)
        held = set(heads)
        fresh = self._without_repeats(batch)
        plan = Plan(self._run_id, self._now, heads)
        for key, each in fresh.items():
            plan.add(each, key)
        self._insert_decisions(plan)
        offered = self._insert_owners(plan, kinds, held, lent)
        pushed = self._insert_outbox(plan, held)
        excepted = self._update_exceptions(fresh.values())
        return RecordSummary(len(fresh), len(plan.changed), pushed, offered, excepted, len(batch) - len(fresh))

    def close(self, became: Mapping[str, str]) -> None:
        """End all roles on accounts that became part of others: a ledger row each, of the kind "merged". The values are
        the ids of the identity events that tell of it. Nothing is sent for these accounts any more, and nobody is
        asked."""
        kinds = Accounts(self._connection).lock(became)
        heads, _ = self._read_heads(set(became))
        plan = Plan(self._run_id, self._now, heads)
        for account_id, roles in sorted(heads.items()):
            for role in sorted(roles):
                plan.end(account_id, role, "merged", became[account_id])
        insert(self._connection, assignment_ledger, plan.ledger)
        upsert(self._connection, ownership_current, plan.current([]))
        upsert(self._connection, book_size, plan.book_changes(kinds), add=("accounts",))
        self._supersede(set(became))
        Offers(self._connection).supersede(became, self._now)

    def _read_heads(self, account_ids: set[str]) -> tuple[dict[str, dict[str, Head]], set[str]]:
        """The heads of the accounts' ledgers by role, and the accounts somebody has for a time only."""
        columns = ownership_current.c
        statement = select(
            *(columns.account_id, columns.role, columns.afterwards),
            *(columns.owner_id, columns.ledger_id, columns.seq, assignment_ledger.c.row_hash),
        ).join(assignment_ledger, assignment_ledger.c.ledger_id == columns.ledger_id)
        heads: dict[str, dict[str, Head]] = {}
        lent = set()
        for account_id, role, afterwards, *head in select_in(
            self._connection, statement, columns.account_id, account_ids
        ):
            heads.setdefault(account_id, {})[role] = Head(*head)
            if afterwards is not None:
                lent.add(account_id)
        return heads, lent

    def _without_repeats(self, batch: Sequence[Recording]) -> dict[str, Recording]:
        by_key = {self._idem_key(each): each for each in batch}
        known = select_in(self._connection, select(decision.c.idem_key), decision.c.idem_key, by_key)
        for row in known:
            del by_key[row.idem_key]
        return by_key

    def _idem_key(self, each: Recording) -> str:
        """What is told apart of one run's decisions. A run's keys lie side by side in their index, in the order of the
        accounts: a place of its own for each would change a page for each."""
        made = each.decision
        told = digest(
            [
                made.outcome.value,
                made.owner_id,
                made.reason,
                made.rule,
                made.policy_hash,
                made.inputs_hash,
                each.event_type,
                [[push.source, push.object_type, push.external_id, push.expected_owner] for push in each.pushes],
                [[member.role, member.rep_id] for member in made.team],
            ]
        )
        return f"{self._run_id}/{made.account_id}/{told[:32]}"

    def _insert_decisions(self, plan: Plan) -> None:
        plan.said.save(self._connection)
        insert_new(self._connection, input_snapshot, list(plan.snapshots.values()), unique=("inputs_hash",))
        insert(self._connection, decision, plan.decisions)
        upsert(self._connection, latest_decision, plan.latest_decisions())

    def _insert_owners(self, plan: Plan, kinds: Mapping[str, str], held: set[str], lent: set[str]) -> int:
        """Ledger rows and current owners, their offers and the sizes of their books; returns the number of offers."""
        insert(self._connection, assignment_ledger, plan.ledger)
        offers = plan.offers()
        upsert(self._connection, ownership_current, plan.current(offers))
        self._keep_afterwards(plan, lent)
        upsert(self._connection, book_size, plan.book_changes(kinds), add=("accounts",))
        anew = plan.changed.keys() | {row["account_id"] for row in offers}
        Offers(self._connection).supersede(anew & held, self._now)
        others = {id_: owner for id_, owner in plan.decided_owners.items() if id_ in held - anew}
        Offers(self._connection).withdraw(others, self._now)
        Offers(self._connection).open_many(offers)
        return len(offers)

    def _keep_afterwards(self, plan: Plan, lent: set[str]) -> None:
        """What follows a time for which somebody has an account can change while its owner does not."""
        columns = ownership_current.c
        for account_id, after in sorted(plan.afterwards.items()):
            if account_id not in plan.changed and (after is not None or account_id in lent):
                self._connection.execute(
                    update(ownership_current)
                    .where(columns.account_id == account_id, columns.role == OWNER_ROLE)
                    .values(afterwards=afterwards_json(after))
                )

    def _insert_outbox(self, plan: Plan, held: set[str]) -> int:
        """Make what older owners still had to be shown pointless, then queue what is new."""
        self._supersede(plan.changed.keys() & held)
        wanted = self._not_waiting_already(list(plan.outbox.values()), held)
        insert_new(self._connection, outbox, wanted, unique=("idem_key",))
        return len(wanted)

    def _supersede(self, account_ids: set[str]) -> None:
        """Rows under way keep their lease: the worker's answer still counts, and nobody else writes meanwhile.

        What is `unknown` stays: the vendor may still do it, and the newer owner has to come after.
        """
        columns = outbox.c
        these = is_among(self._connection, columns.account_id, account_ids)
        self._connection.execute(
            update(outbox)
            .where(these, columns.role == OWNER_ROLE, columns.state == "pending")
            .values(state="superseded", done_at=self._now)
        )

    def _not_waiting_already(self, rows: list[dict[str, Any]], held: set[str]) -> list[dict[str, Any]]:
        columns = outbox.c
        statement = select(columns.target, columns.object_type, columns.remote_id, columns.seq).where(
            columns.state.in_(WAITING)
        )
        known = {row["account_id"] for row in rows} & held
        waiting = {tuple(row) for row in select_in(self._connection, statement, columns.account_id, known)}
        return [row for row in rows if (row["target"], row["object_type"], row["remote_id"], row["seq"]) not in waiting]

    def _update_exceptions(self, fresh: Iterable[Recording]) -> int:
        by_account = {each.decision.account_id: each for each in fresh}
        solved = [id_ for id_, each in by_account.items() if each.decision.outcome is Outcome.OWNER]
        unsolved = [each for each in by_account.values() if each.decision.outcome is Outcome.EXCEPTION]
        exceptions = Exceptions(self._connection)
        exceptions.close(map(exception_key, solved), "policy", "an owner was decided", self._now)
        exceptions.open_many([_to_exception(each) for each in unsolved], self._run_id, self._now)
        return len(unsolved)


def exception_key(account_id: str) -> str:
    """The `dedup_key` of the one exception a decision can leave open for an account."""
    return f"undecided:{account_id}"


def _to_exception(each: Recording) -> NewException:
    made = each.decision
    detail = {"reason": made.reason, "rule": made.rule, "because": [step.because for step in made.path]}
    return NewException(made.reason, exception_key(made.account_id), made.account_id, detail, each.severity)
