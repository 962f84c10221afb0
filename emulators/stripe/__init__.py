"""Stripe, emulated: customers, subscriptions and events of one account, with the vendor's paging and error bodies."""

from emulators.stripe.app import Stripe

__all__ = ["Stripe"]
