"""Settings from the environment: everything that differs between a laptop and production, and nothing else.

Every setting is `STEWARD_…` in the environment or in a `.env` file beside the checkout. Secrets come only from
here and never travel in flow parameters, logs or results.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

POLICY_DIR = Path(__file__).parent / "policy"


class Settings(BaseSettings):
    """One object, read once at the edge (a flow, the CLI, the web app) and handed down."""

    model_config = SettingsConfigDict(env_prefix="STEWARD_", env_file=".env", extra="ignore")

    database_url: str = Field("sqlite:///.steward/steward.db", description="SQLite file or postgresql+psycopg://…")
    policy_dir: Path = Field(POLICY_DIR, description="Folder with policy.yaml and roster.yaml")

    egress_proxy: str | None = Field(None, description="HTTP proxy all vendor calls go through, http://host:port")
    ca_file: Path | None = Field(None, description="PEM bundle to trust instead of the built-in one")

    salesforce_domain: str = Field("", description="My Domain, as in acme.my of https://acme.my.salesforce.com")
    salesforce_client_id: str = ""
    salesforce_client_secret: SecretStr = SecretStr("")
    salesforce_api_version: str = "66.0"
    salesforce_org_id: str = Field(
        "",
        pattern="^(00D[A-Za-z0-9]{15})?$",
        description="Organization id of 18 characters; outbound messages must name it",
    )

    hubspot_token: SecretStr = SecretStr("")
    hubspot_api_version: str = Field("v3", description="v3 until 2027-03, or a dated one such as 2026-03")
    hubspot_webhook_secret: SecretStr = SecretStr("")

    stripe_key: SecretStr = SecretStr("")

    outreach_client_id: str = ""
    outreach_client_secret: SecretStr = SecretStr("")
    outreach_redirect_uri: str = ""
    outreach_refresh_token: SecretStr = SecretStr("")
    outreach_token_file: Path = Field(
        Path(".steward/outreach-token.json"), description="Where the tokens minted from the refresh token are kept"
    )
    outreach_crm: str = Field("salesforce", description="CRM whose ids Outreach's accounts carry")
    outreach_crm_field: str = Field("customId", description="Account attribute that holds them, or custom1 and so on")

    salesloft_client_id: str = ""
    salesloft_client_secret: SecretStr = SecretStr("")
    salesloft_crm: str = Field("salesforce", description="CRM whose ids stand in crm_id of Salesloft's accounts")

    slack_token: SecretStr = SecretStr("")
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="Signs what Slack sends when a button is pressed"
    )
    slack_team_id: str = Field("", description="Workspace whose people may answer, T…")
    slack_app_id: str = Field("", description="Our app there, A…")

    smtp_host: str = Field("", description="Server that takes our e-mail; empty: nobody is told by e-mail")
    smtp_port: int = Field(587, gt=0, lt=65536)
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description='"tls" from the first byte (port 465), "none" for a server on this machine'
    )
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = Field("", description="Address our e-mail comes from")

    zendesk_subdomain: str = Field("", description="As in acme of https://acme.zendesk.com")
    zendesk_client_id: str = ""
    zendesk_client_secret: SecretStr = SecretStr("")
    zendesk_owner_field: str = Field("account_owner", description="Key of the organisation field that holds the owner")
    zendesk_crm: str = Field("salesforce", description="CRM whose ids stand in external_id of organisations")

    marketo_munchkin_id: str = Field("", description="As in 123-ABC-456 of https://123-ABC-456.mktorest.com")
    marketo_client_id: str = ""
    marketo_client_secret: SecretStr = SecretStr("")
    marketo_list_id: str = Field("", pattern="^[0-9]*$", description="Static list of the leads that name an account")
    marketo_owner_field: str = Field("accountOwnerEmail", description="Lead field that holds the owner's address")
    marketo_crm_field: str = Field("sfdcAccountId", description="Lead field that holds the account's id in the CRM")
    marketo_crm: str = Field("salesforce", description="CRM whose ids stand there")

    usage_url: str = Field("", description="SQLAlchemy URL of the product-usage database, or a .csv/.jsonl file")
    usage_query: str = Field(
        "SELECT workspace_id, workspace_name, owner_email, stripe_customer_id, active_seats, last_seen_at, updated_at "
        "FROM workspace_usage",
        description="Query that gives the columns of connectors/usage.py",
    )

    seal_key: SecretStr = Field(
        SecretStr(""), description="Signs the ledger's seals; keep it where the database is not"
    )

    push_lease_s: float = Field(120.0, gt=0, description="Seconds a push may hold changes before another takes them")

    public_url: str = Field("http://127.0.0.1:8460", description="Where outside systems reach web/")
    web_login: Literal["off", "development", "oidc"] = Field(
        "off",
        description='"oidc": through the company\'s identity provider; "development": anybody may say who they are, '
        "for a laptop, never for production",
    )
    web_oidc_issuer: str = Field("", description="Issuer of the identity provider, as its metadata has it")
    web_oidc_client_id: str = ""
    web_oidc_client_secret: SecretStr = SecretStr("")
    web_oidc_scope: str = Field("openid email profile", description="What is asked for; some give groups for one more")
    web_oidc_groups_claim: str = Field("groups", description="Claim of ID tokens that holds somebody's groups")
    web_oidc_ops_group: str = Field("", description="Group of those who are ops")
    web_oidc_manager_group: str = Field("", description="Group of those who are managers, whoever reports to them")
    web_session_hours: float = Field(12.0, gt=0, description="Hours after which one has to log in again")
    access_log_days: int = Field(365, gt=0, description="Days for which it is kept who looked at what")
    api_requests_per_minute: int = Field(600, gt=0, description="Requests of the API a minute and token")
    prefect_ui_url: str = Field("", description="Address of the Prefect UI; pages link the runs there")
