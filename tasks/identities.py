"""Read the roster and the users of every system, and say who is who."""

from __future__ import annotations

from ownership.identities import Identities, OutsidePerson, identify
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext


def load_identities(context: RunContext, uow: UnitOfWork) -> Identities:
    """Identities over all targets, from the users pulled last."""
    people = [
        OutsidePerson(target, person.external_id, person.email, person.active)
        for target in sorted(context.connectors.targets)
        for person in uow.people.all(target)
    ]
    return identify(context.policy.roster.reps.values(), people)
