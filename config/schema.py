"""The OpenAPI description: what is said once for all addresses."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import get_lib_doc_excludes

from accounts.api.annotations import AboutObjects
from accounts.schema import SignIn as SignIn
from core.api import ArchivableViewSet, ReadViewSet, TenantViewSet
from core.problems import CONTENT_TYPE
from core.schema_rules import BULK_COMPONENT
from core.serializers import StrictSerializer, TenantSerializer

TEXT = {"type": "string"}
PROBLEM_ERROR: dict[str, Any] = {
    "type": "object", "required": ["code", "detail"],
    "properties": {
        "pointer": {**TEXT, "description": "A field of the body, by RFC 6901."},
        "parameter": {**TEXT, "description": "A parameter of the address."},
        "header": {**TEXT, "description": "A header of the request."}, "code": TEXT, "detail": TEXT,
    },
}  # fmt: skip
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, by RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"}, "title": TEXT, "status": {"type": "integer"},
        "detail": {**TEXT, "description": "For a person."}, "code": {**TEXT, "description": "For a program: it is stable."},
        "request_id": {**TEXT, "description": "To quote when asking for help."},
        "missing_permission": {**TEXT, "description": "With status 403."},
        "current_version": {"type": "integer", "description": "With status 412: the row's version by now."},
        "errors": {
            "type": "array", "description": "One for each wrong field or parameter.",
            "items": {"$ref": "#/components/schemas/ProblemError"},
        },
    },
}  # fmt: skip
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Sent again with this key, the request has one effect and the same answer.",
}  # fmt: skip
RESPONSE = {
    "description": "A problem.", "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}  # fmt: skip


def undescribed() -> list[type]:
    """Classes whose docstrings are for us."""
    bases = [AboutObjects, ReadViewSet, TenantViewSet, ArchivableViewSet, StrictSerializer, TenantSerializer]
    return [*get_lib_doc_excludes(), *bases]


class Generator(SchemaGenerator):
    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        schema: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]  # drf_spectacular
        schema["components"].setdefault("schemas", {}).update(
            Problem=PROBLEM, ProblemError=PROBLEM_ERROR, BulkAnswer=BULK_COMPONENT,
        )
        schema["components"]["responses"] = {"Problem": RESPONSE}
        schema["components"]["parameters"] = {"IdempotencyKey": IDEMPOTENCY_KEY}
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
                if method != "get" and {} not in operation["security"]:
                    operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/IdempotencyKey"})
        _tidy(schema)
        return schema


def _tidy(part: Any) -> None:
    """Drops the marks of enumerations that were to become components; ours stay where they are. Makes oneOf anyOf:
    an empty e-mail address is both of its alternatives, because formats need not be checked.
    """
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
        if "oneOf" in part:
            part["anyOf"] = part.pop("oneOf")
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        _tidy(inner)
