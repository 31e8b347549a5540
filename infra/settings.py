"""The settings that Zappa takes: zappa_settings.json with what the stacks of a stage gave.

There `${PrivateBucket}` stands for the output of that name; in a list it stands for as many items as it has, between commas.
What a stage sets takes the place of what it `extends`; variables of its own are added. What comes out empty is left out.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.aws import Refused
from infra.stacks import ASKED

SOURCE = Path(__file__).resolve().parents[1] / "zappa_settings.json"
VARIABLES = "aws_environment_variables"
STANDING_READY = "provisioned_concurrency"  # so many environments; the traffic then goes to a published version
NAME = re.compile(r"\$\{(\w+)\}")
# A stage's functions: the suffix of Zappa's own stage of each.
API, WORKER, MIGRATE = "", "_worker", "_migrate"
KINDS = (MIGRATE, WORKER, API)


def function_name(stage: str, kind: str) -> str:
    """As Zappa makes it of the project and its stage."""
    return f"quartermaster-{stage}{kind}".replace("_", "-")


def of_stage(name: str) -> dict[str, Any]:
    """Of a Zappa stage, such as dev_worker; not filled in."""
    stages = json.loads(SOURCE.read_text())
    own = stages[name]
    found: dict[str, Any] = {}
    while True:
        variables = own.get(VARIABLES, {}) | found.get(VARIABLES, {})
        found = {**own, **found, VARIABLES: variables}
        if "extends" not in own:
            return {key: value for key, value in found.items() if key != "extends"}
        own = stages[own["extends"]]


def filled(stage: str, known: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By Zappa stage. Raises Refused if an output is missing."""
    names = {name: "" for name in ASKED} | dict(known)
    return {stage + kind: _left(_filled(of_stage(stage + kind), names)) for kind in KINDS}


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [part for item in value for part in _items(item, known)]
    return _text(value, known) if isinstance(value, str) else value


def _items(item: Any, known: Mapping[str, str]) -> list[Any]:
    if isinstance(item, str) and NAME.fullmatch(item):
        return [part for part in _text(item, known).split(",") if part]
    return [_filled(item, known)]


def _text(text: str, known: Mapping[str, str]) -> str:
    if missing := set(NAME.findall(text)) - known.keys():
        names = ", ".join(sorted(missing))
        raise Refused(f"zappa_settings.json asks for {names}, which no stack of this stage has as an output: begin at `stacks`.")
    return NAME.sub(lambda match: known[match[1]], text)


def _left(settings: dict[str, Any]) -> dict[str, Any]:
    variables = {name: value for name, value in settings[VARIABLES].items() if value}
    settings = {**settings, VARIABLES: variables}
    if "cors" in settings and not settings["cors"]["allowed_origins"]:
        del settings["cors"]  # no site but our own
    if settings.get(STANDING_READY):
        settings["keep_warm"] = False  # it would call another version than the traffic does
    return settings
