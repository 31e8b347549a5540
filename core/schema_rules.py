"""What the rules of the API add to the description of each operation: conditions, CSV, upsert and bulk."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from core.bulk import MOST_ROWS
from core.by_ref import REF
from core.following import CONTENT_TYPE
from core.reasons import LONGEST

TEXT = {"type": "string"}
HEADERS = {
    "If-None-Match": "ETags that one has: 304 without a body if the answer is still one of them.",
    "If-Match": "The ETag that one has read: 412 if the row has changed since.",
    "X-Change-Reason": f"Kept in the audit trail; at most {LONGEST} characters, in UTF-8 or percent-encoded after `UTF-8''`.",
}
BY_REF_HEADERS = {**HEADERS, "If-None-Match": "`*`: only if there is no such row yet, else 412."}
ETAG = {"description": "For If-None-Match and If-Match.", "schema": TEXT}
PROBLEM = {"$ref": "#/components/responses/Problem"}
BULK_ANSWER = {"$ref": "#/components/schemas/BulkAnswer"}
BULK_COMPONENT: dict[str, Any] = {
    "type": "object", "required": ["mode", "succeeded", "failed", "results"],
    "properties": {
        "mode": {"type": "string", "enum": ["atomic", "partial"]},
        "succeeded": {"type": "integer"}, "failed": {"type": "integer"},
        "results": {
            "type": "array", "description": "One for each row, in their order.",
            "items": {
                "type": "object", "required": ["index", "status", "id", "errors"],
                "properties": {
                    "index": {"type": "integer"}, "id": {"type": ["string", "null"], "format": "uuid"},
                    "status": {"type": "integer", "description": "What a request for this row alone would be answered with."},
                    "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemError"}},
                },
            },
        },
    },
}  # fmt: skip


def header_parameters(method: str, action: str, path: str) -> list[OpenApiParameter]:
    words = BY_REF_HEADERS if action == "update_by_ref" else HEADERS
    names = ["If-None-Match"] if method == "GET" or action == "update_by_ref" else []
    if method != "GET":
        names += [*(["If-Match"] if _is_about_a_row(path) else []), "X-Change-Reason"]
    return [OpenApiParameter(name, TEXT, OpenApiParameter.HEADER, description=words[name]) for name in names]


def complete(operation: dict[str, Any], method: str, action: str, path: str) -> None:
    """Adds to the answers what each operation of its kind may say."""
    answers = operation["responses"]
    for code, answer in answers.items():
        is_row = _is_about_a_row(path) or action == "create"
        if code.startswith("2") and "content" in answer and (is_row or action == "list"):
            answer["headers"] = {**answer.get("headers", {}), "ETag": ETAG}
        if "text/csv" in answer.get("content", {}):
            answer["content"]["text/csv"] = {"schema": {**TEXT, "description": "Every row of the list, not a page: streamed."}}
        if CONTENT_TYPE in answer.get("content", {}):
            answer["content"][CONTENT_TYPE] = {"schema": {**TEXT, "description": "Server-sent events, a row each."}}
    if method == "GET":
        answers["304"] = {"description": "The answer is still the one of If-None-Match.", "headers": {"ETag": ETAG}}
    elif _is_about_a_row(path):
        answers["412"] = PROBLEM
    if action == "update_by_ref":
        answers["201"] = {**answers["200"], "description": "It was not there, and was made."}


def bulk_operation(view: Any, component: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body, and the answers by status."""
    fields = {"$ref": f"#/components/schemas/Patched{component}"}
    usual = {"default": "create"} if "create" in view.bulk_operations else {}
    own: dict[str, Any] = {
        "op": {"type": "string", "enum": list(view.bulk_operations), **usual},
        "id": {"type": "string", "format": "uuid", "description": "Which row, to update or delete."},
        "version": {"type": "integer", "minimum": 1, "description": "Refused with 412 if the row is at another."},
    }
    how = f"The resource's fields, and what to do with them. {view.no_bulk}".strip()
    if view.takes_refs():
        own[REF] = {"type": ["string", "null"], "description": "Without an id, which row; for an upsert, always."}
    needed = {} if usual else {"required": ["op"]}
    row = {"description": how, "allOf": [fields, {"type": "object", **needed, "properties": own}]}
    mode = {"type": "string", "enum": ["atomic", "partial"], "default": "atomic"}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MOST_ROWS}
    body = {"type": "object", "required": ["rows"], "properties": {"mode": mode, "rows": rows}}
    return {"application/json": body}, {"200": BULK_ANSWER, "201": BULK_ANSWER}


def _is_about_a_row(path: str) -> bool:
    return "{id}" in path or "{external_ref}" in path
