"""Two people who deploy a stage at the same time."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra import steps
from infra.__main__ import main
from infra.aws import Aws, Refused
from infra.locking import KEY, held
from tests.deploy.emulator import REGION, emulator
from tests.deploy.stage import stage

BUCKET = "packages"
ELSEWHERE = f"""
from infra.aws import Aws
from infra.locking import held
with held(Aws("{REGION}"), "{BUCKET}", "dev", "deploys v1"):
    print("busy", flush=True)
    input()
"""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    with emulator() as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        account = Aws(REGION)
        account.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield account


@contextmanager
def somebody_else() -> Iterator["subprocess.Popen[str]"]:
    """A process that is busy with the stage."""
    process = subprocess.Popen([sys.executable, "-c", ELSEWHERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        try:
            assert process.stdout.readline() == "busy\n"
            yield process
        finally:
            process.kill()


def mine(aws: Aws, *, broken: bool = False) -> None:
    with held(aws, BUCKET, "dev", "rolls back", broken=broken):
        pass


def test_the_second_one_is_refused_and_told_of_the_first(aws: Aws) -> None:
    with somebody_else() as process:
        with pytest.raises(Refused, match=r"is busy with dev since 20.* UTC \(deploys v1\): wait .*=--break-lock"):
            mine(aws)
        process.communicate("done\n", timeout=120)
    assert process.returncode == 0
    mine(aws)
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET), "nothing is left of it"


def test_the_lock_of_a_process_that_was_killed_is_broken_by_its_operator(aws: Aws) -> None:
    with somebody_else() as process:
        process.kill()
    with pytest.raises(Refused):
        mine(aws)
    mine(aws, broken=True)
    mine(aws)


def test_who_was_taken_for_gone_leaves_the_other_one_alone(aws: Aws) -> None:
    with somebody_else() as process, held(aws, BUCKET, "dev", "deploys v2", broken=True):
        process.communicate("done\n", timeout=120)
        assert aws.client("s3").head_object(Bucket=BUCKET, Key=KEY), "still locked, by the second one"


def test_a_lock_that_is_there_no_more_is_broken_by_nobody(aws: Aws) -> None:
    mine(aws, broken=True)
    assert "Contents" not in aws.client("s3").list_objects_v2(Bucket=BUCKET)


def test_every_verb_that_changes_a_stage_is_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("infra.__main__.WORK", tmp_path)
    monkeypatch.setattr("infra.releasing._target", lambda *_: "a release")
    with emulator() as found, stage(found, tmp_path) as dev:
        steps.stacks(dev.deployment())
        with held(dev.aws, dev.deployment().output("PackagesBucket"), "dev", "deploys v1"):
            for verb, option in (("deploy", ["--from", "settings"]), ("rollback", []), ("undeploy", ["--yes"])):
                assert main([verb, "--stage", "dev", *option]) == 2
                assert "is busy with dev since" in capsys.readouterr().err
        assert dev.client("lambda").list_functions()["Functions"] == [], "and nothing was done"
