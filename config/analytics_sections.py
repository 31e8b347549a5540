"""The parts of the page Analytics: each a chart, and the same as a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from django.utils.formats import number_format

from config.charts import AXIS, CHART_OPTIONS, SCALES
from inventory.queries.abc import abc
from inventory.queries.ageing import ageing
from inventory.queries.analytics_flow import SLOWEST, movers, turnover_over_time, value_over_time
from inventory.queries.analytics_sources import CATEGORY, TOTAL, WAREHOUSE, Goods, Page
from inventory.queries.shortages import shortages, shortages_by
from inventory.queries.spans import MONTH, Span
from inventory.queries.stockouts import stock_outs, stock_outs_over_time

FIRST, SECOND = "var(--color-primary-500)", "#c2410c"
STACKED = {**CHART_OPTIONS, "scales": {axis: {**options, "stacked": True} for axis, options in SCALES.items()}}
SIDEWAYS = {**CHART_OPTIONS, "indexAxis": "y", "scales": {"x": {**AXIS, "beginAtZero": True}, "y": AXIS}}
LABEL = 28  # characters of a name beside a bar


@dataclass(frozen=True, slots=True)
class Reading:
    """What all parts look at. `shown` rows of the long tables, None for all."""

    goods: Goods
    span: Span
    period: str
    currency: str
    costs: bool
    shown: int | None

    @property
    def page(self) -> Page:
        return Page(self.shown)


@dataclass(frozen=True, slots=True)
class Chart:
    labels: Sequence[str]
    series: Mapping[str, Sequence[Any]]  # by its name
    kind: str = "bar"
    options: Mapping[str, Any] = field(default_factory=lambda: CHART_OPTIONS)

    @property
    def data(self) -> str:
        """For unfold's chart component: JSON of Chart.js."""
        colors = (FIRST, SECOND)
        return orjson.dumps({"labels": list(self.labels), "datasets": [
            {"label": name, "data": [None if value is None else float(value) for value in values], "backgroundColor": color,
             "borderColor": color}
            for (name, values), color in zip(self.series.items(), colors, strict=False)
        ]}).decode()  # fmt: skip

    @property
    def settings(self) -> str:
        plugins = {"legend": {"display": len(self.series) > 1, "labels": {"color": AXIS["ticks"]["color"]}}}
        return orjson.dumps({**self.options, "plugins": plugins}).decode()


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]
    chart: Chart | None = None

    @property
    def shown(self) -> list[list[str]]:
        return [[_text(cell) for cell in row] for row in self.rows]


def _value(reading: Reading) -> Section:
    found = value_over_time(reading.goods, reading.span)
    labels = _labels(reading, found)
    return Section(
        "value", "Value of the stock", f"At the end of each {reading.period}, in {reading.currency}, at cost.",
        ["Until", "Value"], [[row["to_day"], row["value"]] for row in found],
        Chart(labels, {"Value": [row["value"] for row in found]}, "line"),
    )


def _turnover(reading: Reading) -> Section:
    found = turnover_over_time(reading.goods, reading.span)
    names = ("to_day", "issued_value", "average_value", "turnover", "days_of_stock")
    return Section(
        "turnover", "Issued and turned",
        f"At cost, in {reading.currency}. Turnover is how often a year the average stock is issued.",
        ["Until", "Issued", "Average stock", "Turnover", "Days of stock"], [[row[name] for name in names] for row in found],
        Chart(_labels(reading, found), {"Issued": [row["issued_value"] for row in found]}),
    )


def _abc(reading: Reading) -> Section:
    classes = abc(reading.goods, reading.span, page=Page(1)).totals["classes"]
    variants = sum(one["variants"] for one in classes) or 1
    shares = [Decimal(100) * one["variants"] / variants for one in classes]
    return Section(
        "abc", "ABC", "A makes 80 percent of what was issued in these days, at cost; A and B together make 95.",
        ["Class", "Variants", f"Issued ({reading.currency})", "Percent of what was issued"],
        [[one["abc_class"], one["variants"], one["issued_value"], one["share"]] for one in classes],
        Chart([one["abc_class"] for one in classes], {
            "Percent of what was issued": [one["share"] for one in classes], "Percent of the variants": shares,
        }),
    )  # fmt: skip


def _fastest(reading: Reading) -> Section:
    found = movers(reading.goods, reading.span, page=reading.page).rows
    return Section(
        "fastest", "What moves most", "By the quantity that was issued.",
        ["SKU", "Name", "Issued", "On hand", "Days of stock"],
        [[row[name] for name in ("sku", "name", "issued", "quantity", "days_of_stock")] for row in found],
        Chart([_named(row) for row in found], {"Issued": [row["issued"] for row in found]}, options=SIDEWAYS),
    )


def _slowest(reading: Reading) -> Section:
    found = movers(reading.goods, reading.span, order=SLOWEST, page=reading.page).rows
    names = ["sku", "name", "quantity", "issued", *(["value"] if reading.costs else [])]
    what = "value" if reading.costs else "quantity"
    return Section(
        "slowest", "What lies still", "In stock, and least or nothing of it was issued.",
        ["SKU", "Name", "On hand", "Issued", *([f"Value ({reading.currency})"] if reading.costs else [])],
        [[row[name] for name in names] for row in found],
        Chart([_named(row) for row in found], {what.capitalize(): [row[what] for row in found]}, options=SIDEWAYS),
    )


def _ages(reading: Reading) -> Section:
    ages = ageing(reading.goods, group_by=TOTAL, page=Page(1)).totals["ages"]
    what = "value" if reading.costs else "quantity"
    heads = ["Days", "Quantity", *([f"Value ({reading.currency})"] if reading.costs else [])]
    return Section(
        "ageing", "Age of the stock", "For how many days what is here now has been here.", heads,
        [[age["days"], age["quantity"], *([age["value"]] if reading.costs else [])] for age in ages],
        Chart([age["days"] for age in ages], {what.capitalize(): [age[what] for age in ages]}),
    )


def _short_by(reading: Reading) -> Section:
    by = CATEGORY if reading.goods.warehouses is not None and len(reading.goods.warehouses) == 1 else WAREHOUSE
    found = shortages_by(by, reading.goods, page=reading.page).rows
    names = [row["name"] or "(none)" for row in found]
    return Section(
        "short", f"Low and out of stock by {by}", "Now: variants at or under a threshold, and those without any on hand.",
        [by.capitalize(), "Low", "Out", "Of"],
        [[name, row["low"], row["out"], row["items"]] for name, row in zip(names, found, strict=True)],
        Chart(names, {"Low": [row["low"] for row in found], "Out": [row["out"] for row in found]}, options=STACKED),
    )


def _short(reading: Reading) -> Section:
    found = shortages(reading.goods, page=reading.page).rows
    names = ("sku", "name", "warehouse_code", "state", "on_hand", "available", "threshold", "task")
    return Section(
        "shortages", "What is out or low now", "What is out of stock comes first.",
        ["SKU", "Name", "Warehouse", "State", "On hand", "Available", "Threshold", "Reorder task"],
        [[row[name] for name in names] for row in found],
    )


def _outs_over_time(reading: Reading) -> Section:
    found = stock_outs_over_time(reading.goods, reading.span)
    return Section(
        "out-over-time", "Days out of stock", "Summed over variants and warehouses in which they are kept.",
        ["Until", "Days out", "Out at the end", "Of", "Availability in percent"],
        [[row[name] for name in ("to_day", "days_out", "items_out", "items", "availability")] for row in found],
        Chart(_labels(reading, found), {"Days out": [row["days_out"] for row in found]}),
    )


def _outs(reading: Reading) -> Section:
    found = [row for row in stock_outs(reading.goods, reading.span, page=reading.page).rows if row["days_out"]]
    names = ("sku", "name", "warehouse_code", "days_out", "availability")
    return Section(
        "stock-outs", "What was out for longest", "Availability is the share of the time in which there was stock.",
        ["SKU", "Name", "Warehouse", "Days out", "Availability in percent"], [[row[name] for name in names] for row in found],
        Chart([_named(row) for row in found], {"Days out": [row["days_out"] for row in found]}, options=SIDEWAYS),
    )


OF_COSTS: dict[str, Callable[[Reading], Section]] = {"value": _value, "turnover": _turnover, "abc": _abc}
SECTIONS: dict[str, Callable[[Reading], Section]] = OF_COSTS | {
    "fastest": _fastest, "slowest": _slowest, "ageing": _ages, "short": _short_by,
    "out-over-time": _outs_over_time, "stock-outs": _outs, "shortages": _short,
}


def _labels(reading: Reading, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if reading.period == MONTH:
        return [f"{row['from_day']:%b %Y}" for row in rows]
    return [f"{row['from_day']:%b} {row['from_day'].day}" for row in rows]


def _named(row: Mapping[str, Any]) -> str:
    name = f"{row['sku']} {row['name']}"
    return name if len(name) <= LABEL else f"{name[:LABEL - 1]}…"


def _text(cell: Any) -> str:
    """38 instead of 38.000000; nothing instead of None."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return number_format(f"{cell.quantize(Decimal('0.01')).normalize():f}", use_l10n=True, force_grouping=True)
    return str(cell)
