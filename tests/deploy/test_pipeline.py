"""The pipeline: what it runs is there, what it waits for, and what it may."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.__main__ import parsed
from infra.stacks import STAGES
from scripts.audit import OURS, audits
from tests.deploy.cloudformation import Rendered

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS: dict[str, Any] = {path.name: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))}
JOBS = WORKFLOWS["pipeline.yml"]["jobs"]
STEPS = [step for workflow in WORKFLOWS.values() for job in workflow["jobs"].values() for step in job.get("steps", [])]
RELEASES = {name: job for name, job in JOBS.items() if "uses" in job}


def begun_by(workflow: dict[Any, Any]) -> dict[str, Any]:
    """YAML takes `on` for true."""
    found: dict[str, Any] = workflow[True]
    return found


def test_every_step_is_a_command_of_ours_or_an_action_by_its_hash() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for step in STEPS:
        if "uses" in step:
            assert re.fullmatch(r"(actions|aws-actions)/[\w-]+@[0-9a-f]{40}", step["uses"]), "a version may become another"
            continue
        assert set(re.findall(r"\bmake ([\w-]+)", step["run"])) <= targets
        if step["run"].startswith(".ci/"):
            assert (ROOT / step["run"]).stat().st_mode & 0o111


def test_the_version_stands_beside_each_hash() -> None:
    used = re.findall(r"uses: (\S+@\S+)(.*)", "".join(path.read_text() for path in FOLDER.glob("*.yml")))
    assert used
    assert [action for action, beside in used if not re.fullmatch(r" # v\d+\.\d+\.\d+", beside)] == []


def test_nothing_is_released_untested() -> None:
    """001-117, 002-122: tests and scans, then the package, then a stage."""
    assert set(JOBS["package"]["needs"]) == {"test", "audit"}
    assert RELEASES.keys() == {"dev", "chosen", "production"}
    for job in RELEASES.values():
        assert job["needs"] == "package"
        assert job["uses"] == "./.github/workflows/deploy.yml"
    assert "pull_request" in begun_by(WORKFLOWS["pipeline.yml"])
    assert "pull_request_target" not in begun_by(WORKFLOWS["pipeline.yml"]), "code of strangers with rights of ours"


def test_a_stage_is_an_environment_that_asks_for_approval() -> None:
    [deploy] = WORKFLOWS["deploy.yml"]["jobs"].values()
    assert deploy["environment"] == "${{ inputs.stage }}"
    asked = {job["with"]["stage"] for job in RELEASES.values()}
    choice = begun_by(WORKFLOWS["pipeline.yml"])["workflow_dispatch"]["inputs"]["stage"]["options"]
    assert {*choice, *asked} - {"${{ inputs.stage }}"} == set(STAGES)
    assert WORKFLOWS["deploy.yml"]["concurrency"]["cancel-in-progress"] is False, "a release that began is not broken off"


@pytest.mark.parametrize("stage", STAGES)
def test_a_release_is_the_deploy_command_from_its_settings_on(stage: str) -> None:
    [command] = [step["run"] for step in STEPS if "make deploy" in step.get("run", "")]
    shown = subprocess.run(
        ["sh", "-c", command.replace("make ", "make -n --no-print-directory ")],
        check=True, cwd=ROOT, env={**os.environ, "STAGE": stage}, capture_output=True, text=True,
    ).stdout  # fmt: skip
    words = shlex.split(shown.splitlines()[-1])
    options = parsed(words[words.index("infra") + 1 :])
    assert (options.verb, options.stage, options.first, options.without_stacks) == ("deploy", stage, "settings", True)


def test_rights_are_few() -> None:
    """A token for AWS where a stage is changed, and nowhere else."""
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"]["contents"] == "read"
    assert "id-token" not in WORKFLOWS["pipeline.yml"]["permissions"]
    assert [name for name, job in JOBS.items() if "id-token" in job.get("permissions", {})] == list(RELEASES)
    assert "secrets." not in "".join(path.read_text() for path in FOLDER.glob("*.yml")), "no key is stored"


def test_aws_lets_in_what_runs_in_the_environment_of_the_stage() -> None:
    [step] = [step for step in STEPS if "role-to-assume" in step.get("with", {})]
    role = step["with"]["role-to-assume"].rpartition("role/")[2]
    for stage in STAGES:
        made = Rendered("deployer", stage, DeployRepository="acme/quartermaster").at("DeployRole")
        assert made["RoleName"] == role.replace("${{ inputs.stage }}", stage)
        [by_pipeline] = [one for one in made["AssumeRolePolicyDocument"]["Statement"] if "WebIdentity" in one["Action"]]
        [conditions] = by_pipeline["Condition"].values()
        assert {name.rpartition(":")[2]: value for name, value in conditions.items()} == {
            "aud": "sts.amazonaws.com", "sub": f"repo:acme/quartermaster:environment:{stage}",
        }
        nobody = Rendered("deployer", stage).at("DeployRole")["AssumeRolePolicyDocument"]["Statement"]
        assert [one["Action"] for one in nobody] == ["sts:AssumeRole"], "without a repository no pipeline is let in"


def test_all_locks_and_all_code_are_audited() -> None:
    """001-116."""
    commands = [" ".join(command) for command in audits().values()]
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert [command for command in commands if command.endswith(str(lock)) and "--strict" in command]
    product = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert product <= set(OURS)
    assert all((ROOT / name).exists() for name in OURS)
