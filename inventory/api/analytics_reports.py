"""Reports on stock over time: value, turnover, movers, ABC classes, ages, what is short and what was out. Read only."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework.request import Request

from accounts.models import Organization
from core.errors import Invalid
from core.problems import BadParameter
from core.reports import Query, ReportView, Table, described, reached
from core.within import holder
from inventory.api import analytics_fields as fields
from inventory.api.inventory_value import SEE
from inventory.queries.abc import Limits, abc
from inventory.queries.ageing import NAMES as AGES
from inventory.queries.ageing import ageing
from inventory.queries.analytics_flow import MEASURES, movers, turnover, turnover_over_time, value_over_time
from inventory.queries.analytics_sources import GROUPINGS, STOCK, TOTAL, VARIANT, Goods, Page, Report, sees_costs
from inventory.queries.shortages import STOCK_MEASURES, shortages, shortages_by
from inventory.queries.spans import LEDGER_DAYS, MONTH, SNAPSHOT_DAYS, YEAR, Days, Span
from inventory.queries.stockouts import MEASURES as OUT_MEASURES
from inventory.queries.stockouts import stock_outs, stock_outs_over_time

VIEW = "inventory.view_stockitem"
COSTS = ("value", "issued_value", "average_value", "turnover")  # what only those see who may see what stock is worth
TURNOVER = ("turnover", "days_of_stock")


def goods_of(request: Request, query: Mapping[str, Any], permission: str) -> Goods:
    """Raises OutsideWarehouses for a warehouse in which the permission does not count."""
    return Goods(reached(request, permission, query.get("warehouse")), query.get("category"))


def span_of(query: Mapping[str, Any], organization: Organization, **options: int) -> Span:
    """Raises BadParameter."""
    days = Days(query.get("from_day"), query.get("to_day"), query.get("period"))
    try:
        return days.span(ZoneInfo(organization.timezone), timezone.now(), **options)
    except Invalid as error:
        raise BadParameter(next(iter(error.fields)), error.detail) from error


class AnalyticsView(ReportView):
    """Of those who see the stock; the last permission says in which warehouses."""

    permissions: ClassVar[Sequence[str]] = (VIEW,)

    def table(self, request: Request, query: Query, *, whole: bool) -> Table:
        page = Page() if whole else Page(query.pop("limit", None), query.pop("offset", 0))
        organization, goods = Organization.objects.get(), goods_of(request, query, self.permissions[-1])
        span = self.span(query, organization)
        report = self.report(goods, span, query, page)
        if not sees_costs(holder(request), goods.warehouses):
            _hide([*report.rows, report.totals])
        known = self.query_class().fields.keys()
        days: dict[str, date] = {"from_day": span.first, "to_day": span.last} if span else {}
        about: dict[str, Any] = {
            **days, **{name: query.get(name) for name in ("group_by", "period", "order") if name in known},
            "currency": organization.base_currency,
        }
        return Table(self.columns(query), _flat(report.rows) if whole else report.rows, report.count, report.totals, about)

    def span(self, query: Query, organization: Organization) -> Any:
        return span_of(query, organization)

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        raise NotImplementedError

    def columns(self, query: Query) -> Sequence[str]:
        """Of the CSV."""
        raise NotImplementedError


def _hide(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        row |= dict.fromkeys(name for name in COSTS if name in row)
        _hide(row.get("ages", []))


def _flat(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    what = ("quantity", "value")
    return [row | {f"{name} {age['days']}": age[name] for age in row.get("ages", []) for name in what} for row in rows]


def _names(group_by: str, period: str | None) -> tuple[str, ...]:
    return (*GROUPINGS[group_by].names, *(("from_day", "to_day") if period else ()))


@described("analytics_value", fields.SeriesQuery, fields.ValueReportSerializer)
class ValueView(AnalyticsView):
    """What there was at the end of each day, week or month, and what it was worth, by warehouse or category."""

    query_class, name = fields.SeriesQuery, "stock-value"

    def span(self, query: Query, organization: Organization) -> Span:
        return span_of(query, organization, longest=SNAPSHOT_DAYS if query["period"] == MONTH else LEDGER_DAYS)

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        return _all(value_over_time(goods, span, group_by=query["group_by"]))

    def columns(self, query: Query) -> Sequence[str]:
        return (*_names(query["group_by"], query["period"]), "quantity", "value")


@described("analytics_turnover", fields.TurnoverQuery, fields.TurnoverReportSerializer)
class TurnoverView(AnalyticsView):
    """How often a year the stock is issued at the pace of these days, and how long it lasts. With `period`, over time."""

    query_class, name, permissions = fields.TurnoverQuery, "turnover", (VIEW, SEE)

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        group_by = query["group_by"]
        if "period" not in query:
            return turnover(goods, span, group_by=group_by, page=page)
        if group_by == VARIANT:
            raise BadParameter("group_by", "With a period: total, warehouse or category.")
        return _all(turnover_over_time(goods, span, group_by=group_by))

    def columns(self, query: Query) -> Sequence[str]:
        return (*_names(query["group_by"], query.get("period")), *MEASURES, *TURNOVER)


@described("analytics_movers", fields.MoversQuery, fields.MoversReportSerializer)
class MoversView(AnalyticsView):
    """The variants of which most was issued, or those in stock of which least was. Days of stock by quantity."""

    query_class, name = fields.MoversQuery, "movers"

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        report = movers(goods, span, order=query["order"], page=page)
        return Report(report.rows, report.count, {})

    def columns(self, query: Query) -> Sequence[str]:
        return (*GROUPINGS[VARIANT].names, *MEASURES, *TURNOVER)


@described("analytics_abc", fields.AbcQuery, fields.AbcReportSerializer)
class AbcView(AnalyticsView):
    """Which variants make most of what was issued, at cost: class A up to `a` percent, B up to `b`, C the rest."""

    query_class, name, permissions = fields.AbcQuery, "abc", (VIEW, SEE)

    def span(self, query: Query, organization: Organization) -> Span:
        return span_of(query, organization, usual=YEAR)

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        if query["a"] >= query["b"]:
            raise BadParameter("a", "a: below b.")
        return abc(goods, span, limits=Limits(query["a"], query["b"]), page=page)

    def columns(self, query: Query) -> Sequence[str]:
        return (*GROUPINGS[VARIANT].names, "issued", "issued_value", "share", "cumulative_share", "abc_class", "current")


@described("analytics_ageing", fields.GroupQuery, fields.AgeingReportSerializer)
class AgeingView(AnalyticsView):
    """How long what is in stock now has been there, in days; what has most of the oldest first."""

    query_class, name = fields.GroupQuery, "ageing"

    def span(self, query: Query, organization: Organization) -> None:
        return None

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        return ageing(goods, group_by=query["group_by"], page=page)

    def columns(self, query: Query) -> Sequence[str]:
        ages = [f"{name} {age}" for age in AGES for name in ("quantity", "value")]
        return (*GROUPINGS[query["group_by"]].names, "quantity", "value", *ages)


@described("analytics_shortages", fields.ShortageQuery, fields.ShortageReportSerializer)
class ShortagesView(AnalyticsView):
    """What is low or out of stock now, in the warehouses where it is kept; grouped, how much of it is."""

    query_class, name = fields.ShortageQuery, "shortages"

    def span(self, query: Query, organization: Organization) -> None:
        return None

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        by = query["group_by"]
        return shortages(goods, page=page) if by == STOCK else shortages_by(by, goods, page=page)

    def columns(self, query: Query) -> Sequence[str]:
        by = query["group_by"]
        return (*GROUPINGS[by].names, *(STOCK_MEASURES if by == STOCK else ("items", "low", "out")))


@described("analytics_stock_outs", fields.StockOutQuery, fields.StockOutReportSerializer)
class StockOutsView(AnalyticsView):
    """On how many days goods were out of stock that are kept in a warehouse. With `period`, over time."""

    query_class, name = fields.StockOutQuery, "stock-outs"

    def report(self, goods: Goods, span: Span, query: Query, page: Page) -> Report:
        group_by = query["group_by"]
        if "period" not in query:
            return stock_outs(goods, span, group_by=group_by, page=page)
        if group_by not in (TOTAL, "warehouse", "category"):
            raise BadParameter("group_by", "With a period: total, warehouse or category.")
        return _all(stock_outs_over_time(goods, span, group_by=group_by))

    def columns(self, query: Query) -> Sequence[str]:
        return (*_names(query["group_by"], query.get("period")), *OUT_MEASURES, "availability")


def _all(rows: list[dict[str, Any]]) -> Report:
    return Report(rows, len(rows), {})
