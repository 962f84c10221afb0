"""Slack's way to say no."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """An answer {"ok": false, "error": …}; HTTP 200 unless `status` says otherwise."""

    def __init__(self, error: str, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, Any] = {"ok": False, "error": error, **more}
