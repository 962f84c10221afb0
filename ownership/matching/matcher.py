"""Match: which account a lead's company is, how sure that is, and what speaks for it.

Three outcomes. A match is only called one when it is nearly certain, when nothing comes close to it, and when nothing
speaks against it; what may be right goes to a person; the rest is none. One lead and a million are decided by the same
few lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from ownership.matching.company import Company, Normal
from ownership.matching.evidence import is_outdone, sentences_on, veto_by_name, veto_on
from ownership.matching.features import INDEX_OF, Candidate, Rarity, features_of
from ownership.matching.model import Matrix, Model, is_corroborated
from ownership.matching.tie_breaks import Preference, are_family

CERTAIN = 0.999


class Outcome(StrEnum):
    MATCH = "match"
    REVIEW = "review"
    NONE = "none"


class CandidateIndex(Rarity, Protocol):
    def candidates(self, lead: Normal, but: str | None = None) -> Sequence[Candidate]: ...

    def get(self, id_: str) -> Normal: ...


@dataclass(frozen=True, slots=True)
class Bands:
    """From which probability on a match is made, and from which a person looks at it.

    Where only names speak, more is asked. `margin` is how much likelier it has to be than any other company that is not
    outdone in everything.
    """

    match: float = 0.94
    match_by_name: float = 0.985
    review: float = 0.30
    margin: float = 0.2


@dataclass(frozen=True, slots=True)
class Scored:
    """One candidate: its probability, its features, and, of the best one, what each adds to the score (log-odds),
    strongest first."""

    account_id: str
    probability: float
    features: tuple[float, ...]
    adds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one lead. `account_id` is the best candidate's unless the outcome is none, `score` is its
    probability.

    `because` says which rule decided; `evidence` what speaks for and against, in words; `runner_up` who came second,
    and `lost_by` why. `best` is the best candidate whatever the outcome. `start` and what its features add come to its
    log-odds; of a none that is not worked out.
    """

    lead_id: str
    outcome: Outcome
    account_id: str | None = None
    score: float = 0.0
    because: str = "no account is like it"
    evidence: tuple[str, ...] = ()
    best: Scored | None = None
    runner_up: Scored | None = None
    lost_by: str = ""
    start: float = 0.0


class Matcher:
    """Decides leads against an index. `preferences` says of an account how it stands among others of its company."""

    def __init__(
        self,
        index: CandidateIndex,
        model: Model,
        bands: Bands | None = None,
        preferences: dict[str, Preference] | None = None,
    ) -> None:
        self._index = index
        self._model = model
        self._bands = bands or Bands()
        self._preferences = preferences or {}

    def match(self, lead: Normal) -> Match:
        """Decide one lead."""
        (decided,) = self.match_all([lead])
        return decided

    def match_all(self, leads: Sequence[Normal], *, are_accounts: bool = False) -> list[Match]:
        """Decide many; each as if it were alone. Where they `are_accounts` of the index themselves, none is its own."""
        found = [list(self._index.candidates(lead, lead.id if are_accounts else None)) for lead in leads]
        accounts = [[self._index.get(each.id) for each in candidates] for candidates in found]
        rows = [
            features_of(lead, some, candidates, self._index)
            for lead, some, candidates in zip(leads, accounts, found, strict=True)
        ]
        every = np.array([row for some in rows for row in some])
        likely = self._likely(every) if len(every) else []
        decided, at = [], 0
        for lead, some, features in zip(leads, accounts, rows, strict=True):
            decided.append(self._decide(lead, some, features, likely[at : at + len(some)]))
            at += len(some)
        return decided

    def _likely(self, features: Matrix) -> list[float]:
        """The probabilities; who shares an identifier that names one company is that company."""
        found = self._model.probabilities(features)
        found[features[:, INDEX_OF["ids"]] == 1.0] = CERTAIN
        return [float(each) for each in found]

    def _decide(
        self, lead: Normal, accounts: Sequence[Normal], features: Sequence[Sequence[float]], likely: Sequence[float]
    ) -> Match:
        if not accounts:
            return Match(lead.id, Outcome.NONE)
        order = sorted(range(len(accounts)), key=lambda n: (-likely[n], accounts[n].id))
        top = accounts[order[0]]
        family = [n for n in order if likely[n] >= self._bands.review and are_family(top, accounts[n])] or [order[0]]
        best = min(family, key=lambda n: self._rank(lead, accounts[n], likely[n]))
        rival = next((n for n in order if n not in family and not is_outdone(features[n], features[best])), None)
        probability = likely[best]
        outcome, because = self._band(features[best], probability, likely[rival] if rival is not None else 0.0)
        if outcome is Outcome.NONE:
            nearest = Scored(accounts[best].id, probability, tuple(features[best]))
            return Match(lead.id, outcome, None, probability, because, best=nearest)
        adds = self._adds(features[best])
        second = next((n for n in order if n != best), None)
        return Match(
            lead_id=lead.id,
            outcome=outcome,
            account_id=accounts[best].id,
            score=probability,
            because=because,
            evidence=sentences_on(features[best], adds),
            best=Scored(accounts[best].id, probability, tuple(features[best]), adds),
            runner_up=None if second is None else Scored(accounts[second].id, likely[second], tuple(features[second])),
            lost_by=self._lost_by(lead, accounts, likely, best, second, family),
            start=self._model.start,
        )

    def _rank(self, lead: Normal, account: Normal, probability: float) -> tuple[object, ...]:
        preference = self._preferences.get(account.id, Preference())
        return (*preference.key(lead, account), -round(probability, 6), account.id)

    def _adds(self, features: Sequence[float]) -> tuple[tuple[str, float], ...]:
        added = self._model.contributions(np.array(features))
        return tuple(sorted(added.items(), key=lambda item: (-abs(item[1]), item[0])))

    def _band(self, features: Sequence[float], probability: float, rival: float) -> tuple[Outcome, str]:
        bands = self._bands
        if probability < bands.review:
            return Outcome.NONE, f"the best is only {probability:.0%} likely"
        by_name = not is_corroborated(np.array([features]))[0]
        if veto := veto_on(features) or (veto_by_name(features) if by_name else ""):
            return Outcome.REVIEW, veto
        needed = bands.match_by_name if by_name else bands.match
        if probability < needed:
            only = ", and nothing but the name speaks for it" if by_name else ""
            return Outcome.REVIEW, f"it is {probability:.0%} likely, and {needed:.1%} is asked for{only}"
        if probability - rival < bands.margin:
            return Outcome.REVIEW, f"another company is {rival:.0%} likely"
        return Outcome.MATCH, f"it is {probability:.1%} likely"

    def _lost_by(
        self,
        lead: Normal,
        accounts: Sequence[Normal],
        likely: Sequence[float],
        best: int,
        second: int | None,
        family: Iterable[int],
    ) -> str:
        if second is None:
            return ""
        if second in set(family):
            preference = self._preferences.get(accounts[best].id, Preference())
            other = self._preferences.get(accounts[second].id, Preference())
            return preference.over(other, lead, accounts[best], accounts[second])
        return f"{likely[second]:.1%} likely, {likely[best]:.1%} the other"


def preference_of(company: Company) -> Preference:
    """How an account stands among others of its company."""
    return Preference(company.customer, company.open_opportunities > 0, company.activity_on or "")
