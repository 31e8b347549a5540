"""Lines of the embedded metric format, held against the schema that its specification publishes."""

import json
from typing import Any

import jsonschema
import pytest

from core.metrics import Metric, emit, line

UNITS = (
    "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits"
    "|Percent|Count|(Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits|Count)/Second|None)$"
)
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
METRIC = {
    "type": "object", "required": ["Name"],
    "properties": {"Name": NAME, "Unit": {"type": "string", "pattern": UNITS}, "StorageResolution": {"enum": [1, 60]}},
}
DIMENSIONS = {
    "type": "array", "minItems": 1,
    "items": {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}},
}
DIRECTIVE = {
    "type": "object", "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": NAME, "Dimensions": DIMENSIONS,
        "Metrics": {"type": "array", "minItems": 1, "maxItems": 100, "items": METRIC},
    },
}
SCHEMA = {
    "type": "object", "required": ["_aws"],
    "properties": {"_aws": {
        "type": "object", "required": ["Timestamp", "CloudWatchMetrics"],
        "properties": {"Timestamp": {"type": "integer"}, "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE}},
    }},
}  # fmt: skip


def checked(text: str) -> dict[str, Any]:
    """Also what a schema cannot say: each name that is referred to is a member, of the right type."""
    assert "\n" not in text and len(text.encode()) < 256 * 1024
    found = json.loads(text)
    jsonschema.validate(found, SCHEMA)
    for directive in found["_aws"]["CloudWatchMetrics"]:
        for dimension in [name for names in directive["Dimensions"] for name in names]:
            assert isinstance(found[dimension], str) and 0 < len(found[dimension]) <= 1024
        for metric in directive["Metrics"]:
            assert isinstance(found[metric["Name"]], int | float) and not isinstance(found[metric["Name"]], bool)
    return found


def test_a_line_is_as_the_format_has_it() -> None:
    found = checked(line({"QueueDepth": Metric(3), "OldestAge": Metric(1.5, "Seconds")}, {"Queue": "mail"}))
    assert (found["Queue"], found["QueueDepth"], found["OldestAge"]) == ("mail", 3, 1.5)
    [directive] = found["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Quartermaster", [["Queue"]])
    checked(line({"MissedTicks": Metric(0)}, {}))


def test_refuses_what_the_format_does_not_take() -> None:
    for metrics, dimensions in (
        ({}, {}), ({f"m{number}": Metric(1) for number in range(101)}, {}), ({"a": Metric(1)}, {"a": "b"}),
        ({"a": Metric(1)}, {f"d{number}": "x" for number in range(31)}),
    ):
        with pytest.raises(ValueError, match="metric"):
            line(metrics, dimensions)


def test_says_nothing_unless_it_is_wanted(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    emit({"a": Metric(1)})
    assert capsys.readouterr().out == ""
    settings.METRICS = "emf"
    emit({"a": Metric(1)}, Queue="mail")
    assert checked(capsys.readouterr().out.rstrip("\n"))["a"] == 1
