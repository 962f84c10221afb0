"""The shipped scenarios hold, and one that does not hold says so by file and line."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from config.scenario_files import ACTIONS, EXPECTATIONS, load_scenarios
from config.settings import POLICY_DIR
from config.yaml_files import PolicyError
from tasks.scenarios import play_all

SHIPPED = Path(__file__).resolve().parents[1] / "scenarios"
DOCS = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text()
HEAD = "apiVersion: steward/v1\nkind: Scenarios\nscenarios:\n"
MAPLE = (
    '      - record: {in: hubspot, id: "77", name: Maple, country: Canada, employees: 300}\n      - run: everything\n'
)


def story(*steps: str) -> str:
    return HEAD + "  - name: a story\n    steps:\n" + "".join(steps)


def written(folder: Path, text: str) -> Path:
    path = folder / "stories.yaml"
    path.write_text(text)
    return path


def failures(folder: Path, text: str) -> tuple[str, ...]:
    (played,) = play_all(load_scenarios(written(folder, text)), POLICY_DIR)
    return played.failures


def test_every_shipped_scenario_holds() -> None:
    played = list(play_all(load_scenarios(SHIPPED), POLICY_DIR))
    assert len(played) >= 19
    assert [(each.scenario.name, each.failures) for each in played if each.failures] == []


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ("owners: {hubspot/77: jonas-keller}", "the owner of hubspot/77: expected jonas-keller, found chloe-tremblay"),
        ("owners: {hubspot/78: nobody}", "the owner of hubspot/78: expected nobody, found in no account"),
        ("shown: {hubspot/77: nobody}", "the owner the CRM shows of hubspot/77: expected nobody, found chloe-tremblay"),
        ("reasons: {hubspot/77: [named, pool]}", "the reason of hubspot/77: expected named or pool, found territory"),
        ("exceptions: {no_rule: 1}", "exceptions: expected no_rule 1, found none"),
        ("told: []", "told: expected nobody, found chloe-tremblay"),
        ("books: {chloe-tremblay: 2}", "books: expected chloe-tremblay 2, found chloe-tremblay 1"),
        ("moves: 0", "owner changes in the last run: expected 0, found 1"),
        ("writes: 0", "writes to the CRMs since the last expectation: expected 0, found 1"),
    ],
)
def test_what_does_not_hold_is_said_with_file_line_and_what_was_found(tmp_path: Path, expected: str, said: str) -> None:
    assert failures(tmp_path, story(MAPLE, f"      - expect: {{{expected}}}\n")) == (f"stories.yaml:8: {said}",)


def test_a_rep_who_may_not_accept_makes_the_scenario_fail(tmp_path: Path) -> None:
    (failure,) = failures(tmp_path, story(MAPLE, "      - accept: {account: hubspot/77, as: dana-whitfield}\n"))
    assert "dana-whitfield cannot accept 77" in failure


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
