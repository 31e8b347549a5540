"""The deployment's settings, held against the code."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils.module_loading import import_string

from notifications.schedules import declared

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())


def stage(name: str) -> dict[str, Any]:
    own = SETTINGS[name]
    return {**(stage(own["extends"]) if "extends" in own else {}), **own}


def test_the_stages() -> None:
    assert set(SETTINGS) == {"dev", "staging", "production"}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_stage_is_an_http_api_kept_warm(name: str) -> None:
    settings = stage(name)
    assert settings["apigateway_version"] == "v2"
    assert settings["runtime"] == f"python{(ROOT / '.python-version').read_text().strip()}"
    assert (settings["keep_warm"], settings["keep_warm_expression"]) == (True, "rate(4 minutes)")
    assert (settings["timeout_seconds"], settings["architecture"]) == (30, "arm64")
    assert settings["memory_size"] >= 512
    assert (settings["debug"], settings["log_level"]) == (False, "INFO"), "Zappa's defaults log whole events, tokens among them"
    assert settings["manage_roles"] is False
    assert settings["lambda_concurrency"], "without it an update wipes the limit"


@pytest.mark.parametrize("name", SETTINGS)
def test_the_schedules_are_those_that_the_code_declares(name: str) -> None:
    events = {event["function"]: event["expression"] for event in stage(name)["events"]}
    product = {name: schedule.expression for name, schedule in declared().items() if not name.startswith("tests.")}
    assert events == product
    for function in events:
        assert re.fullmatch(r"[._A-Za-z0-9]{0,63}", function)
        assert callable(import_string(function))


def test_no_secret_is_in_the_package() -> None:
    """The settings are in the archive in clear text."""
    text = json.dumps(SETTINGS).upper()
    assert not [word for word in ("SECRET", "PASSWORD", "TOKEN", "://") if word in text.replace("HTTPS://", "")]
