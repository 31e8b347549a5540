"""Counts for Prometheus, of servers. Processes of one machine share them in the folder PROMETHEUS_MULTIPROC_DIR."""

import os
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

_requests = Counter("quartermaster_requests", "Requests that were answered.", ["method", "route", "status"])
_seconds = Histogram("quartermaster_request_seconds", "How long answers took.", ["route"], buckets=SECONDS)


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(route).observe(seconds)


class Gauges(Collector):
    """Numbers of the whole installation, as somebody has just read them. By name, and then by the label,
    which may be "" where a name has one number."""

    def __init__(self, label: str, numbers: Mapping[str, Mapping[str, float]]) -> None:
        self.label, self.numbers = label, numbers

    def collect(self) -> Iterable[GaugeMetricFamily]:
        labels = [self.label] if self.label else []
        for name, values in self.numbers.items():
            family = GaugeMetricFamily(name, "See docs/operations/logs-and-metrics.md.", labels=labels)
            for of, value in values.items():
                family.add_metric([of] if labels else [], value)
            yield family


def page(*collectors: Collector) -> bytes:
    """What this machine has counted, and what the collectors say."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_requests)
        registry.register(_seconds)
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)
