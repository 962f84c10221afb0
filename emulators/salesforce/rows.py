"""The REST resources that read and write rows: sObject rows, collections, describe."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise
from typing import Any

from emulators.exchange import Reply
from emulators.salesforce.errors import ApiError, RowError, not_found
from emulators.salesforce.org import Org
from emulators.salesforce.schema import Kind, find_kind
from emulators.salesforce.selection import attributes
from emulators.salesforce.values import Record, full_id

MAX_ROWS, MAX_CHUNKS = 200, 10  # sObject Collections
CREATABLE = frozenset({"Task", "Account", "Lead", "AccountTeamMember"})
ROLLED_BACK = ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid")
LOCKED = "unable to obtain exclusive access to this record or 1 records: "


class Rows:
    """Reads and writes of `org` as `by`. `locked` is asked once for each row of a collections write."""

    def __init__(self, org: Org, by: Callable[[], str], locked: Callable[[], bool]) -> None:
        self._org, self._by, self._locked = org, by, locked

    def read(self, kind: Kind, record_id: str, version: str, headers: Mapping[str, str]) -> Reply:
        """GET sobjects/{kind}/{id}; an Account comes with an ETag."""
        record = self._find(kind, record_id)
        tags = self._tags(kind, record)
        if headers.get("if-none-match") and headers["if-none-match"] == tags.get("ETag"):
            return Reply(304, None, tags)
        return Reply(200, {"attributes": attributes(kind, record["Id"], version), **record}, tags, rows=1)

    def patch(self, kind: Kind, record_id: str, fields: Any, headers: Mapping[str, str]) -> Reply:
        """PATCH sobjects/{kind}/{id}, conditional where the headers say so: 412 then means nothing was written."""
        record = self._find(kind, record_id)
        self._check_conditions(kind, record, headers)
        try:
            asked = _without_attributes(_mapping(fields))
            self._org.update(kind, record_id, asked, self._by(), by_rule=_by_rule(headers))
        except RowError as error:
            raise error.for_request() from error
        return Reply(204, None, rows=1)

    def post(self, kind: Kind, fields: Any, headers: Mapping[str, str]) -> Reply:
        """POST sobjects/{kind}."""
        if kind.name not in CREATABLE:
            raise ApiError(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {kind.name}")
        try:
            asked = _without_attributes(_mapping(fields))
            record = self._org.create(kind, asked, self._by(), by_rule=_by_rule(headers))
        except RowError as error:
            raise error.for_request() from error
        return Reply(201, {"id": record["Id"], "success": True, "errors": []}, rows=1)

    def update_collection(self, body: Any, headers: Mapping[str, str]) -> Reply:
        """PATCH composite/sobjects: one result for each record, in order, always 200."""
        kinds, records = _collection(body)
        write = self._all_or_none if _mapping(body).get("allOrNone", False) else self._each
        return Reply(200, write(kinds, records, _by_rule(headers)), rows=len(records))

    def create_collection(self, body: Any, headers: Mapping[str, str]) -> Reply:
        """POST composite/sobjects: one result for each record, in order, always 200."""
        kinds, records = _collection(body)
        if _mapping(body).get("allOrNone", False):
            raise ApiError(400, "NOT_SUPPORTED", "creating all or none is not emulated")
        answers = [self._create_row(kind, record, headers) for kind, record in zip(kinds, records, strict=True)]
        return Reply(200, answers, rows=len(records))

    def _create_row(self, kind: Kind, record: Record, headers: Mapping[str, str]) -> dict[str, Any]:
        if kind.name not in CREATABLE:
            return RowError("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {kind.name}").body
        try:
            created = self._org.create(kind, _without_attributes(record), self._by(), by_rule=_by_rule(headers))
        except RowError as error:
            return error.body
        return {"id": created["Id"], "success": True, "errors": []}

    def _each(self, kinds: list[Kind], records: list[Record], by_rule: bool) -> list[dict[str, Any]]:
        seen: set[str] = set()
        return [self._write_row(kind, record, seen, by_rule) for kind, record in zip(kinds, records, strict=True)]

    def _all_or_none(self, kinds: list[Kind], records: list[Record], by_rule: bool) -> list[dict[str, Any]]:
        """Every row is tried without writing first: one that fails keeps the others from being written."""
        answers: list[dict[str, Any]] = []
        for kind, record in zip(kinds, records, strict=True):
            try:
                self._check_row(kind, record)
                answers.append(RowError(*ROLLED_BACK).body)
            except RowError as error:
                answers.append(error.body)
        if all(answer["errors"][0]["statusCode"] == ROLLED_BACK[0] for answer in answers):
            return self._each(kinds, records, by_rule)
        return answers

    def _check_row(self, kind: Kind, record: Record) -> None:
        record_id, fields = _split(record)
        self._org.updatable(kind, record_id)
        self._org.checked(kind, fields)

    def _write_row(self, kind: Kind, record: Record, seen: set[str], by_rule: bool) -> dict[str, Any]:
        try:
            record_id, fields = _split(record)
            whole = full_id(record_id) or record_id
            if whole in seen:
                raise RowError("DUPLICATE_VALUE", f"duplicate id specified: {whole}", ("Id",))
            seen.add(whole)
            if self._locked():
                raise RowError("UNABLE_TO_LOCK_ROW", LOCKED + whole)
            written = self._org.update(kind, record_id, fields, self._by(), by_rule=by_rule)
        except RowError as error:
            return error.body
        return {"id": written["Id"], "success": True, "errors": []}

    def _find(self, kind: Kind, record_id: str) -> Record:
        record = self._org.find(kind, record_id)
        if record is None:
            raise not_found()
        if record["IsDeleted"]:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        return record

    def _tags(self, kind: Kind, record: Record) -> dict[str, str]:
        modified = datetime.fromisoformat(record["LastModifiedDate"]).astimezone(UTC)
        tags = {"Last-Modified": format_datetime(modified, usegmt=True)}
        if kind.name == "Account":
            state = f"{record['Id']}:{record['SystemModstamp']}:{self._org.revisions.get(record['Id'], 0)}"
            tags["ETag"] = f'"{base64.b64encode(hashlib.sha256(state.encode()).digest()[:16]).decode()}"'
        return tags

    def _check_conditions(self, kind: Kind, record: Record, headers: Mapping[str, str]) -> None:
        """If-Match works for Account only; If-Unmodified-Since sees whole seconds."""
        wanted, since = headers.get("if-match"), headers.get("if-unmodified-since")
        if wanted is not None and kind.name == "Account" and wanted != "*":
            if not wanted.endswith('"'):
                raise ApiError(400, "INVALID_HEADER_VALUE", "If-Match is not an entity tag")
            if self._tags(kind, record)["ETag"] not in [tag.strip() for tag in wanted.split(",")]:
                raise _precondition_failed()
        if since is not None:
            try:
                limit = parsedate_to_datetime(since)
            except ValueError as error:
                raise ApiError(400, "INVALID_HEADER_VALUE", "If-Unmodified-Since is not a date") from error
            if datetime.fromisoformat(record["LastModifiedDate"]).replace(microsecond=0) > limit:
                raise _precondition_failed()


def describe(kind: Kind) -> dict[str, Any]:
    """GET sobjects/{kind}/describe, trimmed to what tells fields apart."""
    fields = [
        {
            "name": field.name,
            "type": field.type,
            "length": field.length,
            "nillable": field.nillable,
            "updateable": field.writable,
            "createable": field.writable,
            "custom": field.name.endswith("__c"),
            "referenceTo": list(field.refers_to),
            "relationshipName": field.relationship,
        }
        for field in kind.fields.values()
    ]
    return {"name": kind.name, "keyPrefix": kind.prefix, "queryable": True, "updateable": True, "fields": fields}


def _by_rule(headers: Mapping[str, str]) -> bool:
    """Whether assignment rules run after the write: they do unless Sforce-Auto-Assign says FALSE."""
    return headers.get("sforce-auto-assign", "TRUE").upper() != "FALSE"


def _precondition_failed() -> ApiError:
    return ApiError(412, "PRECONDITION_FAILED", "Precondition failed: the record was modified")


def _mapping(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise ApiError(400, "JSON_PARSER_ERROR", "The HTTP entity body is required to be a JSON object")
    return body


def _without_attributes(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "attributes"}


def _collection(body: Any) -> tuple[list[Kind], list[Record]]:
    """The records of a collections call with their kinds. Raises `ApiError` for what fails the whole call."""
    records = _mapping(body).get("records")
    if not isinstance(records, list) or not records:
        raise ApiError(400, "INVALID_INPUT", "The records list is missing or empty")
    if len(records) > MAX_ROWS:
        message = f"Record limit reached. cannot submit more than {MAX_ROWS} records into this call"
        raise ApiError(400, "EXCEEDED_ID_LIMIT", message)
    kinds = [_kind_of(record) for record in records]
    chunks = 1 + sum(1 for before, after in pairwise(kinds) if before != after)
    if chunks > MAX_CHUNKS:
        raise ApiError(400, "LIMIT_EXCEEDED", f"Too many chunks of different types: {chunks}, limit {MAX_CHUNKS}")
    _check_columns(kinds, records)
    return kinds, records


def _kind_of(record: Any) -> Kind:
    kind = find_kind(str(_mapping(_mapping(record).get("attributes")).get("type", "")))
    if kind is None:
        raise ApiError(400, "INVALID_TYPE", "sObject type of a record is missing or not supported")
    return kind


def _split(record: Record) -> tuple[str, dict[str, Any]]:
    """Its id (named "id" or "Id") and what to write. Raises `RowError`."""
    fields = _without_attributes(record)
    found = [fields.pop(name) for name in tuple(fields) if name.lower() == "id"]
    if not found or not found[0]:
        raise RowError("MISSING_ARGUMENT", "Id not specified in an update call", ("Id",))
    return str(found[0]), fields


def _check_columns(kinds: list[Kind], records: list[Record]) -> None:
    """A column nobody knows fails the whole request: the body cannot be read as records."""
    for kind, record in zip(kinds, records, strict=True):
        for name in _without_attributes(record):
            if kind.field(name) is None:
                raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
