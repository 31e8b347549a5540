"""What analytics is asked, and what it answers."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.serializers import StrictSerializer
from inventory.queries.analytics_flow import FASTEST, SLOWEST
from inventory.queries.analytics_sources import CATEGORY, STOCK, TOTAL, VARIANT, WAREHOUSE
from inventory.queries.spans import DAY, LEDGER_DAYS, PERIODS

MOST = 1_000


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=6, **options)


def _rate(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=2, allow_null=True, **options)


def _cost(**options: Any) -> serializers.DecimalField:
    return _amount(allow_null=True, **options)


def _group(*choices: str, default: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices, default=default)


def _percent(least: int, most: int, default: Decimal) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=least, max_value=most, default=default, help_text="Percent.",
    )


# --- Questions ----------------------------------------------------------------------------------------------
class GoodsQuery(StrictSerializer):
    warehouse = serializers.UUIDField(required=False, help_text="Of this warehouse alone.")
    category = serializers.UUIDField(required=False, help_text="Of this category and all below it.")


class PagedQuery(GoodsQuery):
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=100)
    offset = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000, default=0)


class DaysQuery(GoodsQuery):
    from_day = serializers.DateField(
        required=False, help_text=f"In the organization's time zone; at most {LEDGER_DAYS} days, and 30 without it.",
    )
    to_day = serializers.DateField(required=False, help_text="Included; today without it.")


class PagedDaysQuery(DaysQuery, PagedQuery):
    pass


class SeriesQuery(DaysQuery):
    from_day = serializers.DateField(
        required=False, help_text=f"At most {LEDGER_DAYS} days, or ten years of months; without it 30 days, 12 weeks, a year.",
    )
    period = serializers.ChoiceField(PERIODS, default=DAY)
    group_by = _group(TOTAL, WAREHOUSE, CATEGORY, default=TOTAL)


class TurnoverQuery(PagedDaysQuery):
    period = serializers.ChoiceField(PERIODS, required=False, help_text="A row for each; then not by variant.")
    group_by = _group(TOTAL, WAREHOUSE, CATEGORY, VARIANT, default=TOTAL)


class MoversQuery(PagedDaysQuery):
    order = serializers.ChoiceField([FASTEST, SLOWEST], default=FASTEST)


class AbcLimits(StrictSerializer):
    a = _percent(1, 99, Decimal(80))
    b = _percent(2, 100, Decimal(95))


class AbcQuery(AbcLimits, PagedDaysQuery):
    from_day = serializers.DateField(required=False, help_text=f"At most {LEDGER_DAYS} days; 365 without it.")


class AbcApplySerializer(AbcLimits):
    from_day = serializers.DateField(required=False)
    to_day = serializers.DateField(required=False)


class GroupQuery(PagedQuery):
    group_by = _group(TOTAL, WAREHOUSE, CATEGORY, VARIANT, STOCK, default=VARIANT)


class ShortageQuery(PagedQuery):
    group_by = _group(STOCK, TOTAL, WAREHOUSE, CATEGORY, default=STOCK)


class StockOutQuery(PagedDaysQuery):
    period = serializers.ChoiceField(PERIODS, required=False, help_text="A row for each; then by total, warehouse or category.")
    group_by = _group(STOCK, VARIANT, WAREHOUSE, CATEGORY, TOTAL, default=STOCK)


# --- Answers ------------------------------------------------------------------------------------------------
class GroupRow(serializers.Serializer):
    """Of which group, as `group_by` says."""

    variant = serializers.UUIDField(required=False)
    sku = serializers.CharField(required=False)
    category = serializers.UUIDField(required=False, allow_null=True)
    name = serializers.CharField(required=False)
    warehouse = serializers.UUIDField(required=False)
    warehouse_code = serializers.CharField(required=False)


class PeriodRow(GroupRow):
    from_day = serializers.DateField(required=False)
    to_day = serializers.DateField(required=False)


class AnswerSerializer(serializers.Serializer):
    currency = serializers.CharField()
    count = serializers.IntegerField(help_text="How many rows there are, shown or not.")


class DaysAnswerSerializer(AnswerSerializer):
    from_day = serializers.DateField()
    to_day = serializers.DateField()


class ValuePeriodSerializer(PeriodRow):
    quantity = _amount(help_text="At the end of the period.")
    value = _cost(help_text="Null for those who may not see what stock is worth.")


class NothingSerializer(serializers.Serializer):
    pass


class ValueReportSerializer(DaysAnswerSerializer):
    period = serializers.CharField()
    group_by = serializers.CharField()
    totals = NothingSerializer()
    results = ValuePeriodSerializer(many=True)


class TurnedSerializer(serializers.Serializer):
    value = _cost(help_text="At the end.")
    issued_value = _cost()
    average_value = _cost(help_text="Over time.")
    turnover = _rate(help_text="How often a year the average stock is issued, at this pace.")
    days_of_stock = _rate(help_text="How long what is there at the end lasts, at this pace.")


class TurnoverRowSerializer(TurnedSerializer, PeriodRow):
    quantity = _amount()
    received = _amount()
    issued = _amount()


class TurnoverTotalsSerializer(TurnedSerializer):
    value = _cost(required=False)
    issued_value = _cost(required=False)
    average_value = _cost(required=False)
    turnover = _rate(required=False)
    days_of_stock = _rate(required=False)


class TurnoverReportSerializer(DaysAnswerSerializer):
    period = serializers.CharField(allow_null=True)
    group_by = serializers.CharField()
    totals = TurnoverTotalsSerializer(help_text="Of all rows; empty with a period.")
    results = TurnoverRowSerializer(many=True)


class MoversReportSerializer(DaysAnswerSerializer):
    order = serializers.CharField()
    totals = NothingSerializer()
    results = TurnoverRowSerializer(many=True)


class AbcClassSerializer(serializers.Serializer):
    abc_class = serializers.CharField()
    variants = serializers.IntegerField()
    issued_value = _amount()
    share = _rate(help_text="Percent of what was issued.")


class AbcRowSerializer(serializers.Serializer):
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    issued = _amount()
    issued_value = _amount()
    share = _rate()
    cumulative_share = _rate()
    abc_class = serializers.CharField(help_text="By these days.")
    current = serializers.CharField(help_text="As the variant says now; may be empty.")


class AbcTotalsSerializer(serializers.Serializer):
    classes = AbcClassSerializer(many=True)


class AbcReportSerializer(DaysAnswerSerializer):
    totals = AbcTotalsSerializer()
    results = AbcRowSerializer(many=True)


class AbcAppliedSerializer(serializers.Serializer):
    changed = serializers.IntegerField(help_text="Variants whose class is another now.")


class AgeSerializer(serializers.Serializer):
    days = serializers.CharField()
    quantity = _amount()
    value = _cost()


class AgesSerializer(serializers.Serializer):
    ages = AgeSerializer(many=True)


class AgeingRowSerializer(GroupRow, AgesSerializer):
    quantity = _amount()
    value = _cost()


class AgeingReportSerializer(AnswerSerializer):
    group_by = serializers.CharField()
    totals = AgesSerializer()
    results = AgeingRowSerializer(many=True)


class ShortageRowSerializer(GroupRow):
    state = serializers.ChoiceField(["low", "out"], required=False)
    on_hand = _amount(required=False)
    reserved = _amount(required=False)
    available = _amount(required=False)
    threshold = _amount(required=False, allow_null=True, help_text="Null: there is no rule.")
    task = serializers.CharField(required=False, allow_null=True, help_text="Status of the unfinished reorder task.")
    suggested_quantity = _amount(required=False, allow_null=True)
    items = serializers.IntegerField(required=False, help_text="Variants that are kept there, counted in each warehouse.")
    low = serializers.IntegerField(required=False)
    out = serializers.IntegerField(required=False)


class ShortageTotalsSerializer(serializers.Serializer):
    low = serializers.IntegerField()
    out = serializers.IntegerField()


class ShortageReportSerializer(AnswerSerializer):
    group_by = serializers.CharField()
    totals = ShortageTotalsSerializer()
    results = ShortageRowSerializer(many=True)


class OutSerializer(serializers.Serializer):
    days_out = _rate(help_text="Days without any on hand.")
    days_kept = _rate(help_text="Days during which it was kept there.")
    availability = _rate(help_text="Percent of the time with stock.")


class StockOutRowSerializer(OutSerializer, PeriodRow):
    items_out = serializers.IntegerField(help_text="Variants in warehouses that were out for a while; with a period, at its end.")
    items = serializers.IntegerField(help_text="Of how many.")


class StockOutTotalsSerializer(OutSerializer):
    days_out = _rate(required=False)
    days_kept = _rate(required=False)
    availability = _rate(required=False)


class StockOutReportSerializer(DaysAnswerSerializer):
    period = serializers.CharField(allow_null=True)
    group_by = serializers.CharField()
    totals = StockOutTotalsSerializer(help_text="Of all rows; empty with a period.")
    results = StockOutRowSerializer(many=True)
