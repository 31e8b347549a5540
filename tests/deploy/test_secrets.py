"""Secrets Manager, played by moto, and passwords that are really changed on a PostgreSQL that asks for them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as SDKCredentials
from django.conf import settings
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from core import aws, vault
from core.aws import Credentials, Unavailable, database_token, secret_value, signed
from core.embedded import PORT, admin_dsn, running, socket_folder
from core.vault import secret
from tests.moto_server import moto_server

REGION = "eu-west-1"
NOW = datetime(2026, 11, 27, 15, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def role() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ACCESS_KEY_ID", "AKIDEXAMPLE"), ("SECRET_ACCESS_KEY", "of/a+role"), ("SESSION_TOKEN", "a/token==")):
            patch.setenv(f"AWS_{name}", value)
        yield


@pytest.fixture(scope="module")
def manager() -> Iterator["Manager"]:
    with moto_server() as address:
        yield Manager(address)


class Manager:
    def __init__(self, address: str) -> None:
        self.address = address
        self.client = boto3.client("secretsmanager", endpoint_url=address, region_name=REGION)

    def keep(self, **values: Any) -> str:
        return str(self.client.create_secret(Name=f"quartermaster/{uuid4()}", SecretString=json.dumps(values))["ARN"])

    def change(self, arn: str, **values: Any) -> None:
        self.client.put_secret_value(SecretId=arn, SecretString=json.dumps(values))


@pytest.mark.parametrize("token", ["", "a/token=="])
def test_signs_as_the_sdk_does(token: str) -> None:
    body = b'{"SecretId": "x"}'
    headers = {"host": "secretsmanager.eu-west-1.amazonaws.com", "content-type": "application/x-amz-json-1.1"}
    ours = signed(Credentials("AKID", "s3cret", token), NOW, service="secretsmanager", region=REGION, headers=headers, body=body)
    theirs = AWSRequest("POST", f"https://{headers['host']}/", headers=headers, data=body)
    with time_machine.travel(NOW, tick=False):
        SigV4Auth(SDKCredentials("AKID", "s3cret", token or None), "secretsmanager", REGION).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]


def test_a_token_of_the_database_is_the_one_that_the_sdk_makes() -> None:
    with time_machine.travel(NOW, tick=False):
        ours = database_token(host="proxy.example.com", port="5432", user="quartermaster_app", region=REGION)
        rds = boto3.Session(region_name=REGION).client("rds")
        theirs = rds.generate_db_auth_token("proxy.example.com", 5432, "quartermaster_app")
    assert sorted(ours.split("&")) == sorted(theirs.split("&"))


def test_without_credentials_of_the_environment_the_sdk_looks_for_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    with pytest.raises(Unavailable, match="give this machine a role"):
        aws.credentials()
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = A\naws_secret_access_key = B\n")
    assert aws.credentials() == Credentials("A", "B")


def test_is_read_once_and_anew_only_when_it_did_not_serve(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = manager.keep(password="first", worker="w")
    assert secret(arn, "password", endpoint_url=manager.address) == "first"
    manager.change(arn, password="second", worker="w")
    assert secret(arn, "password", endpoint_url="http://127.0.0.1:1") == "first"
    assert secret(f"{arn}#worker", "password", endpoint_url="http://127.0.0.1:1") == "w"
    assert secret(arn, "password", endpoint_url="http://127.0.0.1:1", other_than="first") == "first", "it was read just now"
    monkeypatch.setattr(vault, "AGAIN", 0)
    assert secret(arn, "password", endpoint_url=manager.address, other_than="first") == "second"
    assert secret(arn, "password", endpoint_url="http://127.0.0.1:1", other_than="first") == "second", "somebody has read it anew"


def test_what_cannot_be_read_says_why_and_no_secret(manager: Manager) -> None:
    with pytest.raises(Unavailable, match="ResourceNotFoundException"):
        secret_value(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:nothing", endpoint_url=manager.address)
    with pytest.raises(Unavailable, match="name one by its ARN"):
        secret_value("quartermaster/app")
    with pytest.raises(Unavailable, match="does not answer"):
        secret_value(f"arn:aws:secretsmanager:{REGION}:123456789012:secret:x", endpoint_url="http://127.0.0.1:1")
    arn = manager.keep(other="s3cret")
    with pytest.raises(Unavailable, match="no JSON object with the member 'password'") as told:
        secret(arn, "password", endpoint_url=manager.address)
    assert "s3cret" not in str(told.value)


@pytest.fixture
def unblocked(django_db_blocker: Any) -> Iterator[None]:
    """To databases of our own, none of which is the tests'."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def strict() -> Iterator[Path]:
    """A server that wants to see passwords."""
    with TemporaryDirectory() as folder, running(data := Path(folder) / "postgres"):
        with psycopg.connect(admin_dsn(data), autocommit=True) as admin:
            admin.execute("CREATE ROLE quartermaster_app LOGIN PASSWORD 'first'")
            (data / "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
            admin.execute("SELECT pg_reload_conf()")
        yield data


def test_a_rotated_password_is_fetched_again(
    strict: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch, unblocked: None,
) -> None:
    monkeypatch.setattr(vault, "AGAIN", 0)
    arn = manager.keep(username="quartermaster_app", password="first")
    database = ConnectionHandler({"default": {
        "ENGINE": "core.postgres", "HOST": str(socket_folder(strict)), "PORT": PORT, "NAME": "postgres",
        "USER": "quartermaster_app", "SECRET": arn, "SECRETS_ENDPOINT_URL": manager.address,
        "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": None,
    }})["default"]
    try:
        assert one(database) == 1

        with psycopg.connect(admin_dsn(strict), autocommit=True) as admin:
            admin.execute("ALTER ROLE quartermaster_app PASSWORD 'second'")
        assert one(database) == 1, "a session that is there stays"
        database.close()
        with pytest.raises(OperationalError, match="password authentication failed"):
            one(database)  # changed in one place alone: nobody knows better

        manager.change(arn, username="quartermaster_app", password="second")
        assert one(database) == 1

        database.close()
        database.settings_dict["SECRETS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        assert one(database) == 1, "and is kept from then on"
    finally:
        database.close()


def test_without_the_secret_the_database_does_not_answer(unblocked: None) -> None:
    database = ConnectionHandler({"default": {
        "ENGINE": "core.postgres", "NAME": "x", "USER": "x", "SECRETS_ENDPOINT_URL": "http://127.0.0.1:1",
        "SECRET": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:lost",
    }})["default"]
    with pytest.raises(OperationalError, match="does not answer"):
        database.ensure_connection()


def one(database: Any) -> Any:
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()[0]


PROGRAM = """
import sys
import django
django.setup()
from django.conf import settings
from django.db import connections
found = connections["default"].get_connection_params()
sdk = {"boto3", "botocore"} & sys.modules.keys()
print(settings.DATABASES["default"]["ENGINE"], found["password"].partition("?")[0], len(sdk))
print(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS, settings.MFA_ENCRYPTION_KEY)
"""


def test_the_environment_says_where_secrets_are(manager: Manager) -> None:
    arn = manager.keep(app="of-the-app", secret_key="the-key", secret_key_fallbacks=["a", "b"], mfa_encryption_key="m")
    shared = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.lambda_", "SECRETS_ENDPOINT_URL": manager.address,
        "ALLOWED_HOSTS": "x", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "SECRET_KEY_SECRET": arn,
        "SECRET_KEY_FALLBACKS_SECRET": arn, "MFA_ENCRYPTION_KEY_SECRET": arn,
        "APP_DATABASE_URL": "postgres://quartermaster_app@proxy.example.com:5432/quartermaster",
    }
    for more, said in (
        ({"APP_DATABASE_SECRET": f"{arn}#app"}, "of-the-app"),
        ({"DATABASE_TOKEN_REGION": REGION}, "proxy.example.com:5432/"),
    ):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM], check=True, capture_output=True, text=True, env={**shared, **more},
            cwd=settings.BASE_DIR,
        )  # fmt: skip
        assert done.stdout.splitlines() == [f"core.postgres {said} 0", "the-key a b m"]


def test_roles_that_sign_in_by_tokens_get_the_passwords_that_their_proxy_knows(strict: Path, manager: Manager) -> None:
    secrets = {role: manager.keep(username=f"stage_{role}", password=f"of-{role}") for role in ("owner", "app", "worker")}
    server = f"/stage?host={socket_folder(strict)}&port={PORT}"
    environment = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings.lambda_", "SECRETS_ENDPOINT_URL": manager.address,
        "ALLOWED_HOSTS": "x", "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "B", "SECRET_KEY": "k" * 50,
        "DATABASE_ROLE_PREFIX": "stage", "DATABASE_TOKEN_REGION": REGION, "DATABASE_SSLMODE": "disable",
        "DATABASE_URL": f"postgres://postgres@{server}",
        **{f"{role.upper()}_DATABASE_URL": f"postgres://stage_{role}@{server}" for role in secrets},
        **{f"{role.upper()}_PASSWORD_SECRET": arn for role, arn in secrets.items()},
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "setup_database"], check=False, capture_output=True, text=True,
        env=environment, cwd=settings.BASE_DIR,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for role in secrets:
        parameters = {"user": f"stage_{role}", "password": f"of-{role}", "host": str(socket_folder(strict)), "port": PORT}
        with psycopg.connect(dbname="stage", **parameters) as connection:
            [timeout] = connection.execute("SHOW lock_timeout").fetchone() or [""]
            assert timeout == ("10s" if role == "owner" else "0"), "RDS Proxy takes no options of a connection"
