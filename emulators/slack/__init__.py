"""Slack, emulated: the Web API methods that find a person and write to them, with Slack's own errors and pace."""

from emulators.slack.app import Slack

__all__ = ["Slack"]
