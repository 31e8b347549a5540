"""Provisioned concurrency of a stage: the traffic goes to a published version, whose environments stand ready."""

from pathlib import Path
from typing import Any

from infra import steps
from tests.deploy.emulator import STANDING_READY, emulator
from tests.deploy.stage import Stage, stage

NAME, ALIAS = "quartermaster-dev", "provisioned-concurrency"


def test_environments_stand_ready_where_a_stage_asks_for_them_and_nowhere_else(tmp_path: Path) -> None:
    """One story, since Zappa takes its time."""
    with emulator() as aws, stage(aws, tmp_path) as dev:
        steps.stacks(dev.deployment())
        steps.package(dev.deployment())
        for kind in ("migrate", "worker"):
            dev.make_function(f"{NAME}-{kind}")
        client = dev.client("lambda")
        with dev.set(provisioned_concurrency=3):
            dev.release_api()
            published = serving(dev)
            assert {published["FunctionArn"]: 3} == STANDING_READY, "those of the version before have gone"
            assert called(dev).endswith(f":{NAME}:{ALIAS}")
            variables = published["Environment"]["Variables"]
            assert variables["PUBLIC_URL"] == dev.deployment().api_address, "a version keeps what it is published with"

        dev.release_api()
        assert STANDING_READY == {}, "nothing costs by the hour that no traffic goes to"
        assert called(dev).endswith(f":{NAME}")
        assert len(kept_warm(dev)) == 1

        forgotten = {"Variables": {**variables, "FORGOTTEN": "yes"}}
        client.update_function_configuration(FunctionName=NAME, Environment=forgotten)
        with dev.set(provisioned_concurrency=3):
            dev.release_api()
            assert serving(dev)["Version"] > published["Version"]
            assert serving(dev)["Environment"]["Variables"] == variables
            assert kept_warm(dev) == []


def serving(dev: Stage) -> Any:
    """The version that has the traffic."""
    client = dev.client("lambda")
    version = client.get_alias(FunctionName=NAME, Name=ALIAS)["FunctionVersion"]
    return client.get_function_configuration(FunctionName=NAME, Qualifier=version)


def called(dev: Stage) -> str:
    """By the HTTP API."""
    client = dev.client("apigatewayv2")
    [api] = client.get_apis()["Items"]
    [found] = client.get_integrations(ApiId=api["ApiId"])["Items"]
    return str(found["IntegrationUri"])


def kept_warm(dev: Stage) -> list[str]:
    return [rule["Name"] for rule in dev.client("events").list_rules()["Rules"] if "keep-warm" in rule["Name"]]
