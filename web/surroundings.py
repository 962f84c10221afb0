"""What every page works with: settings, store, connectors, and the policy as its files are now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from starlette.requests import Request

from config.policy_files import LoadedPolicy, load_policy
from config.settings import Settings
from config.yaml_files import PolicyError
from connectors.registry import build_connectors, build_identity_provider
from store.engine import open_store
from tasks.context import Clock, RunContext, kept_run, utc_now
from web.access.journal import Journal
from web.changes import Changes


class Surroundings:
    """Opened once for the process. Safe to share between threads."""

    def __init__(self, settings: Settings, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.store = open_store(settings.database_url)
        self.store.migrate()
        self._read_at = self._changed()
        self._policy = load_policy(settings.policy_dir)
        self._connectors = build_connectors(settings, custom=self._policy.policy.fields)
        self.identity_provider = build_identity_provider(settings)
        self._loading = Lock()
        self.journal = Journal(self.store)
        self.changes = Changes()

    @property
    def policy(self) -> LoadedPolicy:
        """The policy as its files are now; while they have errors, as it was."""
        with self._loading:
            changed = self._changed()
            if changed != self._read_at:
                self._read_at = changed
                try:
                    self._policy = load_policy(self.settings.policy_dir)
                except PolicyError:
                    return self._policy
            return self._policy

    def reading(self) -> RunContext:
        """To look something up. Nothing may be written with it: no run would say who wrote."""
        return RunContext(self.settings, self.store, self._connectors, self.policy, clock=self.clock)

    @contextmanager
    def acting(self, actor: str, what: str) -> Iterator[RunContext]:
        """To do `what` for `actor`: everything written names a run that says so."""
        with kept_run(self.reading(), what, trigger="page", actor=actor) as context:
            yield context

    def close(self) -> None:
        self.journal.close()
        self.store.close()

    def _changed(self) -> list[tuple[Path, int]]:
        return sorted((file, file.stat().st_mtime_ns) for file in self.settings.policy_dir.glob("*.yaml"))


def surroundings_of(request: Request) -> Surroundings:
    """Those of the application that was asked."""
    here: Surroundings = request.app.state.surroundings
    return here
