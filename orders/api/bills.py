from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from orders.api.purchase_bodies import (
    PurchaseApprovalSerializer,
    PurchaseReasonSerializer,
    PurchaseRejectionSerializer,
    percent_field,
    quantity_field,
)
from orders.models import PurchaseOrder, SupplierBill, SupplierBillItem
from orders.queries.bill_matching import bill_lines
from orders.services.bill_states import (
    supplier_bill_approve,
    supplier_bill_cancel,
    supplier_bill_reject,
    supplier_bill_submit,
    supplier_bill_void,
)
from orders.services.bills import BillLine, supplier_bill_change, supplier_bill_create
from orders.services.purchasing import MOST_LINES

CODES = ["quantity_over", "price_over", "price_under", "tax_rate"]


class NewBillLineSerializer(StrictSerializer):
    line = ReferenceField(source="order_item_id", help_text="Of the purchase order.")
    quantity = quantity_field(help_text="In base units.")
    unit_price = quantity_field(
        required=False, min_value=0, help_text="Of one base unit, without tax. Else the order's, and its discount.",
    )
    discount_percent = percent_field("Off the price.")
    tax_rate = percent_field("Else the order's.")


def _lines_field(help_text: str) -> Any:
    return serializers.ListSerializer(
        child=NewBillLineSerializer(), required=False, write_only=True, max_length=MOST_LINES, help_text=help_text,
    )


class SupplierBillSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True)
    supplier_code = serializers.CharField(source="supplier.code", read_only=True)

    class Meta:
        model = SupplierBill
        fields = [
            "id", "supplier_number", "order", "order_number", "supplier", "supplier_code", "warehouse", "status", "currency",
            "billed_on", "due_on", "note", "net_total", "tax_total", "total", "entered_by", "submitted_by", "submitted_at",
            "decided_by", "decided_at", "decision_note", "approved_at", "created_at", "updated_at", "version",
        ]


class WrittenSupplierBillSerializer(SupplierBillSerializer):
    lines: Any = _lines_field("All of them: they take the place of those before.")

    class Meta(SupplierBillSerializer.Meta):
        fields = [*SupplierBillSerializer.Meta.fields, "lines"]


class NewSupplierBillSerializer(StrictSerializer):
    order = ReferenceField(source="order_id")
    supplier_number = serializers.CharField(max_length=80, help_text="As it stands on their paper.")
    billed_on = serializers.DateField(required=False, help_text="Today, unless given.")
    due_on = serializers.DateField(required=False, help_text="By the supplier's payment terms, unless given.")
    note = serializers.CharField(max_length=500, required=False)
    lines: Any = _lines_field("Without them, all that is here and on no other bill, at the order's prices.")


class BillVarianceSerializer(serializers.Serializer):
    code = serializers.ChoiceField(CODES)
    billed = serializers.CharField()
    expected = serializers.CharField()
    detail = serializers.CharField()


@extend_schema_field(BillVarianceSerializer(many=True))
class VariancesField(serializers.JSONField):
    """What is out of line: as things are now, and of a bill that is approved or canceled as it was then."""


class SupplierBillItemSerializer(TenantSerializer):
    variances = VariancesField(read_only=True)

    class Meta:
        model = SupplierBillItem
        fields = [
            "id", "line", "order_item", "sku", "name", "quantity", "unit_price", "discount_percent", "tax_rate", "net_amount",
            "tax_amount", "variances",
        ]


class SupplierBillViewSet(ReadViewSet):
    """What suppliers ask for. A draft is submitted: approved at once if it is as ordered and received, else by somebody else."""

    serializer_class = SupplierBillSerializer
    http_method_names = ["get", "post", "patch", "head", "options"]
    filters = ["status", "order", "supplier", "warehouse", "supplier_number", "billed_on", "due_on"]
    search_keys = ["number_key"]

    def get_serializer_class(self) -> Any:
        return WrittenSupplierBillSerializer if self.action == "partial_update" else SupplierBillSerializer

    def partial_update(self, request: Request, pk: str) -> Response:
        """A draft: what stands at its head, and its lines."""
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        values = _with_lines(dict(serializer.validated_data))
        return Response(self.read_row(supplier_bill_change(bill=row, **values).pk))

    @extend_schema(request=NewSupplierBillSerializer, responses={201: SupplierBillSerializer})
    @action(
        detail=False, methods=["post"], url_path="from-order", permission="orders.add_supplierbill",
        body_class=NewSupplierBillSerializer,
    )
    def from_order(self, request: Request) -> Response:
        """A draft: of all that is here of a purchase order and not billed yet, or of some lines."""
        values = _with_lines(self.body(request))
        order = referenced(PurchaseOrder, "order", values.pop("order_id"))
        refuse_outside(PurchaseOrder, [order.pk], self.may_change_in())
        made = supplier_bill_create(order=order, **values)
        return Response(self.read_row(made.pk), status=status.HTTP_201_CREATED)

    @extend_schema(responses=SupplierBillItemSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What is billed, and what of it is out of line with what was ordered and received."""
        self._query([])
        return Response(SupplierBillItemSerializer(bill_lines(self.get_object()), many=True).data)

    @extend_schema(request=None, responses=SupplierBillSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_supplierbill")
    def submit(self, request: Request, pk: str) -> Response:
        """Approved at once, or `in_variance`: it waits for somebody else then."""
        return self._stepped(supplier_bill_submit)

    @extend_schema(request=PurchaseApprovalSerializer, responses=SupplierBillSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_supplierbill", body_class=PurchaseApprovalSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        """With its variances, by somebody else than who wrote or submitted it."""
        return self._stepped(supplier_bill_approve, request)

    @extend_schema(request=PurchaseRejectionSerializer, responses=SupplierBillSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_supplierbill", body_class=PurchaseRejectionSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """It is a draft again, with the reason."""
        return self._stepped(supplier_bill_reject, request)

    @extend_schema(request=PurchaseReasonSerializer, responses=SupplierBillSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_supplierbill", body_class=PurchaseReasonSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Before it is approved. Its number may be entered again."""
        return self._stepped(supplier_bill_cancel, request)

    @extend_schema(request=PurchaseRejectionSerializer, responses=SupplierBillSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_supplierbill", body_class=PurchaseRejectionSerializer)
    def void(self, request: Request, pk: str) -> Response:
        """After it was approved: it is canceled, and what it said of quantities and prices is taken back."""
        return self._stepped(supplier_bill_void, request)

    def _stepped(self, verb: Callable[..., SupplierBill], request: Request | None = None) -> Response:
        bill = self.get_object()
        values = self.body(request) if request else {}
        return Response(self.read_row(verb(bill=bill, **values).pk))


def _with_lines(values: dict[str, Any]) -> dict[str, Any]:
    if "lines" in values:
        values["lines"] = [BillLine(**line) for line in values["lines"]]
    return values


routes = {"supplier-bills": SupplierBillViewSet}
