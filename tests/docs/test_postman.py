"""The collection for Postman is the description's, whole and current."""

import json
from typing import Any

from config.postman import COLLECTION, DESCRIPTION, text

METHODS = {"get", "post", "put", "patch", "delete"}


def requests() -> list[dict[str, Any]]:
    return [item for folder in json.loads(COLLECTION.read_text())["item"] for item in folder["item"]]


def test_is_the_one_that_the_description_gives() -> None:
    assert COLLECTION.read_text() == text(), "The API has changed: run manage.py postman."


def test_has_every_operation_once() -> None:
    described = [
        operation["operationId"]
        for operations in json.loads(DESCRIPTION.read_text())["paths"].values()
        for method, operation in operations.items() if method in METHODS
    ]
    assert sorted(item["name"] for item in requests()) == sorted(described)


def test_signing_in_keeps_the_tokens_for_all_others() -> None:
    signing_in = next(item for item in requests() if item["name"] == "auth_token_create")
    assert signing_in["request"]["method"] == "POST"
    assert signing_in["request"]["url"]["raw"] == "{{server}}/api/v1/auth/token/"
    assert json.loads(signing_in["request"]["body"]["raw"]) == {"email": "{{email}}", "password": "{{password}}"}
    assert "access_token" in " ".join(signing_in["event"][0]["script"]["exec"])
    assert "{{access_token}}" in str(json.loads(COLLECTION.read_text())["auth"])


def test_a_body_begins_with_what_is_required() -> None:
    making = next(item for item in requests() if item["name"] == "products_create")
    assert set(json.loads(making["request"]["body"]["raw"])) >= {"name", "base_unit"}
