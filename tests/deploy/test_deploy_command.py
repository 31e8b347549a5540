"""What the deploy command says before it does anything, and where it stops."""

import io
import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra import callbacks, functions, releasing, smoke, stacking, steps
from infra.__main__ import main
from infra.aws import Failed, Refused
from infra.stacks import BEFORE_RELEASE, Stack
from tests.deploy.emulator import emulator
from tests.deploy.stage import Stage, answering, stage


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Stage]:
    with emulator() as aws, stage(aws, tmp_path) as found:
        yield found


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return monkeypatch


def test_the_plan_needs_no_account(no_account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--stage", "production", "--dry-run"]) == 0
    said = capsys.readouterr().out
    order = ["quartermaster-production-network", "zappa deploy or update production_migrate", "migrations as their owner",
             "zappa deploy or update production_worker", "zappa deploy or update production:", "Nothing has been done."]
    assert sorted(order, key=said.index) == order, "migrations run before new code takes traffic"


@pytest.mark.parametrize("verb", ["deploy", "rollback", "undeploy"])
def test_without_credentials_nothing_begins(verb: str, no_account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--stage", "dev"]) == 2
    assert "There are no AWS credentials" in (said := capsys.readouterr().err) and "set AWS_PROFILE" in said


def test_a_profile_that_there_is_not(no_account: Any, capsys: pytest.CaptureFixture[str]) -> None:
    no_account.setenv("AWS_PROFILE", "nobody")
    assert main(["deploy", "--stage", "dev"]) == 2
    assert "profile (nobody) could not be found" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [
    ["--stage", "test"], ["--stage", "dev", "--from", "lunch"], ["--stage", "dev", "--with", "x"], [],
])
def test_what_does_not_exist_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["deploy", *arguments])
    assert ended.value.code == 2


def test_a_step_whose_ground_is_missing(dev: Stage) -> None:
    for first, missing in (("settings", "json asks for"), ("package", "no PackagesBucket yet"), ("api", "begin at")):
        with pytest.raises(Refused, match=missing):
            dev.deploy("one", first=first)


def test_a_new_account_may_run_ten_functions_at_once(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = '{"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}'
    monkeypatch.setattr("moto.awslambda.responses.LambdaResponse.get_account_settings", lambda self: limit)
    with pytest.raises(Refused, match=r"reserve 26 executions .* only 10 are free: ask AWS for more"):
        dev.deploy("one")
    assert dev.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_function_does_not_change_what_it_runs_on(dev: Stage) -> None:
    dev.make_function("quartermaster-dev-worker", architecture="x86_64")
    with pytest.raises(Refused, match=r"runs on x86_64 and zappa_settings.json says arm64: run `make undeploy STAGE=dev`"):
        dev.deploy("one")


def test_stacks_are_made_once_and_changed_where_they_differ(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    [storage] = [stack for stack in BEFORE_RELEASE if stack.template == "storage"]
    known = {"KeyArn": "key"}
    assert stacking.make(dev.aws, storage, "dev", known) == "created"
    monkeypatch.delenv("ALLOWED_ORIGIN")
    stacking.make(dev.aws, storage, "dev", known)
    assert stacking.outputs(dev.aws, "dev")["AllowedOrigin"] == "https://app.example.com", "what was said once stays"
    monkeypatch.setenv("ALLOWED_ORIGIN", "https://other.example.com")
    assert stacking.make(dev.aws, storage, "dev", known) == "updated"
    assert stacking.outputs(dev.aws, "dev")["AllowedOrigin"] == "https://other.example.com"


def test_a_stack_that_aws_does_not_take(dev: Stage) -> None:
    template = {"Parameters": {"Missing": {"Type": "String"}}, "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    (stacking.TEMPLATES / "broken.yml").write_text(json.dumps(template))
    with pytest.raises(Failed, match=r"CloudFormation does not take the stack quartermaster-dev-broken: .*Missing"):
        stacking.make(dev.aws, Stack("broken"), "dev", {})


def test_a_stage_that_does_not_answer_is_rolled_back_by_its_operator(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PAUSE", 0)
    unwell = {"/healthz": 200, "/readyz": 503}
    with answering(unwell) as address, pytest.raises(Failed, match="/readyz answers 503 instead of 200"):
        list(smoke.check(address))
    monkeypatch.setattr(smoke, "ASKED", (("/elsewhere", 200),))
    with pytest.raises(Failed, match=r"answers 404 .*\n.*make rollback STAGE=dev\n.*make deploy STAGE=dev FROM=smoke"):
        dev.deploy("one", first="smoke")


def test_what_a_function_says_when_it_fails(dev: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> tuple[int, dict[str, str], str]:
        return 200, {"x-amz-function-error": "Unhandled", "x-amz-log-result": "bG9jayB0aW1lb3V0"}, '{"errorMessage": "no"}'

    monkeypatch.setattr("moto.awslambda.responses.LambdaResponse.invoke", fails)
    with pytest.raises(Failed, match=r"quartermaster-dev-migrate failed with migrate: no\nlock timeout"):
        functions.invoke(dev.aws, "quartermaster-dev-migrate", {"manage": "migrate"})


def test_a_command_of_the_operator(dev: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    founding = Namespace(command=["create_organization", "acme", "--name", "Acme Supplies", "--password-stdin"])
    with pytest.raises(Refused, match="There is no quartermaster-dev-migrate: deploy dev first"):
        releasing.manage(dev.deployment(), founding)
    dev.make_function("quartermaster-dev-migrate")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse 9\n"))
    releasing.manage(dev.deployment(), founding)
    assert capsys.readouterr().out == "Made it."
    [(function, event)] = dev.emulator.invoked
    assert function == "quartermaster-dev-migrate"
    assert event["manage"] == "create_organization acme --name 'Acme Supplies' --password-stdin"
    assert event["stdin"] == "correct horse 9\n"


@pytest.mark.parametrize(("event", "complaint"), [
    ({"event_source": {"arn": "arn:aws:sqs:eu-west-1:123456789012:jobs"}}, "does not get the messages of .*:jobs"),
    ({"expression": "rate(1 minute)"}, "has no schedule for notifications.aws.clock"),
])
def test_what_zappa_failed_at_without_a_word_is_told(
    event: Any, complaint: str, dev: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    dev.make_function("quartermaster-dev-worker")
    path = tmp_path / "settings.json"
    events = [{"function": "notifications.aws.clock", **event}]
    path.write_text(json.dumps({"dev_worker": {"aws_environment_variables": {}, "tags": {}, "events": events}}))
    cli = SimpleNamespace(
        vargs={"settings_file": str(path)}, api_stage="dev_worker", lambda_name="quartermaster-dev-worker", use_apigateway=False,
        zappa=SimpleNamespace(boto_session=dev.aws),
    )
    with pytest.raises(callbacks.Incomplete, match=complaint):
        callbacks.complete(cli)


def test_nobody_undeploys_by_accident(dev: Stage) -> None:
    with pytest.raises(Refused, match="say --yes"):
        releasing.undeploy(dev.deployment(), Namespace(yes=False, dry_run=False, with_stacks=True, break_lock=False))


def test_a_release_has_the_name_of_its_commit() -> None:
    assert steps.release_name()
