"""What `deploy` does, step by step. Each can be done again: what is there already is left, or brought up to date."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from botocore.exceptions import ClientError

from infra import functions, smoke, stacking, static
from infra.aws import Aws, Failed, Refused, is_absent
from infra.callbacks import set_environment
from infra.settings import API, KINDS, MIGRATE, STANDING_READY, VARIABLES, WORKER, filled, function_name, of_stage
from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE, OPTIONAL, Stack, stack_name

UNRESERVED = 100  # AWS keeps so many for functions that reserve none


@dataclass
class Deployment:
    """Of a stage. `folder` holds what can be made again: the filled settings, the package, Zappa's log."""

    stage: str
    aws: Aws
    folder: Path
    build: Callable[[str, str, Path], Path]
    say: Callable[[str], None]
    address: str = ""  # where the smoke test asks, if not where the API is
    optional: tuple[str, ...] = ()  # templates
    locked: bool = field(default=False, init=False)  # nobody else is busy with the stage
    package: Path = field(init=False)
    settings: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.package, self.settings = self.folder / "package.zip", self.folder / "zappa_settings.json"

    @cached_property
    def outputs(self) -> dict[str, str]:
        return stacking.outputs(self.aws, self.stage)

    def output(self, name: str) -> str:
        """Raises Refused."""
        if name not in self.outputs:
            raise Refused(f"The stage {self.stage} has no {name} yet: begin at `stacks`.")
        return self.outputs[name]

    @property
    def api_address(self) -> str:
        """Empty before there is an API."""
        if "PublicUrl" in self.outputs:
            return self.outputs["PublicUrl"].rstrip("/")
        found = functions.api_id(self.aws, self.stage)
        return f"https://{found}.{self._gateway}/{self.stage}" if found else ""

    @property
    def _gateway(self) -> str:
        return f"execute-api.{self.aws.region}.amazonaws.com"

    def known(self) -> dict[str, str]:
        """For the settings: the outputs, and what follows from them."""
        own = self.outputs["PublicUrl"].removeprefix("https://").strip("/") if "PublicUrl" in self.outputs else ""
        reader = self.outputs.get("ReadingEndpoint")
        sends_from = self.outputs.get("MailDomain", "")
        return self.outputs | {
            "Stage": self.stage, "Region": self.aws.region, "Release": release_name(), "PublicUrl": self.api_address,
            "Hosts": ",".join(filter(None, (own, f".{self._gateway}"))),
            "ReaderUrl": f"postgres://{reader}:5432/{self.output('DatabaseName')}" if reader else "",
            "Mail": "ses" if sends_from else "", "Sender": f"quartermaster@{sends_from}" if sends_from else "",
        }  # fmt: skip


class Step(NamedTuple):
    """`plan` says what `run` would do, and asks nobody."""

    name: str
    plan: Callable[[Deployment], Iterator[str]]
    run: Callable[[Deployment], None]


def release_name() -> str:
    """Of the checkout, for people; the package has its hash."""
    command = ["git", "describe", "--always", "--tags", "--dirty"]
    try:
        result = subprocess.run(command, check=True, cwd=functions.ROOT, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "without git"
    return result.stdout.strip()


def check(deployment: Deployment) -> None:
    """Raises Refused for what would stop a later step, and leave half a stage."""
    aws, stage = deployment.aws, deployment.stage
    deployment.say(f"Account {aws.account}, region {aws.region}.")
    for kind in KINDS:
        functions.check_architecture(aws, stage, kind)
    mine = [function_name(stage, kind) for kind in KINDS if functions.live(aws, function_name(stage, kind))]
    if len(mine) == len(KINDS):
        return
    limit = aws.client("lambda").get_account_settings()["AccountLimit"]
    wanted = sum(of_stage(stage + kind)["lambda_concurrency"] for kind in KINDS if function_name(stage, kind) not in mine)
    if wanted + UNRESERVED > limit["UnreservedConcurrentExecutions"]:
        raise Refused(
            f"The functions of {stage} reserve {wanted} executions at once and AWS keeps {UNRESERVED} for others, but of"
            f" {limit['ConcurrentExecutions']} of this account only {limit['UnreservedConcurrentExecutions']} are free: ask AWS"
            " for more (Service Quotas, AWS Lambda, Concurrent executions), or lower lambda_concurrency in zappa_settings.json."
        )


# --- Stacks -----------------------------------------------------------------------------------------------


def _make(deployment: Deployment, stacks: tuple[Stack, ...]) -> None:
    known: dict[str, str] = dict(deployment.outputs)
    if api := functions.api_id(deployment.aws, deployment.stage):
        known["ApiId"] = api
    for stack in stacks:
        done = stacking.make(deployment.aws, stack, deployment.stage, known)
        deployment.say(f"{stack_name(deployment.stage, stack.template)}: {done}")
        del deployment.outputs
        known |= deployment.outputs


def plan_stacks(deployment: Deployment) -> Iterator[str]:
    for stack in BEFORE_RELEASE:
        yield f"create or update the stack {stack_name(deployment.stage, stack.template)}"


def stacks(deployment: Deployment) -> None:
    _make(deployment, BEFORE_RELEASE)


def _after(deployment: Deployment) -> tuple[Stack, ...]:
    optional = [
        stack for stack in OPTIONAL
        if stack.template in deployment.optional or stacking.is_wanted(deployment.aws, stack, deployment.stage)
    ]  # fmt: skip
    return (*AFTER_RELEASE, *optional)


def plan_watch(deployment: Deployment) -> Iterator[str]:
    for stack in AFTER_RELEASE:
        yield f"create or update the stack {stack_name(deployment.stage, stack.template)}"
    optional = ", ".join(stack.template for stack in OPTIONAL)
    yield f"and, where they are or are asked for by --with: {optional}"


def watch(deployment: Deployment) -> None:
    before = deployment.api_address
    _make(deployment, _after(deployment))
    if deployment.api_address != before:  # the stage has a domain of its own now
        refresh(deployment)


# --- Settings and package ---------------------------------------------------------------------------------


def plan_settings(deployment: Deployment) -> Iterator[str]:
    yield f"write {deployment.settings}: zappa_settings.json with the stacks' outputs"


def settings(deployment: Deployment) -> None:
    found = filled(deployment.stage, deployment.known())
    deployment.settings.write_text(json.dumps(found, indent=4))
    deployment.say(f"{deployment.settings}")


def refresh(deployment: Deployment) -> None:
    """Tells functions that are there already what has become known only now: where the API is."""
    settings(deployment)
    found = json.loads(deployment.settings.read_text())
    client = deployment.aws.client("lambda")
    for kind in KINDS:
        name = function_name(deployment.stage, kind)
        set_environment(client, name, found[deployment.stage + kind][VARIABLES])
    if found[deployment.stage].get(STANDING_READY):  # a published version keeps the variables that it has
        _release(deployment, API, functions.released(deployment.aws, deployment.stage) or "")


def plan_package(deployment: Deployment) -> Iterator[str]:
    yield f"build {deployment.package}, for {of_stage(deployment.stage)['architecture']}"
    yield "upload it, under its hash, into the stage's bucket of packages"


def package(deployment: Deployment) -> None:
    deployment.build(deployment.stage, of_stage(deployment.stage)["architecture"], deployment.package)
    client, bucket, key = deployment.aws.client("s3"), deployment.output("PackagesBucket"), key_of(built(deployment))
    if has_package(deployment, built(deployment)):
        deployment.say(f"s3://{bucket}/{key} is there")
        return
    client.upload_file(str(deployment.package), bucket, key)
    deployment.say(f"s3://{bucket}/{key}, {deployment.package.stat().st_size / 1_000_000:.1f} MB")


def built(deployment: Deployment) -> str:
    """The hash of the package. Raises Refused."""
    if not deployment.package.exists():
        raise Refused(f"There is no {deployment.package}: begin at `package`.")
    return sha256(deployment.package.read_bytes()).hexdigest()


def key_of(release: str) -> str:
    return f"releases/{release}.zip"


def has_package(deployment: Deployment, release: str) -> bool:
    try:
        deployment.aws.client("s3").head_object(Bucket=deployment.output("PackagesBucket"), Key=key_of(release))
    except ClientError as error:
        if is_absent(error):
            return False
        raise
    return True


def plan_static(deployment: Deployment) -> Iterator[str]:
    yield "upload the static files that CloudFront does not have yet"


def static_files(deployment: Deployment) -> None:
    built(deployment)
    count = static.upload(deployment.aws.client("s3"), deployment.output("StaticBucket"), deployment.package)
    deployment.say(f"{count} files that were not there")


# --- Functions --------------------------------------------------------------------------------------------


def _release(deployment: Deployment, kind: str, release: str = "") -> None:
    if not deployment.settings.exists():
        raise Refused(f"There is no {deployment.settings}: begin at `settings`.")
    address = f"s3://{deployment.output('PackagesBucket')}/{key_of(release or built(deployment))}"
    verb = functions.release(deployment.aws, deployment.stage, kind, deployment.settings, address)
    deployment.say(f"zappa {verb} {deployment.stage}{kind}")


def plan_migrate(deployment: Deployment) -> Iterator[str]:
    yield f"zappa deploy or update {deployment.stage}{MIGRATE}, which takes no traffic"
    yield "invoke it: the database's roles where they are missing, then the migrations as their owner"


def migrate(deployment: Deployment) -> None:
    _release(deployment, MIGRATE)
    for command in ("setup_database", "migrate"):
        deployment.say(f"manage.py {command}")
        for line in manage(deployment, command).splitlines():
            deployment.say(f"  {line}")


def manage(deployment: Deployment, command: str, given: str = "") -> str:
    """What a command of manage.py says, where it may be the database's owner; `given` is its standard input. Raises Failed."""
    event = {"manage": command} | ({"stdin": given} if given else {})
    return str(functions.invoke(deployment.aws, function_name(deployment.stage, MIGRATE), event)["output"])


def plan_worker(deployment: Deployment) -> Iterator[str]:
    yield f"zappa deploy or update {deployment.stage}{WORKER}: jobs and schedules by the new code"


def worker(deployment: Deployment, release: str = "") -> None:
    _release(deployment, WORKER, release)


def plan_api(deployment: Deployment) -> Iterator[str]:
    yield f"zappa deploy or update {deployment.stage}: requests by the new code"


def api(deployment: Deployment, release: str = "") -> None:
    before = deployment.api_address
    _release(deployment, API, release)
    if not deployment.api_address:
        raise Failed(f"Zappa has made no HTTP API for {deployment.stage}: see {deployment.settings.with_name('zappa.log')}.")
    if deployment.api_address != before:
        refresh(deployment)
    deployment.say(deployment.api_address)


# --- Is it well? ------------------------------------------------------------------------------------------


def plan_smoke(deployment: Deployment) -> Iterator[str]:
    yield f"ask it: {', '.join(path for path, _ in smoke.ASKED)}; and the worker for a round of its work"


def smoke_test(deployment: Deployment) -> None:
    for line in smoke.check(deployment.address or deployment.api_address):
        deployment.say(line)
    name = function_name(deployment.stage, WORKER)
    functions.invoke(deployment.aws, name, {"command": "notifications.aws.sweep"})
    deployment.say(f"{name} works")


STEPS = (
    Step("stacks", plan_stacks, stacks),
    Step("settings", plan_settings, settings),
    Step("package", plan_package, package),
    Step("static", plan_static, static_files),
    Step("migrate", plan_migrate, migrate),
    Step("worker", plan_worker, worker),
    Step("api", plan_api, api),
    Step("watch", plan_watch, watch),
    Step("smoke", plan_smoke, smoke_test),
)
