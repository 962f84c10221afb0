"""The records of one org, and the rules that every write goes through, whoever makes it and by whatever API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from emulators.salesforce.errors import RowError
from emulators.salesforce.history import OwnerHistory
from emulators.salesforce.schema import HISTORIES, Field, Kind, find_kind
from emulators.salesforce.soql import instant_text
from emulators.salesforce.values import Record, full_id, live, plain_value
from emulators.world.ids import salesforce_id

Changed = Callable[[Kind, Record], None]

FIRST_NEW_ROW = 5_000_000  # far above what a world holds
WORLD_LISTS = {
    "User": "users",
    "Group": "queues",
    "Account": "accounts",
    "Lead": "leads",
    "Contact": "contacts",
    "Opportunity": "opportunities",
    "AccountTeamMember": "account_team_members",
    "Task": "tasks",
}
LEAD_PREFIX = "00Q"
MOVED_BY_MERGES = {"Account": (("Account", "ParentId"), ("Contact", "AccountId"), ("Opportunity", "AccountId"))}
TOLD = frozenset({"Account", "Lead"})  # objects with an outbound message
CONVERTED = ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")  # recorded traffic


class Org:
    """Records by object and id. `changed` hears of every account and lead written, after the write.

    `lead_rule_owner` is whom the active assignment rule gives leads to, None in an org without one.
    """

    def __init__(self, now: Callable[[], datetime], changed: Changed, *, cascade_opportunities: bool = False) -> None:
        """`cascade_opportunities`: an account's open deals move with its owner, as some orgs have it."""
        self._now, self._changed, self._cascade = now, changed, cascade_opportunities
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in WORLD_LISTS}
        self.revisions: dict[str, int] = {}
        self.owner_history = OwnerHistory(self._name_of)
        self.lead_rule_owner: str | None = None
        self._teams: dict[str, list[Record]] = {}  # members by account: looked up at every owner change
        self._made = 0

    def load(self, rows: Mapping[str, Any]) -> None:
        """Take over a world's lists. Raises `ValueError` for an id that is not one of the object's."""
        for name, key in WORLD_LISTS.items():
            self.tables[name] = {row["Id"]: self._complete(name, row) for row in rows.get(key) or ()}
        self.lead_rule_owner = rows.get("lead_rule_owner")
        self._teams.clear()
        for member in self.tables["AccountTeamMember"].values():
            self._teams.setdefault(member["AccountId"], []).append(member)

    def find(self, kind: Kind, record_id: str) -> Record | None:
        return self.rows(kind).get(full_id(record_id) or "")

    def rows(self, kind: Kind, about: Iterable[str] | None = None) -> Mapping[str, Record]:
        """The records of an object by id; of a history those about some records alone, when they are named."""
        return self.owner_history.rows(kind.name, about) if kind.name in HISTORIES else self.tables[kind.name]

    def update(
        self, kind: Kind, record_id: str, fields: Mapping[str, Any], by: str, *, by_rule: bool = False
    ) -> Record:
        """Write some fields of one record; `by_rule`: then let the active assignment rule choose the owner.

        Raises `RowError`; then nothing is written.
        """
        record = self.updatable(kind, record_id)
        values = self.checked(kind, fields) | (self._by_rule(kind) if by_rule else {})
        new_owner = values.get("OwnerId", record.get("OwnerId")) != record.get("OwnerId")
        old_owner = record.get("OwnerId")
        record |= values
        self._stamp(record, by)
        _name(record, kind)
        if new_owner:
            self.owner_history.note(kind.name, record["Id"], old_owner, record["OwnerId"], by, record["SystemModstamp"])
        if kind.name == "Account" and new_owner:
            self._owner_moved(record, old_owner, by)
        self._tell(kind, record)
        return record

    def create(self, kind: Kind, fields: Mapping[str, Any], by: str, *, by_rule: bool = False) -> Record:
        """Raises `RowError`, also for what is required and missing."""
        if kind.name in HISTORIES:
            raise RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {kind.name}")
        values = self.checked(kind, {**_defaults(kind, by), **fields}) | (self._by_rule(kind) if by_rule else {})
        if values.get("WhatId") and str(values.get("WhoId")).startswith(LEAD_PREFIX):
            raise RowError("FIELD_INTEGRITY_EXCEPTION", "a task about a lead cannot be related to another record")
        missing = tuple(
            f.name for f in kind.fields.values() if f.writable and not f.nillable and values.get(f.name) is None
        )
        if missing:
            raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
        if kind.name == "AccountTeamMember" and (there := self._on_team(values)):
            there |= values  # whoever is on a team already is given the new role
            self._stamp(there, by)
            return there
        self._made += 1
        record = self._complete(kind.name, {"Id": salesforce_id(kind.prefix, FIRST_NEW_ROW + self._made), **values})
        self._stamp(record, by)
        _name(record, kind)
        record |= {"CreatedDate": record["SystemModstamp"], "CreatedById": by}
        self.tables[kind.name][record["Id"]] = record
        if kind.name == "AccountTeamMember":
            self._teams.setdefault(record["AccountId"], []).append(record)
        self._tell(kind, record)
        return record

    def _on_team(self, values: Mapping[str, Any]) -> Record | None:
        """This user's place on the account's team, if there is one. Raises `RowError` for a user who is not active."""
        if not self.tables["User"][values["UserId"]]["IsActive"]:
            message = f"operation performed with inactive user [{values['UserId']}] as owner of accountteammember"
            raise RowError("INACTIVE_OWNER_OR_USER", message, ("UserId",))
        team = live(self._teams.get(values["AccountId"], ()))
        return next((member for member in team if member["UserId"] == values["UserId"]), None)

    def convert(self, kind: Kind, record_id: str, account_id: str, by: str) -> Record:
        """A person makes a lead part of an account; from then on nobody can write it. Raises `RowError`."""
        record = self.updatable(kind, record_id)
        account = self._reference(kind.fields["convertedaccountid"], account_id)
        record |= {"IsConverted": True, "ConvertedAccountId": account, "Status": "Closed - Converted"}
        record["ConvertedDate"] = self._now().date().isoformat()
        self._stamp(record, by)
        self._tell(kind, record)
        return record

    def delete(self, kind: Kind, record_id: str, by: str) -> Record:
        """To the recycle bin: gone from query, still in queryAll."""
        record = self.writable(kind, record_id)
        record["IsDeleted"] = True
        self._stamp(record, by)
        if kind.name == "Account":
            self._drop_team(record["Id"], by)
        return record

    def merge(self, kind: Kind, master_id: str, record_id: str, by: str) -> Record:
        """A person merges a record into another, which keeps its own values and gets what hung on the first.

        The first goes to the recycle bin and names its master. Raises `RowError`.
        """
        master, record = self.updatable(kind, master_id), self.updatable(kind, record_id)
        if master["Id"] == record["Id"]:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "a record cannot be merged with itself")
        record |= {"IsDeleted": True, "MasterRecordId": master["Id"]}
        self._stamp(record, by)
        for name, field in MOVED_BY_MERGES.get(kind.name, ()):
            for row in self.tables[name].values():
                if row.get(field) == record["Id"] and not row["IsDeleted"]:
                    row[field] = None if row["Id"] == master["Id"] else master["Id"]
                    self._stamp(row, by)
        if kind.name == "Account":
            self._drop_team(record["Id"], by)
        self._stamp(master, by)
        self._tell(kind, master)
        return master

    def undelete(self, kind: Kind, record_id: str, by: str) -> Record:
        record = self.find(kind, record_id)
        if record is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        record["IsDeleted"] = False
        if "masterrecordid" in kind.fields:
            record["MasterRecordId"] = None
        self._stamp(record, by)
        return record

    def writable(self, kind: Kind, record_id: str) -> Record:
        """The live record of this id. Raises `RowError`."""
        whole = full_id(record_id)
        if whole is None:
            raise RowError("MALFORMED_ID", f"{kind.name} ID: id value of incorrect type: {record_id}", ("Id",))
        record = self.rows(kind).get(whole)
        if record is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        return record

    def updatable(self, kind: Kind, record_id: str) -> Record:
        """The live record of this id, which is no lead that was converted. Raises `RowError`."""
        record = self.writable(kind, record_id)
        if record.get("IsConverted"):
            raise RowError(*CONVERTED)
        return record

    def checked(self, kind: Kind, fields: Mapping[str, Any]) -> Record:
        """The values under their own field names, as they will be stored. Raises `RowError`."""
        values: Record = {}
        for name, value in fields.items():
            field = kind.field(name)
            if field is None:
                raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
            if not field.writable:
                raise RowError(
                    "INVALID_FIELD_FOR_INSERT_UPDATE",
                    f"Unable to create/update fields: {field.name}. Please check the security settings of this field "
                    "and verify that it is read/write for your profile or permission set.",
                    (field.name,),
                )
            values[field.name] = self._value(kind, field, value)
        return values

    def _value(self, kind: Kind, field: Field, value: Any) -> Any:
        if value is None or value == "":
            if not field.nillable:
                raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field.name}]", (field.name,))
            return None
        if field.name == "OwnerId":
            return self._owner(kind, value)
        if field.type == "reference":
            return self._reference(field, value)
        return plain_value(field, value)

    def _owner(self, kind: Kind, value: Any) -> str:
        """Only an active standard user may own a record; a queue may own a lead, but no account."""
        owner_id = full_id(str(value))
        if owner_id is None:
            raise RowError("MALFORMED_ID", f"Owner ID: id value of incorrect type: {value}", ("OwnerId",))
        group = self.tables["Group"].get(owner_id)
        if group is not None:
            if group["Type"] == "Queue" and "Group" in kind.fields["ownerid"].refers_to:
                return owner_id
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank or a queue", ("OwnerId",))
        user = self.tables["User"].get(owner_id)
        if user is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ("OwnerId",))
        if not user["IsActive"]:
            message = f"operation performed with inactive user [{owner_id}] as owner of {kind.name.lower()}"
            raise RowError("INACTIVE_OWNER_OR_USER", message, ("OwnerId",))
        if (user.get("UserType") or "Standard") != "Standard":
            raise RowError("OP_WITH_INVALID_USER_TYPE_EXCEPTION", f"Operation not valid for user type: {kind.name}")
        return owner_id

    def _reference(self, field: Field, value: Any) -> str:
        target_id = full_id(str(value))
        if target_id is None:
            raise RowError("MALFORMED_ID", f"{field.name}: id value of incorrect type: {value}", (field.name,))
        target = next((t[target_id] for t in (self.tables[n] for n in field.refers_to) if target_id in t), None)
        if target is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (field.name,))
        if target["IsDeleted"]:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted", (field.name,))
        if target.get("IsConverted"):
            raise RowError(*CONVERTED, (field.name,))
        return target_id

    def _by_rule(self, kind: Kind) -> Record:
        """What the active assignment rule writes over the owner that was asked for."""
        return {"OwnerId": self.lead_rule_owner} if kind.name == "Lead" and self.lead_rule_owner else {}

    def _tell(self, kind: Kind, record: Record) -> None:
        if kind.name in TOLD:
            self._changed(kind, record)

    def _owner_moved(self, account: Record, old_owner: Any, by: str) -> None:
        """The vendor's default on an owner change through REST or Bulk: the account team goes."""
        self._drop_team(account["Id"], by)
        if not self._cascade:
            return
        for deal in self.tables["Opportunity"].values():
            if deal["AccountId"] == account["Id"] and deal["OwnerId"] == old_owner and not deal["IsClosed"]:
                deal["OwnerId"] = account["OwnerId"]
                self._stamp(deal, by)

    def _name_of(self, owner_id: Any) -> str | None:
        owner = self.tables["User"].get(owner_id) or self.tables["Group"].get(owner_id)
        return owner["Name"] if owner else None

    def _drop_team(self, account_id: str, by: str) -> None:
        for member in live(self._teams.get(account_id, ())):
            member["IsDeleted"] = True
            self._stamp(member, by)

    def _stamp(self, record: Record, by: str) -> None:
        """Every write moves the modstamp, to whole seconds as the vendor shows it."""
        now = instant_text(self._now().replace(microsecond=0))
        record |= {"LastModifiedDate": now, "SystemModstamp": now, "LastModifiedById": by}
        self.revisions[record["Id"]] = self.revisions.get(record["Id"], 0) + 1

    def _complete(self, kind_name: str, row: Mapping[str, Any]) -> Record:
        kind = find_kind(kind_name)
        if kind is None or full_id(row["Id"]) != row["Id"] or not row["Id"].startswith(kind.prefix):
            raise ValueError(f"{row['Id']!r} is not an 18-character id of {kind_name}")
        empty = {f.name: False if f.type == "boolean" else None for f in kind.fields.values()}
        unknown = row.keys() - empty.keys()
        if unknown:
            raise ValueError(f"{kind_name} has no {', '.join(sorted(unknown))}")
        return {**empty, **row}


def _name(record: Record, kind: Kind) -> None:
    """A person's Name is put together by the org and cannot be written."""
    name = kind.field("Name")
    if name and not name.writable and "lastname" in kind.fields:
        parts = [part for part in (record["FirstName"], record["LastName"]) if part]
        record["Name"] = " ".join(parts) or record["Name"]


def _defaults(kind: Kind, by: str) -> Record:
    given: Record = {f.name: False for f in kind.fields.values() if f.type == "boolean" and f.writable}
    if kind.field("OwnerId"):
        given["OwnerId"] = by
    if kind.name == "Task":
        given |= {"Status": "Not Started", "Priority": "Normal"}
    if kind.name == "Lead":
        given["Status"] = "Open - Not Contacted"
    return given
