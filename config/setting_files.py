"""Reading the settings of `policy.yaml`: what is said once for the whole policy, each with its default."""

from __future__ import annotations

from ruamel.yaml.comments import CommentedMap

from config.entry_files import EntryReader
from config.yaml_files import hint
from ownership.conditions import ALWAYS, DATES, FIELDS, Condition, Field, Not
from ownership.drift import DriftGuard
from ownership.entries import Acceptance, DisputeClock, Keeping, Leads, Pod, SlaRule
from ownership.exception_kinds import DUE_HOURS
from ownership.exception_kinds import KINDS as EXCEPTIONS
from ownership.matching.survivor import POLICIES as CONFLICTS
from ownership.policy import DRIFT, KEEPING, OPTIONAL_STEPS
from ownership.transfers import CONTACTS, OPPORTUNITIES, OnOwnerChange

CRMS = ("salesforce", "hubspot")
CHAIN = ("next_in_line", "manager", "queue")
CLOCKS = ("calendar", "business")
OVER_CAPACITY = ("keep", "move_on")
ACCOUNTS_MOVE = ("at_once", "next_business_day")
HUMAN_EDIT = ("hold", "accept")
ACCOUNT_TEAM = ("keep", "drop")
FOLLOW = ("keep", "move")
TRANSFER_KEYS = ("account_team", CONTACTS, OPPORTUNITIES)
MEANWHILE = ("offered", "previous")  # or a queue, by its id
ACCEPTANCE_KEYS = (
    *("hours", "clock", "remind_hours", "chain", "miss_takes_turn", "decline_takes_turn", "by", "meanwhile"),
)
DRIFT_KEYS = (
    *("human_edit", "integrations", "steward_users", "stop_percent", "stop_at_least"),
    *("most_reasserts", "reassert_days"),
)
PLACES = ("salesforce", "salesforce_lead", "hubspot", "hubspot_contact")
KINDS = ("text", "number", "flag", "texts", "date")
NEVER: Condition = Not(ALWAYS)


class SettingReader(EntryReader):
    """Reads the settings of a policy, whose `root` is its whole document."""

    def fields(self, root: CommentedMap) -> dict[str, Field]:
        """Fields of the company's own, and where those of the product are read that no CRM has by itself."""
        found: dict[str, Field] = {}
        seen: set[str] = set()
        for node in self.mappings(root, "fields", "fields", "a field"):
            self.keys(node, "a field", ("name",), ("kind", "meaning", "from"))
            name = self.text(node, "name", "a field")
            self.once(node, "name", "the field", name, seen)
            what, known = f"field '{name}'", {**FIELDS, **DATES}.get(name)
            if known is None and "kind" not in node:
                self.say(node, None, f"{what} has no 'kind'", f"Give it one of {', '.join(KINDS)}")
            kind = self.one_of(node, "kind", what, KINDS) if known is None or "kind" in node else known.kind
            if known is not None and kind != known.kind:
                self.say(node, "kind", f"{what} is one of Steward's own, of kind {known.kind}", "Leave 'kind' out")
            found[name] = Field(kind, self.text(node, "meaning", name, name), self._places(node, what))  # type: ignore[arg-type]
        return found

    def _places(self, node: CommentedMap, what: str) -> dict[str, str]:
        """What each object of a CRM calls a field."""
        places = self.mapping(node, "from", f"from of {what}")
        self.keys(places, f"from of {what}", (), PLACES)
        return {str(place): self.text(places, place, f"from of {what}") for place in places}

    def order(self, node: CommentedMap, steps: tuple[str, ...], root: CommentedMap) -> tuple[str, ...]:
        order = self._steps(node, "order", steps)
        for step in steps:
            may_be_missing = step in OPTIONAL_STEPS and not self._wants(step, root)
            may_be_missing |= step == "sticky" and "sticky_days" not in node
            if order.count(step) > 1 or (order.count(step) == 0 and not may_be_missing):
                self.say(node, "order", f"order has '{step}' {order.count(step)} times", "Name each step once")
        if "returned" in order and "override" in order and order.index("returned") < order.index("override"):
            wrong = "order asks 'returned' before 'override', which would end an override at once"
            self.say(node, "order", wrong, "Put 'override' first")
        return order

    def conflicting_owners(self, root: CommentedMap) -> str:
        node = self.mapping(root, "identity", "identity")
        self.keys(node, "identity", (), ("conflicting_owners",))
        return self.one_of(node, "conflicting_owners", "identity", CONFLICTS)

    def _wants(self, step: str, root: CommentedMap) -> bool:
        """Whether the policy's text has something for an optional step."""
        if step == "override" and self._accepts_edits(root):
            return True
        if step == "returned":
            overrides = self.items(root, "overrides", "overrides")
            return any(isinstance(each, CommentedMap) and "then" in each for each in overrides)
        return OPTIONAL_STEPS[step] in root

    def _accepts_edits(self, root: CommentedMap) -> bool:
        drift = root.get("drift")
        return isinstance(drift, CommentedMap) and drift.get("human_edit") == HUMAN_EDIT[1]

    def _steps(self, node: CommentedMap, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        steps = tuple(str(step) for step in self.items(node, key, key)) or known
        for step in steps:
            if step not in known:
                wrong = f"{key} has an unknown step '{step}'{hint(step, known)}"
                self.say(node, key, wrong, f"Steps are {', '.join(known)}")
        return steps

    def keeping(self, root: CommentedMap) -> Keeping:
        node = self.mapping(root, "existing_owner", "existing_owner")
        what = "existing_owner"
        self.keys(node, what, (), ("forfeit_after_days", "days", "leave_counts", "over_capacity", "warn_days_before"))
        limit = self.whole(node, "forfeit_after_days", what, 1, 1) if "forfeit_after_days" in node else None
        return Keeping(
            limit,
            self.one_of(node, "days", what, CLOCKS) == "business",
            self.flag(node, "leave_counts", what, False),
            self.one_of(node, "over_capacity", what, OVER_CAPACITY),
            self.whole(node, "warn_days_before", what, KEEPING.warn_days_before),
        )

    def leavers(self, root: CommentedMap) -> str:
        """When the accounts of who has left move on."""
        node, what = self.mapping(root, "leavers", "leavers"), "leavers"
        self.keys(node, what, (), ("accounts_move",))
        return self.one_of(node, "accounts_move", what, ACCOUNTS_MOVE)

    def drift(self, root: CommentedMap) -> DriftGuard:
        """What becomes of owners that others have written in a CRM."""
        node, what = self.mapping(root, "drift", "drift"), "drift"
        self.keys(node, what, (), DRIFT_KEYS)
        percent = self.whole(node, "stop_percent", what, DRIFT.stop_percent, 1)
        if percent > 100:
            self.say(node, "stop_percent", f"stop_percent of {what} is {percent}", "Give a whole number from 1 to 100")
        return DriftGuard(
            human_edit=self.one_of(node, "human_edit", what, HUMAN_EDIT),
            integrations=self._outside_users(node, "integrations", what),
            steward_users=self._outside_users(node, "steward_users", what),
            stop_percent=percent,
            stop_at_least=self.whole(node, "stop_at_least", what, DRIFT.stop_at_least, 1),
            most_reasserts=self.whole(node, "most_reasserts", what, DRIFT.most_reasserts),
            reassert_days=self.whole(node, "reassert_days", what, DRIFT.reassert_days, 1),
        )

    def _outside_users(self, node: CommentedMap, key: str, what: str) -> frozenset[str]:
        """Users of outside systems, as "salesforce/005…" or by e-mail address, which counts in any case. None of them
        is a rep: their own edits would be written over."""
        reps = {rep.email.lower(): rep for rep in self.roster.reps.values()}
        reps |= {f"{at}/{id_}": rep for rep in self.roster.reps.values() for at, id_ in rep.external_ids.items()}
        users = frozenset(user.lower() if "@" in user else user for user in self.words(node, key, what))
        for user in sorted(users):
            system, _, id_ = user.partition("/")
            if "@" not in user and not (system and id_):
                wrong = f"{key} of {what} holds '{user}', which is no user"
                self.say(node, key, wrong, 'Write "salesforce/<user id>", or an e-mail address')
            if user in reps:
                wrong = f"{key} of {what} holds '{user}', who is {reps[user].name} of the roster"
                self.say(node, key, wrong, "Name a user of its own, or a person's edits would be taken for its work")
        return users

    def on_owner_change(self, root: CommentedMap) -> OnOwnerChange:
        """What goes with an owner in a CRM."""
        node, what = self.mapping(root, "on_owner_change", "on_owner_change"), "on_owner_change"
        self.keys(node, what, (), TRANSFER_KEYS)
        return OnOwnerChange(
            keep_team=self.one_of(node, "account_team", what, ACCOUNT_TEAM) == "keep",
            contacts=self.one_of(node, CONTACTS, what, FOLLOW) == "move",
            open_opportunities=self.one_of(node, OPPORTUNITIES, what, FOLLOW) == "move",
        )

    def coverage(self, root: CommentedMap) -> bool:
        """Whether an account that only an overlay works is counted as covered."""
        node, what = self.mapping(root, "coverage", "coverage"), "coverage"
        self.keys(node, what, (), ("overlays_count",))
        return self.flag(node, "overlays_count", what, False)

    def dispute_clock(self, root: CommentedMap) -> DisputeClock:
        node, what = self.mapping(root, "dispute_clock", "dispute_clock"), "dispute_clock"
        self.keys(node, what, (), ("hours", "clock"))
        return DisputeClock(self.hours(node, "hours", what, 48, 1), self.one_of(node, "clock", what, CLOCKS))

    def exception_hours(self, root: CommentedMap) -> dict[str, float]:
        """By when a person should have acted, by kind of exception."""
        node, what = self.mapping(root, "exceptions", "exceptions"), "due_hours of exceptions"
        self.keys(node, "exceptions", (), ("due_hours",))
        given = self.mapping(node, "due_hours", what)
        self.keys(given, what, (), tuple(EXCEPTIONS))
        return {str(kind): self.hours(given, str(kind), what, DUE_HOURS, 1) for kind in given}

    def follow_parent(self, root: CommentedMap) -> Condition:
        if root.get("follow_parent", "all") == "all":
            return ALWAYS
        return NEVER if root["follow_parent"] == "none" else self.condition(root, "follow_parent", "follow_parent")

    def acceptance(self, root: CommentedMap) -> Acceptance:
        node, what = self.mapping(root, "acceptance", "acceptance"), "acceptance"
        self.keys(node, what, (), ACCEPTANCE_KEYS)
        hours = self.hours(node, "hours", what, 24, 0.005)
        remind = self.hours(node, "remind_hours", what) if "remind_hours" in node else None
        faster = tuple(map(self._sla, self.mappings(node, "by", "by of acceptance", "an SLA")))
        if remind is not None and remind >= hours:
            self.say(node, "remind_hours", f"a reminder after {remind:g} of {hours:g} hours is none", "Make it earlier")
        chain = self._steps(node, "chain", CHAIN)
        if chain[-1] != "queue":
            self.say(node, "chain", "chain does not end in 'queue'", "Add it, or nobody would see what nobody answers")
        return Acceptance(
            hours=hours,
            clock=self.one_of(node, "clock", what, CLOCKS),
            chain=chain,
            remind_hours=remind,
            miss_takes_turn=self.flag(node, "miss_takes_turn", what, True),
            decline_takes_turn=self.flag(node, "decline_takes_turn", what, False),
            faster=faster,
            **self._meanwhile(node, what),
        )

    def _meanwhile(self, node: CommentedMap, what: str) -> dict[str, str]:
        """Whose an account is until somebody has accepted it: a word, or a queue."""
        if not isinstance(node.get("meanwhile"), CommentedMap):
            return {"meanwhile": self.one_of(node, "meanwhile", what, MEANWHILE)}
        named, what = self.mapping(node, "meanwhile", f"meanwhile of {what}"), f"meanwhile of {what}"
        self.keys(named, what, ("queue",))
        queue = self.owner(named, "queue", what) if "queue" in named else ""
        if queue in self.roster.reps and not self.roster.is_queue(queue):
            self.say(named, "queue", f"{what} names {self.roster.name(queue)}, who is no queue", "Name a queue")
        return {"meanwhile": "queue", "queue": queue}

    def _sla(self, node: CommentedMap) -> SlaRule:
        self.keys(node, "an SLA", ("when", "hours"))
        when = self.condition(node, "when", "an SLA") if "when" in node else ALWAYS
        return SlaRule(when, self.hours(node, "hours", "an SLA", 24, 0.005))

    def leads(self, node: CommentedMap) -> Leads:
        self.keys(node, "leads", (), ("order", "require", "inbound_activity_days", "sticky_days"))
        days = self.whole(node, "inbound_activity_days", "leads", 14)
        return Leads(self.requirements(node, "require"), days, self.whole(node, "sticky_days", "leads", 0))

    def pods(self, root: CommentedMap) -> tuple[Pod, ...]:
        ids, leads = set[str](), set[str]()
        pods = []
        for node in self.mappings(root, "pods", "pods", "a pod"):
            self.once(node, "id", "the pod", str(node.get("id")), ids)
            pods.append(self.pod(node, leads))
        return tuple(pods)
