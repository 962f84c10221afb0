"""The objects and fields of the emulated org: standard ones as recorded describes have them, and nine custom ones."""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = frozenset({"int", "double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class Field:
    """`refers_to` are the objects a reference may point at; `relationship` is the name SOQL walks it by."""

    name: str
    type: str
    length: int = 0
    nillable: bool = True
    writable: bool = True
    refers_to: tuple[str, ...] = ()
    relationship: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One sObject type. Field names are matched without case, as Salesforce does."""

    name: str
    prefix: str
    fields: dict[str, Field]

    def field(self, name: str) -> Field | None:
        return self.fields.get(name.lower())

    def relation(self, name: str) -> Field | None:
        wanted = name.lower()
        return next((f for f in self.fields.values() if (f.relationship or "").lower() == wanted), None)


def _text(name: str, length: int = 255, type: str = "string", *, nillable: bool = True) -> Field:
    return Field(name, type, length, nillable)


def _ref(name: str, *targets: str, nillable: bool = True, writable: bool = True) -> Field:
    return Field(name, "reference", 18, nillable, writable, targets, name.removesuffix("Id"))


def _fixed(name: str, type: str) -> Field:
    return Field(name, type, nillable=False, writable=False)


SYSTEM = (
    Field("Id", "id", 18, nillable=False, writable=False),
    _fixed("IsDeleted", "boolean"),
    _fixed("CreatedDate", "datetime"),
    _ref("CreatedById", "User", nillable=False, writable=False),
    _fixed("LastModifiedDate", "datetime"),
    _ref("LastModifiedById", "User", nillable=False, writable=False),
    _fixed("SystemModstamp", "datetime"),
)


MARKETING = (
    Field("Human_Outreach_In_Progress__c", "boolean", nillable=False),
    Field("Do_Not_Market_Until__c", "date"),
)


def _address(prefix: str) -> tuple[Field, ...]:
    return (
        _text(f"{prefix}Street", type="textarea"),
        _text(f"{prefix}City", 40),
        _text(f"{prefix}State", 80),
        _text(f"{prefix}PostalCode", 20),
        _text(f"{prefix}Country", 80),
    )


def _kind(name: str, prefix: str, *fields: Field) -> Kind:
    return Kind(name, prefix, {field.name.lower(): field for field in (*SYSTEM, *fields)})


def _history(tracked: str) -> Kind:
    """The changes of an object's fields. The org writes it, and `anyType` values can be read but not filtered by."""
    fields = (
        Field("Id", "id", 18, nillable=False, writable=False),
        _fixed("IsDeleted", "boolean"),
        _ref(f"{tracked}Id", tracked, nillable=False, writable=False),
        _ref("CreatedById", "User", nillable=False, writable=False),
        _fixed("CreatedDate", "datetime"),
        _fixed("Field", "picklist"),
        _fixed("DataType", "picklist"),
        Field("OldValue", "anyType", writable=False),
        Field("NewValue", "anyType", writable=False),
    )
    return Kind(f"{tracked}History", "017", {field.name.lower(): field for field in fields})


HISTORIES = {"AccountHistory": "Account", "LeadHistory": "Lead"}
KINDS = (
    _kind(
        "Account",
        "001",
        Field("MasterRecordId", "reference", 18, writable=False, refers_to=("Account",), relationship="MasterRecord"),
        _text("Name", nillable=False),
        _text("Type", 40, "picklist"),
        _ref("ParentId", "Account"),
        *_address("Billing"),
        *_address("Shipping"),
        _text("Phone", 40, "phone"),
        _text("Fax", 40, "phone"),
        _text("AccountNumber", 40),
        _text("Website", 255, "url"),
        _text("Sic", 20),
        _text("Industry", 40, "picklist"),
        Field("AnnualRevenue", "currency"),
        Field("NumberOfEmployees", "int"),
        _text("Ownership", 40, "picklist"),
        _text("TickerSymbol", 20),
        _text("Description", 32_000, "textarea"),
        _text("Rating", 40, "picklist"),
        _text("Site", 80),
        _ref("OwnerId", "User", nillable=False),
        Field("LastActivityDate", "date", writable=False),
        _text("AccountSource", 40, "picklist"),
        _text("Segment__c", 40, "picklist"),
        Field("Do_Not_Route__c", "boolean", nillable=False),
        _text("Primary_Contact_Email__c", 80, "email"),
        _text("Billing_Customer_Id__c", 64),
        *MARKETING,
    ),
    _kind(
        "Lead",
        "00Q",
        _ref("MasterRecordId", "Lead", writable=False),
        _text("LastName", 80, nillable=False),
        _text("FirstName", 40),
        _text("Salutation", 40, "picklist"),
        Field("Name", "string", 121, nillable=False, writable=False),
        _text("Title", 128),
        _text("Company", nillable=False),
        *_address(""),
        _text("Phone", 40, "phone"),
        _text("MobilePhone", 40, "phone"),
        _text("Email", 80, "email"),
        _text("Website", 255, "url"),
        _text("Description", 32_000, "textarea"),
        _text("LeadSource", 255, "picklist"),
        _text("Status", 255, "picklist", nillable=False),
        _text("Industry", 255, "picklist"),
        _text("Rating", 255, "picklist"),
        Field("AnnualRevenue", "currency"),
        Field("NumberOfEmployees", "int"),
        _ref("OwnerId", "User", "Group", nillable=False),
        Field("HasOptedOutOfEmail", "boolean", nillable=False),
        _fixed("IsConverted", "boolean"),
        Field("ConvertedDate", "date", writable=False),
        _ref("ConvertedAccountId", "Account", writable=False),
        _ref("ConvertedContactId", "Contact", writable=False),
        _ref("ConvertedOpportunityId", "Opportunity", writable=False),
        Field("IsUnreadByOwner", "boolean", nillable=False),
        Field("LastActivityDate", "date", writable=False),
        Field("Do_Not_Route__c", "boolean", nillable=False),
        *MARKETING,
    ),
    _kind(
        "User",
        "005",
        _text("Username", 80, nillable=False),
        _text("Name", 121),
        _text("FirstName", 40),
        _text("LastName", 80),
        _text("Email", 128, "email", nillable=False),
        Field("IsActive", "boolean", nillable=False),
        _text("UserType", 40, "picklist"),
        _text("Title", 80),
        _text("Department", 80),
        _text("TimeZoneSidKey", 40, "picklist"),
        _ref("ManagerId", "User"),
    ),
    _kind(
        "Group",
        "00G",
        _text("Name", 40, nillable=False),
        _text("DeveloperName", 80),
        _text("Type", 40, "picklist"),
        _text("Email", 255, "email"),
    ),
    _kind(
        "Contact",
        "003",
        _ref("AccountId", "Account"),
        _text("LastName", 80, nillable=False),
        _text("FirstName", 40),
        Field("Name", "string", 121, writable=False),
        _text("Email", 80, "email"),
        _text("Phone", 40, "phone"),
        _text("Title", 128),
        _ref("OwnerId", "User", nillable=False),
    ),
    _kind(
        "Opportunity",
        "006",
        _ref("AccountId", "Account"),
        _text("Name", 120, nillable=False),
        _text("StageName", 255, "picklist", nillable=False),
        Field("Amount", "currency"),
        Field("CloseDate", "date", nillable=False),
        Field("IsClosed", "boolean", nillable=False, writable=False),
        Field("IsWon", "boolean", nillable=False, writable=False),
        _ref("OwnerId", "User", nillable=False),
    ),
    _kind(
        "Task",
        "00T",
        _text("Subject"),
        Field("WhatId", "reference", 18, refers_to=("Account", "Opportunity"), relationship="What"),
        Field("WhoId", "reference", 18, refers_to=("Contact", "Lead"), relationship="Who"),
        Field("ActivityDate", "date"),
        _text("Status", 255, "picklist", nillable=False),
        _text("Priority", 255, "picklist", nillable=False),
        _text("Description", 32_000, "textarea"),
        _ref("OwnerId", "User", nillable=False),
    ),
    _kind(
        "AccountTeamMember",
        "01M",
        _ref("AccountId", "Account", nillable=False),
        _ref("UserId", "User", nillable=False),
        _text("TeamMemberRole", 40, "picklist"),
        _text("AccountAccessLevel", 40, "picklist"),
        _text("OpportunityAccessLevel", 40, "picklist"),
        _text("CaseAccessLevel", 40, "picklist"),
        _text("ContactAccessLevel", 40, "picklist"),
    ),
    *map(_history, HISTORIES.values()),
)
BY_NAME = {kind.name.lower(): kind for kind in KINDS}


def find_kind(name: str) -> Kind | None:
    """The object of this name, in any case."""
    return BY_NAME.get(name.lower())
