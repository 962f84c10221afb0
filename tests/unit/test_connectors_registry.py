"""Only what has credentials is connected, and what lacks one says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from connectors.base import Notifier, OwnerTarget, Source
from connectors.errors import ConnectorStopped
from connectors.registry import build_connectors, connector_versions


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def test_nothing_is_connected_without_credentials() -> None:
    built = build_connectors(settings())
    assert (dict(built.sources), dict(built.targets), built.notifier) == ({}, {}, None)


def test_everything_with_credentials_is_connected() -> None:
    salesforce = {"salesforce_domain": "a.my", "salesforce_client_id": "i", "salesforce_client_secret": "s"}
    others = {"hubspot_token": "t", "stripe_key": "sk", "slack_token": "x", "usage_url": "sqlite://"}
    zendesk = {"zendesk_subdomain": "acme", "zendesk_client_id": "i", "zendesk_client_secret": "s"}
    marketo = {"marketo_munchkin_id": "123-ABC-456", "marketo_client_id": "i", "marketo_client_secret": "s"}
    outreach = {f"outreach_{name}": "x" for name in ("client_id", "client_secret", "redirect_uri", "refresh_token")}
    salesloft = {"salesloft_client_id": "i", "salesloft_client_secret": "s"}
    tools = {**zendesk, **marketo, "marketo_list_id": "1021", **outreach, **salesloft}
    built = build_connectors(settings(**salesforce, **others, **tools))
    following = ["zendesk", "marketo", "outreach", "salesloft"]
    assert list(built.sources) == ["salesforce", "hubspot", *following, "stripe", "usage"]
    assert list(built.targets) == ["salesforce", "hubspot", *following]
    assert built.followers == frozenset(following)
    assert all(isinstance(source, Source) for source in built.sources.values())
    assert all(isinstance(target, OwnerTarget) for target in built.targets.values())
    assert isinstance(built.notifier, Notifier)


def test_half_of_a_credential_names_the_other_half() -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_SALESFORCE_CLIENT_SECRET"):
        build_connectors(settings(salesforce_domain="a.my", salesforce_client_id="i"))
    with pytest.raises(ConnectorStopped, match="STEWARD_ZENDESK_CLIENT_ID and STEWARD_ZENDESK_CLIENT_SECRET"):
        build_connectors(settings(zendesk_subdomain="acme"))
    with pytest.raises(ConnectorStopped, match="STEWARD_MARKETO_LIST_ID"):
        build_connectors(settings(marketo_munchkin_id="1-A-1", marketo_client_id="i", marketo_client_secret="s"))


def test_outreach_without_its_refresh_token_names_it() -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_OUTREACH_REFRESH_TOKEN"):
        build_connectors(settings(outreach_client_id="i", outreach_client_secret="s", outreach_redirect_uri="u"))


def test_a_ca_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConnectorStopped, match="STEWARD_CA_FILE"):
        build_connectors(settings(ca_file=Path("nowhere.pem")))


def test_a_run_can_record_which_library_spoke() -> None:
    assert connector_versions()["salesforce"] == "simple-salesforce 1.12.10"
