"""The deployment's settings, held against the code."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils.module_loading import import_string

from notifications.clock import Clock
from notifications.models import Schedule
from notifications.schedules import declared, plans

CLOCK = "notifications.aws.clock"
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
def test_one_rule_is_the_clock_of_all_schedules(name: str) -> None:
    """Once a minute, as fine as an expression can be: it calls what the code declares."""
    events = {event["function"]: event["expression"] for event in stage(name)["events"]}
    assert events.pop(CLOCK) == "rate(1 minute)"
    assert events == {name: schedule.expression for name, schedule in declared().items() if name in events}, (
        "another rule is of a schedule that the code declares, at its times"
    )
    assert not [name for name in events if declared()[name].plan.timezone != "UTC" or declared()[name].plan.is_per_zone], (
        "a rule knows UTC alone"
    )
    for function in [CLOCK, *events]:
        assert re.fullmatch(r"[._A-Za-z0-9]{0,63}", function)
        assert inspect.getfullargspec(import_string(function)).args == ["event", "context"]


def test_the_clock_calls_each_schedule_that_the_code_declares(commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.aws._clock", Clock("fresh"))
    declared_here = {(plan.task, plan.timezone, plan.expression) for plan in plans()}
    import_string(CLOCK)({}, None)
    known = Schedule.objects.using("worker").filter(next_run_at__isnull=False).values_list("task", "timezone", "expression")
    assert set(known) == declared_here
    product = {name for name in declared() if not name.startswith("tests.")}
    assert product == {
        "inventory.tasks.reorder_check", "inventory.tasks.expire_reservations", "inventory.tasks.stock_snapshots",
        "inventory.tasks.stock_counts", "inventory.tasks.demand_forecasts", "inventory.tasks.abc_classes",
        "orders.tasks.fill_backorders", "orders.tasks.find_stuck_orders", "orders.tasks.resume_payments",
        "notifications.tasks.purge", "notifications.tasks.audit_seal", "notifications.tasks.dead_letters",
    }
    Schedule.objects.using("worker").all().delete()


def test_no_secret_is_in_the_package() -> None:
    """The settings are in the archive in clear text."""
    text = json.dumps(SETTINGS).upper()
    assert not [word for word in ("SECRET", "PASSWORD", "TOKEN", "://") if word in text.replace("HTTPS://", "")]
