"""What the API answers with. Instants are UTC; people are named by their id on the roster and by name."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool

ID = r"^[^\x00-\x1f\x7f]+$"
WORDS = r"^[^\x00]*[^\s\x00][^\x00]*$"
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=ID)]
Acceptance = Literal["not_asked", "offered", "accepted", "declined", "expired", "superseded"]


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies outside of the years 1 to 9999") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})]


class Person(BaseModel):
    """Somebody on the roster, or who was."""

    id: str = Field(examples=["dana-whitfield"])
    name: str = Field(examples=["Dana Whitfield"])


class Owner(Person):
    """The owner of record."""

    since: datetime = Field(examples=["2026-03-02T09:00:00Z"])
    reason: str | None = Field(description="A stable code", examples=["territory"])
    why: str | None = Field(description="The same in words", examples=["it lies in their territory"])
    acceptance: Acceptance = Field(description="`offered`: they are the provisional owner until they answer")


class AccountSummary(BaseModel):
    """An account or lead, and whose it is."""

    id: str = Field(examples=["acc-1041"])
    name: str = Field(examples=["Acme Rockets"])
    kind: Literal["account", "lead"]
    domain: str | None = Field(description="Main web domain", examples=["acme.example"])
    owner: Owner | None = Field(description="null: nobody; then an exception is open, or it is not decided yet")


class TeamRole(BaseModel):
    """Who fills a supporting role."""

    role: str = Field(examples=["sdr"])
    person: Person


class SystemRecord(BaseModel):
    """Where the account lives in an outside system."""

    system: str = Field(examples=["salesforce"])
    object_type: str = Field(examples=["Account"])
    id: str = Field(examples=["0015f00002abcdEAAQ"])


class OfferOut(BaseModel):
    """One owner was asked to accept an account. It has one terminal answer."""

    id: str
    account_id: str
    asked: Person
    state: Literal["offered", "accepted", "declined", "expired", "superseded"]
    escalation_level: int = Field(description="0: the first one asked; each escalation adds one")
    offered_at: datetime
    due_by: datetime
    answered_at: datetime | None
    answered_by: str | None


class AccountOut(AccountSummary):
    """An account with its team; and for whom it concerns its records, open offer and fields."""

    parent_id: str | None
    team: list[TeamRole]
    records: list[SystemRecord] | None = Field(description="null for a rep whose account it is not")
    open_offer: OfferOut | None = Field(description="null, too, for who is not asked and no manager of theirs")
    fields: dict[str, Any] | None = Field(
        description="What decisions are made from. null for a rep whose account it is not"
    )


class ChangeOut(BaseModel):
    """One row of the ledger: from when who owns the account, and since when we know."""

    account_id: str = Field(description="An id the account had before, for what happened to that part of it")
    seq: int
    event: str = Field(examples=["assigned"])
    owner: Person | None
    previous: Person | None
    valid_from: datetime
    recorded_at: datetime
    reason: str
    why: str
    actor: str
    decision_id: str
    run_id: str


class StepOut(BaseModel):
    """One rule looked at on the way to a decision."""

    rule: str = Field(examples=["territory"])
    matched: bool
    because: str


class CandidateOut(BaseModel):
    """Somebody who was considered: chosen, or the first gate that ruled them out."""

    person: Person
    chosen: bool
    because: str


class TeamReason(BaseModel):
    """Who a decision gives a supporting role to."""

    role: str
    person: Person | None
    because: str


class DecisionOut(BaseModel):
    """A decision and every step that led to it."""

    outcome: Literal["owner", "exception"]
    owner: Person | None
    reason: str = Field(examples=["territory"])
    rule: str
    path: list[StepOut]
    candidates: list[CandidateOut]
    team: list[TeamReason]
    policy_hash: str
    inputs_hash: str
    in_words: str = Field(description="The same, for people")


class ExplanationOut(BaseModel):
    """The last decision for an account."""

    decision_id: str
    decided_at: datetime
    run_id: str
    decision: DecisionOut


class WhyNotOut(BaseModel):
    """Why somebody is not given an account."""

    is_given: bool = Field(description="They are, as things stand")
    gate: str | None = Field(description="The first thing in the way", examples=["covers another territory"])
    changes: list[str] = Field(description="Single changes that would give it to them, the smallest first; verified")
    decision: DecisionOut = Field(description="What would be decided now")


class WhatIfIn(BaseModel):
    """Fields of the account as they might be; null or an empty text: unknown."""

    fields: dict[
        Annotated[str, Field(max_length=100)],
        StrictBool
        | Annotated[float, Field(allow_inf_nan=False)]
        | Annotated[str, Field(max_length=1000)]
        | Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)]
        | None,
    ] = Field(min_length=1, max_length=50, examples=[{"country": "DE", "employees": 1200}])


class WhatIfOut(BaseModel):
    """The decision now and with those fields. Nothing is written."""

    now: DecisionOut
    then: DecisionOut
    differs: bool


class OwnedOnOut(BaseModel):
    """Who owned an account at an instant, as it was known at another."""

    account_id: str
    name: str
    on: datetime
    known: datetime
    owner: Person | None = Field(description="null: nobody, or nothing was known of it then")
    change: ChangeOut | None = Field(description="The change of owner that held then")


class BookAccount(BaseModel):
    """One account of a book."""

    id: str
    name: str
    since: datetime
    acceptance: Acceptance


class Book(BaseModel):
    """A page of the accounts somebody owns, by name."""

    person: Person
    size: int = Field(description="How many accounts the whole book has")
    capacity: int | None = Field(description="How many they can own today, null: no limit")
    accounts: list[BookAccount]
    next: str | None = Field(description="Give it as `after` for the next page; null on the last")


class OfferPage(BaseModel):
    """A page of offers, the first made first."""

    offers: list[OfferOut]
    next: str | None = Field(description="Give it as `after` for the next page; null on the last")


class Decline(BaseModel):
    """Why an account is declined; the next to be asked will read it."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=WORDS)] = Field(
        examples=["It is a subsidiary of one of Priya's accounts"]
    )


class AnswerOut(BaseModel):
    """What came of an answer."""

    outcome: Literal["accepted", "declined", "taken"]
    said: str = Field(examples=["Acme Rockets is accepted for Dana Whitfield."])
    offer: OfferOut


class Because(BaseModel):
    """Why; it is kept, and whoever looks at the account later will read it."""

    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=WORDS)] = Field(examples=["Agreed with both"])


class OverrideIn(BaseModel):
    """An override to ask for: somebody else approves it."""

    account_id: Id = Field(examples=["acc-1041"])
    owner: Id = Field(description="Id on the roster of who shall own it", examples=["priya-raman"])
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=WORDS)]
    since: Day | None = Field(None, description="Its first day; today if left out", examples=["2026-12-01"])
    until: Day | None = Field(None, description="Its last day; for good if left out", examples=["2026-12-31"])
    then: Literal["stay", "return", "rules"] = Field("stay", description="What follows the last day")


class OverrideOut(BaseModel):
    """An override that somebody asked for, and what came of it."""

    id: str
    account_id: str
    account_name: str
    owner: Person = Field(description="Who shall own it")
    current_owner: Person | None = Field(description="Who owns it now")
    reason: str
    asked_by: Person
    asked_at: datetime
    since: str
    until: str | None
    then: Literal["stay", "return", "rules"]
    standing: str = Field(examples=["in effect"])
    answered_by: Person | None
    answered_at: datetime | None
    answered_because: str | None
    ended_by: Person | None
    ended_at: datetime | None
    ended_because: str | None
    you_may: list[Literal["approve", "refuse", "withdraw", "end"]] = Field(description="What is yours to do with it")


class OverridePage(BaseModel):
    """A page of overrides, the newest first."""

    overrides: list[OverrideOut]
    next: str | None = Field(description="Give it as `before` for the next page; null on the last")


class DisputeIn(BaseModel):
    """A claim to an account, for who the token acts for."""

    account_id: Id = Field(examples=["acc-1041"])
    reason: Annotated[str, Field(min_length=1, max_length=2000, pattern=WORDS)]
    evidence: Annotated[str, Field(max_length=2000)] = Field("", description="A link, or a sentence")


class EvidenceIn(BaseModel):
    """What is added to a dispute."""

    evidence: Annotated[str, Field(min_length=1, max_length=2000, pattern=WORDS)] = Field(
        description="A link, or a sentence", examples=["https://crm.example/calls/4711"]
    )


class RulingIn(Because):
    """Whose the account is, and why."""

    owner: Id = Field(description="Id on the roster", examples=["priya-raman"])


class EvidenceOut(BaseModel):
    """What somebody said or pointed to in a dispute."""

    said: str
    added_by: Person
    added_at: datetime


class DisputeOut(BaseModel):
    """A claim to somebody else's account; nothing moves the account until there is a ruling."""

    id: str
    account_id: str
    account_name: str
    claimed_by: Person
    current_owner: Person | None = Field(description="Who owns it now")
    reason: str
    evidence: list[EvidenceOut]
    opened_at: datetime
    rule_by: datetime = Field(description="When a ruling is due")
    state: Literal["open", "ruled", "withdrawn"]
    ruled_for: Person | None
    ruled_by: Person | None
    ruled_at: datetime | None
    ruled_because: str | None
    you_may: list[Literal["rule", "add", "withdraw"]] = Field(description="What is yours to do with it")


class DisputePage(BaseModel):
    """A page of disputes, the newest first."""

    disputes: list[DisputeOut]
    next: str | None = Field(description="Give it as `before` for the next page; null on the last")


class ScopeOut(BaseModel):
    """What figures are worked out for."""

    key: str = Field(examples=["territory:emea"])
    name: str = Field(examples=["Europe"])


class FigureOut(BaseModel):
    """One key figure as it was last taken."""

    id: str = Field(examples=["coverage"])
    name: str = Field(examples=["Coverage"])
    unit: Literal["share", "hours", "count", "money", "rate", "points"]
    better: Literal["more", "less", "neither"]
    value: float | None = Field(description="null: the data says nothing; `note` says what is missing")
    said: str = Field(description="The value in words", examples=["97.3 %"])
    n: int = Field(description="What it was counted over")
    n_of: str = Field(examples=["accounts"])
    note: str
    how: str = Field(description="How it is worked out")
    over_period: bool = Field(description="About what happened in the period; else how things stand")
    run_id: str = Field(description="The run that took it")


class KpisOut(BaseModel):
    """Every key figure of one scope."""

    scope: ScopeOut
    period: Literal[30, 90, 365]
    day: str | None = Field(description="The day they were taken on; null: never yet")
    figures: list[FigureOut]
    scopes: list[ScopeOut] = Field(description="What the token may see figures of")


class PartOut(BaseModel):
    """What a figure is made of."""

    label: str
    value: float
    n: int
    person: Person | None


class NightOut(BaseModel):
    """A figure on one day, and the run that took it."""

    day: str
    value: float | None
    run_id: str
    prefect_url: str | None = Field(description="Its page in the Prefect UI")


class KpiOut(BaseModel):
    """One key figure over time, with its parts."""

    scope: ScopeOut
    period: Literal[30, 90, 365]
    figure: FigureOut | None = Field(description="null: never taken yet")
    parts: list[PartOut] = Field(description="Those that name people are left out where they may not be seen")
    nights: list[NightOut] = Field(description="The latest first")


class ExceptionOut(BaseModel):
    """Something a person has to look at."""

    id: str
    kind: str = Field(examples=["no_rule"])
    account_id: str | None
    severity: Literal["warning", "error"]
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    detail: dict[str, Any] = Field(description="What is known of it; `ways_out` are commands that settle it")
    ways: list[str] = Field(description="The ways out that can be taken", examples=[["restore", "keep-theirs"]])
    due_by: datetime = Field(description="By when somebody should have acted")
    snoozed_until: datetime | None


class Resolve(BaseModel):
    """A way out that is taken."""

    way: Id = Field(description="One of its `ways`", examples=["restore"])
    reason: str = Field(
        "",
        max_length=2000,
        pattern=r"^[^\x00]*$",
        description="Why; most ways need it",
        examples=["A slip of the mouse"],
    )
    until: date | None = Field(None, description="With `snooze`: the day it comes back")


class ResolvedOut(BaseModel):
    """What came of it."""

    said: str = Field(examples=["salesforce/001 shows its owner of record again after the next push."])
    state: Literal["open", "closed"] = Field(description="An open one closes once a run sees that it is mended")


class ExceptionPage(BaseModel):
    """A page of open exceptions, the oldest first."""

    exceptions: list[ExceptionOut]
    next: str | None = Field(description="Give it as `after` for the next page; null on the last")


class PushState(BaseModel):
    """How the writing to one system stands."""

    system: str = Field(examples=["salesforce"])
    standing: str = Field(examples=["is written to"])
    records: dict[str, int] = Field(description="Owner changes by state", examples=[{"confirmed": 812, "pending": 3}])


class Pushes(BaseModel):
    """Every system that is told who owns what."""

    systems: list[PushState]


class DriftOut(BaseModel):
    """A record that showed another owner than we had written."""

    id: str
    account_id: str
    record: SystemRecord
    expected: Person
    found: str | None = Field(description="A rep's id, or `?` and the id of a user who is not on the roster")
    modified_by: str | None
    hand: Literal["ours", "integration", "machine", "person"]
    action: Literal["reassert", "hold", "adopt"]
    state: Literal["noted", "stopped", "done", "overtaken"]
    because: str
    detected_at: datetime
    settled_at: datetime | None


class DriftPage(BaseModel):
    """A page of drift, the newest first."""

    events: list[DriftOut]
    next: str | None = Field(description="Give it as `before` for the next page; null on the last")


class NoticeOut(BaseModel):
    """Something somebody is told."""

    id: str
    to: str = Field(description="The address it goes to", examples=["dana.whitfield@northwind-data.example"])
    person: Person | None = Field(description="Whose address that is on the roster")
    channel: Literal["slack", "email"]
    subject: str
    lines: list[str]
    state: Literal["waiting", "sent", "failed"]
    word: str = Field(description="Why it failed or waits, in the vendor's words")
    attempts: int
    queued_at: datetime
    sent_at: datetime | None
    again_at: datetime | None = Field(description="When it is tried again; null: with the next run, or never")
    offer_id: str | None = Field(description="The offer it asks to answer")


class NoticePage(BaseModel):
    """A page of notices, the newest first."""

    notices: list[NoticeOut]
    waiting: int = Field(description="How many wait, on all pages")
    failed: int = Field(description="How many failed, on all pages")
    next: str | None = Field(description="Give it as `before` for the next page; null on the last")


class RunOut(BaseModel):
    """A run: everything written names the one that wrote it."""

    id: str
    flow: str = Field(examples=["assign-owners"])
    state: str = Field(
        description="`running`, `completed`, `failed`, or `refused`: a person asked for what cannot be done, and "
        "nothing was changed",
        examples=["completed"],
    )
    trigger: str
    actor: str
    code_version: str
    policy_hash: str | None
    counts: dict[str, Any]
    started_at: datetime
    ended_at: datetime | None
    prefect_url: str | None = Field(description="Its page in the Prefect UI")


class PolicyOut(BaseModel):
    """The policy in force: the files as they are read, and the hash that decisions name."""

    name: str
    hash: str
    reps: int
    canonical: str = Field(description="Canonical JSON of policy and roster; its SHA-256 is the hash")
