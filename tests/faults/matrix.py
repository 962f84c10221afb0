"""The fault matrix: every step of the job against everything that may happen to it, and which test holds the cell.

A cell that a fault can reach names tests (`COVERED`), of which some have words on what is still missing (`MISSING`), or
is listed in `OPEN`. The others cannot be reached, and `UNREACHABLE` says why. `test_matrix.py` holds all of it to this.
What must hold: one decision for each event and no gap in `seq` (I1), ledger, outbox and cursor together (I2), every
record shows its owner or an exception says why (I3), our writes never go back (I4), a foreign edit is kept before it is
judged (I5), nobody is asked before they said (I6), nothing is dropped (I7), one answer for each offer (I8), no
escalation early or twice (I9), everything can be proved afterwards (I10), one bad record harms itself (I11), nobody who
left owns anything (I12), deliveries are acknowledged in time (I13).
"""

from __future__ import annotations

STEPS = {
    "P": "pull and cursor",
    "W": "webhook inbox",
    "D": "decide",
    "L": "ledger and outbox",
    "C": "claim",
    "X": "remote write",
    "F": "confirm",
    "N": "notify",
    "A": "accept or decline",
    "T": "escalate",
    "R": "audit and reconcile",
}
FAULTS = {
    1: "crash before",
    2: "crash after commit",
    3: "no answer, late commit",
    4: "429 with Retry-After",
    5: "5xx, outage",
    6: "part of a batch fails",
    7: "token expired or revoked",
    8: "row lock of the vendor",
    9: "delivery repeated",
    10: "deliveries out of order",
    11: "clock wrong or set back",
    12: "database locked or cut off",
    13: "disk full",
    14: "poisoned record",
    15: "two runs at once, zombie",
    16: "field missing or of another type",
    17: "record deleted or merged",
    18: "owner has left",
    19: "ten times the load",
    20: "overwritten by others, echo",
}
REACHES = {
    **{1: "PWDLCXFNATR", 2: "PWLCXFNATR", 3: "XNR", 4: "PXNR", 5: "PXNR", 6: "WX", 7: "PXNR", 8: "X", 9: "WA"},
    **{10: "WAR", 11: "PWLCAT", 12: "PWLCFATR", 13: "PWLFA", 14: "PWDX", 15: "PDLCXTR", 16: "PWDXR", 17: "PDXAR"},
    **{18: "DXNAT", 19: "WLCX", 20: "XR"},
}
UNREACHABLE = {
    2: "deciding commits nothing of its own",
    3: "nothing is sent there, so no answer can be lost",
    4: "no vendor is asked there",
    5: "no vendor is asked there",
    6: "it takes no batch from outside and gives none away",
    7: "it needs no vendor's token",
    8: "only writes meet the locks of a vendor",
    9: "nothing is delivered there",
    10: "nothing is delivered there",
    11: "no deadline, lease or window is judged there",
    12: "it is within another step's transaction, or writes nothing that is not repeated",
    13: "it is within another step's transaction, or adds next to nothing",
    14: "it knows a record only by its id",
    15: "it is within another step's transaction, or is sent under a key by which a repeat is dropped",
    16: "it reads no field of a vendor's record",
    17: "it looks at no record outside",
    18: "it neither chooses an owner nor speaks to one",
    19: "its work does not come in bursts from outside",
    20: "it neither reads nor writes an owner outside",
}

_EACH = "tests/faults/test_each_step.py::"
_PUSH = "tests/faults/test_push_faults.py::"
_PULL = "tests/faults/test_pull_faults.py::"
_PEOPLE = "tests/faults/test_people_faults.py::"
_INCIDENT = "tests/faults/test_incidents.py::"
_OWNERS = "tests/faults/test_incidents_of_owners.py::"
_JOB = "tests/tasks/test_the_job.py::"
_DRIFT = "tests/tasks/test_drift.py::"
_BREAKER = "tests/unit/test_push.py::"
_WEB = "tests/unit/test_web.py::"
_SALESFORCE = "tests/contract/test_salesforce.py::"

KILLED = (
    "tests/faults/test_killed_for_real.py::test_killed_at_any_place_the_next_process_finishes",
    "tests/faults/test_killed_for_real.py::test_killed_at_any_place_over_postgres_the_next_process_finishes",
)
STORMS = (
    "tests/simulation/test_storms.py::test_three_hundred_storms_leave_everything_as_decided",
    "tests/simulation/test_storms.py::test_storms_over_postgres_leave_everything_as_decided",
)
BEFORE = (_EACH + "test_killed_before_it_commits_a_step_has_done_nothing_and_is_done_again",)
AFTER = (_EACH + "test_killed_after_any_of_its_commits_a_step_is_finished_by_the_next_run",)
CLOCK = (_EACH + "test_a_clock_that_jumps_back_ten_minutes_changes_nothing_of_what_a_step_leaves",)
DATABASE = (
    _EACH + "test_while_others_hold_the_database_a_step_waits_and_is_done_once",
    _EACH + "test_cut_off_from_the_database_at_any_statement_a_step_ends_as_ever",
)
FULL = (_EACH + "test_with_no_space_left_a_step_says_so_has_done_nothing_and_is_done_again",)
TWICE = (_EACH + "test_two_runs_at_once_leave_what_one_leaves",)
NO_PULL = (_PULL + "test_a_pull_that_cannot_be_ends_there_and_changes_nothing",)
NO_AUDIT = (_PUSH + "test_an_audit_that_cannot_read_says_so_and_accuses_nobody",)
NO_NOTICE = (_PEOPLE + "test_messages_wait_while_the_messenger_is_away_and_are_told_once",)
OUTAGE = (_PUSH + "test_an_outage_costs_a_call_for_each_push_and_no_try_of_any_row",)
HOSTILE = (_PUSH + "test_a_hostile_name_harms_nobody_on_its_way_from_pull_to_push",)
UNREADABLE = (_PULL + "test_rows_that_cannot_be_read_take_no_owner_away_and_are_as_before_once_they_can",)

COVERED: dict[tuple[str, int], tuple[str, ...]] = {
    # crash before
    ("P", 1): (*BEFORE, *KILLED),
    ("W", 1): BEFORE,
    ("D", 1): (*BEFORE, *KILLED),
    ("L", 1): (*BEFORE, *KILLED),
    ("C", 1): (*BEFORE, *KILLED),
    ("X", 1): KILLED,
    ("F", 1): KILLED,
    ("N", 1): BEFORE,
    ("A", 1): BEFORE,
    ("T", 1): (
        *BEFORE,
        "tests/faults/test_killed_anywhere.py::test_an_escalation_killed_midway_is_finished_by_the_next_pass",
    ),
    ("R", 1): BEFORE,
    # crash after commit
    ("P", 2): (*AFTER, *KILLED),
    ("W", 2): (*AFTER, _PULL + "test_a_delivery_repeated_ten_times_is_kept_once"),
    ("L", 2): (*AFTER, *KILLED),
    ("C", 2): (*AFTER, *KILLED),
    ("X", 2): KILLED,
    ("F", 2): (*AFTER, *KILLED),
    ("N", 2): (*AFTER, "tests/contract/promises.py::test_the_same_notice_twice_is_seen_once"),
    ("A", 2): AFTER,
    ("T", 2): (
        *AFTER,
        "tests/faults/test_killed_anywhere.py::test_an_escalation_killed_midway_is_finished_by_the_next_pass",
    ),
    ("R", 2): AFTER,
    # no answer, late commit
    ("X", 3): (_JOB + "test_a_write_without_an_answer_is_read_before_anything_else", *STORMS),
    ("N", 3): ("tests/contract/promises.py::test_the_same_notice_twice_is_seen_once",),
    ("R", 3): (
        _OWNERS + "test_bulk_api_a_stale_batch_that_lands_minutes_later_is_found_by_the_audit",
        _DRIFT + "test_a_write_of_ours_that_lands_late_is_healed_within_one_reconcile_period",
    ),
    # 429
    ("P", 4): (*NO_PULL, "tests/unit/test_connectors_http.py::test_the_vendors_retry_after_is_honoured"),
    ("X", 4): (
        _BREAKER + "test_a_retry_after_is_kept_from_the_first_failure",
        _PUSH + "test_a_vendor_that_is_busy_gets_every_owner_later_and_once",
        _SALESFORCE + "test_a_burst_of_refusals_is_waited_out_by_a_push_and_nothing_is_written_twice",
    ),
    ("N", 4): NO_NOTICE,
    ("R", 4): NO_AUDIT,
    # 5xx
    ("P", 5): (*NO_PULL, _SALESFORCE + "test_a_burst_of_refusals_is_waited_out_by_a_pull"),
    ("X", 5): (*OUTAGE, _JOB + "test_a_system_out_of_reach_keeps_its_changes_until_it_is_back"),
    ("N", 5): NO_NOTICE,
    ("R", 5): NO_AUDIT,
    # part of a batch
    ("W", 6): (_WEB + "test_one_event_that_cannot_be_read_keeps_the_whole_delivery_out",),
    ("X", 6): (
        _PUSH + "test_of_a_batch_the_refused_rows_alone_become_exceptions",
        "tests/unit/test_connectors_salesforce.py::test_failed_rows_are_told_apart_by_position_as_they_carry_no_id",
    ),
    # token
    ("P", 7): (
        *NO_PULL,
        _SALESFORCE + "test_a_token_that_expires_in_the_middle_of_a_pull_is_fetched_once_and_no_row_is_lost",
    ),
    ("X", 7): (
        *OUTAGE,
        _SALESFORCE + "test_tokens_that_last_only_a_few_calls_carry_a_long_push",
        _SALESFORCE
        + "test_salesforce_five_tokens_environments_that_share_a_user_log_each_other_out_and_a_push_goes_on",
        _SALESFORCE
        + "test_a_token_that_expires_in_the_middle_of_a_push_is_fetched_once_and_the_write_repeated_as_it_was",
    ),
    ("N", 7): NO_NOTICE,
    ("R", 7): NO_AUDIT,
    # row lock
    ("X", 8): (
        _OWNERS + "test_sfdo_450_rows_that_are_locked_are_tried_again_and_they_alone",
        _PUSH + "test_a_row_that_stays_locked_is_given_to_a_person_after_a_few_tries",
    ),
    # deliveries
    ("W", 9): (
        _PULL + "test_a_delivery_repeated_ten_times_is_kept_once",
        _WEB + "test_a_delivery_that_is_repeated_passes_nothing_on_again",
    ),
    ("A", 9): (_PEOPLE + "test_an_answer_given_ten_times_counts_once",),
    ("W", 10): (
        _PULL + "test_events_out_of_order_lead_to_what_the_record_says_now",
        _PULL + "test_a_read_that_was_overtaken_does_not_put_the_older_row_back",
    ),
    ("R", 10): (
        _DRIFT + "test_what_is_decided_while_the_book_is_read_is_no_drift",
        _DRIFT + "test_the_webhook_of_our_own_write_makes_nothing",
    ),
    ("A", 10): (_PEOPLE + "test_a_decline_after_the_account_moved_on_does_not_touch_the_new_owner",),
    # clock
    ("P", 11): CLOCK,
    ("W", 11): (*CLOCK, _WEB + "test_a_delivery_of_the_last_minutes_is_believed_though_clocks_differ"),
    ("L", 11): CLOCK,
    ("C", 11): (
        *CLOCK,
        "tests/store/test_outbox.py::test_a_worker_back_from_the_dead_cannot_settle_what_another_has_claimed",
    ),
    ("A", 11): CLOCK,
    ("T", 11): (*CLOCK, _JOB + "test_an_offer_is_never_escalated_early_nor_twice"),
    # database
    **{(step, 12): DATABASE for step in "PWLCFATR"},
    **{(step, 13): FULL for step in "PWLA"},
    ("F", 13): (
        _PUSH + "test_with_no_space_left_when_a_push_would_confirm_the_next_one_reads_and_does_not_write_again",
    ),
    # poisoned record
    ("P", 14): (*HOSTILE, _JOB + "test_a_record_that_cannot_be_read_harms_only_itself_and_waits_for_a_person"),
    ("W", 14): (_WEB + "test_a_body_that_is_no_array_of_events_is_refused_though_it_is_signed",),
    ("D", 14): HOSTILE,
    ("X", 14): HOSTILE,
    # two at once
    ("P", 15): (*TWICE, _INCIDENT + "test_airbyte_29881_of_two_pulls_at_once_one_gives_way_and_nothing_is_lost"),
    ("D", 15): (*TWICE, "tests/store/test_books.py::test_two_runs_over_the_same_accounts_give_each_of_them_once"),
    ("L", 15): (*TWICE, "tests/store/test_concurrency.py::test_sixteen_threads_write_the_same_account"),
    ("C", 15): ("tests/store/test_outbox.py::test_many_claimers_never_get_the_same_row",),
    ("X", 15): (_PUSH + "test_several_pushes_at_once_write_every_record_once", *STORMS),
    ("T", 15): TWICE,
    ("R", 15): TWICE,
    # schema
    ("P", 16): (*NO_PULL, *UNREADABLE),
    ("W", 16): (_WEB + "test_a_company_event_of_the_newer_kind_is_one_about_an_account",),
    ("D", 16): UNREADABLE,
    ("X", 16): ("tests/contract/test_marketo.py::test_a_field_that_does_not_exist_is_named_with_its_setting",),
    ("R", 16): NO_AUDIT,
    # gone
    ("P", 17): (
        "tests/contract/promises.py::test_a_deleted_row_is_seen_as_deleted",
        _SALESFORCE + "test_an_account_that_lost_in_a_merge_names_its_master",
    ),
    ("D", 17): (
        _PULL + "test_an_account_deleted_between_pull_and_decision_is_decided_no_more_once_that_is_known",
        "tests/tasks/test_identity.py::test_what_was_still_to_be_sent_or_answered_for_an_account_ends_when_it_becomes_part_of_another",
    ),
    ("X", 17): (_PUSH + "test_a_record_deleted_before_its_push_is_said_to_be_gone_and_the_others_are_written",),
    ("A", 17): (_PEOPLE + "test_an_accept_for_an_account_that_was_deleted_says_that_there_is_none",),
    ("R", 17): (_PUSH + "test_a_record_that_was_deleted_behind_our_back_is_found_by_the_audit",),
    # left
    ("D", 18): (_PULL + "test_a_rep_who_left_before_the_decision_gets_nothing",),
    ("X", 18): (_PUSH + "test_an_owner_who_left_between_decision_and_push_is_written_nowhere",),
    ("N", 18): (_PEOPLE + "test_a_person_the_messenger_does_not_know_keeps_nobody_else_from_being_told",),
    ("A", 18): (_PEOPLE + "test_who_left_can_accept_nothing_and_their_manager_passes_it_on",),
    ("T", 18): ("tests/unit/test_acceptance.py::test_who_is_absent_is_passed_over",),
    # load
    ("W", 19): (
        _WEB + "test_a_full_message_of_a_hundred_notifications_is_kept_whole",
        "tests/web/test_changes.py::test_a_flood_is_shared_out_and_every_record_is_in_one_run",
    ),
    ("L", 19): (_PULL + "test_a_burst_of_accounts_is_decided_in_one_commit",),
    ("C", 19): (_PUSH + "test_a_burst_beyond_one_claim_is_drained_in_one_push",),
    ("X", 19): (
        _PUSH + "test_a_burst_beyond_one_claim_is_drained_in_one_push",
        _SALESFORCE + "test_a_push_costs_one_write_for_each_two_hundred_owners",
    ),
    # overwritten
    ("X", 20): (
        _PUSH + "test_an_edit_seen_before_the_write_is_held_though_its_push_had_begun",
        _JOB + "test_an_edit_between_decision_and_push_is_held_too",
        *STORMS,
    ),
    ("R", 20): (
        _JOB + "test_the_audit_finds_what_a_crm_shows_behind_our_back",
        _OWNERS
        + "test_hubspot_salesforce_owner_mapping_a_stale_owner_put_back_every_night_is_held_and_not_fought_over",
    ),
}
MISSING: dict[tuple[str, int], str] = {
    ("X", 15): "a push that is held up between reading and writing for longer than its lease may write an older owner;"
    " the next reconcile finds it. A conditional write would refuse it",
    ("X", 20): "an edit in the moment between our read and our write is overwritten where the write is not conditional",
    ("T", 11): "a clock that is fast escalates as much too early: offers are judged by the clock of the process",
}
OPEN: dict[tuple[str, int], str] = {}


def reachable() -> set[tuple[str, int]]:
    """Every cell a fault can reach, as (step, fault)."""
    return {(step, fault) for fault, steps in REACHES.items() for step in steps}


def why_not(step: str, fault: int) -> str:
    """Why a fault cannot reach a step. Raises `LookupError` for one that can, or when nobody has said why."""
    if (step, fault) in reachable():
        raise LookupError(f"{FAULTS[fault]} can happen to: {STEPS[step]}")
    return UNREACHABLE[fault]
