"""Territories: a tree of slices of the market. An account belongs to one leaf, or to none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ownership.conditions import fold_fields, holds
from ownership.entries import Territory
from ownership.model import Account
from ownership.policy import Policy


def path_of(fields: Mapping[str, Any], policy: Policy) -> tuple[Territory, ...]:
    """The way from the root down to the most specific territory that holds; empty when no root does.

    `fields` are folded. Among siblings that hold, the highest priority wins, then the lowest id: the loader has
    refused siblings that overlap with the same priority, so the id only keeps the order total.
    """
    children: dict[str | None, list[Territory]] = {}
    for territory in policy.territories:
        children.setdefault(territory.parent, []).append(territory)
    path: list[Territory] = []
    at: str | None = None
    while here := [territory for territory in children.get(at, []) if holds(territory.when, fields)]:
        path.append(min(here, key=lambda territory: (-territory.priority, territory.id)))
        at = path[-1].id
    return tuple(path)


def serving(path: tuple[Territory, ...]) -> Territory | None:
    """The most specific territory on the path that has somebody to serve it: an owner or a pool."""
    return next((territory for territory in reversed(path) if territory.owner or territory.pool), None)


def territories_of(account: Account, policy: Policy) -> tuple[str, ...]:
    """Ids of the territories an account lies in, from the root down."""
    return tuple(territory.id for territory in path_of(fold_fields(account.fields), policy))
