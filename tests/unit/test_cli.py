"""The `steward` command as people meet it: what goes wrong ends in one message with the mend, never in a traceback."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from config.policy_files import load_policy
from config.settings import POLICY_DIR
from store.engine import open_store
from tasks.context import utc_now
from tests.store.business import know, owned_by, record

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy of its own and a database to be; no vendor is connected."""
    shutil.copytree(POLICY_DIR, tmp_path / "policy")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEWARD_POLICY_DIR", str(tmp_path / "policy"))
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{tmp_path}/steward.db")
    return tmp_path


def steward(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def said_in_one_line(result: Result) -> str:
    """What was said to the user, after checking that it is an orderly end."""
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    confirmed = ("policy    ok", "database  ok")
    told = [line for line in result.output.splitlines() if not line.startswith(confirmed)]
    assert told[0].startswith("steward: ")
    return "\n".join(told)


def test_a_sound_set_up_is_confirmed_part_by_part(bench: Path) -> None:
    result = steward("check")
    assert result.exit_code == 0, result.output
    assert "policy    ok" in result.output
    assert "database  ok" in result.output


def test_a_broken_policy_is_refused_with_file_and_line(bench: Path) -> None:
    policy = bench / "policy" / "policy.yaml"
    policy.write_text(policy.read_text().replace("pool: ent-amer", "pool: ent-amre"))
    line = next(n for n, text in enumerate(policy.read_text().splitlines(), 1) if "pool: ent-amre" in text)
    for command in (["policy"], ["check"], ["why", "visa.com"]):
        said = said_in_one_line(steward(*command))
        assert f"policy.yaml:{line}: " in said
        assert "did you mean 'ent-amer'?" in said


def test_a_database_that_cannot_be_written_says_what_to_mend(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench / "a-file").write_text("")
    monkeypatch.setenv("STEWARD_DATABASE_URL", f"sqlite:///{bench}/a-file/steward.db")
    assert "STEWARD_DATABASE_URL" in said_in_one_line(steward("db", "upgrade"))


def test_a_database_server_out_of_reach_says_so(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    said = said_in_one_line(steward("check"))
    assert "STEWARD_DATABASE_URL" in said
    assert "secret" not in said


def test_half_a_credential_names_the_missing_half(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_SALESFORCE_DOMAIN", "acme.my")
    assert "Set STEWARD_SALESFORCE_CLIENT_ID and STEWARD_SALESFORCE_CLIENT_SECRET" in said_in_one_line(steward("check"))


def test_a_vendor_out_of_reach_is_named_with_what_to_check(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_STRIPE_KEY", "sk_test_x")
    monkeypatch.setenv("STEWARD_EGRESS_PROXY", "http://127.0.0.1:1")
    said = said_in_one_line(steward("check"))
    assert "stripe: cannot be reached" in said
    assert "STEWARD_EGRESS_PROXY" in said


def test_a_setting_of_the_wrong_kind_is_named(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEWARD_PUSH_LEASE_S", "soon")
    assert "STEWARD_PUSH_LEASE_S: Input should be a valid number" in said_in_one_line(steward("check"))


def test_an_account_nobody_knows_is_said_to_be_unknown(bench: Path) -> None:
    result = steward("why", "nowhere.example")
    assert result.exit_code == 0
    assert "No account is called or known as 'nowhere.example'" in result.output


def test_with_nothing_decided_nothing_needs_a_person_and_the_ledger_verifies(bench: Path) -> None:
    assert "Nothing needs a person." in steward("exceptions").output
    assert "ledger ok" in steward("verify").output


def test_drift_is_listed_and_what_cannot_be_settled_says_why(bench: Path) -> None:
    listed = steward("drift")
    assert (listed.exit_code, listed.output) == (0, "No system has shown an owner that others wrote.\n")
    said = said_in_one_line(steward("drift", "release", "salesforce", "--because", "a test"))
    assert "no system 'salesforce' is connected; there are: none" in said
    for arguments in ((), ("salesforce/001", "--changed-by", "salesforce/005")):
        result = steward("drift", "restore", *arguments, "--because", "a test")
        assert result.exit_code == 2
        assert "Name a RECORD as system/id, or --changed-by a user." in result.output


def test_a_token_is_printed_once_listed_without_its_secret_and_revoked(bench: Path) -> None:
    made = steward("token", "create", "nightly report", "--role", "ops")
    text = made.stdout.strip()
    assert (made.exit_code, text.startswith("stw_"), "only time" in made.stderr) == (0, True, True)
    _, token_id, secret = text.split("_", 2)
    listed = steward("token", "list").output
    assert ("nightly report" in listed, token_id in listed, secret in listed) == (True, True, False)
    assert "nightly report is revoked" in steward("token", "revoke", token_id).output
    assert "revoked, until" in steward("token", "list").output
    assert "name them with --as" in said_in_one_line(steward("token", "create", "x", "--role", "rep"))


def test_a_way_out_is_taken_by_command_and_what_may_not_be_is_said_in_one_line(bench: Path) -> None:
    store = open_store(f"sqlite:///{bench}/steward.db")
    store.migrate()
    store.run(
        lambda uow: uow.exceptions.open("bad_record", "k", None, {"problem": "no name"}, "warning", "r", utc_now())
    )
    (item,) = store.run(lambda uow: uow.exceptions.open_items())
    take = ("resolve", item.exception_id, "explain", "--as", "ops:jo@x.example")
    assert "No reason is given" in said_in_one_line(steward(*take))
    assert "is nobody on the roster" in said_in_one_line(steward(*take[:-1], "jo", "--reason", "x"))
    assert steward(*take, "--reason", "a test row").output.strip() == "It is closed, and stays so."
    assert "closed already, by jo@x.example: Explain away: a test row" in said_in_one_line(steward(*take))
    assert "Nothing needs a person." in steward("exceptions").output
    store.close()


@pytest.fixture
def in_the_queue(bench: Path) -> Path:
    """Acme was offered to Jonas and then to Sabine, and nobody accepted it."""
    store, now = open_store(f"sqlite:///{bench}/steward.db"), utc_now()
    store.migrate()
    know(store, "acme")
    for level, rep in enumerate(("jonas-keller", "sabine-hartmann")):
        asked = owned_by("acme", rep, offer_due_by=now, pushes=(), escalation_level=level)
        record(store, asked, run=f"run-{level}", now=now + timedelta(minutes=level))
        with store.transaction() as uow:
            uow.offers.answer_many([offer.offer_id for offer in uow.offers.due(now)], "expired", "steward", now)
    with store.transaction() as uow:
        uow.exceptions.open("unaccepted", "unaccepted:acme", "acme", {}, "warning", "run-1", now)
    store.close()
    return bench


def take(*arguments: str) -> Result:
    return steward("take", "Name of acme", "--as", *arguments)


def test_what_nobody_accepted_is_taken_by_who_was_asked(in_the_queue: Path) -> None:
    result = take("jonas-keller")
    assert (result.exit_code, result.output) == (0, "Name of acme is taken for Jonas Keller.\n")
    store = open_store(f"sqlite:///{in_the_queue}/steward.db")
    with store.transaction(readonly=True) as uow:
        assert uow.ledger.current(["acme"])["acme"].owner_id == "jonas-keller"
        (run,) = (run for run in uow.runs.recent() if run.flow == "take-offer")
        row = uow.ledger.history("acme")[-1]
    store.close()
    assert (run.trigger, run.actor, run.state) == ("command", "jonas-keller", "completed")
    assert row.run_id == run.run_id, "the change says which run made it"
    assert "is not in the queue; `steward why` says whose it is" in said_in_one_line(take("sabine-hartmann"))


def test_a_manager_takes_it_for_whom_they_say(in_the_queue: Path) -> None:
    manager = str(load_policy(POLICY_DIR).roster.manager_of("jonas-keller"))
    said = said_in_one_line(take(manager))
    assert said.endswith("say for whom with --for: sabine-hartmann, jonas-keller")
    assert "Dana Whitfield was not asked" in said_in_one_line(take(manager, "--for", "dana-whitfield"))
    assert "is taken for Jonas Keller" in take(manager, "--for", "jonas-keller").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("acme", "--as", "dana-whitfield"),
            "Dana Whitfield was not asked to accept Name of acme, nor manages who was",
        ),
        (("acme", "--as", "dana-whitfield", "--for", "jonas-keller"), "only they or their manager"),
        (("acme", "--as", "nobody-such"), "nobody-such was not asked"),
        (("nothing-such", "--as", "jonas-keller"), "No account is called or known as 'nothing-such'"),
    ],
)
def test_what_cannot_be_taken_says_why_and_changes_nothing(
    in_the_queue: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert said in said_in_one_line(steward("take", *arguments))
    assert "is taken for Jonas Keller" in take("jonas-keller").output
