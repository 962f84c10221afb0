"""A whole Steward on one machine: emulated vendors, Prefect server, worker and web app, all on loopback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import httpx

from cli.processes import DidNotStart, Processes
from config.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent
POOL = "steward"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports; 0 in `prefect` or `web` picks a free one."""

    prefect: int = 0
    web: int = 0


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    """Everything the demo needs, in one folder. Use as a context manager: leaving it stops what it started."""

    def __init__(
        self,
        folder: Path,
        say: Say,
        ports: Ports | None = None,
        *,
        world_size: int | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings` are STEWARD_ variables to set beside those that follow from the emulated vendors."""
        self.folder = folder.resolve()  # the processes started here run in the checkout, wherever we are
        self.say = say
        self.world_size = world_size
        ports = ports or Ports()
        self.prefect_url = f"http://127.0.0.1:{ports.prefect or free_port()}"
        self.web_url = f"http://127.0.0.1:{ports.web or free_port()}"
        self.control_url = ""
        self.environment: dict[str, str] = dict(settings or {})
        self.processes = Processes(folder / "logs", self.environment)

    def __enter__(self) -> Stack:
        # Being told to end must end what was started here too; a shell's background job ignores SIGINT by default.
        for told_to_end in (signal.SIGINT, signal.SIGTERM):
            signal.signal(told_to_end, signal.default_int_handler)
        try:
            self._start()
        except BaseException:
            self.processes.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.processes.stop()

    def settings(self) -> Settings:
        """The settings the started processes run with."""
        os.environ.update(self.environment)
        return Settings()

    def control(self, method: str, path: str, **kwargs: object) -> httpx.Response:
        """Ask the emulators' control plane: journal, edits, faults, snapshots."""
        response = httpx.request(method, self.control_url + path, timeout=30, trust_env=False, **kwargs)  # type: ignore[arg-type]
        response.raise_for_status()
        return response

    def subscribe(self, vendor: str, **options: object) -> None:
        """Let a vendor send its events to the web app."""
        order = {"vendor": vendor, "url": f"{self.web_url}/webhooks/{vendor}", **options}
        self.control("POST", "/webhooks", json=order)

    def command_line(self, command: str) -> str:
        """How to run a `steward` command against this stack, from another terminal."""
        return f"env $(cat {self.folder / 'environment'}) {Path(sys.executable).parent / command}"

    def _start(self) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)
        self.say("building the demo company's world")
        world = self._build_world()
        self.environment.update(self._prefect_environment())
        self.say("starting emulated Salesforce, HubSpot, Stripe and Slack, and the Prefect server")
        self._start_emulators(world)
        self._start_prefect()
        self.say("deploying the flows")
        self._deploy()
        self._write_environment()
        self.say("starting a worker and the web app")
        self._start_worker()
        self._start_web()
        self.subscribe("slack", url=f"{self.web_url}/slack/interactivity")

    def _write_environment(self) -> None:
        """The settings as NAME=value lines, for commands in another terminal. They hold credentials."""
        file = self.folder / "environment"
        file.touch(mode=0o600)
        lines = [f"{name}={value}" for name, value in self.environment.items() if name.startswith("STEWARD_")]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _build_world(self) -> dict[str, dict[str, str]]:
        size = ["--size", str(self.world_size)] if self.world_size else []
        out = self.folder / "world.json"
        usage = self.folder / "usage.db"
        self._run("emulators.world", "--out", str(out), "--usage-db", str(usage), *size)
        world: dict[str, dict[str, str]] = json.loads(out.read_text(encoding="utf-8"))
        return world

    def _start_emulators(self, world: dict[str, dict[str, str]]) -> None:
        ready = self.folder / "emulators.json"
        command = [sys.executable, "-m", "emulators", "--world", str(self.folder / "world.json")]
        command += ["--state-dir", str(self.folder / "emulators"), "--ready-file", str(ready)]
        self.processes.start("emulators", command, ready.exists)
        where = json.loads(ready.read_text())
        self.control_url = where["control_url"]
        salesforce, hubspot = world["salesforce"], world["hubspot"]
        self.environment.update(
            STEWARD_DATABASE_URL=f"sqlite:///{self.folder / 'steward.db'}",
            STEWARD_EGRESS_PROXY=where["gateway_url"],
            STEWARD_CA_FILE=where["ca_file"],
            STEWARD_SALESFORCE_DOMAIN=salesforce["domain"],
            STEWARD_SALESFORCE_CLIENT_ID=salesforce["client_id"],
            STEWARD_SALESFORCE_CLIENT_SECRET=salesforce["client_secret"],
            STEWARD_SALESFORCE_ORG_ID=salesforce["organization_id"],
            STEWARD_HUBSPOT_TOKEN=hubspot["token"],
            STEWARD_HUBSPOT_WEBHOOK_SECRET=hubspot["webhook_secret"],
            STEWARD_STRIPE_KEY=world["stripe"]["key"],
            STEWARD_SLACK_TOKEN=world["slack"]["token"],
            STEWARD_SLACK_SIGNING_SECRET=world["slack"]["signing_secret"],
            STEWARD_SLACK_TEAM_ID=world["slack"]["team_id"],
            STEWARD_SLACK_APP_ID=world["slack"]["app_id"],
            STEWARD_SMTP_HOST="127.0.0.1",
            STEWARD_SMTP_PORT=str(where["smtp_port"]),
            STEWARD_SMTP_SECURITY="none",
            STEWARD_SMTP_FROM="steward@northwind-data.example",
            STEWARD_USAGE_URL=f"sqlite:///{self.folder / 'usage.db'}",
            STEWARD_PUBLIC_URL=self.web_url,
            STEWARD_WEB_LOGIN="development",
            STEWARD_PREFECT_UI_URL=self.prefect_url,
        )

    def _prefect_environment(self) -> dict[str, str]:
        return {
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": f"{self.prefect_url}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PREFECT_WORKER_QUERY_SECONDS": "0.5",
            "PREFECT_CLI_PROMPT": "false",
            # A run that has to wait for another one asks again soon, and a killed run keeps its place for a minute.
            "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
            "DO_NOT_TRACK": "1",
            "STEWARD_HOME": str(CHECKOUT),
            # The deployments say "python": the worker must find the one that has Steward installed.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }

    def _start_prefect(self) -> None:
        port = self.prefect_url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
        self.processes.start("prefect-server", command, lambda: _answers(f"{self.prefect_url}/api/health"))

    def _deploy(self) -> None:
        self._run("prefect", "--no-prompt", "work-pool", "create", POOL, "--type", "process", "--overwrite")
        self._run("prefect", "--no-prompt", "deploy", "--all")

    def _start_worker(self) -> None:
        log = self.folder / "logs" / "worker.log"
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL, "--name", "local"]
        self.processes.start("worker", command, lambda: b"started" in log.read_bytes())

    def _start_web(self) -> None:
        port = self.web_url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "uvicorn", "--factory", "web.app:create_app", "--host", "127.0.0.1"]
        command += ["--port", port, "--no-access-log"]
        self.processes.start("web", command, lambda: _answers(f"{self.web_url}/health"))

    def _run(self, module: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "-m", module, *arguments],
            cwd=CHECKOUT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(f"`{module} {' '.join(arguments[:3])}` failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
