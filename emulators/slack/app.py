"""The emulated Slack: the door (token, scopes) and the Web API methods behind it."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette

from emulators.exchange import Call, Reply, exchange_app
from emulators.slack.errors import SlackError
from emulators.slack.interactions import Interactions, Post, post_once
from emulators.slack.methods import POST_INTERVAL, SCOPES, Methods, read_arguments
from emulators.slack.workspace import Workspace
from emulators.vendor import Surroundings

API, HOOK = "/api/", "/actions/"
ALL_SCOPES = frozenset(SCOPES.values())


class Slack:
    """One Slack workspace on slack.com. `post_interval` is the pace Slack holds a channel to, `post` the way
    interactions leave it."""

    name = "slack"
    hosts: tuple[str, ...] = ("slack.com", "www.slack.com", "hooks.slack.com")

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        post_interval: timedelta = POST_INTERVAL,
        scopes: frozenset[str] = ALL_SCOPES,
        post: Post = post_once,
    ) -> None:
        self._token, self._scopes, self._expired = "", scopes, False
        self.workspace = Workspace(surroundings.now)
        self.interactions = Interactions(self.workspace, surroundings.now, post)
        self._methods = Methods(self.workspace, self.interactions, post_interval)
        # An edit comes from another thread than the calls do.
        self._lock = threading.RLock()
        self.app: Starlette = exchange_app(self, surroundings)

    def expire_token(self) -> None:
        self._expired = True

    def seed(self, world: dict[str, Any]) -> None:
        """Take over world["slack"]: token, team_id, users, and the signing_secret if there is one."""
        own = world["slack"]
        self._expired = False
        self._token = own["token"]
        self.workspace.load(own["team_id"], own["users"])
        self.interactions.load(own.get("signing_secret", ""))
        self._methods.forget_posts()

    def subscribe(self, url: str) -> None:
        """The app's Interactivity Request URL."""
        self.interactions.url = url

    def edit(self, command: dict[str, Any]) -> dict[str, Any]:
        """An administrator changes a person: {"id", "deleted": bool} or {"id", "profile": {...}}. Or a person presses a
        button or sends a modal off: {"press": {...}}, {"submit": {...}}, {"replay": {}}, as in `Interactions`."""
        for done in ("press", "submit", "replay"):
            if done in command:
                answer: dict[str, Any] = getattr(self.interactions, done)(**command[done])
                return answer
        user = self.workspace.users[command["id"]]
        user["deleted"] = bool(command.get("deleted", user["deleted"]))
        user["profile"] |= command.get("profile", {})
        return dict(user)

    def snapshot(self) -> dict[str, Any]:
        """People by id, each conversation's members and messages, oldest first, what was told beside them to one person
        only, and the modals that are open, by id."""
        conversations = {
            channel: {"members": list(members), "messages": list(self.workspace.messages.get(channel, {}).values())}
            for channel, members in self.workspace.channels.items()
        }
        return {
            "users": dict(self.workspace.users),
            "conversations": conversations,
            "beside": list(self.workspace.beside),
            "views": dict(self.interactions.views),
        }

    def operation(self, call: Call) -> str:
        if call.path.startswith(HOOK):
            return "response_url"
        method = call.path.removeprefix(API)
        return method if method in self._methods.handlers else "unknown"

    def answer(self, call: Call) -> Reply:
        """Answer one call; every error Slack knows comes back as its body, none is raised."""
        if call.path.startswith(HOOK):
            return self._respond(call)
        if not call.path.startswith(API):
            return Reply(404, None)
        try:
            with self._lock:
                return self._answer(call, call.path.removeprefix(API))
        except SlackError as error:
            return self._dressed(Reply(error.status, error.body, error.headers))

    def failure(self, status: int) -> Reply:
        """Slack's own body for a failure that was asked for; a bad token is HTTP 200 there."""
        if status == 401:
            return self._dressed(Reply(200, {"ok": False, "error": "token_expired"}))
        if status == 429:
            return self._dressed(Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"}))
        return self._dressed(Reply(status, {"ok": False, "error": "internal_error"}))

    def _respond(self, call: Call) -> Reply:
        try:
            with self._lock:
                said = self.interactions.respond(call.path, json.loads(call.body))
        except ValueError:
            return Reply(400, {"ok": False, "error": "invalid_payload"})
        except SlackError as error:
            return Reply(400, error.body)
        return Reply(200, {"ok": True}) if said == "ok" else Reply(404, {"ok": False, "error": said})

    def _answer(self, call: Call, method: str) -> Reply:
        if call.method not in ("GET", "POST") or method not in self._methods.handlers:
            raise SlackError("unknown_method", req_method=method)
        query = dict(parse_qsl(call.query, keep_blank_values=True))
        arguments = read_arguments(method, query, call.headers.get("content-type", ""), call.body)
        token = call.headers.get("authorization", "").removeprefix("Bearer ") or str(arguments.pop("token", ""))
        if not token:
            raise SlackError("not_authed")
        if token != self._token:
            raise SlackError("invalid_auth")
        if self._expired:
            raise SlackError("token_expired")
        needed = SCOPES.get(method)
        if needed and needed not in self._scopes:
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(self._scopes)))
        result = self._methods.handlers[method](arguments)
        return self._dressed(Reply(200, {"ok": True, **result.body}, rows=result.rows))

    def _dressed(self, reply: Reply) -> Reply:
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._scopes)), **reply.headers}
        return Reply(reply.status, reply.body, headers, reply.rows)
