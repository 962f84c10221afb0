"""Who is looking at a page or calls the API, and what their role lets them do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ownership.placed_by_people import Person


class Role(StrEnum):
    """What somebody may do. Each role may do what the ones before it may."""

    REP = "rep"
    MANAGER = "manager"
    OPS = "ops"

    def may(self, needed: Role) -> bool:
        """Whether this role is enough where `needed` is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is logged in. `rep_id` is who they are on the roster, None for who is not on it.

    `form_token` is what every form they send must carry; a page of another site does not know it.
    """

    email: str
    name: str
    role: Role
    rep_id: str | None
    form_token: str = ""

    @property
    def actor(self) -> str:
        """How the ledger names them: the id on the roster, else the address."""
        return self.rep_id or self.email

    @property
    def person(self) -> Person:
        """Who acts, for what people ask for and answer."""
        return Person(self.actor, self.role.value)
