"""The Lambda functions of a stage, by way of Zappa's own command line."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.aws import PATIENT, Aws, Failed, Refused, is_absent
from infra.callbacks import set_environment
from infra.settings import API, STANDING_READY, VARIABLES, function_name, of_stage

ROOT = Path(__file__).resolve().parents[1]


def live(aws: Aws, name: str) -> dict[str, Any] | None:
    """The function's configuration."""
    try:
        return dict(aws.client("lambda").get_function_configuration(FunctionName=name))
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def api_id(aws: Aws, stage: str) -> str | None:
    """Of the HTTP API, whose stack is Zappa's."""
    try:
        found = aws.client("cloudformation").describe_stack_resource(
            StackName=function_name(stage, API), LogicalResourceId="ApiV2"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def check_architecture(aws: Aws, stage: str, kind: str) -> None:
    """Raises Refused: Zappa would update the code, but not what it runs on."""
    name, wanted = function_name(stage, kind), of_stage(stage + kind)["architecture"]
    found = live(aws, name)
    if found and found["Architectures"] != [wanted]:
        raise Refused(
            f"{name} runs on {found['Architectures'][0]} and zappa_settings.json says {wanted}: run `make undeploy STAGE={stage}`"
            " first, which keeps the data, and deploy anew."
        )


def release(aws: Aws, stage: str, kind: str, settings: Path, package: str) -> str:
    """Deploys or updates; `package` is an s3:// address. Raises Failed."""
    name = function_name(stage, kind)
    half_made = kind == API and live(aws, name) and not api_id(aws, stage)
    if half_made:  # a deployment broke off before its API, which `zappa update` would never make
        zappa(aws, settings, "undeploy", stage + kind, "--yes")
    verb = "deploy" if half_made or not live(aws, name) else "update"
    wanted = json.loads(settings.read_text())[stage + kind]
    if verb == "update" and wanted.get(STANDING_READY):  # Zappa publishes a version, which keeps the variables of its moment
        set_environment(aws.client("lambda"), name, wanted[VARIABLES])
    zappa(aws, settings, verb, stage + kind, "--zip", package)
    return verb


def remove(aws: Aws, stage: str, kind: str, settings: Path) -> bool:
    """Whether there was one. Raises Failed."""
    if not live(aws, function_name(stage, kind)):
        return False
    zappa(aws, settings, "undeploy", stage + kind, "--yes")
    return True


def zappa(aws: Aws, settings: Path, verb: str, *arguments: str) -> None:
    """What it says goes to zappa.log beside the settings. Raises Failed with the last of it."""
    command = [sys.executable, "-m", "zappa.cli", verb, *arguments, "--settings_file", str(settings), "--disable_progress"]
    result = subprocess.run(  # our own arguments
        command, check=False, cwd=settings.parent, env={**aws.environment(), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    log = settings.with_name("zappa.log")
    with log.open("a") as file:
        file.write(f"$ zappa {verb} {' '.join(arguments)}\n{result.stdout}\n")
    if result.returncode:
        raise Failed(f"zappa {verb} {arguments[0]} failed:\n{_last_words(result.stdout)}\nAll that it said: {log}")


def _last_words(output: str) -> str:
    """Without the thanks that Zappa ends with."""
    lines = [line for line in output.partition("Need help? Found a bug?")[0].splitlines() if line.strip(" =~^")]
    return "\n".join(f"    {line}" for line in lines[-4:])


def invoke(aws: Aws, name: str, event: dict[str, Any]) -> Any:
    """What the function returns. Raises Failed with the end of its log."""
    answer = aws.client("lambda", config=PATIENT).invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    said = answer["Payload"].read()
    if "FunctionError" in answer:
        log = base64.b64decode(answer.get("LogResult", "")).decode(errors="replace")
        raise Failed(f"{name} failed with {event.get('manage') or event}: {_complaint(said)}\n{log}")
    return json.loads(said or "null")


def _complaint(said: bytes) -> str:
    try:
        return str(json.loads(said)["errorMessage"])
    except (ValueError, TypeError, KeyError):
        return said.decode(errors="replace")


def released(aws: Aws, stage: str) -> str | None:
    """The SHA-256 of the package that takes traffic, in hex."""
    found = live(aws, function_name(stage, API))
    return _hex(found["CodeSha256"]) if found else None


def releases(aws: Aws, stage: str) -> list[str]:
    """SHA-256 of the packages that the API has run, in the order in which they came first."""
    return list(dict.fromkeys(_versions(aws, function_name(stage, API))))


def _versions(aws: Aws, name: str) -> Iterator[str]:
    pages = aws.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
    for version in sorted(versions, key=lambda version: int(version["Version"])):
        yield _hex(version["CodeSha256"])


def _hex(sha256: str) -> str:
    return base64.b64decode(sha256).hex()
