"""The function as Lambda runs it: the real runtime client, events as AWS sends them, answers as API Gateway gets them."""

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import boto3
import pytest
from django.conf import settings
from django.db import connections

from accounts.models import AuditEntry
from accounts.permissions import ADMIN
from tests.companies import Company
from tests.core.test_metrics import checked
from tests.deploy.runtime_api import Answer, Runtime
from tests.deploy.test_aws import asked as asked_for
from tests.deploy.test_aws import bell, event, messages, status
from tests.moto_server import moto_server

type NewCompany = Callable[[], Company]

HANDLER = "tests.deploy.inside.lambda_handler"
HOST = "abc123.execute-api.eu-west-1.amazonaws.com"


def database_url(alias: str) -> str:
    found = connections[alias].settings_dict
    user, password, host = (quote(str(found[key]), safe="") for key in ("USER", "PASSWORD", "HOST"))
    return f"postgres://{user}:{password}@/{found['NAME']}?host={host}&port={found['PORT']}"


def environment(folder: Path, secrets: Mapping[str, str]) -> dict[str, str]:
    return {
        "PYTHONPATH": f"{folder}:{settings.BASE_DIR}", "DJANGO_SETTINGS_MODULE": "config.settings.lambda_", **secrets,
        "ALLOWED_HOSTS": HOST, "DATABASE_SSLMODE": "disable",
        "APP_DATABASE_URL": database_url("default"), "WORKER_DATABASE_URL": database_url("worker"),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Zappa writes its settings into the package; here into a folder."""
    folder = tmp_path_factory.mktemp("function")
    zappa = Path(sys.executable).with_name("zappa")
    subprocess.run(
        [zappa, "save-python-settings-file", "dev", "-s", settings.BASE_DIR / "zappa_settings.json", "-o",
         folder / "zappa_settings.py"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def secrets() -> Iterator[dict[str, str]]:
    """The environment, with Secrets Manager as moto plays it."""
    role = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "AWS_SESSION_TOKEN": "C"}
    with moto_server() as address:
        of_role = {name.lower(): value for name, value in role.items()}
        manager = boto3.Session(region_name="eu-west-1", **of_role).client("secretsmanager", endpoint_url=address)
        held = {"secret_key": settings.SECRET_KEY, "app": "of-the-app", "worker": "of-the-worker"}
        arn = manager.create_secret(Name="quartermaster/dev", SecretString=json.dumps(held))["ARN"]
        yield {
            **role, "SECRETS_ENDPOINT_URL": address, "SECRET_KEY_SECRET": arn,
            "APP_DATABASE_SECRET": f"{arn}#app", "WORKER_DATABASE_SECRET": f"{arn}#worker",
        }


@pytest.fixture(scope="module")
def function(
    folder: Path, secrets: dict[str, str], django_db_setup: None, django_db_blocker: Any,
) -> Iterator[Runtime]:
    with django_db_blocker.unblock(), Runtime(HANDLER, folder, environment(folder, secrets), log=folder / "log") as runtime:
        yield runtime


def asked(function: Runtime, path: str, method: str = "GET", *, body: str | bytes | None = None, **headers: str) -> Answer:
    """By API Gateway's event of version 2.0, under the stage's name."""
    found = event("v2")
    http = {**found["requestContext"]["http"], "method": method, "path": f"/dev{path}"}
    binary = isinstance(body, bytes)
    content = {} if body is None else {
        "body": base64.b64encode(body).decode() if binary else body, "isBase64Encoded": binary,
    }
    lower = {name.replace("_", "-"): value for name, value in headers.items()}
    return function.invoke({
        **found, "rawPath": f"/dev{path.partition('?')[0]}", "rawQueryString": path.partition("?")[2],
        "requestContext": {**found["requestContext"], "http": http}, "headers": {**found["headers"], **lower}, **content,
    })


def as_admin(company: Company) -> dict[str, str]:
    return {"authorization": f"Bearer {company.members[ADMIN].tokens.access_token}"}


def test_it_is_loaded_without_a_connection_and_without_the_sdk(function: Runtime) -> None:
    assert function.invoke({"test": "state"}).value == {"connected": [], "boto3": False}


def test_a_request_is_answered(function: Runtime, new_company: NewCompany) -> None:
    company = new_company()
    found = asked(function, "/api/v1/parties/?limit=5", **as_admin(company)).value
    assert (found["statusCode"], found["headers"]["Content-Type"]) == (200, "application/json")
    assert json.loads(found["body"])["results"] == []
    assert function.invoke({"test": "loaded"}).value == [], "its secrets were read without the SDK, and the token without PyJWT"
    for body in ('{"name": "Wien ä"}', '{"name": "Graz ö"}'.encode()):
        made = asked(function, "/api/v1/parties/", "POST", body=body, content_type="application/json", **as_admin(company)).value
        assert (made["statusCode"], json.loads(made["body"])["name"]) == (201, json.loads(body)["name"])
    rest = asked(function, "/api/v1/parties/", accept="text/csv", accept_encoding="gzip", **as_admin(company)).value
    assert rest["statusCode"] == 200, rest["body"]
    assert "Graz ö" in gzip.decompress(base64.b64decode(rest["body"])).decode()


def test_a_request_is_a_line_of_json_with_its_metrics(function: Runtime, folder: Path, new_company: NewCompany) -> None:
    company = new_company()
    trace = {"x_amzn_trace_id": "Root=1-0af76519-16cd43dd8448eb211c80319c"}
    asked(function, "/api/v1/parties/?search=ada@example.com", x_request_id="on-lambda", **trace, **as_admin(company))
    text = (folder / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    [line] = [line for line in lines if line.get("request_id") == "on-lambda"]
    assert (line["route"], line["organization_id"]) == ("/api/v1/parties/", str(company.organization.pk))
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert checked(json.dumps(line))["Requests"] == 1
    assert len([line for line in lines if line.get("cold_start")]) <= 1, "warming up is no request"
    assert "ada@example.com" not in text and "127.0.0.1 - -" not in text


def test_below_the_name_of_a_stage_the_api_is_the_api(function: Runtime) -> None:
    missing = asked(function, "/api/v1/nothing-here/").value
    assert (missing["statusCode"], missing["headers"]["Content-Type"]) == (404, "application/problem+json")


def test_the_address_of_a_client_is_what_the_gateway_saw(function: Runtime, new_company: NewCompany) -> None:
    company = new_company()
    forged = asked(
        function, "/api/v1/parties/", "POST", body='{"name": "Forged"}', content_type="application/json",
        x_forwarded_for="10.0.0.1, 10.0.0.2, 10.0.0.3", **as_admin(company),
    ).value
    assert forged["statusCode"] == 201
    with company.scope():
        assert {entry.ip for entry in AuditEntry.objects.filter(table_name="accounts_party")} == {"203.0.113.7"}


def test_what_django_does_not_answer_is_a_problem_all_the_same(function: Runtime) -> None:
    broken = event("v2")
    del broken["headers"]["x-forwarded-proto"], broken["rawQueryString"]
    broken["queryStringParameters"] = 5
    found = function.invoke(broken).value
    assert (found["statusCode"], found["headers"]) == (500, {"content-type": "application/problem+json"})
    assert json.loads(found["body"])["code"] == "server_error"


def test_schedules_and_keeping_warm(function: Runtime) -> None:
    assert function.invoke(event("keepwarm")).value is None
    ticking = event("sched")
    ticking["resources"] = ["arn:aws:events:eu-west-1:123456789012:rule/quartermaster-dev-notifications.aws.clock"]
    assert function.invoke(ticking).value == {"complete": True}


def test_of_a_batch_what_failed_comes_again(function: Runtime, new_company: NewCompany) -> None:
    company = new_company()
    job = asked_for(company)
    assert function.invoke(messages("nonsense", bell(job))).value == {"batchItemFailures": []}
    assert status(company) == ["succeeded"]


def test_commands_of_the_operator(function: Runtime) -> None:
    assert function.invoke({"manage": "check"}).value["output"].startswith("System check identified no issues")
    slug = f"founded-{uuid4().hex[:8]}"
    founding = {"manage": f"create_organization {slug} --admin {slug}@acme.example --password-stdin"}
    assert "at least 8 characters" in function.invoke({**founding, "stdin": "short\n"}).error["errorMessage"]
    answer = function.invoke({**founding, "stdin": "Correct horse 9\n"})
    assert answer.error is None and answer.value["output"].startswith(f"Founded {slug}; ")
    assert function.invoke({"command": "notifications.aws.sweep"}).value == {"complete": True}


def test_a_command_that_ends_with_1_says_what_it_found(function: Runtime, new_company: NewCompany, tmp_path: Path) -> None:
    file = tmp_path / "models.csv"
    file.write_text('"year","make","model"\n2019,"ACURA","CL"\nsoon,"ACURA","CL"\n')
    error = function.invoke({"manage": f"import_vehicles --organization {new_company().organization.slug} --file {file}"}).error
    assert error and error["errorType"] == "CommandFailed"
    assert "1 vehicle models created" in error["errorMessage"] and "Left out:" in error["errorMessage"]
    assert function.invoke({"manage": "check"}).error is None, "the function lives on"


@pytest.mark.parametrize("said", [
    {}, {"raw_command": "open('/tmp/x', 'w')"}, {"command": "os.getpid"}, {"Records": [{"eventSource": "aws:s3"}]},
    {"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "detail": {}},
])
def test_what_nobody_takes_is_refused_aloud(function: Runtime, said: Any) -> None:
    error = function.invoke(said).error
    assert error and error["errorType"] == "Refused"


def test_twins_of_one_snapshot_draw_other_numbers(function: Runtime, folder: Path) -> None:
    assert function.invoke({"test": "woken"}).value != function.invoke({"test": "woken"}).value


def test_a_role_that_could_pass_the_wall_serves_nobody(folder: Path, secrets: dict[str, str], commits: None) -> None:
    with Runtime(HANDLER, folder, environment(folder, secrets) | {"APP_DATABASE_URL": database_url("owner")}) as function:
        assert asked(function, "/healthz").error["errorType"] == "WrongRole"
