"""The tables. Meaning and rules live in the module that reads and writes each one; `migrations/` creates them.

Ids are UUIDv7 text made before the insert. Hashes are SHA-256 in hex. `role` is "owner" for the owner of record, else
a supporting role of the account's team. `account` holds leads as well, of kind "lead".
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from store.types import UTC, JsonText, Words

OWNER_ROLE = "owner"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

source_row = Table(
    "source_row",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("fields", JsonText, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("modified_at", UTC),
    Column("deleted", Boolean, nullable=False),
    Column("problem", Words),
    Column("pulled_at", UTC, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("merged_into", Text),
    Column("unmatched", Boolean, nullable=False, server_default=true()),
    Index(
        "ix_source_row_unmatched",
        "source",
        "stream",
        "external_id",
        sqlite_where=text("unmatched"),
        postgresql_where=text("unmatched"),
    ),
    Index(
        "ix_source_row_merged_into",
        "merged_into",
        sqlite_where=text("merged_into IS NOT NULL"),
        postgresql_where=text("merged_into IS NOT NULL"),
    ),
    Index("ix_source_row_external_id", "external_id"),
)

source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("high_water", Text, nullable=False),
    Column("tie_break", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("updated_at", UTC, nullable=False),
)

person_id = Table(
    "person_id",
    metadata,
    Column("source", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("email", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("seen_at", UTC, nullable=False),
    Index("ix_person_id_source_email", "source", "email"),
)

account = Table(
    "account",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("kind", Text, nullable=False, server_default="account"),
    Column("name", Words, nullable=False),
    Column("fields", JsonText, nullable=False),
    Column("parent_id", Text),
    Column("content_hash", Text, nullable=False),
    Column("first_seen_at", UTC, nullable=False),
    Column("changed_at", UTC, nullable=False),
    Column("gone_at", UTC),
    Index("ix_account_parent_id", "parent_id"),
)

account_ref = Table(
    "account_ref",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object_type", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("shown_owner", Words),
    Index("ix_account_ref_account_id", "account_id"),
    Index("ix_account_ref_external_id", "external_id"),
)

search_line = Table(
    "search_line",
    metadata,
    Column("line_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("line", Words, nullable=False),  # in the order of its characters: COLLATE "C" on PostgreSQL
    Index("ix_search_line_account_id", "account_id"),
    Index("ix_search_line_line", "line", "account_id"),
)

policy_version = Table(
    "policy_version",
    metadata,
    Column("policy_hash", Text, primary_key=True),
    Column("canonical", Words, nullable=False),
    Column("recorded_at", UTC, nullable=False),
)

input_snapshot = Table(
    "input_snapshot",
    metadata,
    Column("inputs_hash", Text, primary_key=True),
    Column("payload", JsonText),
    Column("recorded_at", UTC, nullable=False),
)

explanation = Table(
    "explanation",
    metadata,
    Column("explanation_hash", Text, primary_key=True),
    Column("said", Text, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("idem_key", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("owner_id", Text),
    Column("reason", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("turn", Text),
    Column("policy_hash", Text, nullable=False),
    Column("inputs_hash", Text, nullable=False),
    Column("path_hash", Text, nullable=False, server_default=""),
    Column("candidates_hash", Text, nullable=False, server_default=""),
    Column("team", JsonText),
    Column("recorded_at", UTC, nullable=False),
    Index("ix_decision_run_id", "run_id"),
    Index("ix_decision_account_id_role_recorded_at", "account_id", "role", "recorded_at"),
)

latest_decision = Table(
    "latest_decision",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("decision_id", Text, ForeignKey("decision.decision_id"), nullable=False),
)

assignment_ledger = Table(
    "assignment_ledger",
    metadata,
    Column("ledger_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("owner_id", Text),
    Column("prev_owner_id", Text),
    Column("valid_from", UTC, nullable=False),
    Column("recorded_at", UTC, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("row_hash", Text, nullable=False),
    UniqueConstraint("account_id", "role", "seq"),
    CheckConstraint("seq >= 1", name="seq_starts_at_one"),
    Index("ix_assignment_ledger_owner_id_recorded_at", "owner_id", "recorded_at"),
    Index("ix_assignment_ledger_run_id", "run_id"),
)

ledger_seal = Table(
    "ledger_seal",
    metadata,
    Column("seal_no", BigInteger, primary_key=True, autoincrement=False),
    Column("until", UTC, nullable=False),
    Column("ledger_rows", BigInteger, nullable=False),
    Column("decisions", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("sealed_at", UTC, nullable=False),
    Column("run_id", Text, nullable=False),
)

ownership_current = Table(
    "ownership_current",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("owner_id", Text),
    Column("ledger_id", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("valid_from", UTC, nullable=False),
    Column("acceptance_state", Text, nullable=False),
    Column("afterwards", JsonText),
    Index("ix_ownership_current_owner_id", "owner_id"),
)

book_size = Table(
    "book_size",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("accounts", BigInteger, nullable=False),
)

_WAITING = text("state IN ('pending', 'unknown')")

outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", Text, primary_key=True),
    Column("idem_key", Text, nullable=False, unique=True),
    Column("target", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ledger_id", Text, nullable=False),
    Column("desired_owner", Text, nullable=False),
    Column("expected_remote_owner", Text),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UTC, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UTC),
    Column("fence", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("recorded_at", UTC, nullable=False),
    Column("done_at", UTC),
    CheckConstraint(
        "state IN ('pending', 'unknown', 'confirmed', 'superseded', 'rejected', 'dead')", name="state_is_known"
    ),
    Index("ix_outbox_account_id_role_seq", "account_id", "role", "seq"),
    Index("ix_outbox_remote", "target", "object_type", "remote_id", "outbox_id"),
    Index(
        "ix_outbox_due",
        "target",
        "next_attempt_at",
        "outbox_id",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
)

push_attempt = Table(
    "push_attempt",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("outbox_id", Text, ForeignKey("outbox.outbox_id"), nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", Words, nullable=False),
    Column("message", Words, nullable=False),
    Column("observed_owner", Words),
    Column("started_at", UTC, nullable=False),
    Column("ended_at", UTC, nullable=False),
    UniqueConstraint("outbox_id", "fence"),
)

crm_task = Table(
    "crm_task",
    metadata,
    Column("task_id", Text, primary_key=True),
    Column("task_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("due_at", UTC, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UTC, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", UTC),
    Column("fence", BigInteger, nullable=False),
    Column("vendor_id", Words),
    Column("said", Words, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("recorded_at", UTC, nullable=False),
    Column("done_at", UTC),
    CheckConstraint("state IN ('pending', 'unknown', 'created', 'superseded', 'rejected')", name="state_is_known"),
    Index("ix_crm_task_account_id", "account_id"),
    Index(
        "ix_crm_task_due",
        "target",
        "next_attempt_at",
        "task_id",
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    ),
)

suppression = Table(
    "suppression",
    metadata,
    Column("target", Text, primary_key=True),
    Column("object_type", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("shown", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("next_attempt_at", UTC, nullable=False),
    Column("lease_until", UTC),
    Column("fence", BigInteger, nullable=False),
    Column("said", Words, nullable=False),
    Column("changed_at", UTC, nullable=False),
    CheckConstraint("state IN ('written', 'unknown', 'rejected')", name="state_is_known"),
)

remote_state = Table(
    "remote_state",
    metadata,
    Column("target", Text, primary_key=True),
    Column("object_type", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("observed_owner", Words),
    Column("observed_at", UTC),
    Column("confirmed_owner", Text),
    Column("confirmed_at", UTC),
    Column("version", Words),
    Column("modified_at", UTC),
    Column("modified_by", Words),
    Column("state", Text, nullable=False),
    Index("ix_remote_state_confirmed_at", "confirmed_at"),
)

_NOTED = text("state IN ('noted', 'stopped')")
_WITH_PERSON = text("action <> 'reassert' AND state <> 'overtaken'")

drift_event = Table(
    "drift_event",
    metadata,
    Column("drift_id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("object_type", Text, nullable=False),
    Column("remote_id", Text, nullable=False),
    Column("version", Words, nullable=False),
    Column("ledger_id", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("expected_owner", Text, nullable=False),
    Column("found_owner", Words),
    Column("modified_by", Words),
    Column("modified_at", UTC),
    Column("hand", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("because", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("detected_at", UTC, nullable=False),
    Column("settled_at", UTC),
    Column("released_by", Words),
    Column("released_because", Words),
    UniqueConstraint("target", "object_type", "remote_id", "version", "ledger_id"),
    CheckConstraint("hand IN ('ours', 'integration', 'machine', 'person')", name="hand_is_known"),
    CheckConstraint("action IN ('reassert', 'hold', 'adopt')", name="action_is_known"),
    CheckConstraint("state IN ('noted', 'stopped', 'done', 'overtaken')", name="state_is_known"),
    Index("ix_drift_event_noted", "target", "drift_id", sqlite_where=_NOTED, postgresql_where=_NOTED),
    Index("ix_drift_event_with_person", "target", sqlite_where=_WITH_PERSON, postgresql_where=_WITH_PERSON),
    Index("ix_drift_event_remote_id", "remote_id"),
    Index("ix_drift_event_detected_at", "detected_at"),
    Index("ix_drift_event_account_id", "account_id"),
)

_OFFERED = text("state = 'offered'")
_REMINDED = text("state = 'offered' AND remind_at IS NOT NULL")

acceptance = Table(
    "acceptance",
    metadata,
    Column("offer_id", Text, primary_key=True),
    Column("ledger_id", Text, nullable=False, unique=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("escalation_level", Integer, nullable=False),
    Column("offered_at", UTC, nullable=False),
    Column("due_by", UTC, nullable=False),
    Column("answered_at", UTC),
    Column("answered_by", Text),
    Column("remind_at", UTC),
    CheckConstraint("state IN ('offered', 'accepted', 'declined', 'expired', 'superseded')", name="state_is_known"),
    Index("ix_acceptance_due_by", "due_by", sqlite_where=_OFFERED, postgresql_where=_OFFERED),
    Index("ix_acceptance_remind_at", "remind_at", sqlite_where=_REMINDED, postgresql_where=_REMINDED),
    Index("ix_acceptance_owner_id", "owner_id"),
    Index("ix_acceptance_account_id", "account_id"),
    Index("ix_acceptance_answered_at", "answered_at"),
)

_OPEN = text("state = 'open'")
_STAYS = text("stays_closed")

exception_item = Table(
    "exception_item",
    metadata,
    Column("exception_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("dedup_key", Text, nullable=False),
    Column("account_id", Text, ForeignKey("account.account_id")),
    Column("detail", JsonText, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("first_seen_at", UTC, nullable=False),
    Column("last_seen_at", UTC, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("resolved_at", UTC),
    Column("resolved_by", Text),
    Column("resolution", Words),
    Column("snoozed_until", UTC),
    Column("stays_closed", Boolean, nullable=False, server_default=false()),
    CheckConstraint("state IN ('open', 'closed')", name="state_is_known"),
    Index("uq_exception_item_open_dedup_key", "dedup_key", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_exception_item_account_id", "account_id"),
    Index(
        *("ix_exception_item_open_kind", "kind", "exception_id", "snoozed_until"),
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    ),
    Index("ix_exception_item_open_exception_id", "exception_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("ix_exception_item_stays_closed", "dedup_key", sqlite_where=_STAYS, postgresql_where=_STAYS),
)

exception_answer = Table(
    "exception_answer",
    metadata,
    Column("answer_id", Text, primary_key=True),
    Column("exception_id", Text, ForeignKey("exception_item.exception_id"), nullable=False),
    Column("way", Text, nullable=False),
    Column("said_by", Words, nullable=False),
    Column("because", Words, nullable=False),
    Column("came_of_it", Words, nullable=False),
    Column("said_at", UTC, nullable=False),
    Column("run_id", Text, nullable=False),
    Index("ix_exception_answer_exception_id", "exception_id"),
)

pool_turns = Table(
    "pool_turns",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("state", JsonText),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", UTC),
)

rule_mark = Table(
    "rule_mark",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("since", Text, nullable=False),
    Column("is_on", Boolean, nullable=False),
)

pipeline_run = Table(
    "pipeline_run",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("flow_run_id", Text),
    Column("deployment", Text),
    Column("trigger", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("connector_versions", JsonText, nullable=False),
    Column("policy_hash", Text),
    Column("state", Text, nullable=False),
    Column("counts", JsonText, nullable=False),
    Column("started_at", UTC, nullable=False),
    Column("ended_at", UTC),
    Index("ix_pipeline_run_flow_run_id", "flow_run_id"),
    Index("ix_pipeline_run_started_at", "started_at"),
)

_NEW = text("state = 'new'")

webhook_inbox = Table(
    "webhook_inbox",
    metadata,
    Column("inbox_id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("body", Words, nullable=False),
    Column("occurred_at", UTC),
    Column("received_at", UTC, nullable=False),
    Column("state", Text, nullable=False),
    Column("done_at", UTC),
    UniqueConstraint("source", "event_key"),
    Index("ix_webhook_inbox_new", "inbox_id", sqlite_where=_NEW, postgresql_where=_NEW),
)

_PENDING = text("state = 'pending'")
_REFUSED = text("state = 'refused'")
_ANSWERABLE = text("answerable")

notification = Table(
    "notification",
    metadata,
    Column("notification_id", Text, primary_key=True),
    Column("dedup_key", Text, nullable=False, unique=True),
    Column("email", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("lines", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("created_at", UTC, nullable=False),
    Column("settled_at", UTC),
    Column("channel", Text, nullable=False, server_default="slack"),
    Column("offer_id", Text),
    Column("message_key", Text),
    Column("message_id", Text),
    Column("answerable", Boolean, nullable=False, server_default=false()),
    Column("not_before", UTC),
    Index("ix_notification_email", "email", "notification_id"),
    Index("ix_notification_pending", "notification_id", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index("ix_notification_refused", "notification_id", sqlite_where=_REFUSED, postgresql_where=_REFUSED),
    Index("ix_notification_message_id", "message_id"),
    Index("ix_notification_answerable", "offer_id", sqlite_where=_ANSWERABLE, postgresql_where=_ANSWERABLE),
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", Text, primary_key=True),
    Column("erased_by", Words, nullable=False),
    Column("because", Words, nullable=False),
    Column("counts", JsonText, nullable=False),
    Column("erased_at", UTC, nullable=False),
)

erased_record = Table(
    "erased_record",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("erasure_id", Text, ForeignKey("erasure.erasure_id"), nullable=False),
)

verdict = Table(
    "verdict",
    metadata,
    Column("verdict_id", Text, primary_key=True),
    Column("one_source", Text, nullable=False),
    Column("one_object_type", Text, nullable=False),
    Column("one_external_id", Text, nullable=False),
    Column("other_source", Text, nullable=False),
    Column("other_object_type", Text, nullable=False),
    Column("other_external_id", Text, nullable=False),
    Column("word", Text, nullable=False),
    Column("said_by", Words, nullable=False),
    Column("because", Words, nullable=False),
    Column("said_at", UTC, nullable=False),
    CheckConstraint("word IN ('same', 'split', 'withdrawn', 'under', 'not_under')", name="word_is_known"),
)

account_alias = Table(
    "account_alias",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("now_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("since", UTC, nullable=False),
    Index("ix_account_alias_now_id", "now_id"),
)

identity_event = Table(
    "identity_event",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("other_id", Text, nullable=False),
    Column("records", JsonText, nullable=False),
    Column("because", Words, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("recorded_at", UTC, nullable=False),
    CheckConstraint("kind IN ('merged', 'split', 'moved')", name="kind_is_known"),
    Index("ix_identity_event_account_id", "account_id"),
    Index("ix_identity_event_other_id", "other_id"),
)

record_key = Table(
    "record_key",
    metadata,
    Column("match_key", Words, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("says", Text, nullable=False),
    Column("place", Text, nullable=False),
    Index("ix_record_key_external_id", "external_id", "stream", "source"),
    Index("ix_record_key_says_source", "says", "source"),
)

likeness = Table(
    "likeness",
    metadata,
    Column("source", Text, primary_key=True),
    Column("object_type", Text, primary_key=True),
    Column("external_id", Text, primary_key=True),
    Column("compared_hash", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("other_source", Text),
    Column("other_object_type", Text),
    Column("other_external_id", Text),
    Column("score", Float, nullable=False),
    Column("because", JsonText, nullable=False),
    Column("compared_at", UTC, nullable=False),
    CheckConstraint("outcome IN ('match', 'review', 'none')", name="outcome_is_known"),
    Index("ix_likeness_other_external_id", "other_external_id"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("target", Text, primary_key=True),
    Column("object_type", Text, primary_key=True),
    Column("remote_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("formers", JsonText, nullable=False),
    Column("team", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UTC, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("said", Words, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("updated_at", UTC, nullable=False),
    CheckConstraint("state IN ('prepared', 'due', 'done')", name="state_is_known"),
    Index("ix_transfer_account_id", "account_id"),
    Index("ix_transfer_remote_id", "remote_id"),
    Index(
        "ix_transfer_due",
        "target",
        "next_attempt_at",
        sqlite_where=text("state = 'due'"),
        postgresql_where=text("state = 'due'"),
    ),
)

target_state = Table(
    "target_state",
    metadata,
    Column("target", Text, primary_key=True),
    Column("paused_at", UTC),
    Column("paused_because", Words, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("problem", Words, nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("retry_at", UTC),
)

web_session = Table(
    "web_session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("email", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("role", Text, nullable=False),
    Column("form_token", Text, nullable=False),
    Column("started_at", UTC, nullable=False),
    Column("ends_at", UTC, nullable=False),
    CheckConstraint("role IN ('rep', 'manager', 'ops')", name="role_is_known"),
    Index("ix_web_session_ends_at", "ends_at"),
)

account_health = Table(
    "account_health",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("seen_at", UTC, nullable=False),
    Column("territory", Text, nullable=False),
    Column("owner_id", Text),
    Column("owned_since", UTC),
    Column("supported", Boolean, nullable=False),
    Column("arr_cents", BigInteger, nullable=False),
    Column("arr_known", Boolean, nullable=False),
    Column("consent_known", Boolean, nullable=False),
    Column("has_contact", Boolean, nullable=False),
    Column("quiet_since", Text),
    Column("paying", Boolean, nullable=False),
    Column("churned", Boolean, nullable=False),
    Column("renewal_on", Text),
    Column("forecast_cents", BigInteger),
    Column("booked_cents", BigInteger),
    Index("ix_account_health_owner_id", "owner_id"),
    Index("ix_account_health_seen_at_account_id", "seen_at", "account_id"),
    Index("ix_account_health_arr_cents_account_id", "arr_cents", "account_id"),
)

account_outcome = Table(
    "account_outcome",
    metadata,
    Column("account_id", Text, ForeignKey("account.account_id"), primary_key=True),
    Column("day", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("owner_id", Text),
    Column("owned_days", Integer, nullable=False),
    Column("arr_before_cents", BigInteger, nullable=False),
    Column("arr_cents", BigInteger, nullable=False),
    CheckConstraint("outcome IN ('renewed', 'lost', 'expanded', 'shrunk')", name="outcome_is_known"),
    Index("ix_account_outcome_day", "day"),
)

kpi_day = Table(
    "kpi_day",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("period", Integer, primary_key=True, autoincrement=False),
    Column("day", Text, primary_key=True),
    Column("kpi", Text, primary_key=True),
    Column("value", Float),
    Column("n", BigInteger, nullable=False),
    Column("note", Words, nullable=False),
    Column("parts", JsonText, nullable=False),
    Column("measured_at", UTC, nullable=False),
    Column("run_id", Text, nullable=False),
    Index("ix_kpi_day_day", "day"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("token_hash", Text, nullable=False),
    Column("name", Words, nullable=False),
    Column("role", Text, nullable=False),
    Column("rep_id", Text),
    Column("made_at", UTC, nullable=False),
    Column("made_by", Words, nullable=False),
    Column("ends_at", UTC, nullable=False),
    Column("used_at", UTC),
    Column("revoked_at", UTC),
    Column("revoked_by", Words),
    CheckConstraint("role IN ('rep', 'manager', 'ops')", name="role_is_known"),
)

api_answer = Table(
    "api_answer",
    metadata,
    Column("token_id", Text, ForeignKey("api_token.token_id"), primary_key=True),
    Column("idem_key", Text, primary_key=True),
    Column("request_hash", Text, nullable=False),
    Column("asked_at", UTC, nullable=False),
    Column("status", Integer),
    Column("body", JsonText),
    Index("ix_api_answer_asked_at", "asked_at"),
)

override_request = Table(
    "override_request",
    metadata,
    Column("override_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("requested_by", Words, nullable=False),
    Column("requested_at", UTC, nullable=False),
    Column("since", Text, nullable=False),
    Column("until", Text),
    Column("afterwards", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Words),
    Column("decided_at", UTC),
    Column("decided_because", Words),
    Column("ended_by", Words),
    Column("ended_at", UTC),
    Column("ended_because", Words),
    CheckConstraint("state IN ('requested', 'approved', 'refused', 'withdrawn', 'expired')", name="state_is_known"),
    CheckConstraint("afterwards IN ('stay', 'return', 'rules')", name="afterwards_is_known"),
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by OR state = 'withdrawn'", name="two_people"),
    Index("ix_override_request_account_id", "account_id"),
    Index("ix_override_request_state", "state", "override_id"),
)

_IS_OPEN = text("state = 'open'")

dispute = Table(
    "dispute",
    metadata,
    Column("dispute_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.account_id"), nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("reason", Words, nullable=False),
    Column("opened_by", Words, nullable=False),
    Column("opened_at", UTC, nullable=False),
    Column("rule_by", UTC, nullable=False),
    Column("state", Text, nullable=False),
    Column("ruled_for", Text),
    Column("ruled_by", Words),
    Column("ruled_at", UTC),
    Column("ruled_because", Words),
    CheckConstraint("state IN ('open', 'ruled', 'withdrawn')", name="state_is_known"),
    CheckConstraint("ruled_by IS NULL OR ruled_by <> claimed_by OR state = 'withdrawn'", name="two_people"),
    Index("uq_dispute_open", "account_id", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
)

dispute_evidence = Table(
    "dispute_evidence",
    metadata,
    Column("evidence_id", Text, primary_key=True),
    Column("dispute_id", Text, ForeignKey("dispute.dispute_id"), nullable=False),
    Column("said", Words, nullable=False),
    Column("added_by", Words, nullable=False),
    Column("added_at", UTC, nullable=False),
    Index("ix_dispute_evidence_dispute_id", "dispute_id", "evidence_id"),
)

access_log = Table(
    "access_log",
    metadata,
    Column("access_id", Text, primary_key=True),
    Column("at", UTC, nullable=False),
    Column("who", Words, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_id", Text),
    Column("route", Text, nullable=False),
    Column("object_id", Words),
    Column("outcome", Text, nullable=False),
    CheckConstraint("role IN ('nobody', 'rep', 'manager', 'ops')", name="role_is_known"),
    CheckConstraint("outcome IN ('allowed', 'refused')", name="outcome_is_known"),
    Index("ix_access_log_at", "at"),
    Index("ix_access_log_who", "who", "access_id"),
    Index("ix_access_log_object_id", "object_id", "access_id"),
)
