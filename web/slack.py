"""Slack's interactivity: prove the sender, say that we have it, and only then do what was pressed."""

from __future__ import annotations

import logging
from urllib.parse import parse_qs

from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.errors import ConnectorError
from connectors.slack import ACCEPT, DECLINE, REASON
from tasks.answers_from_slack import Press, take_press
from web.signatures import is_from_slack
from web.surroundings import Surroundings, surroundings_of
from web.webhooks import body_of

log = logging.getLogger("steward.web")


class _Id(BaseModel):
    id: str


class _Action(BaseModel):
    action_id: str
    value: str = ""


class _Container(BaseModel):
    channel_id: str = ""
    message_ts: str = ""


class _Typed(BaseModel):
    value: str | None = None


class _State(BaseModel):
    values: dict[str, dict[str, _Typed]] = Field(default_factory=dict)


class _View(BaseModel):
    callback_id: str = ""
    private_metadata: str = ""
    state: _State = Field(default_factory=_State)


class _About(BaseModel):
    """What the question for a reason was about, as `connectors.slack` wrote it."""

    offer: str
    message: str


class _Interaction(BaseModel):
    """What matters of an interaction. Field names are Slack's."""

    type: str
    team: _Id
    api_app_id: str
    user: _Id
    trigger_id: str = ""
    actions: list[_Action] = Field(default_factory=list)
    container: _Container = Field(default_factory=_Container)
    view: _View = Field(default_factory=_View)


async def interactivity(request: Request) -> Response:
    """POST /slack/interactivity: a button was pressed, or a reason given. Slack waits three seconds for the answer."""
    here = surroundings_of(request)
    body = await body_of(request)
    if body is None:
        return Response(status_code=413)
    headers, settings = request.headers, here.settings
    secret = settings.slack_signing_secret.get_secret_value()
    signature, sent_at = headers.get("x-slack-signature", ""), headers.get("x-slack-request-timestamp", "")
    if not is_from_slack(secret, body, signature, sent_at, here.clock().timestamp()):
        return Response(status_code=401)
    try:
        payload = parse_qs(body.decode()).get("payload", [""])[0]
        said = _Interaction.model_validate_json(payload)
        press = _press(said)
    except (UnicodeDecodeError, ValueError):  # pydantic's is one
        return JSONResponse({"error": "expected a form with an interaction of Slack as payload"}, status_code=400)
    ours = (settings.slack_team_id, settings.slack_app_id)
    if not all(ours) or (said.team.id, said.api_app_id) != ours:
        return Response(status_code=401)
    if press is None:
        return Response(status_code=200)
    if press.reason is not None and not press.reason.strip():
        errors = {REASON: "Say why; the next to be asked will read it."}
        return JSONResponse({"response_action": "errors", "errors": errors})
    return Response(status_code=200, background=BackgroundTask(_do, here, press))


def _press(said: _Interaction) -> Press | None:
    """What was pressed, None when it is nothing of ours: a link, or an interaction of another kind."""
    if said.type == "view_submission" and said.view.callback_id == DECLINE:
        about = _About.model_validate_json(said.view.private_metadata)
        typed = said.view.state.values.get(REASON, {}).get(REASON, _Typed())
        return Press(said.user.id, about.offer, about.message, False, said.trigger_id, typed.value or "")
    for action in said.actions if said.type == "block_actions" else ():
        if action.action_id in (ACCEPT, DECLINE) and action.value:
            where = f"{said.container.channel_id}/{said.container.message_ts}"
            return Press(said.user.id, action.value, where, action.action_id == ACCEPT, said.trigger_id)
    return None


def _do(here: Surroundings, press: Press) -> None:
    """What is left undone keeps its buttons, and can be pressed again."""
    try:
        take_press(here.reading(), here.acting, press)
    except ConnectorError as problem:
        log.warning("an answer from Slack was not taken: %s", problem)
