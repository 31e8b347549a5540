"""The verbs: deploy, rollback, manage, undeploy."""

import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from getpass import getpass
from time import monotonic

from infra import functions, stacking, steps
from infra.aws import Failed, Refused
from infra.locking import held
from infra.settings import API, KINDS, MIGRATE, function_name
from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE, OPTIONAL, stack_name
from infra.steps import STEPS, Deployment, Step

OF_STACKS = ("stacks", "watch")
BUCKET = "PackagesBucket"  # where the lock is


def deploy(deployment: Deployment, options: Namespace) -> None:
    wanted = _wanted(options.first, options.without_stacks)
    print(f"Deploying {steps.release_name()} to {deployment.stage}, in {len(wanted)} steps:", flush=True)
    for step in wanted:
        for line in step.plan(deployment):
            print(f"  {step.name:<10}{line}")
    if options.dry_run:
        print("Nothing has been done.")
        return
    steps.check(deployment)
    with ExitStack() as lock:
        for step in wanted:
            if not deployment.locked and BUCKET in deployment.outputs:  # a new stage has none before its stacks
                lock.enter_context(_alone(deployment, f"deploys {steps.release_name()}", options))
            _run(deployment, step)
    print(f"{deployment.stage} is at {deployment.api_address}")


def _run(deployment: Deployment, step: Step) -> None:
    print(f"{step.name}:", flush=True)
    started = monotonic()
    try:
        step.run(deployment)
    except Failed as problem:
        raise Failed(f"{problem}\n{_what_now(deployment, step.name)}") from problem
    print(f"  done in {monotonic() - started:.0f} s", flush=True)


@contextmanager
def _alone(deployment: Deployment, doing: str, options: Namespace) -> Iterator[None]:
    """Raises Refused if somebody else is busy with the stage."""
    with held(deployment.aws, deployment.output(BUCKET), deployment.stage, doing, broken=options.break_lock):
        deployment.locked = True
        yield


def _wanted(first: str, without_stacks: bool) -> list[Step]:
    steps_on = STEPS[[step.name for step in STEPS].index(first) :]
    return [step for step in steps_on if not (without_stacks and step.name in OF_STACKS)]


def _what_now(deployment: Deployment, step: str) -> str:
    again = f"When that is put right: make deploy STAGE={deployment.stage} FROM={step}"
    if step in ("watch", "smoke"):
        return f"The new code has the traffic; to take it back: make rollback STAGE={deployment.stage}\n{again}"
    return again


def rollback(deployment: Deployment, options: Namespace) -> None:
    aws, stage = deployment.aws, deployment.stage
    print(f"Account {aws.account}, region {aws.region}.")
    target = _target(deployment, options.to)
    print(f"Rolling {stage} back to {target}: worker, then API. The schema stays, and this code works on it.", flush=True)
    if options.dry_run:
        print("Nothing has been done.")
        return
    with _alone(deployment, f"rolls back to {target[:12]}", options):
        steps.settings(deployment)
        steps.worker(deployment, target)
        steps.api(deployment, target)
        steps.smoke_test(deployment)
    print(f"{stage} runs {target}")


def _target(deployment: Deployment, asked: str) -> str:
    """Raises Refused."""
    now = functions.released(deployment.aws, deployment.stage)
    if now is None:
        raise Refused(f"There is no {function_name(deployment.stage, API)}: nothing is deployed that could be rolled back.")
    known = functions.releases(deployment.aws, deployment.stage)
    earlier = known[: known.index(now)] if now in known else known
    choice = [release for release in known if release.startswith(asked)] if asked else earlier[-1:]
    if len(choice) != 1:
        shown = ", ".join(release[:12] for release in known)
        complaint = f"{asked} is not one release" if asked else f"There is no release before {now[:12]}"
        raise Refused(f"{complaint}; those that there are, for --to: {shown}.")
    if not steps.has_package(deployment, choice[0]):
        raise Refused(f"The package {steps.key_of(choice[0])} is no longer in {deployment.output('PackagesBucket')}.")
    return choice[0]


def manage(deployment: Deployment, options: Namespace) -> None:
    """A password is asked for here, and goes with the call."""
    aws, command = deployment.aws, options.command
    print(f"Account {aws.account}, region {aws.region}.", file=sys.stderr)
    if not functions.live(aws, function_name(deployment.stage, MIGRATE)):
        raise Refused(f"There is no {function_name(deployment.stage, MIGRATE)}: deploy {deployment.stage} first.")
    given = ""
    if "--password-stdin" in command:
        given = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline()
    print(steps.manage(deployment, shlex.join(command), given), end="")


def undeploy(deployment: Deployment, options: Namespace) -> None:
    aws, stage = deployment.aws, deployment.stage
    print(f"Account {aws.account}, region {aws.region}.")
    stacks = [*OPTIONAL[::-1], *AFTER_RELEASE[::-1], *BEFORE_RELEASE[::-1]] if options.with_stacks else []
    print(f"Taking away the functions {', '.join(function_name(stage, kind) for kind in KINDS)} and the API.")
    for stack in stacks:
        print(f"Taking away the stack {stack_name(stage, stack.template)}.")
    if not stacks:
        print("The stacks stay, with the database and the files.")
    if options.dry_run:
        print("Nothing has been done.")
        return
    _confirm(stage, options.yes)
    with _alone(deployment, "undeploys", options) if BUCKET in deployment.outputs else nullcontext():
        _remove_functions(deployment)
    for stack in stacks:  # the lock's own bucket among them
        stacking.remove(aws, stack, stage)
        deployment.say(f"{stack_name(stage, stack.template)} is gone")


def _remove_functions(deployment: Deployment) -> None:
    aws, stage = deployment.aws, deployment.stage
    if any(functions.live(aws, function_name(stage, kind)) for kind in KINDS):
        steps.settings(deployment)
    for kind in KINDS[::-1]:
        if functions.remove(aws, stage, kind, deployment.settings):
            deployment.say(f"{function_name(stage, kind)} is gone")


def _confirm(stage: str, yes: bool) -> None:
    """Raises Refused."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("Nobody is here to be asked: say --yes.")
    if input(f"Type {stage} to go on: ") != stage:
        raise Refused("Nothing has been done.")
