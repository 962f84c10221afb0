"""What a batch of recordings comes to, row by row. No SQL here: `store.recording` reads what is there, and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ownership.model import ACCOUNT, Afterwards, Outcome
from store import decisions as decided
from store.canonical import digest
from store.ledger import FIRST_PREV_HASH, NOT_ASKED, chain_hash
from store.offers import OFFERED
from store.statements import new_id
from store.tables import OWNER_ROLE

if TYPE_CHECKING:
    from store.recording import PushWanted, Recording

Columns = dict[str, Any]


class Head(NamedTuple):
    """The last ledger row of an account's role as the batch has left it."""

    owner_id: str | None = None
    ledger_id: str = ""
    seq: int = 0
    row_hash: str = FIRST_PREV_HASH


_NOBODY_YET = Head()


class Plan:
    """The rows of one batch. `heads` are the heads of the accounts' ledgers, by account and role; they move on."""

    def __init__(self, run_id: str, now: datetime, heads: dict[str, dict[str, Head]]) -> None:
        self._run_id = run_id
        self._now = now
        self._heads = heads
        self.said = decided.Said()
        self.snapshots: dict[str, Columns] = {}
        self.decisions: list[Columns] = []
        self.ledger: list[Columns] = []
        self.outbox: dict[str, Columns] = {}
        self.afterwards: dict[str, Afterwards | None] = {}
        self.changed: dict[str, Recording] = {}  # the accounts that get another owner of record, by what says so last
        self.decided_owners: dict[str, str] = {}
        self._asking: dict[str, tuple[Recording, str]] = {}  # those whose next owner is asked first, with the decision

    def add(self, each: Recording, idem_key: str) -> None:
        made = each.decision
        decision_id = new_id()
        self.snapshots[made.inputs_hash] = {
            "inputs_hash": made.inputs_hash,
            "payload": each.snapshot,
            "recorded_at": self._now,
        }
        self.decisions.append(
            {
                "decision_id": decision_id,
                "idem_key": idem_key,
                "run_id": self._run_id,
                "recorded_at": self._now,
                **decided.to_columns(made, self.said),
            }
        )
        if self._change(each, OWNER_ROLE, self._owner_after(each), decision_id):
            self.changed[made.account_id] = each
        if made.meanwhile is not None and each.offer_due_by is not None:
            self._asking[made.account_id] = each, decision_id
        if made.outcome is Outcome.OWNER:
            self.decided_owners[made.account_id] = str(made.owner_id)
            if made.meanwhile is None:
                self.afterwards[made.account_id] = made.afterwards
            self._add_team(each, decision_id)
        self._add_pushes(each, self._head(made.account_id, OWNER_ROLE))

    def latest_decisions(self) -> list[Columns]:
        latest = {row["account_id"]: row["decision_id"] for row in self.decisions}
        return [{"account_id": id_, "role": OWNER_ROLE, "decision_id": last} for id_, last in latest.items()]

    def offers(self) -> list[Columns]:
        """One for each account whose new owner is asked, whether it is theirs already or only once they accept."""
        rows = []
        for account_id, each in self.changed.items():
            head = self._head(account_id, OWNER_ROLE)
            if each.decision.meanwhile is None and each.offer_due_by is not None and head.owner_id is not None:
                rows.append(self._offer_columns(each, head.ledger_id, head.owner_id))
        for each, decision_id in self._asking.values():
            rows.append(self._offer_columns(each, decision_id, str(each.decision.owner_id)))
        return rows

    def _offer_columns(self, each: Recording, ledger_id: str, owner_id: str) -> Columns:
        return {
            "offer_id": new_id(),
            "ledger_id": ledger_id,
            "account_id": each.decision.account_id,
            "role": OWNER_ROLE,
            "owner_id": owner_id,
            "state": OFFERED,
            "escalation_level": each.escalation_level,
            "offered_at": self._now,
            "due_by": each.offer_due_by,
            "remind_at": each.remind_at,
        }

    def current(self, offers: list[Columns]) -> list[Columns]:
        """The current owners that changed; those who are asked show it."""
        asked = {row["ledger_id"] for row in offers}
        last = {(row["account_id"], row["role"]): row for row in self.ledger}
        return [
            self._current_columns(row, OFFERED if row["ledger_id"] in asked else NOT_ASKED) for row in last.values()
        ]

    def book_changes(self, kinds: Mapping[str, str]) -> list[Columns]:
        """By how many accounts each owner's book grows or shrinks. Leads are in nobody's book."""
        changes: Counter[str] = Counter()
        for row in self.ledger:
            if row["role"] == OWNER_ROLE and kinds[row["account_id"]] == ACCOUNT:
                changes[row["owner_id"]] += 1
                changes[row["prev_owner_id"]] -= 1
        return [
            {"owner_id": owner, "accounts": count}
            for owner, count in sorted((owner, count) for owner, count in changes.items() if owner and count)
        ]

    def _head(self, account_id: str, role: str) -> Head:
        roles = self._heads.get(account_id)
        return roles.get(role, _NOBODY_YET) if roles else _NOBODY_YET

    def _owner_after(self, each: Recording) -> str | None:
        made = each.decision
        if made.outcome is Outcome.OWNER:
            if not made.owner_id:
                raise ValueError(f"the decision for {made.account_id} names no owner")
            return made.owner_of_record
        return None if each.unassign else self._head(made.account_id, OWNER_ROLE).owner_id

    def _change(self, each: Recording, role: str, rep_id: str | None, decision_id: str) -> bool:
        """Add a ledger row when somebody else has the role from now on; whether that is so."""
        account_id = each.decision.account_id
        if rep_id == self._head(account_id, role).owner_id:
            return False
        said = {
            "event_type": each.event_type if rep_id is not None else "unassigned",
            "valid_from": each.valid_from or self._now,
            "actor": each.actor,
            "reason": each.decision.reason if role == OWNER_ROLE else "team",
            "decision_id": decision_id,
        }
        self._append(account_id, role, rep_id, said)
        return True

    def end(self, account_id: str, role: str, why: str, told_by: str) -> None:
        """Nobody has the role from now on, as the account is none of its own any more; `told_by` is the id of what
        says so."""
        if self._head(account_id, role).owner_id is not None:
            said = {
                "event_type": why,
                "valid_from": self._now,
                "actor": "steward",
                "reason": why,
                "decision_id": told_by,
            }
            self._append(account_id, role, None, said)

    def _append(self, account_id: str, role: str, owner_id: str | None, said: Columns) -> None:
        head = self._head(account_id, role)
        row = {
            "ledger_id": new_id(),
            "account_id": account_id,
            "role": role,
            "seq": head.seq + 1,
            "event_type": said["event_type"],
            "owner_id": owner_id,
            "prev_owner_id": head.owner_id,
            "valid_from": said["valid_from"],
            "recorded_at": self._now,
            "actor": said["actor"],
            "reason": said["reason"],
            "decision_id": said["decision_id"],
            "run_id": self._run_id,
            "prev_hash": head.row_hash,
        }
        row["row_hash"] = chain_hash(row)
        self.ledger.append(row)
        self._heads.setdefault(account_id, {})[role] = Head(owner_id, row["ledger_id"], row["seq"], row["row_hash"])

    def _add_team(self, each: Recording, decision_id: str) -> None:
        """The supporting roles follow the decision; one it no longer knows is nobody's."""
        filled = {member.role: member.rep_id for member in each.decision.team}
        known = self._heads.get(each.decision.account_id, {})
        for role in sorted({*filled, *known} - {OWNER_ROLE}):
            self._change(each, role, filled.get(role), decision_id)

    def _add_pushes(self, each: Recording, head: Head) -> None:
        if head.owner_id is None:
            return  # nobody can be shown nowhere: CRM records always have some owner
        for push in each.pushes:
            key = digest([push.source, push.object_type, push.external_id, head.seq, push.expected_owner, self._run_id])
            self.outbox[key] = outbox_row(key, push, each.decision.account_id, head, self._run_id, self._now)

    def _current_columns(self, row: Columns, acceptance_state: str) -> Columns:
        lent = self.afterwards.get(row["account_id"]) if row["role"] == OWNER_ROLE else None
        return {
            "account_id": row["account_id"],
            "role": row["role"],
            "owner_id": row["owner_id"],
            "ledger_id": row["ledger_id"],
            "seq": row["seq"],
            "valid_from": row["valid_from"],
            "acceptance_state": acceptance_state,
            "afterwards": afterwards_json(lent),
        }


def afterwards_json(after: Afterwards | None) -> dict[str, str | None] | None:
    return None if after is None else {"returns_to": after.returns_to}


def outbox_row(key: str, push: PushWanted, account_id: str, head: Head, run_id: str, now: datetime) -> Columns:
    """What has to be told to one outside record, so that it shows the owner at the head of its account's ledger. Of
    several rows with one `key` the first counts."""
    return {
        "outbox_id": new_id(),
        "idem_key": key,
        "target": push.source,
        "object_type": push.object_type,
        "remote_id": push.external_id,
        "account_id": account_id,
        "role": OWNER_ROLE,
        "seq": head.seq,
        "ledger_id": head.ledger_id,
        "desired_owner": head.owner_id,
        "expected_remote_owner": push.expected_owner,
        "state": "pending",
        "attempts": 0,
        "next_attempt_at": now,
        "fence": 0,
        "run_id": run_id,
        "recorded_at": now,
    }
