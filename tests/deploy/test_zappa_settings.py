"""The deployment's settings, held against the code and the templates."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from infra.aws import Refused
from infra.settings import API, KINDS, MIGRATE, NAME, WORKER, filled, of_stage
from infra.stacking import declared as in_template
from infra.stacks import ASKED, BEFORE_RELEASE, STAGES
from notifications.clock import Clock
from notifications.models import Schedule
from notifications.schedules import declared, plans

CLOCK, QUEUE = "notifications.aws.clock", "notifications.aws.queue"
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = json.loads((ROOT / "zappa_settings.json").read_text())
# By infra/steps.py, of the stage and its API.
DERIVED = {"Stage", "Region", "Release", "Hosts", "PublicUrl", "ReaderUrl", "Mail", "Sender"}
VALUES = {name: name.lower() for name in DERIVED | set(ASKED)}


def outputs() -> dict[str, str]:
    names = [name for stack in BEFORE_RELEASE for name in in_template(stack.template, "Outputs")]
    return {name: name.lower() for name in names}


def test_the_stages() -> None:
    assert {name for name in SETTINGS if name not in {"base", "api", "worker", "migrate"}} == {
        stage + kind for stage in STAGES for kind in KINDS
    }


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_an_http_api_kept_warm(stage: str) -> None:
    found = of_stage(stage + API)
    assert (found["apigateway_enabled"], found["apigateway_version"]) == (True, "v2")
    assert (found["keep_warm"], found["keep_warm_expression"]) == (True, "rate(4 minutes)")
    assert found["timeout_seconds"] == 30
    assert found["memory_size"] >= 512
    assert "events" not in found


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", [WORKER, MIGRATE])
def test_workers_and_migrations_have_no_api_and_time_of_their_own(stage: str, kind: str) -> None:
    found = of_stage(stage + kind)
    assert (found["apigateway_enabled"], found["keep_warm"]) == (False, False)
    assert found["timeout_seconds"] == {WORKER: 300, MIGRATE: 900}[kind]
    assert kind == WORKER or found["lambda_concurrency"] == 1, "migrations never run side by side"


@pytest.mark.parametrize("name", [stage + kind for stage in STAGES for kind in KINDS])
def test_what_holds_for_every_function(name: str) -> None:
    found = of_stage(name)
    assert found["runtime"] == f"python{(ROOT / '.python-version').read_text().strip()}"
    assert (found["debug"], found["log_level"]) == (False, "INFO"), "Zappa's defaults log whole events, tokens among them"
    assert (found["manage_roles"], found["architecture"]) == (False, "arm64")
    assert found["xray_tracing"] is True, "002-131"
    assert found["lambda_concurrency"], "without it an update wipes the limit"
    assert found["num_retained_versions"] >= 2, "a rollback needs the version before"
    assert re.fullmatch(r"[A-Za-z0-9_]+", name), "API Gateway takes no other stage"
    assert found["lambda_handler"] == "config.on_lambda.lambda_handler", "which is run by test_on_lambda.py"
    assert list(inspect.signature(import_string(found["callbacks"]["post"])).parameters) == ["cli"]


@pytest.mark.parametrize("stage", STAGES)
def test_one_rule_is_the_clock_of_all_schedules(stage: str) -> None:
    """Once a minute, as fine as an expression can be: it calls what the code declares. Another rule is of a declared schedule."""
    events = of_stage(stage + WORKER)["events"]
    rules = {event["function"]: event["expression"] for event in events if "expression" in event}
    assert rules.pop(CLOCK) == "rate(1 minute)"
    assert rules == {name: schedule.expression for name, schedule in declared().items() if name in rules}
    assert not [name for name in rules if declared()[name].plan.timezone != "UTC" or declared()[name].plan.is_per_zone], (
        "a rule knows UTC alone"
    )
    for function in [event["function"] for event in events]:
        assert re.fullmatch(r"[._A-Za-z0-9]{0,63}", function)
        assert inspect.getfullargspec(import_string(function)).args == ["event", "context"]


@pytest.mark.parametrize("stage", STAGES)
def test_the_queue_leaves_room_for_the_clock(stage: str) -> None:
    found = of_stage(stage + WORKER)
    [source] = [event["event_source"] for event in found["events"] if event["function"] == QUEUE]
    assert 2 <= source["maximum_concurrency"] < found["lambda_concurrency"]
    assert source["arn"] == "${JobsQueueArn}"


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
        "inventory.tasks.follow_category_items",
        "orders.tasks.fill_backorders", "orders.tasks.find_stuck_orders", "orders.tasks.resume_payments",
        "orders.tasks.sum_sales_days",
        "notifications.tasks.purge", "notifications.tasks.audit_seal", "notifications.tasks.dead_letters",
        "notifications.tasks.alerts", "notifications.tasks.daily_digests", "notifications.tasks.watch_checks",
    }
    Schedule.objects.using("worker").all().delete()


def test_what_is_asked_of_the_stacks_is_an_output_of_one() -> None:
    asked = set(NAME.findall(json.dumps(SETTINGS)))
    assert asked - outputs().keys() - DERIVED - set(ASKED) == set()


def test_outputs_take_their_places() -> None:
    known = outputs() | VALUES | {"PrivateSubnetIds": "subnet-1,subnet-2", "AllowedOrigin": "https://a.example,https://b.example"}
    found = filled("dev", known)
    assert found.keys() == {"dev", "dev_worker", "dev_migrate"}
    assert found["dev"]["vpc_config"]["SubnetIds"] == ["subnet-1", "subnet-2"]
    assert found["dev"]["cors"]["allowed_origins"] == ["https://a.example", "https://b.example"]
    assert found["dev"]["tags"] == {"Project": "quartermaster", "Stage": "stage"}
    assert "${" not in json.dumps(found)


def test_an_output_that_is_missing_is_named() -> None:
    with pytest.raises(Refused, match=r"asks for PackagesBucket, which no stack of this stage has .* begin at `stacks`"):
        filled("dev", {name: value for name, value in (outputs() | VALUES).items() if name != "PackagesBucket"})


def test_without_a_front_end_no_other_site_may_ask() -> None:
    """Zappa would let every site."""
    found = filled("dev", outputs() | VALUES | {"AllowedOrigin": ""})
    assert "cors" not in found["dev"] and "CORS_ALLOWED_ORIGINS" not in found["dev"]["aws_environment_variables"]


def test_the_gateway_says_of_other_sites_what_the_program_says() -> None:
    """It answers in the program's place."""
    cors = of_stage("production")["cors"]
    assert cors.keys() == {"allowed_origins", "allowed_methods", "allowed_headers", "expose_headers", "max_age"}, "Zappa's names"
    assert set(cors["allowed_methods"]) == set(settings.CORS_ALLOW_METHODS)
    assert set(cors["allowed_headers"]) == set(settings.CORS_ALLOW_HEADERS)
    assert set(cors["expose_headers"]) == set(settings.CORS_EXPOSE_HEADERS)


def test_the_variables_are_read_by_some_setting() -> None:
    source = "".join(path.read_text() for path in (ROOT / "config" / "settings").glob("*.py"))
    names = {name for stage in SETTINGS.values() for name in stage.get("aws_environment_variables", {})}
    read = {f"{role}_{what}" for role in ("APP", "WORKER", "OWNER") for what in ("DATABASE_URL", "PASSWORD_SECRET")}
    read |= {f"{name}_SECRET" for name in ("SECRET_KEY", "MFA_ENCRYPTION_KEY")} | {"DJANGO_SETTINGS_MODULE"}
    assert [name for name in names - read if not re.search(f"[\"']{name}[\"']", source)] == []


def test_the_owner_is_known_to_the_migrating_function_alone() -> None:
    secrets = ("OwnerSecretArn", "AppSecretArn", "WorkerSecretArn")
    assert all(f"${{{name}}}" in json.dumps(of_stage("production" + MIGRATE)) for name in secrets)
    for kind in (API, WORKER):
        text = json.dumps(of_stage("production" + kind))
        assert not [word for word in (*secrets, "administrator", "_owner", "OWNER") if word in text]


def test_no_secret_is_in_the_package() -> None:
    """The settings are in the archive in clear text: what is called a secret is where to find one."""
    variables = [item for stage in SETTINGS.values() for item in stage.get("aws_environment_variables", {}).items()]
    assert variables
    for name, value in variables:
        if re.search("SECRET|PASSWORD|TOKEN", name):
            assert re.fullmatch(r"\$\{\w+(Arn|Region)\}|\$\{Region\}", value), name
        assert not re.search(r"://[^/@]*:[^/@]*@", value), f"{name} holds a password"
    rest: Any = json.dumps([{key: value for key, value in stage.items() if key != "aws_environment_variables"}
                            for stage in SETTINGS.values()]).upper()  # fmt: skip
    assert not [word for word in ("SECRET", "PASSWORD", "TOKEN", "://") if word in rest.replace("HTTPS://", "")]
