"""Reports on orders. Read only."""

from collections.abc import Sequence
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import Organization
from core.errors import Invalid
from core.problems import BadParameter
from core.reports import Query, ReportView, Table, described, reached
from core.serializers import StrictSerializer
from core.within import holder
from inventory.queries.analytics_sources import Page, Report, sees_costs
from inventory.queries.spans import LEDGER_DAYS, PERIODS, Days, Span
from orders.queries import order_analytics as reports
from orders.queries.order_analytics import BY_ORDER, GROUPINGS, PRODUCT, TOTAL, Sales
from orders.queries.receivables import COLUMNS, Owing, receivables

VIEW = "orders.view_salesorder"
OF_COSTS = ("costed_revenue", "cost", "margin", "margin_percent")
SERVICE = (
    "orders", "orders_shipped", "ordered", "shipped", "fill_rate", "lines", "line_fill_rate", "on_time", "days_to_ship",
    "days_median_to_ship", "days_to_deliver", "days_median_to_deliver",
)
MOST, FURTHEST = 1_000, 1_000_000


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=6, **options)


def _rate(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=2, allow_null=True, **options)


class OrdersQuery(StrictSerializer):
    warehouse = serializers.UUIDField(required=False, help_text="Of this warehouse alone.")
    channel = serializers.UUIDField(required=False, help_text="Of this channel alone.")
    from_day = serializers.DateField(
        required=False, help_text=f"In the organization's time zone; at most {LEDGER_DAYS} days, and 30 without it.",
    )
    to_day = serializers.DateField(required=False, help_text="Included; today without it.")


class ServiceQuery(OrdersQuery):
    period = serializers.ChoiceField(PERIODS, required=False, help_text="A row for each in which there were orders.")
    group_by = serializers.ChoiceField(BY_ORDER, default=TOTAL)
    limit = serializers.RegexField("^[0-9]{1,4}$", required=False, default="100", help_text=f"1 to {MOST}.")
    offset = serializers.RegexField("^[0-9]{1,7}$", required=False, default="0", help_text=f"0 to {FURTHEST}.")

    def validate_limit(self, value: str) -> int:
        return _within(value, 1, MOST)

    def validate_offset(self, value: str) -> int:
        return _within(value, 0, FURTHEST)


def _within(value: str, least: int, most: int) -> int:
    if not least <= int(value) <= most:
        raise serializers.ValidationError(f"A whole number from {least} to {most}.")
    return int(value)


class RevenueQuery(ServiceQuery):
    group_by = serializers.ChoiceField([*BY_ORDER, PRODUCT], default=TOTAL)


class UnconvertedSerializer(serializers.Serializer):
    currency = serializers.CharField()
    orders = serializers.IntegerField()
    revenue = _amount()


class SoldSerializer(serializers.Serializer):
    orders = serializers.IntegerField()
    quantity = _amount()
    revenue = _amount(help_text="Of the goods, net of tax and of their discounts, without what was canceled.")
    adjustments = _amount(required=False, help_text="Shipping, surcharges and discounts of whole orders.")
    costed_revenue = _amount(allow_null=True, help_text="Of goods that were issued, so that their cost is known.")
    cost = _amount(allow_null=True, help_text="What they took off the stock's value.")
    margin = _amount(allow_null=True, help_text="Of costed revenue, less cost.")
    margin_percent = _rate()


class OrderGroupRow(serializers.Serializer):
    """Of which group, as `group_by` says, and of which period."""

    channel = serializers.UUIDField(required=False)
    warehouse = serializers.UUIDField(required=False)
    customer = serializers.UUIDField(required=False, allow_null=True)
    variant = serializers.UUIDField(required=False)
    code = serializers.CharField(required=False)
    sku = serializers.CharField(required=False)
    name = serializers.CharField(required=False)
    from_day = serializers.DateField(required=False)
    to_day = serializers.DateField(required=False)


class RevenueRowSerializer(SoldSerializer, OrderGroupRow):
    pass


class RevenueTotalsSerializer(SoldSerializer):
    unconverted = UnconvertedSerializer(many=True, help_text="Of currencies without a rate; in no sum.")


class OrdersAnswerSerializer(serializers.Serializer):
    from_day = serializers.DateField()
    to_day = serializers.DateField()
    currency = serializers.CharField()
    count = serializers.IntegerField(help_text="How many rows there are, shown or not.")


class RevenueReportSerializer(OrdersAnswerSerializer):
    period = serializers.CharField(allow_null=True)
    group_by = serializers.CharField()
    totals = RevenueTotalsSerializer(help_text="Of all rows.")
    results = RevenueRowSerializer(many=True)


class StateRowSerializer(serializers.Serializer):
    status = serializers.CharField()
    orders = serializers.IntegerField()
    total = _amount(help_text="With tax.")
    unconverted = serializers.IntegerField(help_text="Orders in currencies without a rate, which are not in the total.")


class StateTotalsSerializer(serializers.Serializer):
    orders = serializers.IntegerField()


class StatesReportSerializer(OrdersAnswerSerializer):
    totals = StateTotalsSerializer()
    results = StateRowSerializer(many=True)


class ServiceRowSerializer(OrderGroupRow):
    orders = serializers.IntegerField()
    orders_shipped = serializers.IntegerField()
    ordered = _amount(help_text="Quantity, without what was canceled.")
    shipped = _amount()
    fill_rate = _rate(help_text="Percent of the quantity that was shipped.")
    lines = serializers.IntegerField()
    line_fill_rate = _rate(help_text="Percent of the lines that were shipped whole.")
    on_time = _rate(help_text="Percent of the shipped orders that left by the day that was wished.")
    days_to_ship = _rate(help_text="On average.")
    days_median_to_ship = _rate()
    days_to_deliver = _rate()
    days_median_to_deliver = _rate()


class NoTotalsSerializer(serializers.Serializer):
    pass


class ServiceReportSerializer(OrdersAnswerSerializer):
    period = serializers.CharField(allow_null=True)
    group_by = serializers.CharField()
    totals = NoTotalsSerializer()
    results = ServiceRowSerializer(many=True)


class ReceivablesQuery(StrictSerializer):
    customer = serializers.UUIDField(required=False, help_text="Of this customer alone: their statement.")
    warehouse = serializers.UUIDField(required=False, help_text="Of this warehouse alone.")
    channel = serializers.UUIDField(required=False, help_text="Of this channel alone.")
    limit = serializers.RegexField("^[0-9]{1,4}$", required=False, default="100", help_text=f"1 to {MOST}.")
    offset = serializers.RegexField("^[0-9]{1,7}$", required=False, default="0", help_text=f"0 to {FURTHEST}.")

    def validate_limit(self, value: str) -> int:
        return _within(value, 1, MOST)

    def validate_offset(self, value: str) -> int:
        return _within(value, 0, FURTHEST)


class ReceivableRowSerializer(serializers.Serializer):
    order = serializers.UUIDField()
    number = serializers.CharField()
    placed_at = serializers.DateTimeField(allow_null=True)
    customer = serializers.UUIDField(allow_null=True)
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    total = _amount()
    credited_total = _amount(help_text="What refunded returns, and credit notes of money alone, take off it.")
    paid_total = _amount()
    refunded_total = _amount()
    open = _amount(help_text="What is to be paid yet; below 0 it is owed to the customer.")


class OwedSerializer(serializers.Serializer):
    currency = serializers.CharField()
    orders = serializers.IntegerField()
    owed = _amount(help_text="By customers.")
    owed_to_customers = _amount()
    open = _amount()


class ReceivablesTotalsSerializer(serializers.Serializer):
    by_currency = OwedSerializer(many=True)


class ReceivablesReportSerializer(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many rows there are, shown or not.")
    totals = ReceivablesTotalsSerializer(help_text="Of all rows.")
    results = ReceivableRowSerializer(many=True)


class OrderAnalyticsView(ReportView):
    permissions = (VIEW,)
    query_class: ClassVar[type[StrictSerializer]] = OrdersQuery
    measures: ClassVar[Sequence[str]]

    def table(self, request: Request, query: Query, *, whole: bool) -> Table:
        page = Page() if whole else Page(query.pop("limit", None), query.pop("offset", 0))
        organization = Organization.objects.get()
        sales = Sales(reached(request, VIEW, query.get("warehouse")), query.get("channel"))
        span = _span(query, organization.timezone)
        report = self.report(sales, span, query, page)
        if not sees_costs(holder(request), sales.warehouses):
            for row in (*report.rows, report.totals):
                row |= dict.fromkeys(name for name in OF_COSTS if name in row)
        groups = GROUPINGS[query["group_by"]].names if "group_by" in query else ()
        names = (*groups, *(("from_day", "to_day") if "period" in query else ()), *self.measures)
        about = {
            "from_day": span.first, "to_day": span.last,
            **{name: query.get(name) for name in ("group_by", "period") if name in self.query_class().fields},
            "currency": organization.base_currency,
        }
        return Table(names, report.rows, report.count, report.totals, about)

    def report(self, sales: Sales, span: Span, query: Query, page: Page) -> Report:
        raise NotImplementedError


def _span(query: Query, zone: str) -> Span:
    days = Days(query.get("from_day"), query.get("to_day"), query.get("period"))
    try:
        return days.span(ZoneInfo(zone), timezone.now())
    except Invalid as error:
        raise BadParameter(next(iter(error.fields)), error.detail) from error


@described("analytics_orders_revenue", RevenueQuery, RevenueReportSerializer)
class RevenueView(OrderAnalyticsView):
    """What orders brought, and their margin: by channel, warehouse, customer or product, or by time. What brought most first."""

    query_class = RevenueQuery
    measures, name = ("orders", "quantity", "revenue", "adjustments", *OF_COSTS), "revenue"

    def report(self, sales: Sales, span: Span, query: Query, page: Page) -> Report:
        return reports.revenue(sales, span, group_by=query["group_by"], by_period="period" in query, page=page)


@described("analytics_orders_states", OrdersQuery, StatesReportSerializer)
class StatesView(OrderAnalyticsView):
    """In which state the orders are now that were placed in these days."""

    measures, name = ("status", "orders", "total", "unconverted"), "order-states"

    def report(self, sales: Sales, span: Span, query: Query, page: Page) -> Report:
        return reports.states(sales, span)


@described("analytics_orders_service", ServiceQuery, ServiceReportSerializer)
class ServiceView(OrderAnalyticsView):
    """How much of what was ordered was shipped, how many orders in time, and after how many days they were shipped and there."""

    query_class, measures, name = ServiceQuery, SERVICE, "service"

    def report(self, sales: Sales, span: Span, query: Query, page: Page) -> Report:
        return reports.service(sales, span, group_by=query["group_by"], by_period="period" in query, page=page)


@described("analytics_orders_receivables", ReceivablesQuery, ReceivablesReportSerializer)
class ReceivablesView(ReportView):
    """What customers owe and are owed now, order by order, the oldest first; of one customer it is their statement."""

    permissions, query_class, name = (VIEW,), ReceivablesQuery, "receivables"

    def table(self, request: Request, query: Query, *, whole: bool) -> Table:
        page = Page() if whole else Page(query["limit"], query["offset"])
        owing = Owing(reached(request, VIEW, query.get("warehouse")), query.get("customer"), query.get("channel"))
        report = receivables(owing, page)
        return Table(COLUMNS, report.rows, report.count, report.totals, {})
