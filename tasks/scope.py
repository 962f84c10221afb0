"""Which accounts a run is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ownership.model import ACCOUNT, LEAD, Account
from ownership.policy import Policy
from ownership.territories import territories_of

LEADS = "leads/"
"""What the triggered flow is given before the id of a lead."""


class UnknownTerritory(ValueError):
    """The name is no territory of the policy; the message lists those that are."""


def accounts_showing(source: str, ids: Sequence[str], begun: Iterable[str] = ()) -> Callable[[Account], bool]:
    """Accounts that have one of these records, and leads that have one written as "leads/<id>"; and those with one of
    the ids `begun`, which matching has just made."""
    wanted = {(LEAD if id_.startswith(LEADS) else ACCOUNT, id_.removeprefix(LEADS)) for id_ in ids}
    made = frozenset(begun)
    return lambda account: (
        account.id in made
        or any(ref.source == source and (account.kind, ref.external_id) in wanted for ref in account.refs)
    )


def accounts_in_territory(policy: Policy, territory: str) -> Callable[[Account], bool]:
    """Accounts that fall into this territory or one below it; no leads. Raises `UnknownTerritory`."""
    known = [node.id for node in policy.territories]
    if territory not in known:
        raise UnknownTerritory(f"no territory '{territory}' in the policy; there are: {', '.join(sorted(known))}")
    return lambda account: account.kind == ACCOUNT and territory in territories_of(account, policy)


def without_existing_owner(policy: Policy) -> Policy:
    """The policy as a territory rerun reads it: the present owner is no reason to stay."""
    return replace(policy, order=tuple(step for step in policy.order if step != "existing_owner"))
