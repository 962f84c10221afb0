"""Builds the connectors that the settings have credentials for. The only place that reads credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from config.settings import Settings
from connectors.base import FieldTarget, Messenger, Notifier, OwnerTarget, Source, TaskTarget
from connectors.email import MailNotifier, MailServer
from connectors.errors import ConnectorStopped
from connectors.http import Egress, Patience
from connectors.hubspot import HubSpotConnector
from connectors.hubspot_api import HubSpotApi
from connectors.identity_provider import NAME as IDENTITY
from connectors.identity_provider import IdentityProvider, Registration, is_safe
from connectors.marketo import MarketoConnector
from connectors.marketo_api import MarketoApi
from connectors.outreach import OutreachConnector
from connectors.outreach_api import OutreachApi
from connectors.outreach_tokens import Credentials
from connectors.salesforce import SalesforceConnector
from connectors.salesforce_api import SalesforceApi
from connectors.salesloft import SalesloftConnector
from connectors.salesloft_api import SalesloftApi
from connectors.slack import SlackNotifier
from connectors.stripe import StripeConnector
from connectors.usage import UsageConnector
from connectors.zendesk import ZendeskConnector
from connectors.zendesk_api import ZendeskApi
from ownership.conditions import Field

LIBRARIES = {
    "salesforce": "simple-salesforce",
    "hubspot": "hubspot-api-client",
    "stripe": "stripe",
    "usage": "sqlalchemy",
    "slack": "slack_sdk",
    "zendesk": "requests",
    "marketo": "requests",
    "outreach": "requests",
    "salesloft": "requests",
}


@dataclass(frozen=True, slots=True)
class Connectors:
    """What this installation is connected to, by name. `notifier` (Slack) and `mail` are None when nobody can be told
    anything that way.

    `followers` are the systems that show the owner of accounts known elsewhere: a company that only they know is no
    account.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    targets: Mapping[str, OwnerTarget] = field(default_factory=dict)
    notifier: Notifier | None = None
    followers: frozenset[str] = frozenset()
    mail: Notifier | None = None

    @property
    def notifiers(self) -> dict[str, Notifier]:
        """Those that are there, by the channel a policy knows them as."""
        return {channel: each for channel, each in (("slack", self.notifier), ("email", self.mail)) if each}

    @property
    def messenger(self) -> Messenger | None:
        """The one whose messages can be answered where they are, if there is one."""
        return self.notifier if isinstance(self.notifier, Messenger) else None

    @property
    def task_targets(self) -> dict[str, TaskTarget]:
        """Those of the targets that tasks can be put in, by name."""
        return {name: target for name, target in self.targets.items() if isinstance(target, TaskTarget)}

    @property
    def field_targets(self) -> dict[str, FieldTarget]:
        """Those of the targets whose records can show marketing something, by name."""
        return {name: target for name, target in self.targets.items() if isinstance(target, FieldTarget)}


def build_identity_provider(settings: Settings) -> IdentityProvider | None:
    """Where people log in, None unless they do so through an identity provider. Raises `ConnectorStopped` when the
    settings are not whole."""
    if settings.web_login != "oidc":
        return None
    secret = settings.web_oidc_client_secret.get_secret_value()
    needed = {"ISSUER": settings.web_oidc_issuer, "CLIENT_ID": settings.web_oidc_client_id, "CLIENT_SECRET": secret}
    if missing := [f"STEWARD_WEB_OIDC_{name}" for name, value in needed.items() if not value]:
        raise ConnectorStopped(IDENTITY, "nobody could log in", mend=f"Set {', '.join(missing)}")
    if not is_safe(settings.web_oidc_issuer):
        raise ConnectorStopped(IDENTITY, "the issuer is no https address", mend="Mend STEWARD_WEB_OIDC_ISSUER")
    registration = Registration(
        settings.web_oidc_issuer,
        settings.web_oidc_client_id,
        secret,
        settings.public_url.rstrip("/") + "/login/callback",
        settings.web_oidc_scope,
        settings.web_oidc_groups_claim,
    )
    return IdentityProvider(registration, Egress(settings.egress_proxy, settings.ca_file))


def build_connectors(
    settings: Settings, patience: Patience | None = None, custom: Mapping[str, Field] | None = None
) -> Connectors:
    """The connectors with credentials; those without are left out. Nothing is called yet.

    `custom` are the fields of the policy's own, `patience` is how long each tries by itself. Raises `ConnectorStopped`
    naming the setting when the credentials of one are incomplete, or its URL is wrong.
    """
    egress = Egress(settings.egress_proxy, settings.ca_file)
    if settings.ca_file and not settings.ca_file.is_file():
        raise ConnectorStopped("egress", f"there is no file {settings.ca_file}", mend="Correct STEWARD_CA_FILE")
    sources: dict[str, Source] = {}
    targets: dict[str, OwnerTarget] = {}
    patience = patience or Patience()
    crms: tuple[SalesforceConnector | HubSpotConnector | None, ...]
    crms = (_salesforce(settings, egress, patience, custom), _hubspot(settings, egress, patience, custom))
    for crm in crms:
        if crm:
            sources[crm.name] = crm
            targets[crm.name] = crm
    followers: set[str] = set()
    for build in (_zendesk, _marketo, _outreach, _salesloft):
        if tool := build(settings, egress, patience):
            sources[tool.name] = tool
            targets[tool.name] = tool
            followers.add(tool.name)
    if settings.stripe_key.get_secret_value():
        sources["stripe"] = StripeConnector(settings.stripe_key.get_secret_value(), egress=egress, patience=patience)
    if settings.usage_url:
        sources["usage"] = UsageConnector(settings.usage_url, settings.usage_query)
    slack_token = settings.slack_token.get_secret_value()
    slack = SlackNotifier(slack_token, egress=egress, patience=patience) if slack_token else None
    mail = _mail(settings, egress, patience)
    return Connectors(sources, targets, slack, frozenset(followers), mail)


def connector_versions() -> dict[str, str]:
    """The client library and its version behind each connector, for the record of a run."""
    return {name: f"{library} {version(library)}" for name, library in LIBRARIES.items()}


def _salesforce(
    settings: Settings, egress: Egress, patience: Patience, custom: Mapping[str, Field] | None
) -> SalesforceConnector | None:
    given = {
        "STEWARD_SALESFORCE_DOMAIN": settings.salesforce_domain,
        "STEWARD_SALESFORCE_CLIENT_ID": settings.salesforce_client_id,
        "STEWARD_SALESFORCE_CLIENT_SECRET": settings.salesforce_client_secret.get_secret_value(),
    }
    if not _complete("salesforce", given):
        return None
    domain, client_id, client_secret = given.values()
    if domain in ("login", "test"):
        mend = "Set STEWARD_SALESFORCE_DOMAIN to your My Domain, as in acme.my"
        raise ConnectorStopped("salesforce", "client credentials need a My Domain", mend=mend)
    version_ = settings.salesforce_api_version
    api = SalesforceApi(domain, client_id, client_secret, version=version_, egress=egress, patience=patience)
    return SalesforceConnector(api, custom=custom)


def _hubspot(
    settings: Settings, egress: Egress, patience: Patience, custom: Mapping[str, Field] | None
) -> HubSpotConnector | None:
    token = settings.hubspot_token.get_secret_value()
    if not token:
        return None
    api = HubSpotApi(token, version=settings.hubspot_api_version, egress=egress, patience=patience)
    return HubSpotConnector(api, custom=custom)


def _zendesk(settings: Settings, egress: Egress, patience: Patience) -> ZendeskConnector | None:
    given = {
        "STEWARD_ZENDESK_SUBDOMAIN": settings.zendesk_subdomain,
        "STEWARD_ZENDESK_CLIENT_ID": settings.zendesk_client_id,
        "STEWARD_ZENDESK_CLIENT_SECRET": settings.zendesk_client_secret.get_secret_value(),
    }
    if not _complete("zendesk", given):
        return None
    api = ZendeskApi(*given.values(), egress=egress, patience=patience)
    return ZendeskConnector(api, owner_field=settings.zendesk_owner_field, crm=settings.zendesk_crm)


def _marketo(settings: Settings, egress: Egress, patience: Patience) -> MarketoConnector | None:
    given = {
        "STEWARD_MARKETO_MUNCHKIN_ID": settings.marketo_munchkin_id,
        "STEWARD_MARKETO_CLIENT_ID": settings.marketo_client_id,
        "STEWARD_MARKETO_CLIENT_SECRET": settings.marketo_client_secret.get_secret_value(),
        "STEWARD_MARKETO_LIST_ID": settings.marketo_list_id,
    }
    if not _complete("marketo", given):
        return None
    munchkin_id, client_id, client_secret, list_id = given.values()
    api = MarketoApi(munchkin_id, client_id, client_secret, egress=egress, patience=patience)
    return MarketoConnector(
        api,
        list_id=list_id,
        owner_field=settings.marketo_owner_field,
        crm_field=settings.marketo_crm_field,
        crm=settings.marketo_crm,
    )


def _outreach(settings: Settings, egress: Egress, patience: Patience) -> OutreachConnector | None:
    given = {
        "STEWARD_OUTREACH_CLIENT_ID": settings.outreach_client_id,
        "STEWARD_OUTREACH_CLIENT_SECRET": settings.outreach_client_secret.get_secret_value(),
        "STEWARD_OUTREACH_REDIRECT_URI": settings.outreach_redirect_uri,
        "STEWARD_OUTREACH_REFRESH_TOKEN": settings.outreach_refresh_token.get_secret_value(),
    }
    if not _complete("outreach", given):
        return None
    credentials = Credentials(*given.values())
    api = OutreachApi(credentials, token_file=settings.outreach_token_file, egress=egress, patience=patience)
    return OutreachConnector(api, crm=settings.outreach_crm, crm_field=settings.outreach_crm_field)


def _salesloft(settings: Settings, egress: Egress, patience: Patience) -> SalesloftConnector | None:
    given = {
        "STEWARD_SALESLOFT_CLIENT_ID": settings.salesloft_client_id,
        "STEWARD_SALESLOFT_CLIENT_SECRET": settings.salesloft_client_secret.get_secret_value(),
    }
    if not _complete("salesloft", given):
        return None
    api = SalesloftApi(*given.values(), egress=egress, patience=patience)
    return SalesloftConnector(api, crm=settings.salesloft_crm)


def _mail(settings: Settings, egress: Egress, patience: Patience) -> MailNotifier | None:
    given = {"STEWARD_SMTP_HOST": settings.smtp_host, "STEWARD_SMTP_FROM": settings.smtp_from}
    login = {
        "STEWARD_SMTP_USER": settings.smtp_user,
        "STEWARD_SMTP_PASSWORD": settings.smtp_password.get_secret_value(),
    }
    _complete("email", login)
    if not _complete("email", given):
        return None
    host, sender = given.values()
    server = MailServer(host, settings.smtp_port, settings.smtp_security, sender, *login.values())
    return MailNotifier(server, egress=egress, patience=patience)


def _complete(connector: str, given: Mapping[str, str]) -> bool:
    """Whether all these settings have a value; False when none has. Raises `ConnectorStopped` in between."""
    missing = [name for name, value in given.items() if not value]
    if missing and len(missing) < len(given):
        raise ConnectorStopped(connector, "its credentials are incomplete", mend=f"Set {' and '.join(missing)}")
    return not missing


__all__ = ["Connectors", "build_connectors", "connector_versions"]
