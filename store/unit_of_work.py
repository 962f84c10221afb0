"""One transaction, and everything that can be read or written in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from store.access_log import AccessLog
from store.accounts import Accounts
from store.api_answers import ApiAnswers
from store.api_tokens import ApiTokens
from store.books import Books
from store.crm_tasks import CrmTasks
from store.cursors import Cursors
from store.decisions import Decisions
from store.drift import DriftEvents
from store.erasures import Erasures
from store.exception_pages import ExceptionPages
from store.exceptions import Exceptions
from store.health import HealthRows
from store.identity import Identity
from store.inbox import Inbox
from store.kept import KeptAccounts
from store.kpi_counts import KpiCounts
from store.kpi_days import KpiDays
from store.kpi_lists import KpiLists
from store.ledger import Ledger
from store.likenesses import Likenesses
from store.lineage import Lineage
from store.listings import Listings
from store.match_keys import MatchKeys
from store.notice_list import NoticeList
from store.notifications import Notifications
from store.offers import Offers
from store.outbox import Outbox
from store.overrides import Disputes, Overrides
from store.people import People
from store.policies import Policies
from store.recording import Recorder, Recording, RecordSummary
from store.remote import Remote
from store.rule_marks import RuleMarks
from store.runs import Runs
from store.seals import Seals
from store.sessions import Sessions
from store.staging import Staging
from store.suppression import Suppressions
from store.targets import Targets
from store.transfers import Transfers
from store.turns import Turns


class UnitOfWork:
    """What `Store.transaction` and `Store.run` hand out: commits as a whole, or leaves nothing behind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.staging = Staging(connection)
        self.keys = MatchKeys(connection)
        self.identity = Identity(connection)
        self.likenesses = Likenesses(connection)
        self.cursors = Cursors(connection)
        self.people = People(connection)
        self.accounts = Accounts(connection)
        self.ledger = Ledger(connection)
        self.books = Books(connection)
        self.decisions = Decisions(connection)
        self.outbox = Outbox(connection)
        self.crm_tasks = CrmTasks(connection)
        self.targets = Targets(connection)
        self.transfers = Transfers(connection)
        self.suppressions = Suppressions(connection)
        self.remote = Remote(connection)
        self.drift = DriftEvents(connection)
        self.kept = KeptAccounts(connection)
        self.lineage = Lineage(connection)
        self.offers = Offers(connection)
        self.exceptions = Exceptions(connection)
        self.exception_pages = ExceptionPages(connection)
        self.erasures = Erasures(connection)
        self.turns = Turns(connection)
        self.marks = RuleMarks(connection)
        self.runs = Runs(connection)
        self.seals = Seals(connection)
        self.inbox = Inbox(connection)
        self.notifications = Notifications(connection)
        self.notice_list = NoticeList(connection)
        self.policies = Policies(connection)
        self.sessions = Sessions(connection)
        self.health = HealthRows(connection)
        self.kpi_counts = KpiCounts(connection)
        self.kpi_lists = KpiLists(connection)
        self.kpi_days = KpiDays(connection)
        self.listings = Listings(connection)
        self.api_tokens = ApiTokens(connection)
        self.api_answers = ApiAnswers(connection)
        self.overrides = Overrides(connection)
        self.disputes = Disputes(connection)
        self.access_log = AccessLog(connection)

    def record(self, batch: Sequence[Recording], run_id: str, now: datetime) -> RecordSummary:
        """Record decisions with all that follows from them; see `store.recording`.

        Raises `LookupError` for an account that is not in the store. A repeat under the same run id writes nothing.
        """
        return Recorder(self._connection, run_id, now).record(batch)

    def close_accounts(self, became: Mapping[str, str], run_id: str, now: datetime) -> None:
        """Nobody owns these accounts any more: each became part of another, as an identity event (its value) says."""
        Recorder(self._connection, run_id, now).close(became)
