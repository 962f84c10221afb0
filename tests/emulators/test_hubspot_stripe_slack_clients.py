"""The vendors' own client libraries, through the gateway and over TLS, with production addresses."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import hubspot
import pytest
import stripe
from hubspot.crm.companies import PublicObjectSearchRequest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from emulators.faults import Fault
from emulators.server import EmulatedVendors
from emulators.world import build_world


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatedVendors]:
    folder: Path = tmp_path_factory.mktemp("vendors")
    with EmulatedVendors(WORLD, folder, only={"hubspot", "stripe", "slack"}) as running:
        yield running


WORLD = build_world()


def test_hubspots_client_searches_reads_and_hears_about_a_bad_owner(vendors: EmulatedVendors) -> None:
    token, ca_file = WORLD["hubspot"]["token"], str(vendors.ca_file)
    client = hubspot.HubSpot(access_token=token, proxy=vendors.gateway_url, ssl_ca_cert=ca_file)
    found = client.crm.companies.search_api.do_search(public_object_search_request=PublicObjectSearchRequest(limit=5))
    assert len(found.results) == 5
    owners = client.crm.owners.owners_api.get_page(limit=100)
    assert owners.results[0].id in {owner["id"] for owner in WORLD["hubspot"]["owners"]}
    change = {"properties": {"hubspot_owner_id": "1"}}
    with pytest.raises(hubspot.crm.companies.ApiException) as refused:
        client.crm.companies.basic_api.update(found.results[0].id, change)
    assert refused.value.status == 400


def test_stripes_client_pages_through_every_customer(vendors: EmulatedVendors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe, "ca_bundle_path", str(vendors.ca_file))
    client = stripe.StripeClient(WORLD["stripe"]["key"], http_client=stripe.RequestsClient(proxy=vendors.gateway_url))
    pages = client.v1.customers.list(params={"limit": 100})
    assert len(list(pages.auto_paging_iter())) == len(WORLD["stripe"]["customers"])


def test_slacks_client_finds_a_person_and_writes_to_them(vendors: EmulatedVendors) -> None:
    trusted = ssl.create_default_context(cafile=str(vendors.ca_file))
    client = WebClient(WORLD["slack"]["token"], proxy=vendors.gateway_url, ssl=trusted)
    person = next(user for user in WORLD["slack"]["users"] if not user.get("deleted"))
    found = client.users_lookupByEmail(email=person["profile"]["email"])
    channel = client.conversations_open(users=found["user"]["id"])["channel"]["id"]
    assert client.chat_postMessage(channel=channel, text="hello")["ok"]
    with pytest.raises(SlackApiError, match="users_not_found"):
        client.users_lookupByEmail(email="nobody@nowhere.example")


@pytest.mark.parametrize("kind", ["reset", "timeout_after_commit", "truncate"])
def test_a_write_whose_answer_is_lost_has_been_done_all_the_same(vendors: EmulatedVendors, kind: str) -> None:
    client = hubspot.HubSpot(
        access_token=WORLD["hubspot"]["token"],
        proxy=vendors.gateway_url,
        ssl_ca_cert=str(vendors.ca_file),
        retry=Retry(total=0),
    )
    company = next(row["id"] for row in WORLD["hubspot"]["companies"] if not row.get("archived"))
    params = {"after_commit": True, "seconds": 0}
    vendors.faults.install(Fault("hubspot", "companies.update", kind, nth=1, params=params))
    with pytest.raises((HTTPError, ValueError)):
        client.crm.companies.basic_api.update(company, {"properties": {"segment": kind}})
    vendors.faults.clear()
    shown = client.crm.companies.basic_api.get_by_id(company, properties=["segment"])
    assert shown.properties["segment"] == kind
