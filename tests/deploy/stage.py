"""A stage on the emulator: stacks with the parameters and outputs of the real ones, and next to nothing in them."""

import json
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from infra import releasing, smoke, stacking, steps
from infra import settings as infra_settings
from infra.aws import Aws
from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE
from infra.steps import STEPS, Deployment
from tests.deploy.emulator import REGION, Emulator

# Outputs of which something must be there; all others are words. The resource, its type, and what the output says of it.
RESOURCES = {
    "PackagesBucket": ("Packages", "S3::Bucket", "Ref"), "StaticBucket": ("Static", "S3::Bucket", "Ref"),
    "JobsQueueUrl": ("Jobs", "SQS::Queue", "Ref"), "JobsQueueArn": ("Jobs", "SQS::Queue", "Arn"),
    "ApiRoleArn": ("Api", "IAM::Role", "Arn"), "WorkerRoleArn": ("Worker", "IAM::Role", "Arn"),
    "MigrateRoleArn": ("Migrate", "IAM::Role", "Arn"),
}
LISTS = {"PrivateSubnetIds": "subnet-1,subnet-2"}


@cache
def templates() -> dict[str, str]:
    found = {}
    for stack in (*BEFORE_RELEASE, *AFTER_RELEASE):
        parameters = {
            name: {"Type": "String"} | ({"Default": str(declared["Default"])} if "Default" in declared else {})
            for name, declared in stacking.declared(stack.template, "Parameters").items()
        }
        outputs = list(stacking.declared(stack.template, "Outputs"))
        text = {"Parameters": parameters, "Resources": resources(outputs), "Outputs": {
            name: {"Value": value_of(name, parameters)} for name in outputs
        }}  # fmt: skip
        found[stack.template] = json.dumps(text)
    return found


def resources(outputs: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic"}}
    for name, kind, _ in (RESOURCES[output] for output in outputs if output in RESOURCES):
        found[name] = {"Type": f"AWS::{kind}", "Properties": {"AssumeRolePolicyDocument": {}} if kind == "IAM::Role" else {}}
    return found


def value_of(output: str, parameters: dict[str, Any]) -> Any:
    if output in parameters:
        return {"Ref": output}
    if output not in RESOURCES:
        return LISTS.get(output, output.lower())
    name, _, what = RESOURCES[output]
    return {"Ref": name} if what == "Ref" else {"Fn::GetAtt": [name, what]}


def tiny(version: str) -> Any:
    """In the place of infra.package.build."""

    def build(stage: str, architecture: str, output: Path) -> Path:
        with ZipFile(output, "w") as archive:
            for name, text in (("main.py", version), ("staticfiles/a.1234.css", "a {}"), ("staticfiles/a.1234.css.gz", "")):
                archive.writestr(name, text)
        return output

    return build


@contextmanager
def answering(answers: dict[str, int]) -> Iterator[str]:
    """The address of a stage that answers so, and 404 else."""

    class Requests(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Stage:
    """Dev, on the emulator. `said` is what the steps have said."""

    def __init__(self, aws: Emulator, folder: Path, address: str) -> None:
        self.emulator, self.aws, self._folder, self._address = aws, Aws(REGION), folder, address
        self.said: list[str] = []

    def deployment(self, version: str = "one") -> Deployment:
        return Deployment(
            stage="dev", aws=self.aws, folder=self._folder, build=tiny(version), say=self.said.append, address=self._address,
        )

    def deploy(self, version: str, first: str = STEPS[0].name, *, dry_run: bool = False) -> None:
        options = Namespace(first=first, dry_run=dry_run, without_stacks=False, break_lock=False)
        releasing.deploy(self.deployment(version), options)

    def rollback(self, to: str = "", *, dry_run: bool = False) -> None:
        releasing.rollback(self.deployment(), Namespace(to=to, dry_run=dry_run, break_lock=False))

    def undeploy(self, *, with_stacks: bool = False) -> None:
        releasing.undeploy(self.deployment(), Namespace(yes=True, dry_run=False, with_stacks=with_stacks, break_lock=False))

    def release_api(self) -> None:
        """As `deploy` does, and nothing else: the package that was made before."""
        deployment = self.deployment()
        steps.settings(deployment)
        steps.api(deployment)

    @contextmanager
    def set(self, **settings: Any) -> Iterator[None]:
        """In zappa_settings.json, of the API."""
        stages = json.loads(infra_settings.SOURCE.read_text())
        stages["dev"] |= settings
        changed = self.deployment().folder / "changed.json"
        changed.write_text(json.dumps(stages))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(infra_settings, "SOURCE", changed)
            yield

    def make_function(self, name: str, *, architecture: str = "arm64") -> None:
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.client("lambda").create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": b"PK"},
            Architectures=[architecture],
        )  # fmt: skip

    def client(self, service: str) -> Any:
        return self.aws.client(service)


@contextmanager
def stage(aws: Emulator, folder: Path) -> Iterator[Stage]:
    place = folder / "templates"
    place.mkdir()
    for name, text in templates().items():
        (place / f"{name}.yml").write_text(text)
    with pytest.MonkeyPatch.context() as patched, answering(dict(smoke.ASKED)) as address:
        patched.setattr(stacking, "TEMPLATES", place)
        for name, value in (aws.environment | {"ALLOWED_ORIGIN": "https://app.example.com"}).items():
            patched.setenv(name, value)
        yield Stage(aws, folder / "work", address)
