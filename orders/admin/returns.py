from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from orders.admin.documents import DocumentAdmin, partner
from orders.machines import RETURNS
from orders.models import ReturnAuthorization, ReturnItem
from orders.services.returns import (
    return_approve,
    return_close,
    return_create,
    return_inspect,
    return_receive,
    return_refund,
    return_reject,
    return_replace,
)

Status = ReturnAuthorization.Status
REFUND = plainly(ReturnAuthorization, "refund_amount")
FIXED = ["number", "status", "customer", "warehouse", REFUND, "replacement", "received_at", "inspected_at"]


class ItemInline(TenantTabularInline):
    """What becomes of the goods is written until the return is inspected."""

    model = ReturnItem
    tab = False
    extra = 0
    can_delete = False
    asked = staticmethod(plainly(ReturnItem, "quantity"))
    came = staticmethod(plainly(ReturnItem, "received_quantity"))
    fields = ("order_item", "lot", "asked", "came", "location", "disposition", "note")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_open = obj is not None and obj.status in (Status.REQUESTED, Status.APPROVED, Status.RECEIVED)
        return self.fields[:-2] if is_open else self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ReturnAuthorization)
class ReturnAuthorizationAdmin(DocumentAdmin):
    """Goods that customers send back. A new one is of all that was shipped and did not come back; the API takes parts."""

    machine = RETURNS
    says_when_empty = "Take goods back at the counter: G, then B; or let customers ask for it by the API."
    list_display = ["number", "status", "order", partner("customer"), "warehouse", REFUND, "created_at"]
    list_select_related = ["customer__party"]
    list_filter = ["status", "warehouse"]
    search_keys = ["number_key"]
    fields = ["number", "status", "order", "customer", "warehouse", "reason", "note", REFUND, "refund_reference", "replacement",
              "received_at", "inspected_at"]
    inlines = [ItemInline]
    actions_detail = ["approve", "receive", "inspect", "refund", "replace", "close", "reject"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["order", "reason", "note"] if obj is None else self.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if obj is None:
            return fixed
        written = [] if obj.status == Status.INSPECTED else ["refund_reference"]
        return [*fixed, *FIXED, "order", "reason", "note", *written]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ReturnAuthorization, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = return_create(order=obj.order, reason_id=obj.reason_id, note=obj.note)
        obj.__dict__.update(made.__dict__)

    @action(description="Approve", url_path="approve", permissions=["approve"])
    @confirmed("Approve this return? The customer is told by mail to send the goods.")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "approve", return_approve)

    @action(description="Reject", url_path="reject", permissions=["reject"])
    @confirmed("Reject this return? The goods are not taken back. A note of the timeline may say why.")
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "reject", return_reject)

    @action(description="Receive", url_path="receive", permissions=["receive"])
    @confirmed("Did all of these goods come? They wait in quarantine for the inspection.")
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "receive", return_receive)

    @action(description="Inspected", url_path="inspect", permissions=["inspect"])
    @confirmed("Are the goods as the lines say? They go on the shelf, into quarantine or to the scrap.")
    def inspect(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "inspect", return_inspect)

    @action(description="Refunded", url_path="refund", permissions=["refund"])
    @confirmed("Give the money back? Where no provider does, save the reference above first. The customer gets a mail.")
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "refund", return_refund)

    @action(description="Replace", url_path="replace", permissions=["replace"])
    @confirmed("Send the same goods again? A new order at no charge is placed.")
    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "replace", return_replace)

    @action(description="Close", url_path="close", permissions=["close"])
    @confirmed("Is nothing left to do for this return?")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, "close", return_close)

    def act(self, request: HttpRequest, object_id: str, verb: str, does: Callable[..., Any]) -> HttpResponse:
        return self.do(request, object_id, verb, lambda order: does(authorization=order))
