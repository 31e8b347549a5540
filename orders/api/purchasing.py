from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.limits import refuse_outside
from core.serializers import referenced
from inventory.models import Location, ReorderTask, Supplier, Warehouse
from orders.api.invoices import PaperRenderer
from orders.api.purchase_bodies import (
    FromTasksAnswerSerializer,
    FromTasksSerializer,
    PurchaseApprovalSerializer,
    PurchaseGoodsSerializer,
    PurchaseOrderItemSerializer,
    PurchaseOrderSerializer,
    PurchaseReasonSerializer,
    PurchaseRejectionSerializer,
    ReceivePurchaseSerializer,
    SendBackSerializer,
    SendPurchaseSerializer,
    WithdrawPurchaseSerializer,
    WrittenPurchaseOrderSerializer,
    part_of,
)
from orders.models import PurchaseOrder
from orders.services.invoice_papers import PDF
from orders.services.purchase_goods import Delivery, Done, Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_papers import purchase_filename, purchase_order_pdf
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
from orders.services.purchasing import PurchaseLine, purchase_order_change, purchase_order_create


class PurchaseOrderViewSet(TenantViewSet):
    """What suppliers are to bring. A draft is submitted, approved where it is over the limit, sent, and received in parts."""

    serializer_class = PurchaseOrderSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["status", "supplier", "warehouse", "number", "expected_on", "external_ref"]
    search_keys = ["number_key"]
    sort_fields = ["number"]
    bulk_operations = ()
    no_bulk = "A purchase order has lines and prices: make and change them one by one."

    def get_renderers(self) -> list[Any]:
        return [*super().get_renderers(), *([PaperRenderer()] if self.action == "pdf" else [])]

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update", "update_by_ref")
        return WrittenPurchaseOrderSerializer if writes else PurchaseOrderSerializer

    def save(self, serializer: serializers.BaseSerializer) -> PurchaseOrder:
        values = dict(serializer.validated_data)
        lines = [PurchaseLine(**line) for line in values.pop("lines")] if "lines" in values else None
        if serializer.instance is not None:
            return purchase_order_change(order=serializer.instance, lines=lines, **values)
        supplier = referenced(Supplier, "supplier", values.pop("supplier_id"))
        warehouse = referenced(Warehouse, "warehouse", values.pop("warehouse_id"))
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

    @extend_schema(request=PurchaseApprovalSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_purchaseorder", body_class=PurchaseApprovalSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        """By somebody else than who submitted it."""
        return self._stepped(purchase_order_approve, request)

    @extend_schema(request=PurchaseRejectionSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.approve_purchaseorder", body_class=PurchaseRejectionSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """It is a draft again, with the reason."""
        return self._stepped(purchase_order_reject, request)

    @extend_schema(request=WithdrawPurchaseSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=WithdrawPurchaseSerializer)
    def revise(self, request: Request, pk: str) -> Response:
        """It is a draft again, to be changed, submitted and sent anew. A supplier who has it is told."""
        return self._stepped(purchase_order_revise, request)

    @extend_schema(request=SendPurchaseSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.send_purchaseorder", body_class=SendPurchaseSerializer)
    def send(self, request: Request, pk: str) -> Response:
        """The supplier gets it by mail, or was told otherwise; purchase_order.sent tells all of it."""
        return self._stepped(purchase_order_send, request)

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """On paper, as the supplier gets it."""
        self._query([])
        order = self.get_object()
        return HttpResponse(purchase_order_pdf(order=order), content_type=PDF, headers={
            "Content-Disposition": f'inline; filename="{purchase_filename(order)}"',
        })

    @extend_schema(request=ReceivePurchaseSerializer, responses=PurchaseGoodsSerializer)
    @action(detail=True, methods=["post"], permission="orders.receive_purchaseorder", body_class=ReceivePurchaseSerializer)
    def receive(self, request: Request, pk: str) -> Response:
        """Goods come in to their line's location, else to the body's, else to the warehouse's own."""
        order, body = self.get_object(), self.body(request)
        place = body.pop("location_id", None)
        location = referenced(Location, "location", place) if place else None
        done = purchase_order_receive(order=order, parts=_parts(body), location=location, delivery=Delivery(**body))
        return self._done(done)

    @extend_schema(request=SendBackSerializer, responses=PurchaseGoodsSerializer)
    @action(
        detail=True, methods=["post"], url_path="send-back", permission="orders.receive_purchaseorder",
        body_class=SendBackSerializer,
    )
    def send_back(self, request: Request, pk: str) -> Response:
        """Goods that were taken in go back to the supplier."""
        order, body = self.get_object(), self.body(request)
        return self._done(purchase_order_send_back(order=order, parts=_parts(body) or [], delivery=Delivery(**body)))

    @extend_schema(request=PurchaseReasonSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=PurchaseReasonSerializer)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing more of it will come."""
        return self._stepped(purchase_order_close, request)

    @extend_schema(request=WithdrawPurchaseSerializer, responses=PurchaseOrderSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_purchaseorder", body_class=WithdrawPurchaseSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Before goods come: its reorder tasks are open again. A supplier who was sent it is told."""
        return self._stepped(purchase_order_cancel, request)

    def _stepped(self, verb: Callable[..., PurchaseOrder], request: Request | None = None) -> Response:
        """With the body of the request, if there is one to read."""
        order = self.get_object()
        values = self.body(request) if request else {}
        return Response(self.read_row(verb(order=order, **values).pk))

    def _done(self, done: Done) -> Response:
        return Response({**self.read_row(done.order.pk), "receipt": done.receipt.pk, "warnings": [
            {"code": "location_overfull", "location": one.location_id, "detail": one.detail} for one in done.overfull
        ]})


def _parts(body: dict[str, Any]) -> list[Part] | None:
    lines = body.pop("lines", None)
    return None if lines is None else [part_of(line) for line in lines]


routes = {"purchase-orders": PurchaseOrderViewSet}
