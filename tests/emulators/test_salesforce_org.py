"""The emulated Salesforce, asked by the real client library over TLS, and held to recorded answers of a real org."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from emulators.faults import Fault
from emulators.salesforce.outbound import is_acknowledged
from emulators.server import EmulatedVendors
from tests.emulators.conftest import through_gateway
from tests.emulators.test_core_server import listen

pytestmark = pytest.mark.slow

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "salesforce.json").read_text("utf-8"))
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")


def code_of(error: pytest.ExceptionInfo[SalesforceError]) -> str:
    return str(error.value.content[0]["errorCode"])


@contextmanager
def served(world: dict[str, Any], folder: Path, **options: Any) -> Iterator[tuple[EmulatedVendors, Salesforce]]:
    access = world["salesforce"]
    with EmulatedVendors(world, folder, {"salesforce": options}, {"salesforce"}) as running:
        client = Salesforce(
            consumer_key=access["client_id"],
            consumer_secret=access["client_secret"],
            domain=access["domain"],
            version="66.0",
            session=through_gateway(running),
        )
        yield running, client


def owners(world: dict[str, Any], *, active: bool) -> list[str]:
    return [user["Id"] for user in world["salesforce"]["users"] if user["IsActive"] is active]


def change(account_id: str, owner_id: str) -> dict[str, Any]:
    return {"attributes": {"type": "Account"}, "id": account_id, "OwnerId": owner_id}


def update_collection(salesforce: Salesforce, records: list[dict[str, Any]], *, all_or_none: bool = False) -> Any:
    body = json.dumps({"allOrNone": all_or_none, "records": records})
    return salesforce.restful("composite/sobjects", method="PATCH", data=body)


# --- login ---


def test_wrong_credentials_get_no_token(world: dict[str, Any], session: requests.Session) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        Salesforce(
            consumer_key=world["salesforce"]["client_id"],
            consumer_secret="guess",
            domain="northwind.my",
            session=session,
        )


def test_credentials_may_come_in_the_body(world: dict[str, Any], session: requests.Session) -> None:
    access = world["salesforce"]
    form = {
        "grant_type": "client_credentials",
        "client_id": access["client_id"],
        "client_secret": access["client_secret"],
    }
    answer = session.post("https://northwind.my.salesforce.com/services/oauth2/token", data=form)
    assert answer.json()["instance_url"] == "https://northwind.my.salesforce.com"


def test_a_call_without_a_token_is_unauthorised(session: requests.Session) -> None:
    answer = session.get("https://northwind.my.salesforce.com/services/data/v66.0/query", params={"q": "SELECT Id"})
    assert (answer.status_code, answer.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )


def test_a_token_expires_in_the_middle_of_a_run(running: EmulatedVendors, salesforce: Salesforce) -> None:
    old = Salesforce(
        session_id=salesforce.session_id, instance="northwind.my.salesforce.com", session=salesforce.session
    )
    running.faults.install(Fault("salesforce", "query", "expire_token", nth=1))
    with pytest.raises(SalesforceExpiredSession):
        old.query("SELECT Id FROM Account LIMIT 1")
    assert salesforce.query("SELECT Id FROM Account LIMIT 1")["totalSize"] == 1
    assert running.journal.count("salesforce", "token") == 2


# --- queries ---


def test_a_query_answers_in_the_recorded_shape(salesforce: Salesforce) -> None:
    recorded = RECORDED["query_with_records"]["resBody"]
    answer = salesforce.query("SELECT Id, Name FROM Account LIMIT 3")
    assert list(answer) == list(recorded)
    assert list(answer["records"][0]) == list(recorded["records"][0])
    assert list(answer["records"][0]["attributes"]) == list(recorded["records"][0]["attributes"])


def test_answers_carry_the_recorded_headers_and_no_retry_after(salesforce: Salesforce) -> None:
    url = f"{salesforce.base_url}query"
    answer = salesforce.session.get(url, params={"q": "SELECT Id FROM Account LIMIT 1"}, headers=salesforce.headers)
    left_out = {
        "Transfer-Encoding",
        "Connection",
        "X-XSS-Protection",
        "X-Robots-Tag",
    }  # of the transport, or gone since
    for name in RECORDED["query"]["resHeaders"].keys() - left_out:
        assert name in answer.headers
    assert answer.headers["Content-Type"] == RECORDED["query"]["resHeaders"]["Content-Type"]
    assert "Retry-After" not in answer.headers


def test_every_account_is_paged_through_once_2000_at_a_time(world: dict[str, Any], tmp_path: Path) -> None:
    world["salesforce"]["contacts"] = []
    multiply_accounts(world, 4_500)
    with served(world, tmp_path) as (running, salesforce):
        rows = salesforce.query_all("SELECT Id, SystemModstamp FROM Account ORDER BY SystemModstamp, Id")["records"]
        assert [entry.rows for entry in running.journal.entries("salesforce")][1:] == [2000, 2000, 500]
    assert len({row["Id"] for row in rows}) == 4_500
    keys = [(row["SystemModstamp"], row["Id"]) for row in rows]
    assert keys == sorted(keys)


def test_a_cursor_that_is_gone_says_so(world: dict[str, Any], tmp_path: Path) -> None:
    multiply_accounts(world, 2_001)
    with served(world, tmp_path, cursor_lifetime=timedelta(0)) as (_, salesforce):
        first = salesforce.query("SELECT Id FROM Account")
        assert first["done"] is False
        with pytest.raises(SalesforceMalformedRequest) as caught:
            salesforce.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert code_of(caught) == "INVALID_QUERY_LOCATOR"


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("SELECT Id, Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id, Owner.Nope FROM Account", "INVALID_FIELD"),
        ("SELECT Id, Nobody.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id = 'xyz'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE"),
        ("SELECT Id Name FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Type = 'b' OR Type = 'c'", "MALFORMED_QUERY"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name", "MALFORMED_QUERY"),
    ],
)
def test_what_salesforce_does_not_know_is_refused(salesforce: Salesforce, soql: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        salesforce.query(soql)
    assert code_of(caught) == code


@pytest.mark.parametrize(
    ("where", "keep"),
    [
        ("ParentId = null", lambda a: a["ParentId"] is None),
        ("Type != 'prospect'", lambda a: (a["Type"] or "").lower() != "prospect"),
        ("NumberOfEmployees >= 100", lambda a: (a["NumberOfEmployees"] or 0) >= 100),
        ("Name LIKE 'a%'", lambda a: a["Name"].lower().startswith("a")),
        ("Do_Not_Route__c = true OR (ParentId != null AND Type = 'Prospect')",
         lambda a: a["Do_Not_Route__c"] or (a["ParentId"] and a["Type"] == "Prospect")),
        ("NOT (Type IN ('Prospect', 'Customer - Direct'))", lambda a: a["Type"] is None),
        ("SystemModstamp > 2026-06-01T00:00:00+02:00", lambda a: a["SystemModstamp"] > "2026-05-31T22:00:00.000+0000"),
    ],
)  # fmt: skip
def test_conditions_choose_what_they_say(salesforce: Salesforce, world: dict[str, Any], where: str, keep: Any) -> None:
    found = {row["Id"] for row in salesforce.query_all(f"SELECT Id FROM Account WHERE {where}")["records"]}
    assert found == {account["Id"] for account in world["salesforce"]["accounts"] if keep(account)}


def test_counting_brings_no_records(salesforce: Salesforce, world: dict[str, Any]) -> None:
    answer = salesforce.query("SELECT COUNT() FROM Account")
    assert (answer["totalSize"], answer["records"]) == (len(world["salesforce"]["accounts"]), [])


def test_the_owner_s_name_comes_with_the_account(salesforce: Salesforce, world: dict[str, Any]) -> None:
    names = {user["Id"]: user["Name"] for user in world["salesforce"]["users"]}
    row = salesforce.query("SELECT OwnerId, Owner.Name FROM Account LIMIT 1")["records"][0]
    assert row["Owner"]["attributes"]["type"] == "User"
    assert row["Owner"]["Name"] == names[row["OwnerId"]]


def test_a_deleted_account_is_only_in_query_all(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    gone = world["salesforce"]["accounts"][0]["Id"]
    running.vendors["salesforce"].edit({"object": "Account", "id": gone, "action": "delete"})
    soql = f"SELECT Id, IsDeleted FROM Account WHERE Id IN ('{gone}')"
    assert salesforce.query(soql)["totalSize"] == 0
    assert salesforce.query(soql, include_deleted=True)["records"][0]["IsDeleted"] is True


# --- writes ---


def test_each_row_of_a_batch_gets_its_own_answer_in_order(salesforce: Salesforce, world: dict[str, Any]) -> None:
    accounts = [account["Id"] for account in world["salesforce"]["accounts"][:5]]
    new = owners(world, active=True)[1]
    answers = update_collection(
        salesforce,
        [
            change(accounts[0], new),
            change(accounts[1], owners(world, active=False)[0]),
            change(accounts[2], world["salesforce"]["queues"][0]["Id"]),
            change("001Hs00000zzzzzIAA", new),
            change(accounts[4], new),
        ],
    )
    assert [answer["success"] for answer in answers] == [True, False, False, False, True]
    assert [answer["errors"][0]["statusCode"] for answer in answers if answer["errors"]] == [
        "INACTIVE_OWNER_OR_USER",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    assert salesforce.Account.get(accounts[4])["OwnerId"] == new


def test_row_answers_have_the_recorded_shape(salesforce: Salesforce, world: dict[str, Any]) -> None:
    accounts = [account["Id"] for account in world["salesforce"]["accounts"][:2]]
    good, bad = RECORDED["collections_partial_failure"]["resBody"]
    records = [change(accounts[0], owners(world, active=True)[1]), change(accounts[1], owners(world, active=False)[0])]
    answers = update_collection(salesforce, records)
    assert [list(answer) for answer in answers] == [list(good), list(bad)]
    assert list(answers[1]["errors"][0]) == list(bad["errors"][0])


def test_all_or_none_writes_nothing_when_one_row_fails(salesforce: Salesforce, world: dict[str, Any]) -> None:
    first, second = world["salesforce"]["accounts"][:2]
    new = next(owner for owner in owners(world, active=True) if owner != first["OwnerId"])
    records = [change(first["Id"], new), change(second["Id"], owners(world, active=False)[0])]
    answers = update_collection(salesforce, records, all_or_none=True)
    assert answers[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert salesforce.Account.get(first["Id"])["OwnerId"] == first["OwnerId"]


def test_a_batch_holds_at_most_200_rows(salesforce: Salesforce, world: dict[str, Any]) -> None:
    new = owners(world, active=True)[0]
    rows = [change(account["Id"], new) for account in world["salesforce"]["accounts"][:201]]
    with pytest.raises(SalesforceMalformedRequest):
        update_collection(salesforce, rows)
    assert len(update_collection(salesforce, rows[:200])) == 200


def test_a_deleted_account_takes_no_owner(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    gone = world["salesforce"]["accounts"][0]["Id"]
    running.vendors["salesforce"].edit({"object": "Account", "id": gone, "action": "delete"})
    answer = update_collection(salesforce, [change(gone, owners(world, active=True)[0])])[0]
    assert answer["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_a_locked_row_fails_alone_and_can_be_tried_again(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    running.faults.install(Fault("salesforce", "row", "row_lock", nth=2))
    new = owners(world, active=True)[1]
    rows = [change(account["Id"], new) for account in world["salesforce"]["accounts"][:3]]
    assert [answer["success"] for answer in update_collection(salesforce, rows)] == [True, False, True]
    assert update_collection(salesforce, rows[1:2])[0]["success"]


def test_a_new_owner_costs_the_account_its_team(salesforce: Salesforce, world: dict[str, Any]) -> None:
    with_team = {member["AccountId"] for member in world["salesforce"]["account_team_members"]}
    active = owners(world, active=True)
    account = next(a for a in world["salesforce"]["accounts"] if a["Id"] in with_team and a["OwnerId"] in active)
    soql = f"SELECT COUNT() FROM AccountTeamMember WHERE AccountId = '{account['Id']}'"
    salesforce.Account.update(account["Id"], {"Site": "Lyon", "OwnerId": account["OwnerId"]})
    assert salesforce.query(soql)["totalSize"] > 0
    salesforce.Account.update(account["Id"], {"OwnerId": other_owner(world, account)})
    assert salesforce.query(soql)["totalSize"] == 0


def test_every_write_moves_the_modstamp_and_names_who_wrote(salesforce: Salesforce, world: dict[str, Any]) -> None:
    account = world["salesforce"]["accounts"][0]
    salesforce.Account.update(account["Id"], {"Site": "Lyon"})
    after = salesforce.Account.get(account["Id"])
    assert INSTANT.fullmatch(after["SystemModstamp"])
    assert after["SystemModstamp"] > account["SystemModstamp"]
    assert after["LastModifiedById"] == world["truth"]["integration_user"]


def test_an_owner_change_leaves_two_rows_of_history_which_nobody_can_write(
    salesforce: Salesforce, world: dict[str, Any]
) -> None:
    account = world["salesforce"]["accounts"][0]
    owner = other_owner(world, account)
    salesforce.Account.update(account["Id"], {"OwnerId": owner})
    salesforce.Account.update(account["Id"], {"Site": "Lyon"})
    asked = "SELECT Field, OldValue, NewValue, CreatedById FROM AccountHistory WHERE AccountId = '{}'"
    rows = salesforce.query(asked.format(account["Id"]))["records"]
    names = {user["Id"]: user["Name"] for user in world["salesforce"]["users"]}
    assert {(row["OldValue"], row["NewValue"]) for row in rows} == {
        (account["OwnerId"], owner),
        (names[account["OwnerId"]], names[owner]),
    }
    assert {row["CreatedById"] for row in rows} == {world["truth"]["integration_user"]}
    with pytest.raises(SalesforceMalformedRequest, match="can not be filtered"):
        salesforce.query(asked.format(account["Id"]) + f" AND NewValue = '{owner}'")
    with pytest.raises(SalesforceMalformedRequest, match="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"):
        salesforce.AccountHistory.create({})


def test_a_conditional_write_loses_to_the_person_who_was_first(
    running: EmulatedVendors, salesforce: Salesforce, world: dict[str, Any]
) -> None:
    account = world["salesforce"]["accounts"][0]
    url = f"{salesforce.base_url}sobjects/Account/{account['Id']}"
    etag = salesforce.session.get(url, headers=salesforce.headers).headers["ETag"]
    running.vendors["salesforce"].edit({"object": "Account", "id": account["Id"], "fields": {"Site": "Lyon"}})
    with pytest.raises(SalesforceGeneralError) as caught:
        salesforce.Account.update(account["Id"], {"Site": "Paris"}, headers={"If-Match": etag})
    assert caught.value.status == 412
    fresh = salesforce.session.get(url, headers=salesforce.headers).headers["ETag"]
    assert salesforce.Account.update(account["Id"], {"Site": "Paris"}, headers={"If-Match": fresh}) == 204
    assert salesforce.Account.get(account["Id"])["Site"] == "Paris"


def test_if_unmodified_since_guards_too(salesforce: Salesforce, world: dict[str, Any]) -> None:
    account = world["salesforce"]["accounts"][0]
    long_ago = {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}
    with pytest.raises(SalesforceGeneralError) as caught:
        salesforce.Account.update(account["Id"], {"Site": "Paris"}, headers=long_ago)
    assert caught.value.status == 412


def test_an_unknown_record_is_not_found_as_recorded(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceResourceNotFound) as caught:
        salesforce.Account.get("001Hs00000ZZZZZIA5")
    recorded = RECORDED["not_found"]
    assert caught.value.status == recorded["status"]
    assert {**caught.value.content[0]} == recorded["resBody"][0]


def test_a_task_is_made_for_its_owner(salesforce: Salesforce, world: dict[str, Any]) -> None:
    account, owner = world["salesforce"]["accounts"][0]["Id"], owners(world, active=True)[0]
    made = salesforce.Task.create({"Subject": "Say hello", "OwnerId": owner, "WhatId": account})
    assert list(made) == list(RECORDED["row_created"]["resBody"])
    row = salesforce.query(f"SELECT Subject, OwnerId, WhatId, Status FROM Task WHERE Id = '{made['id']}'")["records"][0]
    assert (row["Subject"], row["OwnerId"], row["WhatId"], row["Status"]) == (
        "Say hello",
        owner,
        account,
        "Not Started",
    )


def test_an_unknown_field_is_not_quietly_dropped(salesforce: Salesforce, world: dict[str, Any]) -> None:
    with pytest.raises(SalesforceMalformedRequest) as caught:
        salesforce.Account.update(world["salesforce"]["accounts"][0]["Id"], {"Sgment__c": "smb"})
    assert code_of(caught) == "INVALID_FIELD"


# --- limits ---


def test_the_daily_allowance_ends_in_403(world: dict[str, Any], tmp_path: Path) -> None:
    with served(world, tmp_path, daily_calls=2) as (_, salesforce):
        for _ in range(2):
            salesforce.query("SELECT Id FROM Account LIMIT 1")
        assert salesforce.api_usage["api-usage"].used == 2
        with pytest.raises(SalesforceRefusedRequest) as caught:
            salesforce.query("SELECT Id FROM Account LIMIT 1")
    assert code_of(caught) == "REQUEST_LIMIT_EXCEEDED"


# --- bulk ---


def test_a_bulk_query_brings_every_row_in_pages(salesforce: Salesforce, world: dict[str, Any]) -> None:
    pages = list(salesforce.bulk2.Account.query("SELECT Id, Name, Owner.Name FROM Account", max_records=150, wait=0.01))
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page))]
    accounts = world["salesforce"]["accounts"]
    assert len(pages) == -(-len(accounts) // 150)
    assert {row["Id"]: row["Name"] for row in rows} == {a["Id"]: a["Name"] for a in accounts}
    assert "Owner.Name" in rows[0]


def test_a_bulk_query_is_not_ready_at_once(salesforce: Salesforce, running: EmulatedVendors) -> None:
    body = json.dumps({"operation": "query", "query": "SELECT Id FROM Account"})
    job = salesforce.restful("jobs/query", method="POST", data=body)
    states = [job["state"], *(salesforce.restful(f"jobs/query/{job['id']}")["state"] for _ in range(2))]
    assert states == ["UploadComplete", "InProgress", "JobComplete"]


def test_a_bulk_update_tells_which_rows_failed_and_why(salesforce: Salesforce, world: dict[str, Any]) -> None:
    first, second = world["salesforce"]["accounts"][:2]
    new, gone = other_owner(world, first), owners(world, active=False)[0]
    records = [{"Id": first["Id"], "OwnerId": new}, {"Id": second["Id"], "OwnerId": gone}]
    done = salesforce.bulk2.Account.update(records=records, wait=0.01)[0]
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (2, 1)
    failed = list(csv.DictReader(io.StringIO(salesforce.bulk2.Account.get_failed_records(done["job_id"]))))
    assert [row["Id"] for row in failed] == [second["Id"]]
    assert failed[0]["sf__Error"].startswith("INACTIVE_OWNER_OR_USER:")
    assert salesforce.Account.get(first["Id"])["OwnerId"] == new


# --- outbound messages ---


def test_a_person_s_edit_goes_out_as_a_message_with_the_latest_owner(
    running: EmulatedVendors, world: dict[str, Any]
) -> None:
    server, target = listen([200])
    subscription = {"vendor": "salesforce", "url": f"http://127.0.0.1:{server.server_port}/outbound"}
    assert requests.post(f"{running.control_url}/webhooks", json=subscription, timeout=5).status_code == 204
    account = world["salesforce"]["accounts"][0]
    new = other_owner(world, account)
    running.vendors["salesforce"].edit({"object": "Account", "id": account["Id"], "fields": {"OwnerId": new}})
    assert target.enough.wait(30)
    server.shutdown()
    server.server_close()
    text = target.bodies[0].decode()
    assert f"<sf:Id>{account['Id']}</sf:Id><sf:OwnerId>{new}</sf:OwnerId>" in text
    assert 'SessionId xsi:nil="true"' in text


def test_only_ack_true_is_an_acknowledgement() -> None:
    def answer(ack: str) -> bytes:
        inner = f'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>{ack}</Ack>'
        return f"<e><b>{inner}</notificationsResponse></b></e>".encode()

    assert is_acknowledged(200, answer("true"))
    assert not is_acknowledged(200, answer("false"))
    assert not is_acknowledged(500, answer("true"))
    assert not is_acknowledged(200, b"ok")


def other_owner(world: dict[str, Any], account: dict[str, Any]) -> str:
    return next(owner for owner in owners(world, active=True) if owner != account["OwnerId"])


def multiply_accounts(world: dict[str, Any], count: int) -> None:
    """Fill up with copies of the first account under ids of their own."""
    from emulators.world.ids import salesforce_id

    accounts = world["salesforce"]["accounts"]
    template = {**accounts[0], "ParentId": None}
    missing = count - len(accounts)
    accounts.extend({**template, "Id": salesforce_id("001", 1_000_000 + number)} for number in range(missing))
