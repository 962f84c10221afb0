"""Who is asked next: the decision that follows an offer which was missed or declined, ready to be recorded.

The rule is `ownership/acceptance.py`; answers, and the passes that look for what is due, are `tasks/acceptance.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ownership.acceptance import Escalate, Offered, ToQueue, due_by, next_step, remind_at
from ownership.conditions import fold_fields
from ownership.model import ACCOUNT, Account, Decision, Outcome, Step
from ownership.rotation import PoolTurns
from store.decisions import Explanation
from store.exceptions import NewException
from store.ledger import CurrentOwner
from store.offers import Offer
from store.recording import Recording
from tasks.desk import Desk, unaccepted_key


@dataclass(frozen=True, slots=True)
class NextAsked:
    """The next step of many offers; `turns` move on with each. `owners` are those of record, `asked` all who were asked
    since each account was placed. `to_people` grows by what nobody is left to be asked for."""

    desk: Desk
    turns: dict[str, PoolTurns]
    load: dict[str, int]
    owners: Mapping[str, CurrentOwner]
    asked: Mapping[str, Sequence[str]]
    declined: str | None
    to_people: list[NewException] = field(default_factory=list)

    def after(self, offer: Offer, account: Account, last: Explanation | None) -> Recording | None:
        """The decision that follows an offer; None when a person has to look, which an exception then says, and
        nothing else is to be recorded."""
        if last is None:
            return None
        pool, day = last.decision.turn, self.desk.day
        offered = Offered(
            *(offer.owner_id, offer.escalation_level, self.asked[account.id], pool, self.declined),
            offered_at=offer.offered_at,
            held_because=held_because(last.decision),
            skills=day.index.skills_of.get(last.decision.rule, frozenset()),
            rule=last.decision.rule,
        )
        step = next_step(offered, day, self.turns.get(pool or "", PoolTurns()), self.load)
        if pool:
            self.turns[pool] = step.turns
        if isinstance(step, Escalate):
            return self._asking(step, offer, account, last)
        self._to_a_person(offer, step.because)
        return self._staying(step, offer, account, last)

    def _asking(self, step: Escalate, offer: Offer, account: Account, last: Explanation) -> Recording:
        """The next one is asked. An account that is somebody else's until somebody accepts it stays theirs."""
        _moved(self.load, offer.owner_id, step.to, account)
        until, day = self._until_accepted(offer), self.desk.day
        fields = fold_fields(account.fields, day.date, day.days)
        return Recording(
            decision=self._decision(last, step.to, step.because, until),
            snapshot=last.snapshot or {},
            pushes=() if until else self.desk.pushes(account, step.to),
            offer_due_by=due_by(day.policy, day.roster, step.to, fields, day.now),
            remind_at=remind_at(day.policy, day.roster, step.to, day.now),
            event_type="escalated",
            escalation_level=step.level,
        )

    def _staying(self, step: ToQueue, offer: Offer, account: Account, last: Explanation) -> Recording | None:
        """Nobody accepted it: it is for good, as far as the rules go, whose it was meanwhile."""
        until = self._until_accepted(offer)
        if until is None or last.decision.outcome is not Outcome.OWNER:
            return None
        _moved(self.load, offer.owner_id, until, account)
        because = f"{step.because}; it stays with {self.desk.day.name(until)}"
        return Recording(self._decision(last, until, because, None), last.snapshot or {}, event_type="escalated")

    def _decision(self, last: Explanation, owner: str, because: str, until: str | None) -> Decision:
        current = self.owners.get(last.decision.account_id)
        return replace(
            last.decision,
            outcome=Outcome.OWNER,
            reason="escalated",
            owner_id=owner,
            path=(*last.decision.path, Step("acceptance", True, because)),
            candidates=(),
            afterwards=current.afterwards if current else None,
            meanwhile=until,
        )

    def _until_accepted(self, offer: Offer) -> str | None:
        """Whose the account is while somebody else is asked; None when who was asked is its owner of record."""
        owner = self.owners.get(offer.account_id)
        return owner.owner_id if owner is not None and owner.owner_id != offer.owner_id else None

    def _to_a_person(self, offer: Offer, because: str) -> None:
        detail = {"owner": offer.owner_id, "problem": because}
        key = unaccepted_key(offer.account_id)
        self.to_people.append(NewException("unaccepted", key, offer.account_id, detail, "warning"))


def held_because(last: Decision) -> str:
    """Why an account whose last decision left it to a person is given to nobody meanwhile, "" when it was decided."""
    if last.outcome is Outcome.OWNER:
        return ""
    return next((step.because for step in reversed(last.path) if step.matched), last.reason)


def _moved(load: dict[str, int], before: str, after: str, account: Account) -> None:
    if account.kind == ACCOUNT:
        load[before] = load.get(before, 0) - 1
        load[after] = load.get(after, 0) + 1
