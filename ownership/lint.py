"""Lint: what a policy that loads can still have wrong.

Whether a territory can be reached is found by looking for an account that reaches it: for every field its conditions
ask for, one value of each kind that the conditions can tell apart. No such account, no way in; where there would be
too many accounts to try, nothing is claimed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ownership.conditions import ALWAYS, All, Condition
from ownership.entries import Assign, Territory
from ownership.model import PERSON
from ownership.names import registrable_domain
from ownership.notices import ASKED, NEW_OWNER, OWNER, rules_for
from ownership.overlap import are_disjoint
from ownership.policy import Policy, Roster
from ownership.territories import serving
from ownership.thinkable import can_hold

SELLERS = frozenset({"ae", "am"})
"""Roles whose work is owning accounts: account executives and account managers."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the policy: where it is (`kind` and `id`), what, and what to do about it."""

    severity: Severity
    kind: str
    id: str
    what: str
    mend: str


def lint(policy: Policy, roster: Roster, today: str) -> list[Finding]:
    """Everything found, errors first, then by kind and id.

    The map and the rules are read as they are in effect on `today`; who is used by something that only begins later
    or has ended is not called unused.
    """
    book = _Book(policy, roster, today)
    checks = (
        *(_unreachable, _rules, _unserved, _catch_all, _requirements, _pools, _single),
        *(_named, _gone, _idle, _managers, _chain, _notices),
    )
    found = {finding for check in checks for finding in check(book)}
    return sorted(found, key=lambda finding: (finding.severity, finding.kind, finding.id, finding.what))


class _Book:
    """A policy with what the checks ask of it again and again."""

    def __init__(self, policy: Policy, roster: Roster, today: str) -> None:
        self.whole = policy
        self.policy = policy = policy.on(today)
        self.roster = roster
        self.present = roster.present_on(today)
        self.by_id = {territory.id: territory for territory in policy.territories}
        self.children: dict[str | None, list[Territory]] = defaultdict(list)
        for territory in policy.territories:
            self.children[territory.parent].append(territory)
        self.shut = {t.id for t in policy.territories if self.meets(self.asked(t), self.rivals(t)) is False}

    def path(self, territory: Territory) -> tuple[Territory, ...]:
        """The territory with those above it, from the root down."""
        found = [territory]
        while found[-1].parent is not None:
            found.append(self.by_id[found[-1].parent])
        return tuple(reversed(found))

    def asked(self, territory: Territory) -> list[Condition]:
        return [node.when for node in self.path(territory)]

    def rivals(self, territory: Territory) -> list[Condition]:
        """What must not hold, or the account goes another way."""
        return [rival.when for node in self.path(territory) for rival in self.before(node)]

    def before(self, node: Territory) -> list[Territory]:
        """Siblings that are asked before this one."""
        return [s for s in self.children[node.parent] if (-s.priority, s.id) < (-node.priority, node.id)]

    def meets(self, all_of: Sequence[Condition], none_of: Sequence[Condition] = ()) -> bool | None:
        """`can_hold`, and what overlap can rule out where there would be too many accounts to try."""
        return False if are_disjoint(All(tuple(all_of)), ALWAYS) else can_hold(all_of, none_of)

    def reachable(self) -> Iterator[Territory]:
        return (territory for territory in self.policy.territories if territory.id not in self.shut)

    def servers(self, territory: Territory) -> frozenset[str]:
        """Who is there to serve what lies in this territory and in none below it."""
        server = serving(self.path(territory))
        if server is None:
            return frozenset()
        pool = next((pool.members for pool in self.policy.pools if pool.id == server.pool), {})
        here = self.present & ({server.owner} if server.owner else set(pool))
        return frozenset(rep for rep in here if server.skills <= self.roster.reps[rep].skills)

    def receivers(self) -> frozenset[str]:
        """Everybody something can give an account to. A book that holds nothing takes only what is placed by hand."""
        whole = self.whole
        by_hand = [
            *(n.owner for n in whole.named),
            *(o.owner for o in whole.overrides),
            *(r.rep for r in whole.registrations),
        ]
        places = [t.assign for t in whole.territories if t.id not in self.shut]
        places += [rule.assign for rule in whole.rules] + [role.assign for role in whole.team]
        return frozenset(by_hand).union(*map(self._takers, places)) & self.present

    def _takers(self, place: Assign) -> frozenset[str]:
        members = next((pool.members for pool in self.whole.pools if pool.id == place.pool), {})
        reps = [self.roster.reps[rep] for rep in (place.owner, *members) if rep in self.present]
        return frozenset(rep.id for rep in reps if rep.capacity != 0 and place.skills <= rep.skills)

    def name(self, rep_id: str) -> str:
        return self.roster.name(rep_id)

    def names(self, rep_ids: Iterable[str]) -> str:
        return ", ".join(self.name(rep_id) for rep_id in sorted(rep_ids))


# --- the map ---


def _unreachable(book: _Book) -> Iterator[Finding]:
    """What lies below a territory without a way in is not told again."""
    for territory in book.policy.territories:
        if territory.id in book.shut and territory.parent not in book.shut:
            mend = "Correct its condition, raise its priority, or remove it"
            yield Finding(Severity.ERROR, "territory", territory.id, _why_shut(book, territory), mend)


def _why_shut(book: _Book, territory: Territory) -> str:
    said = "no account can ever reach it: "
    if book.meets([territory.when]) is False:
        return said + "its condition contradicts itself"
    above = book.path(territory)[:-1]
    for ancestor in reversed(above):
        if book.meets([ancestor.when, territory.when]) is False:
            return f"{said}its condition contradicts that of {ancestor.id}, above it"
    asked = book.asked(territory)
    if book.meets(asked) is False:
        return said + "its condition contradicts those above it together"
    for rival in book.before(territory):
        if book.meets(asked, [rival.when]) is False:
            return f"{said}{rival.id} goes first and takes everything that lies in it"
    return said + "its siblings that go first take everything that lies in it"


def _rules(book: _Book) -> Iterator[Finding]:
    """The first rule that holds decides, unless it only keeps whoever has the account."""
    before: list[Condition] = []
    for rule in book.policy.rules:
        if book.meets([rule.when], before) is False:
            itself = book.meets([rule.when]) is False
            why = "its condition contradicts itself" if itself else "the rules before it take everything it is about"
            yield Finding(Severity.ERROR, "rule", rule.id, f"it can never decide: {why}", "Correct, move or remove it")
        if (rule.assign.owner or rule.assign.pool) and not rule.remembers:
            before.append(rule.when)


def _unserved(book: _Book) -> Iterator[Finding]:
    """A leaf nobody serves places nothing; a branch may be left to its children, if they take everything."""
    for territory in book.reachable():
        if book.servers(territory):
            continue
        server, below = serving(book.path(territory)), book.children[territory.id]
        if server is not None:
            able = " with the skills it asks for" if server.skills else ""
            what, mend = f"{server.id} serves it and nobody of it is there{able}", "Name somebody who is there"
            yield Finding(Severity.ERROR, "territory", territory.id, what, mend)
        elif not below:
            what, mend = "nobody on its whole path serves it", "Give it an owner or a pool, or remove it"
            yield Finding(Severity.ERROR, "territory", territory.id, what, mend)
        elif _leaves_some(book, territory, below):
            what = "an account in it that lies in none of its children is served by nobody"
            mend = "Give it an owner or a pool, or a child for the rest"
            yield Finding(Severity.WARNING, "territory", territory.id, what, mend)


def _leaves_some(book: _Book, territory: Territory, below: Sequence[Territory]) -> bool:
    """Whether an account with all required data can lie in a branch and in none of its children."""
    asked = [*book.asked(territory), *(need.when for need in book.policy.requirements)]
    return book.meets(asked, [*book.rivals(territory), *(child.when for child in below)]) is True


def _catch_all(book: _Book) -> Iterator[Finding]:
    """Whether an account with all required data is thinkable that no rule and no territory is about."""
    asked = [need.when for need in book.policy.requirements]
    giving = [rule for rule in book.policy.rules if (rule.assign.owner or rule.assign.pool) and not rule.remembers]
    rules = [rule.when for rule in giving]
    places = [*rules, *(root.when for root in book.children[None])]
    if ALWAYS not in places and book.meets(asked, places) is True:
        what = "there is no catch-all: an account that no rule and no territory is about waits for a person (no_rule)"
        yield Finding(Severity.WARNING, "policy", book.policy.name, what, "Add a last rule or territory for the rest")


def _requirements(book: _Book) -> Iterator[Finding]:
    """An account that is new must meet every requirement; where none can, a territory gives nothing away."""
    for need in book.policy.requirements:
        apart = [t for t in book.reachable() if book.meets([need.when, *book.asked(t)], book.rivals(t)) is False]
        if book.meets([need.when]) is False:
            what = "it can never hold: no new account is ever placed"
            yield Finding(Severity.ERROR, "requirement", need.name, what, "Correct its condition")
        elif apart and len(apart) == len(list(book.reachable())):
            what = "no account that meets it lies in any territory"
            yield Finding(Severity.ERROR, "requirement", need.name, what, "Correct its condition or the map")
        elif apart:
            what = f"no account in {', '.join(sorted(t.id for t in apart))} can ever meet it"
            yield Finding(Severity.WARNING, "requirement", need.name, what, "Correct its condition or the map")


def _pools(book: _Book) -> Iterator[Finding]:
    used = {t.pool for t in book.whole.territories}
    used |= {rule.assign.pool for rule in book.whole.rules} | {role.assign.pool for role in book.whole.team}
    for pool in book.policy.pools:
        if pool.id not in used:
            mend = "Name it in one or remove it"
            yield Finding(Severity.WARNING, "pool", pool.id, "no territory, rule or role uses it", mend)


def _single(book: _Book) -> Iterator[Finding]:
    for pool in book.policy.pools:
        free = [rep for rep in sorted(book.present & set(pool.members)) if book.roster.reps[rep].capacity != 0]
        if len(free) == 1:
            what = f"{book.name(free[0])} is alone in it; nobody takes over when they are away or full"
            yield Finding(Severity.WARNING, "pool", pool.id, what, "Add a second member")
    for territory in book.reachable():
        if territory.owner in book.present and not book.roster.is_queue(str(territory.owner)):
            what = f"only {book.name(str(territory.owner))} serves it; nobody takes over when they are away or full"
            yield Finding(Severity.WARNING, "territory", territory.id, what, "Give it a pool of two or more")


# --- named accounts and people ---


def _named(book: _Book) -> Iterator[Finding]:
    """Accounts are known by the domain somebody registered; two spellings of one are two entries for one account."""
    entries: dict[str, list[str]] = defaultdict(list)
    for kind, written in _written_domains(book.whole):
        domain = registrable_domain(written)
        if domain != written:
            mend = f"Write {domain}" if domain else "Name the account by a web domain of its own"
            yield Finding(Severity.ERROR, kind, written, "no account is ever known by this domain", mend)
        if domain and kind == "named":
            entries[domain].append(written)
    for domain, spellings in entries.items():
        if len(spellings) > 1:
            what = f"{len(spellings)} entries cover the same account: {', '.join(sorted(spellings))}"
            yield Finding(Severity.ERROR, "named", domain, what, "Keep one of them")


def _written_domains(policy: Policy) -> Iterator[tuple[str, str]]:
    yield from (("named", entry.domain) for entry in policy.named)
    yield from (("registration", claim.domain) for claim in policy.registrations)
    yield from (("override", each.account) for each in policy.overrides if "/" not in each.account)
    yield from (("dispute", each.account) for each in policy.disputes if "/" not in each.account)


def _gone(book: _Book) -> Iterator[Finding]:
    """Somebody who has left is given nothing; what names them waits for nobody."""
    named = {
        "pool": [(pool.id, rep) for pool in book.policy.pools for rep in pool.members],
        "named": [(each.domain, each.owner) for each in book.policy.named],
        "override": [(each.account, each.owner) for each in book.policy.overrides],
        "registration": [(each.domain, each.rep) for each in book.policy.registrations],
        "rule": [(rule.id, rule.assign.owner) for rule in book.policy.rules if rule.assign.owner],
        "role": [(each.role, each.assign.owner) for each in book.policy.team if each.assign.owner],
        "notice": [(each.event, each.to) for each in book.policy.notices or () if each.to in book.roster.reps],
        "pod": [(pod.id, rep) for pod in book.policy.pods for rep in (pod.lead, *pod.roles.values())],
    }
    for kind, entries in named.items():
        for id_, rep in entries:
            if rep not in book.present:
                left = book.roster.reps[rep].left_on if rep in book.roster.reps else None
                what = f"it names {book.name(rep)}, who left on {left}" if left else f"it names {rep}, who is not there"
                yield Finding(Severity.ERROR, kind, id_, what, "Name somebody who is there")


def _idle(book: _Book) -> Iterator[Finding]:
    receivers = book.receivers() | _asked_managers(book)
    for rep in book.roster.reps.values():
        if rep.id in book.present and rep.kind == PERSON and rep.role.casefold() in SELLERS and rep.id not in receivers:
            full = " (their book holds nothing)" if rep.capacity == 0 else ""
            what = f"{rep.name} sells, and nothing in the policy can ever give them an account{full}"
            yield Finding(Severity.WARNING, "rep", rep.id, what, "Add them to a pool, a territory or a named account")


def _asked_managers(book: _Book) -> frozenset[str]:
    if "manager" not in book.policy.acceptance.chain:
        return frozenset()
    managers = (book.roster.reps[rep].manager for rep in book.receivers())
    return frozenset(manager for manager in managers if manager in book.present)


def _managers(book: _Book) -> Iterator[Finding]:
    reps = [book.roster.reps[rep_id] for rep_id in book.present]
    for manager in sorted({rep.manager for rep in reps if rep.manager and rep.manager not in book.present}):
        team = book.names(rep.id for rep in reps if rep.manager == manager)
        what = f"{book.name(manager)} is not there any more and is the manager of {team}"
        yield Finding(Severity.ERROR, "rep", manager, what, "Give them another manager")


def _chain(book: _Book) -> Iterator[Finding]:
    if "manager" not in book.policy.acceptance.chain:
        return
    asked = [rep for rep in book.receivers() if not book.roster.is_queue(rep)]
    alone = [rep for rep in asked if book.roster.reps[rep].manager in (None, rep)]
    if alone:
        what = f"its step 'manager' leads to nobody for {book.names(alone)}"
        yield Finding(Severity.WARNING, "acceptance", "chain", what, "Give them a manager on the roster")


def _notices(book: _Book) -> Iterator[Finding]:
    """Who is not told that they are asked misses every offer."""
    for event in (ASKED, NEW_OWNER):
        if not any(rule.to == OWNER and rule.when == ALWAYS for rule in rules_for(book.policy, event)):
            what = "no entry tells the owner in every case, who would learn of it by chance"
            mend = f"Add {{when: {event}, tell: owner, channels: [slack]}}"
            yield Finding(Severity.WARNING, "notice", event, what, mend)
