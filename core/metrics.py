"""Metrics as lines on standard output, in CloudWatch's embedded metric format: whoever keeps the log makes metrics of them.

The format: a JSON object alone on its line, with `_aws` to say which of its members are metrics and dimensions.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings

from core.json import dumps

MOST_METRICS, MOST_DIMENSIONS = 100, 30  # of a line


class Metric(NamedTuple):
    value: float
    unit: str = "Count"


def emit(metrics: Mapping[str, Metric], **dimensions: str) -> None:
    """Nothing unless METRICS is "emf". No value may name a person or an organization: metrics are for operators."""
    if settings.METRICS == "emf":
        sys.stdout.write(line(metrics, dimensions) + "\n")
        sys.stdout.flush()


def line(metrics: Mapping[str, Metric], dimensions: Mapping[str, str]) -> str:
    return dumps(embedded(metrics, dimensions)).decode()


def embedded(metrics: Mapping[str, Metric], dimensions: Mapping[str, str]) -> dict[str, Any]:
    """The members that make metrics of an object, which may have others."""
    if not 0 < len(metrics) <= MOST_METRICS or len(dimensions) > MOST_DIMENSIONS:
        raise ValueError(f"A line takes 1 to {MOST_METRICS} metrics and {MOST_DIMENSIONS} dimensions.")
    if same := metrics.keys() & dimensions.keys():
        raise ValueError(f"Both a metric and a dimension: {', '.join(sorted(same))}.")
    directive = {
        "Namespace": settings.METRICS_NAMESPACE, "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": metric.unit} for name, metric in metrics.items()],
    }
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        **dimensions, **{name: metric.value for name, metric in metrics.items()},
    }
