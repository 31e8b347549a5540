from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.errors import Invalid
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.api.postings import NewLotLineSerializer, OverfullSerializer, quantity_field, warnings, with_lot
from inventory.models import Location, ReorderTask, Supplier, Warehouse
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_goods import Delivery, Done, Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_proposals import below_minimum, purchase_orders_from_tasks
from orders.services.purchase_states import (
    purchase_order_approve,
    purchase_order_cancel,
    purchase_order_close,
    purchase_order_reject,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
)
from orders.services.purchasing import MOST_LINES, PurchaseLine, purchase_order_change, purchase_order_create


def percent_field(help_text: str) -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=7, decimal_places=4, min_value=0, max_value=100, required=False, help_text=help_text,
    )


class PurchaseOrderSerializer(TenantSerializer):
    supplier_code = serializers.CharField(source="supplier.code", read_only=True)
    supplier_min_order_value = quantity_field(
        source="supplier.min_order_value", read_only=True, help_text="In the supplier's currency: less is not delivered.",
    )
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = PurchaseOrder
        fields = [
            "id", "number", "supplier", "supplier_code", "supplier_min_order_value", "warehouse", "warehouse_code", "status",
            "currency", "expected_on", "supplier_reference", "note", "net_total", "tax_total", "total", "revision",
            "requested_by", "decided_by", "decided_at", "decision_note", "submitted_at", "sent_at", "received_at", "closed_at",
            "external_ref", "custom_fields", "created_at", "updated_at", "version",
        ]


class NewLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = quantity_field()
    unit_price = quantity_field(
        required=False, min_value=0,
        help_text="Of one base unit, without tax. Else as price lists say, or the supplier asked last.",
    )
    discount_percent = percent_field("Off the price.")
    over_receipt_percent = percent_field("How much more than ordered is taken in.")
    reorder_task = ReferenceField(source="reorder_task_id", required=False, help_text="The task that this line answers.")


class WrittenPurchaseOrderSerializer(PurchaseOrderSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="All of them: they take the place of those before.",
    )

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "lines"]


class PurchaseOrderItemSerializer(TenantSerializer):
    supplier_sku = serializers.CharField(source="supplier_product.supplier_sku", read_only=True, default=None)

    class Meta:
        model = PurchaseOrderItem
        fields = [
            "id", "line", "variant", "sku", "name", "supplier_product", "supplier_sku", "reorder_task", "quantity", "unit_price",
            "discount_percent", "tax_rate", "net_amount", "tax_amount", "price_reason", "over_receipt_percent",
            "received_quantity", "returned_quantity", "rejected_quantity",
        ]


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class RejectSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class ApproveSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class FromTasksSerializer(StrictSerializer):
    tasks = serializers.ListField(
        child=ReferenceField(), required=False, max_length=MOST_LINES,
        help_text="These alone, open or snoozed; else all open ones that name a supplier.",
    )


class ProposedSerializer(PurchaseOrderSerializer):
    missing_to_minimum = quantity_field(
        read_only=True, allow_null=True, help_text="To what the supplier takes an order for, in the order's currency.",
    )

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "missing_to_minimum"]


class FromTasksAnswerSerializer(serializers.Serializer):
    orders = ProposedSerializer(many=True)


class PartSerializer(NewLotLineSerializer):
    line = ReferenceField(source="line_id")
    location = ReferenceField(source="location_id", required=False)


class ReceivedPartSerializer(PartSerializer):
    quantity = quantity_field(required=False, min_value=0, help_text="What is taken in.")
    rejected_quantity = quantity_field(required=False, min_value=0, help_text="What came, and is not taken in.")
    rejected_because = serializers.CharField(max_length=200, required=False)


class SentBackPartSerializer(PartSerializer):
    quantity = quantity_field()
    location = ReferenceField(source="location_id", help_text="Where the goods are taken from.")


class DeliverySerializer(StrictSerializer):
    delivery_note = serializers.CharField(max_length=80, required=False, help_text="The number on the supplier's paper.")
    note = serializers.CharField(max_length=500, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class ReceiveSerializer(DeliverySerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Of the lines that name none.")
    lines: Any = serializers.ListSerializer(
        child=ReceivedPartSerializer(), max_length=MOST_LINES, required=False, help_text="All that is left, unless given.",
    )


class SendBackSerializer(DeliverySerializer):
    reason = ReferenceField(source="reason_id", required=False, help_text="A reason code for issues.")
    lines: Any = serializers.ListSerializer(child=SentBackPartSerializer(), max_length=MOST_LINES)


class GoodsDoneSerializer(PurchaseOrderSerializer):
    receipt = serializers.UUIDField(read_only=True)
    warnings = OverfullSerializer(many=True, read_only=True)

    class Meta(PurchaseOrderSerializer.Meta):
        fields = [*PurchaseOrderSerializer.Meta.fields, "receipt", "warnings"]


class PurchaseOrderViewSet(TenantViewSet):
    """What suppliers are to bring. A draft is submitted, approved where it is over the limit, sent, and received in parts."""

    serializer_class = PurchaseOrderSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["status", "supplier", "warehouse", "number", "expected_on", "external_ref"]
    search_keys = ["number_key"]
    sort_fields = ["number", "expected_on"]
    bulk_operations = ()
    no_bulk = "A purchase order has lines and prices: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update", "update_by_ref")
        return WrittenPurchaseOrderSerializer if writes else PurchaseOrderSerializer

    def save(self, serializer: serializers.BaseSerializer) -> PurchaseOrder:
        values = dict(serializer.validated_data)
        lines = [PurchaseLine(**line) for line in values.pop("lines")] if "lines" in values else None
        if serializer.instance is not None:
            return purchase_order_change(order=serializer.instance, lines=lines, **values)
        supplier = _found(Supplier, "supplier", values.pop("supplier_id"))
        warehouse = _found(Warehouse, "warehouse", values.pop("warehouse_id"))
        return purchase_order_create(supplier=supplier, warehouse=warehouse, lines=lines or (), **values)

    @extend_schema(responses=PurchaseOrderItemSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What is bought, and how much of it came, went back and was rejected."""
        self._query([])
        rows = self.get_object().lines.select_related("supplier_product").order_by("line")
        return Response(PurchaseOrderItemSerializer(rows, many=True).data)

    @extend_schema(request=FromTasksSerializer, responses={201: FromTasksAnswerSerializer})
    @action(
        detail=False, methods=["post"], url_path="from-tasks", permission="orders.add_purchaseorder",
        body_class=FromTasksSerializer,
    )
    def from_tasks(self, request: Request) -> Response:
        """Drafts out of reorder tasks, one for each supplier and warehouse, in whole packs; the tasks are ordered then."""
        tasks = self.body(request).get("tasks")
        if tasks is not None:
            refuse_outside(ReorderTask, tasks, self.may_change_in())
        made = purchase_orders_from_tasks(tasks=tasks, warehouses=self.may_change_in())
        rows = [{**self.read_row(order.pk), "missing_to_minimum": below_minimum(order)} for order in made]
        return Response({"orders": rows}, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder")
    def submit(self, request: Request, pk: str) -> Response:
        """The draft is finished: approved at once, or waiting for somebody else where it is over the organization's limit."""
        return self._stepped(purchase_order_submit)

    @extend_schema(request=ApproveSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_purchaseorder", body_class=ApproveSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        """By somebody else than who submitted it."""
        return self._stepped(purchase_order_approve, **self.body(request))

    @extend_schema(request=RejectSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_purchaseorder", body_class=RejectSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """It is a draft again, with the reason."""
        return self._stepped(purchase_order_reject, **self.body(request))

    @extend_schema(request=ReasonSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=ReasonSerializer)
    def revise(self, request: Request, pk: str) -> Response:
        """It is a draft again, to be changed, submitted and sent anew."""
        return self._stepped(purchase_order_revise, **self.body(request))

    @extend_schema(request=None, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.send_purchaseorder")
    def send(self, request: Request, pk: str) -> Response:
        """The supplier has it from now on: purchase_order.sent tells all of it."""
        return self._stepped(purchase_order_send)

    @extend_schema(request=ReceiveSerializer, responses=GoodsDoneSerializer)
    @action(detail=True, methods=["post"], permission="orders.receive_purchaseorder", body_class=ReceiveSerializer)
    def receive(self, request: Request, pk: str) -> Response:
        """Goods come in to their line's location, else to the body's, else to the warehouse's own."""
        order, body = self.get_object(), self.body(request)
        place = body.pop("location_id", None)
        location = _found(Location, "location", place) if place else None
        done = purchase_order_receive(order=order, parts=_parts(body), location=location, delivery=Delivery(**body))
        return self._done(done)

    @extend_schema(request=SendBackSerializer, responses=GoodsDoneSerializer)
    @action(
        detail=True, methods=["post"], url_path="send-back", permission="orders.receive_purchaseorder",
        body_class=SendBackSerializer,
    )
    def send_back(self, request: Request, pk: str) -> Response:
        """Goods that were taken in go back to the supplier."""
        order, body = self.get_object(), self.body(request)
        return self._done(purchase_order_send_back(order=order, parts=_parts(body) or [], delivery=Delivery(**body)))

    @extend_schema(request=ReasonSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=ReasonSerializer)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing more of it will come."""
        return self._stepped(purchase_order_close, **self.body(request))

    @extend_schema(request=ReasonSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=ReasonSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Before goods come: its reorder tasks are open again."""
        return self._stepped(purchase_order_cancel, **self.body(request))

    def _stepped(self, verb: Callable[..., PurchaseOrder], **values: Any) -> Response:
        return Response(self.read_row(verb(order=self.get_object(), **values).pk))

    def _done(self, done: Done) -> Response:
        return Response({**self.read_row(done.order.pk), "receipt": done.receipt.pk, "warnings": warnings(done.overfull)})


def _parts(body: dict[str, Any]) -> list[Part] | None:
    lines = body.pop("lines", None)
    return None if lines is None else [Part(**with_lot(line)) for line in lines]


def _found(model: Any, name: str, key: Any) -> Any:
    row = model.objects.filter(pk=key).first()
    if row is None:
        detail = f"There is no such {model._meta.verbose_name} in this organization."
        raise Invalid(detail, code="does_not_exist", fields={name: detail})
    return row


routes = {"purchase-orders": PurchaseOrderViewSet}
