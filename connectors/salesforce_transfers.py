"""What goes with the owner of a Salesforce account: its team, its contacts, its open opportunities.

Every change of OwnerId through REST or Bulk deletes the account team, and no REST header prevents it (SOAP's
OwnerChangeOptions does, one old and one new owner to a call): it is read before and put back after. ContactAccessLevel
is not put back: where sharing of contacts is controlled by the account, which is the default, it cannot be written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from connectors.base import OwnerChange, OwnerResult, WriteOutcome
from connectors.batches import chunks, in_parallel, same_result
from connectors.errors import Ambiguous, RecordRejected, RetryLater, SchemaChanged
from connectors.salesforce_api import AT_ONCE, SalesforceApi, row_results
from ownership.transfers import CONTACTS, OPPORTUNITIES, Dependent, Teammate

ACCESS = ("AccountAccessLevel", "OpportunityAccessLevel", "CaseAccessLevel")
KINDS = {CONTACTS: ("Contact", ""), OPPORTUNITIES: ("Opportunity", " AND IsClosed = false")}
DEPENDENT_TYPES = tuple(name for name, _ in KINDS.values())
TEAM_BATCH = 500  # account ids of one SOQL IN: as many as fit into a URL of 16,384 characters
READ_BATCH = 250  # account ids of one SOQL IN: there is a second list of owners in the same URL of 16,384 characters
OWNERS_BATCH = 250
CREATE_BATCH = 200  # rows of one collections call
NO_TEAMS = ("INVALID_TYPE", "INVALID_TYPE_FOR_OPERATION")  # account teams are switched off in this org


class AccountTransfers:
    """Reads and writes of one org. Ids that come in are valid, and so are those that go out."""

    def __init__(self, api: SalesforceApi) -> None:
        self._api = api

    def read_teams(self, ids: Sequence[str]) -> dict[str, tuple[Teammate, ...]]:
        """One call for each 500 accounts. An org without account teams has none."""
        found: dict[str, list[Teammate]] = {}
        columns = f"AccountId, UserId, TeamMemberRole, {', '.join(ACCESS)}"

        def read(some: Sequence[str]) -> list[dict[str, Any]]:
            where = f"AccountId IN ({quoted(some)}) AND IsDeleted = false"
            return list(self._api.records(f"SELECT {columns} FROM AccountTeamMember WHERE {where}"))  # noqa: S608  (ids are checked)

        try:
            for rows in in_parallel(read, list(chunks(ids, TEAM_BATCH)), AT_ONCE):
                for row in rows:
                    found.setdefault(row["AccountId"], []).append(_to_teammate(row))
        except (RecordRejected, SchemaChanged) as error:
            if error.code not in NO_TEAMS:
                raise
        return {id_: tuple(team) for id_, team in found.items()}

    def add_teammates(self, wanted: Sequence[tuple[str, Teammate]]) -> list[OwnerResult]:
        """One collections call for each 200. Somebody who is on the team already gets the role written again."""
        results: list[OwnerResult] = []
        for some in chunks(wanted, CREATE_BATCH):
            results += self._create([_to_record(*each) for each in some], [account for account, _ in some])
        return results

    def dependents(self, ids: Sequence[str], kinds: Collection[str], owner_ids: Collection[str]) -> Iterator[Dependent]:
        """One call for each 250 accounts and kind, unless there are more than 250 owners."""
        for name, beside in (KINDS[kind] for kind in sorted(kinds)):
            for some in chunks(ids, READ_BATCH):
                for owners in chunks(sorted(owner_ids), OWNERS_BATCH):
                    theirs = f"AccountId IN ({quoted(some)}) AND OwnerId IN ({quoted(owners)})"
                    where = f"{theirs} AND IsDeleted = false{beside}"
                    soql = f"SELECT Id, AccountId, OwnerId FROM {name} WHERE {where} ORDER BY Id"  # noqa: S608  (ids are checked)
                    for row in self._api.records(soql):
                        yield Dependent(name, row["Id"], row["AccountId"], row["OwnerId"])

    def _create(self, records: Sequence[dict[str, Any]], accounts: Sequence[str]) -> list[OwnerResult]:
        changes = [OwnerChange("AccountTeamMember", account, "") for account in accounts]
        try:
            response = self._api.send("POST", "composite/sobjects", {"allOrNone": False, "records": records})
            return row_results(response, accounts)
        except Ambiguous as error:
            return same_result(changes, WriteOutcome.UNKNOWN, error)
        except RetryLater as error:
            return same_result(changes, WriteOutcome.RETRY, error)


def quoted(ids: Sequence[str]) -> str:
    """Ids as a SOQL list."""
    return ",".join(f"'{id_}'" for id_ in ids)


def _to_teammate(row: dict[str, Any]) -> Teammate:
    return Teammate(row["UserId"], row.get("TeamMemberRole"), {name: row[name] for name in ACCESS if row.get(name)})


def _to_record(account_id: str, mate: Teammate) -> dict[str, Any]:
    role = {"TeamMemberRole": mate.role} if mate.role else {}
    kind = {"attributes": {"type": "AccountTeamMember"}}
    return {**kind, "AccountId": account_id, "UserId": mate.user_id, **role, **mate.access}
