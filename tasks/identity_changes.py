"""What linking anew changes: accounts that became part of others, that fell apart, and who owns them then.

No account loses its past. One that becomes part of another leads there by its old id; one that leaves another begins
with the owner it had there. Each is an event, and a row of the ledger that says why.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ownership.linking import Background
from ownership.linking.evidence import why_one, why_two
from ownership.matching.company import Company
from ownership.matching.survivor import ClusterOwner, Held, owner_of_cluster
from ownership.model import ACCOUNT, LEAD, Account, AccountRecord, Decision, Outcome, Ref, Step, TeamMember
from ownership.verdicts import name_of
from store.canonical import digest
from store.identity import MERGED, MOVED, SPLIT, IdentityEvent
from store.ledger import CurrentOwner
from store.recording import Recording
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

PERSON = "they have one e-mail address"


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of accounts: `became` leads from those that are part of others now; `left` from new ones to those
    they were part of; `gone` are those that are in no system that founds accounts any more."""

    events: list[IdentityEvent] = field(default_factory=list)
    became: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def changes_of(
    before: Mapping[str, Account],
    after: Sequence[Account],
    records: Mapping[Ref, AccountRecord],
    background: Background,
) -> Changes:
    """Compare accounts and leads with what they were, by their records."""
    now = {account.id: account for account in after}
    account_of = {ref: account.id for account in after for ref in account.refs}
    changes = Changes()
    for id_, account in sorted(before.items()):
        if id_ not in now:
            went = _where_to(background.founding(account.refs), account_of, background)
            _add_end(changes, account, went, now, records, background)
            continue
        went = _where_to(account.refs, account_of, background)
        for there, refs in sorted(went.items()):
            if there in before and there != id_:
                others = set(now[there].refs) - set(refs)
                because = PERSON if account.kind == LEAD else why_one(refs, others, records, background)
                changes.events.append(IdentityEvent(MOVED, id_, there, _names(refs), because))
    for id_ in sorted(now.keys() - before.keys()):
        _add_beginning(changes, now[id_], before, now, background)
    return changes


def _where_to(refs: Iterable[Ref], account_of: Mapping[Ref, str], background: Background) -> dict[str, list[Ref]]:
    """The accounts these records are of now, with those records."""
    found: dict[str, list[Ref]] = defaultdict(list)
    for ref in refs:
        if there := account_of.get(ref) or account_of.get(background.now(ref)):
            found[there].append(ref)
    return found


def _add_end(
    changes: Changes,
    account: Account,
    went: Mapping[str, Sequence[Ref]],
    now: Mapping[str, Account],
    records: Mapping[Ref, AccountRecord],
    background: Background,
) -> None:
    if not went:
        changes.gone.append(account.id)
        return
    there = min(went, key=lambda id_: (-len(went[id_]), id_))
    others = set(now[there].refs) - set(account.refs)
    because = PERSON if account.kind == LEAD else why_one(account.refs, others, records, background)
    changes.became[account.id] = there
    changes.events.append(IdentityEvent(MERGED, account.id, there, _names(account.refs), because))


def _add_beginning(
    changes: Changes,
    account: Account,
    before: Mapping[str, Account],
    now: Mapping[str, Account],
    background: Background,
) -> None:
    had = {ref: id_ for id_, other in before.items() for ref in other.refs if id_ in now}
    came = Counter(had[ref] for ref in background.founding(account.refs) if ref in had)
    if came:
        since = min(came, key=lambda id_: (-came[id_], id_))
        changes.left[account.id] = since
        because = why_two(account.refs, now[since].refs, background)
        changes.events.append(IdentityEvent(SPLIT, account.id, since, _names(account.refs), because))


def _names(refs: Iterable[Ref]) -> tuple[str, ...]:
    return tuple(map(name_of, sorted(refs)))


@dataclass(slots=True)
class Aftermath:
    """Who owns what became one, and what fell apart. `current` is who owned the accounts before."""

    context: RunContext
    uow: UnitOfWork
    before: Mapping[str, Account]
    after: Mapping[str, Account]
    changes: Changes
    current: Mapping[str, CurrentOwner]

    def recordings(self) -> list[Recording]:
        """The owners that follow, where they are not who they were."""
        into: dict[str, list[str]] = defaultdict(list)
        for old, new in self.changes.became.items():
            if self.after[new].kind == ACCOUNT:
                into[new].append(old)
        merged = [made for new, olds in sorted(into.items()) if (made := self._after_merge(new, sorted(olds)))]
        split = [made for new, old in sorted(self.changes.left.items()) if (made := self._after_split(new, old))]
        return [*merged, *split]

    def _after_merge(self, new: str, olds: Sequence[str]) -> Recording | None:
        """Somebody else owns the company only when nobody did, or the policy says so."""
        mine = self._owner(new)
        if self._is_able(mine) and self.context.policy.policy.conflicting_owners == "exception":
            return None  # whoever was kept was kept on purpose: two owned accounts are not made one otherwise
        found = self._settled([new, *olds])
        if found.owner is None or found.owner == mine:
            return None
        team = tuple(
            TeamMember(role, rep, "as before")
            for role, rep in sorted(self.uow.ledger.teams([new]).get(new, {}).items())
        )
        return self._recording(
            new, found.owner, "merged", f"{', '.join(olds)} became part of it: {found.because}", team
        )

    def _settled(self, ids: Sequence[str]) -> ClusterOwner:
        policy = self.context.policy.policy.conflicting_owners
        return owner_of_cluster([self._held(id_) for id_ in ids], "survivor" if policy == "exception" else policy)

    def _held(self, id_: str) -> Held:
        account = self.before.get(id_) or self.after[id_]
        fields, owner = account.fields, self._owner(id_)
        company = Company(
            account.id,
            account.name,
            customer=bool(fields.get("paying")),
            open_opportunities=int(fields.get("open_opportunities") or 0),
            activity_on=fields.get("activity_on"),
        )
        return Held(company, owner, self._is_able(owner), fields.get("created_on"))

    def _after_split(self, new: str, old: str) -> Recording | None:
        owner = self._owner(old)
        if owner is None or owner not in self._present() or self.after[new].kind != ACCOUNT:
            return None
        why = next(each.because for each in self.changes.events if each.kind == SPLIT and each.account_id == new)
        was = self.before[old].name
        return self._recording(new, owner, "split", f"it was part of {was} ({old}) until now: {why}")

    def _owner(self, id_: str) -> str | None:
        owner = self.current.get(id_)
        return owner.owner_id if owner else None

    def _is_able(self, owner: str | None) -> bool:
        """Whether it is a person who is there."""
        return owner in self._present() and not self.context.policy.roster.is_queue(str(owner))

    def _present(self) -> frozenset[str]:
        return self.context.policy.roster.present_on(self.context.today())

    def _recording(
        self, account_id: str, owner: str, reason: str, because: str, team: tuple[TeamMember, ...] = ()
    ) -> Recording:
        account = self.after[account_id]
        snapshot = {"name": account.name, "fields": dict(account.fields), "parent_id": account.parent_id}
        decision = Decision(
            account_id=account_id,
            outcome=Outcome.OWNER,
            reason=reason,
            rule="identity",
            owner_id=owner,
            path=(Step("identity", True, because),),
            policy_hash=self.context.policy.policy_hash,
            inputs_hash=digest(snapshot),
            team=team,
        )
        return Recording(decision, snapshot, event_type=reason)
