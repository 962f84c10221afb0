"""The shipped scenarios hold and cover what is asked for, and one that does not hold says so by file and line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from config.policy_files import LoadedPolicy, load_policy
from config.scenario_files import ACTIONS, EXPECTATIONS, load_scenarios
from config.settings import POLICY_DIR
from config.yaml_files import PolicyError
from tasks.scenarios import play_all
from tests.policies import read_policy

SHIPPED = Path(__file__).resolve().parents[1] / "scenarios"
DOCS = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text()
HEAD = "apiVersion: steward/v1\nkind: Scenarios\nscenarios:\n"
MAPLE = (
    '      - record: {in: hubspot, id: "77", name: Maple, country: Canada, employees: 300}\n      - run: everything\n'
)

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def policies_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in files that stay as they are; a scenario's own are written for each."""

    def read(folder: Path) -> LoadedPolicy:
        return read_policy(folder) if folder == POLICY_DIR else load_policy(folder)

    monkeypatch.setattr("tasks.scenarios.load_policy", read)


def story(*steps: str) -> str:
    return HEAD + "  - name: a story\n    steps:\n" + "".join(steps)


def written(folder: Path, text: str) -> Path:
    path = folder / "stories.yaml"
    path.write_text(text)
    return path


def failures(folder: Path, text: str) -> tuple[str, ...]:
    (played,) = play_all(load_scenarios(written(folder, text)), POLICY_DIR)
    return played.failures


ROWS = {
    "model": (
        *("round-robin (weighted)", "territory", "named account", "hybrid", "pod", "usage-triggered", "account-based"),
        *("first-to-claim (deal registration)", "queue/role-owned", "lifecycle-stage ownership"),
        *("marketing-owned low-touch", "strategic/tiger-team", "partner/overlay"),
    ),
    "trigger": (
        *("account created", "account qualified", "account converted", "account imported", "CRM field change"),
        *("lead-to-account match", "usage crossing a threshold", "revenue crossing a threshold"),
        *("renewal in 90 days", "VIP without purchase in 45 days", "M&A", "capacity threshold"),
        *("territory redesign", "performance (missed SLAs)", "customer feedback", "internal escalation"),
    ),
    "gate": (
        *("segment", "region", "primary contact", "consent", "do-not-route", "compliance flags"),
        *("identity resolution", "de-duplication", "corporate hierarchy"),
    ),
    "acceptance": (
        *("rep acknowledges", "reminder", "timeout → next in line → manager → queue", "decline with reason"),
        "no limbo",
    ),
    "reassignment": (
        *("offboarding", "inactivity", "territory change with preview", "capacity rebalancing", "M&A", "disputes"),
        *("handoff protocol", "relationship history kept"),
    ),
    "knob": (
        *("inactivity days calendar or business", "inactivity pauses on approved leave", "acceptance clock"),
        *("leave pauses the time to accept", "owner during pending acceptance", "decline costs a turn"),
        *("miss costs a turn", "round-robin memory", "manual assignments use a turn"),
        *("existing-owner matches use a turn", "return from leave", "period caps", "pins against caps"),
        *("existing owner against caps", "children follow a moved parent", "deal registration against a pin"),
        *("low-confidence match", "drift against a human edit", "inbound to an owned account", "one business day"),
        "overlay counted in coverage",
    ),
    "push-back": ("tasks for the paired SDR",),
    "time": (
        *("holiday", "weekend", "DST weekend", "nobody at work within the horizon", "a rep in another time zone"),
        "caps per hour in the pool's zone",
    ),
}
"""What ownership of accounts is asked to do, list by list: each row is protected by at least one scenario."""


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_shipped_scenario_holds(file: Path) -> None:
    played = list(play_all(load_scenarios(file), POLICY_DIR))
    assert played
    assert [(each.scenario.name, each.failures) for each in played if each.failures] == []


def test_every_row_that_is_asked_for_is_protected_by_a_scenario_and_none_is_made_up() -> None:
    covered = {row for scenario in load_scenarios(SHIPPED) for row in scenario.covers}
    asked = {f"{kind}: {row}" for kind, rows in ROWS.items() for row in rows}
    assert (sorted(asked - covered), sorted(covered - asked)) == ([], [])


def test_no_two_shipped_scenarios_of_one_file_have_the_same_name() -> None:
    names = [(scenario.file, scenario.name) for scenario in load_scenarios(SHIPPED)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("owners: {hubspot/77: jonas-keller}", "the owner of hubspot/77: expected jonas-keller, found chloe-tremblay"),
        ("owners: {hubspot/78: nobody}", "the owner of hubspot/78: expected nobody, found in no account"),
        ("shown: {hubspot/77: nobody}", "the owner the CRM shows of hubspot/77: expected nobody, found chloe-tremblay"),
        ("reasons: {hubspot/77: [named, pool]}", "the reason of hubspot/77: expected named or pool, found territory"),
        ("exceptions: {no_rule: 1}", "exceptions: expected no_rule 1, found none"),
        ("told: []", "told: expected nobody, found chloe-tremblay"),
        ("told: [chloe-tremblay, dana-whitfield]", "told: expected chloe-tremblay or dana-whitfield, found"),
        ("because: {hubspot/77: named account of}", "the explanation of hubspot/77: expected named account of, found"),
        ("because: {hubspot/78: owner}", "the explanation of hubspot/78: expected owner, found in no account"),
        (
            "team: {hubspot/77: {csm: dana-whitfield}}",
            "the team of hubspot/77: expected csm dana-whitfield, found none",
        ),
        (
            "history: {hubspot/77: [dana-whitfield, chloe-tremblay]}",
            "the owners so far of hubspot/77: expected dana-whitfield, then chloe-tremblay, found chloe-tremblay",
        ),
        ("history: {hubspot/77: []}", "the owners so far of hubspot/77: expected nobody, found chloe-tremblay"),
        ("notices: {dana-whitfield: now}", "what dana-whitfield was told: expected 'now' in it, found 'nothing'"),
        ("never_told: {chloe-tremblay: You now own}", "what chloe-tremblay was told: expected 'You now own' not in it"),
        ("next: {dach-mid-market: nobody}", "next in turn: expected dach-mid-market nobody, found dach-mid-market"),
        ("next: {dach: nobody}", "next in turn: expected dach nobody, found dach no such pool"),
        ("books: {chloe-tremblay: 2}", "books: expected chloe-tremblay 2, found chloe-tremblay 1"),
        ("moves: 0", "owner changes in the last run: expected 0, found 1"),
        ("writes: 0", "writes to the CRMs since the last expectation: expected 0, found 1"),
    ],
)
def test_what_does_not_hold_is_said_with_file_line_and_what_was_found(tmp_path: Path, expected: str, said: str) -> None:
    (failure,) = failures(tmp_path, story(MAPLE, f"      - expect: {{{expected}}}\n"))
    assert failure.startswith(f"stories.yaml:8: {said}")


def test_owners_so_far_are_compared_in_their_order_and_a_list_is_no_choice(tmp_path: Path) -> None:
    moved = "      - decline: {account: hubspot/77, as: chloe-tremblay}\n"
    seen = "      - expect: {history: {hubspot/77: [chloe-tremblay, dana-whitfield]}}\n"
    (failure,) = failures(tmp_path, story(MAPLE, moved, seen.replace("chloe-tremblay, dana", "nobody, dana")))
    assert failure.startswith("stories.yaml:9: the owners so far of hubspot/77: expected nobody, then dana-whitfield")
    assert "found chloe-tremblay, then " in failure


def test_books_hold_accounts_and_no_leads(tmp_path: Path) -> None:
    lead = '      - lead: {in: hubspot, id: "501", name: Pat, email: pat@maple.example, country: Canada}\n'
    assert failures(tmp_path, story(lead, MAPLE, "      - expect: {books: {chloe-tremblay: 1}}\n")) == ()


def test_a_record_that_was_deleted_everywhere_is_in_no_account(tmp_path: Path) -> None:
    gone = '      - delete: {in: hubspot, id: "77"}\n      - run: everything\n'
    (failure,) = failures(tmp_path, story(MAPLE, gone, "      - expect: {owners: {hubspot/77: nobody}}\n"))
    assert failure == "stories.yaml:10: the owner of hubspot/77: expected nobody, found in no account"


def test_an_import_makes_as_many_records_as_it_says_each_with_its_own_id_and_name(tmp_path: Path) -> None:
    many = "      - import: {in: hubspot, id: new-, count: 3, name: Ahorn, country: Canada, employees: 300}\n"
    seen = "      - expect: {owners: {hubspot/new-3: chloe-tremblay}, books: {chloe-tremblay: 3}, moves: 3}\n"
    assert failures(tmp_path, story(many, "      - run: everything\n", seen)) == ()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            'wait: "2026-11-23T08:00:00Z"',
            "waiting until 2026-11-23T08:00:00Z is impossible: it is 2026-11-23 09:00 UTC",
        ),
        ('delete: {in: hubspot, id: "78"}', "hubspot/78 cannot be deleted: it is not there"),
        (
            "accept: {account: hubspot/78, as: dana-whitfield}",
            "dana-whitfield cannot accept hubspot/78: it waits for no",
        ),
        ("decline: {account: stripe/x, as: dana-whitfield}", "dana-whitfield cannot decline stripe/x: it waits for no"),
        (
            "decline: {account: hubspot/77, as: dana-whitfield}",
            "dana-whitfield cannot decline hubspot/77: it is offered",
        ),
        ('record: {in: hubspot, id: "77", contry: US}', "hubspot/77 cannot have a 'contry' (did you mean 'country'?)"),
        (
            'lead: {in: hubspot, id: "501", employes: 5}',
            "hubspot/501 cannot have a 'employes' (did you mean 'employees'",
        ),
        ("rerun: atlantis", "no territory 'atlantis' in the policy"),
        ("preview: atlantis", "no territory 'atlantis' in the policy"),
        (
            "change_policy: {named: [{domain: maple.example, owner: nobody-at-all}]}",
            "the changed policy does not load: ",
        ),
        ("change_roster: {chloe-tremblay: {manager: nobody-at-all}}", "the changed roster does not load: "),
    ],
)
def test_a_step_that_cannot_be_done_is_said_with_file_and_line_and_the_story_goes_on(
    tmp_path: Path, step: str, said: str
) -> None:
    goes_on = "      - expect: {owners: {hubspot/77: chloe-tremblay}}\n"
    (failure,) = failures(tmp_path, story(MAPLE, f"      - {step}\n", goes_on))
    assert failure.startswith(f"stories.yaml:8: {said}")


def test_a_change_that_does_not_load_leaves_the_policy_as_it_was(tmp_path: Path) -> None:
    broken = "      - change_policy: {territories: null, pools: none}\n"
    more = MAPLE.replace("77", "78").replace("Maple", "Ahorn")
    found = failures(tmp_path, story(MAPLE, broken, more, "      - expect: {books: {chloe-tremblay: 2}}\n"))
    assert len(found) == 1


def test_a_rep_who_may_not_accept_makes_the_scenario_fail(tmp_path: Path) -> None:
    (failure,) = failures(tmp_path, story(MAPLE, "      - accept: {account: hubspot/77, as: dana-whitfield}\n"))
    assert "dana-whitfield cannot accept hubspot/77: it is offered to Chloe Tremblay" in failure


def test_a_policy_written_out_in_the_file_stands_in_for_the_configured_one(tmp_path: Path) -> None:
    policy = (
        "policy:\n  apiVersion: steward/v1\n  kind: Policy\n  name: All to Dana\n"
        "  territories: [{id: world, owner: dana-whitfield}]\n"
    )
    text = story(MAPLE, "      - expect: {owners: {hubspot/77: dana-whitfield}}\n").replace(
        "scenarios:\n", policy + "scenarios:\n", 1
    )
    assert failures(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (story("      - runn: assign\n"), "stories.yaml:6: there is no action 'runn' (did you mean 'run'?)."),
        (story("      - run: asign\n"), "stories.yaml:6: run is 'asign' (did you mean 'assign'?)."),
        (story("      - wait: soon\n"), "stories.yaml:6: wait is 'soon'."),
        (story("      - record: {in: salesforce}\n"), "stories.yaml:6: record has no 'id'."),
        (story("      - record: {in: salesforce, id: 77}\n"), "stories.yaml:6: id of record is 77, not text."),
        (story("      - delete: {in: pipedrive, id: x}\n"), "stories.yaml:6: in is 'pipedrive'."),
        (story("      - expect: {owner: {}}\n"), "stories.yaml:6: nothing can be expected of 'owner' (did you mean"),
        (story("      - expect: {owners: nobody}\n"), "stories.yaml:6: what is expected of owners is not a mapping."),
        (story("      - expect: {told: ann}\n"), "stories.yaml:6: what is expected of told is not a list."),
        (story("      - expect: {moves: none}\n"), "stories.yaml:6: moves of expect is 'none'."),
        (story("      - import: {in: hubspot, id: new-}\n"), "stories.yaml:6: count of import is 0."),
        (
            story("      - run: assign\n") + "    covers: [model: pod]\n",
            "stories.yaml:7: covers of 'a story' holds {'model': 'pod'}, not text.",
        ),
        (story("      - {run: assign, wait: 2d}\n"), "stories.yaml:6: a step does 2 things."),
        (HEAD + "  - name: a story\n", "stories.yaml:4: a scenario has no 'steps'."),
        (HEAD.replace("Scenarios", "Policy"), "stories.yaml:2: kind is 'Policy'."),
    ],
)
def test_a_mistake_in_a_scenario_file_is_named_by_line_before_anything_is_played(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        load_scenarios(written(tmp_path, text))
    assert any(problem.startswith(said) for problem in caught.value.problems), caught.value.problems


def test_the_command_counts_what_holds_and_ends_with_one_when_something_does_not(tmp_path: Path) -> None:
    good = story(MAPLE, "      - expect: {moves: 1}\n")
    path = written(tmp_path, good + good.removeprefix(HEAD).replace("moves: 1", "moves: 7"))
    result = CliRunner().invoke(main, ["test", str(path), "--policy", str(POLICY_DIR)])
    assert result.exit_code == 1
    assert "✓ a story" in result.output
    assert "✗ a story\n    stories.yaml:13: owner changes in the last run: expected 7, found 1" in result.output
    assert "1 of 2 scenarios hold" in result.output


def test_the_guide_names_every_action_and_expectation() -> None:
    assert all(f"\n| `{action}` |" in DOCS for action in ACTIONS)
    assert all(f"\n| `{expectation}` |" in DOCS for expectation in EXPECTATIONS)
