"""Makes, changes and removes the stacks that infra/stacks.py names."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError, WaiterError

from infra.aws import Aws, Failed, reason
from infra.stacks import AFTER_RELEASE, ASKED, BEFORE_RELEASE, CAPABILITIES, OPTIONAL, Stack, stack_name

TEMPLATES = Path(__file__).parent / "templates"
POLL = {"Delay": 5, "MaxAttempts": 720}  # an hour: a database cluster takes its time
DEAD = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")  # after a creation that failed


class _Template(yaml.SafeLoader):
    """Takes CloudFormation's own tags (!Ref, !Sub) for plain values."""


_Template.add_multi_constructor("!", lambda loader, suffix, node: None)


def declared(template: str, section: str) -> dict[str, Any]:
    """Of a template: its Parameters or its Outputs."""
    text = (TEMPLATES / f"{template}.yml").read_text()
    return dict(yaml.load(text, Loader=_Template).get(section) or {})  # a SafeLoader


def found(aws: Aws, stack: Stack, stage: str) -> dict[str, Any] | None:
    """As AWS describes it."""
    try:
        return dict(_client(aws, stack).describe_stacks(StackName=stack_name(stage, stack.template))["Stacks"][0])
    except ClientError as error:
        if "does not exist" in reason(error):
            return None
        raise


def outputs(aws: Aws, stage: str) -> dict[str, str]:
    """Of all the stacks in the stage's region; and what the operator once said."""
    known: dict[str, str] = {}
    for stack in (*BEFORE_RELEASE, *AFTER_RELEASE, *OPTIONAL):
        if stack.region in ("", aws.region) and (description := found(aws, stack, stage)):
            said = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in description.get("Parameters", [])}
            known |= {name: value for name, value in said.items() if name in ASKED and value}
            known |= {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    return known


def asked_by_operator() -> dict[str, str]:
    """AlarmEmail by the variable ALARM_EMAIL, and so on."""
    names = {name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() for name in ASKED}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def is_wanted(aws: Aws, stack: Stack, stage: str) -> bool:
    """Optional ones are made by `--with` once, and stay."""
    return stack not in OPTIONAL or found(aws, stack, stage) is not None


def make(aws: Aws, stack: Stack, stage: str, known: Mapping[str, str]) -> str:
    """What became of it: created, updated or unchanged. `known`: outputs of the stacks before it. Raises Failed."""
    description = found(aws, stack, stage)
    if description and description["StackStatus"] in DEAD:
        remove(aws, stack, stage)
        description = None
    name = stack_name(stage, stack.template)
    request = {
        "StackName": name, "TemplateBody": (TEMPLATES / f"{stack.template}.yml").read_text(),
        "Parameters": list(_parameters(stack, stage, known, description)), "Capabilities": list(CAPABILITIES),
        "Tags": [{"Key": "Project", "Value": "quartermaster"}, {"Key": "Stage", "Value": stage}],
    }  # fmt: skip
    client = _client(aws, stack)
    try:
        if description is None:
            client.create_stack(**request)
        else:
            client.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in reason(error):
            return "unchanged"
        raise Failed(f"CloudFormation does not take the stack {name}: {reason(error)}") from error
    _wait(client, name, "stack_create_complete" if description is None else "stack_update_complete")
    return "created" if description is None else "updated"


def remove(aws: Aws, stack: Stack, stage: str) -> None:
    """Without a word where there is none. Raises Failed."""
    if found(aws, stack, stage) is None:
        return
    name = stack_name(stage, stack.template)
    client = _client(aws, stack)
    client.delete_stack(StackName=name)
    _wait(client, name, "stack_delete_complete")


def _client(aws: Aws, stack: Stack) -> Any:
    return aws.client("cloudformation", stack.region)


def _parameters(
    stack: Stack, stage: str, known: Mapping[str, str], description: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    """In the order of infra/stacks.py. What the operator said once and does not say now stays as it was."""
    values = {"Stage": stage, **asked_by_operator(), **known, **stack.parameters.get(stage, {})}
    before = {parameter["ParameterKey"] for parameter in (description or {}).get("Parameters", [])}
    for name in declared(stack.template, "Parameters"):
        if name in ASKED and name not in asked_by_operator():
            if name in before:
                yield {"ParameterKey": name, "UsePreviousValue": True}
        elif name in values:
            yield {"ParameterKey": name, "ParameterValue": values[name]}


def _wait(client: Any, name: str, event: str) -> None:
    try:
        client.get_waiter(event).wait(StackName=name, WaiterConfig=POLL)
    except WaiterError as error:
        raise Failed(f"The stack {name} failed: {'; '.join(_complaints(client, name)) or reason(error)}") from error


def _complaints(client: Any, name: str) -> list[str]:
    """Why, by the resources that failed first."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("FAILED")]
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}" for event in failed][:5]
