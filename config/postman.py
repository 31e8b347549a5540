"""docs/postman.json, a collection for Postman, from docs/openapi.json."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
DESCRIPTION, COLLECTION = DOCS / "openapi.json", DOCS / "postman.json"
SIGN_IN = "auth_token_create"
KEEP_THE_TOKENS = [
    "const body = pm.response.json();",
    "pm.collectionVariables.set('access_token', body.access_token);",
    "pm.collectionVariables.set('refresh_token', body.refresh_token);",
]
VARIABLES = {
    "server": "http://127.0.0.1:8000", "email": "manager@northwind.example", "password": "demo-quartermaster",
    "access_token": "", "refresh_token": "",
}
# What stands for a value that nobody gave, by the type in the description.
SAMPLES: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def collection(description: dict[str, Any]) -> dict[str, Any]:
    folders: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            folders[operation["tags"][0]].append(_item(path, method, operation, description))
    return {
        "info": {
            "name": description["info"]["title"], "description": description["info"]["description"],
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{access_token}}", "type": "string"}]},
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [{"name": name, "item": items} for name, items in sorted(folders.items())],
    }


def _item(path: str, method: str, operation: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method.upper(), "header": [], "url": _url(path, operation)}
    if operation.get("description"):
        request["description"] = operation["description"]
    if {} in operation.get("security", []):
        request["auth"] = {"type": "noauth"}
    request |= _body(operation, description)
    item: dict[str, Any] = {"name": operation["operationId"], "request": request}
    if operation["operationId"] == SIGN_IN:
        item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": KEEP_THE_TOKENS}}]
    return item


def _url(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    path = re.sub(r"{(\w+)}", r":\1", path)
    url: dict[str, Any] = {"host": ["{{server}}"], "path": path.removeprefix("/").split("/"), "raw": "{{server}}" + path}
    asked = [parameter["name"] for parameter in operation.get("parameters", []) if parameter.get("in") == "query"]
    if asked:
        url["query"] = [{"key": name, "value": "", "disabled": True} for name in asked]
    if names := re.findall(r":(\w+)", path):
        url["variable"] = [{"key": name, "value": ""} for name in names]
    return url


def _body(operation: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return {"body": {"mode": "formdata", "formdata": [{"key": "file", "type": "file", "src": []}]}}
    if "application/json" not in content:
        return {}
    sample = _sample(content["application/json"]["schema"], description)
    if operation["operationId"] == SIGN_IN:
        sample = {"email": "{{email}}", "password": "{{password}}"}
    raw = json.dumps(sample, indent=2, ensure_ascii=False)
    return {"header": [{"key": "Content-Type", "value": "application/json"}], "body": {"mode": "raw", "raw": raw}}


def _sample(schema: dict[str, Any], description: dict[str, Any]) -> Any:
    """With the required fields alone, all of them empty."""
    if "$ref" in schema:
        return _sample(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
    if "enum" in schema:
        return schema["enum"][0]
    for whole in ("allOf", "anyOf", "oneOf"):
        if whole in schema:
            return _sample(schema[whole][0], description)
    if properties := schema.get("properties"):
        return {name: _sample(properties[name], description) for name in schema.get("required", []) if name in properties}
    types = schema.get("type", "object")
    return SAMPLES.get(types[0] if isinstance(types, list) else types)


def text() -> str:
    return json.dumps(collection(json.loads(DESCRIPTION.read_text())), indent=1, ensure_ascii=False) + "\n"
