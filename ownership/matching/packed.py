"""Normalised companies as one text each: a million of them take a fifth of the memory that objects would."""

from __future__ import annotations

from ownership.matching.company import Normal

FIELD, _ITEM, _PAIR = "\x1f", "\x1e", "\x1d"


def pack(normal: Normal) -> str:
    """Everything but the id."""
    return FIELD.join(
        [
            " ".join(normal.words),
            normal.legal or "",
            _ITEM.join(map(" ".join, normal.alias_words)),
            _ITEM.join(normal.domains),
            normal.phone or "",
            normal.country or "",
            normal.state or "",
            normal.city or "",
            normal.street or "",
            normal.postcode or "",
            normal.industry or "",
            _ITEM.join(kind + _PAIR + value for kind, value in normal.ids.items()),
            normal.parent_id or "",
        ]
    )


def unpack(id_: str, packed: str) -> Normal:
    """What `pack` was given."""
    name, legal, aliases, domains, phone, country, state, city, street, postcode, industry, ids, parent = packed.split(
        FIELD
    )
    words = tuple(name.split())
    return Normal(
        id=id_,
        words=words,
        legal=legal or None,
        slug="".join(words),
        alias_words=tuple(tuple(alias.split()) for alias in aliases.split(_ITEM)) if aliases else (),
        domains=tuple(domains.split(_ITEM)) if domains else (),
        phone=phone or None,
        country=country or None,
        state=state or None,
        city=city or None,
        street=street or None,
        postcode=postcode or None,
        industry=industry or None,
        ids=dict(each.split(_PAIR, 1) for each in ids.split(_ITEM)) if ids else {},
        parent_id=parent or None,
    )
