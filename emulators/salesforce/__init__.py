"""The emulated Salesforce org."""

from emulators.salesforce.app import Salesforce

__all__ = ["Salesforce"]
