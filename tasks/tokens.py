"""Tokens of the API: made for somebody, known again when a request brings one, and revoked.

A token is `stw_<id>_<secret>`: the id finds its row, and the SHA-256 of the whole proves it. Nothing else is kept.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from ownership.policy import Roster
from store.api_tokens import ApiToken
from store.engine import Store
from store.unit_of_work import UnitOfWork
from tasks.context import RunContext

ROLES = ("rep", "manager", "ops")
LONGEST_DAYS = 366
NOTED_EVERY = timedelta(minutes=1)
NO_HASH = "0" * 64


class TokenRefused(ValueError):
    """A token cannot be made, revoked or used so; the message says why and what to do."""


def make_token(context: RunContext, name: str, role: str, rep_id: str | None, days: int, by: str) -> str:
    """A new token with this role, which acts for `rep_id`. It is returned once and can never be read again.

    Raises `TokenRefused`. Nobody is given more by a token than the roster gives them; only ops may be nobody on it.
    """
    _check(context, name, role, rep_id, days)
    token_id, now = secrets.token_hex(8), context.now()
    text = f"stw_{token_id}_{secrets.token_urlsafe(32)}"
    ends_at = now + timedelta(days=days)
    token = ApiToken(token_id, _hash(text), name.strip(), role, rep_id, now, by, ends_at)
    context.store.run(lambda uow: uow.api_tokens.add(token))
    return text


def _check(context: RunContext, name: str, role: str, rep_id: str | None, days: int) -> None:
    roster = context.policy.roster
    if not name.strip() or len(name) > 100:
        raise TokenRefused("a token needs a name of up to 100 characters that says what it is for")
    if role not in ROLES:
        raise TokenRefused(f"'{role}' is no role; there are {', '.join(ROLES)}")
    if not 1 <= days <= LONGEST_DAYS:
        raise TokenRefused(f"a token is good for 1 to {LONGEST_DAYS} days, not {days}")
    if rep_id is None:
        if role != "ops":
            raise TokenRefused(f"a token with the role {role} acts for somebody; name them with --as")
    elif rep_id not in roster.present_on(context.today()) or roster.is_queue(rep_id):
        raise TokenRefused(f"'{rep_id}' is nobody who is with the company; give a rep's id, as on the roster")
    elif role == "manager" and not roster.is_manager(rep_id):
        raise TokenRefused(f"nobody reports to {roster.name(rep_id)}; give the role rep")


def token_in_force(store: Store, text: str, roster: Roster, today: str, now: datetime) -> ApiToken:
    """The token a request brought. Raises `TokenRefused` for one that is not in force, acts for a leaver, or for a
    manager to whom nobody reports any more.

    When it was used is noted once a minute, so that reading seldom waits for a write.
    """
    parts = text.split("_", 2)
    with store.transaction(readonly=True) as uow:
        token = uow.api_tokens.get(parts[1]) if len(parts) == 3 and parts[1].isalnum() else None
    # Compared even when there is none, and in constant time: how long it takes tells nothing of a hash.
    proved = hmac.compare_digest(_hash(text), token.token_hash if token else NO_HASH)
    if token is None or not proved:
        raise TokenRefused("the token is none of ours; make one with `steward token create`")
    if (state := token.state(now)) != "in force":
        raise TokenRefused(f"the token {token.name} is {state}; make a new one with `steward token create`")
    if token.rep_id is not None:
        name = roster.name(token.rep_id)
        if token.rep_id not in roster.present_on(today):
            raise TokenRefused(f"the token {token.name} acts for {name}, who has left")
        if token.role == "manager" and not roster.is_manager(token.rep_id):
            raise TokenRefused(f"nobody reports to {name} now; make a token with the role rep")
    if token.used_at is None or now - token.used_at >= NOTED_EVERY:
        store.run(lambda uow: uow.api_tokens.used(token.token_id, now))
    return token


def revoke_token(context: RunContext, token_id: str, by: str) -> str:
    """End a token for good; returns what to tell them. Raises `TokenRefused` for an id that is not there."""

    def revoke(uow: UnitOfWork) -> str:
        token = uow.api_tokens.get(token_id)
        if token is None:
            raise TokenRefused(f"there is no token {token_id}; `steward token list` shows those there are")
        if not uow.api_tokens.revoke(token_id, by, context.now()):
            return f"{token.name} was revoked before, by {token.revoked_by}."
        return f"{token.name} is revoked: no request with it is answered from now on."

    return context.store.run(revoke)


def token_lines(context: RunContext) -> Iterator[str]:
    """Every token, the newest first: id, name, role, for whom, until when, and when it was last used."""
    with context.store.transaction(readonly=True) as uow:
        tokens = uow.api_tokens.all()
    if not tokens:
        yield "There is no token; `steward token create NAME --role rep --as REP` makes one."
    for token in tokens:
        used = f"used {token.used_at:%Y-%m-%d %H:%M} UTC" if token.used_at else "never used"
        until = f"{token.state(context.now())}, until {token.ends_at:%Y-%m-%d}"
        yield f"{token.token_id}  {token.name:<24} {token.role:<8} {token.rep_id or '-':<20} {until}, {used}"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
