from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from core.errors import DomainError
from orders.admin.documents import DocumentAdmin
from orders.admin.kits import OfKit
from orders.machines import SHIPMENTS
from orders.models import Shipment, ShipmentItem, ShipmentParcel
from orders.queries.delivery_notes import delivery_note_pdf, parcel_labels_pdf
from orders.services.shipments import (
    Parcel,
    shipment_cancel,
    shipment_change,
    shipment_come_back,
    shipment_create,
    shipment_deliver,
    shipment_fail,
    shipment_hand_over,
    shipment_in_transit,
    shipment_pack,
    shipment_reopen,
)

CARRIED_BY = ("carrier", "tracking_number", "tracking_url")


class ShipmentItemInline(OfKit, TenantTabularInline):
    model = ShipmentItem
    tab = False
    extra = 0
    can_delete = False

    of_it = staticmethod(plainly(ShipmentItem, "quantity"))
    fields = ("variant", "lot", "stock_item", "kit", "of_it")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ShipmentParcelInline(TenantTabularInline):
    model = ShipmentParcel
    tab = False
    extra = 0
    can_delete = False
    fields = readonly_fields = ("unit",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _as_order(verb: Callable[..., Shipment], **values: Any) -> Callable[..., Shipment]:
    def act(order: Shipment) -> Shipment:
        return verb(shipment=order, **values)

    return act


@admin.register(Shipment)
class ShipmentAdmin(DocumentAdmin):
    """Goods of an order that leave at once. A new one takes all that is allocated and in no shipment yet."""

    machine = SHIPMENTS
    list_display = ["number", "status", "order", "warehouse", "carrier", "tracking_number", "handed_over_at"]
    list_filter = ["status", "warehouse"]
    search_keys = ["number_key", "tracking_key"]
    fields = ["number", "status", "order", "warehouse", *CARRIED_BY, "packed_at", "handed_over_at", "delivered_at"]
    readonly_fields = ["number", "status", "warehouse", "packed_at", "handed_over_at", "delivered_at"]
    inlines = [ShipmentItemInline, ShipmentParcelInline]
    actions_detail = [
        "pack", "pack_parcel", "hand_over", "in_transit", "deliver", "delivery_note", "parcel_labels", "fail", "come_back",
        "reopen", "cancel",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else [*fixed, "order"]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else self.inlines

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Shipment, form: Any, change: bool) -> None:
        carried: dict[str, Any] = {name: getattr(obj, name) for name in CARRIED_BY}
        if change:
            made = shipment_change(shipment=obj, **{
                name: carried[name] for name in changed_columns(obj, form.changed_data) if name in carried
            })
        else:
            made = shipment_create(order=obj.order, **carried)
        obj.__dict__.update(made.__dict__)

    @action(description="Packed", url_path="pack", permissions=["pack"])
    @confirmed("Are its goods packed?")
    def pack(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "pack", _as_order(shipment_pack))

    @action(description="Packed in one parcel with SSCC", url_path="pack-parcel", permissions=["pack"])
    @confirmed("Are its goods in one parcel? It gets the next SSCC.")
    def pack_parcel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "pack", _as_order(shipment_pack, parcels=[Parcel()]))

    @action(description="Hand over", url_path="hand-over", permissions=["hand_over"])
    @confirmed("Does the carrier have it? The goods leave the stock, and the customer is told so by mail.")
    def hand_over(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "hand_over", _as_order(shipment_hand_over))

    @action(description="On its way", url_path="in-transit", permissions=["in_transit"])
    @confirmed("Is it on its way?")
    def in_transit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "in_transit", _as_order(shipment_in_transit))

    @action(description="Delivered", url_path="deliver", permissions=["deliver"])
    @confirmed("Does the customer have it?")
    def deliver(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "deliver", _as_order(shipment_deliver))

    @action(description="Not delivered", url_path="fail", permissions=["fail"])
    @confirmed("Could the carrier not deliver it?")
    def fail(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "fail", _as_order(shipment_fail))

    @action(description="Came back", url_path="come-back", permissions=["come_back"])
    @confirmed("Is it in the warehouse again? A return takes its goods in.")
    def come_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "come_back", _as_order(shipment_come_back))

    @action(description="Reopen", url_path="reopen", permissions=["reopen"])
    @confirmed("Is it not packed after all?")
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "reopen", _as_order(shipment_reopen))

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this shipment? Its goods stay reserved for the order.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "cancel", _as_order(shipment_cancel))

    @action(description="Delivery note", url_path="delivery-note", permissions=["view"])
    def delivery_note(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._paper(request, object_id, delivery_note_pdf)

    @action(description="Labels", url_path="parcel-labels", permissions=["view"])
    def parcel_labels(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._paper(request, object_id, lambda row: parcel_labels_pdf(row, request.principal))  # type: ignore[attr-defined]

    def _paper(self, request: HttpRequest, object_id: str, draw: Callable[[Shipment], bytes]) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            return HttpResponse(draw(row), content_type="application/pdf")
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_shipment_change", args=[row.pk]))
