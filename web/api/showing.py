"""From values of the store and of decisions to what the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ownership.exception_kinds import due_by, ways_of
from ownership.explain import REASON_WORDS, explain, why
from ownership.kpis.catalogue import Kpi
from ownership.kpis.scopes import Scope
from ownership.kpis.words import said
from ownership.model import Account, Decision
from ownership.policy import Roster
from store.drift import DriftEvent
from store.exceptions import ExceptionItem
from store.kpi_days import Measured
from store.ledger import CurrentOwner, LedgerRow
from store.offers import Offer
from store.runs import Run
from tasks.asked_and_claimed import ShownDispute, ShownRequest
from tasks.notices_shown import NoticeShown
from web.api import models
from web.rendering import run_url


def person(roster: Roster, rep_id: str) -> models.Person:
    return models.Person(id=rep_id, name=roster.name(rep_id))


def maybe(roster: Roster, rep_id: str | None) -> models.Person | None:
    return person(roster, rep_id) if rep_id else None


def summary(
    account: Account, roster: Roster, current: CurrentOwner | None, reasons: Mapping[str, str]
) -> dict[str, Any]:
    """What `AccountSummary` has. `reasons` are those of the changes of owner that hold, by their ids."""
    return {
        "id": account.id,
        "name": account.name,
        "kind": account.kind,
        "domain": account.fields.get("domain"),
        "owner": _owner(roster, current, reasons.get(current.ledger_id)) if current else None,
    }


def _owner(roster: Roster, current: CurrentOwner, reason: str | None) -> models.Owner:
    """The change of owner that holds says why, as the pages do: a later decision may be about who is asked, say."""
    return models.Owner(
        id=current.owner_id,
        name=roster.name(current.owner_id),
        since=current.valid_from,
        reason=reason,
        why=REASON_WORDS.get(reason, reason.replace("_", " ")) if reason else None,
        acceptance=current.acceptance_state,
    )


def team(roster: Roster, roles: Mapping[str, str]) -> list[models.TeamRole]:
    return [models.TeamRole(role=role, person=person(roster, rep)) for role, rep in sorted(roles.items())]


def records(account: Account) -> list[models.SystemRecord]:
    return [
        models.SystemRecord(system=ref.source, object_type=ref.object_type, id=ref.external_id) for ref in account.refs
    ]


def offer(each: Offer, roster: Roster) -> models.OfferOut:
    return models.OfferOut(
        id=each.offer_id,
        account_id=each.account_id,
        asked=person(roster, each.owner_id),
        state=each.state,
        escalation_level=each.escalation_level,
        offered_at=each.offered_at,
        due_by=each.due_by,
        answered_at=each.answered_at,
        answered_by=each.answered_by,
    )


def change(row: LedgerRow, roster: Roster) -> models.ChangeOut:
    return models.ChangeOut(
        account_id=row.account_id,
        seq=row.seq,
        event=row.event_type,
        owner=maybe(roster, row.owner_id),
        previous=maybe(roster, row.prev_owner_id),
        valid_from=row.valid_from,
        recorded_at=row.recorded_at,
        reason=row.reason,
        why=why(row.reason),
        actor=row.actor,
        decision_id=row.decision_id,
        run_id=row.run_id,
    )


def decision(made: Decision, account: Account, roster: Roster) -> models.DecisionOut:
    return models.DecisionOut(
        outcome=made.outcome.value,
        owner=maybe(roster, made.owner_id),
        reason=made.reason,
        rule=made.rule,
        path=[models.StepOut(rule=step.rule, matched=step.matched, because=step.because) for step in made.path],
        candidates=[
            models.CandidateOut(person=person(roster, each.rep_id), chosen=each.chosen, because=each.because)
            for each in made.candidates
        ],
        team=[
            models.TeamReason(role=each.role, person=maybe(roster, each.rep_id), because=each.because)
            for each in made.team
        ],
        policy_hash=made.policy_hash,
        inputs_hash=made.inputs_hash,
        in_words=explain(made, account, roster),
    )


def exception(item: ExceptionItem, hours: Mapping[str, float]) -> models.ExceptionOut:
    return models.ExceptionOut(
        id=item.exception_id,
        kind=item.kind,
        account_id=item.account_id,
        severity=item.severity,
        first_seen_at=item.first_seen_at,
        last_seen_at=item.last_seen_at,
        times_seen=item.times_seen,
        detail=dict(item.detail),
        ways=list(ways_of(item.kind, item.detail)),
        due_by=due_by(item.kind, item.first_seen_at, hours),
        snoozed_until=item.snoozed_until,
    )


def drift(event: DriftEvent, roster: Roster) -> models.DriftOut:
    return models.DriftOut(
        id=event.drift_id,
        account_id=event.account_id,
        record=models.SystemRecord(system=event.target, object_type=event.object_type, id=event.remote_id),
        expected=person(roster, event.expected_owner),
        found=event.found_owner,
        modified_by=event.modified_by,
        hand=event.hand,
        action=event.action,
        state=event.state,
        because=event.because,
        detected_at=event.detected_at,
        settled_at=event.settled_at,
    )


def override(each: ShownRequest, roster: Roster) -> models.OverrideOut:
    asked = each.asked
    may = {"approve": each.may_answer, "refuse": each.may_answer, "withdraw": each.may_withdraw, "end": each.may_end}
    return models.OverrideOut(
        id=each.id,
        account_id=asked.account_id,
        account_name=each.name,
        owner=person(roster, asked.owner_id),
        current_owner=maybe(roster, each.holder),
        reason=asked.reason,
        asked_by=person(roster, asked.requested_by),
        asked_at=asked.requested_at,
        since=asked.since,
        until=asked.until,
        then=asked.afterwards,
        standing=each.standing.value,
        answered_by=maybe(roster, asked.decided_by),
        answered_at=asked.decided_at,
        answered_because=asked.decided_because,
        ended_by=maybe(roster, asked.ended_by),
        ended_at=asked.ended_at,
        ended_because=asked.ended_because,
        you_may=[what for what, is_theirs in may.items() if is_theirs],
    )


def dispute(each: ShownDispute, roster: Roster) -> models.DisputeOut:
    claim = each.claim
    may = {"rule": each.may_answer, "add": each.may_add, "withdraw": each.may_withdraw}
    return models.DisputeOut(
        id=each.id,
        account_id=claim.account_id,
        account_name=each.name,
        claimed_by=person(roster, claim.claimed_by),
        current_owner=maybe(roster, each.holder),
        reason=claim.reason,
        evidence=[
            models.EvidenceOut(said=one.said, added_by=person(roster, one.added_by), added_at=one.added_at)
            for one in each.evidence
        ],
        opened_at=claim.opened_at,
        rule_by=claim.rule_by,
        state=claim.state,
        ruled_for=maybe(roster, claim.ruled_for),
        ruled_by=maybe(roster, claim.ruled_by),
        ruled_at=claim.ruled_at,
        ruled_because=claim.ruled_because,
        you_may=[what for what, is_theirs in may.items() if is_theirs],
    )


def scope(each: Scope) -> models.ScopeOut:
    return models.ScopeOut(key=each.key, name=each.name)


def figure(kpi: Kpi, taken: Measured) -> models.FigureOut:
    found = taken.figure
    return models.FigureOut(
        id=kpi.id,
        name=kpi.name,
        unit=kpi.unit.value,
        better=kpi.better.value,
        value=found.value,
        said=said(found.value, kpi.unit),
        n=found.n,
        n_of=kpi.n,
        note=found.note,
        how=kpi.how,
        over_period=kpi.over_period,
        run_id=taken.run_id,
    )


def run(each: Run, prefect_ui_url: str) -> models.RunOut:
    return models.RunOut(
        id=each.run_id,
        flow=each.flow,
        state=each.state,
        trigger=each.trigger,
        actor=each.actor,
        code_version=each.code_version,
        policy_hash=each.policy_hash,
        counts=dict(each.counts),
        started_at=each.started_at,
        ended_at=each.ended_at,
        prefect_url=run_url(prefect_ui_url, each.flow_run_id),
    )


def notice(each: NoticeShown, roster: Roster) -> models.NoticeOut:
    return models.NoticeOut(
        id=each.notice_id,
        to=each.email,
        person=maybe(roster, each.rep_id),
        channel="email" if each.channel == "email" else "slack",
        subject=each.subject,
        lines=list(each.lines),
        state=each.state,
        word=each.word,
        attempts=each.attempts,
        queued_at=each.queued_at,
        sent_at=each.sent_at,
        again_at=each.again_at,
        offer_id=each.offer_id,
    )
