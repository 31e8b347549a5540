"""Cards and charts of the admin's own pages."""

from dataclasses import dataclass
from typing import Any

AXIS: dict[str, Any] = {"grid": {"display": False}, "ticks": {"color": "#7b8493", "maxRotation": 0, "precision": 0}}
SCALES = {"x": AXIS, "y": {**AXIS, "beginAtZero": True, "suggestedMax": 4}}
CHART_OPTIONS = {  # of Chart.js
    "animation": False, "maintainAspectRatio": False, "plugins": {"legend": {"display": False}}, "scales": SCALES,
}


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    value: str
    note: str
    url: str
    alarming: bool = False
