"""What one Outreach organisation holds: accounts and users, and the rules for changing them. No HTTP here.

A resource is JSON:API: {"type", "id": number, "attributes", "relationships"}. Unverified: that an account cannot be
given to a user who is locked out; no public page says so, and the stricter of the two is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from emulators.outreach.errors import invalid, not_found

Resource = dict[str, Any]

READ_ONLY = {"createdAt", "updatedAt", "touchedAt"}
API_USER = 1  # who authorised the application


class Org:
    """One organisation. `now` is its clock; every write moves `updatedAt`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.accounts: dict[int, Resource] = {}
        self.users: dict[int, Resource] = {}

    def load(self, accounts: Iterable[Resource], users: Iterable[Resource]) -> None:
        self.accounts = {row["id"]: _full(row) for row in accounts}
        self.users = {row["id"]: row for row in users}

    def find_account(self, id_: str | int) -> Resource:
        """Raises `OutreachError` 404."""
        found = self.accounts.get(int(id_)) if str(id_).isdecimal() else None
        if found is None:
            raise not_found("account", id_)
        return found

    def update_account(self, id_: str, sent: Resource) -> Resource:
        """PATCH of one account by the application. Raises `OutreachError`."""
        account = self.find_account(id_)
        if sent.get("type") != "account" or sent.get("id") != account["id"]:
            raise invalid("The resource's type and id must be those of the address.", "/data")
        attributes, relationships = sent.get("attributes") or {}, sent.get("relationships") or {}
        for name in attributes:
            if name in READ_ONLY or name not in account["attributes"]:
                raise invalid(f"'{name}' cannot be written.", f"/data/attributes/{name}")
        for name in relationships:
            if name != "owner":
                raise invalid(f"'{name}' cannot be written.", f"/data/relationships/{name}")
        if "owner" in relationships:
            self.give(account, self._linked(relationships, "owner", "user"))
        account["attributes"] |= attributes
        return self.touch(account, API_USER)

    def give(self, account: Resource, owner_id: int | None, by: int = API_USER) -> Resource:
        """Make somebody the owner. Raises `OutreachError` 422 for a user who is unknown or locked out."""
        if owner_id is not None:
            self.check_owner(owner_id)
        account["relationships"]["owner"] = {"data": {"type": "user", "id": owner_id} if owner_id else None}
        return self.touch(account, by)

    def check_owner(self, owner_id: int) -> None:
        user = self.users.get(owner_id)
        if user is None:
            raise invalid("Owner must exist.", "/data/relationships/owner")
        if user["attributes"].get("locked"):
            raise invalid("Owner must be active.", "/data/relationships/owner")

    def touch(self, account: Resource, by: int) -> Resource:
        account["attributes"]["updatedAt"] = stamp(self._now())
        account["relationships"]["updater"] = {"data": {"type": "user", "id": by}}
        return account

    def _linked(self, relationships: Resource, name: str, kind: str) -> int | None:
        """The id a relationship in a request names. Ids are numbers."""
        data = (relationships.get(name) or {}).get("data")
        if data is None:
            return None
        if data.get("type") != kind or isinstance(data.get("id"), bool) or not isinstance(data.get("id"), int):
            raise invalid(f"'{name}' must be a {kind}.", f"/data/relationships/{name}")
        return int(data["id"])


def stamp(at: datetime) -> str:
    """An instant as Outreach writes it, as in 2019-08-07T21:24:31.000Z."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _full(row: Resource) -> Resource:
    """An account with the attributes and relationships that every account has."""
    nothing = dict.fromkeys(
        ("name", "domain", "websiteUrl", "customId", "industry", "companyType", "numberOfEmployees", "locality")
    )
    custom = {f"custom{n}": None for n in range(1, 151)}
    attributes = {**nothing, **custom, "named": False, "tags": [], "touchedAt": None, **row["attributes"]}
    relationships = {"owner": {"data": None}, "updater": {"data": None}, **row.get("relationships", {})}
    return {**row, "attributes": attributes, "relationships": relationships}
