"""HubSpot, emulated: companies, tasks, owners and webhooks of one account, with its limits and error bodies."""

from emulators.hubspot.app import HubSpot

__all__ = ["HubSpot"]
