"""What load balancers and browsers ask before anybody signs in."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as settings_
from django.db import connection
from django.test import Client


def test_alive_without_a_database(client: Client) -> None:
    """No database mark: a query would fail the test."""
    assert client.get("/healthz").json() == {"status": "ok"}


def test_ready(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (200, "ok")


def test_not_ready_while_a_migration_is_missing(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.loader import MigrationLoader

    real = MigrationLoader.build_graph

    def one_short(self: Any) -> None:
        real(self)
        self.applied_migrations.popitem()

    monkeypatch.setattr(MigrationLoader, "build_graph", one_short)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 missing")


def test_not_ready_without_a_database(client: Client, commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "does not answer")


PREFLIGHT = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PATCH"}


def test_another_site_may_ask_only_if_it_is_listed(client: Client, settings: Any) -> None:
    assert "Access-Control-Allow-Origin" not in client.options("/api/v1/products/", headers=PREFLIGHT).headers
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    headers = client.options("/api/v1/products/", headers=PREFLIGHT).headers
    assert headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert {"organization", "idempotency-key", "if-match"} <= set(headers["Access-Control-Allow-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_page_may_read_what_answers_say_in_headers(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    headers = client.get("/api/v1/products/", headers={"Origin": "https://app.example.com"}).headers
    exposed = set(headers["Access-Control-Expose-Headers"].split(", "))
    assert {"etag", "last-modified", "location", "retry-after", "ratelimit", "idempotent-replayed"} <= exposed
    assert {"content-disposition", "x-request-id"} <= exposed


def test_every_site_may_ask_where_the_setting_says_so() -> None:
    """In a process of its own, because the setting is read once."""
    code = (
        "import django; django.setup(); from django.core.checks import run_checks; from django.test import Client;"
        " asked = {'Origin': 'https://any.example', 'Access-Control-Request-Method': 'GET'};"
        " answer = Client().options('/api/v1/products/', headers=asked);"
        " print([m.id for m in run_checks() if 'cors' in m.id], answer.headers['Access-Control-Allow-Origin'])"
    )
    variables = {"DJANGO_SETTINGS_MODULE": "config.settings.test", "CORS_ALLOWED_ORIGINS": "*"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=settings_.BASE_DIR, env=os.environ | variables, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert run.stdout.strip() == "[] *"
