"""Templates as AWS would read them: what is known before anything is made is put in its place."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml

from infra.stacks import AFTER_RELEASE, BEFORE_RELEASE, OPTIONAL, Stack, stack_name

TEMPLATES = Path(__file__).resolve().parents[2] / "infra" / "templates"
STACKS = {stack.template: stack for stack in (*BEFORE_RELEASE, *AFTER_RELEASE, *OPTIONAL)}
IN_BRACES = re.compile(r"\$\{([\w:.]+)\}")
NOTHING = object()


class _Loader(yaml.CSafeLoader):
    """Takes !Ref and the like for what they are short for."""


def _long(loader: Any, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "Ref":
        return {"Ref": value}
    return {f"Fn::{suffix}": value.split(".", 1) if suffix == "GetAtt" else value}


_Loader.add_multi_constructor("!", _long)


@cache
def _read(template: str) -> str:
    return json.dumps(yaml.load((TEMPLATES / f"{template}.yml").read_bytes(), Loader=_Loader))


def read(template: str) -> dict[str, Any]:
    """A copy of one's own, without !Ref and the like in their short form."""
    return dict(json.loads(_read(template)))


class Rendered:
    """A template for a stage. What another resource or an earlier stack will give is written <Name> or <Name.Attribute>."""

    def __init__(self, template: str, stage: str, **said: str) -> None:
        self.source = read(template)
        stack: Stack = STACKS[template]
        self.values: dict[str, Any] = {
            name: parameter.get("Default", f"<{name}>") for name, parameter in self.source["Parameters"].items()
        } | stack.parameters.get(stage, {}) | {
            "Stage": stage, "AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws",
            "AWS::StackName": stack_name(stage, template), "AWS::NoValue": NOTHING,
        } | said  # fmt: skip
        conditions = self.source.get("Conditions", {})
        self.conditions = {name: bool(self.rendered(rule)) for name, rule in conditions.items()}
        self.resources: dict[str, dict[str, Any]] = {
            name: self.rendered(resource) for name, resource in self.source["Resources"].items()
            if self.conditions.get(resource.get("Condition"), True)
        }  # fmt: skip

    def at(self, path: str) -> Any:
        """`Vpc.CidrBlock`, `Targets.Auth.0.IAMAuth`: a property of a resource. KeyError if there is none."""
        name, *way = path.split(".")
        found: Any = self.resources[name].get("Properties", {})
        for step in way:
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found

    def rendered(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self.rendered, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (name := next(iter(value))) in self._functions:
            return self._functions[name](self, value[name])
        found = {name: self.rendered(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not NOTHING}

    def _sub(self, value: Any) -> str:
        text, own = (value, {}) if isinstance(value, str) else value
        known = self.values | self.rendered(own)
        return IN_BRACES.sub(lambda found: str(known.get(found[1], f"<{found[1]}>")), text)

    def _if(self, value: list[Any]) -> Any:
        return self.rendered(value[1 if self.conditions[value[0]] else 2])

    def _equals(self, value: list[Any]) -> bool:
        return bool(self.rendered(value[0]) == self.rendered(value[1]))

    def _join(self, value: list[Any]) -> str:
        parts = self.rendered(value[1])
        return str(value[0]).join(map(str, parts)) if isinstance(parts, list) else str(parts)

    _functions: ClassVar[dict[str, Callable[[Any, Any], Any]]] = {
        "Ref": lambda self, value: self.values.get(value, f"<{value}>"),
        "Fn::GetAtt": lambda self, value: f"<{'.'.join(value)}>",
        "Fn::Sub": _sub, "Fn::If": _if, "Fn::Equals": _equals, "Fn::Join": _join,
        "Fn::Not": lambda self, value: not self.rendered(value[0]),
        "Fn::Select": lambda self, value: f"<{value[0]} of {json.dumps(value[1])}>",
        "Fn::GetAZs": lambda self, value: "<AvailabilityZones>",
        "Fn::Base64": lambda self, value: value,
    }  # fmt: skip


def statements(resources: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of all policies, with the name of the resource that has it."""
    for name, resource in resources.items():
        yield from ((name, found) for found in _statements(resource.get("Properties")))


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _statements(item)
    elif isinstance(value, dict):
        if "Effect" in value:
            yield value
        for item in value.values():
            yield from _statements(item)
