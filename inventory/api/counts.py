"""Counting: a sheet is opened, its lines are counted by many at once, and what differs is posted."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.conditions import conditional, tag_of
from core.json import dumps
from core.limits import refuse_outside
from core.listing import whole_number
from core.paging import DEFAULT_PAGE, LARGEST_PAGE, BadCursor, Window
from core.problems import BadParameter
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.api.postings import NewLotLineSerializer, quantity_field, with_lot
from inventory.models import ProductVariant, StockCount, StockCountPlan, Warehouse
from inventory.models.counts import LARGEST_SHEET, LONGEST_INTERVAL
from inventory.queries.counts import CHOICES, lines_window, serials_to_find, sheet, totals, variance
from inventory.services.count_posting import Rest, stock_count_approve, stock_count_post, stock_count_reject
from inventory.services.counts import (
    Counted,
    Selection,
    Terms,
    stock_count_cancel,
    stock_count_open,
    stock_count_record,
    stock_count_recount,
)

RECORD, POST, APPROVE = "inventory.record_stockcount", "inventory.post_stockcount", "inventory.approve_stockcount"
SHEET_CHOICES = ("all", "left", "counted")


def paging(*choices: str) -> list[OpenApiParameter]:
    return [
        OpenApiParameter("limit", int, description=f"1 to {LARGEST_PAGE}; {DEFAULT_PAGE} without it."),
        OpenApiParameter("cursor", str, description="Of `next` or `previous`."),
        OpenApiParameter("only", str, enum=choices, description="Which lines."),
    ]


class StockCountPlanSerializer(TenantSerializer):
    class Meta:
        model = StockCountPlan
        fields = [
            "id", "warehouse", "abc_class", "every_days", "lines_at_once", "is_blind", "tolerance_quantity", "tolerance_percent",
            "is_active", "created_at", "updated_at", "version",
        ]


class StockCountPlanViewSet(TenantViewSet):
    """How often the goods of an ABC class are counted in a warehouse; each night a sheet is opened of what is due."""

    serializer_class = StockCountPlanSerializer
    filters = ["warehouse"]


class StockCountSerializer(TenantSerializer):
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    location_code = serializers.CharField(source="location.code", read_only=True)
    abc_class = serializers.ChoiceField(ProductVariant.AbcClass.choices, allow_blank=True, read_only=True)

    class Meta:
        model = StockCount
        fields = [
            "id", "warehouse", "warehouse_code", "kind", "location", "location_code", "category", "abc_class", "plan", "is_blind",
            "tolerance_quantity", "tolerance_percent", "reason", "note", "status", "requested_by", "decided_by", "decided_at",
            "decision_note", "posted_at", "promises_lost", "created_at", "updated_at", "version",
        ]


class OpenSerializer(StrictSerializer):
    warehouse = ReferenceField(source="warehouse_id")
    location = ReferenceField(source="location_id", required=False, help_text="It and all below it.")
    category = ReferenceField(source="category_id", required=False, help_text="It and all below it.")
    abc_class = serializers.ChoiceField(ProductVariant.AbcClass.choices, required=False)
    days = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_INTERVAL, help_text="Only what was not counted in so many days.",
    )
    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=LARGEST_SHEET, help_text="At most so many lines; not counted for longest first.",
    )
    kind = serializers.ChoiceField(StockCount.Kind.choices, required=False)
    is_blind = serializers.BooleanField(required=False, help_text="Who counts is not told what is booked. True, unless given.")
    tolerance_quantity = quantity_field(required=False, min_value=0)
    tolerance_percent = serializers.DecimalField(max_digits=7, decimal_places=3, required=False, min_value=0)
    reason = ReferenceField(source="reason_id", required=False, help_text="Of kind adjustment; COUNT, unless given.")
    note = serializers.CharField(max_length=500, required=False)


class CountedLineSerializer(NewLotLineSerializer):
    line = ReferenceField(source="line_id", required=False, help_text="Of the sheet. Or the variant, its place and its lot.")
    variant = ReferenceField(source="variant_id", required=False)
    location = ReferenceField(source="location_id", required=False, help_text="That of the count, unless given.")
    counted = quantity_field(min_value=0)


class RecordSerializer(StrictSerializer):
    counted_at = serializers.DateTimeField(required=False, help_text="When, if not now: a sheet on paper.")
    lines: Any = serializers.ListSerializer(child=CountedLineSerializer(), max_length=1000)


class RecordedLineSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    line = serializers.IntegerField()
    variant = serializers.UUIDField()
    location = serializers.UUIDField()
    lot = serializers.UUIDField(allow_null=True)
    is_found = serializers.BooleanField(help_text="It was not on the sheet.")
    counted = quantity_field()


class RecordedSerializer(serializers.Serializer):
    lines = RecordedLineSerializer(many=True)


class SheetLineSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    line = serializers.IntegerField()
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    tracking = serializers.CharField()
    unit = serializers.CharField()
    location = serializers.UUIDField()
    location_code = serializers.CharField()
    lot = serializers.UUIDField(allow_null=True)
    lot_code = serializers.CharField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    is_found = serializers.BooleanField()
    counted = quantity_field(allow_null=True)
    counted_at = serializers.DateTimeField(allow_null=True)
    counted_by = serializers.UUIDField(allow_null=True)
    recounts = serializers.IntegerField()
    counted_before = quantity_field(allow_null=True, help_text="Before it was counted again.")
    is_posted = serializers.BooleanField()


class VarianceLineSerializer(SheetLineSerializer):
    book = quantity_field(help_text="What the books say of the moment at which it was counted.")
    difference = quantity_field(allow_null=True)
    value = serializers.DecimalField(max_digits=38, decimal_places=6, allow_null=True, help_text="At standard cost.")
    is_above = serializers.BooleanField(help_text="Above the tolerance.")
    moves_since = serializers.IntegerField(help_text="Moves after it was counted, which change nothing.")
    moved_since = quantity_field()
    adjustments_since = serializers.IntegerField(help_text="Of those, adjustments: somebody may have corrected the same mistake.")


class OpenLineSerializer(SheetLineSerializer):
    book = quantity_field(required=False, help_text="Not of a blind count.")


class SerialsSerializer(serializers.Serializer):
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    location = serializers.UUIDField()
    location_code = serializers.CharField()
    found = serializers.IntegerField(help_text="How many serial numbers were counted there.")


class SheetSerializer(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = OpenLineSerializer(many=True)
    serials = SerialsSerializer(many=True, help_text="Where serial numbers are to be looked for, and how many were found.")


class TotalsSerializer(serializers.Serializer):
    lines = serializers.IntegerField()
    counted = serializers.IntegerField()
    differing = serializers.IntegerField()
    above = serializers.IntegerField(help_text="Above the tolerance.")
    to_recount = serializers.IntegerField(help_text="Of those, counted once.")
    value = serializers.DecimalField(max_digits=38, decimal_places=6)
    absolute_value = serializers.DecimalField(max_digits=38, decimal_places=6)


class VarianceSerializer(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    totals = TotalsSerializer()
    results = VarianceLineSerializer(many=True)


class RecountSerializer(StrictSerializer):
    lines = serializers.ListField(
        child=ReferenceField(), max_length=1000, required=False,
        help_text="Without them: what is above the tolerance and was counted once.",
    )


class RecountedSerializer(serializers.Serializer):
    recounted = serializers.IntegerField(help_text="How many lines are to be counted again.")


class FinishSerializer(StrictSerializer):
    uncounted = serializers.ChoiceField(
        [one.value for one in Rest], default=Rest.REFUSE.value,
        help_text="Lines that nobody counted: refuse to post, take them for zero, or leave them as they are.",
    )


class DecisionSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False)


class RefusalSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500)


class StockCountViewSet(ReadViewSet):
    """Counts of stock, while goods keep moving: what moved after a line was counted does not change what it found."""

    serializer_class = StockCountSerializer
    filters = ["status", "warehouse", "location", "plan"]

    @extend_schema(request=OpenSerializer, responses={201: StockCountSerializer})
    @action(
        detail=False, methods=["post"], permission="inventory.add_stockcount", body_class=OpenSerializer, url_path="open",
        url_name="open",
    )
    def begin(self, request: Request) -> Response:
        """A sheet of all that is in stock in the warehouse, or of what is chosen of it."""
        body = self.body(request)
        refuse_outside(Warehouse, {body["warehouse_id"]}, self.may_change_in())
        chosen = ("warehouse_id", "location_id", "category_id", "abc_class", "days", "limit")
        selection = Selection(**{name: body.pop(name) for name in chosen if name in body})
        count = stock_count_open(selection=selection, terms=Terms(**body))
        return Response(self.read_row(count.pk), status=status.HTTP_201_CREATED)

    @extend_schema(parameters=paging(*SHEET_CHOICES), responses=SheetSerializer, filters=False)
    @action(detail=True, methods=["get"], permission="inventory.view_stockcount", pagination_class=None)
    def lines(self, request: Request, pk: str) -> HttpResponse:
        """The sheet, in the order of a walk. Of a blind count without what is booked, and without serial numbers to find."""
        window, only = self._asked(SHEET_CHOICES)
        count = self.get_object()
        page = sheet(count, window, only or "all")
        return _answer(request, {**self._links(page), "results": page.rows, "serials": serials_to_find(count)})

    @extend_schema(request=RecordSerializer, responses=RecordedSerializer)
    @action(detail=True, methods=["post"], permission=RECORD, body_class=RecordSerializer)
    def record(self, request: Request, pk: str) -> Response:
        """What was counted of many lines at once; goods that are not on the sheet are added to it."""
        count, body = self.get_object(), self.body(request)
        lines = [Counted(**with_lot(line)) for line in body["lines"]]
        recorded = stock_count_record(count_id=count.pk, lines=lines, counted_at=body.get("counted_at"))
        return Response({"lines": [
            {
                "id": line.id, "line": line.line, "variant": line.variant_id, "location": line.location_id, "lot": line.lot_id,
                "is_found": line.is_found, "counted": str(line.counted),
            }
            for line in recorded
        ]})

    @extend_schema(parameters=paging(*CHOICES), responses=VarianceSerializer, filters=False)
    @action(detail=True, methods=["get"], permission=POST, pagination_class=None)
    def variance(self, request: Request, pk: str) -> HttpResponse:
        """What was found: the lines that differ, or those asked for, beside what the books say of their moment."""
        window, only = self._asked(tuple(CHOICES))
        count = self.get_object()
        page = variance(count, window, only or "differing")
        return _answer(request, {**self._links(page), "totals": totals(count), "results": page.rows})

    @extend_schema(request=RecountSerializer, responses=RecountedSerializer)
    @action(detail=True, methods=["post"], permission=POST, body_class=RecountSerializer)
    def recount(self, request: Request, pk: str) -> Response:
        """Have lines counted again."""
        count, body = self.get_object(), self.body(request)
        return Response({"recounted": stock_count_recount(count_id=count.pk, lines=body.get("lines"))})

    @extend_schema(request=FinishSerializer, responses=StockCountSerializer)
    @action(detail=True, methods=["post"], permission=POST, body_class=FinishSerializer, url_path="post", url_name="post")
    def finish(self, request: Request, pk: str) -> Response:
        """Post what differs. Lines over a limit of the reason wait for approval: the count is then pending."""
        count, body = self.get_object(), self.body(request)
        stock_count_post(count_id=count.pk, rest=Rest(body["uncounted"]))
        return Response(self.read_row(pk))

    @extend_schema(request=DecisionSerializer, responses=StockCountSerializer)
    @action(detail=True, methods=["post"], permission=APPROVE, body_class=DecisionSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        """Post what waits. Not for who asked for it."""
        count, body = self.get_object(), self.body(request)
        stock_count_approve(count_id=count.pk, note=body.get("note", ""))
        return Response(self.read_row(pk))

    @extend_schema(request=RefusalSerializer, responses=StockCountSerializer)
    @action(detail=True, methods=["post"], permission=APPROVE, body_class=RefusalSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """What waits is to be counted again."""
        count, body = self.get_object(), self.body(request)
        stock_count_reject(count_id=count.pk, note=body["note"])
        return Response(self.read_row(pk))

    @extend_schema(request=None, responses=StockCountSerializer)
    @action(detail=True, methods=["post"], permission="inventory.change_stockcount", body_class=None)
    def cancel(self, request: Request, pk: str) -> Response:
        """Nothing of it is posted."""
        stock_count_cancel(count_id=self.get_object().pk)
        return Response(self.read_row(pk))

    def _asked(self, choices: tuple[str, ...]) -> tuple[Window, str]:
        query: Mapping[str, str] = self._query(["limit", "cursor", "only"])
        only = query.get("only", "")
        if only and only not in choices:
            raise BadParameter("only", f"only: one of {', '.join(choices)}.")
        size = whole_number("limit", query.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE)
        try:
            return lines_window(size, query.get("cursor")), only
        except BadCursor as error:
            raise BadParameter("cursor", str(error)) from error


def _answer(request: Request, body: dict[str, Any]) -> HttpResponse:
    content = dumps(body)
    return conditional(request, content, f"W/{tag_of(content)}")


routes = {"stock-counts": StockCountViewSet, "stock-count-plans": StockCountPlanViewSet}
