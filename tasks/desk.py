"""The desk: what a batch of decisions asks for, compared with what the outside shows of its accounts.

A decision is recorded when it changes something, a record is pushed to when it shows somebody else, and what cannot be
pushed becomes an exception. The comparison itself is `ownership/writeback.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ownership.acceptance import due_by, is_asked, remind_at
from ownership.case import State
from ownership.conditions import fold_fields
from ownership.day import Day
from ownership.entries import by_id
from ownership.identities import Identities
from ownership.model import Account, Decision, Outcome, Ref
from ownership.writeback import Drift, Writeback, plan_writeback
from store.drift import DriftEvent
from store.exceptions import RECORD_KINDS, NewException, record_key
from store.recording import PushWanted, Recording, exception_key
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext
from tasks.drift_words import held_detail
from tasks.identities import load_identities
from tasks.outside import outside_of


class Desk:
    """One batch's accounts with what the outside shows of them, ready to turn decisions into recordings."""

    def __init__(
        self,
        context: RunContext,
        uow: UnitOfWork,
        day: Day,
        accounts: Sequence[Account],
        before: State,
    ) -> None:
        self.context = context
        self.uow = uow
        self.day = day
        self.accounts = accounts
        self.before = before
        self.identities = load_identities(context, uow)
        self.last = uow.decisions.latest([account.id for account in accounts])
        undecided = (id_ for id_, last in self.last.items() if last.outcome == Outcome.EXCEPTION.value)
        self.excepted = uow.exceptions.open_among(map(exception_key, undecided))
        self.outside = outside_of(uow, accounts, context.connectors.targets)

    def recordings(self, decisions: Sequence[Decision]) -> list[Recording]:
        """What is new: decisions on other inputs than last time, and owners the outside still has to be shown."""
        made = (self._recording(account, decision) for account, decision in self._with(decisions))
        return [wanted for each in made if (wanted := self._wanted(each)) is not None]

    def _wanted(self, recording: Recording) -> Recording | None:
        """What to record: nothing, all that was decided, or, where a record still has to be told of an earlier
        decision, that one again: `why`, and whose turn it was, stay as they were."""
        made = recording.decision
        if self._is_new(made):
            return recording
        if not recording.pushes:
            return None
        last = self.uow.decisions.explanation(made.account_id) if made.outcome is Outcome.OWNER else None
        if last is None:
            return recording
        decision = replace(last.decision, afterwards=made.afterwards, team=made.team, meanwhile=made.meanwhile)
        return replace(recording, decision=decision, snapshot=last.snapshot or recording.snapshot)

    def pushes(self, account: Account, owner: str) -> tuple[PushWanted, ...]:
        """The records of `account` that have to be told that `owner` owns it."""
        if not self.outside.shown[account.id]:
            return ()
        writes = self._writeback(account, owner).writes
        return tuple(PushWanted(w.ref.source, w.ref.object_type, w.ref.external_id, w.expected) for w in writes)

    def note_outside(self, decisions: Sequence[Decision]) -> int:
        """Confirm records that show the owner already; open and close the exceptions of those that cannot."""
        now = self.context.now()
        plans = [
            (account, owner, self._writeback(account, owner))
            for account, decision in self._with(decisions)
            if (owner := self._owner_after(decision)) is not None and self.outside.shown[account.id]
        ]
        known = self.uow.drift.of_records(drift.ref for *_, plan in plans for drift in plan.drifts)
        found = _Outside(known, self.identities)
        for account, owner, plan in plans:
            found.add(account, owner, plan)
        changed = {ref: owner for ref, owner in found.settled.items() if self.outside.confirmed.get(ref) != owner}
        self.uow.remote.confirm(
            {(ref.source, ref.object_type, ref.external_id): (owner, now) for ref, owner in changed.items()}
        )
        self.uow.exceptions.open_many(found.problems, self.context.run_id, now)
        self.uow.exceptions.close(found.solved, "steward", "the record shows the owner of record", now)
        return found.drifts

    def _with(self, decisions: Sequence[Decision]) -> Iterable[tuple[Account, Decision]]:
        return zip(self.accounts, decisions, strict=True)

    def _is_new(self, decision: Decision) -> bool:
        """A decision is recorded when it changes something; `why` keeps showing the one that did."""
        last = self.last.get(decision.account_id)
        if last is None or (last.outcome, last.owner_id) != (decision.outcome.value, decision.owner_id):
            return True
        if decision.outcome is Outcome.EXCEPTION:
            # Closed with an account that was gone, it is open again with one that came back.
            return last.reason != decision.reason or exception_key(decision.account_id) not in self.excepted
        if decision.owner_of_record != self.before.owners.get(decision.account_id):
            return True  # who had it until somebody accepts it is gone
        if decision.meanwhile is not None:
            return self._team_changes(decision)
        holding = self.before.holdings.get(decision.account_id)
        lent = holding.afterwards if holding else None
        return lent != decision.afterwards or self._team_changes(decision)

    def _team_changes(self, decision: Decision) -> bool:
        filled = {member.role: member.rep_id for member in decision.team if member.rep_id}
        return filled != self.before.teams.get(decision.account_id, {})

    def _owner_after(self, decision: Decision) -> str | None:
        if decision.outcome is Outcome.OWNER:
            return decision.owner_of_record
        return self.before.owners.get(decision.account_id)

    def _writeback(self, account: Account, owner: str) -> Writeback:
        seen, reachable = self.outside, self.identities.reachable(owner)
        return plan_writeback(owner, seen.shown[account.id], seen.confirmed, reachable, seen.held)

    def _recording(self, account: Account, decision: Decision) -> Recording:
        owner = self._owner_after(decision)
        made = Recording(
            decision=decision,
            snapshot=_snapshot(account) | _said_by_people(account, self.day),
            pushes=self.pushes(account, owner) if owner else (),
            event_type="adopted" if decision.reason in ("existing_owner", "crm_edit") else "assigned",
        )
        return self._asking(account, made) if decision.outcome is Outcome.OWNER else made

    def _asking(self, account: Account, made: Recording) -> Recording:
        """The recording with its question to the new owner, if they are asked, and were not already."""
        decision, before, day = made.decision, self.before, self.day
        owner = str(decision.owner_id)
        if not is_asked(account, before.owners.get(account.id), owner, decision.reason, day.roster):
            return made
        waiting = before.waiting.get(account.id)
        if waiting is not None and waiting.owner == owner:
            return self._asked_already(account, made)
        by_fields = day.policy.acceptance.faster  # else the time to answer is the same for every account
        fields = fold_fields(account.fields, day.date, day.days) if by_fields else {}
        due = due_by(day.policy, day.roster, owner, fields, day.now)
        return replace(made, offer_due_by=due, remind_at=remind_at(day.policy, day.roster, owner, day.now))

    def _asked_already(self, account: Account, made: Recording) -> Recording:
        """Their offer stays as it is. One for a change of owner takes its place once the account becomes theirs
        before they have answered, because who had it until then is gone: with the same time to answer."""
        offer = self.uow.offers.of_account(account.id)
        if offer is None or made.decision.owner_of_record == self.before.owners.get(account.id):
            return made
        level = offer.escalation_level
        return replace(made, offer_due_by=offer.due_by, remind_at=offer.remind_at, escalation_level=level)


class _Outside:
    """What a batch's records show: which are settled, which need a person, and which no longer do. `known` is what the
    drift guard has seen of them."""

    def __init__(self, known: Mapping[Ref, Sequence[DriftEvent]], identities: Identities) -> None:
        self._known = known
        self._identities = identities
        self.settled: dict[Ref, str] = {}
        self.problems: list[NewException] = []
        self.solved: list[str] = []
        self.drifts = 0

    def add(self, account: Account, owner: str, plan: Writeback) -> None:
        self.settled.update(dict.fromkeys(plan.settled, owner))
        self.drifts += len(plan.drifts)
        for drift in plan.drifts:
            if detail := self._of_drift(drift):
                self._add("owner_drift", drift.ref, account, detail)
        for ref in plan.unreachable:
            problem = self._identities.unreachable_because(owner, ref.source)
            detail = {"target": ref.source, "record": ref.external_id, "problem": problem}
            self._add("owner_has_no_user", ref, account, detail)
        self.solved += [_key(kind, ref) for kind in RECORD_KINDS for ref in plan.settled]
        self.solved += [_key("owner_has_no_user", write.ref) for write in plan.writes]

    def _of_drift(self, drift: Drift) -> dict[str, Any] | None:
        """What is to be said of a record that somebody changed: whose hand it was, once the guard has seen it. None
        when so many were changed at once that one exception tells of all."""
        last = next(iter(self._known.get(drift.ref, ())), None)
        if last is not None and last.found_owner == drift.found:
            if last.state == "stopped":
                return None
            if last.waits_for_person:
                return held_detail(last)
        problem = (
            f"{drift.ref.source} shows {drift.found or 'nobody'}, the ledger says {drift.ours}; "
            "confirm the change or restore the owner"
        )
        return {"target": drift.ref.source, "record": drift.ref.external_id, "problem": problem}

    def _add(self, kind: str, ref: Ref, account: Account, detail: dict[str, Any]) -> None:
        self.problems.append(NewException(kind, _key(kind, ref), account.id, detail, "error"))


def desk_for(context: RunContext, uow: UnitOfWork, accounts: Sequence[Account]) -> Desk:
    """A desk for accounts that are given to somebody without asking the rules."""
    day = Day.of(context.policy.policy, context.policy.roster, context.now())
    return Desk(context, uow, day, accounts, State())


def unaccepted_key(account_id: str) -> str:
    """The `dedup_key` of the exception about an account that nobody of those asked accepted."""
    return f"unaccepted:{account_id}"


def _key(kind: str, ref: Ref) -> str:
    return record_key(kind, ref.source, ref.object_type, ref.external_id)


def _said_by_people(account: Account, day: Day) -> dict[str, object]:
    """What people have decided of it in the running system, which no text of the policy says."""
    key = by_id(account.id)
    said = {
        "overrides": [
            [each.owner, each.reason, each.requested_by, each.approved_by, each.period.until, each.then]
            for each in day.index.overrides.get(key, ())
        ],
        "disputes": [[each.claimed_by, each.reason] for each in day.index.disputes.get(key, ())],
    }
    return {name: found for name, found in said.items() if found}


def _snapshot(account: Account) -> dict[str, object]:
    """What the decision saw, for the record."""
    return {
        "name": account.name,
        "fields": dict(account.fields),
        "parent_id": account.parent_id,
        "shown": {f"{ref.source}/{ref.external_id}": owner for ref, owner in sorted(account.crm_owners.items())},
    }
