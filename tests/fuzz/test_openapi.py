"""Schemathesis over the description: whatever it allows, and some of what it does not.

What every resource has from the same base is tried on a fifth of them, each way on others, and of each kind of strange
value at most four at a place; FUZZ_ALL=1 tries all.
"""

import os
from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from django.conf import settings as project
from hypothesis import HealthCheck, settings
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi import checks

from tests.companies import Api, Company
from tests.contracts.resources import RESOURCES

CONSTANT = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_headers_conformance, checks.allow_header_conformance,
]
EXAMPLES = 2  # of each operation, beyond those that cover it
ALIKE = 4
BASE = [
    ("get", ""), ("post", ""), ("get", "{id}/"), ("put", "{id}/"), ("patch", "{id}/"), ("delete", "{id}/"), ("post", "bulk/"),
    ("post", "{id}/restore/"), ("get", "by-ref/{external_ref}/"), ("put", "by-ref/{external_ref}/"),
]
PREFIXES = sorted({resource.prefix for resource in RESOURCES})


def is_tried(context: Any) -> bool:
    prefix, _, rest = context.operation.path.removeprefix("/api/v1/").partition("/")
    way = (context.operation.method.lower(), rest)
    if os.environ.get("FUZZ_ALL") or prefix not in PREFIXES or way not in BASE:
        return True
    return (PREFIXES.index(prefix) + BASE.index(way)) % 5 == 0


schema = schemathesis.openapi.from_path(project.BASE_DIR / "docs/openapi.json").include(is_tried)
alike: Counter[tuple[str, str, str, str]] = Counter()


@schema.hook
def filter_case(context: Any, case: Any) -> bool:
    """Types in each parameter and so on: the more parameters, the more that are alike."""
    if os.environ.get("FUZZ_ALL") or case.meta.phase.name is not TestPhase.COVERAGE:
        return True
    data = case.meta.phase.data
    kind = (case.operation.label, str(data.scenario), str(data.location), case.meta.generation.mode.value)
    alike[kind] += 1
    return alike[kind] <= ALIKE


def promises(case: Any, status: int) -> list[Any]:
    """Not that whatever has the right types is accepted: constraints of the database refuse some of it, and say why."""
    found = list(CONSTANT)
    if "fields" not in case.query:  # which leaves out required ones, as asked
        found.append(checks.response_schema_conformance)
    wrong = {place for place, info in case.meta.components.items() if info.mode is GenerationMode.NEGATIVE}
    # Strange queries and headers often mean nothing by the time they are sent.
    if wrong == {ParameterLocation.BODY} and status != 412:
        found.append(checks.negative_data_rejection)
    return found


def sent(api: Api, case: Any) -> Response:
    """What our test client answers, as if it had come over HTTP. Who asks is not left to chance."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    ours = ("content-length", "content-type", "authorization", "cookie", "organization", "accept-encoding")
    found = api.generic(
        str(prepared.method), str(prepared.path_url), prepared.body or b"",
        content_type=prepared.headers.get("Content-Type", "application/octet-stream"),
        headers={name: value for name, value in prepared.headers.items() if name.lower() not in ours},
    )
    headers = {name: [value] for name, value in found.headers.items()}
    return Response(found.status_code, headers, found.getvalue(), prepared, elapsed=0, verify=False)


@pytest.fixture
def rows() -> dict[str, str]:
    """Of each resource the row that the requests of a test are aimed at."""
    return {}


def aimed(case: Any, company: Company, rows: dict[str, str]) -> Any:
    """At a row that is there and that none has changed: what is none is the matter of the contract tests."""
    prefix = case.path.removeprefix("/api/v1/").partition("/")[0]
    resource = next((resource for resource in RESOURCES if resource.prefix == prefix), None)
    if resource and "id" in case.path_parameters:
        if prefix not in rows:
            rows[prefix] = str(resource.make(company)[0].pk)
        case.path_parameters["id"] = rows[prefix]
    return case


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
)
def test_keeps_its_word(case: Any, acme: Company, rows: dict[str, str]) -> None:
    response = sent(acme.api, aimed(case, acme, rows))
    if response.status_code < 400 and case.method != "GET":
        rows.clear()
    case.validate_response(response, checks=promises(case, response.status_code))
