"""The first thing a newcomer runs: every claim it prints is checked by it, so that it has to end well."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 1800  # on a slow machine it takes ten minutes; this ends what hangs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(LIMIT_S + 60)]

CLAIMS = (
    "nothing is left waiting in the outbox",
    "with exactly one owner of record",
    "salesforce itself shows the ledger's owner",
    "hubspot itself shows the ledger's owner",
    "0 owner changes",
    "0 vendor writes",
    "the edit started the run 'hubspot: 1 changed'",
    "HubSpot shows the same",
    "missed it; the flow escalate-unaccepted closed the offer",
    "is asked next, and owns it provisionally",
    "late answer is refused",
    "nothing was written",
)


def test_the_demo_ends_well_and_stops_what_it_started(tmp_path: Path) -> None:
    before = others()
    code, said = run_demo(tmp_path, within_s=LIMIT_S)
    assert code == 0, said[-3000:]
    assert [claim for claim in CLAIMS if claim not in said] == []
    assert "Traceback" not in said
    assert others() <= before


def run_demo(folder: Path, within_s: float) -> tuple[int, str]:
    """The demo's exit code and what it said; one that takes too long is asked to end, so that it ends its servers."""
    command = [Path(sys.executable).parent / "steward", "demo"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as demo:
        try:
            said, _ = demo.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            demo.terminate()
            said, _ = demo.communicate()
        return demo.returncode, said


def others() -> set[str]:
    """Processes that run something of a demo's folder."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if b".steward/demo" in environment:
                found.add(folder.name)
    return found
