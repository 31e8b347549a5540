"""The OpenAPI description is valid, whole, true and the one in the repository."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.description import description as rendered_description
from core.api import ReadViewSet, TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from tests.companies import Api, Company
from tests.contracts.resources import Resource, assert_problem, each_resource
from tests.contracts.test_addresses import ADDRESSES, CLOSED, url_of

FILE = Path(settings.BASE_DIR) / "docs" / "openapi.json"
REGENERATE = "manage.py spectacular --format openapi-json --file docs/openapi.json"


@cache
def description() -> dict[str, Any]:
    rendered = rendered_description()
    assert not GENERATOR_STATS, GENERATOR_STATS._warn_cache | GENERATOR_STATS._error_cache
    found: dict[str, Any] = json.loads(rendered)
    return found


def validate(body: Any, schema: dict[str, Any]) -> None:
    OAS31Validator({**schema, "components": description()["components"]}).validate(body)


def response_of(operation: dict[str, Any], status: int = 200) -> dict[str, Any]:
    return operation["responses"][str(status)]["content"]["application/json"]["schema"]


def filled(path: str) -> str:
    some_id = url_of("parties-detail").split("/")[-2]
    return path.replace("{id}", some_id).replace("{external_ref}", some_id)


def test_is_valid() -> None:
    assert description()["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(description()).validate()


def test_is_the_one_in_the_repository() -> None:
    kept = json.loads(FILE.read_text())
    assert kept == description(), f"The API has changed: run {REGENERATE}, and tell users in CHANGELOG.md."


def test_has_every_address() -> None:
    described = {filled(path) for path in description()["paths"]}
    assert described == {url_of(name) for name in ADDRESSES.keys() - {"schema", "docs"}}


def test_says_where_one_must_sign_in() -> None:
    closed = {url_of(name) for name in CLOSED}
    for path, operations in description()["paths"].items():
        is_closed = filled(path) in closed
        for operation in operations.values():
            assert ({"bearer": []} in operation["security"]) == is_closed
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}


@each_resource()
def test_tells_the_truth_about(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    listing, single = (description()["paths"][url]["get"] for url in (resource.url, f"{resource.url}{{id}}/"))
    page = acme.api.get(resource.url, {"count": "exact"}).json()
    validate(page, response_of(listing))
    read = acme.api.get(resource.row_url(row)).json()
    validate(read, response_of(single))
    named = sorted(parameter["name"] for parameter in listing["parameters"] if parameter["in"] == "query")
    assert named == sorted(resource.viewset.known_parameters())
    assert ("post" in description()["paths"][resource.url]) == resource.takes("post")


def test_tells_the_truth_about_problems(acme: Company) -> None:
    problem = description()["components"]["schemas"]["Problem"]
    for url in ("/api/v1/parties/?x=1", "/api/v1/no-such/", "/api/v1/parties/x/"):
        validate(acme.api.get(url).json(), problem)
    validate(acme.api.send("post", "/api/v1/parties/", {"x": 1}).json(), problem)
    validate(assert_problem(Api().get("/api/v1/parties/"), 401), problem)


def test_is_served(db: None) -> None:
    assert Api().get(url_of("schema")).json() == description()
    page = Api().get(url_of("docs"))
    assert page.status_code == 200 and "//cdn" not in page.text


def test_keeps_our_notes_to_ourselves() -> None:
    text = json.dumps(description())
    for base in (ReadViewSet, TenantViewSet, StrictSerializer, TenantSerializer):
        assert (base.__doc__ or "").partition(".")[0] not in text
